"""Builds the last commit into dist/ as a wheel and an sdist, and proves that they are reproducible.

What is built is what git has, in a fresh folder: nothing else of the checkout can get into it. It
is built three times, in folders, with settings, times and tools that differ, once from its own
sdist; all must be the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNPACK = ["tar", "--no-same-permissions", "-xf"]
# Files in a wheel have a time. It is no other for whoever builds the same sources later; this is
# also what hatchling takes where it is not told, so that `pip wheel .` gives the same bytes.
EPOCH = "1580601600"
OLD, NEW = 315_619_200, 2_145_916_800  # 1980 and 2038
# hatchling, three years later
LATER = """
import runpy, time
now = time.time
time.time = lambda: now() + 1e8
runpy.run_module("hatchling", run_name="__main__", alter_sys=True)
"""


class BuildError(Exception):
    """What is wrong."""


def run(command: list[str], cwd: Path, umask: int = 0o022, **env: str) -> bytes:
    """The output of a command; raises `BuildError` with what it says."""
    unlike = {"SOURCE_DATE_EPOCH": EPOCH, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(  # noqa: S603
        command,
        cwd=cwd,
        env=os.environ | unlike | env,
        capture_output=True,
        umask=umask,
        check=False,
    )
    if done.returncode:
        raise BuildError((done.stdout + done.stderr).decode(errors="replace").strip())
    return done.stdout


def export(folder: Path, umask: int, time: int) -> Path:
    """What the last commit has, in a folder."""
    folder.mkdir(parents=True)
    run(["git", "archive", "--output", str(folder.with_suffix(".tar")), "HEAD"], ROOT)
    run([*UNPACK, str(folder.with_suffix(".tar"))], folder, umask)
    for path in folder.rglob("*"):
        os.utime(path, (time, time))
    return folder


def build(place: Path) -> tuple[Path, Path]:
    """The wheel and the sdist, built in three ways."""
    hatchling = [sys.executable, "-m", "hatchling", "build", "-d"]
    later = [sys.executable, "-c", LATER, "build", "-d"]
    pip = [sys.executable, "-m", "pip", "-q", "wheel", "--no-deps", "--no-build-isolation", "-w"]
    folders = [place / name for name in ("first", "second", "third")]
    first, second, third = folders
    run([*hatchling, str(first)], export(place / "a", 0o022, OLD), TZ="UTC", LC_ALL="C")
    elsewhere = export(place / "deeper" / "and named otherwise", 0o077, NEW)
    run([*later, str(second), "-t", "sdist"], elsewhere, 0o077, TZ="Asia/Tokyo")
    run([*pip, str(second), "."], elsewhere, 0o077, PYTHONHASHSEED="1", HOME=str(place))
    (sdist,) = second.glob("*.tar.gz")
    run([*UNPACK, str(sdist)], place, 0o002)
    unpacked = place / sdist.name.removesuffix(".tar.gz")
    run([*later, str(third), "-t", "wheel"], unpacked, 0o002, PYTHONHASHSEED="2")
    for built in third, second:
        for path in sorted(built.iterdir()):
            if path.read_bytes() != (first / path.name).read_bytes():
                raise BuildError(f"{path.name} is not the same in {built.name} and first")
    (wheel,) = first.glob("*.whl")
    return wheel, first / sdist.name


def check_contents(wheel: Path) -> int:
    """The number of files in a wheel: all that git has in feedpub/, and what describes it."""
    wanted = set(run(["git", "ls-tree", "-r", "--name-only", "HEAD", "feedpub"], ROOT).split(b"\n"))
    names = zipfile.ZipFile(wheel).namelist()
    found = {name.encode() for name in names if ".dist-info/" not in name}
    if odd := found ^ (wanted - {b""}):
        raise BuildError(f"{wheel.name} and git differ in {b', '.join(sorted(odd)).decode()}")
    return len(names)


def main() -> int:
    """Leaves both in dist/ and prints their hashes."""
    try:
        if changed := run(["git", "status", "--porcelain"], ROOT).count(b"\n"):
            print(
                f"wheel: {changed} files are not as committed; the commit is built", file=sys.stderr
            )
        with tempfile.TemporaryDirectory() as folder:
            wheel, sdist = build(Path(folder))
            count = check_contents(wheel)
            (ROOT / "dist").mkdir(exist_ok=True)
            for path in wheel, sdist:
                shutil.copyfile(path, ROOT / "dist" / path.name)
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                print(f"{digest}  dist/{path.name}")
    except (BuildError, OSError) as error:
        print(f"wheel: {error}", file=sys.stderr)
        return 1
    print(f"The wheel ({count} files, built 3 times) and the sdist (twice) are the same each time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
