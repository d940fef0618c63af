"""Which records may be in feeds, and the reason where one may not."""

from __future__ import annotations

import pytest

from feedpub.grouping.select import REASONS, conditions, reason_left_out
from feedpub.model import Record

from .helpers import config, moment, record, taxonomies, term, terms

TERMS = taxonomies(
    topics=terms(term("AI", other_names=("KI",)), term("LLM", parent="AI")),
    providers=terms(term("Acme", domain="acme.example")),
)


def reason(made: Record, select: str = "", unpublished: bool = False) -> str:
    """Why a record is left out on the 15th, under `select: {…}`."""
    settings = config(f"select: {{{select}}}").select
    tests = conditions(settings, TERMS)
    return reason_left_out(made.head, settings, tests, moment(15), unpublished)


@pytest.mark.parametrize("status", ["unpublished", "draft", "removed"])
def test_what_its_own_file_holds_back_is_left_out(status: str) -> None:
    assert reason(record(status=status)) == status
    taken_in = "removed" if status == "removed" else ""
    assert reason(record(status=status), unpublished=True) == taken_in


def test_the_future_is_left_out_until_it_comes() -> None:
    assert reason(record(day=15)) == ""
    assert reason(record(published=moment(15, 1))) == "future"
    assert reason(record(day=16), "future: true") == ""
    settings = config().select
    assert reason_left_out(record(day=16).head, settings, [], None, False) == ""


@pytest.mark.parametrize(
    ("select", "why", "good", "bad"),
    [
        ("types: [article, Video]", "type", {"type": "video"}, {"type": "episode"}),
        ("types: article", "type", {"type": "Article"}, {}),
        ("categories: [news]", "category", {"category": "News"}, {"category": "x"}),
        ("prices: [free, 0]", "price", {"price": "0"}, {"price": "5"}),
        ("languages: [en]", "language", {"language": "en-GB"}, {"language": "eng"}),
        ("languages: [pt_BR]", "language", {"language": "pt-br"}, {"language": "pt"}),
        ("topics: [AI]", "topic", {"topics": ("ki",)}, {"topics": ("Bees",)}),
        ("topics: [AI]", "topic", {"topics": ("LLM",)}, {}),
        ("topics: [LLM]", "topic", {"topics": ("LLM", "AI")}, {"topics": ("AI",)}),
        ("providers: [acme]", "provider", {"provider": "Acme"}, {"provider": "Beta"}),
        ("providers: [Acme]", "provider", {"provider": "ACME"}, {}),
        ("min_quality: 80", "quality", {"quality": 80}, {"quality": 79.5}),
        ("min_quality: 80", "quality", {"quality": 80.5}, {}),
        ("min_heat: 0", "heat", {"heat": 0}, {"heat": -1}),
    ],
)
def test_conditions(select: str, why: str, good: dict[str, str], bad: dict[str, str]) -> None:
    assert reason(record(**good), select) == ""
    assert reason(record(**bad), select) == why
    assert reason(record(**bad)) == ""


def test_all_conditions_must_be_met() -> None:
    both = "types: [article], min_quality: 80"
    assert reason(record(type="article", quality=90), both) == ""
    assert reason(record(type="video", quality=90), both) == "type"
    assert reason(record(type="article", quality=1), both) == "quality"


def test_every_reason_says_what_to_do() -> None:
    assert all(REASONS.values())
    assert {"unpublished", "draft", "removed", "future", "section page"} <= REASONS.keys()
