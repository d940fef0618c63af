"""The cache of facts about media files, in a file of its own beside the store.

It outlives the store, so that an upgrade or a full run need not request all media again.
Everything in it can be collected again.
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
        facts TEXT NOT NULL,      -- JSON: type, length, size…, as feeds have them
        memory TEXT NOT NULL      -- JSON: when and how they were collected
    ) WITHOUT ROWID;
    CREATE TABLE generation (name TEXT NOT NULL)
"""
_SPARE = 1000  # addresses that are kept although no feed has them any more


class MediaStore:
    """Facts by address. Changes are saved by `commit` and `close`."""

    def __init__(self, folder: Path, keep: bool) -> None:
        """Opens or creates the cache. Without `keep`, works on a copy in memory."""
        self.note = ""  # a message for the user
        self._changed = False
        self._db = self._open(folder / NAME, keep)
        found = self._db.execute("SELECT name FROM generation").fetchone()
        self.generation = str(found[0])  # changes whenever facts change

    def _open(self, path: Path, keep: bool) -> sqlite3.Connection:
        if keep:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                return self._writable(path)
            except (OSError, sqlite3.Error) as error:
                self.note = f"{path.name} cannot be written ({error}); media are not cached"
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
            self.note = f"{path.name} cannot be used ({error}); media are read again"
            path.unlink()
            db = sqlite3.connect(path, timeout=0, isolation_level=None)
            _prepare(db)
        return db

    def get(self, address: str) -> tuple[str, str] | None:
        """The facts about an address and their state, as JSON; None if unknown."""
        query = "SELECT facts, memory FROM media WHERE address = ?"
        found = self._db.execute(query, (address,)).fetchone()
        return (found[0], found[1]) if found else None

    def put(self, address: str, facts: str, state: str) -> None:
        """Stores the facts about an address and their state, as JSON."""
        before = self.get(address)
        if before == (facts, state):
            return
        self._db.execute("INSERT OR REPLACE INTO media VALUES (?, ?, ?)", (address, facts, state))
        if before is None or before[0] != facts:
            self._changed = True

    def forget(self, address: str) -> bool:
        """Removes an address; returns whether it was known."""
        found = self._db.execute("DELETE FROM media WHERE address = ?", (address,)).rowcount
        self._changed = self._changed or found > 0
        return found > 0

    def commit(self) -> None:
        """Saves all changes."""
        if self._changed:
            self.generation = os.urandom(8).hex()
            self._db.execute("UPDATE generation SET name = ?", (self.generation,))
            self._changed = False
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")

    def keep_only(self, addresses: Collection[str]) -> None:
        """Removes all other addresses, if there are too many of them."""
        count = self._db.execute("SELECT count(*) FROM media").fetchone()[0]
        if count > 2 * len(addresses) + _SPARE:
            known = self._db.execute("SELECT address FROM media").fetchall()
            gone = [(address,) for (address,) in known if address not in addresses]
            self._db.executemany("DELETE FROM media WHERE address = ?", gone)

    def close(self) -> None:
        """Saves all changes and closes the file."""
        with contextlib.suppress(sqlite3.Error):
            self.commit()
            self._db.execute("COMMIT")
        self._db.close()


def _prepare(db: sqlite3.Connection) -> None:
    """Begins a transaction, and creates the tables if needed. Raises `sqlite3.Error`."""
    db.execute("BEGIN IMMEDIATE")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise sqlite3.OperationalError("it was written by a newer feedpub")
    if version == 0:
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        db.execute("INSERT INTO generation VALUES (?)", (os.urandom(8).hex(),))
        db.execute(f"PRAGMA user_version = {_VERSION}")
