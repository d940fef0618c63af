"""A bounded look at a folder: the names in it, and the text of the files that are asked for.

Nothing here follows a link, and nothing that the files hold can make it fail.
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
MAX_SETTINGS = 1024 * 1024  # bytes of another tool's settings

# Folders that package managers fill, wherever they are. A source must not take them in. What a
# site generator builds is named by its module: elsewhere such names are those of anybody's folders.
FOREIGN = frozenset("node_modules bower_components __pycache__ venv env".split())
_FENCES = {"---": "yaml", "+++": "toml"}  # of front matter
_FOREIGN_IN_VENDOR = frozenset("bundle cache gems ruby".split())


@dataclass(slots=True, eq=False)
class Folder:
    """The names in one folder; hidden folders and links to folders are not among them."""

    below: str  # its path below the place, "" for the place itself
    files: list[str] = field(default_factory=list)  # sorted; regular files only
    folders: list[Folder] = field(default_factory=list)  # sorted by path
    is_whole: bool = True  # whether everything in it was looked at

    @property
    def name(self) -> str:
        return self.below.rpartition("/")[2]

    def path_of(self, name: str) -> str:
        """The path of something in it, below the place."""
        return f"{self.below}/{name}" if self.below else name

    def walk(self) -> Iterator[Folder]:
        """This folder and all below it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()


class Tree:
    """What there is below a folder, as far as the limits allow; `explore` comes before the rest."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.top = Folder("")
        self._folders = {"": self.top}
        self._built: frozenset[str] | None = None
        self._count = 0

    def explore(self, *built: str) -> None:
        """Looks at all folders but those that a tool builds; of those there may be very many."""
        names = frozenset(built)
        if names == self._built:
            return
        self._built, self._count = names, 0
        self.top = Folder("")
        self._folders = {"": self.top}
        queue = deque([self.top])
        while queue:  # breadth first: where a limit cuts, it cuts what lies deep
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
            return  # feeds: a run takes in none of them
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
                folder.is_whole = False  # no source, and no id, can name what is in it
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
        """The folder of this path, None if there is none to be looked at."""
        return self._folders.get(below.strip("/"))

    def has_folder(self, name: str) -> bool:
        """Whether there is a folder, be it hidden, that is no link."""
        try:
            return stat.S_ISDIR((self.root / name).lstat().st_mode)
        except (OSError, ValueError):
            return False

    def has(self, path: str) -> bool:
        """Whether there is such a file, and no link on the way to it."""
        *above, _ = accumulate(path.split("/"), lambda way, name: f"{way}/{name}")
        with contextlib.suppress(OSError, ValueError):
            mode = (self.root / path).lstat().st_mode
            return stat.S_ISREG(mode) and all(map(self.has_folder, above))
        return False

    def first(self, *paths: str) -> str:
        """The first of these files that there is, "" if there is none."""
        return next((path for path in paths if self.has(path)), "")

    def free_name(self, above: str = "") -> str:
        """A name for the output folder, where nobody else's files should be."""
        return "feeds" if self.is_free(f"{above}/feeds".lstrip("/")) else "feedpub-feeds"

    def is_free(self, path: str) -> bool:
        """Whether the output can go there: there is nothing yet, or it is feedpub's."""
        folder = self.root / path
        try:
            return not any(folder.iterdir()) or (folder / MANIFEST_NAME).is_file()
        except FileNotFoundError:
            return True
        except OSError:  # a file, or a folder that cannot be looked into
            return False

    def text(self, path: str) -> str:
        """The text of a tool's settings, "" where there is none."""
        return self._settings(path).decode("utf-8-sig", "replace")

    def settings(self, path: str) -> dict[str, Any]:
        """What a tool's settings in YAML, TOML or JSON say, with texts as written."""
        return values_of(self._settings(path), path)

    def _settings(self, path: str) -> bytes:
        if self.has(path):
            with contextlib.suppress(UnreadableError):
                data = read_bytes(str(self.root / path))
                return data if len(data) <= MAX_SETTINGS else b""
        return b""


def values_of(data: bytes, path: str) -> dict[str, Any]:
    """The mapping that a file holds, in a page the front matter; nothing where there is none."""
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
    """Whether config.yaml can say the name: no pattern, no variable, nothing that is trimmed."""
    return (
        name.isprintable()
        and name == name.strip()
        and not name.startswith("~")
        and not any(sign in name for sign in "*?[]{}\\")
    )


def _is_text(name: str) -> bool:
    """Whether a name is UTF-8: others come as surrogates (PEP 383)."""
    return not any("\ud800" <= char <= "\udfff" for char in name)
