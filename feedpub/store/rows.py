"""What goes into the store and comes out of it: plain rows."""

# No `from __future__ import annotations` here: see feedpub/model.py.

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from feedpub.model import Placement, Provider, Record, RecordHead


class FolderRow(NamedTuple):
    """A folder as it was when it was looked at last."""

    id: int
    shown: str
    below: str
    reading: bytes
    signature: bytes | None


class FilePlace(NamedTuple):
    """A file's source in config.yaml, its path (from there, in messages, and in the source)."""

    source: str
    file: str
    shown: str
    below: str
    digest: bytes  # that it had when it was read
    content: bytes | None  # a hash of its bytes alone


class FileRow(NamedTuple):
    """A file as it was when it was read last; `digest` is of its content and how it is read."""

    id: int
    size: int
    mtime: int
    ctime: int
    inode: int
    digest: bytes
    content: bytes | None  # a hash of its bytes alone; None where it could not be read


class RecordRow(NamedTuple):
    """What of a record is remembered; the columns are explained in `feedpub.store.schema`."""

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
    """One of several records with one key of a guid; `shown` and `part` tell its place."""

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
    """A feed that some record belongs to; `inputs` None: it has no files."""

    id: int
    path: str
    kind: str
    total: int
    inputs: bytes | None
    entry: str | None


class ArchiveRow(NamedTuple):
    """An archive of a feed, and what it was made of: all, and all but its items."""

    context: bytes
    inputs: bytes


class WindowRow(NamedTuple):
    """What of a record in a window its feed depends on."""

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
    """What has a file in each format: a feed, or an archive of it."""

    feed: int | None  # None: a catalogue
    period: str = ""


class OutputRow(NamedTuple):
    """A file of the output tree as it was left."""

    feed: int | None  # None: a catalogue
    size: int
    mtime: int
    ctime: int
    inode: int
    digest: str
    period: str = ""  # of an archive of the feed

    @property
    def unit(self) -> Unit:
        """What it is a file of."""
        return Unit(self.feed, self.period)


FeedKeys = Sequence[tuple[str, str]]  # the feeds that a record belongs to: path and kind


def seconds(moment: datetime) -> int:
    """A moment as the store keeps it."""
    return int(moment.timestamp())


def row_of(
    record: Record, part: int | None, digest: bytes, reason: str, media: str = ""
) -> RecordRow:
    """A record's row: its head, its id, and where it is."""
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
    """64 bits that nearly always tell one guid from another."""
    key = hashlib.blake2b(guid.encode(), digest_size=8).digest()
    return int.from_bytes(key, "big", signed=True)


def name_of(file: str, part: int | None) -> str:
    """A record as messages name it; `part` counts from 0 what they count from 1."""
    return file if part is None else f"{file}#{part + 1}"


def named(row: RecordRow, guid: str, derived: str) -> RecordRow:
    """A row under another guid; `derived` is what its record's own rules give."""
    return row._replace(
        guid=guid, guid_key=guid_key(guid), derived="" if guid == derived else derived
    )


def feeds_of(placements: Sequence[Placement]) -> FeedKeys:
    """Placements as the store takes them."""
    return [placement[:2] for placement in placements]


def topics_of(text: str) -> tuple[str, ...]:
    """Topics as the store keeps them."""
    return tuple(text.split("\n")) if text else ()


def head_of(row: RecordRow) -> RecordHead:
    """The head of a stored record; of a new one, `Record.head` gives the same."""
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
