"""All records in memory without their content, for the commands check, explain and list.

`generate` does the same with the store, without all records in memory.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from feedpub.config import Config, Where
from feedpub.formats import in_order, media_type
from feedpub.grouping.apple import faults
from feedpub.grouping.archive import period_of
from feedpub.grouping.assemble import (
    FeedAssembler,
    FormatName,
    ItemAssembler,
    ItemRules,
    feed_id,
    min_items,
    profile,
    window_rule,
)
from feedpub.grouping.duplicates import Duplicate, newest_of_each, same_id
from feedpub.grouping.place import Placer, PlacingRules, group_of
from feedpub.grouping.select import conditions, reason_left_out
from feedpub.grouping.terms import Taxonomies, Terms
from feedpub.grouping.window import Window, Windows
from feedpub.ids.ledger_file import read_ledger
from feedpub.model import LedgerLine, Problem, Profile, Record, global_id
from feedpub.parallel import map_tasks, usable_cpus
from feedpub.records.read import Parsed, parse_file, unreadable
from feedpub.records.rules import ReadingRules, TaxonomyRules
from feedpub.records.scan import FoundFile, UnreadableError, content_hash, read_bytes, scan_sources
from feedpub.records.taxonomy import read_taxonomy
from feedpub.run.media import (
    LOCAL,
    MediaFile,
    describe_file,
    local_file,
    media_addresses,
    with_facts,
)
from feedpub.run.report import RunOptions
from feedpub.store.ledger_index import LedgerIndex
from feedpub.store.rows import seconds

BATCH = 100  # files per task of a process


class LeftOut(NamedTuple):
    """A record that is in no feed, as configured."""

    name: str
    reason: str
    record: Record | None = None  # None for a file that is not a record


@dataclass(slots=True, eq=False, repr=False)
class Reading:
    """All records; read = items + left_out + duplicates + unusable."""

    items: list[Record] = field(default_factory=list)  # newest first
    left_out: list[LeftOut] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # including records used anyway
    no_records: list[LeftOut] = field(default_factory=list)  # taxonomy files and section pages
    unusable: int = 0
    files: int = 0

    @property
    def read(self) -> int:
        """The number of all records."""
        return len(self.items) + len(self.left_out) + len(self.duplicates) + self.unusable

    @property
    def reasons(self) -> dict[str, int]:
        """The number of records left out for each reason, most frequent first."""
        counts = Counter(left.reason for left in self.left_out)
        return dict(sorted(counts.items(), key=lambda count: (-count[1], count[0])))


@dataclass(slots=True, eq=False, repr=False)
class Grouping:
    """Which records are in which feeds."""

    terms: Taxonomies
    placer: Placer
    windows: dict[str, Window]  # by path, sorted


def read_terms(config: Config, problems: list[Problem]) -> Taxonomies:
    """Reads the taxonomy files of topics and providers."""
    files = read_taxonomy(TaxonomyRules.of(config))
    problems += files.problems
    return Taxonomies(Terms(files.topics, problems), Terms(files.providers, problems))


def read_records(
    config: Config,
    terms: Taxonomies,
    options: RunOptions,
    only: Callable[[FoundFile], bool] | None = None,
    try_content: bool = False,
) -> Reading:
    """Reads, selects and deduplicates all records, or those of the files for which `only` is true.

    Content is dropped to save memory. With `try_content` it is rendered first, so that errors
    are raised here.
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
                # A removed record also removes its duplicates, if it is the newest of them.
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
    """The record with the id that the ledger gives it."""
    known = ledger_line(record, content)
    id = ledger.id_of(known, record.id_from)
    return record if id == record.id else record._replace(id=id, derived=record.id)


def ledger_line(record: Record, content: str = "") -> LedgerLine:
    """The ledger line of a record; `content` is a hash of its file, if known."""
    published = seconds(record.published)
    line = LedgerLine(record.id, record.derived, record.path, published, content)
    return line._replace(content=content + line.part) if content else line


