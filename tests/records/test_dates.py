"""What people write for dates and lengths, and what feedpub takes it for."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.records.dates import DateError, parse_date, parse_duration
from feedpub.records.values import Document

BERLIN = ZoneInfo("Europe/Berlin")
quick = settings(deadline=None, max_examples=120)

moments = st.datetimes(
    min_value=datetime(1000, 1, 2),
    max_value=datetime(9998, 12, 30),
    timezones=st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m))),
).map(lambda moment: moment.replace(microsecond=0))


def read(text: str) -> str:
    """A date in a site of Berlin, as UTC."""
    return parse_date(text, BERLIN).utc.strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        # RFC 3339
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00"),
        ("2026-01-31t09:30:00z", "2026-01-31T09:30:00"),
        ("2026-01-31T09:30:00.999Z", "2026-01-31T09:30:00"),
        ("Fri, 31 Dec 99 10:00:00 GMT", "1999-12-31T10:00:00"),
        ("31 Jan 26 10:00 +0100", "2026-01-31T09:00:00"),
        ("2026-01-31T09:30:00+02:00", "2026-01-31T07:30:00"),
        ("2026-01-31T09:30:00-05:30", "2026-01-31T15:00:00"),
        ("2026-01-31T23:30:00-01:00", "2026-02-01T00:30:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59"),  # a leap second
        # what people make of it
        ("2026-01-31 09:30", "2026-01-31T08:30:00"),
        ("2026-01-31T09:30", "2026-01-31T08:30:00"),
        ("2026-1-5 9:05", "2026-01-05T08:05:00"),
        ("2026-01-31 09:30:00 +0200", "2026-01-31T07:30:00"),
        ("2026-01-31 09:30:00 UTC", "2026-01-31T09:30:00"),
        ("  2026-01-31T09:30:00Z\n", "2026-01-31T09:30:00"),
        # YAML's timestamps
        ("2001-12-14 21:59:43.10 -5", "2001-12-15T02:59:43"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-15T02:59:43"),
        # bare dates begin in the site's zone
        ("2026-01-31", "2026-01-30T23:00:00"),
        ("2026-07-31", "2026-07-30T22:00:00"),
        # daylight saving: the hour that is not there, and the one that is there twice
        ("2026-03-29 01:59", "2026-03-29T00:59:00"),
        ("2026-03-29 02:30", "2026-03-29T01:30:00"),
        ("2026-03-29 03:00", "2026-03-29T01:00:00"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00"),
        ("2026-10-25 03:00", "2026-10-25T02:00:00"),
        # RFC 2822
        ("Sat, 31 Jan 2026 09:30:00 +0100", "2026-01-31T08:30:00"),
        ("Sat, 31 Jan 2026 09:30:00 GMT", "2026-01-31T09:30:00"),
        ("sat, 31 jan 2026 09:30:00 gmt", "2026-01-31T09:30:00"),
        ("Sat, 31 Jan 2026 09:30:00 +0100 (CET)", "2026-01-31T08:30:00"),
        ("31 Jan 2026 09:30 EST", "2026-01-31T14:30:00"),
        ("31 Jan 2026 09:30", "2026-01-31T08:30:00"),
        ("Sat Jan 31 09:30:00 2026", "2026-01-31T08:30:00"),
        # 3.3: "-0000" is Universal Time, too
        ("Sat, 31 Jan 2026 09:30:00 -0000", "2026-01-31T09:30:00"),
    ],
)
def test_dates_are_read(written: str, utc: str) -> None:
    assert read(written) == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "yesterday",
        "2026",
        "2026-01",
        "2026-13-01",
        "2026-02-30",
        "2026-01-01T25:00:00Z",
        "2026-01-01T10:00:00+99:00",
        "0000-00-00",
        "0000-00-00 00:00:00",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+10:00",
        "1735689600",
        "20260131",
        "01/31/2026",
        "Sat, 31 Foo 2026 09:30:00 GMT",
        "Sat, 31 Jan 2026 09:30:00 +9999",
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(DateError):
        parse_date(text, BERLIN)


def test_the_day_stays_the_day_that_was_written() -> None:
    """Ids are made from it: a change of the site's zone must not change them."""
    assert {
        parse_date("2026-01-31", zone).day
        for zone in (UTC, BERLIN, ZoneInfo("Pacific/Auckland"), ZoneInfo("America/Adak"))
    } == {"2026-01-31"}
    assert parse_date("2026-01-31T23:30:00-08:00", UTC).day == "2026-01-31"


@quick
@given(moments)
def test_rfc_3339_reads_back(moment: datetime) -> None:
    assert parse_date(moment.isoformat(), BERLIN).utc == moment


@quick
@given(moments)
def test_yaml_timestamps_read_back(moment: datetime) -> None:
    value = Document(yaml.safe_dump({"date": moment})).value()
    assert parse_date(value["date"], BERLIN).utc == moment


@quick
@given(moments)
def test_rfc_2822_reads_back(moment: datetime) -> None:
    assert parse_date(format_datetime(moment), BERLIN).utc == moment


@quick
@given(moments)
def test_a_moment_is_in_utc_with_whole_seconds(moment: datetime) -> None:
    utc = parse_date(moment.isoformat(), BERLIN).utc
    assert utc.utcoffset() == timedelta(0)
    assert utc.microsecond == 0


_date_like = st.lists(
    st.sampled_from(
        ["Mon", ", ", " ", "Jan", "-", "+", ":", "T", "Z", "99", "2026", "0", "9999", "(", ")", "²"]
    )
    | st.integers(0, 10**20).map(str),
    max_size=14,
).map("".join)


@settings(deadline=None, max_examples=400)
@given(st.text() | _date_like)
def test_any_other_text_is_a_date_error_and_nothing_else(text: str) -> None:
    with contextlib.suppress(DateError):
        parse_date(text, BERLIN)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("PT15M", 900),
        ("pt1h2m3s", 3723),
        ("PT1.5S", 1),
        ("P1DT1H", 90000),
        ("P1W", 604800),
        ("1:02:03", 3723),
        ("15:00", 900),
        ("90:00", 5400),
        ("0:45.7", 45),
        ("90", 90),
        (" 90 ", 90),
        ("0", 0),
    ],
)
def test_lengths_are_read(written: str, seconds: int) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "long", "1:2:3:4", "-5", "1:2", "15 min", "²"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(DateError):
        parse_duration(text)


@quick
@given(st.text() | st.from_regex(r"P?T?\d*[:.]?\d*[HMSD]?\Z"))
def test_any_other_text_is_no_length(text: str) -> None:
    with contextlib.suppress(DateError):
        assert parse_duration(text) >= 0
