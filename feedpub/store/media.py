"""What is known of media files, in a file of its own beside the state.

It outlives the state: what hosts were asked once need not be asked again because
feedpub is another version, or a run does everything anew. It is never needed either.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Collection
from pathlib import Path

NAME = "media.sqlite3"
_VERSION = 1
_SCHEMA = """
    CREATE TABLE media (
        address TEXT PRIMARY KEY,
        facts TEXT NOT NULL,      -- JSON: what feeds are made of
        memory TEXT NOT NULL      -- JSON: when and how it was learnt
    ) WITHOUT ROWID;
    CREATE TABLE generation (name TEXT NOT NULL)
"""
_SPARE = 1000  # addresses that no feed holds any more, and that are remembered nevertheless


class MediaStore:
    """Facts by address; a change is kept when `commit` is called, or at `close`."""

    def __init__(self, folder: Path, keep: bool) -> None:
        """Opens what is there. Without `keep`, nothing of it is changed."""
        self.note = ""  # what the user may know
        self._changed = False
        self._db = self._open(folder / NAME, keep)
        found = self._db.execute("SELECT name FROM generation").fetchone()
        self.generation = str(found[0])  # another after each change of what is known

    def _open(self, path: Path, keep: bool) -> sqlite3.Connection:
        if keep:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                return self._writable(path)
            except (OSError, sqlite3.Error) as error:
                self.note = f"{path.name} cannot be written ({error}); media are looked at anew"
        db = sqlite3.connect("", isolation_level=None)
        with contextlib.suppress(sqlite3.Error, OSError):
            if path.exists():
                old = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
                with contextlib.closing(old):
                    old.backup(db)
        _prepare(db)
        return db

    def _writable(self, path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            _prepare(db)
        except sqlite3.DatabaseError as error:
            db.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            self.note = f"{path.name} cannot be used ({error}); media are looked at anew"
            path.unlink()
            db = sqlite3.connect(path, timeout=0, isolation_level=None)
            _prepare(db)
        return db

    def get(self, address: str) -> tuple[str, str] | None:
        """What is known of an address, and how; None if nothing."""
        query = "SELECT facts, memory FROM media WHERE address = ?"
        found = self._db.execute(query, (address,)).fetchone()
        return (found[0], found[1]) if found else None

    def put(self, address: str, facts: str, memory: str) -> None:
        """Remembers what is known of an address."""
        before = self.get(address)
        if before == (facts, memory):
            return
        self._db.execute("INSERT OR REPLACE INTO media VALUES (?, ?, ?)", (address, facts, memory))
        if before is None or before[0] != facts:
            self._changed = True

    def forget(self, address: str) -> bool:
        """Forgets an address; whether anything was known of it."""
        found = self._db.execute("DELETE FROM media WHERE address = ?", (address,)).rowcount
        self._changed = self._changed or found > 0
        return found > 0

    def commit(self) -> None:
        """Keeps what was put."""
        if self._changed:
            self.generation = os.urandom(8).hex()
            self._db.execute("UPDATE generation SET name = ?", (self.generation,))
            self._changed = False
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")

    def keep_only(self, addresses: Collection[str]) -> None:
        """Forgets the others, if they are more than a few."""
        count = self._db.execute("SELECT count(*) FROM media").fetchone()[0]
        if count > 2 * len(addresses) + _SPARE:
            known = self._db.execute("SELECT address FROM media").fetchall()
            gone = [(address,) for (address,) in known if address not in addresses]
            self._db.executemany("DELETE FROM media WHERE address = ?", gone)

    def close(self) -> None:
        """Keeps what was put, and ends."""
        with contextlib.suppress(sqlite3.Error):
            self.commit()
            self._db.execute("COMMIT")
        self._db.close()


def _prepare(db: sqlite3.Connection) -> None:
    """Begins a transaction in a database that has the tables; raises `sqlite3.Error`."""
    db.execute("BEGIN IMMEDIATE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise sqlite3.OperationalError("it was written by a newer feedpub")
    if version == 0:
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        db.execute("INSERT INTO generation VALUES (?)", (os.urandom(8).hex(),))
        db.execute(f"PRAGMA user_version = {_VERSION}")
