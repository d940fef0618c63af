"""The contents of the store: all statements that read or write its tables.

The store maintains two invariants. `placements` has a row for each feed of
each record that is not left out (`reason` is '') and did not lose to another
record with its id (`lost` is 0). `dirty` has every feed whose placements or
records changed since the store was opened.
"""

from __future__ import annotations

import os
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from feedpub.paths import printable_path
from feedpub.store.former import FormerRecord
from feedpub.store.ledger_index import LedgerIndex
from feedpub.store.rows import (
    ArchiveRow,
    FeedRow,
    FilePlace,
    FileRow,
    FolderRow,
    OutputRow,
    RecordRow,
    Rival,
    StoredRecord,
    Unit,
    WindowRow,
)
from feedpub.store.schema import INDEXES

_COLUMNS = ", ".join(RecordRow._fields)
_MARKS = ", ".join("?" * len(RecordRow._fields))
_WITHOUT_LINE = (
    "reason = '' AND lost = 0 AND NOT EXISTS"
    " (SELECT 1 FROM ledger WHERE ledger.id = records.guid AND ledger.path <> '')"
)
_WINDOW = ", ".join(f"r.{name}" for name in WindowRow._fields)


class Store:
    """An open store, inside one transaction; its methods raise `sqlite3.Error`."""

    def __init__(self, connection: sqlite3.Connection, is_new: bool) -> None:
        self.is_new = is_new
        self.dirty: set[int] = set()  # ids of feeds
        # Feed and time (seconds since 1970) of each change, if the site has archives.
        self.dirty_moments: set[tuple[int, int]] | None = None
        self.touched: set[int] = set()  # guid_key of added, removed and changed records
        self.changed = False  # whether there is something to commit
        self.ledger = LedgerIndex(connection)
        self._db = connection
        self._feeds: dict[str, tuple[int, str]] = {}  # path → id and kind
        self._lost_feeds: set[int] | None = None
        self._ids: dict[str, int] = {}  # table → the last id given
        if not is_new:
            rows = self._db.execute("SELECT path, id, kind FROM feeds")
            self._feeds = {path: (id, kind) for path, id, kind in rows}

    # Facts

    def fact(self, name: str) -> Any:
        """A stored value by name, None if it is not set."""
        found = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def set_fact(self, name: str, value: str | int | bytes | None) -> None:
        """Stores a value by name."""
        if self.fact(name) != value:
            self._write("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    # Folders and files

    def folders(self) -> dict[tuple[str, bytes], FolderRow]:
        """The folders, by source and path."""
        query = "SELECT source, path, id, shown, below, reading, signature FROM folders"
        rows = self._db.execute(query)
        return {(source, path): FolderRow(*rest) for source, path, *rest in rows}

    def new_folder(self) -> int:
        """An id for a new folder."""
        return self._next("folders")

    def put_folder(self, row: FolderRow, source: str, path: bytes) -> None:
        """Adds or updates a folder."""
        self._write(
            "INSERT INTO folders (id, shown, below, reading, signature, source, path)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET shown = excluded.shown,"
            " below = excluded.below, reading = excluded.reading, signature = excluded.signature",
            (*row, source, path),
        )

    def forget_signature(self, id: int) -> None:
        """Lets the next run check each file of a folder."""
        self._write("UPDATE folders SET signature = NULL WHERE id = ?", (id,))

    def remove_folder(self, id: int) -> None:
        """Removes a folder with all its files."""
        self.remove_files([file.id for file in self.files(id).values()])
        self._write("DELETE FROM folders WHERE id = ?", (id,))

    def files(self, folder: int) -> dict[bytes, FileRow]:
        """The files of a folder, by name."""
        rows = self._db.execute(
            "SELECT name, id, size, mtime, ctime, inode, digest, content FROM files"
            " WHERE folder = ?",
            (folder,),
        )
        return {name: FileRow(*rest) for name, *rest in rows}

    def put_files(self, rows: Iterable[tuple[FileRow, int, bytes, str | None]]) -> None:
        """Adds or replaces files, each with its folder, name and notes."""
        self._write_all(
            "INSERT OR REPLACE INTO files"
            " (id, size, mtime, ctime, inode, digest, content, folder, name, notes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*row, folder, name, notes) for row, folder, name, notes in rows],
        )

    def new_file(self) -> int:
        """An id for a new file."""
        return self._next("files")

    def touch_files(self, rows: Iterable[FileRow]) -> None:
        """Updates the signatures of files whose contents are unchanged."""
        self._write_all(
            "UPDATE files SET size = ?, mtime = ?, ctime = ?, inode = ? WHERE id = ?",
            [(row.size, row.mtime, row.ctime, row.inode, row.id) for row in rows],
        )

    def remove_files(self, ids: Sequence[int]) -> None:
        """Removes files with all their records."""
        for id in ids:
            self.remove_records(self.records_of(id))
        self._write_all("DELETE FROM files WHERE id = ?", [(id,) for id in ids])

    def file_place(self, id: int) -> FilePlace:
        """The paths of a file."""
        source, folder, name, shown, below, *digests = self._db.execute(
            "SELECT source, path, name, shown, below, digest, content FROM files"
            " JOIN folders ON folders.id = folder WHERE files.id = ?",
            (id,),
        ).fetchone()
        file = str(Path(os.fsdecode(folder), os.fsdecode(name)))
        return FilePlace(source, file, shown + _printed(name), below + _printed(name), *digests)

    def count_files(self) -> int:
        """The number of files."""
        return int(self._db.execute("SELECT count(*) FROM files").fetchone()[0])

    def notes(self) -> list[str]:
        """The notes of all files with notes."""
        rows = self._db.execute("SELECT notes FROM files WHERE notes IS NOT NULL ORDER BY id")
        return [notes for (notes,) in rows]

    # Records

    def feed_ids(self, feeds: Iterable[tuple[str, str]]) -> bytes:
        """The ids of feeds, as a record keeps them. Adds feeds that are new."""
        ids = array("I")
        for path, kind in feeds:
            id, old_kind = self._feeds.get(path) or (self._next("feeds"), "")
            if kind != old_kind:
                self._feeds[path] = (id, kind)
                self._write(
                    "INSERT INTO feeds (id, path, kind) VALUES (?, ?, ?)"
                    " ON CONFLICT (path) DO UPDATE SET kind = excluded.kind",
                    (id, path, kind),
                )
                self.dirty.add(id)
            ids.append(id)
        return ids.tobytes()

    def add_records(self, rows: Sequence[tuple[int, RecordRow]]) -> None:
        """Adds records, each with the id of its file, and with `lost` 0."""
        ids = [self._next("records") for _ in rows]
        self._write_all(
            f"INSERT INTO records (id, file, {_COLUMNS}) VALUES (?, ?, {_MARKS})",
            [(id, file, *row) for id, (file, row) in zip(ids, rows, strict=True)],
        )
        placements = [
            (feed, -row.published, id)
            for id, (_, row) in zip(ids, rows, strict=True)
            if not row.reason
            for feed in array("I", row.feeds)
        ]
        self._write_all("INSERT INTO placements VALUES (?, ?, ?)", placements)
        self._mark_dirty(placements)
        if not self.is_new:
            self.touched.update(row.guid_key for _, row in rows)

    def record(self, id: int) -> StoredRecord:
        """One record."""
        [record] = self._records("WHERE id = ?", (id,))
        return record

    def records_of(self, file: int) -> list[StoredRecord]:
        """The records of a file."""
        return self._records("WHERE file = ?", (file,))

    def records_named(self, guid_key: int, guid: str) -> list[StoredRecord]:
        """The records with this guid; `guid_key` is its key."""
        return self._records("WHERE guid_key = ? AND guid = ?", (guid_key, guid))

    def records_of_key(self, guid_key: int) -> list[StoredRecord]:
        """The records with this key: nearly always those with one guid."""
        return self._records("WHERE guid_key = ?", (guid_key,))

    def records_without_line(self, guid_key: int) -> list[StoredRecord]:
        """The records with this key that are in feeds and have no line in the ledger."""
        return self._records(f"WHERE guid_key = ? AND {_WITHOUT_LINE}", (guid_key,))

    def all_without_line(self) -> Iterator[StoredRecord]:
        """All records that are in feeds and have no line in the ledger, oldest first."""
        order = f"SELECT id FROM records WHERE {_WITHOUT_LINE} ORDER BY published, guid"
        for (id,) in self._db.execute(order):
            yield self.record(id)

    def has_media(self) -> bool:
        """Whether any record has media whose facts are needed."""
        found = self._db.execute("SELECT 1 FROM records WHERE media <> '' LIMIT 1").fetchone()
        return found is not None

    def records_with_media(self) -> list[StoredRecord]:
        """The records in feeds with media whose facts are needed."""
        return self._records("WHERE media <> '' AND reason = '' AND lost = 0", ())

    def mark_dirty(self, record: StoredRecord) -> None:
        """Marks the feeds of a record dirty although its row is unchanged."""
        row = record.row
        self._mark_dirty([(feed, -row.published, record.id) for feed in array("I", row.feeds)])

    def records_after(self, id: int, limit: int) -> list[StoredRecord]:
        """The next records in the order of their ids."""
        return self._records("WHERE id > ? ORDER BY id LIMIT ?", (id, limit))

    def records_due(self, moment: int | None) -> list[StoredRecord]:
        """The records in the future that are no longer so at this time; None: at any time."""
        # The first condition lets SQLite use the partial index of records left out.
        where = "WHERE reason <> '' AND reason = 'future' AND (?1 IS NULL OR published <= ?1)"
        return self._records(where, (moment,))

    def records_not_due(self, moment: int | None) -> list[StoredRecord]:
        """The records not in the future that are in the future at this time."""
        return self._records("WHERE reason <> 'future' AND published > ?", (moment,))

    def update_record(self, old: StoredRecord, row: RecordRow) -> None:
        """Replaces a record, and resets `lost`."""
        self._place(old.row, old.id, present=False, was=not (old.row.reason or old.lost))
        assignments = ", ".join(f"{name} = ?" for name in RecordRow._fields)
        self._write(f"UPDATE records SET {assignments}, lost = 0 WHERE id = ?", (*row, old.id))
        self._place(row, old.id, present=True, was=bool(row.reason))
        self.touched.update((old.row.guid_key, row.guid_key))

    def move_record(self, id: int, part: int | None, line: int) -> None:
        """Updates the position of an unchanged record in its file."""
        self._write("UPDATE records SET part = ?, line = ? WHERE id = ?", (part, line, id))

    def remove_records(self, records: Sequence[StoredRecord]) -> None:
        """Removes records."""
        for record in records:
            self._place(record.row, record.id, False, was=not (record.row.reason or record.lost))
            if record.lost:  # a feed that exists only for it must be removed
                self.dirty.update(array("I", record.row.feeds))
            self.touched.add(record.row.guid_key)
        self._write_all("DELETE FROM records WHERE id = ?", [(record.id,) for record in records])

    def shared_keys(self) -> list[int]:
        """The keys that several records share."""
        query = "SELECT guid_key FROM records GROUP BY guid_key HAVING count(*) > 1"
        return [key for (key,) in self._db.execute(query)]

    def rivals(self, guid_key: int) -> list[Rival]:
        """The records with this key, of which one can represent the item."""
        rows = self._db.execute(
            "SELECT r.id, r.guid, r.guid_from, r.derived, r.published, r.updated, r.lost, r.line,"
            " r.part, folders.shown, files.name FROM records r"
            " JOIN files ON files.id = r.file JOIN folders ON folders.id = files.folder"
            " WHERE r.guid_key = ? AND r.reason IN ('', 'removed')",
            (guid_key,),
        )
        return [Rival._make((*facts, f"{folder}{_printed(name)}")) for *facts, folder, name in rows]

    def set_lost(self, id: int, lost: int) -> None:
        """Sets whether a record lost to another record with its guid."""
        record = self.record(id)
        if record.lost == lost:
            return
        self._write("UPDATE records SET lost = ? WHERE id = ?", (lost, id))
        if not record.row.reason and bool(record.lost) != bool(lost):
            self._place(record.row, id, present=not lost, was=not record.lost)

    def load_former(self, records: Iterable[FormerRecord]) -> None:
        """Loads the records of another version's store, for `take_former` and `former_with`."""
        self._db.execute(
            "CREATE TEMP TABLE former (path TEXT PRIMARY KEY, published INTEGER,"
            " content TEXT, guid TEXT) WITHOUT ROWID"
        )
        self._db.executemany("INSERT OR REPLACE INTO former VALUES (?, ?, ?, ?)", records)
        self._db.execute("CREATE INDEX temp.former_content ON former (content)")

    def take_former(self, path: str) -> FormerRecord | None:
        """The record at a path in another version's store; it is then no longer among them."""
        query = "SELECT path, published, content, guid FROM former WHERE path = ?"
        found = self._db.execute(query, (path,)).fetchone()
        if not found:
            return None
        self._db.execute("DELETE FROM former WHERE path = ?", (path,))
        return FormerRecord(*found)

    def former_with(self, content: str) -> list[FormerRecord]:
        """The records left in another version's store whose file had these bytes."""
        query = "SELECT path, published, content, guid FROM former WHERE content = ?"
        return [FormerRecord(*found) for found in self._db.execute(query, (content,))]

    def count_records(self) -> tuple[int, dict[str, int]]:
        """The number of records, and the number left out for each reason."""
        total = self._db.execute("SELECT count(*) FROM records").fetchone()[0]
        reasons = self._db.execute(
            "SELECT reason, count(*) FROM records WHERE reason <> '' AND lost = 0 GROUP BY reason"
        )
        return total, dict(reasons)

    def lost_keys(self) -> set[int]:
        """The keys of all records that lost."""
        # With DISTINCT, SQLite would scan the index of all keys.
        return {key for (key,) in self._db.execute("SELECT guid_key FROM records WHERE lost <> 0")}

    def _records(self, where: str, values: Sequence[Any]) -> list[StoredRecord]:
        query = f"SELECT id, file, lost, {_COLUMNS} FROM records {where}"
        return [
            StoredRecord(id, file, lost, RecordRow(*row))
            for id, file, lost, *row in self._db.execute(query, values)
        ]

    def _place(self, row: RecordRow, id: int, present: bool, was: bool) -> None:
        """Adds a record to its feeds, or removes it from them."""
        if present == was:
            return
        rows = [(feed, -row.published, id) for feed in array("I", row.feeds)]
        self._mark_dirty(rows)
        if present:
            self._write_all("INSERT INTO placements VALUES (?, ?, ?)", rows)
        else:
            statement = "DELETE FROM placements WHERE feed = ? AND age = ? AND record = ?"
            self._write_all(statement, rows)

    def _mark_dirty(self, placements: Sequence[tuple[int, int, int]]) -> None:
        self.dirty.update(feed for feed, _, _ in placements)
        if self.dirty_moments is not None:
            self.dirty_moments.update((feed, -age) for feed, age, _ in placements)

    # Feeds

    def feeds(self) -> list[FeedRow]:
        """All feeds, by path, as of their last update."""
        query = "SELECT id, path, kind, total, inputs, entry FROM feeds ORDER BY path"
        return [FeedRow(*row) for row in self._db.execute(query)]

    def count_feed(self, id: int) -> int:
        """The present number of records in a feed."""
        query = "SELECT count(*) FROM placements WHERE feed = ?"
        return int(self._db.execute(query, (id,)).fetchone()[0])

    def put_feed(self, row: FeedRow) -> None:
        """Updates a feed. Removes it if it has no records, not even records that lost."""
        if row.total or row.id in self._feeds_of_lost():
            self._write(
                "UPDATE feeds SET kind = ?, total = ?, inputs = ?, entry = ? WHERE id = ?",
                (row.kind, row.total, row.inputs, row.entry, row.id),
            )
        else:
            self._write("DELETE FROM feeds WHERE id = ?", (row.id,))
            self._feeds.pop(row.path, None)

    def _feeds_of_lost(self) -> set[int]:
        """The feeds of records that lost: such a record returns if its rival is removed."""
        if self._lost_feeds is None:
            rows = self._db.execute("SELECT feeds FROM records WHERE lost <> 0")
            self._lost_feeds = {feed for (feeds,) in rows for feed in array("I", feeds)}
        return self._lost_feeds

    def window(self, feed: int, items: int, seconds: int | None) -> list[WindowRow]:
        """The newest `items` of a feed (0: all), plus records within `seconds` of the newest."""
        if items and seconds is not None:
            query = (
                "SELECT count(*) FROM placements WHERE feed = ?1 AND age <="
                " (SELECT min(age) FROM placements WHERE feed = ?1) + ?2"
            )
            items = max(items, self._db.execute(query, (feed, seconds)).fetchone()[0])
        return self._newest("p.feed = ?", (feed, items or -1))

    def between(self, feed: int, first: int, end: int) -> list[WindowRow]:
        """A feed's records from `first` on and before `end` (seconds since 1970), newest first."""
        return self._newest("p.feed = ? AND p.age > ? AND p.age <= ?", (feed, -end, -first, -1))

    def _newest(self, where: str, values: Sequence[int]) -> list[WindowRow]:
        rows = self._db.execute(
            f"SELECT {_WINDOW} FROM placements p JOIN records r ON r.id = p.record"
            f" WHERE {where} ORDER BY p.age, r.guid LIMIT ?",
            values,
        )
        return [WindowRow(*row) for row in rows]

    def newest_before(self, feed: int, moment: int | None, skip: int = 0) -> int | None:
        """The date of the newest record of a feed before a time, None if there is none.

        Skips the newest `skip` of these records.
        """
        query = (
            "SELECT age FROM placements WHERE feed = ? AND age > ? ORDER BY age LIMIT 1 OFFSET ?"
        )
        least = -(2**63) if moment is None else -moment
        found = self._db.execute(query, (feed, least, skip)).fetchone()
        return -found[0] if found else None

    # Archives

    def periods(self, feed: int) -> set[str]:
        """The periods of a feed's archives."""
        rows = self._db.execute("SELECT period FROM archives WHERE feed = ?", (feed,))
        return {period for (period,) in rows}

    def archive(self, feed: int, period: str) -> ArchiveRow | None:
        """The row of an archive, None if it is new."""
        query = "SELECT context, inputs FROM archives WHERE feed = ? AND period = ?"
        found = self._db.execute(query, (feed, period)).fetchone()
        return ArchiveRow(*found) if found else None

    def all_archives(self) -> set[Unit]:
        """All archives."""
        return {Unit(*row) for row in self._db.execute("SELECT feed, period FROM archives")}

    def put_archive(self, feed: int, period: str, row: ArchiveRow) -> None:
        """Adds or updates an archive."""
        self._write("INSERT OR REPLACE INTO archives VALUES (?, ?, ?, ?)", (feed, period, *row))

    def remove_archives(self, feed: int, periods: Iterable[str]) -> None:
        """Removes archives of a feed."""
        statement = "DELETE FROM archives WHERE feed = ? AND period = ?"
        self._write_all(statement, [(feed, period) for period in periods])

    # The output tree

    def outputs(self) -> dict[str, OutputRow]:
        """The files of the tree, by path."""
        query = "SELECT path, feed, size, mtime, ctime, inode, digest, period FROM outputs"
        rows = self._db.execute(query)
        return {path: OutputRow(*rest) for path, *rest in rows}

    def put_outputs(self, rows: Iterable[tuple[str, OutputRow]], gone: Iterable[str]) -> None:
        """Adds or updates files of the tree, and removes those in `gone`."""
        self._write_all("DELETE FROM outputs WHERE path = ?", [(path,) for path in gone])
        self._write_all(
            "INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(path, *row) for path, row in rows],
        )

    # Statements

    def index(self) -> None:
        """Creates the indexes of a new store after it was filled."""
        for statement in INDEXES:
            self._db.execute(statement)
        # The rest of the run reads little of the store: free the memory of the cache.
        self._db.execute("PRAGMA cache_size = -2000")
        self._db.execute("PRAGMA shrink_memory")

    def _next(self, table: str) -> int:
        """The next id of a table."""
        if table not in self._ids:
            found = self._db.execute(f"SELECT max(id) FROM {table}").fetchone()[0]
            self._ids[table] = found or 0
        self._ids[table] += 1
        return self._ids[table]

    def _write(self, statement: str, values: Sequence[Any]) -> None:
        self.changed = True
        self._db.execute(statement, values)

    def _write_all(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            self.changed = True
            self._db.executemany(statement, rows)


def _printed(name: bytes) -> str:
    return printable_path(os.fsdecode(name))


def in_batches(store: Store, size: int = 2000) -> Iterator[list[StoredRecord]]:
    """All records, in batches. The caller may change the records of a batch."""
    last = 0
    while batch := store.records_after(last, size):
        last = batch[-1].id
        yield batch
