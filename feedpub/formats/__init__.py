"""The formats that feeds are published in: one module each, all of the same shape.

A format renders an item once, and a feed from the rendered parts of its
items, so that an item's cost does not grow with the number of its feeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from feedpub.model import Feed, Item


class Format(Protocol):
    """One format of feeds."""

    name: str
    media_type: str  # with which hosts serve it

    def render_items(self, items: Sequence[Item]) -> list[bytes]:
        """Each item as the part of a document that `render_feed` joins."""

    def render_feed(self, feed: Feed, parts: Sequence[bytes]) -> bytes:
        """The whole document; `parts` are the feed's items rendered, in order."""


def load_formats(names: Sequence[str]) -> list[Format]:
    """The formats of these names, in the order of the registry."""
    loaded: list[Format] = []
    if "rss" in names:
        from feedpub.formats.rss import Rss

        loaded.append(Rss())
    if "atom" in names:
        from feedpub.formats.atom import Atom

        loaded.append(Atom())
    if "json" in names:
        from feedpub.formats.jsonfeed import JsonFeed

        loaded.append(JsonFeed())
    return loaded


HISTORY = "http://purl.org/syndication/history/1.0"  # RFC 5005's namespace
# What RFC 5005 calls what (4: archives; 3: pages, for who knows nothing of archives).
HISTORY_RELS = {
    "current": ("current", "first"),
    "older": ("prev-archive", "next"),
    "newer": ("next-archive", "previous"),
}


def history_links(feed: Feed, format_name: str) -> list[dict[str, str]]:
    """The links of a document to the rest of its feed, as attributes of `link`."""
    history = feed.history
    if history is None:
        return []
    return [
        {"href": link.url, "rel": rel, "type": link.type}
        for which, rels in HISTORY_RELS.items()
        if (link := history.link(which, format_name))
        for rel in rels
    ]


def history_mark(feed: Feed) -> str:
    """The element of RFC 5005's namespace that a document has, "" if none."""
    history = feed.history
    if history is None:
        return ""
    return "archive" if history.current else "complete" if history.is_complete else ""


MEDIA_TYPES = {
    "rss": "application/rss+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
}
