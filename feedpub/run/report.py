"""What a run is asked for, and what it did."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from feedpub.grouping import archive
from feedpub.model import Problem

_PUBLISHED = re.compile(r"media/[0-9a-f]{16}[/-]")  # of a file beside a record, or a picture


class Options(NamedTuple):
    """What a run is asked for besides the configuration."""

    as_of: datetime | None  # records dated later are left out; None takes in all
    unpublished: bool = False
    allow_empty: bool = False
    dry_run: bool = False
    full: bool = False  # what is remembered is not used
    jobs: int = 0  # processes to work with; 0: as many as there are processors
    refresh_media: bool = False  # hosts are asked again for what is known
    wait: float = 0.0  # seconds to wait for another run on the same output


class Lost(NamedTuple):
    """A record that another one stands for, by the names that messages give them."""

    name: str
    winner: str
    id: str


@dataclass(slots=True, eq=False, repr=False)
class Counts:
    """All records, each accounted for: read = items + left out + duplicates + unusable."""

    items: int = 0
    reasons: dict[str, int] = field(
        default_factory=dict
    )  # of what is left out, most frequent first
    duplicates: list[Lost] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # what was mended, too
    unusable: int = 0
    no_records: int = 0  # taxonomy files and the like
    files: int = 0

    @property
    def left_out(self) -> int:
        """How many records are in no feed on purpose."""
        return sum(self.reasons.values())

    @property
    def read(self) -> int:
        """How many records there are."""
        return self.items + self.left_out + len(self.duplicates) + self.unusable


@dataclass(slots=True, eq=False, repr=False)
class MediaReport:
    """What became of asking for media files."""

    asked: int = 0  # addresses
    left: int = 0  # not asked yet: the time was up, or their host wants to be let be
    failed: dict[str, str] = field(default_factory=dict)  # address or file → why


@dataclass(slots=True, eq=False, repr=False)
class Outcome:
    """What a run did."""

    tally: Counts
    feeds: Sequence[str] = ()  # their paths
    written: list[str] = field(default_factory=list)  # files, below the output
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what nobody needs to be woken for
    seconds: dict[str, float] = field(default_factory=dict)
    media: MediaReport = field(default_factory=MediaReport)

    def feed_counts(self, catalogues: Sequence[str]) -> dict[str, int]:
        """Feeds, not files: one is written if any of its files is; total = written + unchanged."""
        feeds = set(self.feeds)
        written = {_feed_of(path) for path in self.written if path not in catalogues} & feeds
        no_feeds = {path for path in self.removed if _PUBLISHED.match(path)} | set(catalogues)
        gone = {_feed_of(path) for path in self.removed if path not in no_feeds} - feeds
        return {
            "total": len(feeds),
            "written": len(written),
            "unchanged": len(feeds) - len(written),
            "removed": len(gone),
        }


Progress = Callable[[str, int, int], None]  # a stage, how much is done, of how much (0: unknown)


class Watch:
    """Where the time goes, stage by stage; and, for who looks on, how far the run is."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.progress: Progress = progress or _unseen
        self.is_watched = progress is not None
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Ends a stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def _unseen(stage: str, done: int, total: int) -> None:
    """For runs that nobody watches."""


def _feed_of(path: str) -> str:
    return archive.feed_of(path.rpartition("/")[0])
