"""`file:///path`: another folder or mount, or versions of one with a link to the newest."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from feedpub.publish.targets import Place
from feedpub.publish.targets.comparing import swap_after_look
from feedpub.publish.targets.temporary import PREFIX, fresh_name
from feedpub.publish.types import (
    Capabilities,
    Conflict,
    FileError,
    Found,
    InTheWay,
    Stored,
    Target,
    TargetError,
    Upload,
)

_NO_USE = frozenset({errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO})  # for no file
_DIGITS = 6  # of a version's name
_LOCK = ".lock"
_PAUSE = 0.1  # seconds between two looks at a lock
PATIENCE = 60.0  # seconds that a lock is waited for, which is held for moments


def connect(place: Place) -> Folder | Versions:
    """The folder; with `versions`, a new version of it."""
    path = Path(place.address.path)
    output = place.output.resolve()
    if output == path.resolve() or output in path.resolve().parents:
        raise TargetError("the target is the output folder itself, or in it; name another folder")
    with _as_target_error(path):
        if place.settings.versions:
            return Versions(path, place.settings.versions)
        if not path.is_dir() and not path.parent.is_dir():
            raise TargetError(f"there is no folder {path.parent}; is a disk unmounted?")
        return Folder(path)


class Folder(Target):
    """A folder; each file is written beside its place and renamed."""

    def __init__(self, root: Path) -> None:
        self.can = Capabilities(jobs=4)
        self.root = root
        self._left: list[Path] = []  # temporary files of pushes that were cut

    def read(self, path: str) -> Found | None:
        with _as_target_error(self.root):
            try:
                data = (self.root / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
            return Found(data, hashlib.sha256(data).hexdigest())

    def list(self) -> dict[str, Stored]:
        with _as_target_error(self.root):
            found = {}
            for file in _files(self.root):
                if file.name.startswith(PREFIX):
                    self._left.append(file)
                else:
                    size = file.lstat().st_size
                    found[file.relative_to(self.root).as_posix()] = Stored(size)
            return found

    def put(self, upload: Upload) -> None:
        place = self.root / upload.path
        with _as_file_error(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh = place.parent / fresh_name()
            try:
                with fresh.open("xb") as file, upload.body.open() as body:
                    shutil.copyfileobj(body, file)
                if upload.new:
                    _into_free_place(fresh, place)
                else:
                    fresh.replace(place)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise

    def swap(self, upload: Upload, version: str) -> str:
        return swap_after_look(self, upload, version)

    def delete(self, path: str) -> None:
        place = self.root / path
        with _as_file_error(place):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                place.unlink()
            for folder in place.parents:
                if folder == self.root:
                    return
                try:
                    folder.rmdir()
                except OSError:
                    return  # something else is in it

    def finish(self, message: str) -> None:
        for file in self._left:
            with contextlib.suppress(OSError):
                file.unlink()


def _files(root: Path) -> Iterator[Path]:
    """All files below a folder, and below those that links in it lead to."""
    inside: dict[str, frozenset[tuple[int, int]]] = {}  # folder → it, and those it is in
    for folder, folders, names in os.walk(root, followlinks=True):
        status = Path(folder).stat()
        above = inside.pop(folder, frozenset()) | {(status.st_dev, status.st_ino)}
        for name in list(folders):
            path = Path(folder, name)
            status = path.stat()
            if (status.st_dev, status.st_ino) in above:
                folders.remove(name)  # a link leads back to where it is
            else:
                inside[str(path)] = above
        yield from (Path(folder, name) for name in names)


def _into_free_place(fresh: Path, place: Path) -> None:
    """Moves a file where none is; raises `InTheWay`. Not all file systems know hard links."""
    try:
        os.link(fresh, place)
    except FileExistsError:
        raise InTheWay from None
    except OSError:
        if os.path.lexists(place):
            raise InTheWay from None
        fresh.replace(place)
        return
    fresh.unlink()


class Versions(Folder):
    """Numbered folders beside the path, which is a symbolic link to one of them."""

    def __init__(self, link: Path, keep: int) -> None:
        self.link = link
        self.keep = keep
        self.folder = link.with_name(f"{link.name}.versions")
        if os.path.lexists(link) and not link.is_symlink():
            raise TargetError(
                f"{link} is there, and is no link to a version; move it away, and push again"
            )
        if not link.parent.is_dir():
            raise TargetError(f"there is no folder {link.parent}; is a disk unmounted?")
        self._lock = threading.Lock()
        self._fresh: Path | None = None  # the version that is being made
        self._mine = contextlib.ExitStack()  # the lock that says so
        self._from = self.current
        super().__init__(self._from or self.folder / "none")
        self.can = Capabilities(atomic=True, jobs=4)

    @property
    def current(self) -> Path | None:
        """The version that the link leads to."""
        return self.link.parent / self.link.readlink() if self.link.is_symlink() else None

    @property
    def all(self) -> list[Path]:
        """Every version, the oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.name.isdigit())

    def put(self, upload: Upload) -> None:
        self._begin()
        super().put(upload)

    def swap(self, upload: Upload, version: str) -> str:
        self._begin()
        return super().swap(upload, version)

    def delete(self, path: str) -> None:
        self._begin()
        super().delete(path)

    def _begin(self) -> None:
        """Makes a copy of the current version; its files are links, and never written into."""
        with _as_target_error(self.folder), self._lock:
            if self._fresh:
                return
            fresh = self.folder / fresh_name()
            self.folder.mkdir(exist_ok=True)
            with self._alone():
                # From here on, no other push takes it for one that was left over.
                self._mine.enter_context(locked(_lock_of(fresh)))
            try:
                if self._from:
                    shutil.copytree(self._from, fresh, symlinks=True, copy_function=_link_or_copy)
                else:
                    fresh.mkdir()
            except BaseException:
                _remove(fresh)
                self._mine.close()
                raise
            self.root = self._fresh = fresh

    def _alone(self) -> contextlib.AbstractContextManager[bool]:
        """Only one push at a time looks at the versions, and changes them."""
        return locked(self.folder / _LOCK, PATIENCE)

    def finish(self, message: str) -> None:
        if not self._fresh:
            return
        with _as_target_error(self.link), self._alone():
            if self.current != self._from:
                raise Conflict("another push was faster")
            number = int(self.all[-1].name) + 1 if self.all else 1
            version = self.folder / f"{number:0{_DIGITS}}"
            self._fresh.rename(version)
            self._lead_to(version)
            for old in self.all[: -self.keep]:
                if old != version:
                    shutil.rmtree(old, ignore_errors=True)
            self._clear()
        self.close()

    def _clear(self) -> None:
        """Takes away what pushes were making that are no longer running."""
        names = {path.name.removesuffix(_LOCK) for path in self.folder.glob(f"{PREFIX}*")}
        for path in (self.folder / name for name in sorted(names)):
            with contextlib.suppress(OSError, Busy), locked(_lock_of(path)) as is_sure:
                if is_sure:
                    _remove(path)

    def roll_back(self) -> str:
        """Leads the link to the version before the current one; returns its name."""
        with _as_target_error(self.link):
            if not self.all:
                raise TargetError("there is no older version to go back to")
            with self._alone():
                older = [version for version in self.all if self.current and version < self.current]
                if not older:
                    raise TargetError("there is no older version to go back to")
                self._lead_to(older[-1])
                return older[-1].name

    def _lead_to(self, version: Path) -> None:
        """In one step: whoever follows the link comes to the old version, or to the new one."""
        fresh = self.folder / fresh_name()
        fresh.symlink_to(f"{self.folder.name}/{version.name}")
        fresh.replace(self.link)

    def close(self) -> None:
        with self._lock:
            if self._fresh:
                _remove(self._fresh)
            self._fresh = None
            with contextlib.suppress(OSError):
                self._mine.close()


class Busy(TargetError):
    """Somebody else holds a lock."""


def _lock_of(path: Path) -> Path:
    """The file that is locked as long as the push runs that makes a version."""
    return path.with_name(f"{path.name}{_LOCK}")


@contextlib.contextmanager
def locked(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Holds a lock (flock(2)), which also ends with the process; the file goes with it.

    Whether there is one: some file systems have none. Raises `Busy` after so many seconds.
    """
    end = time.monotonic() + patience
    while True:
        with path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_sure = True
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise Busy(f"another push holds {path}") from None
                time.sleep(_PAUSE)
                continue
            except OSError:
                is_sure = False
            if is_sure and not _is_same(file.fileno(), path):
                continue  # whoever had it has taken the file away
            try:
                yield is_sure
            finally:
                path.unlink(missing_ok=True)
            return


def _is_same(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    """Takes a folder away, or a link to one."""
    if path.is_symlink():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@contextlib.contextmanager
def _as_target_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TargetError(f"{error.filename or path}: {error.strerror}") from None


@contextlib.contextmanager
def _as_file_error(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_USE:
            raise TargetError(f"{place}: {error.strerror}") from None
        raise FileError(f"{error.strerror}") from None
