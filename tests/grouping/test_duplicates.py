"""The same item in several files is one item, and the newest wins."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.grouping.duplicates import newest_of_each
from feedpub.model import Record

from .helpers import moment, record


def of(*records: Record) -> tuple[list[str], list[tuple[str, str]]]:
    """Who won, and who lost to whom."""
    unique, lost = newest_of_each(records)
    return [r.title for r in unique], [(d.record.title, d.winner.title) for d in lost]


def test_different_ids_are_different_items() -> None:
    assert of(record("a"), record("b")) == (["a", "b"], [])


def test_the_last_updated_wins_then_the_last_published_then_the_last_path() -> None:
    old, new = record("old", id="x"), record("new", id="x", updated=moment(2))
    assert of(old, new) == of(new, old) == (["new"], [("old", "new")])
    old = record("old", day=1, id="x", updated=moment(3))
    new = record("new", day=2, id="x", updated=moment(3))
    assert of(old, new) == of(new, old) == (["new"], [("old", "new")])
    first, second = record("a", id="x"), record("b", id="x")
    assert of(first, second) == of(second, first) == (["b"], [("a", "b")])


def test_all_that_lost_are_named_with_the_one_that_won() -> None:
    one, two, three = (record(name, day, id="x") for day, name in enumerate("abc", start=1))
    assert of(one, three, two) == (["c"], [("a", "c"), ("b", "c")])


_records = st.lists(
    st.tuples(st.sampled_from("xyz"), st.integers(1, 3), st.integers(3, 5)), max_size=12
)


@settings(deadline=None, max_examples=100)
@given(_records, st.data())
def test_the_order_of_the_records_does_not_matter(
    rows: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    records = [
        record(f"{n:02}", day, id=name, updated=moment(updated))
        for n, (name, day, updated) in enumerate(rows)
    ]
    unique, lost = newest_of_each(records)
    again, lost_again = newest_of_each(data.draw(st.permutations(records)))
    assert sorted(again) == sorted(unique)
    assert lost_again == lost
    assert len(unique) + len(lost) == len(records)
    assert len({made.id for made in unique}) == len(unique)
