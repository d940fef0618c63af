"""Finding the files of the sources, and reading their bytes: the only place that opens records."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from feedpub.config import Config, SourceSpec
from feedpub.errors import FeedpubError, RunError
from feedpub.model import Problem
from feedpub.paths import printable_path
from feedpub.records.kinds import SUFFIXES, max_bytes

FolderId = tuple[int, int]  # device and inode: the same folder, under whatever name
Chain = tuple[FolderId, ...]  # the identities of a folder and of those above it


class FoundFile(NamedTuple):
    """A file that holds records."""

    file: str  # its path on this machine
    shown: str  # as messages name it
    below: str  # its path below its source
    source: SourceSpec


class Signature(NamedTuple):
    """What tells that a file was changed, without reading it; times are in nanoseconds.

    `ctime` besides what git looks at: an edit in place may keep the size, and
    a program may set `mtime` back, but nothing sets `ctime`.
    """

    size: int
    mtime: int
    ctime: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Signature:
        """The signature of a file that was looked at."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


NO_SIGNATURE = Signature(-1, -1, -1, -1)  # of what could not be looked at: never the same again


# A file's name and what its signature holds: plain, for there are many.
FoundName = tuple[str, int, int, int, int]


class FoundFolder(NamedTuple):
    """The record files of one folder, sorted by name; or those of it that `records:` names."""

    path: str
    source: SourceSpec
    shown: str  # what its files' names begin with in messages: "records/2026/", or ""
    below: str  # what their paths below the source begin with
    files: list[FoundName]

    def file(self, name: str) -> FoundFile:
        """One of its files."""
        return FoundFile(
            os.path.join(self.path, name),
            self.shown + printable_path(name),
            self.below + printable_path(name),
            self.source,
        )


