"""A plugin as other packages have them: feeds as plain text, a line an item."""

from __future__ import annotations

from collections.abc import Sequence

from feedpub import Feed, Item


class Text:
    """Plain text."""

    name = "text"
    media_type = "text/plain"
    filename = "feed.txt"

    def render_items(self, items: Sequence[Item]) -> list[bytes]:
        return [f"{item.published:%Y-%m-%d} {item.title}\n".encode() for item in items]

    def render_feed(self, feed: Feed, parts: Sequence[bytes]) -> bytes:
        return f"{feed.title}\n".encode() + b"".join(parts)
