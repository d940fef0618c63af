"""What is asked of a file, what it gave, and what is remembered of it."""

from __future__ import annotations

import json
from typing import NamedTuple

from feedpub.model import Problem
from feedpub.store.rows import FeedKeys, RecordRow


class ToRead(NamedTuple):
    """A file to be read; the paths are those of `feedpub.records.scan.FoundFile`."""

    id: int
    source: int  # its place in config.yaml
    file: str
    shown: str
    below: str
    known: bytes  # the digest that it had, b"" if it is new


class FileRead(NamedTuple):
    """What a file gave; a file that could not be read has no digest."""

    id: int
    digest: bytes
    content: bytes = b""  # a hash of its bytes alone
    rows: list[tuple[RecordRow, FeedKeys]] | None = None  # None: it is what it was
    notes: str | None = None
    records: list[bytes] | None = None  # packed, one for each row, if they were to be kept


class FileNotes(NamedTuple):
    """What the store remembers of a file besides its records."""

    problems: list[Problem]
    skipped: list[tuple[str, str]]  # what in it is no record, and why
    unusable: int

    def to_json(self) -> str | None:
        """As the store keeps it: None if there is nothing to say."""
        return json.dumps(self) if any(self) else None

    @classmethod
    def of(cls, text: str) -> FileNotes:
        """What `to_json` wrote."""
        problems, skipped, unusable = json.loads(text)
        return cls([Problem(*problem) for problem in problems], skipped, unusable)
