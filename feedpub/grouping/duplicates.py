"""The same item in several files is one item: the newest wins, the others are named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feedpub.model import PATH_ID, Problem, Record


class Claim(NamedTuple):
    """What decides which of several records stands for their item, the greatest does.

    An id that was made of date and path is with the record that the ledger keeps it for. Newest is
    by `updated`, then `published` (seconds since 1970), then place (the last in path order): the
    outcome does not depend on the order of the records.
    """

    is_kept: bool
    updated: float
    published: float
    order: str

    @classmethod
    def of(cls, record: Record) -> Claim:
        """A record's claim."""
        is_kept = record.id_from == PATH_ID and bool(record.derived)
        moments = (record.updated.timestamp(), record.published.timestamp())
        return cls(is_kept, *moments, record.order)


class Duplicate(NamedTuple):
    """A record that another one of the same id stands for."""

    record: Record
    winner: Record

    @property
    def is_accident(self) -> bool:
        """Whether the ids say nothing of one item."""
        return is_accident(self.record.id_from, self.winner.id_from)


def newest_of_each(records: Iterable[Record]) -> tuple[list[Record], list[Duplicate]]:
    """One record for each id, and those that lost to it, by path."""
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
    """Which of several records of one id stands for their item."""
    return max(range(len(claims)), key=claims.__getitem__)


def is_accident(id_from: str, winner_id_from: str) -> bool:
    """Whether two equal ids were made of date and path alone, and so say nothing of one item."""
    return id_from == winner_id_from == PATH_ID


def same_id(path: str, line: int, record: str, winner: str) -> Problem:
    """Two records that name neither id nor address, of one date and one path below two sources."""
    what = f"date and path below its source are those of {winner}, and so is its id"
    remedy = "give one of them an id: or a url:"
    return Problem(path, line, "id", what, remedy, record=record)
