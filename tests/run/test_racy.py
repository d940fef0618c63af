"""When a file that looks the same is the same."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from feedpub.records.scan import GRANULARITY, NO_SIGNATURE, RunClock, Signature

from .helpers import later

NOW, OLD = 0, -2 * GRANULARITY  # nanoseconds from now
EPOCH = -time.time_ns()


@pytest.mark.parametrize(
    ("mtime", "ctime", "sure"),
    [
        (OLD, OLD, True),
        (EPOCH + 10**9, OLD, True),  # as archives have it
        (NOW, NOW, False),
        (OLD, NOW, False),  # its time was set back, just now
        (NOW, OLD, False),
        (NOW + 10**15, OLD, False),  # a time in the future tells nothing
        (EPOCH - 10**15, OLD, False),
    ],
    # The same in every process that runs tests.
    ids=["old", "epoch", "now", "set back", "changed now", "future", "before the epoch"],
)
def test_a_signature_is_sure_if_it_is_old_enough(mtime: int, ctime: int, sure: bool) -> None:
    now = time.time_ns()
    assert RunClock().is_sure(Signature(1, now + mtime, now + ctime, 1)) == sure


def test_what_could_not_be_looked_at_is_never_sure() -> None:
    assert not later().is_sure(NO_SIGNATURE)


def test_a_file_written_just_now_is_sure_later(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    signature = Signature.of((tmp_path / "a").stat())
    assert not RunClock().is_sure(signature)
    assert later().is_sure(signature)
