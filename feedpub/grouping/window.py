"""The newest records of each feed.

The order is total (date, then id), so the result does not depend on the order in which
records are added.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from feedpub.model import Placement, Record


class WindowRule(NamedTuple):
    """The size of a window: the newest `items` (0: all), and all within `span` of the newest."""

    items: int
    span: timedelta | None = None


class WindowEntry(NamedTuple):
    """A record in a window. Entries sort newest first."""

    key: tuple[float, str]
    record: Record

    @classmethod
    def of(cls, record: Record) -> WindowEntry:
        """The entry of a record."""
        return cls(record.sort_key, record)


@dataclass(slots=True, eq=False, repr=False)
class Window:
    """The newest records of a feed, the number of all, and the placement of the newest."""

    rule: WindowRule
    placement: Placement
    entries: list[WindowEntry] = field(default_factory=list)
    total: int = 0

    def add(self, entry: WindowEntry, placement: Placement) -> None:
        """Adds a record."""
        self.total += 1
        entries = self.entries
        items = self.rule.items
        if (
            items
            and self.rule.span is None
            and len(entries) == items
            and entry.key > entries[-1].key
        ):
            return
        insort(entries, entry)
        if entries[0] is entry:
            self.placement = placement
        self._trim()

    def _trim(self) -> None:
        keep = self.rule.items or len(self.entries)
        if self.rule.span is not None and self.entries:
            # The key contains the negated time, so keys within the span are at most this.
            limit = self.entries[0].key[0] + self.rule.span.total_seconds()
            while keep < len(self.entries) and self.entries[keep].key[0] <= limit:
                keep += 1
        del self.entries[keep:]


class Windows:
    """The windows of all feeds, by feed path."""

    def __init__(self, rule: Callable[[Placement], WindowRule]) -> None:
        self._rule = rule
        self.feeds: dict[str, Window] = {}

    def add(self, record: Record, placements: Iterable[Placement]) -> None:
        """Adds a record."""
        entry = WindowEntry.of(record)
        for placement in placements:
            window = self.feeds.get(placement.feed)
            if window is None:
                window = self.feeds[placement.feed] = Window(self._rule(placement), placement)
            window.add(entry, placement)
