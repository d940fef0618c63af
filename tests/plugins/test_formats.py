"""A format of another package, from its entry point to the published file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import CONFIG, GOOD, Site, record

from .install import install

TEXT = "feeds: {formats: [rss, text]}\n"
FORMATS = "feedpub.formats"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "site")
    site.write("records/good.md", GOOD)
    site.write("config.yaml", CONFIG + TEXT)
    return site


def test_a_format_of_a_package_is_published_beside_feedpubs_own(site: Site, tmp_path: Path) -> None:
    env = install(tmp_path / "lib", FORMATS, "text", "feedpub_text:Text")
    assert site.run("generate", env=env).code == 0
    assert (site.feeds / "feed.txt").read_text() == "Test site\n2020-01-02 Good one\n"
    assert (site.feeds / "topics/news/feed.txt").exists()
    # It is a feed like all others: RSS leads to it, and the preview of a push knows its type.
    assert 'type="text/plain"' in (site.feeds / "rss.xml").read_text()
    assert "https://feeds.example.org/feed.txt" in site.run("explain", "(everything)", env=env).out


def test_a_plugin_that_changes_has_all_feeds_written_anew(site: Site, tmp_path: Path) -> None:
    lib = tmp_path / "lib"
    env = install(lib, FORMATS, "text", "feedpub_text:Text")
    site.run("generate", env=env)
    module = lib / "feedpub_text.py"
    module.write_text(module.read_text().replace("%Y-%m-%d", "on %d.%m.%Y"))
    assert site.run("generate", env=env).code == 0
    assert "on 02.01.2020 Good one" in (site.feeds / "feed.txt").read_text()
    before = (site.feeds / "feed.txt").stat()
    assert site.run("generate", env=env).code == 0
    assert (site.feeds / "feed.txt").stat() == before


def test_its_file_name_can_be_set(site: Site, tmp_path: Path) -> None:
    env = install(tmp_path / "lib", FORMATS, "text", "feedpub_text:Text")
    site.write("config.yaml", CONFIG + "feeds: {formats: [text], filenames: {text: a.txt}}\n")
    assert site.run("generate", env=env).code == 0
    assert (site.feeds / "a.txt").exists()


def test_a_format_that_nobody_has_is_a_mistake_in_the_configuration(site: Site) -> None:
    run = site.run("generate")
    assert run.code == 2
    assert "feeds.formats" in run.err
    assert "'text'" in run.err


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ("feedpub_nowhere:Text", 2, "ModuleNotFoundError"),
        ("feedpub_text:Nothing", 2, "AttributeError"),
        ("feedpub_text:annotations", 2, "filename"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named(
    site: Site, tmp_path: Path, value: str, code: int, said: str
) -> None:
    env = install(tmp_path / "lib", FORMATS, "text", value)
    run = site.run("generate", env=env)
    assert run.code == code
    assert said in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("return []", "0 parts for 2 items"),
        ("raise ValueError('no')", "ValueError: no"),
        ("return None", "TypeError"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("return ['text' for _ in items]", "list of bytes"),
    ],
)
def test_a_plugin_that_fails_ends_the_run_and_the_feeds_stand(
    site: Site, tmp_path: Path, broken: str, said: str
) -> None:
    lib = tmp_path / "lib"
    env = install(lib, FORMATS, "text", "feedpub_text:Text")
    assert site.run("generate", env=env).code == 0
    before = {path: path.read_bytes() for path in site.feeds.rglob("*") if path.is_file()}
    module = lib / "feedpub_text.py"
    text = module.read_text()
    module.write_text(text.replace("return [f", f"{broken}\n        return [f"))
    site.write("records/second.md", record("Another"))
    run = site.run("generate", env=env)
    assert run.code == 1
    assert said in run.err
    assert "feedpub-text" in run.err
    assert "Traceback" not in run.err
    assert before == {path: path.read_bytes() for path in site.feeds.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("good", "broken", "said"),
    [
        ('"feed.txt"', '"../../../outside.txt"', "no valid file name"),
        ('"text/plain"', '"text/plain\\r\\nX: y"', "not a media type"),
        ('name = "text"', "def __init__(self): raise OSError('no font')", "OSError: no font"),
        ("        return f", "        return 5 or f", "render_feed must return bytes"),
    ],
)
def test_what_a_plugin_must_not_say_is_refused_before_anything_is_written(
    site: Site, tmp_path: Path, good: str, broken: str, said: str
) -> None:
    lib = tmp_path / "lib"
    env = install(lib, FORMATS, "text", "feedpub_text:Text")
    module = lib / "feedpub_text.py"
    assert good in module.read_text()
    module.write_text(module.read_text().replace(good, broken))
    run = site.run("generate", env=env)
    assert run.code in {1, 2}
    assert said in run.err
    assert "feedpub-text" in run.err
    assert not site.feeds.exists() or not list(site.feeds.rglob("*.xml"))
    assert not list(tmp_path.rglob("outside.txt"))


def test_a_bug_report_names_the_plugins(site: Site, tmp_path: Path) -> None:
    env = install(tmp_path / "lib", FORMATS, "text", "feedpub_text:Text")
    assert "text (feedpub-text 1.0)" in site.run("--version", "-v", env=env).out
