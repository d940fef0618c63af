"""Topics and providers as the taxonomy files tell of them, remembered between runs."""

from __future__ import annotations

import json
from pathlib import Path

from feedpub.config import Config
from feedpub.grouping.terms import Taxonomies, Terms
from feedpub.model import Problem, TermFile
from feedpub.records.rules import TaxonomyRules
from feedpub.records.scan import NO_SIGNATURE, Clock, Signature
from feedpub.run.inputs import digest, of_rules
from feedpub.store.store import Store

_FACT = "taxonomy"


class Vocabulary:
    """Both taxonomies; their files are read again only if one of them could have changed.

    Raises `RunError` if they cannot be read.
    """

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
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
