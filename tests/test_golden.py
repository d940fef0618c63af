"""Whole sites, and the trees that they become, byte for byte.

`UPDATE_GOLDEN=1 pytest tests/test_golden.py` writes the expectations anew:
read the difference before you commit it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
SITES = sorted(path.parent.name for path in GOLDEN.glob("*/site"))


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def generate(site: Path, *options: str) -> None:
    command = [sys.executable, "-m", "feedpub", "generate", "--as-of", "2026-01-01", *options]
    done = subprocess.run(command, cwd=site, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def facts(report: Path) -> bytes:
    """The report without the one thing that differs each time."""
    content = json.loads(report.read_bytes())
    del content["seconds"]
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


@pytest.mark.parametrize("name", SITES)
def test_a_site_becomes_the_expected_tree(name: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(GOLDEN / name / "site", site)
    generate(site, "--report", "report.json")
    found = {f"feeds/{path}": data for path, data in tree(site / "feeds").items()}
    found["report.json"] = facts(site / "report.json")
    expected = GOLDEN / name / "expected"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        shutil.rmtree(expected, ignore_errors=True)
        for path, data in found.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_bytes(data)
    wanted = tree(expected)
    assert sorted(found) == sorted(wanted)
    for path, data in wanted.items():
        assert found[path].decode() == data.decode(), path


@pytest.mark.parametrize("name", SITES)
def test_a_second_run_changes_nothing(name: str, tmp_path: Path) -> None:
    site = tmp_path / "elsewhere"
    shutil.copytree(GOLDEN / name / "site", site)
    shutil.copytree(GOLDEN / name / "expected" / "feeds", site / "feeds")
    generate(site, "--report", "report.json")
    report = json.loads((site / "report.json").read_bytes())
    assert report["feeds"]["written"] == report["feeds"]["removed"] == 0
    records = report["records"]
    others = records["items"] + records["left_out"] + records["duplicates"] + records["problems"]
    assert records["read"] == others


def test_what_is_secured_is_nowhere() -> None:
    for path, data in tree(GOLDEN / "news" / "expected").items():
        assert b"c2VjcmV0" not in data, path
