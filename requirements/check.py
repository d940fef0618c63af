"""Says what is missing in the locks: `check.py LOCK…`, run by what the last of them installed.

The locks are installed without a resolver, so what a lock does not name is missing when feedpub
runs. This walks from what a lock is made from through what each locked package requires, with
its extras and markers, for each Python and system that the locks are made for.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from locks import Pin, Terms, lock_of
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}

Lock = Mapping[Pin, Terms]
Environment = dict[str, str]


def wanted(lock_name: str) -> list[Requirement]:
    """What a lock is made from, as lock.sh says."""
    if lock_name == "tools":
        return _listed("tools.in")
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    if lock_name == "build":
        return _listed("build.in")
    found = [*_listed("build.in"), *map(Requirement, project["dependencies"])]
    todo = [] if lock_name == "run" else ["dev"]
    while todo:
        for requirement in map(Requirement, project["optional-dependencies"][todo.pop()]):
            if requirement.name == project["name"]:
                todo += requirement.extras
            else:
                found.append(requirement)
    return found


def _listed(name: str) -> list[Requirement]:
    lines = (HERE / name).read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def faults(lock: Lock, roots: Iterable[Requirement]) -> Iterator[str]:
    """What is wrong with a lock, a line each."""
    roots = list(roots)
    reached: set[Pin] = set()
    missing: dict[str, str] = {}  # where first
    for environment in environments():
        for fault in _faults_in(environment, lock, roots, reached):
            where = f"Python {environment['python_version']}, {environment['platform_system']}"
            missing.setdefault(fault, where)
    for fault, where in missing.items():
        yield f"{fault} ({where})"
    for pin, terms in lock.items():
        if not terms.hashes:
            yield f"{pin.name}=={pin.version} has no hash"
        if pin not in reached:
            yield f"{pin.name}=={pin.version} is locked, but nothing requires it"


def environments() -> Iterator[Environment]:
    """What markers are evaluated for."""
    here = {name: str(value) for name, value in default_environment().items()}
    for python in PYTHONS:
        for sys_platform, system in SYSTEMS.items():
            yield here | {
                "python_version": python,
                "python_full_version": f"{python}.0",
                "sys_platform": sys_platform,
                "platform_system": system,
                "os_name": "nt" if system == "Windows" else "posix",
            }


def _faults_in(
    environment: Environment, lock: Lock, roots: list[Requirement], reached: set[Pin]
) -> Iterator[str]:
    pins = {
        pin.name: pin
        for pin, terms in lock.items()
        if not terms.marker or Marker(terms.marker).evaluate(environment)
    }
    todo = [("feedpub", "", requirement) for requirement in roots]
    done = set()
    while todo:
        by, by_extra, requirement = todo.pop()
        if requirement.marker and not requirement.marker.evaluate(
            environment | {"extra": by_extra}
        ):
            continue
        pin = pins.get(canonicalize_name(requirement.name))
        if not pin:
            yield f"{by} requires {requirement}, which is not locked"
            continue
        if not requirement.specifier.contains(pin.version, prereleases=True):
            yield f"{by} requires {requirement}, but {pin.version} is locked"
        reached.add(pin)
        for extra in ("", *requirement.extras):
            if (pin.name, extra) not in done:
                done.add((pin.name, extra))
                todo += [(pin.name, extra, further) for further in requirements_of(pin)]


@cache
def requirements_of(pin: Pin) -> list[Requirement]:
    """What an installed package requires; nothing, where it is not for this machine."""
    try:
        found = metadata.distribution(pin.name)
    except metadata.PackageNotFoundError:
        return []
    if found.version != pin.version:
        raise SystemExit(
            f"{pin.name} {found.version} is installed, but {pin.version} is locked: "
            "run ./run.sh setup"
        )
    return [Requirement(text) for text in found.requires or ()]


def main(names: list[str]) -> int:
    """Prints the faults of these locks; all of them must lock what the last one does."""
    locks = {name: lock_of(name) for name in names}
    largest = locks[names[-1]]
    found = []
    for name, lock in locks.items():
        found += [f"requirements/{name}.txt: {fault}" for fault in faults(lock, wanted(name))]
        found += [
            f"requirements/{name}.txt: {pin.name} {pin.version} is not what {names[-1]}.txt locks"
            for pin in lock.keys() - largest.keys()
        ]
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print("write the locks anew: ./requirements/lock.sh", file=sys.stderr)
        return 1
    unseen = sorted({pin.name for pin in largest if not any(metadata.distributions(name=pin.name))})
    print(f"The locks are complete: {len(largest)} packages")
    if unseen:
        print(f"Not for this machine, so what they require was not checked: {', '.join(unseen)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
