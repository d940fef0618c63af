"""Archived feeds (RFC 5005): everything older than a feed holds can be reached from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree

from .harness import Site, new_site, record, stamps

URL = "https://feeds.example.org/"
FH = "{http://purl.org/syndication/history/1.0}"
ATOM = "{http://www.w3.org/2005/Atom}"
FILES = {"rss": "rss.xml", "atom": "atom.xml", "json": "feed.json"}


@pytest.fixture(params=["month", "year"])
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Site:
    """Two years of records: one a month, then ten in one month."""
    site = new_site(tmp_path)
    (tmp_path / "records/good.md").unlink()
    site.configure("records:", f"feeds: {{items: 4, archives: {request.param}}}\nrecords:")
    for month in range(24):
        date = f"{2020 + month // 12}-{month % 12 + 1:02}-15"
        site.write(f"records/{month:02}.md", story(f"Month {month}", date))
    for day in range(1, 11):
        site.write(f"records/last-{day:02}.md", story(f"Day {day}", f"2022-01-{day:02}"))
    site.generate()
    return site


def story(title: str, date: str, **more: str) -> str:
    return record(title, "topics: [News]", "provider: P", date=date, **more)


def document(site: Site, url: str) -> bytes:
    assert url.startswith(URL)
    return (site.feeds / url.removeprefix(URL)).read_bytes()


def linked(site: Site, url: str, rel: str) -> str:
    """Where a document's link leads, "" if it has none; as two others read it."""
    data = document(site, url)
    if url.endswith(".json"):
        return str(json.loads(data).get("next_url", "")) if rel == "prev-archive" else ""
    parsed = feedparser.parse(data)
    assert not parsed.bozo
    found = [link.href for link in parsed.feed.links if link.rel == rel]
    root = etree.fromstring(data)
    holder = root if root.tag == f"{ATOM}feed" else root[0]
    assert [e.get("href") for e in holder.findall(f"{ATOM}link[@rel='{rel}']")] == found
    assert len(found) < 2
    return found[0] if found else ""


def read(site: Site, url: str) -> list[tuple[str, str]]:
    data = document(site, url)
    if url.endswith(".json"):
        return [(item["id"], item["title"]) for item in json.loads(data)["items"]]
    return [(entry.id, entry.title) for entry in feedparser.parse(data).entries]


def chain(site: Site, name: str, feed: str = "") -> list[str]:
    """A feed's documents, from the one to subscribe to back to the oldest."""
    urls = [f"{URL}{feed}{FILES[name]}"]
    while older := linked(site, urls[-1], "prev-archive"):
        assert older not in urls
        urls.append(older)
    return urls


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("feed", ["", "topics/news/", "providers/p/"])
def test_the_whole_feed_can_be_reached(site: Site, name: str, feed: str) -> None:
    urls = chain(site, name, feed)
    items = [item for url in urls for item in read(site, url)]
    assert len(set(items)) == 34
    assert len({id for id, _ in items}) == 34
    archives = [item for url in urls[1:] for item in read(site, url)]
    assert len(archives) == len(set(archives)), "no item is in two archives"
    dates = {f"Month {m}": m for m in range(24)} | {f"Day {d}": 23 + d for d in range(1, 11)}
    order = [dates[title] for _, title in archives]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("name", ["rss", "atom"])
def test_archives_are_linked_both_ways_and_marked(site: Site, name: str) -> None:
    urls = chain(site, name, "topics/news/")
    first, *archives = urls
    assert linked(site, first, "next") == archives[0]
    assert not linked(site, first, "current")
    for n, url in enumerate(archives):
        root = etree.fromstring(document(site, url))
        assert root.find(f".//{FH}archive") is not None
        assert linked(site, url, "self") == url
        assert linked(site, url, "current") == linked(site, url, "first") == first
        assert linked(site, url, "next-archive") == (archives[n - 1] if n else "")
        assert linked(site, url, "prev-archive") == linked(site, url, "next")
    assert b"archive/>" not in document(site, first)
    assert len(archives) == (25 if (site.feeds / "topics/news/archive/2020-01").exists() else 3)


def test_json_pages_follow_each_other(site: Site) -> None:
    first, *archives = chain(site, "json")
    for url in archives:
        feed = json.loads(document(site, url))
        assert feed["feed_url"] == url
        assert feed["_feedpub"]["archive_of"] == first
        assert feed["title"] == "Test site"


