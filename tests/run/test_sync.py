"""Every record is accounted for, from what is remembered alone."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.model import PATH_ID, Problem
from feedpub.run.files import FileNotes
from feedpub.run.report import Lost
from feedpub.run.sync import settle, tally
from feedpub.store.rows import FileRow, FolderRow, row_of
from feedpub.store.store import Store

from .helpers import record, scratch

GENERAL = Problem("topics/a.yaml", 1, "name", "what", "remedy", fatal=False)
OF_A_FOLDER = Problem("records/locked", 0, "", "the folder cannot be read", "mend it")


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


def test_nothing_is_nothing(store: Store) -> None:
    told = tally(store, [], [])
    assert (told.read, told.items, told.files, told.problems) == (0, 0, 0, [])


def test_reasons_come_by_how_many_there_are(store: Store) -> None:
    for n, reason in enumerate(["", "type", "draft", "future", "future", "draft", "future"]):
        put(store, f"{n}.md", (str(n), "id", reason))
    told = tally(store, [], [])
    assert list(told.reasons.items()) == [("future", 3), ("draft", 2), ("type", 1)]
    assert (told.items, told.left_out, told.read, told.files) == (1, 6, 7, 7)


def test_copies_are_told_by_the_one_that_stands_for_them(store: Store) -> None:
    put(store, "a.md", ("x", "id", ""))
    put(store, "b.jsonl", ("y", "id", ""), ("x", "id", ""))
    settle(store)
    told = tally(store, [], [])
    assert told.duplicates == [Lost("records/a.md", "records/b.jsonl#2", "x")]
    assert (told.items, told.read, told.problems) == (2, 3, [])


def test_ids_that_are_equal_by_accident_are_a_problem(store: Store) -> None:
    put(store, "a.md", ("x", PATH_ID, ""))
    put(store, "b.md", ("x", PATH_ID, ""))
    settle(store)
    told = tally(store, [], [])
    [problem] = told.problems
    assert (problem.path, problem.key, "records/b.md" in problem.what) == (
        "records/a.md",
        "id",
        True,
    )
    assert (told.items, told.unusable, told.duplicates, told.read) == (1, 1, [], 2)


def test_what_was_removed_takes_its_copies_along(store: Store) -> None:
    put(store, "a.md", ("x", "id", ""))
    put(store, "b.md", ("x", "id", "removed"))
    settle(store)
    told = tally(store, [], [])
    assert (told.items, told.reasons, len(told.duplicates)) == (0, {"removed": 1}, 1)


def test_problems_come_in_order_the_general_ones_first(store: Store) -> None:
    of_file = [Problem("records/c.md", n, "", "what", "remedy") for n in (9, 1)]
    put(store, "c.md", notes=FileNotes(of_file, [], 2).to_json())
    put(store, "b.md", notes=FileNotes([], [("records/b.md", "taxonomy file")], 0).to_json())
    told = tally(store, [GENERAL], [OF_A_FOLDER])
    assert told.problems == [GENERAL, *of_file, OF_A_FOLDER]
    assert (told.unusable, told.no_records, told.files, told.read) == (3, 1, 2, 3)


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
    told = tally(store, [], [])
    everything = list(itertools.chain(*files))
    assert told.read == len(everything)
    standing = {guid for guid, _, reason in everything if reason in {"", "removed"}}
    assert told.items + told.reasons.get("removed", 0) == len(standing)
