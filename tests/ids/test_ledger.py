"""The ledger as a file: what was appended is there, and what was cut is as if never written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedpub.errors import LedgerError
from feedpub.ids.ledger_file import append_lines, read_ledger
from feedpub.model import LedgerLine
from feedpub.records.text import strip_unprintable

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
IDS = TEXTS.map(strip_unprintable).filter(bool)
LINES = st.builds(
    LedgerLine, id=IDS, derived=TEXTS, path=TEXTS, published=st.just(0), content=TEXTS
) | st.builds(
    LedgerLine,
    id=IDS,
    derived=TEXTS,
    path=IDS,
    published=st.integers(-62135596800, 10**11),
    content=TEXTS,
)
WITHOUT_LIMITS = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(path: Path) -> list[LedgerLine]:
    return list(read_ledger(path, path.name))


@given(parts=st.lists(st.lists(LINES, min_size=1, max_size=3), min_size=1, max_size=3))
@WITHOUT_LIMITS
def test_appended_lines_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, parts: Sequence[Sequence[LedgerLine]]
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ids.jsonl"
    before = b""
    for part in parts:
        append_lines(path, path.name, part)
        data = path.read_bytes()
        assert data.startswith(before)
        assert data.count(b"\n") == before.count(b"\n") + len(part)
        before = data
    assert read(path) == [line for part in parts for line in part]


@given(old=st.lists(LINES, min_size=1, max_size=3), cut=st.integers(1, 60), new=LINES)
@WITHOUT_LIMITS
def test_an_incomplete_last_line_is_ignored(
    tmp_path_factory: pytest.TempPathFactory, old: list[LedgerLine], cut: int, new: LedgerLine
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ids.jsonl"
    append_lines(path, path.name, old)
    whole = path.read_bytes()
    append_lines(path, path.name, [new])
    last = path.read_bytes()[len(whole) :]
    path.write_bytes(whole + last[: min(cut, len(last) - 2)])
    assert read(path) == old
    append_lines(path, path.name, [new])
    assert path.read_bytes() == whole + last


def test_a_missing_ledger_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path / "ids.jsonl") == []


def test_without_lines_no_file_is_written(tmp_path: Path) -> None:
    assert append_lines(tmp_path / "deep" / "ids.jsonl", "", []) == 0
    assert not (tmp_path / "deep").exists()


def test_the_folder_is_created(tmp_path: Path) -> None:
    append_lines(tmp_path / "deep" / "ids.jsonl", "", [LedgerLine("a")])
    assert read(tmp_path / "deep" / "ids.jsonl") == [LedgerLine("a")]


def test_empty_lines_and_unknown_keys_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "ids.jsonl"
    path.write_text('\n{"id": "a", "note": "by hand"}\r\n\n')
    assert read(path) == [LedgerLine("a")]


@pytest.mark.parametrize("year", ["999", "0999"])
def test_a_year_before_1000_is_read_with_three_or_four_digits(tmp_path: Path, year: str) -> None:
    path = tmp_path / "ids.jsonl"
    path.write_text(f'{{"id": "a", "path": "a.md", "published": "{year}-05-05T00:00:00Z"}}\n')
    [line] = read(path)
    assert line.published == datetime(999, 5, 5, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("written", ["soon", "2026-01-31", 5, "2026-01-31T09:30:00"])
def test_an_invalid_time_is_reported(tmp_path: Path, written: object) -> None:
    path = tmp_path / "ids.jsonl"
    path.write_text(json.dumps({"id": "a", "published": written}) + "\n")
    with pytest.raises(LedgerError, match="published is not a time"):
        read(path)


def test_errors_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "ids.jsonl"
    path.write_text('{"id": "a"}\n["b"]\n')
    with pytest.raises(LedgerError) as raised:
        read(path)
    assert raised.value.place == "ids.jsonl:2"
