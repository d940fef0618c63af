"""Atomic writes, locks, and file operations that stay below one folder.

Every access below an output folder or the folder of a `file:` target goes through `Root`. What the
files mean belongs elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from io import BufferedReader, BufferedWriter
from pathlib import Path

TEMPORARY_PREFIX = ".feedpub-new-"
_MAX_HELD = 50  # handles of folders
_RETRY = 0.05  # seconds between two attempts to get a lock

# Without directory handles (Windows), each folder on the way is checked by its path.
_HAS_HANDLES = {os.open, os.stat, os.mkdir, os.unlink, os.rmdir, os.rename} <= os.supports_dir_fd
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0) | os.O_RDONLY | _BINARY
# Opening a FIFO or a device must not wait for its other end.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY
_WRITE = os.O_WRONLY | os.O_CREAT | _BINARY


class LinkError(OSError):
    """A symbolic link in place of a file or folder below a root. It was not followed."""

    def __init__(self, path: str) -> None:
        what = "it is a symbolic link, and feedpub follows none here; replace it with its target"
        super().__init__(errno.ELOOP, what, path)


class Root:
    """File operations below one folder. Paths are relative to it, with slashes.

    The folder itself may be a symbolic link, nothing below it is followed: a folder on the way
    that is a link raises `LinkError`. All methods raise `OSError`, with full paths. A path must
    not hold `..` (see `output.manifest.is_safe`).
    """

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        self._held: dict[str, int] | None = None  # folder → handle; the last used is last

    def full(self, path: str) -> str:
        """The path for messages, and for programs that are given one."""
        return f"{self.path}/{path}" if path else self.path

    def status(self, path: str) -> os.stat_result:
        """The result of `os.lstat`."""
        with self._parent(path) as (handle, name):
            return os.stat(name, dir_fd=handle, follow_symlinks=False)

    def exists(self, path: str) -> bool:
        """Whether anything exists at a path, even a link; False if a folder above is one."""
        try:
            self.status(path)
        except OSError:
            return False
        return True

    def is_folder(self, path: str) -> bool:
        """Whether it is a folder, and no link to one."""
        return self._has_type(path, stat.S_IFDIR)

    def is_link(self, path: str) -> bool:
        """Whether it is a symbolic link."""
        return self._has_type(path, stat.S_IFLNK)

    def is_behind_link(self, path: str) -> bool:
        """Whether a folder on the way to a path is a symbolic link."""
        try:
            self.status(path)
        except LinkError:
            return True
        except OSError:
            return False
        return False

    def open(self, path: str) -> BufferedReader:
        """Opens a regular file to be read; raises `OSError` for anything else, without waiting."""
        with self._parent(path) as (handle, name):
            return _regular(os.open(name, _READ | _NO_LINK, dir_fd=handle))

    def read(self, path: str) -> bytes:
        """All bytes of a regular file."""
        with self.open(path) as file:
            return file.read()

    def read_link(self, path: str) -> str:
        """The target of a symbolic link, as written."""
        with self._parent(path) as (handle, name):
            return os.readlink(name, dir_fd=handle)

    def holds(self, path: str, data: bytes) -> bool:
        """Whether a file is there and has exactly these bytes; False if it cannot be read."""
        try:
            with self._parent(path) as (handle, name):
                file = os.open(name, _READ | _NO_LINK, dir_fd=handle)
        except OSError:
            return False
        try:  # without the buffers of a file object, which cost as much as the reading
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode) or status.st_size != len(data):
                return False
            return os.read(file, len(data) + 1) == data
        except OSError:
            return False
        finally:
            os.close(file)

    def digest(self, path: str) -> str:
        """A file's SHA-256, "" if it is not there or cannot be read."""
        try:
            with self.open(path) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return ""

    def create(self, path: str, replace: bool = False) -> BufferedWriter:
        """Opens a new file to be written, and makes its folders.

        Raises `FileExistsError` if something is there, unless it is a file and `replace`.
        """
        flags = _WRITE | _NO_LINK | (os.O_TRUNC if replace else os.O_EXCL)
        with self._parent(path, make=True) as (handle, name):
            return os.fdopen(os.open(name, flags, 0o666, dir_fd=handle), "wb")

    def write(self, path: str, data: bytes, sync: bool = False) -> None:
        """Writes a file in place, not atomically: for temporary and staged files.

        `sync`: it is on the disk when this returns.
        """
        with self.create(path, replace=True) as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())

    def rename(self, source: str, target: str) -> None:
        """Moves a file atomically, over one that is there; makes the folders of its target."""
        with (
            self._parent(source) as (from_handle, from_name),
            self._parent(target, make=True) as (to_handle, to_name),
        ):
            os.replace(from_name, to_name, src_dir_fd=from_handle, dst_dir_fd=to_handle)

    def rename_to_free(self, source: str, target: str) -> None:
        """The same, but raises `FileExistsError` if anything is at the target.

        Exact where the file system has hard links; elsewhere another process may come between.
        """
        with (
            self._parent(source) as (from_handle, from_name),
            self._parent(target, make=True) as (to_handle, to_name),
        ):
            handles = {"src_dir_fd": from_handle, "dst_dir_fd": to_handle}
            try:
                os.link(from_name, to_name, follow_symlinks=False, **handles)
            except FileExistsError:
                raise
            except (OSError, NotImplementedError):
                if self.exists(target):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
                os.replace(from_name, to_name, **handles)
                return
            os.unlink(from_name, dir_fd=from_handle)

    def remove(self, path: str) -> None:
        """Removes a file or a link; one that is not there is no error."""
        with (
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            self._parent(path) as (handle, name),
        ):
            os.unlink(name, dir_fd=handle)

    def prune(self, path: str) -> None:
        """Removes the folders that a path is in, as far as they are empty."""
        while path := path.rpartition("/")[0]:
            try:
                with self._parent(path) as (handle, name):
                    os.rmdir(name, dir_fd=handle)
            except OSError:
                return  # something else is in it

    def remove_tree(self, path: str) -> None:
        """Removes a folder and its contents. If the path is a link, only the link is removed."""
        if not self.is_folder(path):
            self.remove(path)
            return
        import shutil

        with self._parent(path) as (handle, name):
            shutil.rmtree(name, dir_fd=handle)  # follows no link

    def walk(self) -> Iterator[tuple[str, os.stat_result]]:
        """Every file and link, with what `os.lstat` tells of it.

        Folders that may not be read, and what vanishes meanwhile, are left out.
        """
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            found: list[tuple[str, os.stat_result]] = []
            try:
                with (
                    self._folder(folder) as handle,
                    os.scandir(self.full(folder) if handle is None else handle) as entries,
                ):
                    for entry in entries:
                        with contextlib.suppress(FileNotFoundError):
                            path = f"{folder}/{entry.name}" if folder else entry.name
                            found.append((path, entry.stat(follow_symlinks=False)))
            except FileNotFoundError:
                continue
            except PermissionError:
                if not folder:
                    raise
            for path, status in found:
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(path)
                else:
                    yield path, status

    def _has_type(self, path: str, kind: int) -> bool:
        try:
            return stat.S_IFMT(self.status(path).st_mode) == kind
        except OSError:
            return False

    @contextlib.contextmanager
    def _parent(self, path: str, make: bool = False) -> Iterator[tuple[int | None, str]]:
        """A handle of the folder that a path is in, and its name there; else None and the path."""
        folder, _, name = path.rpartition("/")
        if ".." in path and ".." in path.split("/"):
            raise OSError(errno.EINVAL, "the path leads out of its folder", self.full(path))
        with self._folder(folder, make) as handle:
            try:
                yield handle, name if handle is not None else self.full(path)
            except OSError as error:
                raise self._explained(error, path, handle, name) from None

    @contextlib.contextmanager
    def _folder(self, path: str, make: bool = False) -> Iterator[int | None]:
        """A handle of a folder that is reached without links, None where there are no handles."""
        if not _HAS_HANDLES:
            self._check(path, make)
            yield None
            return
        if self._held is not None:
            yield self._hold(self._held, path, make)
            return
        handle = self._open(path, make)
        try:
            yield handle
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Keeps the handles of folders open, so that not each file is walked to from the root.

        For many operations of one thread, none of which removes a folder.
        """
        self._held = {}
        try:
            yield
        finally:
            for handle in self._held.values():
                os.close(handle)
            self._held = None

    def _hold(self, held: dict[str, int], path: str, make: bool) -> int:
        handle = held.pop(path, -1)
        if handle < 0:
            handle = self._open(path, make)
            if len(held) >= _MAX_HELD:
                os.close(held.pop(next(iter(held))))
        held[path] = handle
        return handle

    def _open(self, path: str, make: bool) -> int:
        """A handle of a folder, reached without links."""
        handle = _open_folder(self.path, None, make)
        try:
            walked = ""
            for name in path.split("/") if path else ():
                walked = f"{walked}/{name}" if walked else name
                try:
                    below = _open_folder(name, handle, make)
                except OSError as error:
                    raise self._explained(error, walked, handle, name) from None
                os.close(handle)
                handle = below
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _check(self, path: str, make: bool) -> None:
        """Raises `OSError` if a folder on the way is a link, or not there and not to be made."""
        if make:
            Path(self.path).mkdir(parents=True, exist_ok=True)
        walked = Path(self.path)
        for name in path.split("/") if path else ():
            walked /= name
            if walked.is_symlink():
                raise LinkError(str(walked))
            if make:
                walked.mkdir(exist_ok=True)
            if not walked.is_dir():
                code = errno.ENOTDIR if walked.exists() else errno.ENOENT
                raise OSError(code, os.strerror(code), str(walked))

    def _explained(self, error: OSError, path: str, handle: int | None, name: str) -> OSError:
        """The same error with the full path; `LinkError` if a link is the reason."""
        if str(error.filename or "").startswith(self.path):
            return error
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            with contextlib.suppress(OSError):
                status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                if stat.S_ISLNK(status.st_mode):
                    return LinkError(self.full(path))
        return OSError(error.errno, error.strerror, self.full(path))


def _open_folder(path: str, above: int | None, make: bool) -> int:
    """A handle of a folder; `above` is the handle of the one that it is in, None for a root."""
    flags = _FOLDER if above is None else _FOLDER | _NO_LINK
    try:
        return os.open(path, flags, dir_fd=above)
    except FileNotFoundError:
        if not make:
            raise
        if above is None:
            Path(path).mkdir(parents=True, exist_ok=True)
        else:
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, dir_fd=above)
        return os.open(path, flags, dir_fd=above)


def _regular(descriptor: int) -> BufferedReader:
    """The file of a descriptor; raises `OSError` and closes it if it is not a regular file."""
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        is_folder = stat.S_ISDIR(mode)
        raise OSError(
            errno.EISDIR if is_folder else errno.EINVAL,
            os.strerror(errno.EISDIR) if is_folder else "it is not a regular file",
        )
    return os.fdopen(descriptor, "rb")


def temporary_name() -> str:
    """A unique name for a file that is renamed when it is complete."""
    return f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}"


def temporary_beside(path: str) -> str:
    """Such a name in the folder of a path."""
    folder, slash, _ = path.rpartition("/")
    return f"{folder}{slash}{temporary_name()}"


def write_atomic(path: Path, data: bytes) -> None:
    """Writes a file atomically: readers see the old or the new content. Creates its folder.

    Raises `OSError`; the file is then what it was.
    """
    folder, name = Root(path.parent), temporary_name()
    try:
        folder.write(name, data)
        folder.rename(name, path.name)
    except BaseException:
        with contextlib.suppress(OSError):
            folder.remove(name)
        raise


@contextlib.contextmanager
def locked(path: Path, wait: float = 0.0) -> Iterator[bool]:
    """Holds an exclusive lock on a folder, or on a file that exists only while it is locked.

    The lock ends with the process. Yields False where the system or file system has no locks.
    Raises `BlockingIOError` if another process still has it after `wait` seconds.
    """
    end = time.monotonic() + wait
    is_folder = path.is_dir()
    while True:
        flags = os.O_RDONLY | _BINARY if is_folder else os.O_RDWR | os.O_CREAT | _NO_LINK | _BINARY
        descriptor = os.open(path, flags, 0o666)
        try:
            has_lock = _lock(descriptor)
            if has_lock is None:
                if (left := end - time.monotonic()) <= 0:
                    raise BlockingIOError(errno.EWOULDBLOCK, "another process holds it", str(path))
                time.sleep(min(_RETRY, left))
                continue
            if has_lock and not _is_same(descriptor, path):
                continue  # the process that had it has removed the file
            try:
                yield has_lock
            finally:
                if not is_folder:
                    path.unlink(missing_ok=True)
            return
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Locks a file (flock(2)); None if another process has it, False if there are no locks."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    except (ImportError, OSError):
        return False
    return True


def _is_same(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