def test_a_feed_that_holds_everything_says_so(site: Site) -> None:
    site.write("records/alone.md", record("Alone", "topics: [Rare]", date="2019-01-01"))
    site.generate()
    for name in ("rss", "atom"):
        url = f"{URL}topics/rare/{FILES[name]}"
        assert etree.fromstring(document(site, url)).find(f".//{FH}complete") is not None
        assert chain(site, name, "topics/rare/") == [url]
        assert b"complete" not in document(site, f"{URL}{FILES[name]}")
    assert json.loads(document(site, f"{URL}topics/rare/feed.json"))["_feedpub"]["complete"] is True


def changed(site: Site, before: dict[str, Any]) -> set[str]:
    after = stamps(site.feeds)
    paths = {path for path in after.keys() | before.keys() if after.get(path) != before.get(path)}
    return {path.rpartition("/")[0] for path in paths if path.endswith("rss.xml")}


def same_from_nothing(site: Site) -> None:
    before = site.tree()
    site.generate("--full")
    assert site.tree() == before


def test_a_late_or_edited_record_touches_its_own_period(site: Site) -> None:
    monthly = (site.feeds / "archive/2020-01").exists()
    period = "2020-05" if monthly else "2020"
    archives = {f"{feed}archive/{period}" for feed in ("", "topics/news/", "providers/p/")}
    before = stamps(site.feeds)
    site.write("records/late.md", story("Late", "2020-05-20"))
    site.generate()
    assert changed(site, before) == archives
    same_from_nothing(site)
    before = stamps(site.feeds)
    site.write("records/04.md", story("Month 4, corrected", "2020-05-15"))
    site.generate()
    assert changed(site, before) == archives
    before = stamps(site.feeds)
    site.generate()
    assert stamps(site.feeds) == before
    same_from_nothing(site)


@pytest.mark.parametrize("site", ["month"], indirect=True)
def test_a_period_that_comes_or_goes_touches_its_neighbours(site: Site) -> None:
    before = stamps(site.feeds)
    (site.root / "records/04.md").unlink()
    site.generate()
    feeds = ("", "topics/news/", "providers/p/")
    expected = {f"{f}archive/2020-{m}" for f in feeds for m in ("04", "05", "06")}
    assert changed(site, before) == expected
    assert site.report()["feeds"]["removed"] == 0, "archives are no feeds"
    assert not (site.feeds / "archive/2020-05").exists()
    same_from_nothing(site)


def test_the_window_moves_over_the_end_of_a_period(site: Site) -> None:
    for month in range(2, 8):
        site.write(f"records/new-{month}.md", story(f"New {month}", f"2022-{month:02}-01"))
        site.generate()
        same_from_nothing(site)
        for name in FILES:
            items = {item for url in chain(site, name) for item in read(site, url)}
            assert len(items) == 34 + month - 1


def test_archives_go_when_they_are_not_wanted_and_are_mended(site: Site) -> None:
    victim = next(site.feeds.glob("topics/news/archive/2020*/atom.xml"))
    data = victim.read_bytes()
    victim.unlink()
    site.generate()
    assert victim.read_bytes() == data
    by = "month" if "archives: month" in (site.root / "config.yaml").read_text() else "year"
    site.configure(f"archives: {by}", "archives: false")
    site.generate()
    assert site.report()["feeds"] == {"total": 3, "written": 3, "unchanged": 0, "removed": 0}
    assert not list(site.feeds.rglob("archive"))
    assert b"prev-archive" not in (site.feeds / "atom.xml").read_bytes()
    same_from_nothing(site)


def test_a_feed_that_goes_takes_its_archives_along(site: Site) -> None:
    for path in (site.root / "records").iterdir():
        path.write_text(path.read_text().replace("[News]", "[Olds]"))
    site.generate()
    assert not (site.feeds / "topics/news").exists()
    assert (site.feeds / "topics/olds/archive").exists()
    same_from_nothing(site)


def test_a_new_spelling_changes_no_archive(site: Site) -> None:
    """A topic is called as the newest record of a document calls it."""
    archives = [path for path in stamps(site.feeds) if "topics/news/archive/" in path]
    before = stamps(site.feeds)
    site.write("records/new.md", record("New", "topics: [NEWS]", "provider: P", date="2022-02-01"))
    site.generate()
    after = stamps(site.feeds)
    assert archives
    assert "NEWS" in (site.feeds / "topics/news/rss.xml").read_text("utf-8")
    changed = {path for path in archives if before[path] != after[path]}
    newest = max(path.split("/")[3] for path in archives)
    assert {path.split("/")[3] for path in changed} <= {newest}


def test_explain_names_the_archive(site: Site) -> None:
    said = site.run("explain", "records/00.md").out
    assert "in its archive of 2020" in said
