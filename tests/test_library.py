"""`import feedpub`: what programs build on."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest

import feedpub
from tests.e2e.harness import CONFIG, GOOD, Site, front, record

DOC = Path(__file__).parents[1] / "docs" / "library.md"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "site")
    site.write("config.yaml", CONFIG)
    site.write("records/good.md", GOOD)
    site.write("records/bad.md", front("title: No date"))
    return site


def test_records_become_feeds_and_what_was_wrong_is_told(site: Site) -> None:
    config = feedpub.load_config(site.root / "config.yaml")
    outcome = feedpub.generate(config)
    assert (site.feeds / "topics/news/rss.xml").exists()
    assert "rss.xml" in outcome.written
    assert [problem.path for problem in feedpub.check(config).problems] == ["records/bad.md"]
    assert feedpub.generate(config).written == []


def test_it_gives_what_the_command_gives(site: Site, tmp_path: Path) -> None:
    feedpub.generate(feedpub.load_config(site.root / "config.yaml"))
    ours = {p.relative_to(site.feeds): p.read_bytes() for p in site.feeds.rglob("*") if p.is_file()}
    other = Site(tmp_path / "other")
    for name in ("config.yaml", "records/good.md", "records/bad.md"):
        other.write(name, (site.root / name).read_bytes())
    assert other.run("generate").code == 0
    assert ours == {
        p.relative_to(other.feeds): p.read_bytes() for p in other.feeds.rglob("*") if p.is_file()
    }


def test_the_future_is_held_back_until_it_is_asked_for(site: Site) -> None:
    site.write("records/later.md", record("Later", date="2090-01-01"))
    config = feedpub.load_config(site.root / "config.yaml")
    feedpub.generate(config)
    assert "Later" not in (site.feeds / "rss.xml").read_text()
    feedpub.generate(config, as_of=datetime(2091, 1, 1, tzinfo=UTC))
    assert "Later" in (site.feeds / "rss.xml").read_text()


def test_a_push_to_a_folder(site: Site, tmp_path: Path) -> None:
    site.write("config.yaml", CONFIG + f"push: {{web: 'file://{tmp_path}/web'}}\n")
    config = feedpub.load_config(site.root / "config.yaml")
    feedpub.generate(config)
    assert feedpub.push(config, dry_run=True).is_complete
    assert not (tmp_path / "web").exists()
    assert feedpub.push(config).is_complete
    assert (tmp_path / "web/rss.xml").read_bytes() == (site.feeds / "rss.xml").read_bytes()
    with pytest.raises(feedpub.ConfigError, match="elsewhere"):
        feedpub.push(config, "elsewhere")


@pytest.mark.parametrize(
    ("most", "complete"), [(0, False), ("1%", False), (10, True), ("50%", True)]
)
def test_a_push_deletes_no_more_than_it_may(
    site: Site, tmp_path: Path, most: int | str, complete: bool
) -> None:
    site.write("config.yaml", CONFIG + f"push: {{web: 'file://{tmp_path}/web'}}\n")
    config = feedpub.load_config(site.root / "config.yaml")
    feedpub.generate(config)
    feedpub.push(config)
    site.write("records/good.md", GOOD.replace("topics: [News]", "topics: []"))
    feedpub.generate(config)
    assert feedpub.push(config, max_delete=most).is_complete == complete
    assert (tmp_path / "web/topics/news/rss.xml").exists() != complete


def test_wrong_arguments_are_refused(site: Site) -> None:
    config = feedpub.load_config(site.root / "config.yaml")
    with pytest.raises(ValueError, match="time zone"):
        feedpub.generate(config, as_of=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="jobs"):
        feedpub.generate(config, jobs=-1)
    with pytest.raises(ValueError, match="max_delete"):
        feedpub.push(config, max_delete="many")


def test_it_works_in_a_program_without_output_that_reaps_its_children(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.write("config.yaml", CONFIG)
    for n in range(300):
        site.write(f"records/{n}.md", record(f"Title {n}", f"id: {n}"))
    code = (
        "import signal, sys, feedpub; sys.stdout = None; "
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
        "config = feedpub.load_config('config.yaml'); "
        "[feedpub.generate(config, full=True, jobs=3) for _ in range(2)]"
    )
    subprocess.run([sys.executable, "-c", code], cwd=site.root, check=True)
    assert (site.feeds / "rss.xml").exists()


def test_a_check_of_nothing_is_an_error(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    config = feedpub.load_config(site.root / "config.yaml")
    monkeypatch.chdir(site.root)
    assert feedpub.check(config, "records/good.md").read == 1
    for path in ("records/nowhere.md", "config.yaml"):
        with pytest.raises(feedpub.NotFoundError, match=path):
            feedpub.check(config, [path])


def test_mistakes_are_errors_of_one_tree(site: Site) -> None:
    site.write("config.yaml", CONFIG + "outptu: feeds\n")
    with pytest.raises(feedpub.ConfigError) as raised:
        feedpub.load_config(site.root / "config.yaml")
    assert raised.value.problems[0].key == "outptu"
    assert isinstance(raised.value, feedpub.FeedpubError)


def made() -> feedpub.Feed:
    date = datetime(2026, 1, 2, tzinfo=UTC)
    item = feedpub.Item(
        "tag:example.org,2026:1", "tag:example.org,2026:1", "Fish & <chips>", date, date,
        link="https://example.org/1", content_html="<p>Salt.</p>", content_text="Salt.",
    )  # fmt: skip
    links = [
        feedpub.FeedLink("rss", "application/rss+xml", "https://example.org/rss.xml", "rss.xml"),
        feedpub.FeedLink("json", "application/feed+json", "https://example.org/a.json", "a.json"),
    ]
    return feedpub.Feed(
        "", "all", "tag:example.org,2026:feed", "Food", "About food", "https://example.org/",
        tuple(links), date, date, (item,), language="en",
    )  # fmt: skip


def test_a_feed_of_ones_own_is_rendered() -> None:
    parsed = feedparser.parse(feedpub.render(made(), "rss"))
    assert not parsed.bozo
    assert [entry.title for entry in parsed.entries] == ["Fish & <chips>"]
    assert json.loads(feedpub.render(made(), "json"))["items"][0]["content_html"] == "<p>Salt.</p>"
    with pytest.raises(ValueError, match="atom"):
        feedpub.render(made(), "atom")


def test_every_public_name_is_there_and_nothing_is_loaded_before_it_is_used() -> None:
    code = (
        "import sys, feedpub; assert 'feedpub.model' not in sys.modules;"
        "assert set(feedpub.__all__) <= set(dir(feedpub));"
        "[getattr(feedpub, name) for name in feedpub.__all__];"
        "print(*{'lxml', 'requests', 'nh3', 'markdown_it', 'click'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_the_documentation_names_all_of_it_and_its_example_runs(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = DOC.read_text(encoding="utf-8")
    both = text + (DOC.parent / "plugins.md").read_text(encoding="utf-8")
    missing = [name for name in feedpub.__all__ if not re.search(rf"\b{name}\b", both)]
    assert missing == ["__version__"]
    monkeypatch.chdir(site.root)
    site.write("config.yaml", CONFIG + f"push: {{web: 'file://{site.root}/web'}}\n")
    for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        ast.parse(example)
        exec(compile(example, str(DOC), "exec"), {})  # noqa: S102 - our own documentation
    assert (site.root / "web/rss.xml").exists()
