"""RSS 2.0, by feedgen, after the RSS Advisory Board's profile.

https://www.rssboard.org/rss-specification and https://www.rssboard.org/rss-profile
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from feedpub.formats import HISTORY, MEDIA_TYPES, history_links, history_mark, splice
from feedpub.model import Enclosure, Feed, Item

GENERATOR = "feedpub"
_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_MEDIA = "http://search.yahoo.com/mrss/"
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
        document.entry([_entry(item) for item in items])
        return splice.cut(document.rss_str(pretty=True), b"item>", _CLOSING)

    def render_feed(self, feed: Feed, parts: Sequence[bytes]) -> bytes:
        """The whole document."""
        return splice.join(self.head(feed).rss_str(pretty=True), parts, _CLOSING)

    def head(self, feed: Feed) -> FeedGenerator:
        """feedgen's document of the feed without its items."""
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
        if feed.author and feed.author.email:
            document.managingEditor(f"{feed.author.email} ({feed.author.name})")
        if feed.icon:
            # Profile: its title and link are the channel's.
            document.image(url=feed.icon, title=feed.title, link=feed.home)
        return document


def rss_date(moment: datetime) -> str:
    """RFC 822 date with a four-digit year, in English whatever the locale."""
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
    """What feedgen's channel lacks: its links in other formats and to its hubs."""

    feed: Feed | None = None

    def extend_ns(self) -> dict[str, str]:
        namespaces = {"dc": _DC, "media": _MEDIA}
        return namespaces | ({"fh": HISTORY} if self.feed and history_mark(self.feed) else {})

    def extend_rss(self, feed: Any) -> Any:
        if self.feed is None:
            return feed
        channel = feed[0]
        links = []
        for link in self.feed.links:
            rel = "self" if link.format == "rss" else "alternate"
            links.append({"href": link.url, "rel": rel, "type": link.type})
        links.sort(key=lambda link: link["rel"] != "self")
        links += [{"href": hub, "rel": "hub"} for hub in self.feed.hubs]
        links += history_links(self.feed, "rss")
        for n, attributes in enumerate(links):
            # Behind title, link and description, where readers look for them.
            channel.insert(3 + n, etree.Element(f"{{{_ATOM}}}link", attributes))
        if mark := history_mark(self.feed):
            channel.insert(3 + len(links), etree.Element(f"{{{HISTORY}}}{mark}"))
        return feed


def _entry(item: Item) -> FeedEntry:
    entry = FeedEntry()
    entry.title(item.title)
    entry.guid(item.id, permalink=item.id == item.link)
    if item.summary:
        # A description is HTML (specification, "Entity-encoded HTML"); ours is plain text.
        entry.description(html.escape(item.summary, quote=False), isSummary=True)
    if item.content_html:
        entry.content(item.content_html, type="html")
    if _sole_email(item):
        entry.author(name=item.authors[0].name, email=item.authors[0].email)
    if item.categories:
        entry.category([{"term": c.term, "scheme": c.scheme} for c in item.categories])
    links = [{"href": item.link}] if item.link else []
    if item.enclosures:
        # One, the best (profile, "enclosure"): what is to be played before what is to be seen.
        best = item.enclosures[0]
        links.append(
            {"href": best.url, "rel": "enclosure", "type": best.type, "length": str(best.length)}
        )
    if links:
        entry.link(links)
    source = item.source.link("rss") if item.source else None
    if item.source and source:
        entry.source(url=source.url, title=item.source.name)
    entry.register_extension("feedpub", _ItemExtension, atom=False, rss=True)
    entry.feedpub.item = item
    return entry


class _ItemExtension(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen's item lacks: its date without the process's locale, dc:* and media:*."""

    item: Item

    def extend_rss(self, entry: Any) -> Any:
        item = self.item
        _child(entry, "pubDate", rss_date(item.published))
        if item.updated != item.published:
            _child(entry, f"{{{_ATOM}}}updated", item.updated.isoformat())
        for author in () if _sole_email(item) else item.authors:
            _child(entry, f"{{{_DC}}}creator", author.name)
        if item.language:
            _child(entry, f"{{{_DC}}}language", item.language)
        pictures = {picture.url for picture in item.images}
        for enclosure in item.enclosures:
            if enclosure.url not in pictures:
                _media(entry, enclosure)
        for picture in item.images:
            _media(entry, picture)
        return entry


def _child(parent: Any, tag: str, text: str) -> None:
    etree.SubElement(parent, tag).text = text


def _sole_email(item: Item) -> bool:
    """Whether `author` can say it all: it is for one person, with an e-mail address."""
    return len(item.authors) == 1 and bool(item.authors[0].email)


def _media(entry: Any, media: Enclosure) -> None:
    """Media RSS: a file with all that is known of it, no group (those are for alternatives)."""
    content = etree.SubElement(entry, f"{{{_MEDIA}}}content")
    content.set("url", media.url)  # one by one is cheaper than a dictionary of them
    if media.length:
        content.set("fileSize", str(media.length))
    if media.type:
        content.set("type", media.type)
    content.set("medium", media.medium if media.type else "image")
    if media.duration:
        content.set("duration", str(media.duration))
    if media.width and media.height:
        content.set("height", str(media.height))
        content.set("width", str(media.width))
    if media.title:
        title = etree.SubElement(content, f"{{{_MEDIA}}}description", {"type": "plain"})
        title.text = media.title
