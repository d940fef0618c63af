"""The run, told in order: files → records → placements → windows → items → feeds → tree."""

from __future__ import annotations

import contextlib
import functools
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from feedpub.config import CATALOGUE_NAMES, Config
from feedpub.errors import NothingUsableError
from feedpub.grouping.assemble import Assembler, min_items, window_rule
from feedpub.grouping.duplicates import Duplicate, newest_of_each
from feedpub.grouping.place import Placer
from feedpub.grouping.select import conditions, reason_left_out
from feedpub.grouping.terms import Taxonomies, Terms
from feedpub.grouping.window import Window, Windows
from feedpub.model import Item, Problem, Record
from feedpub.records.field_reader import Rules
from feedpub.records.read import Parsed, parse_file
from feedpub.records.scan import FoundFile, read_bytes, scan_sources
from feedpub.records.taxonomy import read_taxonomy
from feedpub.records.workers import map_ordered, usable_cpus

if TYPE_CHECKING:
    from feedpub.formats import Format

SUMMARY_LENGTH = 300  # of a summary made from the content
RENDER_BATCH = 200  # items in a document that parts are cut from: bounds the memory it takes


class Options(NamedTuple):
    """What a run is asked for besides the configuration."""

    as_of: datetime | None  # records dated later are left out; None takes in all
    unpublished: bool = False
    allow_empty: bool = False
    dry_run: bool = False
    jobs: int = 0  # processes that parse; 0: as many as there are processors


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


@dataclass(slots=True, eq=False, repr=False)
class Outcome:
    """What a run did."""

    reading: Reading
    feeds: Sequence[str] = ()  # their paths
    written: list[str] = field(default_factory=list)  # files, below the output
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what nobody needs to be woken for
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def feed_counts(self) -> dict[str, int]:
        """Feeds, not files: one is written if any of its files is; total = written + unchanged."""
        feeds = set(self.feeds)
        written = {_feed_of(path) for path in self.written if path not in CATALOGUE_NAMES} & feeds
        gone = {_feed_of(path) for path in self.removed if path not in CATALOGUE_NAMES} - feeds
        return {
            "total": len(feeds),
            "written": len(written),
            "unchanged": len(feeds) - len(written),
            "removed": len(gone),
        }


