"""The options of a run, and its outcome."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from feedpub.grouping import archive
from feedpub.model import Problem

_MEDIA_FILE = re.compile(r"media/[0-9a-f]{16}[/-]")  # a published media file, not a feed


class RunOptions(NamedTuple):
    """The options of a run, besides the configuration."""

    as_of: datetime | None  # records dated later are left out; None includes all
    unpublished: bool = False
    allow_empty: bool = False
    dry_run: bool = False
    full: bool = False  # ignore the store of earlier runs
    jobs: int = 0  # worker processes; 0: one per processor
    refresh_media: bool = False  # request known media again, too
    wait: float = 0.0  # seconds to wait for another run on the same output


class ReportedDuplicate(NamedTuple):
    """A record that is a duplicate of another one, and both names as messages show them."""

    name: str
    winner: str
    id: str


@dataclass(slots=True, eq=False, repr=False)
class Counts:
    """All records, each accounted for: read = items + left out + duplicates + unusable."""

    items: int = 0
    reasons: dict[str, int] = field(default_factory=dict)  # left out, most frequent first
    duplicates: list[ReportedDuplicate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # including records used anyway
    unusable: int = 0
    no_records: int = 0  # taxonomy files and section pages
    files: int = 0

    @property
    def left_out(self) -> int:
        """The number of records that are in no feed, as configured."""
        return sum(self.reasons.values())

    @property
    def read(self) -> int:
        """The number of all records."""
        return self.items + self.left_out + len(self.duplicates) + self.unusable


@dataclass(slots=True, eq=False, repr=False)
class MediaReport:
    """The requests for remote media files."""

    asked: int = 0  # URLs
    left: int = 0  # URLs not requested yet: out of time, or the host asked to wait
    failed: dict[str, str] = field(default_factory=dict)  # URL or file → reason


@dataclass(slots=True, eq=False, repr=False)
class RunOutcome:
    """The outcome of a run."""

    counts: Counts
    feeds: Sequence[str] = ()  # paths of feeds
    written: list[str] = field(default_factory=list)  # paths of files below the output
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # messages that need no action
    seconds: dict[str, float] = field(default_factory=dict)
    media: MediaReport = field(default_factory=MediaReport)

    def feed_counts(self, catalogues: Sequence[str]) -> dict[str, int]:
        """The number of feeds, not files; total = written + unchanged.

        A feed counts as written if any of its files was written.
        """
        feeds = set(self.feeds)
        written = {_feed_of(path) for path in self.written if path not in catalogues} & feeds
        no_feeds = {path for path in self.removed if _MEDIA_FILE.match(path)} | set(catalogues)
        gone = {_feed_of(path) for path in self.removed if path not in no_feeds} - feeds
        return {
            "total": len(feeds),
            "written": len(written),
            "unchanged": len(feeds) - len(written),
            "removed": len(gone),
        }


# Called with a stage, how much of it is done, and the total (0: unknown).
ProgressCallback = Callable[[str, int, int], None]


class Watch:
    """Measures the time of each stage, and reports progress."""

    def __init__(self, progress: ProgressCallback | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.progress: ProgressCallback = progress or _ignore
        self.is_watched = progress is not None
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Ends a stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def _ignore(stage: str, done: int, total: int) -> None:
    """The callback of a run that shows no progress."""


def _feed_of(path: str) -> str:
    return archive.feed_of(path.rpartition("/")[0])
