"""When a file's signature can be trusted."""

from __future__ import annotations

import time

from feedpub.records.scan import Signature

# File systems note times as coarsely as this (FAT); most are finer by far.
GRANULARITY = 2_000_000_000  # nanoseconds


class Clock:
    """git's rule: what was changed too shortly before it was looked at may change once more
    within the same tick of the file system's clock, and look the same."""

    def __init__(self) -> None:
        self.seconds = time.time()  # since 1970: when the run began
        self._limit = time.time_ns() - GRANULARITY

    def is_sure(self, signature: Signature) -> bool:
        """Whether a file that looks the same at a later run is the same."""
        return -1 < signature.mtime < self._limit and signature.ctime < self._limit
