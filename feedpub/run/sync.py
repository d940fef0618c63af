"""Updates the store from the files, the configuration and the time."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from feedpub.config import Config
from feedpub.grouping.duplicates import Claim, is_accident, newest, same_id
from feedpub.model import PATH_ID, Problem
from feedpub.parallel import map_tasks, usable_cpus
from feedpub.records.scan import FoundFolder, RunClock, Signature, count_files, walk_sources
from feedpub.run import inputs
from feedpub.run.files import FileNotes, FileRead, ToRead
from feedpub.run.identities import Identities, RecordFile, record_file
from feedpub.run.report import Counts, ReportedDuplicate, RunOptions, Watch
from feedpub.run.rules import FileRules, Selection
from feedpub.store.rows import FileRow, FolderRow, RecordRow, Rival, StoredRecord, head_of, name_of
from feedpub.store.store import Store, in_batches

if TYPE_CHECKING:
    from feedpub.run.parse import FileReader

BATCH = 50  # files per task of a process
KEPT_BYTES = 32 * 1024 * 1024  # of packed records kept for rendering, not read again
UNSURE = -1  # the mtime of a file that the next run must read again

Kept = dict[tuple[int, int | None], bytes]  # (file, part) → a packed record


class Sync:
    """Updates the store in one run. Feeds that may be stale are in `Store.dirty`."""

    def __init__(
        self,
        config: Config,
        store: Store,
        options: RunOptions,
        selection: Selection,
        clock: RunClock,
        watch: Watch,
        ids: Identities,
    ) -> None:
        self.kept: Kept = {}
        self.problems: list[Problem] = []  # with folders; each counts as one record
        self._config = config
        self._store = store
        self._options = options
        self._selection = selection
        self._clock = clock
        self._watch = watch
        self._ids = ids
        self._sources = {id(s): n for n, s in enumerate(config.settings.records)}
        self._rules = FileRules.of(config)
        self._readings = self._rules.digests()
        self._pending: dict[int, _Pending] = {}  # by the file's id
        self._new: set[int] = set()  # pending files that are new in the store
        self._unsure: set[int] = set()  # folders with a file that the next run must read again
        self._kept_bytes = 0
        self._passed = 0  # unchanged files, not read

    # The files

    def read_files(self) -> None:
        """Reads the files that changed on disk."""
        reader: FileReader | None = None  # one in each process

        def work(task: tuple[list[ToRead], bool]) -> list[FileRead]:
            nonlocal reader
            if reader is None:
                # Imports the parsers, which a run with nothing to read does not need.
                from feedpub.run.parse import FileReader

                reader = FileReader(self._rules, self._selection)
            return reader.read(*task)

        read, total = 0, 0
        if self._watch.is_watched:
            # An estimate is enough for a progress bar.
            total = count_files(self._config) if self._store.is_new else self._store.count_files()
        processes = self._options.jobs or usable_cpus()
        for _, results in map_tasks(work, self._tasks(), processes):
            self._take(results)
            read += len(results)
            done = self._passed + read
            self._watch.progress("reading files", done, max(total, done))
        for folder in self._unsure:
            self._store.forget_signature(folder)
        if self._store.is_new:
            self._store.index()

    def _tasks(self) -> Iterator[tuple[list[ToRead], bool]]:
        """The files that may have changed, in batches. Removes deleted files from the store."""
        known = self._store.folders()
        root = f"{self._config.root}{os.sep}"
        batch: list[ToRead] = []
        for folder in walk_sources(self._config, self.problems):
            # Relative to the root, so that a site can move as a whole.
            key = (folder.source.path, os.fsencode(folder.path.removeprefix(root)))
            for file in self._changed(folder, known.pop(key, None), key):
                batch.append(file)
                if len(batch) == BATCH:
                    yield batch, self._kept_bytes < KEPT_BYTES
                    batch = []
        if batch:
            yield batch, self._kept_bytes < KEPT_BYTES
        for row in known.values():
            self._remove(self._store.files(row.id))
            self._store.remove_folder(row.id)

    def _changed(
        self, folder: FoundFolder, row: FolderRow | None, key: tuple[str, bytes]
    ) -> Iterator[ToRead]:
        """The files of a folder that are new or may have changed."""
        store, source = self._store, self._sources[id(folder.source)]
        reading = inputs.digest(self._readings[source], folder.shown)
        signature = inputs.of_files(reading, folder.files)
        if row and row.signature == signature:
            self._passed += len(folder.files)
            return
        files = store.files(row.id) if row else {}
        same_reading = row is not None and row.reading == reading
        sure = all(self._clock.is_sure(Signature(*rest)) for _, *rest in folder.files)
        folder_id = row.id if row else store.new_folder()
        row = FolderRow(folder_id, folder.shown, folder.below, reading, signature if sure else None)
        store.put_folder(row, *key)
        for name, *rest in folder.files:
            of_file = Signature(*rest)
            name_key = os.fsencode(name)
            old = files.pop(name_key, None)
            if old and same_reading and old[1:5] == of_file:
                self._passed += 1
                continue
            if old:
                file_id, known = old.id, old.digest
            else:
                file_id, known = store.new_file(), b""
                self._new.add(file_id)
            found = folder.file(name)
            self._pending[file_id] = _Pending(folder_id, name_key, found.shown, of_file)
            yield ToRead(file_id, source, found.file, found.shown, found.below, known)
        self._remove(files)

    def _remove(self, files: dict[bytes, FileRow]) -> None:
        """Removes deleted files. Their ids are remembered for the rest of the run."""
        store = self._store
        for gone in files.values():
            place = RecordFile(gone.id, store.file_place(gone.id).shown, gone.content)
            self._ids.file_removed(place, store.records_of(gone.id))
        store.remove_files([gone.id for gone in files.values()])

    def _take(self, results: list[FileRead]) -> None:
        """Stores the results of a batch of files."""
        rows: list[tuple[FileRow, int, bytes, str | None]] = []
        touched: list[FileRow] = []
        added: list[tuple[int, RecordRow]] = []
        for result in results:
            folder, name, shown, signature = self._pending.pop(result.id)
            place = RecordFile(result.id, shown, result.content)
            if not result.digest:
                self._unsure.add(folder)
            if not (result.digest and self._clock.is_sure(signature)):
                signature = signature._replace(mtime=UNSURE)
            row = FileRow(result.id, *signature, result.digest, result.content)
            if result.rows is None:
                touched.append(row)
                continue
            rows.append((row, folder, name, result.notes))
            new = [
                self._ids.with_id(row, place)._replace(feeds=self._store.feed_ids(feeds))
                for row, feeds in result.rows
            ]
            if result.records and self._kept_bytes < KEPT_BYTES:
                self._kept_bytes += sum(map(len, result.records))
                for record, kept in zip(new, result.records, strict=True):
                    self.kept[result.id, record.part] = kept
            if result.id in self._new:
                self._new.discard(result.id)
            else:
                new = self._replaced(place, new)
            for record in new:
                self._ids.record_added(place, record)
            added += [(result.id, record) for record in new]
        self._store.put_files(rows)
        self._store.touch_files(touched)
        self._store.add_records(added)

    def _replaced(self, place: RecordFile, rows: list[RecordRow]) -> list[RecordRow]:
        """The new records of a changed file. Removes the records that disappeared."""
        records = self._store.records_of(place.file)
        if len(records) == len(rows) == 1 and records[0].row.part is rows[0].part is None:
            self._ids.record_replaced(records[0].row, rows[0], place)
        before: dict[RecordRow, list[StoredRecord]] = defaultdict(list)
        for record in records:
            before[record.row._replace(part=None, line=0)].append(record)
        new: list[RecordRow] = []
        for row in rows:
            same = before.get(row._replace(part=None, line=0))
            if not same:
                new.append(row)
                continue
            old = same.pop(0)
            if (old.row.part, old.row.line) != (row.part, row.line):
                self._store.move_record(old.id, row.part, row.line)
                self._store.touched.add(row.guid_key)
        gone = [record for left in before.values() for record in left]
        self._ids.records_removed(gone)
        self._store.remove_records(gone)
        return new

    # The configuration, the taxonomy and the time

    def select_again(self, placing: bytes) -> None:
        """Selects records again if the configuration, the taxonomy or the time may change them."""
        store, as_of = self._store, self._options.as_of
        # Dates of records have whole seconds, so compare with whole seconds.
        now = None if as_of is None else math.floor(as_of.timestamp())
        before = store.fact("as_of")
        if not store.is_new and store.fact("placing") != placing:
            for batch in in_batches(store):
                self._select_again(batch)
        elif not store.is_new and now != before:
            due = now is None or (before is not None and now > before)
            moved = store.records_due(now) if due else store.records_not_due(now)
            self._select_again(moved)
        store.set_fact("placing", placing)
        # If only time has passed, the store need not be written.
        if store.changed or before is None or now is None or now < before:
            store.set_fact("as_of", now)

    def _select_again(self, records: Iterable[StoredRecord]) -> None:
        for record in records:
            reason, feeds = self._selection.of(head_of(record.row))
            row = record.row._replace(reason=reason, feeds=self._store.feed_ids(feeds))
            if row != record.row:
                self._store.update_record(record, row)
                if record.row.reason:
                    self._ids.record_added(record_file(self._store, record.file), row)


class _Pending(NamedTuple):
    """A file that is being read."""

    folder: int
    name: bytes
    shown: str
    signature: Signature


def settle(store: Store) -> None:
    """Chooses one of the records with the same id; the others are marked as lost."""
    for key in store.shared_keys() if store.is_new else list(store.touched):
        for rivals in by_guid(store.rivals(key)):
            winner = rivals[newest([claim(rival) for rival in rivals])]
            for rival in rivals:
                store.set_lost(rival.id, how_lost(rival, winner))


def by_guid(rivals: Iterable[Rival]) -> list[list[Rival]]:
    """Groups rivals by id, because two ids may share a key."""
    groups: dict[str, list[Rival]] = defaultdict(list)
    for rival in rivals:
        groups[rival.guid].append(rival)
    return list(groups.values())


def claim(rival: Rival) -> Claim:
    """The values that decide which rival wins."""
    order = rival.shown if rival.part is None else f"{rival.shown}#{rival.part:09}"
    # If two have the same id from date and path, the one that the ledger names wins.
    is_kept = rival.guid_from == PATH_ID and bool(rival.derived)
    return Claim(is_kept, rival.updated, rival.published, order)


def how_lost(rival: Rival, winner: Rival) -> int:
    """The value of `lost` in the store: 0 winner, 1 duplicate, 2 same id by accident."""
    if rival is winner:
        return 0
    return 2 if is_accident(rival.guid_from, winner.guid_from) else 1


def count_all(store: Store, general: Sequence[Problem], folders: Sequence[Problem]) -> Counts:
    """Counts all records. Each problem in `folders` counts as one record."""
    total, reasons = store.count_records()
    counts = Counts(files=store.count_files(), unusable=len(folders))
    counts.reasons = dict(sorted(reasons.items(), key=lambda count: (-count[1], count[0])))
    problems = list(folders)
    for notes in map(FileNotes.of, store.notes()):
        problems += notes.problems
        counts.unusable += notes.unusable
        counts.no_records += len(notes.skipped)
    lost = 0
    for key in store.lost_keys():
        for rivals in by_guid(store.rivals(key)):
            winner = rivals[newest([claim(rival) for rival in rivals])]
            for rival in rivals:
                how = how_lost(rival, winner)
                lost += how > 0
                if how == 1:
                    counts.duplicates.append(
                        ReportedDuplicate(_name(rival), _name(winner), rival.guid)
                    )
                elif how == 2:
                    problems.append(same_id(rival.shown, rival.line, _name(rival), _name(winner)))
                    counts.unusable += 1
    counts.duplicates.sort()
    # A stable sort keeps the order of the problems in a file.
    counts.problems = [*general, *sorted(problems, key=lambda problem: problem.path)]
    counts.items = total - counts.left_out - lost
    return counts


def _name(rival: Rival) -> str:
    return name_of(rival.shown, rival.part)
