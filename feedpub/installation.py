"""How this feedpub was installed, which extras it has, and how to add one."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from importlib.metadata import Distribution


class Package(NamedTuple):
    """A package that feedpub requires."""

    name: str
    wanted: str  # with the bound, as pip takes it
    extra: str  # "" for what every feedpub has
    version: str  # which is installed, "" for none


class Installation(NamedTuple):
    """Where feedpub came from, and how packages are added to it."""

    kind: str  # as a bug report names it
    adds: str  # the command that adds packages, up to their names
    adds_all: bool = False  # whether that command takes no names, and brings every extra


@cache
def packages() -> tuple[Package, ...]:
    """The packages that feedpub and its extras require, without those for development."""
    from importlib import metadata  # only messages pay for it

    found = []
    distribution = _distribution()
    for line in (distribution.requires or ()) if distribution else ():
        wanted, _, marker = (part.strip() for part in line.partition(";"))
        match = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
        extra = match[1] if match else ""
        name = re.split(r"[^\w.-]", wanted)[0]
        if extra != "dev":
            version = ""
            with contextlib.suppress(metadata.PackageNotFoundError):
                version = metadata.version(name)
            found.append(Package(name, wanted, extra, version))
    return tuple(found)


@cache
def installation() -> Installation:
    """How this feedpub was installed, by the marks that installers leave."""
    prefix = Path(sys.prefix)
    checkout = _checkout()
    if checkout and prefix == checkout / ".venv" and (checkout / "run.sh").is_file():
        setup = f"cd {shlex.quote(str(checkout))} && ./run.sh setup"
        return Installation(f"checkout in {checkout}", setup, adds_all=True)
    if (prefix / "pipx_metadata.json").is_file():
        return Installation("pipx", f"pipx inject {shlex.quote(prefix.name)}")
    python = shlex.quote(sys.executable)
    distribution = _distribution()
    installer = (distribution.read_text("INSTALLER") or "").strip() if distribution else ""
    if installer == "uv":  # whose environments have no pip (PEP 376)
        kind = "uv tool" if (prefix / "uv-receipt.toml").is_file() else "uv"
        return Installation(kind, f"uv pip install --python {python}")
    return Installation("pip", f"{python} -m pip install")


def missing(package: str, extra: str) -> str:
    """The message for a missing package of an extra, with the command that installs it.

    The command names packages, not `feedpub[extra]`: an index may have no feedpub, or a different
    project of that name.
    """
    return f"{package} is not installed; add it with: {how_to_add(extra)}"


def how_to_add(extra: str) -> str:
    """The command that adds an extra to this installation."""
    found = installation()
    if found.adds_all:
        return found.adds
    wanted = [package.wanted for package in packages() if package.extra == extra]
    return f"{found.adds} {shlex.join(wanted or [f'feedpub[{extra}]'])}"


def _checkout() -> Path | None:
    """The source folder of an editable installation (PEP 610), None for any other."""
    distribution = _distribution()
    origin = json.loads((distribution.read_text("direct_url.json") if distribution else "") or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlsplit(origin["url"]).path))


def _distribution() -> Distribution | None:
    """The metadata of the installed package, None for a copy on PYTHONPATH."""
    from importlib import metadata

    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.distribution("feedpub")
    return None
