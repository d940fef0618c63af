"""What goes into the store and comes out of it: plain rows."""

# No `from __future__ import annotations` here: see feedpub/model.py.

from typing import NamedTuple


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
