"""Which records may be in feeds, and in which."""

from __future__ import annotations

from feedpub.config import Config
from feedpub.grouping.place import Placer
from feedpub.grouping.select import conditions, reason_left_out
from feedpub.grouping.terms import Taxonomies
from feedpub.model import RecordHead
from feedpub.stages.heads import Feeds, feeds_of
from feedpub.stages.outcome import Options


class Selection:
    """The rules of one run, for one record at a time."""

    def __init__(self, config: Config, options: Options, terms: Taxonomies) -> None:
        self.placer = Placer(config, terms)
        self._select = config.select
        self._tests = conditions(config.select, terms)
        self._as_of = options.as_of
        self._unpublished = options.unpublished or config.select.unpublished

    def of(self, head: RecordHead) -> tuple[str, Feeds]:
        """Why a record is left out, "" if it may be in feeds; and the feeds it belongs to then."""
        reason = reason_left_out(head, self._select, self._tests, self._as_of, self._unpublished)
        return reason, () if reason else feeds_of(self.placer.place(head))
