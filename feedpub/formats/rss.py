"""RSS 2.0, rendered by feedgen, following the profile of the RSS Advisory Board.

https://www.rssboard.org/rss-specification and https://www.rssboard.org/rss-profile
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feedpub.formats import splice
from feedpub.formats.history import HISTORY, history_links, history_mark
from feedpub.formats.media_types import MEDIA_TYPES
from feedpub.formats.mrss import MEDIA, add_media
from feedpub.formats.podcast import (
    ITUNES,
    PODCAST,
    add_episode,
    add_show,
    apple_type,
    set_episode,
    set_show,
)
from feedpub.model import Feed, Item, Person

GENERATOR = "feedpub"
_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_CLOSING = b"  </channel>\n</rss>\n"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Rss:
    """RSS 2.0."""

    name = "rss"
    media_type = MEDIA_TYPES["rss"]

    def render_items(self, items: Sequence[Item]) -> list[bytes]:
        """Each item as an `item` element."""
        document = _generator("-", "-", "-", None)
        document.feedpub.is_podcast = any(item.episode is not None for item in items)
        document.entry([_entry(item) for item in items])
        return splice.cut(document.rss_str(pretty=True), b"item>", _CLOSING)

    def render_feed(self, feed: Feed, parts: Sequence[bytes]) -> bytes:
        """The whole document."""
        return splice.join(self.head(feed).rss_str(pretty=True), parts, _CLOSING)

    def head(self, feed: Feed) -> FeedGenerator:
        """The feedgen document of a feed, without items."""
        document = _generator(feed.title, feed.home, feed.description, feed)
        document.language(feed.language)
        document.lastBuildDate(feed.updated)
        document.pubDate(feed.published)
        if feed.ttl:
            document.ttl(feed.ttl)
        if feed.topic:
            document.category(term=feed.topic.name)
        if feed.rights:
            document.copyright(feed.rights)
        if feed.author and _has_email(feed.author):
            document.managingEditor(f"{feed.author.email} ({feed.author.name})")
        if feed.icon:
            # Profile: it must have the title and the link of the channel.
            document.image(url=feed.icon, title=feed.title, link=feed.home)
        if feed.podcast:
            set_show(document, feed.podcast)
            document.feedpub.is_podcast = True
        return document


def rss_date(moment: datetime) -> str:
    """RFC 822 date with a four-digit year, in English in every locale."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    clock = f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"
    return f"{day}, {moment.day:02} {month} {moment.year:04} {clock} +0000"


def _generator(title: str, home: str, description: str, feed: Feed | None) -> FeedGenerator:
    document = FeedGenerator()
    document.title(title)
    document.link(href=home)
    document.description(description)
    document.generator(GENERATOR)
    document.register_extension("feedpub", _Channel, None, atom=False, rss=True)
    document.feedpub.feed = feed
    return document


class _Channel(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Adds what feedgen does not write: links to other formats, hubs and archives."""

    feed: Feed | None = None
    is_podcast = False

    def extend_ns(self) -> dict[str, str]:
        namespaces = {"dc": _DC, "media": MEDIA}
        if self.is_podcast:
            namespaces |= {"itunes": ITUNES, "podcast": PODCAST}
        return namespaces | ({"fh": HISTORY} if self.feed and history_mark(self.feed) else {})

    def extend_rss(self, feed: Any) -> Any:
        if self.feed is None:
            return feed
        channel = feed[0]
        for name in ("title", "description", "copyright", "category", "image/title"):
            for element in channel.iterfind(name):
                _escape_text(element)
        links = []
        for link in self.feed.links:
            rel = "self" if link.format == "rss" else "alternate"
            links.append({"href": link.url, "rel": rel, "type": link.type})
        links.sort(key=lambda link: link["rel"] != "self")
        links += [{"href": hub, "rel": "hub"} for hub in self.feed.hubs]
        links += history_links(self.feed, "rss")
        for n, attributes in enumerate(links):
            # After title, link and description, because some readers expect those first.
            channel.insert(3 + n, etree.Element(f"{{{_ATOM}}}link", attributes))
        if mark := history_mark(self.feed):
            channel.insert(3 + len(links), etree.Element(f"{{{HISTORY}}}{mark}"))
        if self.feed.podcast:
            add_show(channel, self.feed.podcast)
        return feed


def _entry(item: Item) -> FeedEntry:
    entry = FeedEntry()
    entry.title(item.title)
    entry.guid(item.id, permalink=item.id == item.link)
    if item.summary:
        # A description is HTML (specification, "Entity-encoded HTML"), so escape plain text.
        entry.description(html.escape(item.summary, quote=False), isSummary=True)
    if item.content_html:
        entry.content(item.content_html, type="html")
    if _fits_author(item):
        entry.author(name=item.authors[0].name, email=item.authors[0].email)
    if item.comments:
        entry.comments(item.comments)
    if item.categories:
        entry.category([{"term": c.term, "scheme": c.scheme} for c in item.categories])
    links = [{"href": item.link}] if item.link else []
    if item.enclosures:
        # Only one is allowed (profile, "enclosure"); audio and video come first.
        best = item.enclosures[0]
        kind = best.type if item.episode is None else apple_type(best.type)
        links.append(
            {"href": best.url, "rel": "enclosure", "type": kind, "length": str(best.length)}
        )
    if links:
        entry.link(links)
    source = item.source.link("rss") if item.source else None
    if item.source and source:
        entry.source(url=source.url, title=item.source.name)
    if item.episode is not None:
        set_episode(entry, item, item.episode)
    entry.register_extension("feedpub", _ItemExtension, atom=False, rss=True)
    entry.feedpub.item = item
    return entry


class _ItemExtension(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """Adds what feedgen does not write: a date in English in every locale, dc:* and media:*."""

    item: Item

    def extend_rss(self, entry: Any) -> Any:
        item = self.item
        _escape_text(entry.find("title"))
        _child(entry, "pubDate", rss_date(item.published))
        if item.updated != item.published:
            _child(entry, f"{{{_ATOM}}}updated", item.updated.isoformat())
        for author in () if _fits_author(item) else item.authors:
            _child(entry, f"{{{_DC}}}creator", author.name)
        if item.language:
            _child(entry, f"{{{_DC}}}language", item.language)
        if item.episode is not None:
            add_episode(entry, item, item.episode)
        add_media(entry, item)
        return entry


def _escape_text(element: Any) -> None:
    """Writes & and < of a plain text as &#x26; and &#x3C; (profile, "Character data").

    Readers that interpret the text as HTML, as many do, then show it correctly.
    """
    text = element.text
    if "&" not in text and "<" not in text:
        return
    first, *rest = re.split("([&<])", text)
    element.text = first
    for mark, following in zip(rest[::2], rest[1::2], strict=True):
        reference = etree.Entity(f"#x{ord(mark):X}")
        reference.tail = following
        element.append(reference)


def _child(parent: Any, tag: str, text: str) -> None:
    etree.SubElement(parent, tag).text = text


def _fits_author(item: Item) -> bool:
    """Whether the `author` element is enough: it holds one person with an e-mail address."""
    return len(item.authors) == 1 and _has_email(item.authors[0])


def _has_email(person: Person) -> bool:
    """Whether a person can be written as `email (name)`.

    Parentheses in the name would have to be escaped (RFC 5322, 3.2.2), and few readers
    unescape them.
    """
    return bool(person.email) and not set(person.name) & set("()\\")
