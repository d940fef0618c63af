"""Atom 1.0 (RFC 4287), rendered by feedgen."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import datetime
from functools import lru_cache
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feedpub.formats import splice
from feedpub.formats.history import HISTORY, history_links, history_mark
from feedpub.formats.media_types import MEDIA_TYPES
from feedpub.formats.mrss import MEDIA, add_media
from feedpub.formats.rss import GENERATOR
from feedpub.model import Feed, Item, Person, Source

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_CLOSING = b"</feed>\n"
_UPDATED = 2  # index of `updated` in a source
_EPOCH = "1970-01-01T00:00:00+00:00"


class Atom:
    """Atom 1.0."""

    name = "atom"
    media_type = MEDIA_TYPES["atom"]

    def render_items(self, items: Sequence[Item]) -> list[bytes]:
        """Each item as an `entry` element."""
        document = FeedGenerator()
        document.id("-")
        document.title("-")
        document.updated(_EPOCH)
        document.register_extension("feedpub", _Head, None, atom=True, rss=False)
        document.entry([_entry(item) for item in items])
        return splice.cut(document.atom_str(pretty=True), b"entry", _CLOSING)

    def render_feed(self, feed: Feed, parts: Sequence[bytes]) -> bytes:
        """The whole document."""
        return splice.join(self.head(feed).atom_str(pretty=True), parts, _CLOSING)

    def head(self, feed: Feed) -> FeedGenerator:
        """The feedgen document of a feed, without items."""
        document = FeedGenerator()
        document.id(feed.id)
        document.title(feed.title)
        document.updated(feed.updated)
        document.subtitle(feed.description)
        document.language(feed.language)
        document.generator(GENERATOR)
        # 4.1.1: a feed has an author unless all its entries have one.
        if feed.author:
            document.author([_person(feed.author)])
        links = [{"href": feed.home, "rel": "alternate", "type": "text/html"}]
        for link in feed.links:
            rel = "self" if link.format == self.name else "alternate"
            links.append({"href": link.url, "rel": rel, "type": link.type})
        links += [{"href": hub, "rel": "hub"} for hub in feed.hubs]
        document.link(links)
        document.register_extension("feedpub", _Head, None, atom=True, rss=False)
        document.feedpub.feed = feed
        if feed.topic:
            document.category(term=feed.topic.name)
        if feed.rights:
            document.rights(feed.rights)
        if feed.icon:
            document.icon(feed.icon)
        if feed.logo:
            document.logo(feed.logo)
        return document


class _Head(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Adds what feedgen does not write: types of texts, links of RFC 5005, namespaces."""

    feed: Feed | None = None

    def extend_ns(self) -> dict[str, str]:
        namespaces = {"media": MEDIA}
        return namespaces | ({"fh": HISTORY} if self.feed and history_mark(self.feed) else {})

    def extend_atom(self, feed: Any) -> Any:
        if self.feed is None:
            return feed
        _declare_text(feed, "title", "subtitle", "rights")
        for attributes in history_links(self.feed, "atom"):
            etree.SubElement(feed, "link", attributes)
        if mark := history_mark(self.feed):
            etree.SubElement(feed, f"{{{HISTORY}}}{mark}")
        return feed


def _declare_text(element: Any, *names: str) -> None:
    """Adds type="text", the default (RFC 4287, 3.1.1), which some readers do not know."""
    for name in names:
        construct = element.find(name)
        if construct is not None:
            construct.set("type", "text")


def _person(person: Person) -> dict[str, str]:
    fields = {"name": person.name, "email": person.email, "uri": person.url}
    return {name: value for name, value in fields.items() if value}


def _entry(item: Item) -> FeedEntry:
    entry = FeedEntry()
    entry.id(item.atom_id)
    entry.title(item.title)
    entry.updated(item.updated)
    entry.published(item.published)
    if item.authors:
        entry.author([_person(author) for author in item.authors])
    if item.link:
        # feedgen writes links of entries without attributes, which is enough for alternate.
        entry.link(href=item.link, rel="alternate")
    if item.summary:
        entry.summary(item.summary)
    if item.content_html:
        entry.content(item.content_html, type="html")
    elif not (item.link and item.summary):
        # 4.1.2: an entry without content must have an alternate link, and should have a summary
        # (the W3C validator warns about an entry with only a title).
        entry.content(item.summary or item.title, type="text")
    if item.categories:
        entry.category(
            [{"term": c.term, "scheme": c.scheme, "label": c.term} for c in item.categories]
        )
    entry.register_extension("feedpub", _EntryExtension, atom=True, rss=False)
    entry.feedpub.item = item
    return entry


class _EntryExtension(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """Adds what feedgen does not write: attributes of links, the source, the language."""

    item: Item

    def extend_atom(self, entry: Any) -> Any:
        item = self.item
        _declare_text(entry, "title", "summary")
        if item.language:
            entry.set(_LANG, item.language)
        for enclosure in item.enclosures:
            attributes = {"href": enclosure.url, "rel": "enclosure"}
            if enclosure.type:
                attributes["type"] = enclosure.type
            if enclosure.length:
                attributes["length"] = str(enclosure.length)
            if enclosure.title:
                attributes["title"] = enclosure.title
            etree.SubElement(entry, "link", attributes)
        for story in item.related:
            etree.SubElement(
                entry, "link", {"href": story.url, "rel": "related", "title": story.title}
            )
        if item.external_url:
            etree.SubElement(entry, "link", {"href": item.external_url, "rel": "via"})
        if item.comments:  # RFC 4685, 4
            etree.SubElement(entry, "link", {"href": item.comments, "rel": "replies"})
        if item.source and (item.source.feed_id or item.source.home):
            # 4.2.11. The date is that of the entry, since that of the source would change.
            source = copy(_source(item.source))
            source[_UPDATED].text = atom_date(item.updated)
            entry.append(source)
        add_media(entry, item)
        return entry


@lru_cache(maxsize=1024)
def _source(provider: Source) -> etree._Element:
    """The source of an entry, without its date; copying it is faster than making it again."""
    source = etree.Element("source")
    etree.SubElement(source, "id").text = provider.feed_id or provider.home
    etree.SubElement(source, "title").text = provider.name
    etree.SubElement(source, "updated")
    if link := provider.link("atom"):
        etree.SubElement(source, "link", {"href": link.url, "rel": "self", "type": link.type})
    if provider.home:
        etree.SubElement(source, "link", {"href": provider.home, "rel": "alternate"})
    return source


def atom_date(moment: datetime) -> str:
    """RFC 3339, as feedgen writes it."""
    return moment.isoformat()
