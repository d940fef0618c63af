"""The settings that the reading of records and taxonomies depends on.

In a module of its own: a run that reads nothing needs them to see that they are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import NamedTuple
from urllib.parse import urljoin

from feedpub.config import Config
from feedpub.keys import GROUP_OF
from feedpub.model import Person, Provider
from feedpub.paths import printable_path
from feedpub.records.scan import taxonomy_files


class ReadingRules(NamedTuple):
    """What of the configuration the reading of a record depends on."""

    zone: tzinfo
    site_id: str
    home: str
    origin: str  # of home: https://example.org/
    language: str  # the site's
    fields: Mapping[str, tuple[str, ...]]  # group of `KEYS` → the user's own key, step by step
    episodes: bool  # whether what podcasts alone want to know is read
    providers: dict[str, tuple[Provider | None, tuple[Person, ...]]]  # those that were read

    @classmethod
    def of(cls, config: Config) -> ReadingRules:
        """The rules of a configuration."""
        return cls(
            zone=config.zone,
            site_id=config.site.id,
            home=config.site.home,
            origin=urljoin(config.site.home, "/"),
            language=config.site.language,
            fields={
                GROUP_OF[ours]: tuple(theirs.split("."))
                for ours, theirs in config.settings.fields.items()
            },
            episodes=config.has_podcasts,
            providers={},
        )


class TaxonomyRules(NamedTuple):
    """What the reading of taxonomies depends on, besides the bytes of the files."""

    home: str  # of the site: relative addresses are below it
    topics: Sequence[tuple[str, str]]  # files: path, and path as messages name it
    providers: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, config: Config) -> TaxonomyRules:
        """The files that a configuration names; raises `RunError` if a folder cannot be read."""
        topics, providers = (
            [
                (str(path), printable_path(config.shown(path)))
                for path in taxonomy_files(config, folder)
            ]
            if folder
            else []
            for folder in (config.topics_folder, config.providers_folder)
        )
        return cls(config.site.home, topics, providers)
