"""What is asked of the ledger for each record must not read all of it."""

from __future__ import annotations

import sqlite3

import pytest

from feedpub.model import LedgerLine
from feedpub.store.ledger_index import LedgerIndex

LINE = LedgerLine("a", "b", "c.md", 1, "d")


@pytest.mark.parametrize("method", ["id_for", "has", "path_of", "earlier_id"])
def test_no_query_scans_the_whole_ledger(method: str) -> None:
    ledger = LedgerIndex.of([LINE._replace(content="other")])
    asked: list[str] = []
    ledger._db.set_trace_callback(asked.append)
    line = LedgerLine("unknown", "", "unknown.md", 1, "unknown")
    if method == "earlier_id":
        ledger.earlier_id(line, by_content=True)
    else:
        getattr(ledger, method)("b")
    ledger._db.set_trace_callback(None)
    assert asked
    for query in asked:
        plan = ledger._db.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
        assert not [step for *_, step in plan if step.startswith("SCAN")], (query, plan)


def test_the_plan_of_a_scan_is_recognized() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a)")
    [(*_, step)] = db.execute("EXPLAIN QUERY PLAN SELECT * FROM t WHERE a = 1").fetchall()
    assert step.startswith("SCAN")
