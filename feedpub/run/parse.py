"""Reads files in any process: bytes → rows for the store, and packed records."""

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
from feedpub.run.media import media_addresses
from feedpub.run.rules import FileRules, Selection
from feedpub.store.rows import row_of


class FileReader:
    """Reads files with one set of rules."""

    def __init__(self, rules: FileRules, selection: Selection) -> None:
        self.rules = rules
        self._selection = selection
        self._digests = [hashlib.blake2b(digest, digest_size=16) for digest in rules.digests()]

    def read(self, files: Sequence[ToRead], keep: bool) -> list[FileRead]:
        """Reads files; with `keep`, the results include the packed records."""
        return [self._read(file, keep) for file in files]

    def records(self, file: ToRead) -> dict[int | None, Record]:
        """The records of a file by part; empty if the file changed since `file.known`."""
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
            return self._result(file, b"", b"", parsed, keep)
        digest, content = self._digests_of(file, data)
        if digest == file.known:
            return FileRead(file.id, digest, content)
        return self._result(file, digest, content, self._parse(data, file), keep)

    def _digests_of(self, file: ToRead, data: bytes) -> tuple[bytes, bytes]:
        """A hash of everything its records depend on, and a hash of its bytes only."""
        content = content_hash(data)
        hashed = self._digests[file.source].copy()
        hashed.update(f"{file.shown}\0{file.below}\0".encode())
        hashed.update(content)
        return hashed.digest(), content

    def _parse(self, data: bytes, file: ToRead) -> Parsed:
        return parse_file(
            data, file.shown, file.below, self.rules.sources[file.source], self.rules.records
        )

    def _result(
        self, file: ToRead, digest: bytes, content: bytes, parsed: Parsed, keep: bool
    ) -> FileRead:
        rows = []
        for record in parsed.records:
            reason, feeds = self._selection.of(record.head)
            part = _part(record, file)
            own = digest if part is None else _digest_of(record)
            media = media_addresses(record, self.rules.asks_hosts, self.rules.mirrors)
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
    """A record's index in a file with several records, from 0; None if it is the only one."""
    number = record.path[len(file.shown) + 1 :]
    return int(number) - 1 if number else None


def _digest_of(record: Record) -> bytes:
    """A hash of a record's values, independent of its position in the file."""
    values = record._replace(path="", line=0, order="")
    return hashlib.blake2b(pack(values), digest_size=16).digest()


_FORMAT = 2  # of marshal; later formats can write equal values differently
_DATES = [Record._fields.index(name) for name in ("published", "updated")]
_PROVIDER = Record._fields.index("provider")
_EPISODE = Record._fields.index("episode")
_LISTS: list[tuple[int, Any]] = [
    (Record._fields.index(name), kind)
    for name, kind in (
        ("authors", Person),
        ("images", Enclosure),
        ("enclosures", Enclosure),
        ("related", Related),
    )
]


def pack(record: Record) -> bytes:
    """Serializes a record, for the same program only. Equal records give equal bytes."""
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
    """Restores the record that `pack` serialized."""
    values: list[Any] = marshal.loads(data)  # noqa: S302 - written by this program
    for n in _DATES:
        values[n] = datetime.fromtimestamp(values[n], UTC)
    if values[_PROVIDER]:
        values[_PROVIDER] = Provider(*values[_PROVIDER])
    for n, kind in _LISTS:
        values[n] = tuple(kind(*part) for part in values[n])
    if values[_EPISODE]:
        values[_EPISODE] = _episode(values[_EPISODE])
    return Record(*values)


def _plain(value: Any) -> Any:
    """Converts named tuples to tuples, at any depth."""
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def _episode(values: Any) -> Episode:
    episode = Episode(*values)
    return episode._replace(
        transcripts=tuple(Transcript(*part) for part in episode.transcripts),
        people=tuple(Contributor(*part) for part in episode.people),
        locations=tuple(Location(*part) for part in episode.locations),
        license=episode.license and License(*episode.license),
    )
