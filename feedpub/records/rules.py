"""The settings that parsing of records and taxonomies depends on.

They are in a module of their own, because a run without changed files needs nothing else
of this package: it compares them with those of the last run.
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
    """The part of the configuration that parsing records depends on."""

    zone: tzinfo
    site_id: str
    home: str
    origin: str  # of home, such as https://example.org/
    language: str  # of the site
    fields: Mapping[str, tuple[str, ...]]  # group of `KEYS` → path of the key that is used for it
    episodes: bool  # whether podcast keys are read
    providers: dict[str, tuple[Provider | None, tuple[Person, ...]]]  # cache of parsed providers

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
    """What parsing taxonomy files depends on, besides their content."""

    home: str  # base of relative URLs
    topics: Sequence[tuple[str, str]]  # files: path, and path in messages
    providers: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, config: Config) -> TaxonomyRules:
        """The rules of a configuration. Raises `RunError` if a folder cannot be read."""
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
