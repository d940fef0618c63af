"""Catalogues: all that can be subscribed to, for readers (OPML) and for programs (JSON)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feedpub.formats.catalogues import render_json, render_opml
from feedpub.formats.entry import CatalogueEntry
from feedpub.model import Term

from .making import NASTY, feed, feeds, item, links, said

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def entry(path: str = "", kind: str = "all", **fields: object) -> CatalogueEntry:
    made = feed(item(), path=path, kind=kind, title=path or "All", links=links(path))
    return CatalogueEntry.of(made._replace(**fields), len(made.items))


ENTRIES = [
    entry(),
    entry("custom/best", "custom"),
    entry("providers/acme", "provider", updated=MOMENT + timedelta(days=1)),
    entry("topics/a", "topic"),
    entry("topics/a/providers/acme", "topic_provider"),
    entry("topics/b", "topic", parent="topics/a", total=99),
]


def test_opml_has_a_group_for_each_kind() -> None:
    opml = etree.fromstring(render_opml("A site", ENTRIES))
    assert opml.get("version") == "2.0"
    assert opml.findtext("head/title") == "A site"
    assert opml.findtext("head/dateModified") == "Sat, 03 Jan 2026 03:04:05 +0000"
    tree = {o.get("text"): [c.get("text") for c in o] for o in opml.findall("body/outline")}
    assert tree == {
        "All": [],
        "Topics": ["topics/a"],
        "Providers": ["providers/acme"],
        "Topics by provider": ["topics/a/providers/acme"],
        "More": ["custom/best"],
    }


def held(element: etree._Element) -> object:
    """A subscription's address, or what an outline that is none holds."""
    if address := element.get("xmlUrl"):
        assert len(element) == 0, "readers would miss what is in a subscription"
        return address.removeprefix("https://feeds.example.org/").removesuffix("/rss.xml")
    return {element.get("text"): [held(child) for child in element]}


def topic(name: str, parent: str = "") -> CatalogueEntry:
    above = parent and f"topics/{parent}"
    term = Term(name, name.upper(), name)
    return entry(f"topics/{name}", "topic", parent=above, topic=term)


def test_topics_are_nested_by_their_parents() -> None:
    parents = {"a": "", "b": "a", "c": "b", "d": "a", "e": "gone", "f": ""}
    opml = etree.fromstring(render_opml("A site", [topic(*pair) for pair in parents.items()]))
    assert held(opml.find("body/outline")) == {
        "Topics": [
            {"A": ["topics/a", {"B": ["topics/b", "topics/c"]}, "topics/d"]},
            "topics/e",
            "topics/f",
        ]
    }


def test_an_outline_is_a_subscription() -> None:
    opml = etree.fromstring(render_opml("A site", ENTRIES))
    outline = opml.find("body/outline/outline/outline")
    assert dict(outline.attrib) == {
        "type": "rss",
        "text": "topics/a",
        "title": "topics/a",
        "description": "About it",
        "xmlUrl": "https://feeds.example.org/topics/a/rss.xml",
        "htmlUrl": "https://example.org/",
        "language": "en",
    }


@pytest.mark.parametrize(("names", "file"), [(slice(1, 3), "atom.xml"), (slice(2, 3), "feed.json")])
def test_without_rss_the_next_format_is_named(names: slice, file: str) -> None:
    made = [entry(links=links()[names])]
    outline = etree.fromstring(render_opml("A site", made)).find("body/outline")
    assert outline.get("xmlUrl") == f"https://feeds.example.org/{file}"


def test_json_has_every_feed_with_its_numbers() -> None:
    catalogue = json.loads(render_json("A site", "https://example.org/", ENTRIES))
    assert catalogue["title"] == "A site"
    assert catalogue["home_page_url"] == "https://example.org/"
    assert [f["path"] for f in catalogue["feeds"]] == [e.path for e in ENTRIES]
    assert catalogue["feeds"][-1] == {
        "path": "topics/b",
        "kind": "topic",
        "id": "tag:example.org,2026:feeds",
        "title": "topics/b",
        "description": "About it",
        "language": "en",
        "updated": "2026-01-02T03:04:05Z",
        "items": 1,
        "total": 99,
        "urls": {
            "rss": "https://feeds.example.org/topics/b/rss.xml",
            "atom": "https://feeds.example.org/topics/b/atom.xml",
            "json": "https://feeds.example.org/topics/b/feed.json",
        },
        "parent": "topics/a",
    }


def test_without_feeds_catalogues_are_still_whole() -> None:
    assert etree.fromstring(render_opml("A site", [])).find("body") is not None
    assert json.loads(render_json("A site", "https://example.org/", []))["feeds"] == []


@settings(deadline=None, max_examples=50)
@given(said | st.sampled_from(NASTY), st.lists(feeds, max_size=2))
def test_nasty_texts_reach_the_reader(title: str, made: list[object]) -> None:
    entries = [CatalogueEntry.of(one, len(one.items)) for one in made]
    opml = etree.fromstring(render_opml(title, entries))
    catalogue = json.loads(render_json(title, "https://example.org/", entries))
    assert opml.findtext("head/title") == catalogue["title"] == title
    titles = [one.title for one in entries]
    assert [o.get("title") for o in opml.iterfind("body/outline/outline")] == titles
    assert [f["title"] for f in catalogue["feeds"]] == titles
