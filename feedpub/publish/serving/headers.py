"""The kind of a file, and the headers to serve it with.

Python's `mimetypes` is not used: it depends on the machine, and lacks the types of feeds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from feedpub.formats import media_type as type_of_format
from feedpub.grouping.archive import feed_of
from feedpub.media.types import TYPES, UNKNOWN
from feedpub.publish.types import Headers

CATALOGUES = frozenset({"feeds.opml", "feeds.json", "feedpub.schema.json", "index.html"})
# The order of uploads: a file comes before the catalogues and host files that refer to it.
ORDER = ("hashed", "pictures", "other", "archives", "feeds", "host", "pages", "catalogues")
CACHE = MappingProxyType(
    {
        "feeds": "public, max-age=300",
        "pages": "public, max-age=300",
        "catalogues": "public, max-age=300",
        "archives": "public, max-age=86400",
        "pictures": "public, max-age=86400",
        "hashed": "public, max-age=31536000, immutable",
        "other": "public, max-age=3600",
    }
)
MIN_COMPRESSED = 1000  # bytes; smaller files are not compressed
# See docs/media.md for the names of pictures and files.
HASHED = r"media/[0-9a-f]{16}[/-]"
_OTHER_TYPES = {
    "opml": "text/x-opml",
    "css": "text/css",
    "js": "text/javascript",
    "schema.json": "application/schema+json",
}
_WITH_CHARSET = ("text/", "application/rss+xml", "application/atom+xml", "application/xml")
_COMPRESSIBLE = (*_WITH_CHARSET, "application/json", "application/feed+json", "image/svg+xml")


class ServingRules(NamedTuple):
    """The settings that decide about headers."""

    formats: Mapping[str, str] = MappingProxyType({})  # file name → format
    aliases: Mapping[str, str] = MappingProxyType({})  # feeds.also_at
    cache: Mapping[str, str] = MappingProxyType({})  # kind → Cache-Control that replaces `CACHE`
    gzip: bool = False


def format_of(path: str, rules: ServingRules) -> str:
    """The format of a feed's file, "" for other files."""
    name = rules.aliases.get(path, path).rpartition("/")[2]
    return rules.formats.get(name, "")


def kind_of(path: str, rules: ServingRules) -> str:
    """The kind of a file, one of `ORDER`."""
    target = rules.aliases.get(path, path)
    if target in CATALOGUES:
        return "catalogues"
    folder = target.rpartition("/")[0]
    if format_of(path, rules):
        return "feeds" if feed_of(folder) == folder else "archives"
    if is_hashed(target):
        return "hashed"
    media_type = type_of(path, rules)
    if media_type.startswith("text/html"):
        return "pages"
    return "pictures" if media_type.startswith("image/") else "other"


def is_hashed(path: str) -> bool:
    """Whether a file's name is the hash of its content."""
    return bool(re.match(HASHED, path))


def type_of(path: str, rules: ServingRules) -> str:
    """The Content-Type of a file."""
    if found := format_of(path, rules):
        media_type = type_of_format(found)
    else:
        name = rules.aliases.get(path, path).rpartition("/")[2].lower()
        ending = name.rpartition(".")[2]
        longer = name.partition(".")[2]
        known = _OTHER_TYPES.get(longer) or _OTHER_TYPES.get(ending) or TYPES.get(ending)
        media_type = known or UNKNOWN
    return f"{media_type}; charset=utf-8" if media_type.startswith(_WITH_CHARSET) else media_type


def headers_of(path: str, size: int, rules: ServingRules) -> Headers:
    """The headers to serve a file with; `size` in bytes."""
    kind = kind_of(path, rules)
    headers = {
        "Content-Type": type_of(path, rules),
        "Cache-Control": rules.cache.get(kind) or CACHE[kind],
    }
    if rules.gzip and is_worth_it(headers, size):
        headers["Content-Encoding"] = "gzip"
    return headers


def is_worth_it(headers: Headers, size: int) -> bool:
    """Whether compression saves much; `size` in bytes."""
    return size >= MIN_COMPRESSED and headers["Content-Type"].startswith(_COMPRESSIBLE)
