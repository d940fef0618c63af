"""Finds the files of the sources, and reads them. No other module opens records."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from feedpub.config import Config, SourceSpec
from feedpub.errors import FeedpubError, RunError
from feedpub.model import Problem
from feedpub.paths import printable_path
from feedpub.records.kinds import SUFFIXES, max_bytes

FolderId = tuple[int, int]  # device and inode: the same folder under any path
Chain = tuple[FolderId, ...]  # the ids of the folders above a folder


class FoundFile(NamedTuple):
    """A record file."""

    file: str  # path on this machine
    shown: str  # path in messages
    below: str  # path relative to the source
    source: SourceSpec


class Signature(NamedTuple):
    """Metadata that changes when a file changes; times are in nanoseconds.

    `ctime` is included because an edit may keep the size, and a program may reset `mtime`,
    but no program can set `ctime`.
    """

    size: int
    mtime: int
    ctime: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Signature:
        """The signature of a file with this stat result."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


NO_SIGNATURE = Signature(-1, -1, -1, -1)  # of a file without a stat result: never equal to another


# A file name and the fields of its signature; a plain tuple, since there are many.
FoundName = tuple[str, int, int, int, int]


class FoundFolder(NamedTuple):
    """The record files of one folder, sorted by name, or those that `records:` lists."""

    path: str
    source: SourceSpec
    shown: str  # prefix of its files in messages: "records/2026/", or ""
    below: str  # prefix of its files relative to the source
    files: list[FoundName]

    def file(self, name: str) -> FoundFile:
        """The file with this name."""
        return FoundFile(
            os.path.join(self.path, name),
            self.shown + printable_path(name),
            self.below + printable_path(name),
            self.source,
        )


