"""All records in memory without their content, for the commands check, explain and list.

`generate` does the same work with the store, a part of the records at a time.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from feedpub.config import Config
from feedpub.formats import in_order, media_type
from feedpub.grouping.apple import faults
from feedpub.grouping.assemble import (
    FeedAssembler,
    FormatName,
    ItemAssembler,
    ItemRules,
    min_items,
    window_rule,
)
from feedpub.grouping.duplicates import Duplicate, newest_of_each, same_id
from feedpub.grouping.place import Placer, PlacingRules
from feedpub.grouping.select import conditions, reason_left_out
from feedpub.grouping.terms import Taxonomies, Terms
from feedpub.grouping.window import Window, Windows
from feedpub.ids.ledger_file import read_ledger
from feedpub.model import LedgerLine, Problem, Record
from feedpub.parallel import map_tasks, usable_cpus
from feedpub.records.read import Parsed, parse_file, unreadable
from feedpub.records.rules import ReadingRules, TaxonomyRules
from feedpub.records.scan import FoundFile, UnreadableError, content_hash, read_bytes, scan_sources
from feedpub.records.taxonomy import read_taxonomy
from feedpub.run.media import LOCAL, MediaFile, completed, described, local_file, wanted
from feedpub.run.report import Options
from feedpub.store.ledger_index import LedgerIndex
from feedpub.store.rows import seconds

BATCH = 100  # files that a process parses at once


class LeftOut(NamedTuple):
    """A record that is in no feed, on purpose."""

    name: str
    reason: str
    record: Record | None = None  # None for what is no record of a story at all


@dataclass(slots=True, eq=False, repr=False)
class Reading:
    """All records, each accounted for: read = items + left_out + duplicates + unusable."""

    items: list[Record] = field(default_factory=list)  # newest first
    left_out: list[LeftOut] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # what was mended, too
    no_records: list[LeftOut] = field(default_factory=list)  # taxonomy files and the like
    unusable: int = 0
    files: int = 0

    @property
    def read(self) -> int:
        """How many records there are."""
        return len(self.items) + len(self.left_out) + len(self.duplicates) + self.unusable

    @property
    def reasons(self) -> dict[str, int]:
        """How many records were left out for each reason, the most frequent first."""
        counts = Counter(left.reason for left in self.left_out)
        return dict(sorted(counts.items(), key=lambda count: (-count[1], count[0])))


@dataclass(slots=True, eq=False, repr=False)
class Grouping:
    """Which records are in which feeds."""

    terms: Taxonomies
    placer: Placer
    windows: dict[str, Window]  # by feed path, in the order of the paths


def read_terms(config: Config, problems: list[Problem]) -> Taxonomies:
    """Topics and providers with what their files tell of them."""
    files = read_taxonomy(TaxonomyRules.of(config))
    problems += files.problems
    return Taxonomies(Terms(files.topics, problems), Terms(files.providers, problems))


def read_records(
    config: Config,
    terms: Taxonomies,
    options: Options,
    only: Callable[[FoundFile], bool] | None = None,
    try_content: bool = False,
) -> Reading:
    """Every record of the sources (or of the files that `only` takes), selected and made unique.

    The records are without their content, so that memory does not grow with it. With
    `try_content`, it is rendered before it is dropped: an error of that is raised here.
    """
    reading = Reading()
    scan = scan_sources(config)
    reading.problems += scan.problems
    reading.unusable += len(scan.problems)
    rules = ReadingRules.of(config)
    tests = conditions(config.select, terms)
    unpublished = options.unpublished or config.select.unpublished
    ledger = LedgerIndex.of(read_ledger(config.ledger, config.shown(config.ledger)))
    records: list[Record] = []
    files = [found for found in scan.files if only is None or only(found)]
    reading.files = len(files)
    home = config.site.home if try_content else None
    for parsed, content in _parse_all(files, rules, options.jobs or usable_cpus(), home):
        reading.problems += parsed.problems
        reading.unusable += parsed.unusable
        reading.no_records += [LeftOut(name, reason) for name, reason in parsed.skipped]
        for found in parsed.records:
            record = _named(found, content, ledger)
            select = config.select
            reason = reason_left_out(record.head, select, tests, options.as_of, unpublished)
            if reason and reason != "removed":
                reading.left_out.append(LeftOut(record.path, reason, record))
            else:
                # What was removed is out with all its copies, if it is the newest of them.
                records.append(record)
    unique, duplicates = newest_of_each(records)
    for duplicate in duplicates:
        if duplicate.is_accident:
            lost, winner = duplicate
            path = lost.path.partition("#")[0]
            reading.problems.append(same_id(path, lost.line, lost.path, winner.path))
            reading.unusable += 1
        else:
            reading.duplicates.append(duplicate)
    removed = [record for record in unique if record.status == "removed"]
    reading.left_out += [LeftOut(record.path, "removed", record) for record in removed]
    items = (record for record in unique if record.status != "removed")
    reading.items = sorted(items, key=lambda record: record.sort_key)
    return reading


def _named(record: Record, content: str, ledger: LedgerIndex) -> Record:
    """A record under the id that it has."""
    known = ledger_line(record, content)
    id = ledger.id_of(known, record.id_from)
    return record if id == record.id else record._replace(id=id, derived=record.id)


def ledger_line(record: Record, content: str = "") -> LedgerLine:
    """What a line of the ledger can tell of a record; `content` is a hash of its file, if known."""
    published = seconds(record.published)
    line = LedgerLine(record.id, record.derived, record.path, published, content)
    return line._replace(content=content + line.part) if content else line


def _parse_all(
    files: Sequence[FoundFile], rules: ReadingRules, processes: int, home: str | None
) -> Iterator[tuple[Parsed, str]]:
    """What each file gives, in their order, with a hash of its bytes.

    With `home`, the address of the site, content is rendered once to see that it can be.
    """

    def parse(batch: range) -> list[tuple[Parsed, str]]:
        return [_parse(files[n], rules, home) for n in batch]

    batches = [range(len(files))[n : n + BATCH] for n in range(0, len(files), BATCH)]
    for _, parsed in sorted(map_tasks(parse, batches, processes), key=lambda done: done[0]):
        yield from parsed


def _parse(found: FoundFile, rules: ReadingRules, home: str | None) -> tuple[Parsed, str]:
    try:
        data = read_bytes(found.file)
    except UnreadableError as error:
        return unreadable(found.shown, error.what, error.remedy), ""
    parsed = parse_file(data, found.shown, found.below, found.source, rules)
    if home is not None:
        from feedpub.records.content import content_html  # explain and list need no lxml

        for record in parsed.records:
            content_html(record, home)
    parsed.records = [_without_content(record) for record in parsed.records]
    return parsed, content_hash(data).hex()


def _without_content(record: Record) -> Record:
    return record._replace(body="", featured="", summary="", related=(), comments="", amp_url="")


def group(config: Config, terms: Taxonomies, records: Sequence[Record]) -> Grouping:
    """Places every record and keeps the window of each feed that has enough of them."""
    placer = Placer(PlacingRules.of(config.feeds), terms)
    windows = Windows(lambda placement: window_rule(config, placement))
    for record in records:
        windows.add(record, placer.place(record.head))
    kept = {
        path: window
        for path, window in sorted(windows.feeds.items())
        if window.total >= min_items(config, window.placement)
    }
    return Grouping(terms, placer, kept)


def lacks_of_podcasts(config: Config, grouping: Grouping) -> list[Problem]:
    """What Apple Podcasts would refuse of the feeds that are podcasts; each fault once."""
    formats = [FormatName(name, media_type(name)) for name in in_order(config.feeds.formats)]
    existing = list(grouping.windows)
    items = ItemAssembler(ItemRules.of(config, formats), grouping.terms, existing)
    assembler = FeedAssembler(config, grouping.terms, items)
    found: dict[Problem, None] = {}
    for window in grouping.windows.values():
        records = [_with_local(entry.record, config) for entry in window.entries]
        newest = records[0]
        feed = assembler.feed(window.placement, newest.head, newest.updated, window.total)
        if feed.podcast is None:
            continue
        for fault in faults(feed, feed.podcast, records):
            path, line, what = config.shown(config.path), 0, fault.what
            if fault.record:
                path, line = fault.record.path.partition("#")[0], fault.record.line
            elif feed.path:
                what = f"{feed.path}: {what}"
            name = fault.record.path if fault.record else ""
            found[Problem(path, line, fault.key, what, fault.remedy, False, name)] = None
    return list(found)


def _with_local(record: Record, config: Config) -> Record:
    """The record with what the files beside it tell."""
    found: dict[str, MediaFile] = {}
    for address in wanted(record, asks_hosts=False).split("\n"):
        file = local_file(config, address.removeprefix(LOCAL)) if address else None
        if file:
            with contextlib.suppress(OSError):
                found[address] = described(file)
    return completed(record, found, config.site.url)
