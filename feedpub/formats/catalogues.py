"""Catalogues of all feeds: OPML 2.0 for readers, feeds.json for programs.

http://opml.org/spec2.opml; feeds.json is described in docs/output.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from lxml import etree

from feedpub.formats.entry import CATALOGUE_VERSION, CatalogueEntry
from feedpub.formats.jsonfeed import json_date
from feedpub.formats.rss import rss_date

_GROUPS = (
    ("topic", "Topics"),
    ("provider", "Providers"),
    ("topic_provider", "Topics by provider"),
    ("custom", "More"),
)
_OPML_TYPES = ("rss", "atom", "json")


def render_opml(title: str, entries: Sequence[CatalogueEntry]) -> bytes:
    """OPML 2.0: the feed of all records, then a group for each kind of feed."""
    opml = etree.Element("opml", {"version": "2.0"})
    head = etree.SubElement(opml, "head")
    etree.SubElement(head, "title").text = title
    if entries:
        newest = max(entry.updated for entry in entries)
        etree.SubElement(head, "dateModified").text = rss_date(newest)
    body = etree.SubElement(opml, "body")
    for entry in entries:
        if entry.kind == "all":
            _outline(body, entry)
    for kind, name in _GROUPS:
        group = [entry for entry in entries if entry.kind == kind]
        if group:
            _nest(etree.SubElement(body, "outline", {"text": name}), group)
    return etree.tostring(opml, pretty_print=True, xml_declaration=True, encoding="UTF-8")


def _nest(parent: etree._Element, group: Sequence[CatalogueEntry]) -> None:
    """Adds subscriptions. A topic with subtopics becomes an outline that begins with its feed.

    An outline that is itself a subscription has no children, because readers ignore them.
    """
    below: dict[str, list[CatalogueEntry]] = {}
    paths = {entry.path for entry in group}
    for entry in group:
        below.setdefault(entry.parent if entry.parent in paths else "", []).append(entry)
    waiting = [(parent, entry) for entry in reversed(below.get("", []))]
    while waiting:
        outline, entry = waiting.pop()
        if children := below.get(entry.path):
            outline = etree.SubElement(outline, "outline", {"text": entry.name or entry.title})
            waiting += [(outline, child) for child in reversed(children)]
        _outline(outline, entry)


def _outline(parent: etree._Element, entry: CatalogueEntry) -> None:
    """Adds a subscription. Its type is `rss` for every format ("Subscription lists")."""
    by_format = {link.format: link for link in entry.links}
    link = next((by_format[name] for name in _OPML_TYPES if name in by_format), entry.links[0])
    etree.SubElement(
        parent,
        "outline",
        {
            "type": "rss",
            "text": entry.title,
            "title": entry.title,
            "description": entry.description,
            "xmlUrl": link.url,
            "htmlUrl": entry.home,
            "language": entry.language,
        },
    )


def render_json(title: str, home: str, entries: Sequence[CatalogueEntry]) -> bytes:
    """feeds.json: all feeds with their URLs, sizes and dates."""
    catalogue = {
        "version": CATALOGUE_VERSION,
        "title": title,
        "home_page_url": home,
        "feeds": [
            {
                "path": entry.path,
                "kind": entry.kind,
                "id": entry.id,
                "title": entry.title,
                "description": entry.description,
                "language": entry.language,
                "updated": json_date(entry.updated),
                "items": entry.items,
                "total": entry.total,
                "urls": {link.format: link.url for link in entry.links},
            }
            | ({"parent": entry.parent} if entry.parent else {})
            for entry in entries
        ],
    }
    return (json.dumps(catalogue, ensure_ascii=False, indent=2) + "\n").encode()
