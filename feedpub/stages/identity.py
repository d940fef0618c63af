"""Ids are for ever: what the ledger says, and what is added to it when an id would change.

The ledger is an input like the records: which id a record has depends on both alone. What is
remembered between runs only shows that a known record came to be called otherwise, and leads to a
line in the ledger; it is there before anything is published.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import NamedTuple

from feedpub.config import Config
from feedpub.ids.ledger import append_lines, read_ledger
from feedpub.model import OWN_ID, PATH_ID, SHORT_ID, LedgerLine
from feedpub.records.scan import Signature
from feedpub.stages.heads import guid_key, name_of, named
from feedpub.stages.racy import Clock
from feedpub.store.rows import FilePlace, RecordRow, StoredRecord
from feedpub.store.store import Store, in_batches


class Place(NamedTuple):
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
    place: Place
    row: RecordRow

    @property
    def order(self) -> str:
        """Renames are looked at in this order, for what is given to one is not for others."""
        return name_of(self.place.shown, self.row.part)


class Identities:
    """The ids of one run."""

    def __init__(
        self, config: Config, store: Store, clock: Clock, record_all: bool = False
    ) -> None:
        """With `record_all`, all ids are taken down, whatever the configuration says."""
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
        self._arrived: list[tuple[Place, RecordRow]] = []
        self._anew = store.is_new

    # What the ledger says

    def load(self) -> None:
        """Brings what the store knows of the ledger up to date; raises `LedgerError`."""
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
        """Every record is called what the ledger says now."""
        places: dict[int, Place] = {}
        for batch in in_batches(self._store):
            for record in batch:
                if record.file not in places:
                    places[record.file] = _place(record.file, self._store.file_place(record.file))
                derived = record.row.derived or record.row.guid
                row = self.of(named(record.row, derived, derived), places[record.file])
                if row != record.row:
                    self._store.update_record(record, row)
            places.clear()

    def of(self, row: RecordRow, place: Place) -> RecordRow:
        """A record's row under the id that it has."""
        found = self._named(row, place)
        if found.derived and self._store.ledger.id_for(found.derived) != found.guid:
            # It was known again by its place or its bytes: that is said now, while they tell it.
            self._lines.append(place.line(found))
        return found

    def _named(self, row: RecordRow, place: Place) -> RecordRow:
        ledger = self._store.ledger
        if ledger.is_empty:
            return row
        guid = ledger.id_of(place.line(row), row.guid_from)
        return row if guid == row.guid else named(row, guid, row.guid)

    # What changes

    def replaced(self, old: RecordRow, new: RecordRow, place: Place) -> None:
        """A file of one record has another now."""
        if old.guid == new.guid:
            if old.derived not in {"", new.derived}:
                self._left.append((old.guid, old.derived))
        elif old.published == new.published and not old.reason:
            if new.guid_from in {OWN_ID, SHORT_ID}:
                self.warnings.append(
                    f"{place.shown}: id: {new.guid!r} was {old.guid!r} before: subscribers see a "
                    "new item; if it is none, write the old one"
                )
            elif not new.derived:
                self._left.append((old.guid, old.derived))
                self._changed.append(_Rename(old.guid, place, new))

    def gone(self, place: Place, records: list[StoredRecord]) -> None:
        """A file is no more, or not under its name."""
        for record in records:
            row = record.row
            self._left.append((row.guid, row.derived))
            if row.guid_from == PATH_ID and not row.reason and place.content:
                known = (name_of(place.shown, row.part), row.guid)
                self._gone[place.label(row.part)].append(known)

    def arrived(self, place: Place, row: RecordRow) -> None:
        """A record is new to a store that knew others."""
        if row.guid_from == PATH_ID and not row.derived:
            self._arrived.append((place, row))

    def keep(self) -> None:
        """Lets known records have the ids that they had, if nobody else has."""
        self._flush()
        renames = self._changed
        for place, row in self._arrived:
            label = place.label(row.part)
            if old := self._gone.get(label):
                _, guid = min(old)
                old.remove(min(old))
                renames.append(_Rename(guid, place, row))
        renames.sort(key=lambda rename: rename.order)
        before = -1
        while len(renames) != before:  # what was given up by one may be free for another
            before = len(renames)
            renames = [rename for rename in renames if not self._keep(rename)]
        self._release()

    def _keep(self, rename: _Rename) -> bool:
        store, row = self._store, rename.row
        if store.records_named(guid_key(rename.old), rename.old):
            return False
        same = store.records_named(row.guid_key, row.guid)
        if len(same) != 1 or (same[0].file, same[0].row.part) != (rename.place.file, row.part):
            return False  # the id that it would have is another record's, too
        kept = named(same[0].row, rename.old, row.guid)
        store.update_record(same[0], kept)
        self._lines.append(rename.place.line(kept))
        return True

    def _release(self) -> None:
        """Names that led to an item's id, and do no more: who comes by them is another item."""
        store = self._store
        for guid, derived in sorted(set(self._left)):
            if not derived:
                continue
            same = store.records_named(guid_key(guid), guid)
            if same and any(record.row.derived != derived for record in same):
                self._lines.append(LedgerLine(derived, derived))
                self._flush()
                for record in same:
                    if record.row.derived == derived:
                        place = _place(record.file, store.file_place(record.file))
                        row = self.of(named(record.row, derived, derived), place)
                        store.update_record(record, row)

    def _flush(self) -> None:
        """Has the ledger in the store know what was added; not while records are being read.

        What is known of one record must not depend on which others came before it.
        """
        self._store.ledger.add(self._lines[self._flushed :])
        self._flushed = len(self._lines)

    # What is written

    def record(self) -> None:
        """Under `record: all`, takes down each id that is published for the first time."""
        store = self._store
        self._flush()
        if not self._records_all:
            store.set_fact("ids", "kept")
            return
        anew = self._anew or store.fact("ids") != "all"
        keys = [None] if anew else sorted(store.touched)
        new = [
            _place(record.file, store.file_place(record.file)).line(record.row)
            for key in keys
            for record in store.records_unknown(key)
        ]
        new.sort(key=lambda line: (line.published, line.id))
        self._lines += new
        self._flush()
        store.set_fact("ids", "all")

    def write(self) -> str:
        """Adds what is new to the ledger; says what was done. Raises `LedgerError`."""
        if not self._lines:
            return ""
        append_lines(self._path, self._shown, self._lines)
        self._store.set_fact("ledger", self._digest())
        self._note_look("", None)
        self.added = count = len(self._lines)
        lines = "1 line was" if count == 1 else f"{count:,} lines were"
        return f"{self._shown}: {lines} added, so that ids stay what they are; keep the file"


def _place(file: int, place: FilePlace) -> Place:
    return Place(file, place.shown, place.content)
