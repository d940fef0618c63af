"""An index of the ledger, in the store or in a temporary database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from feedpub.model import OWN_ID, LedgerLine
from feedpub.store.schema import LEDGER


class LedgerIndex:
    """The lines of the ledger in a database."""

    # The indexes are partial, without empty values. SQLite uses such an index only if the query
    # has the same condition.

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.is_empty = self._one("SELECT 1 FROM ledger LIMIT 1", ()) is None

    @classmethod
    def of(cls, lines: Iterable[LedgerLine]) -> LedgerIndex:
        """An index without a store."""
        connection = sqlite3.connect("", isolation_level=None)
        for statement in LEDGER.split(";"):
            connection.execute(statement)
        ledger = cls(connection)
        connection.execute("BEGIN")
        ledger.add(lines)
        return ledger

    def replace(self, lines: Iterable[LedgerLine]) -> None:
        """Replaces all lines."""
        self._db.execute("DELETE FROM ledger")
        self.is_empty = True
        self.add(lines)

    def add(self, lines: Iterable[LedgerLine]) -> None:
        """Adds lines after the existing ones."""
        self._db.executemany(
            "INSERT INTO ledger (id, derived, path, published, content) VALUES (?, ?, ?, ?, ?)",
            lines,
        )
        self.is_empty = self._one("SELECT 1 FROM ledger LIMIT 1", ()) is None

    def id_of(self, record: LedgerLine, rule: str) -> str:
        """The id of a record; `record.id` is the derived id, and `rule` the rule that gave it."""
        return record.id if self.is_empty or rule == OWN_ID else self.id_for(record.id)

    def id_for(self, derived: str) -> str:
        """The id for a derived id: from the last line about it, else the derived id itself."""
        query = (
            "SELECT id FROM ledger WHERE derived = ? AND derived <> '' ORDER BY number DESC LIMIT 1"
        )
        return self._one(query, (derived,)) or derived

    def has(self, id: str) -> bool:
        """Whether a line describes a record with this id."""
        query = "SELECT 1 FROM ledger WHERE id = ? AND path <> '' LIMIT 1"
        return self._one(query, (id,)) is not None

    def path_of(self, id: str) -> str:
        """The path of the last record with this id, "" if unknown."""
        query = "SELECT path FROM ledger WHERE id = ? AND path <> '' ORDER BY number DESC LIMIT 1"
        return self._one(query, (id,)) or ""

    def earlier_id(self, record: LedgerLine, by_content: bool) -> str:
        """The former id of a record without a line, "" if unknown.

        The record is recognized by the same path and date, or, with `by_content`, by the same
        bytes. An id whose record has moved to another path does not count, nor one of several
        ids with the same bytes.
        """
        if self.is_empty or self.has(record.id):
            return ""
        earlier = None
        if not record.part:
            query = (
                "SELECT id FROM ledger l WHERE path = ? AND path <> '' AND published = ?"
                " AND number ="
                " (SELECT max(number) FROM ledger WHERE id = l.id AND path <> '')"
                " ORDER BY number DESC LIMIT 1"
            )
            earlier = self._one(query, (record.path, record.published))
        if earlier is None and by_content and record.content:
            query = "SELECT DISTINCT id FROM ledger WHERE content = ? AND content <> '' LIMIT 2"
            ids = self._db.execute(query, (record.content,)).fetchall()
            earlier = ids[0][0] if len(ids) == 1 else None
        return earlier or ""

    def _one(self, query: str, values: tuple[str | int, ...]) -> str | None:
        found = self._db.execute(query, values).fetchone()
        return found[0] if found else None
