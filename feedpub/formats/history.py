"""The links of a document to the rest of its feed (RFC 5005), for all formats."""

from __future__ import annotations

from feedpub.model import Feed

HISTORY = "http://purl.org/syndication/history/1.0"  # namespace of RFC 5005
# Link relations of RFC 5005: archives (4), and pages (3) for readers that do not know archives.
HISTORY_RELS = {
    "current": ("current", "first"),
    "older": ("prev-archive", "next"),
    "newer": ("next-archive", "previous"),
}


def history_links(feed: Feed, format_name: str) -> list[dict[str, str]]:
    """The attributes of the `link` elements to the rest of the feed."""
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
    """The name of the RFC 5005 element of a document, "" if it has none."""
    history = feed.history
    if history is None:
        return ""
    return "archive" if history.current else "complete" if history.is_complete else ""
