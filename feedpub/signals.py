"""Delays signals that end the process, while an operation must not be interrupted."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextlib.contextmanager
def held_signals() -> Iterator[None]:
    """Blocks signals until the end of the block, on systems that can do that."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ending = {getattr(signal, name) for name in NAMES}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
