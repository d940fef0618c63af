"""What is asked of a file, what it gave, and what is remembered of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from feedpub.config import Config, SourceSpec
from feedpub.model import Problem
from feedpub.records.rules import ReadingRules
from feedpub.run.inputs import of_rules
from feedpub.store.rows import Feeds, RecordRow


class FileRules(NamedTuple):
    """Every setting that the reading of files depends on."""

    records: ReadingRules
    sources: Sequence[SourceSpec]
    asks_hosts: bool  # which addresses of media are remembered
    mirrors: bool

    @classmethod
    def of(cls, config: Config) -> FileRules:
        """The rules of a configuration."""
        images = config.settings.images
        return cls(
            ReadingRules.of(config), config.settings.records, images.probe == "http", images.mirror
        )

    def digests(self) -> list[bytes]:
        """For each source, a hash of all that its files are read by."""
        return [of_rules(self._replace(sources=(source,))) for source in self.sources]


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
    rows: list[tuple[RecordRow, Feeds]] | None = None  # None: it is what it was
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