class Stopwatch:
    """Where the time goes, stage by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Ends a stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def read_terms(config: Config, problems: list[Problem]) -> Taxonomies:
    """Topics and providers with what their files tell of them."""
    files = read_taxonomy(config)
    problems += files.problems
    return Taxonomies(Terms(files.topics, problems), Terms(files.providers, problems))


def read_records(
    config: Config,
    terms: Taxonomies,
    options: Options,
    watch: Stopwatch | None = None,
    only: Callable[[FoundFile], bool] | None = None,
) -> Reading:
    """Every record of the sources (or of the files that `only` takes), selected and made unique."""
    watch = watch or Stopwatch()
    reading = Reading()
    scan = scan_sources(config)
    reading.problems += scan.problems
    reading.unusable += len(scan.problems)
    watch.lap("scan")
    rules = Rules.of(config)
    tests = conditions(config.select, terms)
    unpublished = options.unpublished or config.select.unpublished
    records: list[Record] = []
    files = [found for found in scan.files if only is None or only(found)]
    reading.files = len(files)
    jobs = options.jobs or usable_cpus()
    for parsed in map_ordered(functools.partial(_parse, rules=rules), files, jobs):
        reading.problems += parsed.problems
        reading.unusable += parsed.unusable
        reading.no_records += [LeftOut(name, reason) for name, reason in parsed.skipped]
        for record in parsed.records:
            reason = reason_left_out(record, config.select, tests, options.as_of, unpublished)
            if reason and reason != "removed":
                reading.left_out.append(LeftOut(record.path, reason, record))
            else:
                # What was removed is out with all its copies, if it is the newest of them.
                records.append(record)
    watch.lap("parse")
    unique, lost = newest_of_each(records)
    for duplicate in lost:
        if duplicate.is_accident:
            reading.problems.append(_same_id(duplicate))
            reading.unusable += 1
        else:
            reading.duplicates.append(duplicate)
    removed = [record for record in unique if record.status == "removed"]
    reading.left_out += [LeftOut(record.path, "removed", record) for record in removed]
    items = (record for record in unique if record.status != "removed")
    reading.items = sorted(items, key=lambda record: record.sort_key)
    return reading


def _same_id(duplicate: Duplicate) -> Problem:
    """Two records that name neither id nor address, of one date and one path below two sources."""
    lost, winner = duplicate
    what = f"date and path below its source are those of {winner.path}, and so is its id"
    remedy = "give one of them an id: or a url:"
    return Problem(lost.path.partition("#")[0], lost.line, "id", what, remedy, record=lost.path)


def _parse(found: FoundFile, rules: Rules) -> Parsed:
    data = read_bytes(found)
    if isinstance(data, Parsed):
        return data
    return parse_file(data, found.shown, found.below, found.source, rules)


def group(config: Config, terms: Taxonomies, records: Sequence[Record]) -> Grouping:
    """Places every record and keeps the window of each feed that has enough of them."""
    placer = Placer(config, terms)
    windows = Windows(lambda placement: window_rule(config, placement))
    for record in records:
        windows.add(record, placer.place(record))
    kept = {
        path: window
        for path, window in sorted(windows.feeds.items())
        if window.total >= min_items(config, window.placement)
    }
    return Grouping(terms, placer, kept)


def generate(config: Config, options: Options) -> Outcome:
    """Records → output tree. Raises `RunError`; the last good output then stands."""
    from feedpub.output.lock import locked

    shown = config.shown(config.output)
    with contextlib.nullcontext() if options.dry_run else locked(config.output, shown):
        return _generate(config, options)


def _generate(config: Config, options: Options) -> Outcome:
    from feedpub.output.tree import OutputTree

    watch = Stopwatch()
    tree = OutputTree(config.output, config.shown(config.output), options.dry_run)
    try:
        problems: list[Problem] = []
        terms = read_terms(config, problems)
        watch.lap("taxonomy")
        reading = read_records(config, terms, options, watch)
        reading.problems[:0] = problems
        if not reading.items and tree.previous.items and not options.allow_empty:
            error = NothingUsableError(tree.previous.items, reading.read, reading.problems)
            error.outcome = Outcome(reading)
            raise error
        grouping = group(config, terms, reading.items)
        watch.lap("group")
        outcome = Outcome(reading, feeds=tuple(grouping.windows))
        outcome.notes = [*map(str, config.warnings), *_unmatched(config, grouping)]
        if tree.completed_burst:
            outcome.warnings.append(
                "an earlier run was cut short; its feeds were put in place first"
            )
        _write_feeds(config, grouping, tree.put, outcome.notes, watch)
        tree.commit(len(reading.items), last=CATALOGUE_NAMES)
        watch.lap("write")
    except BaseException:
        tree.abandon()
        raise
    outcome.written = tree.changes.written
    outcome.unchanged = tree.changes.unchanged
    outcome.removed = tree.changes.removed
    outcome.warnings += [
        f"{tree.shown}/{path}: no longer a feed, but changed by somebody else; left as it is"
        for path in tree.changes.kept
    ]
    outcome.seconds = watch.seconds
    return outcome


def _feed_of(path: str) -> str:
    return path.rpartition("/")[0]


Put = Callable[[str, bytes], None]


def _write_feeds(
    config: Config, grouping: Grouping, put: Put, warnings: list[str], watch: Stopwatch
) -> None:
    """Renders every feed and hands its files to `put`."""
    if not grouping.windows:
        return
    # These load feedgen, lxml and nh3: a run with nothing to render must not wait for them.
    from feedpub.formats import load_formats
    from feedpub.formats.catalogues import Entry, render_json, render_opml

    formats = load_formats(config.feeds.formats)
    assembler = Assembler(config, grouping.terms, grouping.placer, formats, grouping.windows)
    watch.lap("load")
    items = _items(config, grouping, assembler)
    watch.lap("content")
    everything = list(items.values())
    parts = {form.name: _parts(form, everything) for form in formats}
    watch.lap("render")
    paths = [link.path for path in grouping.windows for link in assembler.links(path)]
    aliases = _aliases(config, [*paths, *CATALOGUE_NAMES], warnings)
    entries: list[Entry] = []
    for path, window in grouping.windows.items():
        feed = assembler.feed(path, window, items)
        for form in formats:
            own = [parts[form.name][item.id] for item in feed.items]
            document = form.render_feed(feed, own)
            file = feed.link(form.name).path
            for name in (file, *aliases.get(file, ())):
                put(name, document)
        entries.append(Entry.of(feed))
    put("feeds.opml", render_opml(config.site.title, entries))
    put("feeds.json", render_json(config.site.title, config.site.home, entries))
    watch.lap("feeds")


def _items(config: Config, grouping: Grouping, assembler: Assembler) -> dict[str, Item]:
    """The item of each record that a window holds, by id: made once, whatever feeds hold it."""
    from feedpub.records.content import content_html, html_text
    from feedpub.records.text import shorten

    excerpts = config.feeds.content == "excerpt"
    items: dict[str, Item] = {}
    for window in grouping.windows.values():
        for entry in window.entries:
            record = entry.record
            if record.id in items:
                continue
            content = content_html(record, config.site.home)
            text = ""
            if excerpts and not record.summary:
                text = shorten(html_text(content), SUMMARY_LENGTH)
            items[record.id] = assembler.item(record, content, text)
    return items


def _parts(form: Format, items: Sequence[Item]) -> dict[str, bytes]:
    """Each item rendered once in a format, by id."""
    parts: dict[str, bytes] = {}
    for start in range(0, len(items), RENDER_BATCH):
        batch = items[start : start + RENDER_BATCH]
        for item, part in zip(batch, form.render_items(batch), strict=True):
            parts[item.id] = part
    return parts


def _aliases(config: Config, paths: Sequence[str], warnings: list[str]) -> dict[str, list[str]]:
    """Addresses that must go on working: file of the tree → where it is to be found as well."""
    aliases: dict[str, list[str]] = {}
    taken = set(paths)
    for old, new in config.feeds.also_at.items():
        targets = [path for path in paths if path == new or path.startswith(f"{new}/")]
        if not targets:
            warnings.append(f"feeds.also_at.{old}: there is no {new} at present")
        for target in targets:
            alias = old + target[len(new) :]
            if alias in taken:
                warnings.append(f"feeds.also_at.{old}: {alias} is the address of a feed itself")
                continue
            taken.add(alias)
            aliases.setdefault(target, []).append(alias)
    return aliases


def _unmatched(config: Config, grouping: Grouping) -> list[str]:
    """Overrides of feeds that there are none of: a typing mistake, or a topic gone quiet."""
    return [
        f"feeds.overrides.{path}: there is no such feed at present"
        for path in config.overrides
        if path not in grouping.windows
    ]
