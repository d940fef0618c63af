"""Reading files, in whatever process: their bytes → rows for the store, and records."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from feedpub.model import Record
from feedpub.records.read import Parsed, parse_file, unreadable
from feedpub.records.scan import UnreadableError, content_hash, read_bytes
from feedpub.run.files import FileNotes, FileRead, FileRules, ToRead
from feedpub.run.media import wanted
from feedpub.run.packing import pack
from feedpub.run.selection import Selection
from feedpub.store.rows import row_of


class Reader:
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
