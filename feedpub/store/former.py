"""The ids in a store that another version of feedpub made, read before the store is discarded.

The store may be from an older or a newer version. Only the columns named here are read; a store
without one of them raises `FormerStoreError`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from feedpub.errors import FeedpubError
from feedpub.paths import printable_path

_QUERY = """
    SELECT folders.shown, files.name, records.part, records.published, files.content, records.guid
    FROM records JOIN files ON files.id = records.file JOIN folders ON folders.id = files.folder
    WHERE records.reason = '' AND records.lost = 0
"""


class FormerRecord(NamedTuple):
    """A record that was in feeds, and its id."""

    path: str  # as messages show it, with #n for the nth record of a list
    published: int  # seconds since 1970
    content: str  # a hash of the bytes of its file, "" if unknown
    guid: str


class FormerStoreError(FeedpubError):
    """The store cannot be read."""


def former_records(database: Path) -> Iterator[FormerRecord]:
    """The records of a store that were in feeds. Raises `FormerStoreError`."""
    uri = f"{database.absolute().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=0)) as db:
            columns = {row[1] for row in db.execute("PRAGMA table_info(files)")}
            query = _QUERY if "content" in columns else _QUERY.replace("files.content", "NULL")
            for shown, name, part, published, digest, guid in db.execute(query):
                path = f"{shown}{printable_path(os.fsdecode(name))}"
                path = path if part is None else f"{path}#{part + 1}"
                content = digest.hex() if digest else ""
                yield FormerRecord(path, int(published), content, str(guid))
    except (sqlite3.Error, TypeError, ValueError, AttributeError) as error:
        raise FormerStoreError(str(error)) from error
