"""Feeds → bytes: one module per format, each with a class that implements `Format`.

A format renders each item once, and a feed from the rendered parts of its items, so the cost
of an item does not depend on the number of its feeds. Here belongs everything about the syntax
of RSS, Atom, JSON Feed, OPML and feeds.json. What a feed contains belongs in
`feedpub.grouping`. Formats know the classes of `feedpub.model`, but neither the configuration
nor files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from feedpub import plugins
from feedpub.errors import PluginError
from feedpub.formats.media_types import MEDIA_TYPES
from feedpub.model import Feed, Item

_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(; ?[\w-]+=[\w.-]+)*", re.ASCII)


class Format(Protocol):
    """A format of feeds."""

    name: str  # as `feeds.formats` names it
    media_type: str  # the Content-Type that hosts serve it with

    def render_items(self, items: Sequence[Item]) -> list[bytes]:
        """Each item as the part of a document that `render_feed` takes."""

    def render_feed(self, feed: Feed, parts: Sequence[bytes]) -> bytes:
        """The whole document. `parts` are the rendered items of the feed, in order."""


def load_formats(names: Sequence[str]) -> list[Format]:
    """The formats with these names: built-in ones first, then those of plugins.

    Raises `PluginError`.
    """
    return [_load(name) for name in in_order(names)]


def in_order(names: Sequence[str]) -> list[str]:
    """The names in the order in which feeds list their formats."""
    own = [name for name in MEDIA_TYPES if name in names]
    return own + [name for name in names if name not in MEDIA_TYPES]


def plugin_state(names: Sequence[str]) -> list[str]:
    """The versions of the plugins among these formats, which the output depends on."""
    return [plugins.state(plugins.FORMATS, name) for name in names if name not in MEDIA_TYPES]


def media_type(name: str) -> str:
    """The Content-Type of a format. Raises `PluginError`."""
    return MEDIA_TYPES.get(name) or _load(name).media_type


def _load(name: str) -> Format:
    if name == "rss":
        from feedpub.formats.rss import Rss

        return Rss()
    if name == "atom":
        from feedpub.formats.atom import Atom

        return Atom()
    if name == "json":
        from feedpub.formats.jsonfeed import JsonFeed

        return JsonFeed()
    return _PluginFormat(name)


class _PluginFormat:
    """A format of another package. Its errors become `PluginError`s that name the package."""

    def __init__(self, name: str) -> None:
        self.name = name
        with self._errors():
            self._format: Format = plugins.load(plugins.FORMATS, name)()
            self.media_type = self._format.media_type
        if not isinstance(self.media_type, str) or not _MEDIA_TYPE.fullmatch(self.media_type):
            raise self._error(f"{self.media_type!r} is not a media type")

    def render_items(self, items: Sequence[Item]) -> list[bytes]:
        with self._errors():
            parts = list(self._format.render_items(items))
        if len(parts) != len(items):
            raise self._error(f"{len(parts)} parts for {len(items)} items")
        if not all(isinstance(part, bytes) for part in parts):
            raise self._error("render_items must return a list of bytes")
        return parts

    def render_feed(self, feed: Feed, parts: Sequence[bytes]) -> bytes:
        with self._errors():
            document = self._format.render_feed(feed, parts)
        if not isinstance(document, bytes):
            raise self._error("render_feed must return bytes")
        return document

    def _errors(self) -> AbstractContextManager[None]:
        return plugins.errors_of(plugins.FORMATS, self.name)

    def _error(self, what: str) -> PluginError:
        return PluginError(plugins.origin(plugins.FORMATS, self.name), what)
