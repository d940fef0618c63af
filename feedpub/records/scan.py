"""Finding the files of the sources, and reading their bytes: the only place that opens records."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from feedpub.config import Config, SourceSpec
from feedpub.model import Problem
from feedpub.records.read import SUFFIXES, Parsed, max_bytes, unreadable


class FoundFile(NamedTuple):
    """A file that holds records."""

    file: str  # its path on this machine
    shown: str  # as messages name it
    below: str  # its path below its source
    source: SourceSpec


@dataclass(slots=True, eq=False, repr=False)
class Scan:
    """What was found; problems are of folders and links, each counts as a record of its own."""

    files: list[FoundFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def scan_sources(config: Config) -> Scan:
    """Every record file of every source, each once (for the first source that has it), by path."""
    scan = Scan()
    seen: set[str] = set()
    excluded = {
        os.path.realpath(folder)
        for folder in (config.output, config.topics_folder, config.providers_folder)
        if folder is not None
    } | {os.path.realpath(config.state)}
    for source in config.settings.records:
        base = config.root / Path(source.path).expanduser()
        if re.search(r"[*?\[]", source.path) and not base.exists():
            import glob  # only sources with a pattern need it

            roots = sorted(Path(name) for name in glob.glob(str(base), recursive=True))
        else:
            roots = [base]
        fixed = _fixed_part(str(base))
        for root in roots:
            if root != base and _inside(root, excluded):
                continue
            top = str(root)
            is_folder = root.is_dir()
            if is_folder:
                names = list(_walk(top, config, excluded, scan.problems))
            else:
                names = [top] if top.lower().endswith(SUFFIXES) or root == base else []
            # Below a glob, names alone could be those of several folders.
            above = fixed if root != base else top if is_folder else str(root.parent)
            shown_above = config.shown(Path(above))
            for name in names:
                if name not in seen:
                    seen.add(name)
                    below = name[len(above) :].lstrip(os.sep).replace(os.sep, "/")
                    shown = below if shown_above == "." else f"{shown_above}/{below}"
                    scan.files.append(
                        FoundFile(name, printable_path(shown), printable_path(below), source)
                    )
    scan.files.sort(key=lambda found: found.shown)
    return scan


def _inside(path: Path, folders: set[str]) -> bool:
    real = Path(os.path.realpath(path))
    return any(str(above) in folders for above in (real, *real.parents))


def printable_path(path: str) -> str:
    """A path that can be printed: bytes that are no UTF-8 are shown as escapes."""
    return path if path.isprintable() else path.encode("utf-8", "backslashreplace").decode()


def read_bytes(found: FoundFile) -> bytes | Parsed:
    """A file's bytes, or, where they cannot be had, the problem that stands for its record."""
    limit = max_bytes(found.file)
    try:
        # Opening a pipe or a device could wait for ever; O_NONBLOCK lets us look first.
        fd = os.open(found.file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                return unreadable(found.shown, "not a regular file", "take it out of the records")
            if status.st_size > limit:
                size, most = status.st_size / 2**20, limit // 2**20
                what = f"the file has {size:.0f} MiB, more than the {most} MiB it may have"
                return unreadable(found.shown, what, "is it a record at all? make it smaller")
            data = os.read(fd, status.st_size + 1)
            while len(data) < status.st_size and (more := os.read(fd, status.st_size)):
                data += more
            return data
        finally:
            os.close(fd)
    except FileNotFoundError:
        remedy = "run again; if it is a link, mend what it points to"
        return unreadable(found.shown, "the file is not there any more", remedy)
    except OSError as error:
        what = f"the file cannot be read ({error.strerror})"
        return unreadable(found.shown, what, "mend its permissions, or take it out")


def _fixed_part(pattern: str) -> str:
    while re.search(r"[*?\[]", pattern):
        pattern = os.path.dirname(pattern)
    return pattern


def _walk(top: str, config: Config, excluded: set[str], problems: list[Problem]) -> Iterator[str]:
    """Files below a folder; links are followed, but never into a folder that holds them."""
    stack: list[tuple[str, tuple[tuple[int, int], ...]]] = [(top, ())]
    while stack:
        folder, above = stack.pop()
        try:
            entries = list(os.scandir(folder))
            status = os.stat(folder)
        except OSError as error:
            shown = printable_path(config.shown(Path(folder)))
            what = f"the folder cannot be read ({error.strerror})"
            problems.append(Problem(shown, 0, "", what, "mend its permissions"))
            continue
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            shown = printable_path(config.shown(Path(folder)))
            what = "a symbolic link that leads back into its own folder"
            problems.append(Problem(shown, 0, "", what, "delete the link"))
            continue
        here = (*above, identity)
        for entry in entries:
            name = entry.name
            if name.startswith(".") or name.upper() == "README.MD":
                continue
            try:
                is_folder = entry.is_dir()
            except OSError:
                is_folder = False
            if is_folder:
                path = entry.path
                if (entry.is_symlink() or path in excluded) and os.path.realpath(path) in excluded:
                    continue
                if os.path.abspath(path) in excluded:
                    continue
                stack.append((path, here))
            elif name.lower().endswith(SUFFIXES):
                yield entry.path
