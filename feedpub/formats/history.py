"""What a document says of the rest of its feed (RFC 5005), in the terms of all formats."""

from __future__ import annotations

from feedpub.model import Feed

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
