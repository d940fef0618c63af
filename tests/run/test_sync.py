"""Every record is counted, from the store alone."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.model import PATH_ID, Problem
from feedpub.run.files import FileNotes
from feedpub.run.report import ReportedDuplicate
from feedpub.run.sync import count_all, settle
from feedpub.store.rows import FileRow, FolderRow, row_of
from feedpub.store.store import Store

from .helpers import record, scratch

GENERAL = Problem("topics/a.yaml", 1, "name", "what", "remedy", fatal=False)
OF_A_FOLDER = Problem(
    "records/locked", 0, "", "the folder cannot be read", "correct the permissions"
)


@pytest.fixture
def store() -> Store:
    return scratch()


def put(store: Store, name: str, *records: tuple[str, str, str], notes: str | None = None) -> None:
    """A file with records: guid, the rule that gave it, and why it is left out."""
    if not store.folders():
        store.put_folder(FolderRow(1, "records/", "", b"", None), "records", b"records")
    file, several = store.new_file(), len(records) > 1
    store.put_files([(FileRow(file, 1, 1, 1, 1, b"digest", b"content"), 1, name.encode(), notes)])
    rows = [
        row_of(record(id=guid, id_from=id_from), n if several else None, b"digest", reason)
        for n, (guid, id_from, reason) in enumerate(records)
    ]
    store.add_records([(file, row) for row in rows])


def test_an_empty_store_has_no_counts(store: Store) -> None:
    counts = count_all(store, [], [])
    assert (counts.read, counts.items, counts.files, counts.problems) == (0, 0, 0, [])


def test_the_most_frequent_reason_comes_first(store: Store) -> None:
    for n, reason in enumerate(["", "type", "draft", "future", "future", "draft", "future"]):
        put(store, f"{n}.md", (str(n), "id", reason))
    counts = count_all(store, [], [])
    assert list(counts.reasons.items()) == [("future", 3), ("draft", 2), ("type", 1)]
    assert (counts.items, counts.left_out, counts.read, counts.files) == (1, 6, 7, 7)


def test_a_duplicate_is_reported_with_its_winner(store: Store) -> None:
    put(store, "a.md", ("x", "id", ""))
    put(store, "b.jsonl", ("y", "id", ""), ("x", "id", ""))
    settle(store)
    counts = count_all(store, [], [])
    assert counts.duplicates == [ReportedDuplicate("records/a.md", "records/b.jsonl#2", "x")]
    assert (counts.items, counts.read, counts.problems) == (2, 3, [])


def test_equal_ids_by_accident_are_a_problem(store: Store) -> None:
    put(store, "a.md", ("x", PATH_ID, ""))
    put(store, "b.md", ("x", PATH_ID, ""))
    settle(store)
    counts = count_all(store, [], [])
    [problem] = counts.problems
    assert (problem.path, problem.key, "records/b.md" in problem.what) == (
        "records/a.md",
        "id",
        True,
    )
    assert (counts.items, counts.unusable, counts.duplicates, counts.read) == (1, 1, [], 2)


def test_a_removed_record_removes_its_duplicates(store: Store) -> None:
    put(store, "a.md", ("x", "id", ""))
    put(store, "b.md", ("x", "id", "removed"))
    settle(store)
    counts = count_all(store, [], [])
    assert (counts.items, counts.reasons, len(counts.duplicates)) == (0, {"removed": 1}, 1)


def test_general_problems_come_first_then_by_path(store: Store) -> None:
    of_file = [Problem("records/c.md", n, "", "what", "remedy") for n in (9, 1)]
    put(store, "c.md", notes=FileNotes(of_file, [], 2).to_json())
    put(store, "b.md", notes=FileNotes([], [("records/b.md", "taxonomy file")], 0).to_json())
    counts = count_all(store, [GENERAL], [OF_A_FOLDER])
    assert counts.problems == [GENERAL, *of_file, OF_A_FOLDER]
    assert (counts.unusable, counts.no_records, counts.files, counts.read) == (3, 1, 2, 3)


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from("xyz"),
                st.sampled_from(["id", PATH_ID]),
                st.sampled_from(["", "", "draft", "removed"]),
            ),
            min_size=1,
            max_size=3,
        ),
        max_size=5,
    )
)
@settings(deadline=None)
def test_every_record_is_counted_once(files: list[list[tuple[str, str, str]]]) -> None:
    store = scratch()
    for n, records in enumerate(files):
        put(store, f"{n}.md", *records)
    settle(store)
    counts = count_all(store, [], [])
    everything = list(itertools.chain(*files))
    assert counts.read == len(everything)
    represented = {guid for guid, _, reason in everything if reason in {"", "removed"}}
    assert counts.items + counts.reasons.get("removed", 0) == len(represented)
