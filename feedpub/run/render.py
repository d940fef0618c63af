"""Renders items and writes the files of stale feeds, in several processes."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from feedpub.config import CATALOGUE_NAMES
from feedpub.errors import ChangedError
from feedpub.formats import load_formats
from feedpub.formats.catalogues import render_json, render_opml
from feedpub.formats.extension import render_schema
from feedpub.grouping.assemble import ItemAssembler
from feedpub.grouping.podcast import episode_of, moved
from feedpub.model import Item, Profile, Record
from feedpub.output.tree import OutputTree, Staged
from feedpub.parallel import map_tasks
from feedpub.records.content import content_html, content_text
from feedpub.records.text import summary_of
from feedpub.run.files import ToRead
from feedpub.run.media import MediaFile, moved_pictures, with_facts
from feedpub.run.parse import FileReader, unpack
from feedpub.run.report import Watch
from feedpub.run.stale import FeedJob, entry_of
from feedpub.run.sync import Kept
from feedpub.store.rows import FeedRow, Unit
from feedpub.store.store import Store

ITEMS = 20  # per batch and document; in large documents each item costs more
FEEDS = 4  # per batch

# Profile → record id → the item in each format.
Rendered = dict[Profile | None, dict[int, Sequence[bytes]]]


class ToRender(NamedTuple):
    """A record whose item must be rendered; `place` None: its packed record was kept."""

    id: int
    file: int
    part: int | None
    guid: str
    profile: Profile | None
    place: ToRead | None = None


class Publisher:
    """Renders the files of feeds; `aliases` are further paths of a file."""

    def __init__(
        self,
        root: Path,
        processes: int,
        store: Store,
        reader: FileReader,
        items: ItemAssembler,
        aliases: Mapping[str, Sequence[str]],
        media: Mapping[str, MediaFile],
    ) -> None:
        """`root` is the folder that paths in the store are relative to."""
        self._root = root
        self._store = store
        self._reader = reader
        self._items = items
        self._rules = items.rules
        self._aliases = aliases
        self._media = media
        self._processes = processes
        self._formats = load_formats([form.name for form in items.rules.formats])

    def write(
        self, jobs: Iterable[FeedJob], kept: Kept, tree: OutputTree, watch: Watch
    ) -> list[tuple[Unit, Staged]]:
        """Stages the files of feeds; returns them with their units.

        `jobs` may be a generator: items are rendered while it runs.
        """
        feeds: list[FeedJob] = []
        rendered = self._render(jobs, feeds, kept, watch)
        kept.clear()
        watch.lap("render")
        staged: list[tuple[Unit, Staged]] = []

        def assemble(batch: range) -> list[tuple[Unit, Staged]]:
            with tree.holding():
                return [file for n in batch for file in self._assemble(feeds[n], rendered, tree)]

        batches = [range(len(feeds))[n : n + FEEDS] for n in range(0, len(feeds), FEEDS)]
        for _, files in map_tasks(assemble, batches, self._processes):
            staged += files
            watch.progress("writing feeds", len(staged), len(feeds) * len(self._formats))
        watch.lap("feeds")
        return staged

    def _render(
        self, jobs: Iterable[FeedJob], feeds: list[FeedJob], kept: Kept, watch: Watch
    ) -> Rendered:
        """Renders each item of the feeds once per profile. Appends the jobs to `feeds`."""

        def render(batch: list[ToRender]) -> list[tuple[int, Profile | None, Sequence[bytes]]]:
            records = zip(batch, _records(batch, kept, self._reader), strict=True)
            items = (self._item(record, item.profile) for item, record in records)
            parts: list[tuple[bytes, ...]] = []
            # All records of one file are one batch, which can be too large for one document.
            while some := list(itertools.islice(items, ITEMS)):
                parts += zip(*(form.render_items(some) for form in self._formats), strict=True)
            return [(row.id, row.profile, forms) for row, forms in zip(batch, parts, strict=True)]

        rendered: Rendered = defaultdict(dict)
        count = 0
        for _, done in map_tasks(render, self._batches(jobs, feeds, kept), self._processes):
            for record, profile, forms in done:
                rendered[profile][record] = forms
            count += len(done)
            watch.progress("rendering items", count, 0)  # the total is not known yet
        return rendered

    def _batches(
        self, jobs: Iterable[FeedJob], feeds: list[FeedJob], kept: Kept
    ) -> Iterator[list[ToRender]]:
        """The items to render, each once per profile. Appends the jobs to `feeds`."""
        seen_as: dict[Profile | None, set[int]] = defaultdict(set)
        batch: list[ToRender] = []
        unkept: dict[int, list[ToRender]] = {}  # by file, so that each file is read once
        for job in jobs:
            feeds.append(job)
            seen, profile = seen_as[job.profile], job.profile
            for record in job.records:
                if record.id in seen:
                    continue
                seen.add(record.id)
                item = ToRender(record.id, record.file, record.part, record.guid, profile)
                if (record.file, record.part) not in kept:
                    unkept.setdefault(record.file, []).append(item)
                    continue
                batch.append(item)
                if len(batch) >= ITEMS:
                    yield batch
                    batch = []
        for file, records in unkept.items():
            place = self._place(file)
            batch += [record._replace(place=place) for record in records]
            if len(batch) >= ITEMS:
                yield batch
                batch = []
        if batch:
            yield batch

    def _place(self, file: int) -> ToRead:
        """A file that must be read again."""
        place = self._store.file_place(file)
        for n, source in enumerate(self._reader.rules.sources):
            if source.path == place.source:
                path = str(self._root / place.file)
                return ToRead(file, n, path, place.shown, place.below, place.digest)
        raise ChangedError(place.shown)

    def _item(self, record: Record, profile: Profile | None) -> Item:
        published: dict[str, str] = {}
        if self._media:
            complete = with_facts(record, self._media, self._rules.site.url)
            published = moved_pictures(record, complete)
            record = complete
        content = content_html(record, self._rules.site.home, published)
        text = content_text(content)
        short = ""
        if self._rules.content == "excerpt" and not record.summary:
            short = summary_of(text)
        item = self._items.item(record, content, text, short)
        if profile is None:
            return item
        if profile.podcast is not None:
            item = episode_of(item, record.episode, profile.podcast)
        if profile.mail is not None:
            from feedpub.records.newsletter import mailed  # 15 ms, for newsletters only

            item = mailed(item, profile.mail, self._rules.site.home)
        return item

    def _assemble(
        self, job: FeedJob, rendered: Rendered, tree: OutputTree
    ) -> list[tuple[Unit, Staged]]:
        staged = []
        parts = rendered[job.profile]
        for n, form in enumerate(self._formats):
            own = [parts[record.id][n] for record in job.records]
            document = copy = form.render_feed(job.feed, own)
            link = job.feed.link(form.name)
            copies = self._aliases.get(link.path, ())
            if copies and job.feed.podcast:
                copy = form.render_feed(moved(job.feed, link.url), own)
            for m, name in enumerate((link.path, *copies)):
                data = copy if m else document
                file_staged = tree.stage(name, data, f"{job.row.id}-{job.period}-{n}-{m}")
                staged.append((job.unit, file_staged))
        return staged


def render_catalogues(title: str, home: str, rows: Sequence[FeedRow]) -> dict[str, bytes]:
    """Renders the catalogues of all feeds of a site; returns them by file name."""
    entries = [entry_of(row.entry) for row in rows if row.entry]
    opml, feeds, schema = CATALOGUE_NAMES
    return {
        opml: render_opml(title, entries),
        feeds: render_json(title, home, entries),
        schema: render_schema(),
    }


def _records(batch: Sequence[ToRender], kept: Kept, reader: FileReader) -> Iterator[Record]:
    """The records: unpacked if they were kept, else read again from their files."""
    for place, item in itertools.groupby(batch, key=lambda record: record.place):
        read = reader.records(place) if place else {}
        for record in item:
            if place is None:
                found = unpack(kept[record.file, record.part])
            elif record.part in read:
                found = read[record.part]
            else:
                raise ChangedError(place.shown)
            # The reader does not know the ledger.
            yield found if found.id == record.guid else found._replace(id=record.guid)
