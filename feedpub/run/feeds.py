"""Decides which feeds exist and which of their files to write, and commits the output tree."""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from feedpub.config import CATALOGUE_NAMES, Config
from feedpub.durable import Root
from feedpub.formats import in_order, plugin_state
from feedpub.grouping.archive import period_of
from feedpub.grouping.assemble import min_items
from feedpub.model import Placement
from feedpub.output.manifest import MANIFEST_NAME
from feedpub.output.tree import OutputTree, Staged
from feedpub.parallel import usable_cpus
from feedpub.records.scan import RunClock, Signature
from feedpub.run import inputs
from feedpub.run.media import Media
from feedpub.run.report import MediaReport, RunOptions, Watch
from feedpub.run.rules import FileRules, Selection, Vocabulary
from feedpub.run.stale import ArchivePlan, FeedJob, FeedPlanner, window_of
from feedpub.run.sync import Kept
from feedpub.store.rows import FeedRow, OutputRow, Unit
from feedpub.store.store import Store

if TYPE_CHECKING:
    from feedpub.run.render import Publisher

BATCH = 1000  # records per batch of archives, at least; a period is never split


@dataclass(slots=True, eq=False, repr=False)
class TreeState:
    """The output files that the store lists, by their state on disk."""

    intact: dict[str, OutputRow] = field(default_factory=dict)
    damaged: dict[str, OutputRow] = field(default_factory=dict)  # changed or missing
    restamped: dict[str, OutputRow] = field(default_factory=dict)  # intact, new signature


def compare_tree(output: Path, rows: Mapping[str, OutputRow], clock: RunClock) -> TreeState:
    """Compares the output tree with the store: by signature, and by content if that differs."""
    state = TreeState()
    top, root = str(output), Root(output)
    real = {"": True}

    def is_real(folder: str) -> bool:
        """Whether no part of a folder's path is a symbolic link."""
        if folder not in real:
            is_link = os.path.islink(f"{top}/{folder}")  # noqa: PTH114 - many of them
            real[folder] = not is_link and is_real(folder.rpartition("/")[0])
        return real[folder]

    for path, row in rows.items():
        file = f"{top}/{path}"
        try:
            signature = Signature.of(os.lstat(file))
        except OSError:
            state.damaged[path] = row
            continue
        if not is_real(path.rpartition("/")[0]):
            state.damaged[path] = row
        elif signature == row[1:5]:
            state.intact[path] = row
        elif root.digest(path) == row.digest:
            state.intact[path] = row
            state.restamped[path] = stamped(row.unit, signature, row.digest, clock)
        else:
            state.damaged[path] = row
    return state


def stamped(unit: Unit, signature: Signature, digest: str, clock: RunClock) -> OutputRow:
    """The row of a file. If the file was just written, the next run checks its hash."""
    mtime = signature.mtime if clock.is_sure(signature) else -1
    status = (signature.size, mtime, signature.ctime, signature.inode)
    return OutputRow(unit.feed, *status, digest, unit.period)


def files_of(config: Config, path: str) -> list[str]:
    """The paths of a feed's files, one per format."""
    prefix = f"{path}/" if path else ""
    names = config.feeds.filenames
    return [prefix + names[name] for name in in_order(config.feeds.formats)]


def aliases(config: Config, feeds: Iterable[str], notes: list[str]) -> dict[str, list[str]]:
    """Old paths that must keep working (`feeds.also_at`), by the path of the current file."""
    if not config.feeds.also_at:
        return {}
    found: dict[str, list[str]] = {}
    paths = [file for path in feeds for file in files_of(config, path)] + [*CATALOGUE_NAMES]
    taken = set(paths)
    for old, new in config.feeds.also_at.items():
        targets = [path for path in paths if path == new or path.startswith(f"{new}/")]
        if not targets:
            notes.append(f"feeds.also_at.{old}: there is no {new} at present")
        for target in targets:
            alias = old + target[len(new) :]
            if alias in taken:
                notes.append(f"feeds.also_at.{old}: {alias} is the path of a feed")
                continue
            taken.add(alias)
            found.setdefault(target, []).append(alias)
    return found


def unmatched(config: Config, feeds: Collection[str]) -> list[str]:
    """Notes about overrides of feeds that do not exist: a typo, or a topic without records."""
    return [
        f"feeds.overrides.{path}: there is no such feed at present"
        for path in config.overrides
        if path not in feeds
    ]


