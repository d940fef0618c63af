"""The rows of the store, as plain values."""

# No `from __future__ import annotations` here: see feedpub/model.py.

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from feedpub.model import Placement, Provider, Record, RecordHead


class FolderRow(NamedTuple):
    """A folder, as of the last scan."""

    id: int
    shown: str
    below: str
    reading: bytes
    signature: bytes | None


class FilePlace(NamedTuple):
    """The paths of a file: below its source, on disk, and in messages."""

    source: str  # as in config.yaml
    file: str  # on disk, relative to the root of the site
    shown: str  # in messages
    below: str  # relative to the source
    digest: bytes  # as of the last read
    content: bytes | None  # a hash of its bytes only


class FileRow(NamedTuple):
    """A file, as of the last read. `digest` is a hash of its content and of how it is read."""

    id: int
    size: int
    mtime: int
    ctime: int
    inode: int
    digest: bytes
    content: bytes | None  # a hash of its bytes only; None if it could not be read


class RecordRow(NamedTuple):
    """The stored part of a record; `feedpub.store.schema` explains the columns."""

    part: int | None
    line: int
    guid: str
    guid_from: str
    published: int
    updated: int
    digest: bytes
    status: str
    topics: str
    provider: str | None
    domain: str | None
    provider_url: str | None
    image: str | None
    language: str
    type: str
    category: str
    price: str
    quality: float | None
    heat: float | None
    reason: str
    feeds: bytes
    guid_key: int
    derived: str
    media: str = ""


class StoredRecord(NamedTuple):
    """A record in the store."""

    id: int
    file: int
    lost: int
    row: RecordRow


class Rival(NamedTuple):
    """A record that may share its guid with others; `shown` and `part` are its path."""

    id: int
    guid: str
    guid_from: str
    derived: str
    published: int
    updated: int
    lost: int
    line: int
    part: int | None
    shown: str


class FeedRow(NamedTuple):
    """A feed with at least one record; `inputs` None: it has no files."""

    id: int
    path: str
    kind: str
    total: int
    inputs: bytes | None
    entry: str | None


class ArchiveRow(NamedTuple):
    """An archive of a feed: hashes of what it depends on, without and with its items."""

    context: bytes
    inputs: bytes


class WindowRow(NamedTuple):
    """The part of a record in a window that its feed depends on."""

    id: int
    file: int
    part: int | None
    guid: str
    digest: bytes
    updated: int
    topics: str
    provider: str | None
    domain: str | None
    media: str


class Unit(NamedTuple):
    """A feed or one of its archives; each has one file per format."""

    feed: int | None  # None: a catalogue
    period: str = ""


class OutputRow(NamedTuple):
    """A file of the output tree, as of the last write."""

    feed: int | None  # None: a catalogue
    size: int
    mtime: int
    ctime: int
    inode: int
    digest: str
    period: str = ""  # of an archive of the feed

    @property
    def unit(self) -> Unit:
        """The feed or archive that the file belongs to."""
        return Unit(self.feed, self.period)


FeedKeys = Sequence[tuple[str, str]]  # path and kind of the feeds that a record belongs to


def seconds(moment: datetime) -> int:
    """A time as stored: seconds since 1970."""
    return int(moment.timestamp())


def row_of(
    record: Record, part: int | None, digest: bytes, reason: str, media: str = ""
) -> RecordRow:
    """The row of a record: its head, its id and its position."""
    head = record.head
    provider = head.provider
    return RecordRow(
        part=part,
        line=record.line,
        guid=record.id,
        guid_from=record.id_from,
        published=seconds(head.published),
        updated=seconds(head.updated),
        digest=digest,
        status=head.status,
        topics="\n".join(head.topics),
        provider=provider.name if provider else None,
        domain=provider.domain if provider else None,
        provider_url=provider.url if provider else None,
        image=provider.image if provider else None,
        language=head.language,
        type=head.type,
        category=head.category,
        price=head.price,
        quality=head.quality,
        heat=head.heat,
        reason=reason,
        feeds=b"",
        guid_key=guid_key(record.id),
        derived=record.derived,
        media=media,
    )


def guid_key(guid: str) -> int:
    """A 64-bit hash of a guid, as a compact index key. Collisions are rare but possible."""
    key = hashlib.blake2b(guid.encode(), digest_size=8).digest()
    return int.from_bytes(key, "big", signed=True)


def name_of(file: str, part: int | None) -> str:
    """The name of a record in messages: `part` counts from 0, messages from 1."""
    return file if part is None else f"{file}#{part + 1}"


def named(row: RecordRow, guid: str, derived: str) -> RecordRow:
    """The row with another guid; `derived` is the guid that its rules give."""
    return row._replace(
        guid=guid, guid_key=guid_key(guid), derived="" if guid == derived else derived
    )


def feeds_of(placements: Sequence[Placement]) -> FeedKeys:
    """The feeds of placements, as the store takes them."""
    return [placement[:2] for placement in placements]


def topics_of(text: str) -> tuple[str, ...]:
    """Parses the topics of a stored record."""
    return tuple(text.split("\n")) if text else ()


def head_of(row: RecordRow) -> RecordHead:
    """The head of a stored record; equal to `Record.head` of the record itself."""
    provider = None
    if row.provider is not None:
        provider = Provider(row.provider, row.domain or "", row.provider_url or "", row.image or "")
    return RecordHead(
        published=datetime.fromtimestamp(row.published, UTC),
        updated=datetime.fromtimestamp(row.updated, UTC),
        provider=provider,
        topics=topics_of(row.topics),
        language=row.language,
        type=row.type,
        category=row.category,
        price=row.price,
        quality=row.quality,
        heat=row.heat,
        status=row.status,
    )
