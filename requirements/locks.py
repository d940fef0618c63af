"""What the locks say. They are written by `uv pip compile --generate-hashes`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ; ([^\\]+?))? *\\?$")
_HASH = re.compile(r"\s+--hash=sha256:([0-9a-f]+)")


class Pin(NamedTuple):
    """A locked package; its name is normalized."""

    name: str
    version: str


class Terms(NamedTuple):
    """Which files of a locked package pip may take, and where."""

    hashes: tuple[str, ...]  # SHA-256 of each file
    marker: str  # "" for everywhere


def read_lock(text: str) -> dict[Pin, Terms]:
    """The packages of a lock, whatever they are for: one may be there in two versions."""
    lock: dict[Pin, Terms] = {}
    pin = Pin("", "")
    for line in text.splitlines():
        if match := _PIN.match(line):
            pin = Pin(re.sub(r"[-_.]+", "-", match[1]).lower(), match[2])
            lock[pin] = Terms((), match[3] or "")
        elif match := _HASH.match(line):
            lock[pin] = lock[pin]._replace(hashes=(*lock[pin].hashes, match[1]))
    return lock


def lock_of(name: str) -> dict[Pin, Terms]:
    """The lock requirements/NAME.txt."""
    return read_lock((HERE / f"{name}.txt").read_text("utf-8"))
