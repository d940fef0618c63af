"""docs/dependencies.md names what pyproject.toml and the lock name, with the same bounds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| (?:`([^`]+)`|any) \|", re.MULTILINE)


def declared() -> dict[str, str]:
    """The dependencies of all kinds → their bounds."""
    made = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = made["project"]["optional-dependencies"].values()
    lines = [*made["build-system"]["requires"], *made["project"]["dependencies"]]
    lines += [line for extra in extras for line in extra]
    lines += (ROOT / "requirements" / "tools.in").read_text("utf-8").splitlines()
    lines += (ROOT / "requirements" / "build.in").read_text("utf-8").splitlines()
    found: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            found.setdefault(canonicalize_name(requirement.name), str(requirement.specifier))
    found.pop("feedpub")
    return found


def test_each_dependency_is_explained_with_its_bound() -> None:
    rows = {canonicalize_name(name): bound or "" for name, bound in ROW.findall(PAGE)}
    assert rows == declared()


def test_each_package_that_users_get_is_named() -> None:
    lock = (ROOT / "requirements" / "run.txt").read_text("utf-8")
    names = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    named = {canonicalize_name(name) for name in re.findall(r"`([A-Za-z0-9_-]+)`", PAGE)}
    assert names <= named
