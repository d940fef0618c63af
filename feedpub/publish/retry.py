"""Trying again what may be gone in a moment: with growing, random pauses."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from feedpub.publish.errors import FileError, GaveUpError, StoppedError, TargetError, TransientError

T = TypeVar("T")


class RetryPolicy(NamedTuple):
    """How often something is tried, and how long the pauses may be, in seconds."""

    times: int = 5
    first: float = 0.5
    longest: float = 30.0
    patience: float = 120.0  # a host that asks to wait longer is not waited for


def attempt(call: Callable[[int], T], retry: RetryPolicy, stop: threading.Event) -> T:
    """What `call` returns; it is given how often it was tried before.

    Raises `GaveUpError` with the last reason, `StoppedError` once `stop` is set, and what
    `call` raises.
    """
    for tried in range(retry.times):
        if stop.is_set():
            raise StoppedError
        try:
            return call(tried)
        except TransientError as error:
            if error.after > retry.patience:
                raise GaveUpError(f"{error}; it asks to wait {error.after:,.0f} seconds") from None
            if tried + 1 == retry.times:
                raise GaveUpError(f"{error}; tried {retry.times} times") from None
            # Those that failed together must not all come back together.
            longest = min(retry.longest, retry.first * 2**tried)
            pause = random.uniform(0, longest)  # noqa: S311 - no secret
            stop.wait(max(pause, error.after))
    raise GaveUpError("not tried")


def attempt_or_fail(call: Callable[[int], T], retry: RetryPolicy, stop: threading.Event) -> T:
    """The same of something that the whole push depends on: raises no `FileError`."""
    try:
        return attempt(call, retry, stop)
    except FileError as error:
        raise TargetError(str(error)) from None
