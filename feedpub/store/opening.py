"""Opens and closes the store. A store that cannot be trusted is replaced, and a message says so.

A store is trusted if it is intact, of this version, and made by the same program for the same
configuration. SQLite does not detect a byte that was changed inside a row, so a stamp file beside
the store has its signature and its hash. The store is a cache: a run without it does the full work.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from feedpub.durable import locked, write_atomic
from feedpub.errors import FeedpubError
from feedpub.store.schema import SCHEMA, VERSION
from feedpub.store.store import Store

NAME = "state.sqlite3"
_STAMP = "state.stamp"
_LOADING_CACHE = 24 * 1024  # KiB, while a new store is filled with unsorted rows
_FREE = 0.3  # share of free pages that triggers a VACUUM


class StoreOwner(NamedTuple):
    """The configuration and the program that made a store; both must match."""

    configuration: str
    program: str


class _UnusableError(FeedpubError):
    """The store cannot be used. `lasting`: the next run will have the same problem."""

    def __init__(self, why: str, lasting: bool = False) -> None:
        self.lasting = lasting
        super().__init__(why)


class StoreSession:
    """The store of one run, from opening to commit; use as a context manager."""

    def __init__(
        self, folder: Path, shown: str, identity: StoreOwner, ignore: bool, keep: bool
    ) -> None:
        """Opens the store in `folder`, or begins a new one (always with `ignore`).

        Without `keep`, nothing is written to the folder; changes are lost.
        """
        self.note = ""  # a message for the user: this run does the full work
        self.warning = ""  # a message for the user: every run does the full work
        # If another program made the store, it may have given other ids. They are in the store
        # `former`, or lost if it cannot be read (`lost_ids`).
        self.former: Path | None = None
        self.lost_ids = False
        self._folder = folder
        self._shown = shown
        self._identity = identity
        self._keep = keep
        self._closing = contextlib.ExitStack()
        self._new: Path | None = None  # the temporary file of a new store, until it is in place
        self._needs_stamp = False  # also if an earlier run ended before it wrote its stamp
        try:
            self.store = self._open(ignore) or self._begin()
        except BaseException:
            self._closing.close()
            raise

    def __enter__(self) -> StoreSession:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _open(self, ignore: bool) -> Store | None:
        """The existing store; None if it cannot be used, with the reason in `note`."""
        try:
            if self._keep:
                self._lock()
            path = self._folder / NAME
            os.lstat(path)
            self._db = self._trusted(path)
            if not ignore:
                return Store(self._db, False)
            self._db.close()
        except FileNotFoundError:
            return None  # the first run
        except _UnusableError as why:
            if ignore and self._keep:
                return None
            message = f"{self._shown}/{NAME} {why}; all files are read again"
            if why.lasting:
                self.warning = message
            else:
                self.note = message
        except (sqlite3.Error, OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            if not ignore:
                self.note = (
                    f"{self._shown}/{NAME} cannot be used ({_reason(error)}); "
                    "all files are read again"
                )
        return None

    def _lock(self) -> None:
        """Locks the folder. If another run has the lock, this run works without the store."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._closing.enter_context(locked(self._folder))
        except BlockingIOError:
            self._keep = False
            raise _UnusableError("is in use by another run", lasting=True) from None

    def _trusted(self, path: Path) -> sqlite3.Connection:
        try:
            stamp = json.loads((self._folder / _STAMP).read_bytes())
        except FileNotFoundError:
            stamp = {"signature": None, "sha256": None}
        stamped = stamp.get("program") if isinstance(stamp, dict) else None
        self.lost_ids = stamped != self._identity.program
        if not self._keep:
            path = self._copied(path)
        signature = stamp["signature"] if self._keep else None
        if signature != _signature(path) and stamp["sha256"] != _digest(path):
            raise _UnusableError("was changed by another program")
        self._needs_stamp = Path(f"{path}-wal").exists()
        db = sqlite3.connect(path, timeout=0, isolation_level=None)
        closing = self._closing.callback(db.close)
        try:
            facts = dict(db.execute("SELECT name, value FROM facts"))
            if facts.get("configuration") != self._identity.configuration:
                self.lost_ids = False  # the ids belong to another site
                why = "belongs to another configuration (set another folder in state:)"
                raise _UnusableError(why, lasting=True)
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version != VERSION or facts.get("program") != self._identity.program:
                self.former = path
            if version != VERSION:
                maker = "a newer feedpub" if version > VERSION else "another feedpub"
                raise _UnusableError(f"was made by {maker} (version {version}, not {VERSION})")
            if self.former:
                raise _UnusableError("was made by another version of feedpub, Python or a library")
            self.lost_ids = False
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("BEGIN IMMEDIATE")
        except BaseException:
            closing()
            raise
        return db

    def _copied(self, path: Path) -> Path:
        """A temporary copy, for a run that must not change the store."""
        import shutil  # for dry runs only
        import tempfile

        folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="feedpub-"))
        return Path(shutil.copyfile(path, Path(folder, NAME)))

    def _begin(self) -> Store:
        if self._keep:
            path = self._folder / f"{NAME}.new"
            try:
                path.unlink(missing_ok=True)
                self._db = _new_store(path, self._identity)
                self._new = path
            except (OSError, sqlite3.Error) as error:
                self.note, self.warning = "", unwritable(self._shown, error)
        if self._new is None:
            self._keep = False
            self._db = _new_store("", self._identity)  # an anonymous temporary file
        self._closing.callback(self._db.close)
        return Store(self._db, True)

    def commit(self) -> None:
        """Saves the store for the next run; if that fails, `warning` says so."""
        if not self._keep or not (self.store.changed or self._new):
            return
        try:
            self._db.execute("COMMIT")
            if self._new:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.close()
                for ending in ("-wal", "-shm"):  # left by the replaced store
                    Path(f"{self._folder / NAME}{ending}").unlink(missing_ok=True)
                self._new.replace(self._folder / NAME)
                self._new = None
            else:
                self._compact()
                self._db.close()
            self._needs_stamp = True
        except (sqlite3.Error, OSError) as error:
            self.note, self.warning = "", unwritable(self._shown, error)

    def close(self) -> None:
        """Closes the store. Without `commit`, the file stays as it was."""
        with contextlib.suppress(sqlite3.Error, OSError):
            self._db.close()
            if self._new is not None:
                self._new.unlink(missing_ok=True)
            if self._keep and self._needs_stamp:
                self._stamp()
        self._closing.close()

    def _compact(self) -> None:
        pages = self._db.execute("PRAGMA page_count").fetchone()[0]
        free = self._db.execute("PRAGMA freelist_count").fetchone()[0]
        if free > _FREE * pages:
            self._db.execute("VACUUM")

    def _stamp(self) -> None:
        path = self._folder / NAME
        stamp = {
            "signature": _signature(path),
            "sha256": _digest(path),
            "program": self._identity.program,
        }
        write_atomic(self._folder / _STAMP, json.dumps(stamp).encode())


def unwritable(folder: str, error: Exception) -> str:
    """The warning for a store that cannot be written."""
    return (
        f"{folder}/{NAME} cannot be written ({_reason(error)}); "
        "nothing is cached, so every run does the full work"
    )


def _reason(error: Exception) -> str:
    """The text of an error, without paths of this machine."""
    return str(getattr(error, "strerror", None) or error)


def _new_store(path: Path | str, identity: StoreOwner) -> sqlite3.Connection:
    """A new store with its owner and no other content."""
    db = sqlite3.connect(path, isolation_level=None)
    # An incomplete new store is discarded, so it needs no journal.
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    db.execute(f"PRAGMA cache_size = -{_LOADING_CACHE}")
    db.execute("BEGIN")
    for statement in SCHEMA.split(";"):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {VERSION}")
    db.executemany("INSERT INTO facts VALUES (?, ?)", identity._asdict().items())
    return db


def _signature(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
