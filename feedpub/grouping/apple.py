"""Checks a podcast against the requirements of Apple Podcasts.

https://podcasters.apple.com/support/823-podcast-requirements and
https://help.apple.com/itc/podcasts_connect/#/itcb54353390
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from feedpub.grouping.podcast import is_played
from feedpub.model import Feed, Podcast, Record

TYPES = frozenset(
    "audio/mp4 audio/x-m4a audio/mpeg video/quicktime video/mp4 video/x-m4v application/pdf".split()
)
_ENDINGS = re.compile(r"\.(?:m4a|mp3|mov|mp4|m4v|pdf)$", re.IGNORECASE)
_ARTWORK = re.compile(r"\.(?:jpe?g|png)$", re.IGNORECASE)
MAX_DESCRIPTION = 4000  # bytes


class Fault(NamedTuple):
    """A violated requirement. `record` is None if it concerns the show."""

    key: str
    what: str
    remedy: str
    record: Record | None = None


def faults(feed: Feed, podcast: Podcast, records: Sequence[Record]) -> Iterator[Fault]:
    """All reasons for Apple to reject the feed, or to hide an episode."""
    yield from _of_show(feed, podcast)
    seen: dict[str, Record] = {}
    for record in records:
        yield from _of_episode(podcast, record)
        for played in filter(is_played, record.enclosures):
            other = seen.setdefault(played.url, record)
            if other is not record:
                yield Fault(
                    "enclosures",
                    f"{other.path} has the same file, and Apple shows it only once",
                    "use a different file for each episode",
                    record,
                )


def _of_show(feed: Feed, podcast: Podcast) -> Iterator[Fault]:
    if not any(link.format == "rss" for link in feed.links):
        yield Fault("feeds.formats", "Apple reads podcasts in RSS only", "add rss to the formats")
    if not podcast.categories:
        yield Fault(
            "podcast.category",
            "Apple requires a category",
            "add one, like Technology or Arts > Books",
        )
    if not podcast.image:
        yield Fault(
            "podcast.image",
            "Apple requires artwork",
            "set it to a square JPEG or PNG of 1400 to 3000 pixels",
        )
    elif not _ARTWORK.search(urlsplit(podcast.image).path):
        yield Fault(
            "podcast.image",
            f"Apple requires artwork with a URL that ends in .jpg or .png, not {podcast.image}",
            "rename the file",
        )
    if len(feed.language.partition("-")[0]) != 2:
        yield Fault(
            "site.language",
            f"Apple does not know the language {feed.language}",
            "write a two-letter code (ISO 639-1), like en or pt-BR",
        )
    if len(feed.description.encode()) > MAX_DESCRIPTION:
        yield Fault(
            "description",
            f"Apple accepts at most {MAX_DESCRIPTION:,} bytes of description",
            "shorten it",
        )


def _of_episode(podcast: Podcast, record: Record) -> Iterator[Fault]:
    played = [enclosure for enclosure in record.enclosures if is_played(enclosure)]
    if not played:
        yield Fault(
            "enclosures",
            "Apple hides episodes without a media file",
            "add audio: or video:, or exclude it from the podcast (where: {types: […]})",
            record,
        )
    for enclosure in played[:1]:  # RSS has only one
        if enclosure.type not in TYPES or not _ENDINGS.search(urlsplit(enclosure.url).path):
            yield Fault(
                "enclosures",
                f"Apple does not play this {enclosure.type} file: {enclosure.url}",
                "use .mp3, .m4a, .mp4, .m4v, .mov or .pdf",
                record,
            )
        if not enclosure.length:
            yield Fault(
                "enclosures",
                "Apple requires the size of the file",
                "add its length in bytes: audio: {url: …, length: 5650889}",
                record,
            )
    number = record.episode.number if record.episode else ""
    kind = record.episode.type if record.episode else ""
    if podcast.type == "serial" and not number and kind in {"", "full"}:
        yield Fault(
            "episode", "each episode of a serial show needs a number", "add episode: 1", record
        )
