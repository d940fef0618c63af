"""How the house is built: one direction of imports, and nothing loaded that is not needed."""

from __future__ import annotations

import ast
import builtins
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
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


def _named_modules() -> list[tuple[str, str]]:
    """What scripts, documentation and comments call modules: the file, and the module's path."""
    files = [ROOT / "run.sh", ROOT / "pyproject.toml", ROOT / ".ci" / "run", *ROOT.glob("*.md")]
    for folder in ("docs", "benchmarks", "requirements", "feedpub"):
        files += [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.md")]
    found = set()
    for file in files:
        text = file.read_text(encoding="utf-8")
        for name in re.findall(r"(?<![\w./-])feedpub/[a-z_/]+\.py\b", text):
            found.add((file.relative_to(ROOT).as_posix(), name))
        for name in re.findall(r"\b(?:from|import) (feedpub(?:\.[a-z_]+)+)", text):
            found.add((file.relative_to(ROOT).as_posix(), name.replace(".", "/")))
        for name in re.findall(r"`(feedpub(?:\.(?!yaml|json|schema)[a-z_]+)+)", text):
            found.add((file.relative_to(ROOT).as_posix(), name.replace(".", "/")))
    return sorted(found)


@pytest.mark.parametrize(("file", "name"), _named_modules())
def test_modules_that_are_named_are_there(file: str, name: str) -> None:
    path = ROOT / name
    there = path.exists() or path.with_suffix(".py").exists()
    # `from feedpub.x.y import z` in a text may name what is in the module x.
    assert there or path.parent.with_suffix(".py").exists(), f"{file} names {name}"


def _circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import each other, by Tarjan's algorithm for strongly connected components."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    circles: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in imports[name]:
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            circle = stack[stack.index(name) :]
            del stack[-len(circle) :]
            if len(circle) > 1:
                circles.append(sorted(circle))

    for name in sorted(imports):
        if name not in order:
            visit(name)
    return circles


def test_no_modules_import_each_other() -> None:
    """In functions or not; what only types need (`TYPE_CHECKING`) is no import at run time."""
    graph = grimp.build_graph("feedpub", exclude_type_checking_imports=True, cache_dir=None)
    names = sorted(graph.modules)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in names}
    assert _circles(imports) == []


def test_every_error_has_one_base() -> None:
    bases: dict[str, list[str]] = {}
    for path in (ROOT / "feedpub").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [ast.unparse(base) for base in node.bases]
    direct = {name for name, its in bases.items() if _builtin_errors(its)}
    # `os` and what wraps it raise OSError, so LinkError is one; the others end a command.
    assert direct == {"FeedpubError", "LinkError", "_Interrupted", "_Terminated"}
    errors = {"FeedpubError"}
    while more := {name for name, its in bases.items() if errors & {*its}} - errors:
        errors |= more
    assert {name for name in errors if not name.endswith("Error")} == set()


def _builtin_errors(bases: list[str]) -> list[str]:
    kinds = (getattr(builtins, base, None) for base in bases)
    return [
        kind.__name__
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, BaseException)
    ]
