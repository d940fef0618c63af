"""Several records with the same id: the newest becomes the item, the others are duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedpub.model import PATH_ID, Problem, Record


class Claim(NamedTuple):
    """The rank of a record among those with the same id. The greatest wins.

    A record for which the ledger keeps an id of date and path comes first, then the newest by
    `updated`, `published` (seconds since 1970), and path. The result does not depend on the
    order of the records.
    """

    is_kept: bool
    updated: float
    published: float
    order: str

    @classmethod
    def of(cls, record: Record) -> Claim:
        """The rank of a record."""
        is_kept = record.id_from == PATH_ID and bool(record.derived)
        moments = (record.updated.timestamp(), record.published.timestamp())
        return cls(is_kept, *moments, record.order)


class Duplicate(NamedTuple):
    """A record that is not an item, because another record with the same id is."""

    record: Record
    winner: Record

    @property
    def is_accident(self) -> bool:
        """Whether the records are probably different items."""
        return is_accident(self.record.id_from, self.winner.id_from)


def newest_of_each(records: Iterable[Record]) -> tuple[list[Record], list[Duplicate]]:
    """One record for each id, and the duplicates, sorted by path."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.id, []).append(record)
    winners: list[Record] = []
    lost: list[Duplicate] = []
    for group in groups.values():
        best = group[newest([Claim.of(record) for record in group])] if group[1:] else group[0]
        winners.append(best)
        lost += [Duplicate(record, best) for record in group if record is not best]
    lost.sort(key=lambda duplicate: duplicate.record.order)
    return winners, lost


def newest(claims: Sequence[Claim]) -> int:
    """The index of the record that becomes the item."""
    return max(range(len(claims)), key=claims.__getitem__)


def is_accident(id_from: str, winner_id_from: str) -> bool:
    """Whether both ids were made from date and path, so equal ids do not mean the same item."""
    return id_from == winner_id_from == PATH_ID


def same_id(path: str, line: int, record: str, winner: str) -> Problem:
    """The problem of two records without id and URL that have equal dates and paths."""
    what = f"it has the same date and path below its source as {winner}, so the same id"
    remedy = "add an id: or a url: to one of them"
    return Problem(path, line, "id", what, remedy, record=record)
