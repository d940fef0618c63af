"""The calendar of archived feeds (RFC 5005, 4): a document for each month or year with items.

Days are those of UTC, like the dates in the feeds.
"""

from __future__ import annotations

from datetime import UTC, datetime

from feedpub.config import ARCHIVE_FOLDER

_DIGITS = {"month": 7, "year": 4}  # of 2026-01-31


def period_of(seconds: int, by: str) -> str:
    """The period that a moment (seconds since 1970) is in, like 2026-01 or 2026."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()[: _DIGITS[by]]


def start_of(period: str) -> int:
    """When a period begins, in seconds since 1970."""
    year, _, month = period.partition("-")
    return int(datetime(int(year), int(month or 1), 1, tzinfo=UTC).timestamp())


def end_of(period: str) -> int:
    """When a period has ended, in seconds since 1970."""
    year, _, month = period.partition("-")
    months = int(year) * 12 + int(month) if month else (int(year) + 1) * 12
    if months >= 10_000 * 12:  # no later year can be written
        return 2**62
    return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp())


def path_of(feed: str, period: str) -> str:
    """Where an archive of a feed is, below the output."""
    return f"{feed}/{ARCHIVE_FOLDER}/{period}".lstrip("/")


def feed_of(path: str) -> str:
    """The feed that a folder of the output belongs to, whether its own or one of its archives'."""
    head, _, period = path.rpartition("/")
    if head == ARCHIVE_FOLDER or head.endswith(f"/{ARCHIVE_FOLDER}"):
        digits = period.replace("-", "")
        if digits.isdigit() and len(period) in _DIGITS.values():
            return head.removesuffix(ARCHIVE_FOLDER).rstrip("/")
    return path
