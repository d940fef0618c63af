"""Helpers for tests of the store."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from feedpub.store.opening import StoreOwner, StoreSession
from feedpub.store.rows import FileRow, FolderRow, RecordRow
from feedpub.store.store import Store

MINE = StoreOwner("my configuration", "this program")


def open_session(
    folder: Path, identity: StoreOwner = MINE, *, ignore: bool = False, keep: bool = True
) -> StoreSession:
    """A session of the store in a folder."""
    return StoreSession(folder, "state", identity, ignore, keep)


def scratch(folder: Path) -> Store:
    """A new temporary store."""
    return open_session(folder, ignore=True, keep=False).store


def row(guid: str = "a", published: int = 0, **fields: Any) -> RecordRow:
    """A record that is not left out, and has no feeds yet."""
    values: dict[str, Any] = {
        "part": None, "line": 1, "guid_from": "id", "derived": "", "updated": published,
        "digest": b"d", "status": "", "topics": "", "provider": None, "domain": None,
        "provider_url": None, "image": None, "language": "", "type": "", "category": "",
        "price": "", "quality": None, "heat": None,
        "reason": "", "feeds": b"", "guid_key": sum(guid.encode()),
    }  # fmt: skip
    return RecordRow(guid=guid, published=published, **(values | fields))


def feeds(*ids: int) -> bytes:
    """Ids of feeds as stored in a record."""
    return array("I", ids).tobytes()


def add_file(store: Store, rows: Iterable[RecordRow] = (), name: bytes = b"") -> int:
    """A file with these records, in a folder `records`."""
    folders = store.folders()
    if not folders:
        store.put_folder(
            FolderRow(store.new_folder(), "records/", "", b"", None), "records", b"records"
        )
        folders = store.folders()
    [folder] = folders.values()
    file = store.new_file()
    name = name or b"%d.md" % file
    store.put_files([(FileRow(file, 1, 2, 3, 4, b"digest", b"content"), folder.id, name, None)])
    store.add_records([(file, record) for record in rows])
    return file
