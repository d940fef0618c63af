"""Records as bytes."""

from __future__ import annotations

import pickle

from hypothesis import given, settings

from feedpub.model import Record
from feedpub.run.parse import pack, unpack

from .helpers import RECORDS, record


@given(RECORDS)
@settings(deadline=None)
def test_what_was_packed_comes_out(given_record: Record) -> None:
    """With its types: a provider is a `Provider` again, a date is in UTC."""
    found = unpack(pack(given_record))
    assert found == given_record
    assert repr(found) == repr(given_record)


@given(RECORDS)
@settings(deadline=None)
def test_equal_records_have_equal_bytes(given_record: Record) -> None:
    """However they came about: digests are made of them."""
    other = pickle.loads(pickle.dumps(given_record))  # noqa: S301 - parts that are no longer shared
    assert pack(other) == pack(given_record) == pack(unpack(pack(given_record)))


def test_texts_that_share_memory_are_packed_as_those_that_do_not() -> None:
    apart = "".join(["free ", "of charge"])
    assert pack(record(price=apart, type="free of charge")) == pack(record(price=apart, type=apart))
