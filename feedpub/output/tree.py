"""One run's changes to the output tree.

What subscribers fetch is at every moment wholly old or wholly new: changed
files are written beside the tree's own (in `.feedpub-staging/`, on the same
file system), then a journal is written, then all are moved in one burst. A
burst that was cut is completed by the next run before anything else; before
the journal is there, nothing has changed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from feedpub.errors import ChangedError, ForeignFileError, RunError
from feedpub.output.manifest import (
    MANIFEST_NAME,
    Manifest,
    ManifestError,
    is_safe,
    read_manifest,
)
from feedpub.signals import held_signals

STAGING = ".feedpub-staging"
_JOURNAL = "journal.json"


@dataclass(slots=True, eq=False, repr=False)
class Changes:
    """What a run does to the tree, in paths below it."""

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # to be removed, but somebody changed them


class Staged(NamedTuple):
    """A file of the new tree; `name` is where in the staging its bytes are, "" if not needed."""

    path: str
    digest: str
    name: str


class Journal(NamedTuple):
    """A burst as it was decided on: what is moved where, in order, and what is removed."""

    moves: list[tuple[str, str, str]]  # name in the staging, path in the tree, SHA-256
    clearings: list[str]  # removed before anything is moved: a file where a folder is to be
    removals: list[str]

    def to_bytes(self) -> bytes:
        return json.dumps(self._asdict()).encode()

    @classmethod
    def read(cls, data: bytes) -> Journal:
        """Raises `ValueError`, `KeyError` or `TypeError` if it is no journal."""
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

    A run that does not come so far is to `abandon` it.
    """

    def __init__(self, output: Path, shown: str, dry_run: bool = False) -> None:
        """Completes an interrupted burst first (not in a dry run); raises `RunError`."""
        self.output = output
        self.shown = shown
        self.dry_run = dry_run
        self.changes = Changes()
        self.completed_burst = False
        self._staging = output / STAGING
        self._folders: set[str] = set()  # seen to be folders, or not there
        self._blockers: set[str] = set()  # files of feedpub's own that are in the way of others
        self._made = False  # whether the staging folder is there
        self._moved: dict[str, str] = {}  # what a burst that could not be completed had moved
        self.files: dict[str, str] = {}  # of the new tree: path → SHA-256
        self._staged: dict[str, str] = {}  # path → the name of its new bytes in the staging
        if not dry_run:
            self.completed_burst = self._complete_burst()

    @functools.cached_property
    def previous(self) -> Manifest:
        """What the last run left; raises `RunError` if nobody can tell."""
        try:
            manifest = read_manifest(self.output) or Manifest()
        except ManifestError as error:
            raise RunError(
                f"{self.shown}/{MANIFEST_NAME} cannot be understood ({error}), so feedpub does not "
                "know which files are its own; restore it, or move the folder away: it is made anew"
            ) from None
        return manifest._replace(files={**manifest.files, **self._moved})

    def stage(self, path: str, data: bytes, name: str) -> Staged:
        """A file of the new tree; written to the side if it differs from the one in place.

        `name` is its own in the staging. Any process may do this, one must `take` what came of it.
        """
        digest = hashlib.sha256(data).hexdigest()
        with self._errors():
            if _holds(f"{self.output}/{path}", data):
                return Staged(path, digest, "")
            if not self.dry_run:
                self._write(name, data)
            return Staged(path, digest, name)

    def stage_file(
        self, path: str, digest: str, copy: Callable[[str], object], name: str
    ) -> Staged:
        """As `stage`, of a file too large to hold: `copy` makes it at the path that it is given.

        Raises `ChangedError` if that is not what has this digest (SHA-256).
        """
        with self._errors():
            if digest_of(self.output / path) == digest:
                return Staged(path, digest, "")
            if not self.dry_run:
                self._staging.mkdir(parents=True, exist_ok=True)
                self._made = True
                copy(f"{self._staging}/{name}")
                if digest_of(self._staging / name) != digest:
                    raise ChangedError(path)
            return Staged(path, digest, name)

    def take(self, staged: Staged) -> None:
        """Takes a staged file into the new tree."""
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
        """A file of the new tree that is in place, and known to be what it should be."""
        self.files[path] = digest
        self.changes.unchanged.append(path)

    def _check_way(self, path: str) -> None:
        """Raises `ForeignFileError` if something that is not feedpub's is where a file would go."""
        target = f"{self.output}/{path}"
        is_folder = os.path.isdir(target) and not os.path.islink(target)
        if is_folder or (path not in self.previous.files and os.path.lexists(target)):
            self._blockers.update(self._own_files(path))
        folder = path.rpartition("/")[0]
        while folder and folder not in self._folders:
            place = f"{self.output}/{folder}"
            if os.path.lexists(place) and not os.path.isdir(place):
                self._blockers.update(self._own_files(folder))
            self._folders.add(folder)
            folder = folder.rpartition("/")[0]

    def _own_files(self, path: str) -> list[str]:
        """What is at a path, if it is all feedpub's; raises `ForeignFileError` if it is not."""
        place = self.output / path
        if not place.is_dir() or place.is_symlink():
            found = [path]
        else:
            found = [
                file.relative_to(self.output).as_posix()
                for file in place.rglob("*")
                if file.is_symlink() or not file.is_dir()
            ]
        if not found:
            raise self._foreign(path)  # an empty folder is somebody else's
        for file in found:
            if file not in self.previous.files:
                raise self._foreign(file)
        return found

    def _foreign(self, path: str) -> ForeignFileError:
        return ForeignFileError(self.shown, path, has_manifest=bool(self.previous.files))

    def commit(self, items: int, last: tuple[str, ...]) -> None:
        """Moves everything into place: feeds, then the catalogues (`last`), removals, manifest."""
        removals: list[str] = []
        for path, digest in sorted(self.previous.files.items()):
            if path in self.files or not os.path.lexists(self.output / path):
                continue
            with self._errors():
                own = digest_of(self.output / path) == digest
            (removals if own else self.changes.kept).append(path)
        self.changes.removed = removals
        for path in sorted(self._blockers):
            if path not in removals:
                raise self._foreign(path)
        manifest = Manifest(self.files, items).to_bytes()
        moves = [path for path in self._staged if path not in last]
        moves += [path for path in self._staged if path in last]
        digests = dict(self.files)
        with self._errors():
            stale = not _holds(f"{self.output}/{MANIFEST_NAME}", manifest)
            if self.dry_run or not (moves or removals or stale):
                return
            if stale:
                moves.append(MANIFEST_NAME)
                self._staged[MANIFEST_NAME] = "manifest"
                digests[MANIFEST_NAME] = hashlib.sha256(manifest).hexdigest()
                self._write("manifest", manifest)
            journal = Journal(
                moves=[(self._staged[path], path, digests[path]) for path in moves],
                clearings=[path for path in removals if path in self._blockers],
                removals=[path for path in removals if path not in self._blockers],
            )
            self._write("journal.new", journal.to_bytes(), sync=True)
            (self._staging / "journal.new").replace(self._staging / _JOURNAL)
        self._burst(journal)

    def abandon(self) -> None:
        """Takes away what was staged; the tree is as it was. After `commit`, does nothing."""
        if not self.dry_run and not (self._staging / _JOURNAL).exists():
            shutil.rmtree(self._staging, ignore_errors=True)

    def _burst(self, journal: Journal) -> None:
        """Raises `RunError` with the burst half done; the next run goes on with it."""
        left = "the next run completes what was begun"
        # Who ends the run now ends it when all is in place.
        with held_signals(), _as_run_error(self.output, self.shown, left):
            self._carry_out(journal)

    def _carry_out(self, journal: Journal) -> None:
        *moves, last = journal.moves or [("", "", "")]
        if last[1] != MANIFEST_NAME:
            moves, last = journal.moves, ("", "", "")
        for path in journal.clearings:
            if not (self.output / path).is_dir():  # else it was cleared, and the new is there
                self._remove(path)
        for staged, path, _ in moves:
            self._move(staged, path)
        for path in journal.removals:
            self._remove(path)
        if last[0]:
            self._move(last[0], last[1])
        (self._staging / _JOURNAL).unlink()
        shutil.rmtree(self._staging, ignore_errors=True)

    def _remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            (self.output / path).unlink()
        self._remove_empty((self.output / path).parent)

    def _move(self, staged: str, path: str) -> None:
        source, target = f"{self._staging}/{staged}", f"{self.output}/{path}"
        try:
            os.replace(source, target)
        except FileNotFoundError:
            if os.path.exists(source):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.replace(source, target)
            # else an earlier run of the same burst has moved it

    def _complete_burst(self) -> bool:
        """Ends what an earlier run was cut in the middle of; whether there was anything."""
        with self._errors():
            journal = self._left_journal()
        if journal is None:
            return False
        self._burst(journal)
        return True

    def _left_journal(self) -> Journal | None:
        """What an earlier run was cut in the middle of; what cannot be completed is cleared."""
        if not self._staging.exists():
            return None
        try:
            journal = Journal.read((self._staging / _JOURNAL).read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            journal = None
        if journal is None or not all(self._is_safe(move) for move in journal.moves):
            for _, path, digest in journal.moves if journal else ():
                if path != MANIFEST_NAME and digest_of(self.output / path) == digest:
                    self._moved[path] = digest  # feedpub's own, though the manifest lacks it
            shutil.rmtree(self._staging)
            return None
        return journal

    def _is_safe(self, move: tuple[str, str, str]) -> bool:
        """Whether a move can be made, or was: who lost power may have lost what was staged."""
        staged, path, digest = move
        found = digest_of(self._staging / staged)
        return found == digest or (not found and digest_of(self.output / path) == digest)

    def _write(self, name: str, data: bytes, sync: bool = False) -> None:
        """A file in the staging."""
        if not self._made:
            self._staging.mkdir(parents=True, exist_ok=True)
            self._made = True
        fd = os.open(f"{self._staging}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if sync:
                os.fsync(fd)
        finally:
            os.close(fd)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.output:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return _as_run_error(self.output, self.shown, "what was published stands")


def _holds(file: str, data: bytes) -> bool:
    """Whether a file is there and holds these bytes."""
    try:
        return os.stat(file).st_size == len(data) and Path(file).read_bytes() == data
    except OSError:  # what cannot be read is made anew
        return False


def digest_of(path: Path) -> str:
    """A file's SHA-256, "" if it is not there, or cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


@contextlib.contextmanager
def _as_run_error(output: Path, shown: str, left: str) -> Iterator[None]:
    """Makes a `RunError` of an `OSError`; `left` says how the tree is left."""
    try:
        yield
    except OSError as error:
        path = os.path.relpath(error.filename2 or error.filename or output, output)
        where = "" if path.startswith((".", STAGING)) else f"/{path}"
        raise RunError(
            f"{shown}{where}: the feeds cannot be written ({error.strerror}); "
            f"mend that and run again, {left}"
        ) from error
