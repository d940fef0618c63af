"""The files below a folder, within limits.

Links are not followed, and no content of files raises an error.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from feedpub.output.manifest import MANIFEST_NAME
from feedpub.records.kinds import DATA, LINES
from feedpub.records.scan import UnreadableError, read_bytes
from feedpub.records.values import (
    Document,
    ParseError,
    parse_json,
    parse_toml,
    split_front_matter,
)

MAX_FOLDERS = 2_000
MAX_NAMES = 50_000
MAX_DEPTH = 12
MAX_SETTINGS = 1024 * 1024  # bytes of a settings file

# Folders of package managers, at any level. Sources must not include them. Folders that a site
# generator builds are named by its module, since other sites may use the same names.
FOREIGN = frozenset("node_modules bower_components __pycache__ venv env".split())
_FENCES = {"---": "yaml", "+++": "toml"}  # of front matter
_FOREIGN_IN_VENDOR = frozenset("bundle cache gems ruby".split())


@dataclass(slots=True, eq=False)
class Folder:
    """The names in a folder, except hidden folders and links to folders."""

    below: str  # path relative to the top folder, "" for the top folder itself
    files: list[str] = field(default_factory=list)  # sorted; regular files only
    folders: list[Folder] = field(default_factory=list)  # sorted by path
    is_whole: bool = True  # whether everything in it was listed

    @property
    def name(self) -> str:
        """Its own name, without those of folders above."""
        return self.below.rpartition("/")[2]

    def path_of(self, name: str) -> str:
        """The path of a name in it, relative to the top folder."""
        return f"{self.below}/{name}" if self.below else name

    def walk(self) -> Iterator[Folder]:
        """This folder and all folders below it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()


class Tree:
    """The folders below `root`, within the limits. Call `explore` first."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.top = Folder("")
        self._folders = {"": self.top}
        self._built: frozenset[str] | None = None
        self._count = 0

    def explore(self, *built: str) -> None:
        """Lists all folders, except those that a tool builds, which may be very many."""
        names = frozenset(built)
        if names == self._built:
            return
        self._built, self._count = names, 0
        self.top = Folder("")
        self._folders = {"": self.top}
        queue = deque([self.top])
        while queue:  # breadth first, so a limit omits the deepest folders
            folder = queue.popleft()
            self._list(folder)
            queue.extend(folder.folders)

    def _list(self, folder: Folder) -> None:
        depth = folder.below.count("/") + bool(folder.below)
        try:
            entries = sorted(os.scandir(self.root / folder.below), key=lambda entry: entry.name)
        except OSError:
            folder.is_whole = False
            return
        self._count += len(entries)
        if self._count > MAX_NAMES or depth > MAX_DEPTH:
            folder.is_whole = False
            return
        if any(entry.name == MANIFEST_NAME for entry in entries):
            return  # an output folder, which runs ignore
        for entry in entries:
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                is_file = entry.is_file(follow_symlinks=False)
                is_link = entry.is_symlink() and entry.is_dir()
            except OSError:
                folder.is_whole = False
                continue
            if is_file:
                folder.files.append(entry.name)
            elif entry.name.startswith("."):
                continue
            elif is_link or (is_folder and self._is_foreign(folder, entry.name)):
                folder.is_whole = False
            elif is_folder and not _is_text(entry.name):
                folder.is_whole = False  # no source can name it
            elif is_folder:
                folder.is_whole &= is_literal(entry.name)
                self._add(folder, entry.name)

    def _is_foreign(self, folder: Folder, name: str) -> bool:
        if name in FOREIGN or (folder.name == "vendor" and name in _FOREIGN_IN_VENDOR):
            return True
        return folder.path_of(name) in (self._built or ())

    def _add(self, parent: Folder, name: str) -> None:
        if len(self._folders) >= MAX_FOLDERS:
            parent.is_whole = False
            return
        folder = Folder(parent.path_of(name), is_whole=is_literal(name))
        self._folders[folder.below] = folder
        parent.folders.append(folder)

    def folder(self, below: str) -> Folder | None:
        """The folder at a path, None if it was not listed."""
        return self._folders.get(below.strip("/"))

    def has_folder(self, name: str) -> bool:
        """Whether a folder exists, hidden or not, and is not a link."""
        try:
            return stat.S_ISDIR((self.root / name).lstat().st_mode)
        except (OSError, ValueError):
            return False

    def has(self, path: str) -> bool:
        """Whether a regular file exists at a path without links."""
        *above, _ = accumulate(path.split("/"), lambda path, name: f"{path}/{name}")
        with contextlib.suppress(OSError, ValueError):
            mode = (self.root / path).lstat().st_mode
            return stat.S_ISREG(mode) and all(map(self.has_folder, above))
        return False

    def first(self, *paths: str) -> str:
        """The first of these files that exists, "" if none does."""
        return next((path for path in paths if self.has(path)), "")

    def free_name(self, above: str = "") -> str:
        """A name for the output folder that is not in use."""
        return "feeds" if self.is_free(f"{above}/feeds".lstrip("/")) else "feedpub-feeds"

    def is_free(self, path: str) -> bool:
        """Whether a path can be the output folder: it is new, empty, or one already."""
        folder = self.root / path
        try:
            return not any(folder.iterdir()) or (folder / MANIFEST_NAME).is_file()
        except FileNotFoundError:
            return True
        except OSError:  # a file, or an unreadable folder
            return False

    def text(self, path: str) -> str:
        """The text of a settings file, "" if there is none."""
        return self._settings(path).decode("utf-8-sig", "replace")

    def settings(self, path: str) -> dict[str, Any]:
        """The values of a settings file in YAML, TOML or JSON, as text."""
        return values_of(self._settings(path), path)

    def _settings(self, path: str) -> bytes:
        if self.has(path):
            with contextlib.suppress(UnreadableError):
                data = read_bytes(str(self.root / path))
                return data if len(data) <= MAX_SETTINGS else b""
        return b""


def values_of(data: bytes, path: str) -> dict[str, Any]:
    """The mapping in a file, or in the front matter of a page; empty if there is none."""
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    ending = path.lower().rpartition(".")[2]
    try:
        if not path.lower().endswith((*DATA, ".toml")):
            fence, _, rest = text.partition("\n")
            text = split_front_matter(rest, fence.rstrip())[0] if fence[:3] in _FENCES else ""
            ending = _FENCES.get(fence[:3], "")
        if ending == "toml":
            return parse_toml(text)
        if path.lower().endswith(LINES):
            return {}
        value = parse_json(text)[0] if ending == "json" else Document(text).value()
    except (ParseError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def is_literal(name: str) -> bool:
    """Whether config.yaml can contain the name: it has no wildcards, variables or outer space."""
    return (
        name.isprintable()
        and name == name.strip()
        and not name.startswith("~")
        and not any(sign in name for sign in "*?[]{}\\")
    )


def _is_text(name: str) -> bool:
    """Whether a name is valid UTF-8; other bytes become surrogates (PEP 383)."""
    return not any("\ud800" <= char <= "\udfff" for char in name)
