"""The same item in several files is one item: the newest wins, the others are named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from feedpub.model import PATH_ID, Record


class Duplicate(NamedTuple):
    """A record that another one of the same id stands for."""

    record: Record
    winner: Record

    @property
    def is_accident(self) -> bool:
        """Whether the ids were made of date and path alone, and so say nothing of one item."""
        return self.record.id_from == self.winner.id_from == PATH_ID


def newest_of_each(records: Iterable[Record]) -> tuple[list[Record], list[Duplicate]]:
    """One record for each id, and those that lost to it, by path.

    Newest is by `updated`, then `published`, then place (the last in path
    order), so the outcome does not depend on the order of the records.
    """
    best: dict[str, Record] = {}
    losers: list[Record] = []
    for record in records:
        other = best.setdefault(record.id, record)
        if other is record:
            continue
        if _rank(record) > _rank(other):
            best[record.id] = record
            losers.append(other)
        else:
            losers.append(record)
    losers.sort(key=lambda record: record.order)
    return list(best.values()), [Duplicate(record, best[record.id]) for record in losers]


def _rank(record: Record) -> tuple[float, float, str]:
    return (record.updated.timestamp(), record.published.timestamp(), record.order)
