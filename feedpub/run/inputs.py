"""What earlier work depends on, as short hashes: same hash, same outcome."""

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

# What is installed beside feedpub and has a say in the bytes of a feed.
_LIBRARIES = ("feedgen", "idna", "lxml", "markdown", "nh3", "pyyaml", "python_dateutil", "tzdata")
# The fields of rules that no outcome depends on, and why.
_NO_SETTINGS = frozenset({"providers"})  # ReadingRules: what was read already, to be reused


def digest(*parts: Any) -> bytes:
    """A hash of plain values, of their texts as Python writes them."""
    return hashlib.blake2b(repr(parts).encode(errors="surrogatepass"), digest_size=16).digest()


def of_files(reading: bytes, files: Sequence[FoundName]) -> bytes:
    """A hash of a folder's files as they look, and of how they are read."""
    # Of these there are many, and their texts would take ten times as long.
    plain_files: Any = files
    looks = marshal.dumps(plain_files, 2)
    return hashlib.blake2b(reading + looks, digest_size=16).digest()


def program() -> str:
    """This feedpub, on this Python, with the libraries beside it."""
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
        # Folders like lxml-6.0.2.dist-info: no need to ask each library.
        return [path.name for path in folder.iterdir() if path.suffix == ".dist-info"]
    except OSError:
        return []


def _sizes(folder: str) -> Iterable[tuple[str, int]]:
    """The modules below a folder: a feedpub that was patched in place is another program."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(".py"):
            with contextlib.suppress(OSError):  # an editor's lock is a link that leads nowhere
                yield entry.path.rpartition("feedpub")[2], entry.stat().st_size
        elif entry.is_dir() and not entry.name.startswith("__"):
            yield from _sizes(entry.path)


def configuration(config: Config) -> str:
    """Whose memory it is: one configuration's and one output's, wherever both move together."""
    paths = (config.path, config.output)
    return digest([os.path.relpath(path, config.state) for path in paths]).hex()


def settings(config: Config) -> bytes:
    """Everything that config.yaml says."""
    return of_rules(config.settings)


def of_rules(*rules: Any) -> bytes:
    """A hash of all that the rules of a stage hold: a setting that is added there is in it."""
    return digest(plain(rules))


def plain(value: Any) -> Any:
    """Settings as plain values, whose texts tell all that they hold.

    Raises `TypeError` for a value of which that is not known.
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
    raise TypeError(f"no settings hold a {type(value).__name__}")