@dataclass(slots=True, eq=False, repr=False)
class Scan:
    """The files found. Problems concern folders and links, and each counts as one record."""

    files: list[FoundFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def scan_sources(config: Config) -> Scan:
    """All record files, sorted by path. A file of several sources belongs to the first."""
    scan = Scan()
    for folder in walk_sources(config, scan.problems):
        scan.files += [folder.file(name) for name, *_ in folder.files]
    scan.files.sort(key=lambda found: found.shown)
    return scan


def walk_sources(config: Config, problems: list[Problem]) -> Iterator[FoundFolder]:
    """The record files by folder, in the order found, with their signatures."""
    return _Walk(config, problems).sources()


def count_files(config: Config) -> int:
    """The number of record files, without a stat of each, in a third of the time."""
    return sum(len(folder.files) for folder in _Walk(config, [], stat=False).sources())


class _Walk:
    """A walk over all sources. Each file and folder is found once, even with several names."""

    def __init__(self, config: Config, problems: list[Problem], stat: bool = True) -> None:
        self._config = config
        self._stat = stat
        self._problems = problems
        self._folders: set[FolderId] = set()  # walked
        # (folder, name) of files listed one by one, and of the ledger, which holds no records.
        self._files: set[tuple[FolderId, str]] = set()
        with contextlib.suppress(OSError):
            config.ledger.lstat()
            folder = config.ledger.parent.stat()
            self._files.add(((folder.st_dev, folder.st_ino), config.ledger.name))
        self._excluded = {
            os.path.realpath(folder)
            for folder in (
                config.output,
                config.state,
                config.topics_folder,
                config.providers_folder,
            )
            if folder is not None
        }

    def sources(self) -> Iterator[FoundFolder]:
        for source in self._config.settings.records:
            base = self._config.root / Path(source.path).expanduser()
            if re.search(r"[*?\[]", source.path) and not base.exists():
                import glob  # needed for patterns only

                names = glob.glob(str(base), recursive=True)
                # Of several paths of a file, prefer the one without links.
                roots = sorted(map(Path, names), key=lambda root: (_is_linked(root), root))
                above = _fixed_part(str(base))
            else:
                roots = [base]
                above = str(base if base.is_dir() else base.parent)
            alone: dict[str, list[FoundName]] = {}  # files listed one by one, by folder
            for root in roots:
                # Ignore matches of a pattern in the output. A source there is an error instead.
                if root != base and self._is_excluded(root):
                    continue
                if root != base and self._leads_out(root, above, source):
                    continue
                if root.is_dir():
                    yield from self._walk(str(root), above, source)
                elif (root == base or _is_record(root.name)) and not self._seen(root):
                    alone.setdefault(str(root.parent), []).append(_with_signature(root))
            for folder, files in alone.items():
                yield self._found(folder, above, source, files)

    def _seen(self, file: Path) -> bool:
        """Whether a file was found before; remembers it."""
        try:
            status = file.parent.stat()
        except OSError:
            return False  # reading it reports the error
        folder = (status.st_dev, status.st_ino)
        if (folder, file.name) in self._files:
            return True
        if folder in self._folders and _is_record(file.name):
            return True
        self._files.add((folder, file.name))
        return False

    def _is_excluded(self, path: Path) -> bool:
        real = Path(os.path.realpath(path))
        return any(str(above) in self._excluded for above in (real, *real.parents))

    def _found(
        self, folder: str, above: str, source: SourceSpec, files: Iterable[FoundName]
    ) -> FoundFolder:
        # With a glob, the name alone could be that of several folders.
        below = folder[len(above) :].lstrip(os.sep).replace(os.sep, "/")
        below = below and f"{below}/"
        shown_above = self._config.shown(Path(above))
        shown = below if shown_above == "." else f"{shown_above}/{below}"
        return FoundFolder(
            folder, source, printable_path(shown), printable_path(below), sorted(files)
        )

    def _walk(self, top: str, above: str, source: SourceSpec) -> Iterator[FoundFolder]:
        """Walks a folder, then the targets of links in it, except links to a folder above."""
        folders: list[tuple[str, Chain]] = [(top, ())]
        links: list[tuple[str, Chain]] = []
        while folders or links:
            if not folders:
                # Sorted, so that the path of a folder with several does not depend on the disk.
                links.sort(reverse=True)
                folders.append(links.pop())
            folder, chain = folders.pop()
            try:
                status = os.stat(folder)
                identity = (status.st_dev, status.st_ino)
                if identity in chain:
                    what = "a symbolic link to a folder that contains it"
                    self._note(folder, what, "delete the link")
                    continue
                if identity in self._folders:
                    continue
                self._folders.add(identity)
                entries = list(os.scandir(folder))
            except OSError as error:
                what = f"the folder cannot be read ({error.strerror})"
                self._note(folder, what, "fix its permissions")
                continue
            files: list[FoundName] = []
            for entry in entries:
                is_folder = _is_folder(entry)
                if entry.name[0] == "." or (is_folder and self._is_reserved(entry)):
                    continue
                if entry.is_symlink() and self._leads_out(Path(entry.path), top, source):
                    continue
                if is_folder:
                    further = links if entry.is_symlink() else folders
                    further.append((entry.path, (*chain, identity)))
                elif _is_record(entry.name) and not (
                    self._files and (identity, entry.name) in self._files
                ):
                    files.append(_with_signature(entry) if self._stat else _unsigned(entry.name))
            if files:
                yield self._found(folder, above, source, files)

    def _leads_out(self, path: Path, top: str, source: SourceSpec) -> bool:
        """Whether a path is, by its links, outside its source; a link to a record is then noted."""
        if source.follow_links:
            return False
        root = os.path.realpath(top)
        real = os.path.realpath(path)
        if real == root or real.startswith(root.rstrip(os.sep) + os.sep):
            return False
        if path.is_dir() or _is_record(path.name):
            what = "a symbolic link that leads out of the source; it was not followed"
            remedy = "set follow_links: true for the source in config.yaml, or delete the link"
            self._note(str(path), what, remedy)
        return True

    def _is_reserved(self, entry: os.DirEntry[str]) -> bool:
        """Whether a folder is the output, the state or a taxonomy, under any name."""
        path = entry.path
        if os.path.abspath(path) in self._excluded:
            return True
        return entry.is_symlink() and os.path.realpath(path) in self._excluded

    def _note(self, folder: str, what: str, remedy: str) -> None:
        shown = printable_path(self._config.shown(Path(folder)))
        self._problems.append(Problem(shown, 0, "", what, remedy))


def _is_linked(path: Path) -> bool:
    """Whether the path of its folder contains a symbolic link."""
    return os.path.realpath(path.parent) != os.path.abspath(path.parent)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_record(name: str) -> bool:
    """Whether a file with this name is a record file. Files that `records:` lists always are."""
    return name.lower().endswith(SUFFIXES) and name[0] != "." and name.upper() != "README.MD"


def _with_signature(file: Path | os.DirEntry[str]) -> FoundName:
    try:
        of = file.stat()
        return file.name, of.st_size, of.st_mtime_ns, of.st_ctime_ns, of.st_ino
    except OSError:
        return _unsigned(file.name)


def _unsigned(name: str) -> FoundName:
    return name, *NO_SIGNATURE


def taxonomy_files(config: Config, folder: Path) -> list[Path]:
    """The taxonomy files below a folder, sorted by path.

    Raises `RunError` if a folder cannot be read: feeds would move to other URLs without it.
    """

    def stop(error: OSError) -> None:
        shown = printable_path(config.shown(Path(error.filename)))
        what = f"the folder cannot be read ({error.strerror})"
        raise RunError(f"{shown}: {what}; fix its permissions") from error

    return sorted(
        Path(base) / name
        for base, folders, names in os.walk(folder, onerror=stop)
        for name in names
        if name.lower().endswith((".md", ".yaml", ".yml", ".json", ".html"))
        and not name.startswith((".", "_"))
        and name.upper() != "README.MD"
    )


class UnreadableError(FeedpubError):
    """A file cannot be read. `what` and `remedy` are those of a `Problem`.

    `may_pass`: it might be read at another time, with what it says.
    """

    def __init__(self, what: str, remedy: str, may_pass: bool = False) -> None:
        self.what, self.remedy, self.may_pass = what, remedy, may_pass
        super().__init__(what)


def read_bytes(file: str) -> bytes:
    """The content of a file. Raises `UnreadableError`."""
    limit = max_bytes(file)
    try:
        # Opening a pipe or a device could block forever without O_NONBLOCK.
        fd = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableError("not a regular file", "remove it from the records")
            if status.st_size > limit:
                size, most = status.st_size / 2**20, limit // 2**20
                what = f"the file has {size:.0f} MiB; the limit is {most} MiB"
                raise UnreadableError(what, "make it smaller, or remove it from the records")
            data = os.read(fd, status.st_size + 1)
            while len(data) < status.st_size and (more := os.read(fd, status.st_size)):
                data += more
            return data
        finally:
            os.close(fd)
    except FileNotFoundError:
        remedy = "run again; if it is a link, fix its target"
        raise UnreadableError("the file no longer exists", remedy) from None
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise UnreadableError("not a regular file", "remove it from the records") from None
        what = f"the file cannot be read ({error.strerror})"
        raise UnreadableError(what, "fix its permissions, or remove it", may_pass=True) from None


def content_hash(data: bytes) -> bytes:
    """A hash that recognizes a file after a rename. The ledger stores it, so it must not change."""
    return hashlib.blake2b(data, digest_size=12).digest()


def _fixed_part(pattern: str) -> str:
    """The folder of a glob, up to the first component with a wildcard."""
    while re.search(r"[*?\[]", pattern):
        pattern = os.path.dirname(pattern)
    return pattern


# The resolution of file times in nanoseconds: that of FAT, the coarsest in use.
GRANULARITY = 2_000_000_000


class RunClock:
    """The start of a run, and whether the signature of a file can be trusted later.

    As in git, a file that was changed just before the run may change again within the
    resolution of its file times, and so keep its signature.
    """

    def __init__(self) -> None:
        self.seconds = time.time()  # start of the run, in seconds since 1970
        self._limit = time.time_ns() - GRANULARITY

    def is_sure(self, signature: Signature) -> bool:
        """Whether a file with the same signature in a later run is unchanged."""
        return -1 < signature.mtime < self._limit and signature.ctime < self._limit
