"""What each step of a run is given: the settings that it reads, and the taxonomies.

A step reads no other setting, and a hash of its rules says whether its results still hold
(`feedpub.run.inputs`).
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
    """Every setting that the reading of files depends on."""

    records: ReadingRules
    sources: Sequence[SourceSpec]
    asks_hosts: bool  # which addresses of media are remembered
    mirrors: bool

    @classmethod
    def of(cls, config: Config) -> FileRules:
        """The rules of a configuration."""
        images = config.settings.images
        return cls(
            ReadingRules.of(config), config.settings.records, images.probe == "http", images.mirror
        )

    def digests(self) -> list[bytes]:
        """For each source, a hash of all that its files are read by."""
        return [of_rules(self._replace(sources=(source,))) for source in self.sources]


class SelectionRules(NamedTuple):
    """Every setting that selection and placing depend on."""

    select: Select
    unpublished: bool
    placing: PlacingRules

    @classmethod
    def of(cls, config: Config, options: RunOptions) -> SelectionRules:
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

    def of(self, head: RecordHead) -> tuple[str, FeedKeys]:
        """Why a record is left out, "" if it may be in feeds; and the feeds it belongs to then."""
        select, unpublished = self._rules.select, self._rules.unpublished
        reason = reason_left_out(head, select, self._tests, self._as_of, unpublished)
        return reason, () if reason else feeds_of(self.placer.place(head))


_FACT = "taxonomy"


class Vocabulary:
    """Both taxonomies; their files are read again only if one of them could have changed.

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
            from feedpub.records.taxonomy import read_taxonomy  # as seldom as that

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
