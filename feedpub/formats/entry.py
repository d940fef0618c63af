"""The entry of a feed in the catalogues.

In a module of its own, because a run that renders nothing needs it without lxml.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from feedpub.model import Feed, FeedLink

CATALOGUE_VERSION = 1  # of feeds.json


class CatalogueEntry(NamedTuple):
    """A feed as the catalogues list it."""

    path: str
    kind: str
    id: str
    name: str  # of its topic, "" if it is not the feed of a topic
    title: str
    description: str
    home: str
    language: str
    links: tuple[FeedLink, ...]
    updated: datetime
    items: int  # number of items in its window
    total: int  # number of all its records
    parent: str = ""

    @classmethod
    def of(cls, feed: Feed, items: int) -> CatalogueEntry:
        """The entry of a feed with this number of items in its window."""
        return cls(
            path=feed.path,
            kind=feed.kind,
            id=feed.id,
            name=feed.topic.name if feed.kind == "topic" and feed.topic else "",
            title=feed.title,
            description=feed.description,
            home=feed.home,
            language=feed.language,
            links=feed.links,
            updated=feed.updated,
            items=items,
            total=feed.total,
            parent=feed.parent,
        )
