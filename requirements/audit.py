"""Asks for known vulnerabilities of the locked packages: `audit.py [OPTION OF PIP-AUDIT]…`.

pip-audit passes over what the database has no answer for, and ends with 0 although nothing was
checked. So it is counted here, and each database is asked first for a package that has
well-known vulnerabilities: one that does not name them knows nothing of the others either.

Ends with 0 if every locked package was checked and none has a known vulnerability, with 1 if one
has, and with 69 if not all of them could be checked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from locks import Pin, lock_of

LOCKS = ("run", "dev", "build", "tools")
SERVICES = ("pypi", "osv")  # the next is asked for what the one before does not answer
VULNERABLE = Pin("django", "2.0")
UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
_PATIENCE = 120  # seconds: of a network that drops what is sent

Answers = dict[Pin, list[str]]  # what was checked → its vulnerabilities


class NoAnswerError(Exception):
    """A database that cannot be asked; says why."""


def ask(service: str, pins: Iterable[Pin], options: Sequence[str] = ()) -> Answers:
    """What a database says of these packages; those that it does not answer for are left out."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, told = Path(folder, "wanted.txt"), Path(folder, "told.json")
        # Without markers: pip-audit would leave out what other systems and Pythons install.
        wanted.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins), "utf-8")
        command = [sys.executable, "-m", "pip_audit", "-r", str(wanted), "-o", str(told)]
        command += ["--no-deps", "--disable-pip", "--format=json", "--desc=off"]
        command += ["--progress-spinner=off", f"--cache-dir={folder}/cache"]
        command += [f"--vulnerability-service={service}", *options]
        try:
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, text=True, timeout=_PATIENCE, check=False
            )
            found = json.loads(told.read_text("utf-8"))["dependencies"]
        except subprocess.TimeoutExpired:
            raise NoAnswerError(f"no end after {_PATIENCE} seconds") from None
        except (OSError, ValueError, KeyError):
            lines = done.stderr.strip().splitlines() or [f"pip-audit ended with {done.returncode}"]
            raise NoAnswerError(lines[-1]) from None
    return {
        Pin(entry["name"], entry["version"]): [_text(vuln) for vuln in entry["vulns"]]
        for entry in found
        if "skip_reason" not in entry
    }


def _text(vuln: dict[str, list[str]]) -> str:
    names = " ".join(dict.fromkeys([str(vuln["id"]), *vuln["aliases"]]))
    return f"{names}, fixed in {', '.join(vuln['fix_versions']) or 'no release yet'}"


def usable(options: Sequence[str]) -> list[str]:
    """The databases that know of vulnerabilities; prints why the others are not asked."""
    found = []
    for service in SERVICES:
        try:
            answers = ask(service, [VULNERABLE], options)
            if not answers:
                raise NoAnswerError(f"it has no answer for {' '.join(VULNERABLE)}")
            if not answers[VULNERABLE]:
                raise NoAnswerError(f"it names no vulnerability of {' '.join(VULNERABLE)}")
            found.append(service)
        except NoAnswerError as error:
            print(f"audit: {service} cannot be used: {error}", file=sys.stderr)
    return found


def check(pins: set[Pin], services: Iterable[str], options: Sequence[str]) -> Answers:
    """What the databases say together."""
    answers = Answers()
    for service in services:
        left = sorted(pins - answers.keys())
        try:
            answers |= ask(service, left, options) if left else {}
        except NoAnswerError as error:
            print(f"audit: {service} failed: {error}", file=sys.stderr)
    return answers


def main(options: Sequence[str]) -> int:
    """Prints what came of it, a line for each lock and each vulnerability."""
    locks = {name: set(lock_of(name)) for name in LOCKS}
    services = usable(options)
    answers, asked = Answers(), set[Pin]()
    # One at a time: a package may be locked in two versions, and pip-audit takes one.
    for name, pins in locks.items():
        answers |= check(pins - asked, services, options)
        asked |= pins
        print(f"requirements/{name}.txt: {len(pins & answers.keys())} of {len(pins)} checked")
    for pin, found in sorted(answers.items()):
        for text in found:
            print(f"  {pin.name} {pin.version}: {text}")
    checked = len(asked & answers.keys())
    vulnerable = sum(map(bool, answers.values()))
    if not checked:
        print(f"audit: nothing was checked (0 of {len(asked)} packages)")
    else:
        some = "all" if checked == len(asked) else f"only {checked} of"
        what = f"{vulnerable} with known vulnerabilities"
        print(f"audit: {some} {len(asked)} packages were checked, {what}")
    if vulnerable:
        return 1
    return 0 if checked == len(asked) else UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
