"""Decides which records may be in feeds, and which meet a `where`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from feedpub.config import Select, Where
from feedpub.grouping.terms import Taxonomies, names_of
from feedpub.model import RecordHead

Condition = Callable[[RecordHead], bool]

# reason for leaving a record out → what to do about it, for reports, summaries and `explain`
REASONS = {
    "unpublished": "include with --unpublished",
    "draft": "include with --unpublished",
    "removed": "always left out",
    "future": "included when their date comes, or with select.future",
    "type": "not in select.types",
    "language": "not in select.languages",
    "category": "not in select.categories",
    "price": "not in select.prices",
    "topic": "not in select.topics",
    "provider": "not in select.providers",
    "quality": "below select.min_quality",
    "heat": "below select.min_heat",
    "section page": "not a record: an _index file describes a folder (Hugo)",
    "taxonomy file": "not a record: name its folder in taxonomy:",
}


def conditions(where: Where, terms: Taxonomies) -> list[tuple[str, Condition]]:
    """The conditions of a `where`, each with the reason for failing it (a key of `REASONS`)."""
    tests: list[tuple[str, Condition]] = []

    def one_of(reason: str, names: tuple[str, ...], get: Callable[[RecordHead], str]) -> None:
        if names:
            wanted = {name.casefold() for name in names}
            tests.append((reason, lambda record: get(record).casefold() in wanted))

    one_of("type", where.types, lambda record: record.type)
    one_of("category", where.categories, lambda record: record.category)
    one_of("price", where.prices, lambda record: record.price)
    if where.languages:
        languages = tuple(name.replace("_", "-").casefold() for name in where.languages)
        tests.append(("language", lambda record: _matches(record.language, languages)))
    if where.topics:
        topics = names_of(where.topics, terms.topics)
        tests.append(("topic", lambda record: not topics.isdisjoint(topic_keys(record, terms))))
    if where.providers:
        providers = names_of(where.providers, terms.providers)
        tests.append(
            (
                "provider",
                lambda record: (
                    record.provider is not None
                    and terms.providers.provider_term(record.provider).key in providers
                ),
            )
        )
    if (quality := where.min_quality) is not None:
        tests.append(("quality", lambda record: _at_least(record.quality, quality)))
    if (heat := where.min_heat) is not None:
        tests.append(("heat", lambda record: _at_least(record.heat, heat)))
    return tests


def topic_keys(record: RecordHead, terms: Taxonomies) -> set[str]:
    """The keys of the topics of a record, and of their ancestors."""
    return {above.key for name in record.topics for above in terms.topics.line(name)}


def reason_left_out(
    record: RecordHead,
    select: Select,
    tests: list[tuple[str, Condition]],
    as_of: datetime | None,
    unpublished: bool,
) -> str:
    """Why a record may be in no feed (a key of `REASONS`), "" if it may be in feeds.

    With `as_of` None, dates in the future are no reason.
    """
    if record.status == "removed" or (record.status and not unpublished):
        return record.status
    if as_of is not None and not select.future and record.published > as_of:
        return "future"
    for reason, test in tests:
        if not test(record):
            return reason
    return ""


def _matches(language: str, wanted: tuple[str, ...]) -> bool:
    """Basic filtering (RFC 4647, 3.3.1): `en` matches `en` and `en-GB`."""
    tag = language.casefold()
    return any(tag == want or tag.startswith(want + "-") for want in wanted)


def _at_least(value: float | None, minimum: float) -> bool:
    """A missing value counts as 0, more than the -1 that some tools write for "unknown"."""
    return (0 if value is None else value) >= minimum
