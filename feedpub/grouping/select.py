"""Which records may be in feeds, and which meet a feed's `where`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from feedpub.config import Select, Where
from feedpub.grouping.terms import Taxonomies, names_of
from feedpub.model import RecordHead

Test = Callable[[RecordHead], bool]

# Why a record is left out → what of it. Reports, summaries and `explain` speak these.
REASONS = {
    "unpublished": "taken in by --unpublished",
    "draft": "taken in by --unpublished",
    "removed": "not taken in: it says removed: true",
    "future": "taken in when its time has come, or by select.future",
    "type": "taken in by select.types",
    "language": "taken in by select.languages",
    "category": "taken in by select.categories",
    "price": "taken in by select.prices",
    "topic": "taken in by select.topics",
    "provider": "taken in by select.providers",
    "quality": "taken in by select.min_quality",
    "heat": "taken in by select.min_heat",
    "section page": "no record: an _index file heads a folder of Hugo's",
    "taxonomy file": "no record: name its folder in taxonomy:",
}


def conditions(where: Where, terms: Taxonomies) -> list[tuple[str, Test]]:
    """The conditions of a `where`, each with the word for failing it."""
    tests: list[tuple[str, Test]] = []

    def one_of(reason: str, names: tuple[str, ...], get: Callable[[RecordHead], str]) -> None:
        if names:
            wanted = {name.casefold() for name in names}
            tests.append((reason, lambda record: get(record).casefold() in wanted))

    one_of("type", where.types, lambda record: record.type)
    one_of("category", where.categories, lambda record: record.category)
    one_of("price", where.prices, lambda record: record.price)
    if where.languages:
        languages = tuple(name.replace("_", "-").casefold() for name in where.languages)
        tests.append(("language", lambda record: _speaks(record.language, languages)))
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
    """The keys of a record's topics and of all above them."""
    return {above.key for name in record.topics for above in terms.topics.line(name)}


def reason_left_out(
    record: RecordHead,
    select: Select,
    tests: list[tuple[str, Test]],
    as_of: datetime | None,
    unpublished: bool,
) -> str:
    """Why a record is in no feed, "" if it may be; `as_of` None takes in the future."""
    if record.status == "removed" or (record.status and not unpublished):
        return record.status
    if as_of is not None and not select.future and record.published > as_of:
        return "future"
    for reason, test in tests:
        if not test(record):
            return reason
    return ""


def _speaks(language: str, wanted: tuple[str, ...]) -> bool:
    """Basic filtering of RFC 4647 (3.3.1): `en` takes `en` and `en-GB`."""
    tag = language.casefold()
    return any(tag == want or tag.startswith(want + "-") for want in wanted)


def _at_least(value: float | None, minimum: float) -> bool:
    """What says nothing passes for 0; heat: -1 is said by some people for "not known"."""
    return (0 if value is None else value) >= minimum
