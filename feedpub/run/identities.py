"""Keeps ids from changing, by adding a line to the ledger when an id would change.

The ledger is an input like the records, and the id of a record depends on these two alone. The
store only reveals that the id of a known record changed. The ledger then gets a line, before
anything is published.
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
    """Where records were read."""

    file: int
    shown: str
    content: bytes | None

    def line(self, row: RecordRow) -> LedgerLine:
        """All that a line of the ledger can tell of a record."""
        name = name_of(self.shown, row.part)
        return LedgerLine(row.guid, row.derived, name, row.published, self.label(row.part))

    def label(self, part: int | None) -> str:
        """A record's bytes, as the ledger knows them."""
        return name_of(self.content.hex(), part) if self.content else ""


class _Rename(NamedTuple):
    """A record that was called `old`, with all that is known of it now."""

    old: str
    place: RecordFile
    row: RecordRow

    @property
    def order(self) -> str:
        """Renames are looked at in this order, for what is given to one is not for others."""
        return name_of(self.place.shown, self.row.part)


class Identities:
    """The ids of one run."""

    def __init__(
        self, config: Config, store: Store, clock: RunClock, record_all: bool = False
    ) -> None:
        """With `record_all`, all ids are recorded, whatever the configuration says."""
        self.added = 0  # lines, to the ledger
        self.warnings: list[str] = []
        self._path = config.ledger
        self._shown = config.shown(config.ledger)
        self._records_all = record_all or config.settings.ids.record == "all"
        self._store = store
        self._clock = clock
        self._lines: list[LedgerLine] = []  # to be added to the ledger
        self._changed: list[_Rename] = []
        self._gone: dict[str, list[tuple[str, str]]] = defaultdict(list)  # by their bytes
        self._left: list[tuple[str, str]] = []  # ids, and what gave them before (see `derived`)
        self._flushed = 0  # so many of the lines are in the store
        self._arrived: list[tuple[RecordFile, RecordRow]] = []
        self._undecided: list[_Rename] = []  # what the ledger may know by another id
        self._anew = store.is_new
        self._takes_all = False  # each record that no line is about gets one

    # What the ledger says

    def load(self) -> None:
        """Updates the index of the ledger in the store; raises `LedgerError`."""
        store = self._store
        try:
            signature = Signature.of(self._path.stat())
        except OSError:
            signature = None  # if there is one and it cannot be read, that will be said
        look = json.dumps(signature)
        if store.fact("ledger look") == look and signature and self._clock.is_sure(signature):
            return
        digest = self._digest()
        if not digest and signature:
            digest = look  # no file that can be read: what reads it says why
        if digest != (store.fact("ledger") or ""):
            store.ledger.replace(read_ledger(self._path, self._shown))
            store.set_fact("ledger", digest)
            if not store.is_new:
                self._name_again()
            self._anew = True
        self._note_look(look, signature)

    def _note_look(self, look: str, signature: Signature | None) -> None:
        sure = signature is not None and self._clock.is_sure(signature)
        self._store.set_fact("ledger look", look if sure else None)

    def _digest(self) -> str:
        try:
            if not self._path.is_file():
                return ""
            with self._path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return ""

    def _name_again(self) -> None:
        """Gives every record the id that the ledger says now."""
        for batch in in_batches(self._store):
            places: dict[int, RecordFile] = {}
            for record in batch:
                if record.file not in places:
                    places[record.file] = record_file(self._store, record.file)
                derived = record.row.derived or record.row.guid
                place, row = places[record.file], named(record.row, derived, derived)
                row = self.of(row, place)
                if row != record.row:
                    self._store.update_record(record, row)
                self.arrived(place, row)

    def of(self, row: RecordRow, place: RecordFile) -> RecordRow:
        """The row with the id that the ledger gives the record."""
        guid = self._store.ledger.id_of(place.line(row), row.guid_from)
        return row if guid == row.guid else named(row, guid, row.guid)

    # What changes

    def replaced(self, old: RecordRow, new: RecordRow, place: RecordFile) -> None:
        """The only record of a file was replaced."""
        if old.guid != new.guid and old.published == new.published and not old.reason:
            if new.guid_from in {OWN_ID, SHORT_ID}:
                self._warn_of(place.shown, old.guid, new.guid)
            else:
                derived = new.derived or new.guid
                self._changed.append(_Rename(old.guid, place, named(new, derived, derived)))

    def gone(self, place: RecordFile, records: list[StoredRecord]) -> None:
        """A file was deleted or renamed."""
        self.left(records)
        for record in records:
            row = record.row
            if row.guid_from == PATH_ID and not row.reason and place.content:
                known = (name_of(place.shown, row.part), row.guid)
                self._gone[place.label(row.part)].append(known)

    def left(self, records: list[StoredRecord]) -> None:
        """Records were removed or changed."""
        self._left += [(r.row.guid, r.row.derived) for r in records if r.row.derived]

    def arrived(self, place: RecordFile, row: RecordRow) -> None:
        """A record is new in the store, or the ledger changed since it was stored."""
        if row.reason or row.derived or row.guid_from in {OWN_ID, SHORT_ID}:
            return
        by_content = row.guid_from == PATH_ID
        if earlier := self._store.ledger.earlier_id(place.line(row), by_content):
            self._undecided.append(_Rename(earlier, place, row))
        if not self._anew:
            self._arrived.append((place, row))

    def keep(self) -> None:
        """Lets known records keep their former ids, unless another record has them."""
        renames = self._changed
        for place, row in self._arrived:
            if row.guid_from == PATH_ID and (old := self._gone.get(place.label(row.part))):
                _, guid = min(old)
                old.remove(min(old))
                renames.append(_Rename(guid, place, row))
        decided = -1
        while decided != len(self._lines):  # what a name is freed from may be known by another
            self._keep_all(renames)
            self._keep_all(self._undecided)
            decided = len(self._lines)
            self._release()
            self._part()
        # What was not given an id that it may have had is to be called the same for ever, too.
        for rename in sorted(self._undecided, key=lambda rename: rename.order):
            if self._is_named_so(rename.row, rename.place):
                self._lines.append(self._line(rename.place, rename.row))
        self._flush()

    def _line(self, place: RecordFile, row: RecordRow) -> LedgerLine:
        """What is said of a record of which something must be said.

        Its bytes are not, unless all records have their lines: a copy of it that has none would
        be taken for it one day, when it is gone.
        """
        line = place.line(row)
        return line if self._records_all else line._replace(content="")

    def _keep_all(self, renames: list[_Rename]) -> None:
        renames = sorted(renames, key=lambda rename: rename.order)
        before = -1
        while len(renames) != before:  # what was given up by one may be free for another
            before = len(renames)
            renames = [rename for rename in renames if not self._keep(rename)]

    def _part(self) -> None:
        """An id is not given to another record: not to one that comes by a name that it left."""
        store = self._store
        if store.ledger.is_empty:
            return
        arrived = {row.guid_key for _, row in self._arrived}
        for key in sorted(store.double_guids() if self._anew else arrived):
            same = store.records_of_key(key)
            for guid in sorted({record.row.guid for record in same if record.row.derived}):
                by_name = [r for r in same if r.row.guid == guid and not r.row.derived]
                by_line = [r for r in same if r.row.guid == guid and r.row.derived]
                if any(record.row.guid_from == OWN_ID for record in by_name):
                    continue  # it says itself what item it is
                path = store.ledger.path_of(guid)
                if any(self._placed(r).path == path for r in by_name):
                    # The item came back to its name; what is called by a line is another.
                    for derived in sorted({record.row.derived for record in by_line}):
                        self._free(guid, derived)
                elif by_name:
                    self._rename(guid, by_name)

    def _rename(self, guid: str, records: list[StoredRecord]) -> None:
        """Gives an item an id of its own, in all its files."""
        line = min(self._placed(record) for record in records)
        mark = hashlib.sha256(f"{line.path}\n{line.published}".encode()).hexdigest()[:12]
        new = f"{guid}-{mark}" if "#" in guid else f"{guid}#{mark}"
        content = line.content if self._records_all else ""
        self._lines.append(line._replace(id=new, derived=guid, content=content))
        for record in records:
            self._store.update_record(record, named(record.row, new, guid))

    def _placed(self, record: StoredRecord) -> LedgerLine:
        return record_file(self._store, record.file).line(record.row)

    def _is_named_so(self, row: RecordRow, place: RecordFile) -> bool:
        """Whether a record still has the id that its own keys give."""
        same = self._store.records_named(row.guid_key, row.guid)
        return any((r.file, r.row.part, r.row.derived) == (place.file, row.part, "") for r in same)

    def _keep(self, rename: _Rename) -> bool:
        store, row = self._store, rename.row
        if store.records_named(guid_key(rename.old), rename.old):
            return False
        same = store.records_named(row.guid_key, row.guid)
        if len(same) != 1 or (same[0].file, same[0].row.part) != (rename.place.file, row.part):
            return False  # the id that it would have is another record's, too
        kept = named(same[0].row, rename.old, row.guid)
        store.update_record(same[0], kept)
        self._lines.append(self._line(rename.place, kept))
        return True

    def _release(self) -> None:
        """Names that led to an item's id, and do no more: who comes by them is another item."""
        self._flush()
        for guid, derived in sorted(set(self._left)):
            same = self._store.records_named(guid_key(guid), guid)
            if any(record.row.derived != derived for record in same):
                self._free(guid, derived)
        self._left = []

    def _free(self, guid: str, derived: str) -> None:
        """Ends the mapping from a derived id to this id."""
        store = self._store
        self._lines.append(LedgerLine(derived, derived))
        self._flush()
        for record in store.records_named(guid_key(guid), guid):
            if record.row.derived == derived:
                row = named(record.row, derived, derived)
                store.update_record(record, row)
                self.arrived(record_file(store, record.file), row)

    def _flush(self) -> None:
        """Has the ledger in the store know what was added; not while records are being read.

        What is known of one record must not depend on which others came before it.
        """
        self._store.ledger.add(self._lines[self._flushed :])
        self._flushed = len(self._lines)

    # What another version of feedpub knew

    def recall(self, records: Iterable[FormerRecord]) -> None:
        """Lets records have the ids that another version of feedpub gave them.

        It is the same record if its file has the same bytes, or if it is alone in the same file
        and has the same date. Raises `FormerStoreError` if they cannot be read.
        """
        store = self._store
        store.remember_former(records)
        renames: dict[str, dict[str, LedgerLine]] = defaultdict(dict)  # id now → ids before
        for batch in in_batches(store):
            places: dict[int, RecordFile] = {}
            for record in batch:
                row = record.row
                if row.reason or row.derived:
                    continue
                if record.file not in places:
                    places[record.file] = record_file(store, record.file)
                line = places[record.file].line(row)
                before = store.former(line.path)
                if before is None or before.guid == row.guid:
                    continue
                same_bytes = before.content and before.content == line.content.partition("#")[0]
                if same_bytes or (not line.part and before.published == row.published):
                    if row.guid_from == OWN_ID:
                        self._warn_of(line.path, before.guid, row.guid)
                    else:
                        renames[row.guid].setdefault(before.guid, line)
        self.take_over(
            line._replace(id=old, derived=new)
            for new, lines in sorted(renames.items())
            # Of several items that are one now, one keeps its id.
            for old, line in sorted(lines.items(), key=lambda known: known[1].path)[:1]
        )

    def take_over(self, lines: Iterable[LedgerLine]) -> None:
        """Lets records have these ids, if nobody else has."""
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

    # What is written

    def record(self) -> None:
        """With `ids.record: all`, records each id that is published for the first time."""
        store = self._store
        self._flush()
        if not self._records_all:
            store.set_fact("ids", "kept")
            return
        self._takes_all = self._anew or store.fact("ids") != "all"
        if not self._takes_all:
            new = [
                record_file(store, record.file).line(record.row)
                for key in sorted(store.touched)
                for record in store.records_unknown(key)
            ]
            new.sort(key=lambda line: (line.published, line.id))
            self._lines += new
            self._flush()
        store.set_fact("ids", "all")

    def write(self) -> str:
        """Appends the new lines to the ledger; returns a message. Raises `LedgerError`."""
        store = self._store
        lines: Iterable[LedgerLine] = self._lines
        if self._takes_all:  # they may be more than memory holds
            unknown = store.each_unknown()
            new = (record_file(store, record.file).line(record.row) for record in unknown)
            lines = itertools.chain(lines, new)
        self.added = count = append_lines(self._path, self._shown, lines)
        if not count:
            return ""
        if self._takes_all:
            store.ledger.replace(read_ledger(self._path, self._shown))
        store.set_fact("ledger", self._digest())
        self._note_look("", None)
        added = "1 line was" if count == 1 else f"{count:,} lines were"
        return f"{self._shown}: {added} added, so that ids stay what they are; keep the file"


def record_file(store: Store, file: int) -> RecordFile:
    """Where a file is that the store knows."""
    place = store.file_place(file)
    return RecordFile(file, place.shown, place.content)
