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

ARCHIVED = 1000  # records whose items are made at once for archives, but for those of one period


@dataclass(slots=True, eq=False, repr=False)
class TreeState:
    """The state of the files that the store lists."""

    sure: dict[str, OutputRow] = field(default_factory=dict)
    broken: dict[str, OutputRow] = field(default_factory=dict)  # changed by somebody, or gone
    seen: dict[str, OutputRow] = field(default_factory=dict)  # as they were, under a new signature


def compare_tree(output: Path, rows: Mapping[str, OutputRow], clock: RunClock) -> TreeState:
    """Compares the output tree with the store: by signature, and by content if that differs."""
    standing = TreeState()
    top, root = str(output), Root(output)
    real = {"": True}

    def is_real(folder: str) -> bool:
        """Whether a folder is reached without links, which an output tree does not have."""
        if folder not in real:
            is_link = os.path.islink(f"{top}/{folder}")  # noqa: PTH114 - many of them
            real[folder] = not is_link and is_real(folder.rpartition("/")[0])
        return real[folder]

    for path, row in rows.items():
        file = f"{top}/{path}"
        try:
            signature = Signature.of(os.lstat(file))
        except OSError:
            standing.broken[path] = row
            continue
        if not is_real(path.rpartition("/")[0]):
            standing.broken[path] = row
        elif signature == row[1:5]:
            standing.sure[path] = row
        elif root.digest(path) == row.digest:
            standing.sure[path] = row
            standing.seen[path] = stamped(row.unit, signature, row.digest, clock)
        else:
            standing.broken[path] = row
    return standing


def stamped(unit: Unit, signature: Signature, digest: str, clock: RunClock) -> OutputRow:
    """The row of a file. If it was written just now, the next run hashes it to be sure."""
    mtime = signature.mtime if clock.is_sure(signature) else -1
    looks = (signature.size, mtime, signature.ctime, signature.inode)
    return OutputRow(unit.feed, *looks, digest, unit.period)


def files_of(config: Config, path: str) -> list[str]:
    """The files of a feed, one for each format."""
    prefix = f"{path}/" if path else ""
    names = config.feeds.filenames
    return [prefix + names[name] for name in in_order(config.feeds.formats)]


def aliases(config: Config, feeds: Iterable[str], notes: list[str]) -> dict[str, list[str]]:
    """Old paths that must keep working (`feeds.also_at`): file → its other paths."""
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
                notes.append(f"feeds.also_at.{old}: {alias} is the address of a feed itself")
                continue
            taken.add(alias)
            found.setdefault(target, []).append(alias)
    return found


def unmatched(config: Config, feeds: Collection[str]) -> list[str]:
    """Overrides of feeds that do not exist: a typing error, or a topic without records."""
    return [
        f"feeds.overrides.{path}: there is no such feed at present"
        for path in config.overrides
        if path not in feeds
    ]


