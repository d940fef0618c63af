"""Which feeds a record belongs to."""

from __future__ import annotations

import pytest

from feedpub.grouping.place import Placer, PlacingRules
from feedpub.model import Record

from .helpers import config, record, taxonomies, term, terms

TERMS = taxonomies(topics=terms(term("AI", id="ai-ethics"), term("LLM", parent="AI")))
STORY = record(topics=("LLM", "Bees"), provider="Acme", type="article", quality=90)


def feeds(made: Record, settings: str = "") -> list[str]:
    """The paths of a record's feeds, under `feeds: {…}`."""
    placer = Placer(PlacingRules.of(config(f"feeds: {{{settings}}}").feeds), TERMS)
    return [placement.feed for placement in placer.place(made.head)]


@pytest.mark.parametrize(
    ("settings", "paths"),
    [
        ("", ["", "topics/llm", "topics/ai-ethics", "topics/bees", "providers/acme"]),
        ("all: false, topics: false", ["providers/acme"]),
        ("topics: false, providers: false", [""]),
        (
            "all: false, topics: false, providers: false, topic_providers: true",
            [
                "topics/llm/providers/acme",
                "topics/ai-ethics/providers/acme",
                "topics/bees/providers/acme",
            ],
        ),
        (
            "all: false, providers: false, topics: {path: 'by/{slug}', include: [ai]}",
            ["by/ai-ethics"],
        ),
        (
            "all: false, providers: false, topics: {exclude: [AI, llm]}",
            ["topics/bees"],
        ),
        ("topics: false, providers: {exclude: [ACME]}", [""]),
        ("topics: false, providers: {where: {types: [video]}}", [""]),
        ("topics: false, providers: {where: {types: [article]}}", ["", "providers/acme"]),
        ("topics: false, providers: false, all: {where: {min_quality: 95}}", []),
        (
            "all: false, topics: false, providers: false,"
            " topic_providers: {path: 'p/{provider}/{topic}', include: [bees]}",
            ["p/acme/bees"],
        ),
        (
            "all: false, topics: false, providers: false,"
            " custom: [{slug: best, where: {min_quality: 80}}, {slug: ai, where: {topics: [ai]}},"
            " {slug: video, where: {types: [video]}}, {slug: everything}]",
            ["custom/best", "custom/ai", "custom/everything"],
        ),
    ],
)
def test_a_record_is_in_the_feeds_of_its_rules(settings: str, paths: list[str]) -> None:
    assert feeds(STORY, settings) == paths


def test_a_record_without_topic_and_provider_is_in_the_feed_of_everything() -> None:
    assert feeds(record()) == [""]
    assert feeds(record(), "topic_providers: true") == [""]


def test_each_feed_is_named_once() -> None:
    """A topic and its parent may both be written; so may two names of one topic."""
    made = record(topics=("AI", "LLM", "ai-ethics", "llm"))
    assert sorted(feeds(made)) == ["", "topics/ai-ethics", "topics/llm"]


def test_awkward_names_have_feeds_of_their_own() -> None:
    names = ("C", "C#", "C++", "日本", "💡", "con", "..", "x" * 300)
    paths = feeds(record(topics=names))
    assert len(set(paths)) == len(names) + 1
    assert all(".." not in path.split("/") for path in paths)


def test_a_topic_and_a_provider_of_one_name_do_not_share_a_feed() -> None:
    paths = feeds(record(topics=("NASA",), provider="NASA"))
    assert paths == ["", "topics/nasa", "providers/nasa"]


def test_another_record_does_not_move_a_feed() -> None:
    placer = Placer(PlacingRules.of(config().feeds), TERMS)
    before = placer.place(STORY.head)
    placer.place(record("b", topics=("bees ", "Beés", "LLM!"), provider="ACME!").head)
    assert placer.place(STORY.head) == before
