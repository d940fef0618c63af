"""The inputs of the steps of a run: the settings that each step reads, and the taxonomies.

A step reads no other setting. A hash of its rules (`feedpub.run.inputs`) tells whether its stored
results are still valid.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from feedpub.config import Config, Select, SourceSpec
from feedpub.grouping.place import Placer, PlacingRules
from feedpub.grouping.select import conditions, reason_left_out
from feedpub.grouping.terms import Taxonomies, Terms
from feedpub.model import Problem, RecordHead, TermFile
from feedpub.records.rules import ReadingRules, TaxonomyRules
from feedpub.records.scan import NO_SIGNATURE, RunClock, Signature
from feedpub.run.inputs import digest, of_rules
from feedpub.run.report import RunOptions
from feedpub.store.rows import FeedKeys, feeds_of
from feedpub.store.store import Store


class FileRules(NamedTuple):
    """Every setting that reading files depends on."""

    records: ReadingRules
    sources: Sequence[SourceSpec]
    asks_hosts: bool  # images.probe: also store URLs of media with missing facts
    mirrors: bool  # images.mirror: also store URLs of pictures

    @classmethod
    def of(cls, config: Config) -> FileRules:
        """The rules of a configuration."""
        images = config.settings.images
        return cls(
            ReadingRules.of(config), config.settings.records, images.probe == "http", images.mirror
        )

    def digests(self) -> list[bytes]:
        """For each source, a hash of all settings that reading its files depends on."""
        return [of_rules(self._replace(sources=(source,))) for source in self.sources]


class SelectionRules(NamedTuple):
    """Every setting that selecting and placing records depends on."""

    select: Select
    unpublished: bool
    placing: PlacingRules

    @classmethod
    def of(cls, config: Config, options: RunOptions) -> SelectionRules:
        """The rules of a run."""
        unpublished = options.unpublished or config.select.unpublished
        return cls(config.select, unpublished, PlacingRules.of(config.feeds))


class Selection:
    """Selects and places the records of one run."""

    def __init__(self, rules: SelectionRules, as_of: datetime | None, terms: Taxonomies) -> None:
        """`as_of` is the time of the run: later records are left out; None includes all."""
        self.placer = Placer(rules.placing, terms)
        self._rules = rules
        self._tests = conditions(rules.select, terms)
        self._as_of = as_of

    def of(self, head: RecordHead) -> tuple[str, FeedKeys]:
        """The reason why a record is left out ("" if it is not), and the feeds it belongs to."""
        select, unpublished = self._rules.select, self._rules.unpublished
        reason = reason_left_out(head, select, self._tests, self._as_of, unpublished)
        return reason, () if reason else feeds_of(self.placer.place(head))


_FACT = "taxonomy"


class Vocabulary:
    """Both taxonomies. Their files are read again only if one of them may have changed.

    Raises `RunError` if they cannot be read.
    """

    def __init__(self, config: Config, store: Store, clock: RunClock) -> None:
        rules = TaxonomyRules.of(config)
        signatures = [_signature(Path(path)) for path, _ in (*rules.topics, *rules.providers)]
        sure = all(map(clock.is_sure, signatures))
        seen = of_rules(rules, signatures).hex() if sure else ""
        known = json.loads(store.fact(_FACT) or "{}")
        if seen and known.get("seen") == seen:
            topics = [TermFile(*file) for file in known["topics"]]
            providers = [TermFile(*file) for file in known["providers"]]
            self.problems = [Problem(*problem) for problem in known["problems"]]
            self.terms = Taxonomies(Terms(topics, []), Terms(providers, []))
        else:
            from feedpub.records.taxonomy import read_taxonomy  # rarely needed

            read = read_taxonomy(rules)
            topics, providers = read.topics, read.providers
            self.problems = read.problems
            self.terms = Taxonomies(Terms(topics, self.problems), Terms(providers, self.problems))
            known = {
                "seen": seen,
                "topics": topics,
                "providers": providers,
                "problems": self.problems,
            }
            store.set_fact(_FACT, json.dumps(known))
        self.fingerprint = digest(json.dumps([topics, providers]))


def _signature(file: Path) -> Signature:
    try:
        return Signature.of(file.stat())
    except OSError:
        return NO_SIGNATURE
