"""A file to read, the result of reading it, and its notes in the store."""

from __future__ import annotations

import json
from typing import NamedTuple

from feedpub.model import Problem
from feedpub.store.rows import FeedKeys, RecordRow


class ToRead(NamedTuple):
    """A file to read; the paths are those of `feedpub.records.scan.FoundFile`."""

    id: int
    source: int  # index of its source in config.yaml
    file: str
    shown: str
    below: str
    known: bytes  # its digest in the store, b"" if it is new


class FileRead(NamedTuple):
    """The result of reading a file. A file that could not be read has no digest."""

    id: int
    digest: bytes
    content: bytes = b""  # a hash of its bytes only
    rows: list[tuple[RecordRow, FeedKeys]] | None = None  # None: unchanged
    notes: str | None = None
    records: list[bytes] | None = None  # packed, one for each row; None if not requested


class FileNotes(NamedTuple):
    """What the store keeps of a file besides its records."""

    problems: list[Problem]
    skipped: list[tuple[str, str]]  # names of what is not a record, with reasons
    unusable: int

    def to_json(self) -> str | None:
        """The notes as text for the store; None if there are none."""
        return json.dumps(self) if any(self) else None

    @classmethod
    def of(cls, text: str) -> FileNotes:
        """Parses the text that `to_json` wrote."""
        problems, skipped, unusable = json.loads(text)
        return cls([Problem(*problem) for problem in problems], skipped, unusable)
