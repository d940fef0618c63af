"""One run's changes to the output tree.

Subscribers get the old or the new version of a file, never a part of one.
Changed files are staged (in `.feedpub-staging/`, on the same file system), then
a journal is written, then all files are moved in one burst. The next run
completes an interrupted burst first. Without a journal, nothing has changed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from feedpub import durable
from feedpub.durable import Root
from feedpub.errors import ChangedError, ForeignFileError, LockedError, RunError
from feedpub.output.manifest import (
    MANIFEST_NAME,
    Manifest,
    ManifestError,
    is_safe,
    read_manifest,
)
from feedpub.signals import held_signals

STAGING = ".feedpub-staging"
_JOURNAL = f"{STAGING}/journal.json"
_PIECE = 1 << 20  # bytes
# The workers of a killed run hold its lock until they notice that it is gone (10 to 50 ms).
_GRACE = 0.5  # seconds


@contextlib.contextmanager
def locked(output: Path, shown: str, wait: float = 0.0) -> Iterator[None]:
    """Holds the lock on the output folder; waits up to `wait` seconds for it.

    Raises `LockedError` if another process still has it. Where the folder cannot be made, the
    run goes on without: staging will say so.
    """
    with contextlib.ExitStack() as stack:
        try:
            output.mkdir(parents=True, exist_ok=True)
            stack.enter_context(durable.locked(output, max(wait, _GRACE)))
        except BlockingIOError:
            raise LockedError(shown) from None
        except OSError:
            pass
        yield


@dataclass(slots=True, eq=False, repr=False)
class Changes:
    """The changes of a run. Paths are relative to the tree."""

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # obsolete, but changed by something else


class Staged(NamedTuple):
    """A file of the new tree; `name` is that of its staged copy, "" if it is unchanged."""

    path: str
    digest: str
    name: str


class Journal(NamedTuple):
    """The plan of a burst: moves in order, and removals."""

    moves: list[tuple[str, str, str]]  # staged name, path in the tree, SHA-256
    clearings: list[str]  # removed first: they block paths of new files
    removals: list[str]

    def to_bytes(self) -> bytes:
        return json.dumps(self._asdict()).encode()

    @classmethod
    def read(cls, data: bytes) -> Journal:
        """Parses a journal; raises `ValueError`, `KeyError`, `TypeError` or `RecursionError`."""
        content = json.loads(data)
        moves = [(str(staged), str(path), str(digest)) for staged, path, digest in content["moves"]]
        clearings = [str(path) for path in content["clearings"]]
        removals = [str(path) for path in content["removals"]]
        moved = [name for staged, path, _ in moves for name in (staged, path)]
        if not all(map(is_safe, [*moved, *clearings, *removals])):
            raise ValueError("a path leads out of the tree")
        return cls(moves, clearings, removals)


class OutputTree:
    """The output folder during one run: `stage` and `take` files, or `keep` them, then `commit`.

    Call `abandon` if the run fails before `commit`.
    """

    def __init__(self, output: Path, shown: str, dry_run: bool = False) -> None:
        """Completes an interrupted burst first (not in a dry run); raises `RunError`."""
        self.output = output
        self.shown = shown
        self.dry_run = dry_run
        self.changes = Changes()
        self.completed_burst = False
        self._root = Root(output)
        self._folders: set[str] = set()  # already checked
        self._blockers: set[str] = set()  # feedpub's own files that block new ones
        self._moved: dict[str, str] = {}  # by a burst that could not be completed
        self.files: dict[str, str] = {}  # of the new tree: path → SHA-256
        self._staged: dict[str, str] = {}  # path → staged name
        if not dry_run:
            self.completed_burst = self._complete_burst()

    @functools.cached_property
    def previous(self) -> Manifest:
        """The manifest of the last run; raises `RunError` if it is damaged."""
        try:
            manifest = read_manifest(self.output) or Manifest()
        except ManifestError as error:
            raise RunError(
                f"{self.shown}/{MANIFEST_NAME} is damaged ({error}), so feedpub does not "
                "know which files are its own; restore it, or move the folder away and run again"
            ) from None
        return manifest._replace(files={**manifest.files, **self._moved})

    def holding(self) -> contextlib.AbstractContextManager[None]:
        """Makes staging many files faster, while one thread does that (`Root.holding`)."""
        return self._root.holding()

    def stage(self, path: str, data: bytes, name: str) -> Staged:
        """Adds a file; writes it to the staging folder if it differs from the one in place.

        `name` is its name in the staging folder. Any process may call this; the main process must
        `take` the result.
        """
        digest = hashlib.sha256(data).hexdigest()
        with self._errors():
            if self._root.holds(path, data):
                return Staged(path, digest, "")
            if not self.dry_run:
                self._root.write(f"{STAGING}/{name}", data)
            return Staged(path, digest, name)

    def stage_file(self, path: str, digest: str, source: Path, name: str) -> Staged:
        """Like `stage`, for a copy of a large file.

        Raises `ChangedError` if that no longer has this digest (SHA-256).
        """
        with self._errors():
            if self._root.digest(path) == digest:
                return Staged(path, digest, "")
            if not self.dry_run:
                found = hashlib.sha256()
                place = f"{STAGING}/{name}"
                with source.open("rb") as file, self._root.create(place, replace=True) as copy:
                    while piece := file.read(_PIECE):
                        found.update(piece)
                        copy.write(piece)
                if found.hexdigest() != digest:
                    raise ChangedError(path)
            return Staged(path, digest, name)

    def digest(self, path: str) -> str:
        """The SHA-256 of a file in place, "" if it is missing or cannot be read."""
        return self._root.digest(path)

    def take(self, staged: Staged) -> None:
        """Adds a staged file to the new tree."""
        path, digest, name = staged
        self.files[path] = digest
        if not name:
            self.changes.unchanged.append(path)
            return
        with self._errors():
            self._check_way(path)
        self.changes.written.append(path)
        self._staged[path] = name

    def keep(self, path: str, digest: str) -> None:
        """Adds an unchanged file that is in place."""
        self.files[path] = digest
        self.changes.unchanged.append(path)

    def _check_way(self, path: str) -> None:
        """Raises `ForeignFileError` if a path is blocked by something that is not feedpub's."""
        with contextlib.suppress(OSError):
            is_folder = stat.S_ISDIR(self._root.status(path).st_mode)
            if is_folder or path not in self.previous.files:
                self._blockers.update(self._own_files(path))
        folder = path.rpartition("/")[0]
        while folder and folder not in self._folders:
            if self._root.exists(folder) and not self._root.is_folder(folder):
                self._blockers.update(self._own_files(folder))
            self._folders.add(folder)
            folder = folder.rpartition("/")[0]

    def _own_files(self, path: str) -> list[str]:
        """The files at a path; raises `ForeignFileError` if one is not feedpub's."""
        found = [path]
        if self._root.is_folder(path):
            found = [f"{path}/{file}" for file, _ in Root(self._root.full(path)).walk()]
        if not found:
            raise self._foreign(path)  # feedpub leaves no empty folders
        for file in found:
            if file not in self.previous.files:
                raise self._foreign(file)
        return found

    def _foreign(self, path: str) -> ForeignFileError:
        return ForeignFileError(
            self.shown,
            path,
            has_manifest=bool(self.previous.files),
            is_link=self._root.is_link(path),
        )

    def commit(self, items: int, last: tuple[str, ...]) -> None:
        """Moves all files into place: feeds, catalogues (`last`), removals, manifest."""
        removals: list[str] = []
        for path, digest in sorted(self.previous.files.items()):
            if path in self.files:
                continue
            if self._root.exists(path):
                own = self._root.digest(path) == digest
                (removals if own else self.changes.kept).append(path)
            elif self._root.is_behind_link(path):
                self.changes.kept.append(path)
        self.changes.removed = removals
        for path in sorted(self._blockers):
            if path not in removals:
                raise self._foreign(path)
        manifest = Manifest(self.files, items).to_bytes()
        moves = [path for path in self._staged if path not in last]
        moves += [path for path in self._staged if path in last]
        digests = dict(self.files)
        with self._errors():
            stale = not self._root.holds(MANIFEST_NAME, manifest)
            if self.dry_run or not (moves or removals or stale):
                return
            if stale:
                moves.append(MANIFEST_NAME)
                self._staged[MANIFEST_NAME] = "manifest"
                digests[MANIFEST_NAME] = hashlib.sha256(manifest).hexdigest()
                self._root.write(f"{STAGING}/manifest", manifest)
            journal = Journal(
                moves=[(self._staged[path], path, digests[path]) for path in moves],
                clearings=[path for path in removals if path in self._blockers],
                removals=[path for path in removals if path not in self._blockers],
            )
            self._root.write(f"{_JOURNAL}.new", journal.to_bytes(), sync=True)
            self._root.rename(f"{_JOURNAL}.new", _JOURNAL)
        self._burst(journal)

    def abandon(self) -> None:
        """Removes what was staged; the tree is unchanged. After `commit`, does nothing."""
        if not self.dry_run and not self._root.exists(_JOURNAL):
            with contextlib.suppress(OSError):
                self._root.remove_tree(STAGING)

    def _burst(self, journal: Journal) -> None:
        """Raises `RunError` if it is interrupted; the next run completes it."""
        left = "the next run completes what was begun"
        # Signals take effect after the burst.
        with held_signals(), _as_run_error(self.output, self.shown, left):
            self._carry_out(journal)

    def _carry_out(self, journal: Journal) -> None:
        *moves, last = journal.moves or [("", "", "")]
        if last[1] != MANIFEST_NAME:
            moves, last = journal.moves, ("", "", "")
        for path in journal.clearings:
            if not self._root.is_folder(path):  # else it was replaced before
                self._remove(path)
        with self._root.holding():
            for staged, path, _ in moves:
                self._move(staged, path)
        for path in journal.removals:
            self._remove(path)
        if last[0]:
            self._move(last[0], last[1])
        self._root.remove(_JOURNAL)
        with contextlib.suppress(OSError):
            self._root.remove_tree(STAGING)

    def _remove(self, path: str) -> None:
        self._root.remove(path)
        self._root.prune(path)

    def _move(self, staged: str, path: str) -> None:
        try:
            self._root.rename(f"{STAGING}/{staged}", path)
        except FileNotFoundError:
            if self._root.exists(f"{STAGING}/{staged}"):
                raise
            # else an earlier run of the same burst has moved it

    def _complete_burst(self) -> bool:
        """Completes an interrupted burst; returns whether there was one."""
        with self._errors():
            journal = self._left_journal()
        if journal is None:
            return False
        self._burst(journal)
        return True

    def _left_journal(self) -> Journal | None:
        """The journal of an interrupted burst; clears one that cannot be completed."""
        if not self._root.exists(STAGING):
            return None
        try:
            journal = Journal.read(self._root.read(_JOURNAL))
            manifest = read_manifest(self.output) or Manifest()
        except (OSError, ManifestError, ValueError, KeyError, TypeError, RecursionError):
            self._root.remove_tree(STAGING)
            return None
        if not all(self._can_move(move, manifest.files) for move in journal.moves):
            for _, path, digest in journal.moves:
                if path != MANIFEST_NAME and self._root.digest(path) == digest:
                    self._moved[path] = digest  # feedpub wrote it, though the manifest lacks it
            self._root.remove_tree(STAGING)
            return None
        return journal._replace(
            clearings=self._own(journal.clearings, manifest),
            removals=self._own(journal.removals, manifest),
        )

    def _can_move(self, move: tuple[str, str, str], own: Collection[str]) -> bool:
        """Whether a move is possible or done: after a power loss, staged files may be lost.

        A file that the manifest does not name is never replaced.
        """
        staged, path, digest = move
        if self._root.digest(path) == digest:
            return True
        is_ours = path in own or path == MANIFEST_NAME
        return (
            self._root.digest(f"{STAGING}/{staged}") == digest
            and (is_ours or not self._root.exists(path))
            and not self._root.is_behind_link(path)
        )

    def _own(self, paths: list[str], manifest: Manifest) -> list[str]:
        """Paths that the manifest names with the digest they have; others are never removed.

        Missing files count, too: they may have left empty folders.
        """
        return [
            path
            for path in paths
            if path in manifest.files
            and (self._root.digest(path) == manifest.files[path] or not self._root.exists(path))
        ]

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return _as_run_error(self.output, self.shown, "what was published stands")


@contextlib.contextmanager
def _as_run_error(output: Path, shown: str, left: str) -> Iterator[None]:
    """Turns an `OSError` into `RunError`; `left` describes the state of the tree."""
    try:
        yield
    except OSError as error:
        path = os.path.relpath(error.filename2 or error.filename or output, output)
        where = "" if path.startswith((".", STAGING)) else f"/{path}"
        raise RunError(
            f"{shown}{where}: the feeds cannot be written ({error.strerror}); "
            f"fix this and run again, {left}"
        ) from error
