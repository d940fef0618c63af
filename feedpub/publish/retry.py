"""Retries of transient failures, with exponential backoff and jitter."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from feedpub.publish.errors import FileError, GaveUpError, StoppedError, TargetError, TransientError

T = TypeVar("T")


class RetryPolicy(NamedTuple):
    """Number of attempts, and pauses between them in seconds."""

    times: int = 5
    first: float = 0.5
    longest: float = 30.0
    patience: float = 120.0  # the longest Retry-After that is granted


def attempt(call: Callable[[int], T], retry: RetryPolicy, stop: threading.Event) -> T:
    """Calls `call` until it raises no `TransientError`; its argument is the number of retries.

    Raises `GaveUpError` after the last attempt, `StoppedError` once `stop` is set, and every
    other error of `call`.
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
            # Requests that failed together must not be repeated together.
            longest = min(retry.longest, retry.first * 2**tried)
            pause = random.uniform(0, longest)  # noqa: S311 - no secret
            stop.wait(max(pause, error.after))
    raise GaveUpError("not tried")


def attempt_or_fail(call: Callable[[int], T], retry: RetryPolicy, stop: threading.Event) -> T:
    """Like `attempt`, for what the whole push depends on: a `FileError` becomes `TargetError`."""
    try:
        return attempt(call, retry, stop)
    except FileError as error:
        raise TargetError(str(error)) from None
