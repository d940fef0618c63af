"""Decides which feeds a record belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from feedpub.config import Config
from feedpub.config.options import AllGroup, Custom, FeedSettings, Group, Where
from feedpub.grouping.select import Condition, conditions
from feedpub.grouping.terms import Taxonomies, names_of
from feedpub.model import Placement, RecordHead, Term

_EVERYTHING = Placement("", "all")


class GroupRule(NamedTuple):
    """The settings of a group that decide which feeds it has, and which records they include."""

    enabled: bool
    path: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    where: Where | None = None


class PlacingRules(NamedTuple):
    """Every setting that placing depends on."""

    all: GroupRule
    topics: GroupRule
    providers: GroupRule
    topic_providers: GroupRule
    custom: tuple[tuple[str, Where], ...]  # slug, and the conditions for records

    @classmethod
    def of(cls, feeds: FeedSettings) -> PlacingRules:
        """The rules of a configuration."""
        topics, providers, both = (
            GroupRule(group.enabled, group.path, group.include, group.exclude, group.where)
            for group in (feeds.topics, feeds.providers, feeds.topic_providers)
        )
        return cls(
            GroupRule(feeds.all.enabled, where=feeds.all.where),
            topics,
            providers,
            both,
            tuple((custom.slug, custom.where) for custom in feeds.custom),
        )


class Placer:
    """Assigns records to feeds. The result depends on the head and the constructor only."""

    def __init__(self, rules: PlacingRules, terms: Taxonomies) -> None:
        self._terms = terms
        self._all, self._topics, self._providers, self._both = (
            _Rule.of(group, terms) if group.enabled else None
            for group in (rules.all, rules.topics, rules.providers, rules.topic_providers)
        )
        self._topic_path = rules.topics.path
        self._provider_path = rules.providers.path
        self._both_path = rules.topic_providers.path
        self._custom = [
            (
                Placement(f"custom/{slug}", "custom"),
                [test for _, test in conditions(where, terms)],
            )
            for slug, where in rules.custom
        ]
        self._made: dict[tuple[Term | None, Term | None], Placement] = {}

    def place(self, record: RecordHead) -> list[Placement]:
        """All feeds of a record, each once."""
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
        """The topics of a record and their ancestors, each once."""
        topics: dict[str, Term] = {}
        for name in record.topics:
            for term in self._terms.topics.line(name):
                topics.setdefault(term.key, term)
        return topics.values()

    def _placement(self, topic: Term | None, provider: Term | None) -> Placement:
        """The placement in the feed of a topic, a provider, or both."""
        found = self._made.get((topic, provider))
        if found is None:
            path, kind = "", "all"
            if topic and provider:
                path = self._both_path.replace("{topic}", topic.slug)
                path, kind = path.replace("{provider}", provider.slug), "topic_provider"
            elif topic:
                path, kind = self._topic_path.replace("{slug}", topic.slug), "topic"
            elif provider:
                path = self._provider_path.replace("{slug}", provider.slug)
                kind = "provider"
            found = self._made[(topic, provider)] = Placement(path, kind, topic, provider)
        return found


class _Rule(NamedTuple):
    """The names and the conditions of a group of feeds."""

    include: frozenset[str]
    exclude: frozenset[str]
    tests: tuple[Condition, ...]

    @classmethod
    def of(cls, group: GroupRule, terms: Taxonomies) -> _Rule:
        # For topic × provider, a name may be that of a topic or of a provider.
        include, exclude = (
            names_of(names, terms.topics) | names_of(names, terms.providers)
            for names in (group.include, group.exclude)
        )
        tests = tuple(test for _, test in conditions(group.where, terms)) if group.where else ()
        return cls(include, exclude, tests)

    def takes(self, record: RecordHead) -> bool:
        """Whether a record meets the `where` of the group."""
        return all(test(record) for test in self.tests)

    def names(self, term: Term, record: RecordHead) -> bool:
        """Whether the term has a feed, and the record meets its `where`."""
        if term.key in self.exclude or (self.include and term.key not in self.include):
            return False
        return not self.tests or self.takes(record)


def group_of(config: Config, placement: Placement) -> Group | AllGroup | Custom:
    """The settings of the group of feeds, or the custom feed, of a placement."""
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