class Feeds:
    """All feeds of one run."""

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
        self._existing = {row.path: row for row in self._rows.values() if self._is_there(row)}
        self.notes += unmatched(config, self._existing)
        self._aliases = aliases(config, self._existing, self.notes)
        self._known = store.outputs()
        self._standing = compare_tree(config.output, self._known, clock)
        self._broken = {row.unit for row in self._standing.broken.values()}
        self._all_doubtful = False
        self._archives: list[ArchivePlan] = []  # of the feeds that were looked at

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
            watch.lap("look")
            if first is None:
                return []
            if publisher is None:
                # This loads feedgen, lxml and nh3: a run with nothing to make must not wait for it.
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

        staged += write(self._look(planner, self._doubtful(vocabulary)))
        for batch in self._look_into(planner):
            staged += write(iter(batch))
        made = {unit for unit, _ in staged}
        # Archives first: what is linked to is there before what links to it.
        staged.sort(key=lambda file: not file[0].period)
        # And before all, what they show.
        staged[:0] = [(Unit(None), file) for file in self._files(media)]
        staged += [(Unit(None), file) for file in self._catalogues()]
        for _, file in staged:
            self._tree.take(file)
        feeds = {row.id for row in self._existing.values()}
        there = {Unit(feed) for feed in feeds}
        there |= {unit for unit in self._store.all_archives() if unit.feed in feeds}
        for path, row in self._standing.sure.items():
            if row.unit in there and row.unit not in made:
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
        if store.fact("media") != media.began_as:
            self._all_doubtful = True  # they were made of what others knew
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
        """Stages media files that belong in the tree and are not there yet."""
        staged = []
        for n, (path, found) in enumerate(sorted(media.paths().items())):
            row = self._standing.sure.get(path)
            if row and row.digest == found.digest:
                self._tree.keep(path, row.digest)
            else:
                source = Path(found.file)
                staged.append(self._tree.stage_file(path, found.digest, source, f"media-{n}"))
        return staged

    def _is_there(self, row: FeedRow) -> bool:
        return row.total > 0 and row.total >= min_items(self._config, Placement(row.path, row.kind))

    def _doubtful(self, vocabulary: Vocabulary) -> list[FeedRow]:
        """The feeds that may be out of date. Feeds that no longer exist lose their files."""
        store = self._store
        # What all feeds depend on: config.yaml, the taxonomy, and which feeds there are.
        common = inputs.digest(
            inputs.settings(self._config),
            vocabulary.fingerprint,
            list(self._existing),
            plugin_state(self._config.feeds.formats),
        )
        self._all_doubtful |= store.fact("common") != common
        store.set_fact("common", common)
        for row in self._rows.values():
            if row.path not in self._existing and (row.id in store.dirty or row.inputs):
                store.put_feed(row._replace(inputs=None, entry=None))
                store.remove_archives(row.id, store.periods(row.id))
        broken = {unit.feed for unit in self._broken}
        return [
            row
            for row in self._existing.values()
            if self._all_doubtful or row.id in store.dirty or row.id in broken
        ]

    def _look(self, planner: FeedPlanner, doubtful: Sequence[FeedRow]) -> Iterator[FeedJob]:
        """Updates the rows of these feeds; yields those whose files must be written."""
        for before in doubtful:
            job = planner.look(before)
            if job.row != before or before.id in self._store.dirty:
                self._store.put_feed(job.row)
                self._existing[job.row.path] = job.row
            archives = planner.archives(job)
            self._archives += archives
            periods = {archive.period for archive in archives}
            self._store.remove_archives(before.id, self._store.periods(before.id) - periods)
            if job.row.inputs != before.inputs or job.unit in self._broken:
                yield job

    def _look_into(self, planner: FeedPlanner) -> Iterator[list[FeedJob]]:
        """Brings the rows of archives up to date; those whose files are to be made come out.

        They come by period, whatever feed they are of, and some at a time: in a period feeds have
        records in common, whose items are made once for all of them.
        """
        store = self._store
        by = self._config.feeds.archives
        dirty = {Unit(feed, period_of(when, by)) for feed, when in store.dirty_moments or ()}
        self._archives.sort(key=lambda archive: (archive.period, archive.of.row.path))
        batch: list[FeedJob] = []
        records: set[int] = set()
        for archive in self._archives:
            unit = archive.unit
            before = store.archive(archive.of.row.id, archive.period)
            context = planner.context(archive)
            sure = not (self._all_doubtful or unit in dirty or unit in self._broken)
            if before and sure and before.context == context:
                continue
            job, row = planner.look_into(archive, context)
            if row != before:
                store.put_archive(archive.of.row.id, archive.period, row)
            if before and before.inputs == row.inputs and unit not in self._broken:
                continue
            if len(records) > ARCHIVED and job.period != batch[-1].period:
                yield batch
                batch, records = [], set()
            batch.append(job)
            records.update(record.id for record in job.records)
        if batch:
            yield batch

    def _catalogues(self) -> list[Staged]:
        """Stages the catalogues if they are out of date."""
        if not self._existing:
            return []
        site, rows = self._config.site, list(self._existing.values())
        files = {name: [name, *self._aliases.get(name, ())] for name in CATALOGUE_NAMES}
        made_of = inputs.digest(site.title, site.home, files, [row.entry for row in rows])
        standing = self._standing.sure
        paths = [path for names in files.values() for path in names]
        if self._store.fact("catalogues") == made_of and all(p in standing for p in paths):
            for path in paths:
                self._tree.keep(path, standing[path].digest)
            return []
        from feedpub.run.render import render_catalogues

        self._store.set_fact("catalogues", made_of)
        return [
            self._tree.stage(path, data, f"{name}-{n}")
            for name, data in render_catalogues(site.title, site.home, rows).items()
            for n, path in enumerate(files[name])
        ]

    def _commit(self, staged: list[tuple[Unit, Staged]], items: int) -> None:
        """Moves all files into place, and stores their signatures."""
        tree, store = self._tree, self._store
        gone = [path for path in self._known if path not in tree.files and path != MANIFEST_NAME]
        rows = dict(self._standing.seen)
        if (
            staged
            or gone
            or MANIFEST_NAME not in self._standing.sure
            or store.fact("items") != items
        ):
            tree.commit(items, last=CATALOGUE_NAMES)
            if not tree.dry_run:
                left = [*((file.path, unit) for unit, file in staged), (MANIFEST_NAME, Unit(None))]
                rows |= {path: self._left(path, unit) for path, unit in left}
        store.set_fact("items", items)
        store.put_outputs(rows.items(), gone)

    def _left(self, path: str, unit: Unit) -> OutputRow:
        """The row of a file that was moved into place."""
        file = self._config.output / path
        signature = Signature.of(os.lstat(file))
        digest = self._tree.files.get(path) or self._tree.digest(path)
        return stamped(unit, signature, digest, self._clock)
