"""One run at a time: a lock that ends with the process that holds it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from feedpub.errors import LockedError


@contextlib.contextmanager
def locked(output: Path, shown: str) -> Iterator[None]:
    """Holds the lock on the output folder; raises `LockedError` if another process has it.

    It is on the folder itself: no file is left, and the system takes the lock
    from a process that dies. Where the system has no such locks, the run goes
    on without; where the folder cannot be made, staging will say so.
    """
    try:
        import fcntl

        output.mkdir(parents=True, exist_ok=True)
        fd = os.open(output, os.O_RDONLY)
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
