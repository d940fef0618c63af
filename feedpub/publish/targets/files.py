"""`file:///path`: a folder, or numbered versions of it with a symbolic link to the current one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from feedpub.durable import (
    TEMPORARY_PREFIX,
    LinkError,
    Root,
    locked,
    temporary_beside,
    temporary_name,
)
from feedpub.publish.errors import AlreadyExistsError, ConflictError, FileError, TargetError
from feedpub.publish.targets import TargetContext
from feedpub.publish.targets.base import TemporaryPaths, put_after_compare
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Target, Upload

_NO_USE = frozenset({errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO})  # affects all files
_DIGITS = 6  # of a version's name
_LOCK = ".lock"
PATIENCE = 60.0  # seconds to wait for a lock, which is only held for moments


def connect(place: TargetContext) -> FolderTarget | VersionedTarget:
    """A folder target, or a versioned one with `versions`."""
    path = Path(place.address.path)
    output = place.output.resolve()
    if output == path.resolve() or output in path.resolve().parents:
        raise TargetError("the target is the output folder itself, or in it; name another folder")
    with _as_target_error(path):
        if place.settings.versions:
            return VersionedTarget(path, place.settings.versions)
        if not path.is_dir() and not path.parent.is_dir():
            raise TargetError(f"there is no folder {path.parent}; is a disk unmounted?")
        return FolderTarget(path)


class FolderTarget(Target):
    """A folder. Files are written to a temporary name and renamed.

    The folder itself may be a symbolic link. A link in it is a file like others: it is listed,
    replaced and deleted, and never followed.
    """

    def __init__(self, root: Path) -> None:
        self.can = Capabilities(jobs=4)
        self.files = Root(root)
        self._left = TemporaryPaths()

    def read(self, path: str) -> RemoteFile | None:
        with _as_target_error(self.files.path):
            try:
                data = self.files.read(path)
            except LinkError:
                if not self.files.is_link(path):
                    return None  # it is behind one
                data = os.fsencode(self.files.read_link(path))
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
            return RemoteFile(data, hashlib.sha256(data).hexdigest())

    def list(self) -> dict[str, ListedFile]:
        with _as_target_error(self.files.path):
            found = {}
            for path, status in self.files.walk():
                if not self._left.take(path):
                    found[path] = ListedFile(status.st_size)
            return found

    def put(self, upload: Upload) -> None:
        path, fresh = upload.path, temporary_beside(upload.path)
        with _as_file_error(self.files.full(path)):
            try:
                with self.files.create(fresh) as file, upload.body.open() as body:
                    shutil.copyfileobj(body, file)
                if upload.new:
                    self.files.rename_to_free(fresh, path)
                else:
                    self.files.rename(fresh, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    self.files.remove(fresh)
                raise

    def put_if_match(self, upload: Upload, version: str) -> str:
        return put_after_compare(self, upload, version)

    def delete(self, path: str) -> None:
        with _as_file_error(self.files.full(path)):
            self.files.remove(path)
            self.files.prune(path)

    def commit(self, message: str) -> None:
        for path in self._left:
            with contextlib.suppress(OSError):
                self.files.remove(path)


class VersionedTarget(FolderTarget):
    """Numbered folders in `NAME.versions`; the path NAME is a symbolic link to one of them."""

    def __init__(self, link: Path, keep: int) -> None:
        self.link = link
        self.keep = keep
        self.folder = link.with_name(f"{link.name}.versions")
        if os.path.lexists(link) and not link.is_symlink():
            raise TargetError(f"{link} is no link to a version; move it away, and push again")
        if not link.parent.is_dir():
            raise TargetError(f"there is no folder {link.parent}; is a disk unmounted?")
        self._lock = threading.Lock()
        self._fresh: Path | None = None  # the version under construction
        self._mine = contextlib.ExitStack()  # its lock
        self._from = self.current
        super().__init__(self._from or self.folder / "none")
        self.can = Capabilities(atomic=True, jobs=4)

    @property
    def current(self) -> Path | None:
        """The version that the link points to."""
        return self.link.parent / self.link.readlink() if self.link.is_symlink() else None

    @property
    def all(self) -> list[Path]:
        """All versions, the oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.name.isdigit())

    def put(self, upload: Upload) -> None:
        self._begin()
        super().put(upload)

    def put_if_match(self, upload: Upload, version: str) -> str:
        self._begin()
        return super().put_if_match(upload, version)

    def delete(self, path: str) -> None:
        self._begin()
        super().delete(path)

    def _begin(self) -> None:
        """Copies the current version as hard links; files are replaced, never modified."""
        with _as_target_error(self.folder), self._lock:
            if self._fresh:
                return
            fresh = self.folder / temporary_name()
            self.folder.mkdir(exist_ok=True)
            with self._alone():
                # The lock protects it from the cleanup of other pushes.
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
            self._fresh = fresh
            self.files = Root(fresh)

    def _alone(self) -> contextlib.AbstractContextManager[bool]:
        """The lock on the list of versions."""
        return locked(self.folder / _LOCK, PATIENCE)

    def commit(self, message: str) -> None:
        if not self._fresh:
            return
        with _as_target_error(self.link), self._alone():
            if self.current != self._from:
                raise ConflictError("another push published first")
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
        """Removes unfinished versions of pushes that are no longer running."""
        names = {path.name.removesuffix(_LOCK) for path in self.folder.glob(f"{TEMPORARY_PREFIX}*")}
        for path in (self.folder / name for name in sorted(names)):
            with contextlib.suppress(OSError), locked(_lock_of(path)) as is_sure:
                if is_sure:
                    _remove(path)

    def roll_back(self) -> str:
        """Points the link at the version before the current one; returns its name."""
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
        """Points the link at a version, atomically."""
        fresh = self.folder / temporary_name()
        fresh.symlink_to(f"{self.folder.name}/{version.name}")
        fresh.replace(self.link)

    def close(self) -> None:
        with self._lock:
            if self._fresh:
                _remove(self._fresh)
            self._fresh = None
            with contextlib.suppress(OSError):
                self._mine.close()


def _lock_of(path: Path) -> Path:
    """The lock file of an unfinished version."""
    return path.with_name(f"{path.name}{_LOCK}")


def _remove(path: Path) -> None:
    """Removes a folder, or a link to one."""
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
def _as_target_error(path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TargetError(f"{error.filename or path}: {error.strerror}") from None


@contextlib.contextmanager
def _as_file_error(place: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise AlreadyExistsError from None
    except LinkError as error:
        raise FileError(f"{error.filename}: {error.strerror}") from None
    except OSError as error:
        if error.errno in _NO_USE:
            raise TargetError(f"{place}: {error.strerror}") from None
        raise FileError(f"{error.strerror}") from None
