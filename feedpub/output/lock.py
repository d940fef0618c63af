"""One run at a time: a lock that ends with the process that holds it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from feedpub.errors import LockedError


@contextlib.contextmanager
def locked(state: Path, shown: str) -> Iterator[None]:
    """Holds the lock in the state folder; raises `LockedError` if another process has it.

    The system takes the lock from a process that dies, so none is ever left
    behind. Where the folder cannot be written, or the system has no such
    locks, the run goes on without.
    """
    try:
        import fcntl

        state.mkdir(parents=True, exist_ok=True)
        fd = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    except (ImportError, OSError):
        yield
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(shown) from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(fd)
