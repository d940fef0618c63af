"""Written dates → datetimes in UTC.

Accepted are RFC 3339, the common forms of ISO 8601, YAML timestamps
(`2001-12-14 21:59:43.10 -5`), dates without a time, and RFC 2822. A date without a time zone
is in the zone of the site.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

from feedpub.errors import FeedpubError

_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d*)?)?"
    r"[ \t]*(Z|z|UTC|GMT|[-+]\d{1,2}(?::?\d{2})?)?)?"
)
_ZONE = re.compile(r"(?:[-+]\d{4}|\b(?:UTC?|GMT|Z|[ECMP][SD]T))\s*(?:\(.*\))?$", re.IGNORECASE)
_OTHER_ZONE = re.compile(
    r":\d{2}\s+(?!(?:UTC?|GMT|Z|[ECMP][SD]T|[AP]M)\b)([A-Za-z]{1,5})\s*$", re.IGNORECASE
)
# RFC 822: a year of two digits, accepted in this order only.
_RFC822 = re.compile(r"(?:[A-Za-z]{3},)?\s*\d{1,2}\s+[A-Za-z]{3}\s+\d{2}\s+\d{1,2}:\d{2}\b.*")
_DURATION = re.compile(
    r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})(?:\.\d+)?")
MAX_LENGTH = 200  # characters of a date: the patterns below take the square of its length
_PLACEHOLDERS = frozenset({0, 1, 9999})  # years that databases and programs write for "never"


class DateError(FeedpubError):
    """A text is not a date or a duration. The message says why."""


class Moment(NamedTuple):
    """A point in time, and the day as written. Ids contain the day, so it ignores time zones."""

    utc: datetime
    day: str  # YYYY-MM-DD


def parse_date(text: str, zone: tzinfo) -> Moment:
    """The moment that a written date means. Raises `DateError`."""
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise DateError(f"{text[:40]!r} is not a date that feedpub knows")
    if _UTC.fullmatch(text) and (utc := _from_iso(text)) and utc.year not in _PLACEHOLDERS:
        return Moment(utc, text[:10])  # the most common form, parsed fast
    match = _ISO.fullmatch(text)
    if match is None:
        return _rfc2822(text, zone)
    year, month, day, hour, minute, second, offset = match.groups()
    where = zone if offset is None else _offset(offset)
    return _moment(
        text,
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        where,
    )


def _from_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None  # the caller reports the error


def _moment(
    text: str, year: int, month: int, day: int, hour: int, minute: int, second: int, where: tzinfo
) -> Moment:
    if year in _PLACEHOLDERS:
        raise DateError(f"the year {year:04} is a placeholder, not a date")
    # A leap second becomes the second before it: neither RSS nor Python has leap seconds.
    second = 59 if second == 60 else second
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=where)
        utc = local if where is UTC else local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DateError(f"{text[:40]!r} is not a date ({error})") from None
    return Moment(utc, f"{year:04}-{month:02}-{day:02}")


def _offset(text: str) -> tzinfo:
    if text in {"Z", "z", "UTC", "GMT"}:
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) < 3 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 23 or minutes > 59:
        raise DateError(f"{text} is not a time zone")
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if text[0] == "-" else delta)


def _rfc2822(text: str, zone: tzinfo) -> Moment:
    from email.utils import parsedate_tz  # takes 25 ms, and few dates need it

    parts = parsedate_tz(text) if re.search(r"[A-Za-z]{3}", text) else None
    if parts is None or not (re.search(r"\d{4}", text) or _RFC822.fullmatch(text)):
        raise DateError(f"{text[:40]!r} is not a date in a known format")
    year, month, day, hour, minute, second = parts[:6]
    where = zone
    if match := _OTHER_ZONE.search(text):
        raise DateError(f"the time zone {match[1]} is unknown")
    if _ZONE.search(text):  # without a zone, parsedate_tz returns UTC
        offset = timedelta(seconds=parts[9] or 0)
        if abs(offset) >= timedelta(hours=24):
            raise DateError(f"the time zone in {text[:40]!r} does not exist")
        where = timezone(offset)
    return _moment(text, year, month, day, hour, minute, second, where)


def parse_duration(text: str) -> int:
    """ISO 8601 (`PT15M`), `h:mm:ss`, `mm:ss` or seconds → whole seconds. Raises `DateError`."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 9:
        return int(text)
    if match := _DURATION.fullmatch(text):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        if any(match.groups()):
            return ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds
    raise DateError(f"{text[:40]!r} is not a duration")
