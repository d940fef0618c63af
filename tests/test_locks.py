"""The locks are installed without a resolver: what they lack, nobody finds but this check."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REQUIREMENTS = Path(__file__).parents[1] / "requirements"


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(REQUIREMENTS))
    for name in ("locks", "check"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("check")


class Metadata:
    """What packages that are made up require."""

    class PackageNotFoundError(Exception):
        pass

    def __init__(self, requires: dict[str, list[str]]) -> None:
        self._requires = requires

    def distribution(self, name: str) -> object:
        if name not in self._requires:
            raise self.PackageNotFoundError
        return type("Distribution", (), {"version": "1.0", "requires": self._requires[name]})


def lock(*lines: str) -> str:
    return "".join(f"{line} \\\n    --hash=sha256:{'0' * 64}\n    # via x\n" for line in lines)


@pytest.mark.parametrize(
    ("locked", "requires", "fault"),
    [
        (["a==1.0"], {"a": []}, ""),
        (["a==1.0"], {"a": ["b>=1"]}, "a requires b>=1, which is not locked"),
        (["a==1.0", "b==1.0"], {"a": ["b>=2"], "b": []}, "a requires b>=2, but 1.0 is locked"),
        (["a==1.0", "b==1.0"], {"a": ["b"], "b": ["c; python_version>='3.13'"]}, "not locked (Py"),
        (["a==1.0", "b==1.0"], {"a": ["b"], "b": ["c; extra=='x'"]}, ""),
        (["a==1.0", "b==1.0"], {"a": ["b[x]"], "b": ["c; extra=='x'"]}, "b requires c"),
        (["a==1.0", "b==1.0 ; sys_platform == 'win32'"], {"a": ["b"]}, "Linux"),
        (["a==1.0", "b==1.0 ; sys_platform == 'win32'"], {"a": ["b; sys_platform=='win32'"]}, ""),
        (["a==1.0", "B_c==1.0"], {"a": ["b.C"], "b-c": []}, ""),
        (
            ["a==1.0", "b==1.0 ; python_version < '3.12'", "b==2.0 ; python_version >= '3.12'"],
            {"a": ["b<2; python_version<'3.12'", "b>=2; python_version>='3.12'"]},
            "",
        ),
        (["a==1.0", "b==1.0"], {"a": [], "b": []}, "b==1.0 is locked, but nothing requires it"),
    ],
)
def test_what_a_lock_lacks_is_found(
    check: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    locked: list[str],
    requires: dict[str, list[str]],
    fault: str,
) -> None:
    monkeypatch.setattr(check, "metadata", Metadata(requires))
    pins = importlib.import_module("locks").read_lock(lock(*locked))
    found = list(check.faults(pins, [Requirement("a>=1.0")]))
    assert len(found) == bool(fault), found
    assert fault in "".join(found)


def test_a_lock_without_a_hash(check: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "metadata", Metadata({"a": []}))
    pins = importlib.import_module("locks").read_lock("a==1.0\n")
    assert list(check.faults(pins, [Requirement("a")])) == ["a==1.0 has no hash"]


# What `./run.sh test --lowest` installs is the lock of the lowest versions.
IS_LOWEST = (Path(sys.prefix) / "feedpub-lowest.stamp").exists()


@pytest.mark.parametrize("name", ["build", "lowest"] if IS_LOWEST else ["build", "run", "dev"])
@pytest.mark.parametrize("nth", range(0, 90, 9))
def test_a_line_that_goes_from_our_locks_is_missed(check: ModuleType, name: str, nth: int) -> None:
    pins = importlib.import_module("locks").lock_of(name)
    assert list(check.faults(pins, check.wanted(name))) == []
    for gone in list(pins)[::5]:
        left = {pin: terms for pin, terms in pins.items() if pin != gone}
        lines = "\n".join(check.faults(left, check.wanted(name)))
        lost = map(Requirement, re.findall(r" requires (.*), which", lines))
        assert {canonicalize_name(requirement.name) for requirement in lost} == {gone.name}
