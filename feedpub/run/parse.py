"""Reading files, in whatever process: their bytes → rows for the store, and records."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from feedpub.model import (
    Contributor,
    Enclosure,
    Episode,
    License,
    Location,
    Person,
    Provider,
    Record,
    Related,
    Transcript,
)
from feedpub.records.read import Parsed, parse_file, unreadable
from feedpub.records.scan import UnreadableError, content_hash, read_bytes
from feedpub.run.files import FileNotes, FileRead, ToRead
from feedpub.run.media import wanted
from feedpub.run.rules import FileRules, Selection
from feedpub.store.rows import row_of


class FileReader:
    """Reads files by one set of rules."""

    def __init__(self, rules: FileRules, selection: Selection) -> None:
        self.rules = rules
        self._selection = selection
        self._digests = [hashlib.blake2b(digest, digest_size=16) for digest in rules.digests()]

    def read(self, files: Sequence[ToRead], keep: bool) -> list[FileRead]:
        """Each file's rows; with `keep`, its records come along."""
        return [self._read(file, keep) for file in files]

    def records(self, file: ToRead) -> dict[int | None, Record]:
        """The records of a file by their part; none if it is not what it was (`file.known`)."""
        try:
            data = read_bytes(file.file)
        except UnreadableError:
            return {}
        if self._digests_of(file, data)[0] != file.known:
            return {}
        parsed = self._parse(data, file)
        return {_part(record, file): record for record in parsed.records}

    def _read(self, file: ToRead, keep: bool) -> FileRead:
        try:
            data = read_bytes(file.file)
        except UnreadableError as error:
            parsed = unreadable(file.shown, error.what, error.remedy)
            return self._told(file, b"", b"", parsed, keep)
        digest, content = self._digests_of(file, data)
        if digest == file.known:
            return FileRead(file.id, digest, content)
        return self._told(file, digest, content, self._parse(data, file), keep)

    def _digests_of(self, file: ToRead, data: bytes) -> tuple[bytes, bytes]:
        """Of all that its records are made of, and of its bytes alone."""
        content = content_hash(data)
        hashed = self._digests[file.source].copy()
        hashed.update(f"{file.shown}\0{file.below}\0".encode())
        hashed.update(content)
        return hashed.digest(), content

    def _parse(self, data: bytes, file: ToRead) -> Parsed:
        return parse_file(
            data, file.shown, file.below, self.rules.sources[file.source], self.rules.records
        )

    def _told(
        self, file: ToRead, digest: bytes, content: bytes, parsed: Parsed, keep: bool
    ) -> FileRead:
        rows = []
        for record in parsed.records:
            reason, feeds = self._selection.of(record.head)
            part = _part(record, file)
            own = digest if part is None else _digest_of(record)
            media = wanted(record, self.rules.asks_hosts, self.rules.mirrors)
            rows.append((row_of(record, part, own, reason, media), feeds))
        return FileRead(
            file.id,
            digest,
            content,
            rows,
            FileNotes(parsed.problems, parsed.skipped, parsed.unusable).to_json(),
            [pack(record) for record in parsed.records] if keep else None,
        )


def _part(record: Record, file: ToRead) -> int | None:
    """A record's number in a file of several, from 0."""
    number = record.path[len(file.shown) + 1 :]
    return int(number) - 1 if number else None


def _digest_of(record: Record) -> bytes:
    """Of all that is said in a record, wherever in its file it stands."""
    said = record._replace(path="", line=0, order="")
    return hashlib.blake2b(pack(said), digest_size=16).digest()


_FORMAT = 2  # later ones write equal values in several ways
_DATES = [Record._fields.index(name) for name in ("published", "updated")]
_PROVIDER = Record._fields.index("provider")
_EPISODE = Record._fields.index("episode")
_LISTS: list[tuple[int, Any]] = [
    (Record._fields.index(name), made_of)
    for name, made_of in (
        ("authors", Person),
        ("images", Enclosure),
        ("enclosures", Enclosure),
        ("related", Related),
    )
]


def pack(record: Record) -> bytes:
    """A record's bytes; they are for this very program alone."""
    values: list[Any] = list(record)
    for n in _DATES:
        values[n] = values[n].timestamp()
    if record.provider:
        values[_PROVIDER] = tuple(record.provider)
    for n, _ in _LISTS:
        if values[n]:
            values[n] = [tuple(part) for part in values[n]]
    if record.episode:
        values[_EPISODE] = _plain(record.episode)
    return marshal.dumps(values, _FORMAT)


def unpack(data: bytes) -> Record:
    """The record that `pack` was given."""
    values: list[Any] = marshal.loads(data)  # noqa: S302 - from this very program
    for n in _DATES:
        values[n] = datetime.fromtimestamp(values[n], UTC)
    if values[_PROVIDER]:
        values[_PROVIDER] = Provider(*values[_PROVIDER])
    for n, made_of in _LISTS:
        values[n] = tuple(made_of(*part) for part in values[n])
    if values[_EPISODE]:
        values[_EPISODE] = _episode(values[_EPISODE])
    return Record(*values)


def _plain(value: Any) -> Any:
    """Without the names of named tuples, however deep they are."""
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def _episode(values: Any) -> Episode:
    episode = Episode(*values)
    return episode._replace(
        transcripts=tuple(Transcript(*part) for part in episode.transcripts),
        people=tuple(Contributor(*part) for part in episode.people),
        locations=tuple(Location(*part) for part in episode.locations),
        license=episode.license and License(*episode.license),
    )
