"""Hashes of everything that a step of a run depends on: same hash, same result."""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from feedpub.config import Config
from feedpub.records.rules import ReadingRules
from feedpub.records.scan import FoundName
from feedpub.version import VERSION

# Installed packages whose version can change the bytes of a feed.
_LIBRARIES = (
    "feedgen",
    "idna",
    "lxml",
    "markdown",
    "mdurl",
    "nh3",
    "pyyaml",
    "python_dateutil",
    "tzdata",
)
# Fields of rules that no result depends on.
_NO_SETTINGS = frozenset({"providers"})  # ReadingRules: a cache of parsed providers


def digest(*parts: Any) -> bytes:
    """A hash of plain values, computed from their repr."""
    return hashlib.blake2b(repr(parts).encode(errors="surrogatepass"), digest_size=16).digest()


def of_files(reading: bytes, files: Sequence[FoundName]) -> bytes:
    """A hash of the names and signatures of a folder's files, and of how they are read."""
    # Not `digest`: there are many files, and repr is ten times slower.
    plain_files: Any = files
    signatures = marshal.dumps(plain_files, 2)
    return hashlib.blake2b(reading + signatures, digest_size=16).digest()


def program() -> str:
    """A hash of the program: this feedpub, this Python, and the installed libraries."""
    import yaml

    package = Path(__file__).parents[1]
    libraries = Path(yaml.__file__).parents[1]
    return digest(
        VERSION,
        sys.version,
        sorted(_sizes(str(package))),
        sorted(name for name in _names(libraries) if name.lower().startswith(_LIBRARIES)),
    ).hex()


def _names(folder: Path) -> Iterable[str]:
    try:
        # Folder names like lxml-6.0.2.dist-info have the versions: no import needed.
        return [path.name for path in folder.iterdir() if path.suffix == ".dist-info"]
    except OSError:
        return []


def _sizes(folder: str) -> Iterable[tuple[str, int]]:
    """The names and sizes of the modules below a folder, to notice a patched feedpub."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(".py"):
            with contextlib.suppress(OSError):  # an editor's lock file is a broken link
                yield entry.path.rpartition("feedpub")[2], entry.stat().st_size
        elif entry.is_dir() and not entry.name.startswith("__"):
            yield from _sizes(entry.path)


def configuration(config: Config) -> str:
    """A hash of the paths of config.yaml and the output, relative to the state folder.

    It identifies the owner of a store, and stays the same if a site moves as a whole.
    """
    paths = (config.path, config.output)
    return digest([os.path.relpath(path, config.state) for path in paths]).hex()


def settings(config: Config) -> bytes:
    """A hash of everything in config.yaml."""
    return of_rules(config.settings)


def of_rules(*rules: Any) -> bytes:
    """A hash of all fields of the rules of a step, including fields added later."""
    return digest(plain(rules))


def plain(value: Any) -> Any:
    """Converts settings to plain values whose repr is complete.

    Raises `TypeError` for a value of an unknown type.
    """
    if is_dataclass(value):
        return [(name, plain(child)) for name, child in sorted(vars(value).items())]
    if isinstance(value, Mapping):
        return [(name, plain(child)) for name, child in value.items()]
    if isinstance(value, ReadingRules):
        return [plain(child) for name, child in value._asdict().items() if name not in _NO_SETTINGS]
    if isinstance(value, (tuple, list)):
        return [plain(child) for child in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, ZoneInfo):
        return value.key
    if value is None or isinstance(value, (str, bytes, int, float)):
        return value
    raise TypeError(f"no hash is defined for a {type(value).__name__}")
