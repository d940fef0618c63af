"""Periods and paths of archived feeds (RFC 5005, 4): one document per month or year.

Days are in UTC, like the dates in feeds.
"""

from __future__ import annotations

from datetime import UTC, datetime

from feedpub.config import ARCHIVE_FOLDER

_DIGITS = {"month": 7, "year": 4}  # of 2026-01-31


def period_of(seconds: int, by: str) -> str:
    """The period of a time (seconds since 1970), such as 2026-01 or 2026."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()[: _DIGITS[by]]


def start_of(period: str) -> int:
    """The start of a period, in seconds since 1970."""
    year, _, month = period.partition("-")
    return int(datetime(int(year), int(month or 1), 1, tzinfo=UTC).timestamp())


def end_of(period: str) -> int:
    """The end of a period (exclusive), in seconds since 1970."""
    year, _, month = period.partition("-")
    months = int(year) * 12 + int(month) if month else (int(year) + 1) * 12
    if months >= 10_000 * 12:  # the last year that a datetime can have
        return 2**62
    return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp())


def path_of(feed: str, period: str) -> str:
    """The path of an archive of a feed, relative to the output folder."""
    return f"{feed}/{ARCHIVE_FOLDER}/{period}".lstrip("/")


def feed_of(path: str) -> str:
    """The path of the feed that this path belongs to, as itself or as one of its archives."""
    head, _, period = path.rpartition("/")
    if head == ARCHIVE_FOLDER or head.endswith(f"/{ARCHIVE_FOLDER}"):
        digits = period.replace("-", "")
        if digits.isdigit() and len(period) in _DIGITS.values():
            return head.removesuffix(ARCHIVE_FOLDER).rstrip("/")
    return path
