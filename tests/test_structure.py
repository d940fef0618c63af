"""How the house is built: one direction of imports, and nothing loaded that is not needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("lxml", "requests", "feedgen", "markdown_it", "nh3")
# A command may leave the process at once, without a clean-up: then nothing could be asked.
SCRIPT = (
    "import os, runpy, sys\n"
    "os._exit = sys.exit\n"
    "try: runpy.run_module('feedpub', run_name='__main__', alter_sys=True)\n"
    "except SystemExit as end: assert not end.code, end.code\n"
    "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
)


def loaded_by(*args: str, cwd: Path) -> set[str]:
    """The packages that a command has loaded when it ends."""
    command = [sys.executable, "-c", SCRIPT, *args]
    done = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("LOADED ")]
    assert lines, done.stdout + done.stderr
    return set(lines[0].split()[1:])


def test_imports_go_one_way() -> None:
    command = shutil.which("lint-imports", path=Path(sys.executable).parent)
    if command is None:
        pytest.skip("import-linter is not installed")
    env = os.environ | {"NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    args = [command, "--no-cache"]
    done = subprocess.run(
        args, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_question_loads_next_to_nothing(option: str, tmp_path: Path) -> None:
    loaded = loaded_by(option, cwd=tmp_path)
    assert not loaded & {*HEAVY, "yaml", "sqlite3", "multiprocessing"}


def test_a_run_with_nothing_to_render_loads_nothing_to_render_with(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "config.yaml").write_text(
        "site: {title: A, url: https://feeds.example.org/}\nrecords: [records]\n", encoding="utf-8"
    )
    assert not loaded_by("generate", cwd=tmp_path) & set(HEAVY)
    (tmp_path / "records" / "a.md").write_text(
        "---\ntitle: a\ndate: 2026-01-02\ndraft: true\n---\n*b*\n", encoding="utf-8"
    )
    assert not loaded_by("generate", cwd=tmp_path) & set(HEAVY)


def test_html_alone_needs_no_markdown(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "config.yaml").write_text(
        "site: {title: A, url: https://feeds.example.org/}\nrecords: [records]\n", encoding="utf-8"
    )
    (tmp_path / "records" / "a.md").write_text(
        "---\ntitle: a\ndate: 2020-01-02\n---\n<p>b</p>\n", encoding="utf-8"
    )
    loaded = loaded_by("generate", cwd=tmp_path)
    assert "markdown_it" not in loaded
    assert "requests" not in loaded
    assert (tmp_path / "feeds" / "rss.xml").exists()


def test_every_room_of_the_house_has_its_tests() -> None:
    rooms = {path.parent.name for path in (ROOT / "feedpub").glob("*/__init__.py")} - {"cli"}
    tested = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert rooms <= tested
