"""The stored head of a record is enough to select and to place it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.config import Config
from feedpub.grouping.assemble import FeedAssembler
from feedpub.grouping.place import Placer
from feedpub.grouping.select import reason_left_out, topic_keys
from feedpub.grouping.terms import Taxonomies, Terms
from feedpub.model import Provider, Record, RecordHead, TermFile
from feedpub.run.report import RunOptions
from feedpub.run.rules import Selection, SelectionRules
from feedpub.store.rows import head_of, row_of
from tests.run.helpers import CONFIG, MOMENTS, RECORDS, config, record

SELECTS = [
    "", "select: {types: [video]}", "select: {languages: [en], future: true}",
    "select: {categories: [c]}", "select: {prices: [free]}", "select: {topics: [World]}",
    "select: {providers: [P]}", "select: {min_quality: 50}", "select: {min_heat: 0.5}",
]  # fmt: skip
FEEDS = """
feeds:
  topic_providers: true
  topics: {exclude: [C++], where: {languages: [en]}}
  custom:
    - {slug: a, where: {topics: [World], min_quality: 20}}
    - {slug: b, where: {providers: [Q], types: [video]}}
    - {slug: c, where: {prices: [free], min_heat: 3}}
"""
TERMS = Taxonomies(
    Terms([TermFile("n", "News", parent="World")], []),
    Terms([TermFile("p", "P", domain="p.example")], []),
)
with TemporaryDirectory() as _folder:
    CONFIGS = [config(Path(_folder), CONFIG + select + FEEDS) for select in SELECTS]

FULL = record(
    provider=Provider("P", "p.example", "https://p.example/", "https://p.example/p.png"),
    topics=("News", "World"), language="en", type="video", category="c", price="free",
    quality=1.5, heat=2.0, status="draft",
)  # fmt: skip


@given(
    record=RECORDS,
    config=st.sampled_from(CONFIGS),
    as_of=st.none() | MOMENTS,
    unpublished=st.booleans(),
)
@settings(deadline=None)
def test_a_stored_record_is_selected_and_placed_like_the_record(
    record: Record, config: Config, as_of: datetime | None, unpublished: bool
) -> None:
    selection = Selection(
        SelectionRules.of(config, RunOptions(as_of, unpublished=unpublished)), as_of, TERMS
    )
    head = head_of(row_of(record, None, b"", ""))
    assert selection.of(head) == selection.of(record.head)
    assert selection.placer.place(head) == selection.placer.place(record.head)


@given(RECORDS)
@settings(deadline=None)
def test_a_stored_head_is_the_head_of_the_record(record: Record) -> None:
    assert head_of(row_of(record, None, b"", "")) == record.head


@pytest.mark.parametrize("field", RecordHead._fields)
def test_each_field_of_a_head_is_stored(field: str) -> None:
    value = getattr(FULL, field)
    assert value != RecordHead._field_defaults.get(field), "give FULL one that is not the default"
    assert getattr(FULL.head, field) == value
    assert getattr(head_of(row_of(FULL, None, b"", "")), field) == value


@pytest.mark.parametrize(
    ("reader", "parameter"),
    [
        (reason_left_out, "record"),
        (topic_keys, "record"),
        (Placer.place, "record"),
        (Selection.of, "head"),
        (FeedAssembler.feed, "newest"),
        (FeedAssembler.words, "newest"),
    ],
    ids=lambda value: getattr(value, "__qualname__", value),
)
def test_functions_of_feeds_take_heads_only(reader: Callable[..., object], parameter: str) -> None:
    """So mypy refuses a field that is not stored and would be empty in incremental runs."""
    hints = get_type_hints(reader)
    assert hints[parameter] is RecordHead
    assert Record not in hints.values()


def test_a_record_of_this_second_is_not_in_the_future() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 999_999, UTC)
    selection = Selection(SelectionRules.of(CONFIGS[0], RunOptions(now)), now, TERMS)
    then = now.replace(microsecond=0)
    assert selection.of(record(published=then).head)[0] == ""
    assert selection.of(record(published=then + timedelta(seconds=1)).head) == ("future", ())


def test_equal_guids_have_equal_keys() -> None:
    keys = [row_of(record(id=id, title=id), None, b"", "").guid_key for id in ("a", "a", "b")]
    assert keys[0] == keys[1] != keys[2]
    assert all(-(2**63) <= key < 2**63 for key in keys)
