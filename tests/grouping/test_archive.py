"""Archives: what period a time is in, when it begins and ends, and where its document is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feedpub.grouping.archive import end_of, feed_of, path_of, period_of, start_of


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("by", "period", "start", "end"),
    [
        ("month", "2026-02", "2026-02-01", "2026-03-01"),
        ("month", "2025-12", "2025-12-01", "2026-01-01"),
        ("year", "2024", "2024-01-01", "2025-01-01"),
    ],
)
def test_a_period_holds_the_times_from_its_start_up_to_its_end(
    by: str, period: str, start: str, end: str
) -> None:
    assert (start_of(period), end_of(period)) == (seconds(start), seconds(end))
    assert period_of(seconds(start), by) == period
    assert period_of(seconds(end) - 1, by) == period
    assert period_of(seconds(end), by) != period


def test_the_last_period_that_can_be_written_does_not_end() -> None:
    assert end_of("9999-12") > seconds("9999-12-31")
    assert end_of("9999") == end_of("9999-12")


@pytest.mark.parametrize("feed", ["", "topics/ai"])
@pytest.mark.parametrize("period", ["2026", "2026-01"])
def test_an_archive_belongs_to_its_feed(feed: str, period: str) -> None:
    assert feed_of(path_of(feed, period)) == feed


@pytest.mark.parametrize("path", ["", "topics/ai", "topics/archive", "archive/notes", "archive/20"])
def test_other_paths_are_those_of_feeds(path: str) -> None:
    assert feed_of(path) == path
