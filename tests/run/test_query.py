"""What `explain`, `list` and `check` ask of all records."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedpub.config import Config
from feedpub.run.query import (
    Grouping,
    Membership,
    Reading,
    describe,
    explain_missing,
    feed_path,
    find,
    group,
    memberships,
    read_records,
    read_terms,
)
from feedpub.run.report import RunOptions

from .helpers import CONFIG, config, write

FEEDS = """
feeds:
  archives: month
  items: 2
  topics: {min_items: 2}
  custom: [{slug: best, where: {min_quality: 5}}, {slug: none, where: {types: [film]}}]
  also_at: {tags/news: topics/news}
"""


@pytest.fixture
def site(tmp_path: Path) -> Config:
    for day, topic in ((1, "News"), (2, "News"), (3, "Rare")):
        write(tmp_path / f"records/{day}.md", f"---\ntitle: T{day}\ndate: 2026-01-0{day}\n"
              f"url: https://example.org/{day}\ntopics: [{topic}]\n---\nText {day}.\n")  # fmt: skip
    write(tmp_path / "records/draft.md", "---\ntitle: D\ndate: 2026-01-01\ndraft: true\n---\n")
    write(tmp_path / "records/copy.md", "---\ntitle: C\ndate: 2020-01-01\n"
          "url: https://example.org/3\n---\n")  # fmt: skip
    return config(tmp_path, CONFIG + FEEDS)


def asked(site: Config) -> tuple[Reading, Grouping]:
    terms = read_terms(site, [])
    reading = read_records(site, terms, RunOptions(None))
    return reading, group(site, terms, reading.items)


def test_records_are_read_without_content(site: Config) -> None:
    reading, _ = asked(site)
    assert [record.title for record in reading.items] == ["T3", "T2", "T1"]
    assert not any(record.body or record.summary for record in reading.items)


@pytest.mark.parametrize("name", ["records/1.md", "https://example.org/1", "./records/1.md"])
def test_a_record_is_found_by_its_path_and_its_urls(
    site: Config, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.root)
    reading, _ = asked(site)
    assert [record.title for record in find(site, reading, name).items] == ["T1"]


def test_a_record_in_no_feed_is_found_with_the_reason(
    site: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.root)
    reading, _ = asked(site)
    [(record, reason)] = find(site, reading, "records/draft.md").left_out
    assert (record.title, reason) == ("D", "draft")
    [lost] = find(site, reading, "records/copy.md").duplicates
    assert lost.winner.path == "records/3.md"


def test_a_record_knows_the_feeds_it_is_in_and_why_it_is_not_in_others(site: Config) -> None:
    reading, grouping = asked(site)
    newest, _, oldest = reading.items
    best, none = (custom.where for custom in site.feeds.custom)
    assert memberships(site, grouping, newest) == [
        Membership("", position=1, size=2),
        Membership("topics/rare", min_items=2),
        Membership("custom/best", unmet=best),
        Membership("custom/none", unmet=none),
    ]
    assert memberships(site, grouping, oldest)[:2] == [
        Membership("", size=2, period="2026-01"),
        Membership("topics/news", position=2, size=2),
    ]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("topics/news", "topics/news"),
        ("topics/news/rss.xml", "topics/news"),
        ("tags/news/atom.xml", "topics/news"),
        ("feeds/topics/news/", "topics/news"),
        ("feeds", ""),
    ],
)
def test_a_feed_is_named_by_its_path_or_a_file(site: Config, name: str, path: str) -> None:
    assert feed_path(site, name) == path


def test_a_feed_is_described_by_its_settings(site: Config) -> None:
    _, grouping = asked(site)
    feed = describe(site, grouping, "topics/news")
    assert [entry.record.title for entry in feed.window.entries] == ["T2", "T1"]
    assert feed_path(site, feed.urls["rss"]) == "topics/news"
    assert feed.urls["rss"] == f"{site.site.url}topics/news/rss.xml"


def test_a_feed_that_is_missing_has_a_reason(site: Config) -> None:
    reading, grouping = asked(site)
    rare = explain_missing(site, reading, grouping, "topics/rare")
    assert rare
    assert (rare.records, rare.min_items) == (1, 2)
    none = explain_missing(site, reading, grouping, "custom/none")
    assert none
    assert none.where == site.feeds.custom[1].where
    assert explain_missing(site, reading, grouping, "topics/unheard-of") is None