def _parse_all(
    files: Sequence[FoundFile], rules: ReadingRules, processes: int, home: str | None
) -> Iterator[tuple[Parsed, str]]:
    """The parsed files in order, each with a hash of its bytes.

    With `home`, the URL of the site, content is rendered to check that it can be.
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
        from feedpub.records.content import content_html  # imports lxml, for check only

        for record in parsed.records:
            content_html(record, home)
    parsed.records = [_without_content(record) for record in parsed.records]
    return parsed, content_hash(data).hex()


def _without_content(record: Record) -> Record:
    return record._replace(body="", featured="", summary="", related=(), comments="", amp_url="")


def group(config: Config, terms: Taxonomies, records: Sequence[Record]) -> Grouping:
    """Places all records; returns the windows of the feeds that have enough of them."""
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


class Matches(NamedTuple):
    """The records and problems that match a name."""

    items: Sequence[Record]
    left_out: Sequence[tuple[Record, str]]  # with the reason
    duplicates: Sequence[Duplicate]
    no_records: Sequence[LeftOut]
    problems: Sequence[Problem]


def find(config: Config, reading: Reading, what: str) -> Matches:
    """Finds everything with this path, path with #n, id or URL."""
    file, mark, part = what.partition("#")
    path = Path(file).absolute()
    below = Path(os.path.relpath(path, config.root)).as_posix()
    names = {what, below + mark + part, config.shown(path) + mark + part}
    names |= {global_id(what, config.site.id)}
    names -= {""}

    def matches(record: Record) -> bool:
        paths = {record.path, record.path.partition("#")[0]}
        urls = {record.id, record.derived, record.link, record.external_url}
        return not names.isdisjoint(paths | urls)

    return Matches(
        [record for record in reading.items if matches(record)],
        [
            (left.record, left.reason)
            for left in reading.left_out
            if left.record and matches(left.record)
        ],
        [lost for lost in reading.duplicates if matches(lost.record)],
        [other for other in reading.no_records if other.name in names],
        [problem for problem in reading.problems if {problem.path, problem.record} & names],
    )


class Membership(NamedTuple):
    """Whether a record is in a feed, and if not, why."""

    feed: str
    position: int = 0  # among the items, from 1; 0 if it is not in the feed
    size: int = 0  # number of items in the feed
    unmet: Where | None = None  # condition of a custom feed that the record does not meet
    min_items: int = 0  # set if the feed has too few records to exist
    period: str = ""  # of the archive with the record, if it is too old for the feed


def memberships(config: Config, grouping: Grouping, record: Record) -> list[Membership]:
    """The feeds that a record belongs to, and the custom feeds it does not belong to."""
    found = []
    placements = grouping.placer.place(record.head)
    for placement in placements:
        window = grouping.windows.get(placement.feed)
        if window is None:
            found.append(Membership(placement.feed, min_items=min_items(config, placement)))
            continue
        ids = [entry.record.id for entry in window.entries]
        if record.id in ids:
            found.append(Membership(placement.feed, ids.index(record.id) + 1, len(ids)))
        else:
            by = config.feeds.archives
            period = "" if by == "false" else period_of(seconds(record.published), by)
            found.append(Membership(placement.feed, size=len(ids), period=period))
    placed = {placement.feed for placement in placements}
    found += [
        Membership(path, unmet=custom.where)
        for custom in config.feeds.custom
        if (path := f"custom/{custom.slug}") not in placed
    ]
    return found


def feed_path(config: Config, what: str) -> str:
    """The path of a feed, given its path, or a path or URL of one of its files."""
    path = what.removeprefix(config.site.url).strip("/")
    path = path.removeprefix(config.shown(config.output) + "/")
    if path == config.shown(config.output):
        return ""
    for old, new in config.feeds.also_at.items():
        if path == old or path.startswith(f"{old}/"):
            path = new + path[len(old) :]
    head, _, name = path.rpartition("/")
    return head if name in {*config.feeds.filenames.values(), "index.html"} else path


class FeedDescription(NamedTuple):
    """A feed, and the settings that decide which items it has."""

    id: str
    window: Window
    where: Where | None  # condition of its group or of the custom feed
    profile: Profile
    urls: Mapping[str, str]  # by format


def describe(config: Config, grouping: Grouping, path: str) -> FeedDescription:
    """Describes an existing feed."""
    window = grouping.windows[path]
    prefix = f"{path}/" if path else ""
    return FeedDescription(
        feed_id(config.site.id, path),
        window,
        group_of(config, window.placement).where,
        profile(config, window.placement) or Profile(),
        {
            name: config.site.url + prefix + config.feeds.filenames[name]
            for name in config.feeds.formats
        },
    )


class MissingFeed(NamedTuple):
    """Why a feed does not exist: no record meets its condition, or too few do."""

    where: Where | None
    records: int = 0
    min_items: int = 0


def explain_missing(
    config: Config, reading: Reading, grouping: Grouping, path: str
) -> MissingFeed | None:
    """Why there is no feed at a path; None if no setting leads to one."""
    for custom in config.feeds.custom:
        if path == f"custom/{custom.slug}":
            return MissingFeed(custom.where)
    placed = [
        placement
        for record in reading.items
        for placement in grouping.placer.place(record.head)
        if placement.feed == path
    ]
    return MissingFeed(None, len(placed), min_items(config, placed[0])) if placed else None


def podcast_problems(config: Config, grouping: Grouping) -> list[Problem]:
    """What Apple Podcasts would reject in podcast feeds; each fault once."""
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
    """Adds the facts of the files beside a record."""
    found: dict[str, MediaFile] = {}
    for address in media_addresses(record, asks_hosts=False).split("\n"):
        file = local_file(config, address.removeprefix(LOCAL)) if address else None
        if file:
            with contextlib.suppress(OSError):
                found[address] = describe_file(file)
    return with_facts(record, found, config.site.url)
