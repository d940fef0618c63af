"""Which feeds a record belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from feedpub.config import Config
from feedpub.config.options import AllGroup, Custom, Group
from feedpub.grouping.select import Condition, conditions
from feedpub.grouping.terms import Taxonomies, names_of
from feedpub.model import Placement, RecordHead, Term

_EVERYTHING = Placement("", "all")


class Placer:
    """Places records; made once for a configuration, it is a pure function of a record."""

    def __init__(self, config: Config, terms: Taxonomies) -> None:
        feeds = config.feeds
        self._terms = terms
        self._all = _Rule.of(feeds.all, terms) if feeds.all.enabled else None
        self._topics = _Rule.of(feeds.topics, terms) if feeds.topics.enabled else None
        self._providers = _Rule.of(feeds.providers, terms) if feeds.providers.enabled else None
        self._both = (
            _Rule.of(feeds.topic_providers, terms) if feeds.topic_providers.enabled else None
        )
        self._topic_path = feeds.topics.path
        self._provider_path = feeds.providers.path
        self._both_path = feeds.topic_providers.path
        self._custom = [
            (
                Placement(f"custom/{custom.slug}", "custom"),
                [test for _, test in conditions(custom.where, terms)],
            )
            for custom in feeds.custom
        ]
        self._made: dict[tuple[Term | None, Term | None], Placement] = {}

    def topic_path(self, term: Term) -> str:
        """Where a topic's feed lives."""
        return self._topic_path.replace("{slug}", term.slug)

    def provider_path(self, term: Term) -> str:
        """Where a provider's feed lives."""
        return self._provider_path.replace("{slug}", term.slug)

    def place(self, record: RecordHead) -> list[Placement]:
        """Every feed that the record belongs to, each once."""
        placements = []
        if self._all and self._all.takes(record):
            placements.append(_EVERYTHING)
        topics = self._topics_of(record) if self._topics or self._both else ()
        provider = self._terms.providers.provider_term(record.provider) if record.provider else None
        if self._topics:
            for topic in topics:
                if self._topics.names(topic, record):
                    placements.append(self._placement(topic, None))
        if self._providers and provider and self._providers.names(provider, record):
            placements.append(self._placement(None, provider))
        if self._both and provider:
            for topic in topics:
                if self._both.names(topic, record):
                    placements.append(self._placement(topic, provider))
        for placement, tests in self._custom:
            if all(test(record) for test in tests):
                placements.append(placement)
        return placements

    def _topics_of(self, record: RecordHead) -> Iterable[Term]:
        """A record's topics and all topics above them, each once."""
        topics: dict[str, Term] = {}
        for name in record.topics:
            for term in self._terms.topics.line(name):
                topics.setdefault(term.key, term)
        return topics.values()

    def _placement(self, topic: Term | None, provider: Term | None) -> Placement:
        """A placement in a topic's feed, a provider's, or the one of both."""
        found = self._made.get((topic, provider))
        if found is None:
            path, kind = "", "all"
            if topic and provider:
                path = self._both_path.replace("{topic}", topic.slug)
                path, kind = path.replace("{provider}", provider.slug), "topic_provider"
            elif topic:
                path, kind = self.topic_path(topic), "topic"
            elif provider:
                path, kind = self.provider_path(provider), "provider"
            found = self._made[(topic, provider)] = Placement(path, kind, topic, provider)
        return found


class _Rule(NamedTuple):
    """What a group takes: by name, and by the record."""

    include: frozenset[str]
    exclude: frozenset[str]
    tests: tuple[Condition, ...]

    @classmethod
    def of(cls, group: Group | AllGroup, terms: Taxonomies) -> _Rule:
        include: frozenset[str] = frozenset()
        exclude: frozenset[str] = frozenset()
        if isinstance(group, Group):
            # A name may be a topic's or a provider's: for topic × provider it may be either.
            include = names_of(group.include, terms.topics) | names_of(
                group.include, terms.providers
            )
            exclude = names_of(group.exclude, terms.topics) | names_of(
                group.exclude, terms.providers
            )
        tests = tuple(test for _, test in conditions(group.where, terms)) if group.where else ()
        return cls(include, exclude, tests)

    def takes(self, record: RecordHead) -> bool:
        """Whether the record meets the group's `where`."""
        return all(test(record) for test in self.tests)

    def names(self, term: Term, record: RecordHead) -> bool:
        """Whether there is a feed for the term, and the record meets its `where`."""
        if term.key in self.exclude or (self.include and term.key not in self.include):
            return False
        return not self.tests or self.takes(record)


def group_of(config: Config, placement: Placement) -> Group | AllGroup | Custom:
    """The settings that a feed shares with its like."""
    feeds = config.feeds
    if placement.kind == "custom":
        path = placement.feed
        return next(custom for custom in feeds.custom if path == f"custom/{custom.slug}")
    groups: dict[str, Group | AllGroup] = {
        "all": feeds.all,
        "topic": feeds.topics,
        "provider": feeds.providers,
        "topic_provider": feeds.topic_providers,
    }
    return groups[placement.kind]