@dataclass(slots=True, eq=False, repr=False)
class Scan:
    """What was found; problems are of folders and links, each counts as a record of its own."""

    files: list[FoundFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def scan_sources(config: Config) -> Scan:
    """Every record file of every source, each once (for the first source that has it), by path."""
    scan = Scan()
    for folder in walk_sources(config, scan.problems):
        scan.files += [folder.file(name) for name, *_ in folder.files]
    scan.files.sort(key=lambda found: found.shown)
    return scan


def walk_sources(config: Config, problems: list[Problem]) -> Iterator[FoundFolder]:
    """The same, folder by folder as they are found, with what tells whether a file changed."""
    return _Walk(config, problems).sources()


def count_files(config: Config) -> int:
    """How many there are: a walk that looks at no file, which costs a third."""
    return sum(len(folder.files) for folder in _Walk(config, [], look=False).sources())


class _Walk:
    """One walk over all sources; no file and no folder comes twice, whatever names lead to it."""

    def __init__(self, config: Config, problems: list[Problem], look: bool = True) -> None:
        self._config = config
        self._look = look
        self._problems = problems
        self._folders: set[FolderId] = set()  # walked
        # Those that are named one by one, and the ledger, which is no list of records.
        self._files: set[tuple[FolderId, str]] = set()  # their folders, names
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
                import glob  # only sources with a pattern need it

                names = glob.glob(str(base), recursive=True)
                # Of several names of one file, the one without links in it.
                roots = sorted(map(Path, names), key=lambda root: (_is_linked(root), root))
                above = _fixed_part(str(base))
            else:
                roots = [base]
                above = str(base if base.is_dir() else base.parent)
            alone: dict[str, list[FoundName]] = {}  # files that are named one by one, by folder
            for root in roots:
                # What a pattern finds in the output is no record; a source there is a mistake.
                if root != base and self._is_excluded(root):
                    continue
                if root.is_dir():
                    yield from self._walk(str(root), above, source)
                elif (root == base or _is_record(root.name)) and not self._seen(root):
                    alone.setdefault(str(root.parent), []).append(_looked_at(root))
            for folder, files in alone.items():
                yield self._found(folder, above, source, files)

    def _seen(self, file: Path) -> bool:
        """Whether a file came already; if not, it does now."""
        try:
            status = file.parent.stat()
        except OSError:
            return False  # what is wrong is said by who reads it
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
        # Below a glob, names alone could be those of several folders.
        below = folder[len(above) :].lstrip(os.sep).replace(os.sep, "/")
        below = below and f"{below}/"
        shown_above = self._config.shown(Path(above))
        shown = below if shown_above == "." else f"{shown_above}/{below}"
        return FoundFolder(
            folder, source, printable_path(shown), printable_path(below), sorted(files)
        )

    def _walk(self, top: str, above: str, source: SourceSpec) -> Iterator[FoundFolder]:
        """A folder and all below, then what links lead to, but never into what holds them."""
        folders: list[tuple[str, Chain]] = [(top, ())]
        links: list[tuple[str, Chain]] = []
        while folders or links:
            if not folders:
                # A folder with several names goes by the first: not by what the disk lists first.
                links.sort(reverse=True)
                folders.append(links.pop())
            folder, chain = folders.pop()
            try:
                status = os.stat(folder)
                identity = (status.st_dev, status.st_ino)
                if identity in chain:
                    what = "a symbolic link that leads back into its own folder"
                    self._note(folder, what, "delete the link")
                    continue
                if identity in self._folders:
                    continue
                self._folders.add(identity)
                entries = list(os.scandir(folder))
            except OSError as error:
                what = f"the folder cannot be read ({error.strerror})"
                self._note(folder, what, "mend its permissions")
                continue
            files: list[FoundName] = []
            for entry in entries:
                if entry.name[0] == ".":
                    continue
                if _is_folder(entry):
                    if not self._leads_out(entry):
                        further = links if entry.is_symlink() else folders
                        further.append((entry.path, (*chain, identity)))
                elif _is_record(entry.name) and not (
                    self._files and (identity, entry.name) in self._files
                ):
                    files.append(_looked_at(entry) if self._look else _unseen(entry.name))
            if files:
                yield self._found(folder, above, source, files)

    def _leads_out(self, entry: os.DirEntry[str]) -> bool:
        """Whether a folder is the output, the state or a taxonomy, under whatever name."""
        path = entry.path
        if os.path.abspath(path) in self._excluded:
            return True
        return entry.is_symlink() and os.path.realpath(path) in self._excluded

    def _note(self, folder: str, what: str, remedy: str) -> None:
        shown = printable_path(self._config.shown(Path(folder)))
        self._problems.append(Problem(shown, 0, "", what, remedy))


def _is_linked(path: Path) -> bool:
    """Whether a symbolic link leads to its folder."""
    return os.path.realpath(path.parent) != os.path.abspath(path.parent)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_record(name: str) -> bool:
    """Whether a file of this name is taken unless it is named itself."""
    return name.lower().endswith(SUFFIXES) and name[0] != "." and name.upper() != "README.MD"


def _looked_at(file: Path | os.DirEntry[str]) -> FoundName:
    try:
        of = file.stat()
        return file.name, of.st_size, of.st_mtime_ns, of.st_ctime_ns, of.st_ino
    except OSError:
        return _unseen(file.name)


def _unseen(name: str) -> FoundName:
    return name, *NO_SIGNATURE


def taxonomy_files(config: Config, folder: Path) -> list[Path]:
    """The files below a folder that describe topics or providers, in the order of their paths.

    Raises `RunError`: without them feeds would move to other addresses.
    """

    def stop(error: OSError) -> None:
        shown = printable_path(config.shown(Path(error.filename)))
        what = f"the folder cannot be read ({error.strerror})"
        raise RunError(f"{shown}: {what}; mend its permissions") from error

    return sorted(
        Path(base) / name
        for base, folders, names in os.walk(folder, onerror=stop)
        for name in names
        if name.lower().endswith((".md", ".yaml", ".yml", ".json", ".html"))
        and not name.startswith((".", "_"))
        and name.upper() != "README.MD"
    )


class UnreadableError(FeedpubError):
    """A file's bytes cannot be had; the problem stands for its record."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(what)


def read_bytes(file: str) -> bytes:
    """A file's bytes; raises `UnreadableError`."""
    limit = max_bytes(file)
    try:
        # Opening a pipe or a device could wait for ever; O_NONBLOCK lets us look first.
        fd = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableError("not a regular file", "take it out of the records")
            if status.st_size > limit:
                size, most = status.st_size / 2**20, limit // 2**20
                what = f"the file has {size:.0f} MiB, more than the {most} MiB it may have"
                raise UnreadableError(what, "is it a record at all? make it smaller")
            data = os.read(fd, status.st_size + 1)
            while len(data) < status.st_size and (more := os.read(fd, status.st_size)):
                data += more
            return data
        finally:
            os.close(fd)
    except FileNotFoundError:
        remedy = "run again; if it is a link, mend what it points to"
        raise UnreadableError("the file is not there any more", remedy) from None
    except OSError as error:
        what = f"the file cannot be read ({error.strerror})"
        raise UnreadableError(what, "mend its permissions, or take it out") from None


def content_hash(data: bytes) -> bytes:
    """By what the bytes of a file are known again under another name, for as long as ids live."""
    return hashlib.blake2b(data, digest_size=12).digest()


def _fixed_part(pattern: str) -> str:
    while re.search(r"[*?\[]", pattern):
        pattern = os.path.dirname(pattern)
    return pattern
