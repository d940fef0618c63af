"""`feedpub --version -v`: the details that a bug report needs."""

from __future__ import annotations

import platform
import sqlite3
import sys
from pathlib import Path

from feedpub import plugins
from feedpub.cli.common import Common, table
from feedpub.errors import ConfigError
from feedpub.installation import how_to_add, installation, packages


def details(config: str | None) -> list[str]:
    """Lines about this installation: Python, packages, extras, and paths."""
    uname = platform.uname()
    rows = [
        ("installed by", installation().kind),
        ("from", str(Path(__file__).parents[1])),
        ("Python", f"{platform.python_version()} ({sys.executable})"),
        ("system", f"{uname.system} {uname.release} {uname.machine}"),
        ("SQLite", sqlite3.sqlite_version),
        ("packages", ", ".join(f"{p.name} {p.version}" for p in packages() if not p.extra)),
    ]
    for extra in sorted({p.extra for p in packages()} - {""}):
        found = [p for p in packages() if p.extra == extra]
        present = all(p.version for p in found)
        has = ", ".join(f"{p.name} {p.version}" for p in found)
        rows.append(
            (
                f"extra {extra}",
                has if present else f"not installed; add it with: {how_to_add(extra)}",
            )
        )
    if found_plugins := plugins.installed():
        rows.append(("plugins", ", ".join(found_plugins)))
    return table([*rows, *_places(config)])


def _places(config: str | None) -> list[tuple[str, str]]:
    try:
        loaded = Common(config).load()
    except ConfigError as error:
        return [("config", str(error.problems[0]))]
    return [
        ("config", str(loaded.path)),
        ("output", str(loaded.output)),
        ("state", str(loaded.state)),
    ]
