"""What changed in the store → the files of the feeds that it changes, and of no others."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from feedpub.config import CATALOGUE_NAMES, Config
from feedpub.errors import RunError
from feedpub.formats import load_formats
from feedpub.formats.catalogues import render_json, render_opml
from feedpub.grouping.assemble import Assembler
from feedpub.model import Item, Record
from feedpub.output.tree import OutputTree, Staged
from feedpub.records.content import content_html, html_text
from feedpub.records.text import shorten
from feedpub.records.workers import map_tasks, usable_cpus
from feedpub.stages.files import ToRead
from feedpub.stages.looking import Job, entry_of
from feedpub.stages.outcome import Options, Watch
from feedpub.stages.packing import unpack
from feedpub.stages.reading import Reader
from feedpub.stages.refresh import Kept
from feedpub.stages.selection import Selection
from feedpub.store.rows import FeedRow, WindowRow
from feedpub.store.store import Store

SUMMARY_LENGTH = 300  # of a summary made from the content
ITEMS = 20  # that a process renders at once: large documents cost more an item than small ones
FEEDS = 8  # that a process writes at once


class ChangedError(RunError):
    """A record that was there a moment ago is not; the run is to be begun again."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was changed while feedpub ran; run again")


class Publisher:
    """Makes the files of feeds; `aliases` say where else a file is to be found."""

    def __init__(
        self,
        config: Config,
        options: Options,
        store: Store,
        selection: Selection,
        assembler: Assembler,
        aliases: Mapping[str, Sequence[str]],
    ) -> None:
        self._config = config
        self._store = store
        self._selection = selection
        self._assembler = assembler
        self._aliases = aliases
        self._processes = options.jobs or usable_cpus()
        self._formats = load_formats(config.feeds.formats)

    def write(
        self, jobs: Sequence[Job], kept: Kept, tree: OutputTree, watch: Watch
    ) -> list[tuple[int, Staged]]:
        """Stages the files of feeds, each with its feed's id; in several processes if it pays."""
        unique = {record.id: record for job in jobs for record in job.records}
        records = sorted(unique.values(), key=lambda record: (record.file, record.part or 0))
        needed = {(record.file, record.part) for record in records}
        for place in kept.keys() - needed:
            del kept[place]
        parts = self._render(records, kept, watch)
        watch.lap("render")
        staged: list[tuple[int, Staged]] = []

        def assemble(batch: range) -> list[tuple[int, Staged]]:
            return [file for n in batch for file in self._assemble(jobs[n], parts, tree)]

        for _, files in map_tasks(assemble, _batches(len(jobs), FEEDS), self._processes):
            staged += files
            watch.progress("writing feeds", len(staged), len(jobs) * len(self._formats))
        watch.lap("feeds")
        return staged

    def _render(
        self, records: Sequence[WindowRow], kept: Kept, watch: Watch
    ) -> dict[int, list[bytes]]:
        """Each record's item in each format, by the record's id."""
        places = {
            file: self._place(file)
            for file in {r.file for r in records if (r.file, r.part) not in kept}
        }
        reader = Reader(self._config, self._selection)

        def render(batch: range) -> list[tuple[int, list[bytes]]]:
            part = records[batch.start : batch.stop]
            items: list[Item] = []
            for file, rows in itertools.groupby(part, key=lambda row: row.file):
                read: Mapping[int | None, Record] = {}
                for row in rows:
                    if blob := kept.get((file, row.part)):
                        record = unpack(blob)
                    else:
                        read = read or reader.records(places[file])
                        if row.part not in read:
                            raise ChangedError(places[file].shown)
                        record = read[row.part]
                    items.append(self._item(record))
            rendered = [form.render_items(items) for form in self._formats]
            return [(row.id, list(forms)) for row, *forms in zip(part, *rendered, strict=True)]

        parts: dict[int, list[bytes]] = {}
        for _, done in map_tasks(render, _batches(len(records), ITEMS), self._processes):
            parts.update(done)
            watch.progress("rendering items", len(parts), len(records))
        return parts

    def _place(self, file: int) -> ToRead:
        """Where a file is to be read again."""
        place = self._store.file_place(file)
        for n, source in enumerate(self._config.settings.records):
            if source.path == place.source:
                path = str(self._config.root / place.file)
                return ToRead(file, n, path, place.shown, place.below, b"")
        raise ChangedError(place.shown)

    def _item(self, record: Record) -> Item:
        content = content_html(record, self._config.site.home)
        text = ""
        if self._config.feeds.content == "excerpt" and not record.summary:
            text = shorten(html_text(content), SUMMARY_LENGTH)
        return self._assembler.item(record, content, text)

    def _assemble(
        self, job: Job, parts: Mapping[int, Sequence[bytes]], tree: OutputTree
    ) -> list[tuple[int, Staged]]:
        staged = []
        for n, form in enumerate(self._formats):
            own = [parts[record.id][n] for record in job.records]
            document = form.render_feed(job.feed, own)
            file = job.feed.link(form.name).path
            for m, name in enumerate((file, *self._aliases.get(file, ()))):
                file_staged = tree.stage(name, document, f"{job.row.id}-{n}-{m}")
                staged.append((job.row.id, file_staged))
        return staged


def render_catalogues(config: Config, rows: Sequence[FeedRow]) -> dict[str, bytes]:
    """The catalogues of all feeds, by file."""
    entries = [entry_of(row.entry) for row in rows if row.entry]
    site = config.site
    opml, feeds = CATALOGUE_NAMES
    return {
        opml: render_opml(site.title, entries),
        feeds: render_json(site.title, site.home, entries),
    }


def _batches(count: int, size: int) -> list[range]:
    return [range(start, min(start + size, count)) for start in range(0, count, size)]
