"""Which records get the ids that another version of feedpub gave."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedpub.model import OWN_ID
from feedpub.records.scan import RunClock
from feedpub.run.identities import Identities
from feedpub.store.former import FormerRecord
from feedpub.store.rows import FileRow, FolderRow, row_of, seconds
from feedpub.store.store import Store

from .helpers import config, record, scratch

OLD = "tag:example.org,2019:old"
BEFORE = FormerRecord("records/a.md", seconds(record().published), b"bytes".hex(), OLD)


@pytest.fixture
def store() -> Store:
    found = scratch()
    found.put_folder(FolderRow(1, "records/", "", b"", None), "records", b"records")
    return found


def put(store: Store, name: str, content: bytes = b"bytes", **fields: str) -> None:
    """A file with one record."""
    file = store.new_file()
    store.put_files([(FileRow(file, 1, 1, 1, 1, b"digest", content), 1, name.encode(), None)])
    made = record(**{"id": "new", "id_from": "webUrl"} | fields)
    store.add_records([(file, row_of(made, None, b"digest", fields.get("reason", "")))])


def recalled(store: Store, root: Path, *former: FormerRecord) -> list[str]:
    """The ids after those of another version were restored."""
    store.index()
    Identities(config(root), store, RunClock()).restore_former(former)
    return [stored.row.guid for stored in store.records_after(0, 99)]


def test_the_same_bytes_are_the_same_record_whatever_its_date(store: Store, tmp_path: Path) -> None:
    put(store, "a.md")
    assert recalled(store, tmp_path, BEFORE._replace(published=1)) == [OLD]


def test_the_same_date_in_the_same_file_is_the_same_record(store: Store, tmp_path: Path) -> None:
    put(store, "a.md", content=b"edited")
    assert recalled(store, tmp_path, BEFORE) == [OLD]


def test_another_date_and_other_bytes_are_another_record(store: Store, tmp_path: Path) -> None:
    put(store, "a.md", content=b"edited")
    assert recalled(store, tmp_path, BEFORE._replace(published=1)) == ["new"]


def test_an_id_in_the_record_is_not_replaced(store: Store, tmp_path: Path) -> None:
    put(store, "a.md", id_from=OWN_ID)
    assert recalled(store, tmp_path, BEFORE) == ["new"]


def test_if_two_items_became_one_the_first_keeps_its_id(store: Store, tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        put(store, name)
    other = BEFORE._replace(path="records/b.md", guid="tag:example.org,2019:other")
    assert recalled(store, tmp_path, other, BEFORE) == [OLD, OLD]


def test_an_id_of_another_record_is_not_taken(store: Store, tmp_path: Path) -> None:
    put(store, "a.md")
    put(store, "thief.md", id=OLD, id_from=OWN_ID)
    assert recalled(store, tmp_path, BEFORE) == ["new", OLD]
