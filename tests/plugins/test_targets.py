"""A kind of target of another package, from its entry point to the files there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import CONFIG, GOOD, Site, record

from .install import install

TARGETS = "feedpub.targets"
PUSH = "push: {web: {to: 'box://mine/', password: sesame}}\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "site")
    site.write("records/good.md", GOOD)
    site.write("config.yaml", CONFIG + PUSH)
    return site


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_target_of_a_package_gets_the_tree_and_what_changes(site: Site, tmp_path: Path) -> None:
    env = install(tmp_path / "lib", TARGETS, "box", "feedpub_box:Box")
    run = site.run("generate", "--push", env=env)
    assert run.code == 0, run.text
    box = site.root / "boxes/mine"
    assert files(box).keys() == files(site.feeds).keys()
    (box / "theirs.txt").write_text("left alone")
    site.write(
        "records/good.md", record("Renamed", "url: https://example.org/good/", "topics: [B]")
    )
    run = site.run("generate", "--push", "-q", env=env)
    assert run.code == 0, run.text
    assert (box / "topics/b/rss.xml").read_bytes() == (site.feeds / "topics/b/rss.xml").read_bytes()
    assert not (box / "topics/news/rss.xml").exists()
    assert (box / "theirs.txt").exists()
    before = (box / "rss.xml").stat()
    assert site.run("push", "web", env=env).code == 0
    assert (box / "rss.xml").stat() == before


def test_what_it_refuses_is_told(site: Site, tmp_path: Path) -> None:
    env = install(tmp_path / "lib", TARGETS, "box", "feedpub_box:Box")
    site.write("config.yaml", CONFIG + PUSH.replace("sesame", "please"))
    run = site.run("generate", "--push", env=env)
    assert run.code == 4
    assert "the password is wrong" in run.err
    assert "please" not in run.text


@pytest.mark.parametrize(
    ("push", "said"),
    [
        ("push: {web: {to: 'box://mine/', region: eu}}\n", "push.web.region"),
        ("push: {web: 'bax://mine/'}\n", "did you mean 'box'"),
        ("push: {web: 'box:mine'}\n", "slashes"),
    ],
)
def test_mistakes_in_its_settings_are_named(
    site: Site, tmp_path: Path, push: str, said: str
) -> None:
    env = install(tmp_path / "lib", TARGETS, "box", "feedpub_box:Box")
    site.write("config.yaml", CONFIG + push)
    run = site.run("push", env=env)
    assert run.code == 2
    assert said in run.err


def test_without_the_package_there_is_no_such_target(site: Site) -> None:
    run = site.run("push")
    assert run.code == 2
    assert "box" in run.err


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ("feedpub_nowhere:Box", 2, "ModuleNotFoundError"),
        ("feedpub_box:Nobody", 2, "AttributeError"),
        ("feedpub_box:Broken", 4, "RuntimeError: no idea"),
        ("feedpub_box:BrokenLater", 4, "KeyError: 'x'"),
        ("feedpub_box:BrokenAtTheEnd", 4, "SystemExit: 0"),
    ],
)
def test_a_plugin_that_fails_is_named(
    site: Site, tmp_path: Path, value: str, code: int, said: str
) -> None:
    env = install(tmp_path / "lib", TARGETS, "box", value)
    site.run("generate", env=env)
    run = site.run("push", env=env)
    assert run.code == code
    assert "the plugin box (of the package feedpub-box)" in run.err or code == 2
    assert said in run.err
