"""The ledger as it is asked: which id a record has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from feedpub.model import OWN_ID, LedgerLine
from feedpub.store.schema import LEDGER


class LedgerIndex:
    """The lines of the ledger in a database; what is said of a record depends on both alone."""

    # Its indexes leave out what is empty: SQLite uses them only where a query says so, too.

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.is_empty = self._one("SELECT 1 FROM ledger LIMIT 1", ()) is None

    @classmethod
    def of(cls, lines: Iterable[LedgerLine]) -> LedgerIndex:
        """A ledger beside any store."""
        connection = sqlite3.connect("", isolation_level=None)
        for statement in LEDGER.split(";"):
            connection.execute(statement)
        ledger = cls(connection)
        connection.execute("BEGIN")
        ledger.add(lines)
        return ledger

    def replace(self, lines: Iterable[LedgerLine]) -> None:
        """Forgets all lines and takes these."""
        self._db.execute("DELETE FROM ledger")
        self.is_empty = True
        self.add(lines)

    def add(self, lines: Iterable[LedgerLine]) -> None:
        """Takes more lines, later than those it has."""
        self._db.executemany(
            "INSERT INTO ledger (id, derived, path, published, content) VALUES (?, ?, ?, ?, ?)",
            lines,
        )
        self.is_empty = self._one("SELECT 1 FROM ledger LIMIT 1", ()) is None

    def id_of(self, record: LedgerLine, rule: str) -> str:
        """What a record is called; `record.id` is what its own rules give, `rule` being the one."""
        return record.id if self.is_empty or rule == OWN_ID else self.id_for(record.id)

    def id_for(self, derived: str) -> str:
        """What a record is called whose rules give `derived`: that, if no line says otherwise."""
        query = (
            "SELECT id FROM ledger WHERE derived = ? AND derived <> '' ORDER BY number DESC LIMIT 1"
        )
        return self._one(query, (derived,)) or derived

    def has(self, id: str) -> bool:
        """Whether a line is about the item that is called so."""
        query = "SELECT 1 FROM ledger WHERE id = ? AND path <> '' LIMIT 1"
        return self._one(query, (id,)) is not None

    def path_of(self, id: str) -> str:
        """The record that an item was last in, "" if no line says it."""
        query = "SELECT path FROM ledger WHERE id = ? AND path <> '' ORDER BY number DESC LIMIT 1"
        return self._one(query, (id,)) or ""

    def earlier_id(self, record: LedgerLine, by_content: bool) -> str:
        """What a record that no line is about was called before, "" if that is not known.

        It is known by the same file with the same date, or by the same bytes, if that is asked
        for. An id that moved on with its file, or that is one of several for these bytes, is not
        for others.
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
