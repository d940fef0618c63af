"""One run at a time: a lock that ends with the process that holds it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from feedpub.errors import LockedError

_LOOK_AGAIN = 0.05  # seconds
# Helpers of a run that was killed hold its lock until they have seen that they are alone, and are
# gone: 10 to 50 ms were seen.
_GRACE = 0.5  # seconds


@contextlib.contextmanager
def locked(output: Path, shown: str, wait: float = 0.0) -> Iterator[None]:
    """Holds the lock on the output folder; waits for it so many seconds at most, or a moment.

    Raises `LockedError` if another process has it still.

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
        end = time.monotonic() + max(wait, _GRACE)
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if (left := end - time.monotonic()) <= 0:
                    raise LockedError(shown) from None
                time.sleep(min(_LOOK_AGAIN, left))
                continue
            except OSError:
                pass  # a file system without locks
            break
        yield
    finally:
        os.close(fd)
