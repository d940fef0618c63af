"""Windows: the newest of each feed, whatever the order and the parts that records come in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.grouping.window import Window, WindowRule, Windows
from feedpub.model import Placement, Record, Term

from .helpers import moment, record

ALL = Placement("", "all")


def window(records: list[Record], rule: WindowRule) -> Window:
    windows = fold(records, rule)
    return windows.feeds[""]


def fold(records: list[Record], rule: WindowRule) -> Windows:
    windows = Windows(lambda placement: rule)
    for made in records:
        name = made.topics[0] if made.topics else ""
        topic = Placement(f"topics/{name.lower()}", "topic", Term(name.lower(), name, name.lower()))
        windows.add(made, [ALL, topic] if name else [ALL])
    return windows


def facts(windows: Windows) -> dict[str, tuple[str, int, Placement]]:
    return {path: (ids(w), w.total, w.placement) for path, w in windows.feeds.items()}


def ids(found: Window) -> str:
    return "".join(entry.record.id for entry in found.entries)


DAYS = [record(name, day) for name, day in zip("dbeca", (4, 2, 5, 3, 1), strict=True)]


@pytest.mark.parametrize(
    ("items", "hours", "kept"),
    [
        (0, None, "edcba"),
        (2, None, "ed"),
        (9, None, "edcba"),
        (1, 24, "ed"),
        (1, 23, "e"),
        (1, 48, "edc"),
        (3, 24, "edc"),
        (2, 0, "ed"),
    ],
)
def test_the_newest_are_kept_and_what_is_no_older_than_the_span(
    items: int, hours: int | None, kept: str
) -> None:
    span = None if hours is None else timedelta(hours=hours)
    found = window(DAYS, WindowRule(items, span))
    assert ids(found) == kept
    assert found.total == 5


def test_of_one_time_the_id_decides() -> None:
    same = [record(name, 1) for name in "bca"]
    assert ids(window(same, WindowRule(2))) == "ab"


def test_a_feed_is_called_what_its_newest_record_calls_it() -> None:
    records = [record("a", 1, topics=("AI",)), record("b", 2, topics=("ai",))]
    for given_order in (records, records[::-1]):
        found = fold(given_order, WindowRule(1)).feeds["topics/ai"]
        assert found.placement.topic
        assert found.placement.topic.name == "ai"


_records = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 23), st.sampled_from(["", "AI", "ai", "Bees"])),
    max_size=30,
).map(
    lambda rows: [
        record(f"{n:02}", published=moment(day, hour), topics=(topic,) if topic else ())
        for n, (day, hour, topic) in enumerate(rows)
    ]
)
_rules = st.builds(
    WindowRule, st.integers(0, 5), st.none() | st.integers(0, 72).map(lambda h: timedelta(hours=h))
)


@settings(deadline=None, max_examples=150)
@given(_records, _rules, st.data())
def test_any_order_gives_the_same(
    records: list[Record], rule: WindowRule, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(records))
    assert facts(fold(shuffled, rule)) == facts(fold(records, rule))


@settings(deadline=None, max_examples=100)
@given(_records, _rules)
def test_a_window_holds_what_its_rule_says(records: list[Record], rule: WindowRule) -> None:
    for path, found in fold(records, rule).feeds.items():
        newest_first = sorted(
            (r for r in records if path in {"", *(f"topics/{t.lower()}" for t in r.topics)}),
            key=lambda r: (-r.published.timestamp(), r.id),
        )
        assert found.total == len(newest_first)
        limit = rule.items or len(newest_first)
        oldest = newest_first[0].published - rule.span if rule.span is not None else None
        expected = [
            r
            for n, r in enumerate(newest_first)
            if n < limit or (oldest is not None and r.published >= oldest)
        ]
        assert [entry.record for entry in found.entries] == expected
