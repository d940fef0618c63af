"""Holding back those who want the process to end, while something must not be left half done."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextlib.contextmanager
def held_signals() -> Iterator[None]:
    """What comes meanwhile is answered at the end, where the system can do that."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ending = {getattr(signal, name) for name in NAMES}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
