"""How far a long run is, on a terminal: one line that is written over, and gone at the end."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator

from feedpub.stages.outcome import Progress

PATIENCE = 0.1  # seconds; who waits no longer needs no bar
_PAUSE = 0.1  # seconds between two pictures
_BAR = 20  # characters


@contextlib.contextmanager
def progress_bar(wanted: bool) -> Iterator[Progress | None]:
    """A bar on stderr, None where nobody would see it."""
    if not (wanted and sys.stderr.isatty()):
        yield None
        return
    start = time.monotonic()
    drawn, width = 0.0, 0

    def draw(line: str) -> None:
        """Writes over what is there; without control codes, which not all terminals know."""
        nonlocal width
        width = max(width, len(line))  # first: whatever comes after, what is there can be cleared
        sys.stderr.write(f"\r{line:<{width}}\r")
        sys.stderr.flush()

    def show(stage: str, done: int, total: int) -> None:
        nonlocal drawn
        now = time.monotonic()
        if now - start < PATIENCE or now - drawn < _PAUSE:
            return
        drawn = now
        line = f"{stage:<15} {done:,}"
        if total:
            line = f"{stage:<15} {'#' * (_BAR * done // total):.<{_BAR}} {done:,} of {total:,}"
        draw(line[: _columns() - 1])

    try:
        yield show
    finally:
        if drawn:
            draw("")


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80
