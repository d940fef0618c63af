"""What Apple Podcasts wants of a show and its episodes, and they lack.

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
LONGEST_DESCRIPTION = 4000  # bytes


class Fault(NamedTuple):
    """What is wrong; `record` is None if it is the show's fault."""

    key: str
    what: str
    remedy: str
    record: Record | None = None


def faults(feed: Feed, podcast: Podcast, records: Sequence[Record]) -> Iterator[Fault]:
    """Everything that Apple would refuse, or not show, of a feed and its episodes."""
    yield from _of_show(feed, podcast)
    seen: dict[str, Record] = {}
    for record in records:
        yield from _of_episode(podcast, record)
        for played in filter(is_played, record.enclosures):
            other = seen.setdefault(played.url, record)
            if other is not record:
                yield Fault(
                    "enclosures",
                    f"{other.path} has the same file, and Apple shows it once",
                    "give each episode a file of its own",
                    record,
                )


def _of_show(feed: Feed, podcast: Podcast) -> Iterator[Fault]:
    if not any(link.format == "rss" for link in feed.links):
        yield Fault("feeds.formats", "podcasts are read in RSS alone", "add rss to the formats")
    if not podcast.categories:
        yield Fault(
            "podcast.category", "Apple wants a category", "add one, like Technology or Arts > Books"
        )
    if not podcast.image:
        yield Fault(
            "podcast.image",
            "Apple wants artwork",
            "name a JPEG or PNG of 1400 to 3000 pixels, as high as wide",
        )
    elif not _ARTWORK.search(urlsplit(podcast.image).path):
        yield Fault(
            "podcast.image",
            f"Apple wants artwork whose address ends in .jpg or .png, not {podcast.image}",
            "give the file such a name",
        )
    if len(feed.language.partition("-")[0]) != 2:
        yield Fault(
            "site.language",
            f"Apple knows no language {feed.language}",
            "write a code of two letters (ISO 639-1), like en or pt-BR",
        )
    if len(feed.description.encode()) > LONGEST_DESCRIPTION:
        yield Fault(
            "description",
            f"Apple takes no description of more than {LONGEST_DESCRIPTION:,} bytes",
            "shorten it",
        )


def _of_episode(podcast: Podcast, record: Record) -> Iterator[Fault]:
    played = [enclosure for enclosure in record.enclosures if is_played(enclosure)]
    if not played:
        yield Fault(
            "enclosures",
            "Apple shows no episode without a file to play",
            "add audio: or video:, or keep it out of the podcast (where: {types: […]})",
            record,
        )
    for enclosure in played[:1]:  # RSS has one
        if enclosure.type not in TYPES or not _ENDINGS.search(urlsplit(enclosure.url).path):
            yield Fault(
                "enclosures",
                f"Apple plays no {enclosure.type} of this name: {enclosure.url}",
                "it takes .mp3, .m4a, .mp4, .m4v, .mov and .pdf",
                record,
            )
        if not enclosure.length:
            yield Fault(
                "enclosures",
                "Apple wants to know how large the file is",
                "add its length in bytes: audio: {url: …, length: 5650889}",
                record,
            )
    number = record.episode.number if record.episode else ""
    kind = record.episode.type if record.episode else ""
    if podcast.type == "serial" and not number and kind in {"", "full"}:
        yield Fault(
            "episode", "each episode of a serial show has a number", "add episode: 1", record
        )
