"""Formats and targets that other packages add, found by their entry points.

A package names them in its metadata (docs/plugins.md); none of its code runs
before a configuration names one. Entry points are only looked up for names that
feedpub does not have itself, so a site without plugins pays nothing for them.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedpub.errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

FORMATS = "feedpub.formats"
TARGETS = "feedpub.targets"


def names(group: str) -> list[str]:
    """The names that installed packages add to a group."""
    return sorted(_found(group))


def load(group: str, name: str) -> Any:
    """What an entry point leads to. Raises `PluginError`."""
    point = _found(group).get(name)
    if point is None:
        raise PluginError(name, "no installed package has it")
    with errors_of(group, name):
        return point.load()


@contextlib.contextmanager
def errors_of(group: str, name: str) -> Iterator[None]:
    """Makes what a plugin's code raises a `PluginError`, even if it ends the process."""
    try:
        yield
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(origin(group, name), f"{type(error).__name__}: {error}") from error


def installed() -> list[str]:
    """All plugins, with the packages that they come from and their versions."""
    return [
        f"{name} ({point.dist.name} {point.dist.version})" if point.dist else name
        for group in (FORMATS, TARGETS)
        for name, point in sorted(_found(group).items())
    ]


def origin(group: str, name: str) -> str:
    """The name as messages give it, with the package that it comes from."""
    point = _found(group).get(name)
    package = point.dist.name if point and point.dist else ""
    return f"{name} (of the package {package})" if package else name


def state(group: str, name: str) -> str:
    """What changes when a plugin does: its package's version, and a hash of its module."""
    point = _found(group).get(name)
    if point is None:
        return ""
    loaded = sys.modules.get(point.module)
    file = getattr(loaded, "__file__", None)
    code = hashlib.blake2b(Path(file).read_bytes(), digest_size=16).hexdigest() if file else ""
    return f"{point.value} {point.dist.version if point.dist else ''} {code}"


@cache
def _found(group: str) -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # 10 ms: only sites with plugins pay

    return {point.name: point for point in entry_points(group=group)}