class Feeds:
    """The feeds of one run."""

    def __init__(
        self, config: Config, options: RunOptions, store: Store, clock: RunClock, tree: OutputTree
    ) -> None:
        self.notes: list[str] = []
        self.media = MediaReport()
        self._config = config
        self._options = options
        self._store = store
        self._clock = clock
        self._tree = tree
        self._rows = {row.id: row for row in store.feeds()}
        for feed in store.dirty & self._rows.keys():
            self._rows[feed] = self._rows[feed]._replace(total=store.count_feed(feed))
        self._existing = {row.path: row for row in self._rows.values() if self._exists(row)}
        self.notes += unmatched(config, self._existing)
        self._aliases = aliases(config, self._existing, self.notes)
        self._known = store.outputs()
        self._state = compare_tree(config.output, self._known, clock)
        self._damaged = {row.unit for row in self._state.damaged.values()}
        self._all_dirty = False
        self._archives: list[ArchivePlan] = []  # of the planned feeds

    @property
    def paths(self) -> list[str]:
        """The paths of the existing feeds."""
        return list(self._existing)

    def publish(
        self,
        vocabulary: Vocabulary,
        selection: Selection,
        kept: Kept,
        items: int,
        watch: Watch,
    ) -> None:
        """Writes the output tree as a full run would, and updates the store."""
        media = self._refresh_media(watch)
        planner = FeedPlanner(
            self._config, self._store, vocabulary.terms, selection, self.paths, self._aliases, media
        )
        publisher: Publisher | None = None
        staged: list[tuple[Unit, Staged]] = []

        def write(jobs: Iterator[FeedJob]) -> list[tuple[Unit, Staged]]:
            nonlocal publisher
            first = next(jobs, None)
            watch.lap("plan")
            if first is None:
                return []
            if publisher is None:
                # Imports feedgen, lxml and nh3, which a run with nothing to write does not need.
                from feedpub.run.parse import FileReader
                from feedpub.run.render import Publisher

                publisher = Publisher(
                    self._config.root,
                    self._options.jobs or usable_cpus(),
                    self._store,
                    FileReader(FileRules.of(self._config), selection),
                    planner.items,
                    self._aliases,
                    media.found,
                )
                watch.lap("load")
            return publisher.write(itertools.chain([first], jobs), kept, self._tree, watch)

        staged += write(self._stale_feeds(planner, self._dirty_feeds(vocabulary)))
        for batch in self._stale_archives(planner):
            staged += write(iter(batch))
        made = {unit for unit, _ in staged}
        # Archives before the feeds that link to them.
        staged.sort(key=lambda file: not file[0].period)
        # Media files before everything that refers to them.
        staged[:0] = [(Unit(None), file) for file in self._files(media)]
        staged += [(Unit(None), file) for file in self._catalogues()]
        for _, file in staged:
            self._tree.take(file)
        feeds = {row.id for row in self._existing.values()}
        units = {Unit(feed) for feed in feeds}
        units |= {unit for unit in self._store.all_archives() if unit.feed in feeds}
        for path, row in self._state.intact.items():
            if row.unit in units and row.unit not in made:
                self._tree.keep(path, row.digest)
        self._commit(staged, items)
        watch.lap("write")

    def _refresh_media(self, watch: Watch) -> Media:
        """Refreshes facts about the media in feeds; marks feeds dirty whose facts changed."""
        store, config = self._store, self._config
        media = Media(config, self._options, self._clock, watch, self.media)
        if not store.has_media():
            return media
        records = store.records_with_media()
        if config.feeds.archives == "false":
            held = {
                record.id
                for row in self._existing.values()
                for record in window_of(store, config, row)
                if record.media
            }
            records = [record for record in records if record.id in held]
        texts = dict.fromkeys(record.row.media for record in records)
        changed = media.refresh(address for text in texts for address in text.split("\n"))
        if store.fact("media") != media.old_generation:
            self._all_dirty = True  # another run changed the facts since the last run
        elif changed:
            for record in records:
                if not changed.isdisjoint(record.row.media.split("\n")):
                    store.mark_dirty(record)
        store.set_fact("media", media.generation)
        if media.note:
            self.notes.append(media.note)
        watch.lap("media")
        return media

    def _files(self, media: Media) -> list[Staged]:
        """Stages the media files that are missing in the tree or differ."""
        staged = []
        for n, (path, found) in enumerate(sorted(media.paths().items())):
            row = self._state.intact.get(path)
            if row and row.digest == found.digest:
                self._tree.keep(path, row.digest)
            else:
                source = Path(found.file)
                staged.append(self._tree.stage_file(path, found.digest, source, f"media-{n}"))
        return staged

    def _exists(self, row: FeedRow) -> bool:
        return row.total > 0 and row.total >= min_items(self._config, Placement(row.path, row.kind))

    def _dirty_feeds(self, vocabulary: Vocabulary) -> list[FeedRow]:
        """The feeds that may be stale. Resets the rows of feeds that no longer exist."""
        store = self._store
        # What all feeds depend on: config.yaml, the taxonomy, and which feeds exist.
        common = inputs.digest(
            inputs.settings(self._config),
            vocabulary.fingerprint,
            list(self._existing),
            plugin_state(self._config.feeds.formats),
        )
        self._all_dirty |= store.fact("common") != common
        store.set_fact("common", common)
        for row in self._rows.values():
            if row.path not in self._existing and (row.id in store.dirty or row.inputs):
                store.put_feed(row._replace(inputs=None, entry=None))
                store.remove_archives(row.id, store.periods(row.id))
        damaged = {unit.feed for unit in self._damaged}
        return [
            row
            for row in self._existing.values()
            if self._all_dirty or row.id in store.dirty or row.id in damaged
        ]

    def _stale_feeds(self, planner: FeedPlanner, dirty: Sequence[FeedRow]) -> Iterator[FeedJob]:
        """Updates the rows of these feeds; yields the feeds whose files must be written."""
        for before in dirty:
            job = planner.plan(before)
            if job.row != before or before.id in self._store.dirty:
                self._store.put_feed(job.row)
                self._existing[job.row.path] = job.row
            archives = planner.archives(job)
            self._archives += archives
            periods = {archive.period for archive in archives}
            self._store.remove_archives(before.id, self._store.periods(before.id) - periods)
            if job.row.inputs != before.inputs or job.unit in self._damaged:
                yield job

    def _stale_archives(self, planner: FeedPlanner) -> Iterator[list[FeedJob]]:
        """Updates the rows of archives; yields the archives whose files must be written.

        Batches are ordered by period: the archives of one period share records, whose items are
        rendered once.
        """
        store = self._store
        by = self._config.feeds.archives
        dirty = {Unit(feed, period_of(when, by)) for feed, when in store.dirty_moments or ()}
        self._archives.sort(key=lambda archive: (archive.period, archive.job.row.path))
        batch: list[FeedJob] = []
        records: set[int] = set()
        for archive in self._archives:
            unit = archive.unit
            before = store.archive(archive.job.row.id, archive.period)
            context = planner.context(archive)
            current = not (self._all_dirty or unit in dirty or unit in self._damaged)
            if before and current and before.context == context:
                continue
            job, row = planner.plan_archive(archive, context)
            if row != before:
                store.put_archive(archive.job.row.id, archive.period, row)
            if before and before.inputs == row.inputs and unit not in self._damaged:
                continue
            if len(records) > BATCH and job.period != batch[-1].period:
                yield batch
                batch, records = [], set()
            batch.append(job)
            records.update(record.id for record in job.records)
        if batch:
            yield batch

    def _catalogues(self) -> list[Staged]:
        """Stages the catalogues if they are stale."""
        if not self._existing:
            return []
        site, rows = self._config.site, list(self._existing.values())
        files = {name: [name, *self._aliases.get(name, ())] for name in CATALOGUE_NAMES}
        digest = inputs.digest(site.title, site.home, files, [row.entry for row in rows])
        intact = self._state.intact
        paths = [path for names in files.values() for path in names]
        if self._store.fact("catalogues") == digest and all(p in intact for p in paths):
            for path in paths:
                self._tree.keep(path, intact[path].digest)
            return []
        from feedpub.run.render import render_catalogues

        self._store.set_fact("catalogues", digest)
        return [
            self._tree.stage(path, data, f"{name}-{n}")
            for name, data in render_catalogues(site.title, site.home, rows).items()
            for n, path in enumerate(files[name])
        ]

    def _commit(self, staged: list[tuple[Unit, Staged]], items: int) -> None:
        """Moves all files into place, and stores their signatures."""
        tree, store = self._tree, self._store
        gone = [path for path in self._known if path not in tree.files and path != MANIFEST_NAME]
        rows = dict(self._state.restamped)
        if (
            staged
            or gone
            or MANIFEST_NAME not in self._state.intact
            or store.fact("items") != items
        ):
            tree.commit(items, last=CATALOGUE_NAMES)
            if not tree.dry_run:
                moved = [*((file.path, unit) for unit, file in staged), (MANIFEST_NAME, Unit(None))]
                rows |= {path: self._row(path, unit) for path, unit in moved}
        store.set_fact("items", items)
        store.put_outputs(rows.items(), gone)

    def _row(self, path: str, unit: Unit) -> OutputRow:
        """The row of a file in its place."""
        file = self._config.output / path
        signature = Signature.of(os.lstat(file))
        digest = self._tree.files.get(path) or self._tree.digest(path)
        return stamped(unit, signature, digest, self._clock)
