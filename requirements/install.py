"""Installs a lock into the environment of the Python that runs this: `install.py LOCK [PROJECT…]`.

The packages are installed as they are locked: pip resolves nothing, so later releases on the index
change nothing. What comes as source is built with requirements/build.txt for the same reason.
Then come the PROJECTs, as pip takes them (`-e .`, a wheel), which bring nothing else.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
# Where packages come from is yours to set. What would lead them elsewhere (target, user, prefix),
# or to other versions (constraint), is not: such settings of pip are left out.
KEPT = frozenset(
    """cache-dir cert client-cert default-timeout extra-index-url find-links index-url
    keyring-provider no-cache-dir no-index proxy retries timeout trusted-host""".split()
)
_SETTING = re.compile(r"(?:global|install|:env:)\.([\w-]+)=(.*)")


def environment() -> dict[str, str]:
    """This process's environment, with the settings of pip that are kept, wherever they are."""
    listed = subprocess.run(  # noqa: S603
        [*PIP, "config", "list"], capture_output=True, text=True, check=False
    )
    found = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    found["PIP_CONFIG_FILE"] = os.devnull
    for key, value in _SETTING.findall(listed.stdout):
        if key in KEPT:
            name = f"PIP_{key.upper().replace('-', '_')}"
            found[name] = " ".join(str(ast.literal_eval(value)).split())
    return found


def say(text: str) -> None:
    """A line that tells what to do."""
    print(f"run.sh: {text}", file=sys.stderr)


def main(name: str, projects: list[str]) -> int:
    """Installs; says in one line what to do where that fails."""
    env = environment()

    def pip(*args: str) -> bool:
        return not subprocess.run([*PIP, *args], env=env, stdout=sys.stderr, check=False).returncode  # noqa: S603

    install = ["install", "--no-deps"]
    locked = [*install, "--require-hashes"]
    built = ["--no-build-isolation", "--use-pep517"]
    lock = HERE / f"{name}.txt"
    if not (
        pip(*locked, "-r", str(HERE / "build.txt"))
        and pip(*locked, *built, "-r", str(lock))
        and (not projects or pip(*install, "--no-build-isolation", *projects))
    ):
        say(
            f"pip failed to install requirements/{lock.name}; see its message above. If it is the "
            "network, the index or the disk, fix that and run this again. If not, please report it"
        )
        return 1
    if not pip("check"):
        say(
            f"requirements/{lock.name} is incomplete (see above). This is a bug in feedpub; please "
            "report it. ./requirements/lock.sh writes the locks anew"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
