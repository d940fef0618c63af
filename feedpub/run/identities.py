"""Keeps ids from changing, by adding a line to the ledger when an id would change.

The id of a record depends only on the record and the ledger, never on the store. The store shows
that the id of a known record changed. A line is then added to the ledger, before anything is
published.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from feedpub.config import Config
from feedpub.ids.ledger_file import append_lines, read_ledger
from feedpub.model import OWN_ID, PATH_ID, SHORT_ID, LedgerLine
from feedpub.records.scan import RunClock, Signature
from feedpub.store.former import FormerRecord
from feedpub.store.rows import RecordRow, StoredRecord, guid_key, name_of, named
from feedpub.store.store import Store, in_batches


class RecordFile(NamedTuple):
    """The file of records."""

    file: int
    shown: str
    content: bytes | None

    def line(self, row: RecordRow) -> LedgerLine:
        """The ledger line of a record, with all fields."""
        name = name_of(self.shown, row.part)
        return LedgerLine(row.guid, row.derived, name, row.published, self.label(row.part))

    def label(self, part: int | None) -> str:
        """The ledger's `content`: a hash of the file, with #n for a record of a list."""
        return name_of(self.content.hex(), part) if self.content else ""


class _Rename(NamedTuple):
    """A record whose id was `old`, and its present row."""

    old: str
    place: RecordFile
    row: RecordRow

    @property
    def order(self) -> str:
        """The order of processing: an id is given to the first record that may have it."""
        return name_of(self.place.shown, self.row.part)


