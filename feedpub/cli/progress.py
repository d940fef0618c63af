"""The progress bar of a long run on a terminal: one line, cleared at the end."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from feedpub.cli.common import columns
from feedpub.run.report import ProgressCallback

PATIENCE = 0.1  # seconds before the bar appears
_PAUSE = 0.1  # seconds between updates
_BAR = 20  # characters


@contextlib.contextmanager
def progress_bar(wanted: bool) -> Iterator[ProgressCallback | None]:
    """A progress bar on stderr, or None if stderr is not a terminal."""
    if not (wanted and sys.stderr.isatty()):
        yield None
        return
    start = time.monotonic()
    drawn, width = 0.0, 0

    def draw(line: str) -> None:
        """Overwrites the line, without control codes that some terminals do not support."""
        nonlocal width
        width = max(width, len(line))  # before writing, so that the line can always be cleared
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
        draw(line[: columns(sys.stderr) - 1])

    try:
        yield show
    finally:
        if drawn:
            draw("")
