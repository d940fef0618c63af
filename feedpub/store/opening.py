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
_LOADING_CACHE = 24 * 1024  # KiB, while a store is filled: rows come in no order of its tables
_FREE = 0.3  # of a file's pages; beyond, it is made smaller


class StoreOwner(NamedTuple):
    """Which configuration and which program made a store; no other store is used."""

    configuration: str
    program: str


class _UnusableError(FeedpubError):
    """Why what is there cannot be used; `lasting` if the next run would find it so as well."""

    def __init__(self, why: str, lasting: bool = False) -> None:
        self.lasting = lasting
        super().__init__(why)


class StoreSession:
    """The store of one run, from opening to commit; use as a context manager."""

    def __init__(
        self, folder: Path, shown: str, identity: StoreOwner, ignore: bool, keep: bool
    ) -> None:
        """Opens what `folder` holds, or, if that cannot be (or `ignore`), begins a new store.

        With `keep` False nothing is written there, whatever is done to the store.
        """
        self.note = ""  # what the user may know
        self.warning = ""  # what the user must know: each run does the full work
        # Another program made the store, and may have given other ids: they are in this store,
        # or lost with it.
        self.former: Path | None = None
        self.lost_ids = False
        self._folder = folder
        self._shown = shown
        self._identity = identity
        self._keep = keep
        self._closing = contextlib.ExitStack()
        self._new: Path | None = None  # a new store, until it is put in place
        self._was_cut = False  # whether the run before ended before it could leave its stamp
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
        """The existing store if it can be used, else None, and `note` says why."""
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
            return None  # as on the first day
        except _UnusableError as why:
            if ignore and self._keep:
                return None
            told = f"{self._shown}/{NAME} {why}; everything is read anew"
            if why.lasting:
                self.warning = told
            else:
                self.note = told
        except (sqlite3.Error, OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            if not ignore:
                self.note = (
                    f"{self._shown}/{NAME} cannot be used ({_reason(error)}); "
                    "everything is read anew"
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
        looks = stamp["signature"] if self._keep else None
        if looks != _signature(path) and stamp["sha256"] != _digest(path):
            raise _UnusableError("is not as feedpub left it")
        self._was_cut = Path(f"{path}-wal").exists()
        db = sqlite3.connect(path, timeout=0, isolation_level=None)
        closing = self._closing.callback(db.close)
        try:
            facts = dict(db.execute("SELECT name, value FROM facts"))
            if facts.get("configuration") != self._identity.configuration:
                self.lost_ids = False  # they are of another site
                why = "is of another configuration (name another folder in state:)"
                raise _UnusableError(why, lasting=True)
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version != VERSION or facts.get("program") != self._identity.program:
                self.former = path
            if version > VERSION:
                raise _UnusableError(f"is of a newer feedpub (version {version}, not {VERSION})")
            if version < VERSION:
                raise _UnusableError(f"is of another feedpub (version {version}, not {VERSION})")
            if self.former:
                raise _UnusableError(
                    "was made by another version of feedpub or of what it stands on"
                )
            self.lost_ids = False
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("BEGIN IMMEDIATE")
        except BaseException:
            closing()
            raise
        return db

    def _copied(self, path: Path) -> Path:
        """A copy to work on, for a run that is to leave the store alone; gone at the end."""
        import shutil  # for dry runs alone
        import tempfile

        folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="feedpub-"))
        return Path(shutil.copyfile(path, Path(folder, NAME)))

    def _begin(self) -> Store:
        if self._keep:
            path = self._folder / f"{NAME}.new"
            try:
                path.unlink(missing_ok=True)
                self._db = _filled(path, self._identity)
                self._new = path
            except (OSError, sqlite3.Error) as error:
                self.note, self.warning = "", unwritable(self._shown, error)
        if self._new is None:
            self._keep = False
            self._db = _filled("", self._identity)  # a file of SQLite's own, without a name
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
                for ending in ("-wal", "-shm"):  # of the store before: they are not this one's
                    Path(f"{self._folder / NAME}{ending}").unlink(missing_ok=True)
                self._new.replace(self._folder / NAME)
                self._new = None
            else:
                self._compact()
                self._db.close()
            self._was_cut = True  # but for the stamp
        except (sqlite3.Error, OSError) as error:
            self.note, self.warning = "", unwritable(self._shown, error)

    def close(self) -> None:
        """Closes the store. Without `commit`, the file stays as it was."""
        with contextlib.suppress(sqlite3.Error, OSError):
            self._db.close()
            if self._new is not None:
                self._new.unlink(missing_ok=True)
            if self._keep and self._was_cut:
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
        "nothing is remembered, and every run does the full work"
    )


def _reason(error: Exception) -> str:
    """What happened, without the paths of this machine."""
    return str(getattr(error, "strerror", None) or error)


def _filled(path: Path | str, identity: StoreOwner) -> sqlite3.Connection:
    """A new store, empty but for its owner."""
    db = sqlite3.connect(path, isolation_level=None)
    # It is of use as a whole or not at all, so it needs no protection while it is filled.
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