class Identities:
    """Keeps the ids of known records during one run."""

    def __init__(
        self, config: Config, store: Store, clock: RunClock, record_all: bool = False
    ) -> None:
        """`record_all` records all ids, as `ids.record: all` does."""
        self.added = 0  # lines added to the ledger
        self.warnings: list[str] = []
        self._path = config.ledger
        self._shown = config.shown(config.ledger)
        self._records_all = record_all or config.settings.ids.record == "all"
        self._store = store
        self._clock = clock
        self._lines: list[LedgerLine] = []  # to append to the ledger
        self._changed: list[_Rename] = []
        # Of removed records: content → path, id
        self._removed_by_content: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._removed: list[tuple[str, str]] = []  # of removed records: id, `derived`
        self._flushed = 0  # number of lines that are in the index
        self._added: list[tuple[RecordFile, RecordRow]] = []
        self._undecided: list[_Rename] = []  # the ledger may have a former id
        self._rebuilt = store.is_new  # all ids are assigned again
        self._records_missing = False  # every record without a line gets one

    # Reading the ledger

    def load(self) -> None:
        """Updates the index of the ledger in the store; raises `LedgerError`."""
        store = self._store
        try:
            signature = Signature.of(self._path.stat())
        except OSError:
            signature = None  # `read_ledger` reports a file that cannot be read
        stamp = json.dumps(signature)
        if store.fact("ledger signature") == stamp and signature and self._clock.is_sure(signature):
            return
        digest = self._digest()
        if not digest and signature:
            digest = stamp  # not readable: `read_ledger` reports why
        if digest != (store.fact("ledger") or ""):
            store.ledger.replace(read_ledger(self._path, self._shown))
            store.set_fact("ledger", digest)
            if not store.is_new:
                self._assign_again()
            self._rebuilt = True
        self._set_signature(stamp, signature)

    def _set_signature(self, stamp: str, signature: Signature | None) -> None:
        sure = signature is not None and self._clock.is_sure(signature)
        self._store.set_fact("ledger signature", stamp if sure else None)

    def _digest(self) -> str:
        try:
            if not self._path.is_file():
                return ""
            with self._path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return ""

    def _assign_again(self) -> None:
        """Assigns all ids again, from the new ledger."""
        for batch in in_batches(self._store):
            places: dict[int, RecordFile] = {}
            for record in batch:
                if record.file not in places:
                    places[record.file] = record_file(self._store, record.file)
                derived = record.row.derived or record.row.guid
                place, row = places[record.file], named(record.row, derived, derived)
                row = self.with_id(row, place)
                if row != record.row:
                    self._store.update_record(record, row)
                self.record_added(place, row)

    def with_id(self, row: RecordRow, place: RecordFile) -> RecordRow:
        """The row with the id that the ledger gives the record."""
        guid = self._store.ledger.id_of(place.line(row), row.guid_from)
        return row if guid == row.guid else named(row, guid, row.guid)

    # Collecting changes

    def record_replaced(self, old: RecordRow, new: RecordRow, place: RecordFile) -> None:
        """The only record of a file was replaced."""
        if old.guid != new.guid and old.published == new.published and not old.reason:
            if new.guid_from in {OWN_ID, SHORT_ID}:
                self._warn_of(place.shown, old.guid, new.guid)
            else:
                derived = new.derived or new.guid
                self._changed.append(_Rename(old.guid, place, named(new, derived, derived)))

    def file_removed(self, place: RecordFile, records: list[StoredRecord]) -> None:
        """A file was deleted or renamed."""
        self.records_removed(records)
        for record in records:
            row = record.row
            if row.guid_from == PATH_ID and not row.reason and place.content:
                known = (name_of(place.shown, row.part), row.guid)
                self._removed_by_content[place.label(row.part)].append(known)

    def records_removed(self, records: list[StoredRecord]) -> None:
        """Records were removed or changed."""
        self._removed += [(r.row.guid, r.row.derived) for r in records if r.row.derived]

    def record_added(self, place: RecordFile, row: RecordRow) -> None:
        """A record is new in the store, or the ledger changed since it was stored."""
        if row.reason or row.derived or row.guid_from in {OWN_ID, SHORT_ID}:
            return
        by_content = row.guid_from == PATH_ID
        if earlier := self._store.ledger.earlier_id(place.line(row), by_content):
            self._undecided.append(_Rename(earlier, place, row))
        if not self._rebuilt:
            self._added.append((place, row))

    def restore_known(self) -> None:
        """Gives known records their former ids, unless another record has them."""
        renames = self._changed
        for place, row in self._added:
            if row.guid_from == PATH_ID and (
                old := self._removed_by_content.get(place.label(row.part))
            ):
                _, guid = min(old)
                old.remove(min(old))
                renames.append(_Rename(guid, place, row))
        decided = -1
        while decided != len(self._lines):  # a released id can be taken by another record
            self._keep_all(renames)
            self._keep_all(self._undecided)
            decided = len(self._lines)
            self._release()
            self._separate()
        # A record that did not get its former id gets a line for its present id, so that it stays.
        for rename in sorted(self._undecided, key=lambda rename: rename.order):
            if self._has_derived_id(rename.row, rename.place):
                self._lines.append(self._line(rename.place, rename.row))
        self._flush()

    def _line(self, place: RecordFile, row: RecordRow) -> LedgerLine:
        """The line of a record whose id must be kept.

        It has the content only if all records have lines. Otherwise a copy without a line would
        inherit the id after the record was deleted.
        """
        line = place.line(row)
        return line if self._records_all else line._replace(content="")

    def _keep_all(self, renames: list[_Rename]) -> None:
        renames = sorted(renames, key=lambda rename: rename.order)
        before = -1
        while len(renames) != before:  # an id given up by one can be taken by another
            before = len(renames)
            renames = [rename for rename in renames if not self._keep(rename)]

    def _separate(self) -> None:
        """Gives an id of its own to a record whose rules give the id of another item."""
        store = self._store
        if store.ledger.is_empty:
            return
        added = {row.guid_key for _, row in self._added}
        for key in sorted(store.shared_keys() if self._rebuilt else added):
            same = store.records_of_key(key)
            for guid in sorted({record.row.guid for record in same if record.row.derived}):
                by_name = [r for r in same if r.row.guid == guid and not r.row.derived]
                by_line = [r for r in same if r.row.guid == guid and r.row.derived]
                if any(record.row.guid_from == OWN_ID for record in by_name):
                    continue  # its own key `id` says which item it is
                path = store.ledger.path_of(guid)
                if any(self._placed(r).path == path for r in by_name):
                    # The item is back at its path; the record with a ledger line is another item.
                    for derived in sorted({record.row.derived for record in by_line}):
                        self._free(guid, derived)
                elif by_name:
                    self._rename(guid, by_name)

    def _rename(self, guid: str, records: list[StoredRecord]) -> None:
        """Gives an item a new id of its own, in all its files."""
        line = min(self._placed(record) for record in records)
        mark = hashlib.sha256(f"{line.path}\n{line.published}".encode()).hexdigest()[:12]
        new = f"{guid}-{mark}" if "#" in guid else f"{guid}#{mark}"
        content = line.content if self._records_all else ""
        self._lines.append(line._replace(id=new, derived=guid, content=content))
        for record in records:
            self._store.update_record(record, named(record.row, new, guid))

    def _placed(self, record: StoredRecord) -> LedgerLine:
        return record_file(self._store, record.file).line(record.row)

    def _has_derived_id(self, row: RecordRow, place: RecordFile) -> bool:
        """Whether a record still has the id that its own keys give."""
        same = self._store.records_named(row.guid_key, row.guid)
        return any((r.file, r.row.part, r.row.derived) == (place.file, row.part, "") for r in same)

    def _keep(self, rename: _Rename) -> bool:
        store, row = self._store, rename.row
        if store.records_named(guid_key(rename.old), rename.old):
            return False
        same = store.records_named(row.guid_key, row.guid)
        if len(same) != 1 or (same[0].file, same[0].row.part) != (rename.place.file, row.part):
            return False  # another record has the same id
        kept = named(same[0].row, rename.old, row.guid)
        store.update_record(same[0], kept)
        self._lines.append(self._line(rename.place, kept))
        return True

    def _release(self) -> None:
        """Ends mappings of removed records: a new record with that derived id is another item."""
        self._flush()
        for guid, derived in sorted(set(self._removed)):
            same = self._store.records_named(guid_key(guid), guid)
            if any(record.row.derived != derived for record in same):
                self._free(guid, derived)
        self._removed = []

    def _free(self, guid: str, derived: str) -> None:
        """Ends the mapping from a derived id to this id."""
        store = self._store
        self._lines.append(LedgerLine(derived, derived))
        self._flush()
        for record in store.records_named(guid_key(guid), guid):
            if record.row.derived == derived:
                row = named(record.row, derived, derived)
                store.update_record(record, row)
                self.record_added(record_file(store, record.file), row)

    def _flush(self) -> None:
        """Adds the new lines to the index of the ledger.

        Not while records are read: the id of one must not depend on the order of reading.
        """
        self._store.ledger.add(self._lines[self._flushed :])
        self._flushed = len(self._lines)

    # Ids of another version of feedpub

    def restore_former(self, records: Iterable[FormerRecord]) -> None:
        """Gives records the ids that another version of feedpub gave them.

        A record is the same if its file has the same bytes, or if it is the only record of the
        same file and has the same date. A file with those bytes under another name counts if there
        is one such file, and no file has the former name. Raises `FormerStoreError` if they
        cannot be read.
        """
        store = self._store
        store.load_former(records)
        renames: dict[str, dict[str, LedgerLine]] = defaultdict(dict)  # id now → ids before
        moved: dict[str, list[tuple[RecordRow, LedgerLine]]] = defaultdict(list)  # by content

        def same(row: RecordRow, line: LedgerLine, before: FormerRecord) -> None:
            if before.guid == row.guid or row.reason or row.derived:
                return
            if row.guid_from == OWN_ID:
                self._warn_of(line.path, before.guid, row.guid)
            else:
                renames[row.guid].setdefault(before.guid, line)

        for batch in in_batches(store):
            places: dict[int, RecordFile] = {}
            for record in batch:
                row = record.row
                if record.file not in places:
                    places[record.file] = record_file(store, record.file)
                line = places[record.file].line(row)
                before = store.take_former(line.path)
                if before is None:
                    moved[line.content].append((row, line))
                    continue
                same_bytes = before.content and before.content == line.content.partition("#")[0]
                if same_bytes or (not line.part and before.published == row.published):
                    same(row, line, before)
        for content, found in moved.items():
            left = [
                before
                for before in store.former_with(content.partition("#")[0])
                if LedgerLine(before.guid, path=before.path).part == found[0][1].part
            ]
            if content and len(found) == len(left) == 1:
                same(*found[0], left[0])
        self.assign(
            line._replace(id=old, derived=new)
            for new, lines in sorted(renames.items())
            # If several items became one, the first id is kept.
            for old, line in sorted(lines.items(), key=lambda known: known[1].path)[:1]
        )

    def assign(self, lines: Iterable[LedgerLine]) -> None:
        """Gives records these ids, unless another record has them."""
        for line in lines:
            if self._store.records_named(guid_key(line.id), line.id):
                continue
            for record in self._store.records_named(guid_key(line.derived), line.derived):
                self._store.update_record(record, named(record.row, line.id, line.derived))
            content = line.content if self._records_all else ""
            self._lines.append(line._replace(content=content))
        self._flush()

    def _warn_of(self, path: str, old: str, new: str) -> None:
        self.warnings.append(
            f"{path}: id: it changed from {old!r} to {new!r}, so subscribers see a new item; "
            "if this is not intended, restore the old id"
        )

    # Writing the ledger

    def record(self) -> None:
        """With `ids.record: all`, collects the ids that are published for the first time."""
        store = self._store
        self._flush()
        if not self._records_all:
            store.set_fact("ids", "kept")
            return
        self._records_missing = self._rebuilt or store.fact("ids") != "all"
        if not self._records_missing:
            new = [
                record_file(store, record.file).line(record.row)
                for key in sorted(store.touched)
                for record in store.records_without_line(key)
            ]
            new.sort(key=lambda line: (line.published, line.id))
            self._lines += new
            self._flush()
        store.set_fact("ids", "all")

    def write(self) -> str:
        """Appends the new lines to the ledger; returns a message. Raises `LedgerError`."""
        store = self._store
        lines: Iterable[LedgerLine] = self._lines
        if self._records_missing:  # a generator: there may be millions
            unknown = store.all_without_line()
            new = (record_file(store, record.file).line(record.row) for record in unknown)
            lines = itertools.chain(lines, new)
        self.added = count = append_lines(self._path, self._shown, lines)
        if not count:
            return ""
        if self._records_missing:
            store.ledger.replace(read_ledger(self._path, self._shown))
        store.set_fact("ledger", self._digest())
        self._set_signature("", None)
        added = "1 line was" if count == 1 else f"{count:,} lines were"
        return f"{self._shown}: {added} added, so that ids do not change; keep the file"


def record_file(store: Store, file: int) -> RecordFile:
    """A file in the store."""
    place = store.file_place(file)
    return RecordFile(file, place.shown, place.content)
