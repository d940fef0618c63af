"""What the catalogues say of a feed."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from feedpub.model import Feed, FeedLink

CATALOGUE_VERSION = 1  # of feeds.json


class CatalogueEntry(NamedTuple):
    """What the catalogues say of a feed."""

    path: str
    kind: str
    id: str
    name: str  # of its topic, "" if it is not one topic's
    title: str
    description: str
    home: str
    language: str
    links: tuple[FeedLink, ...]
    updated: datetime
    items: int  # in its window
    total: int  # in all
    parent: str = ""

    @classmethod
    def of(cls, feed: Feed, items: int) -> CatalogueEntry:
        """The entry of a feed with so many items in its window."""
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
