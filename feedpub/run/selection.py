"""Which records may be in feeds, and in which."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from feedpub.config import Config, Select
from feedpub.grouping.place import Placer, PlacingRules
from feedpub.grouping.select import conditions, reason_left_out
from feedpub.grouping.terms import Taxonomies
from feedpub.model import RecordHead
from feedpub.run.report import Options
from feedpub.store.rows import Feeds, feeds_of


class SelectionRules(NamedTuple):
    """Every setting that selection and placing depend on."""

    select: Select
    unpublished: bool
    placing: PlacingRules

    @classmethod
    def of(cls, config: Config, options: Options) -> SelectionRules:
        """The rules of a run."""
        unpublished = options.unpublished or config.select.unpublished
        return cls(config.select, unpublished, PlacingRules.of(config.feeds))


class Selection:
    """The rules of one run, for one record at a time."""

    def __init__(self, rules: SelectionRules, as_of: datetime | None, terms: Taxonomies) -> None:
        """`as_of` is the time of the run: later records are left out, None takes in all."""
        self.placer = Placer(rules.placing, terms)
        self._rules = rules
        self._tests = conditions(rules.select, terms)
        self._as_of = as_of

    def of(self, head: RecordHead) -> tuple[str, Feeds]:
        """Why a record is left out, "" if it may be in feeds; and the feeds it belongs to then."""
        select, unpublished = self._rules.select, self._rules.unpublished
        reason = reason_left_out(head, select, self._tests, self._as_of, unpublished)
        return reason, () if reason else feeds_of(self.placer.place(head))
