"""Topics and providers as the taxonomy files tell of them, remembered between runs."""

from __future__ import annotations

import json
from pathlib import Path

from feedpub.config import Config
from feedpub.grouping.terms import Taxonomies, Terms
from feedpub.model import Problem, TermFile
from feedpub.records.scan import NO_SIGNATURE, Signature, taxonomy_files
from feedpub.stages.fingerprints import digest
from feedpub.stages.racy import Clock
from feedpub.store.store import Store

_FACT = "taxonomy"


class Vocabulary:
    """Both taxonomies; their files are read again only if one of them could have changed.

    Raises `RunError` if they cannot be read.
    """

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        folders = [config.topics_folder, config.providers_folder]
        paths = [path for folder in folders if folder for path in taxonomy_files(config, folder)]
        files = [(str(path), _signature(path)) for path in paths]
        sure = all(clock.is_sure(signature) for _, signature in files)
        seen = digest(config.site.home, files).hex() if sure else ""
        known = json.loads(store.fact(_FACT) or "{}")
        if seen and known.get("seen") == seen:
            topics = [TermFile(*file) for file in known["topics"]]
            providers = [TermFile(*file) for file in known["providers"]]
            self.problems = [Problem(*problem) for problem in known["problems"]]
            self.terms = Taxonomies(Terms(topics, []), Terms(providers, []))
        else:
            from feedpub.records.taxonomy import read_taxonomy  # as seldom as that

            read = read_taxonomy(config)
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
