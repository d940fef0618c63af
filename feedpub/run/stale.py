"""Plans each feed from its records, and hashes the plan to see whether its files are stale."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from feedpub.config import Config
from feedpub.formats import in_order, media_type, plugin_state
from feedpub.formats.entry import CatalogueEntry
from feedpub.grouping.archive import end_of, path_of, period_of, start_of
from feedpub.grouping.assemble import (
    FeedAssembler,
    FormatName,
    ItemAssembler,
    ItemRules,
    profile,
    window_rule,
)
from feedpub.grouping.terms import Taxonomies
from feedpub.model import Feed, FeedLink, History, Placement, Profile, Provider
from feedpub.run.inputs import digest, of_rules
from feedpub.run.media import Media
from feedpub.run.rules import Selection
from feedpub.store.rows import ArchiveRow, FeedRow, Unit, WindowRow, head_of, topics_of
from feedpub.store.store import Store

_NO_TIME = datetime.fromtimestamp(0, UTC)


class FeedJob(NamedTuple):
    """A feed or an archive to write: everything its files are rendered from."""

    row: FeedRow
    feed: Feed  # without items
    records: list[WindowRow]
    period: str = ""  # of an archive, like 2026-01
    profile: Profile | None = None  # how its items are adapted (podcast, newsletter)

    @property
    def unit(self) -> Unit:
        """The feed or archive that the files belong to."""
        return Unit(self.row.id, self.period)


class ArchivePlan(NamedTuple):
    """An archive of a feed, and the periods of the archives before and after it ("" for none)."""

    job: FeedJob  # of the feed
    period: str
    older: str
    newer: str

    @property
    def unit(self) -> Unit:
        """The archive that its files belong to."""
        return Unit(self.job.row.id, self.period)


class FeedPlanner:
    """Plans feeds and archives; `existing` has the paths of all feeds of the run."""

    def __init__(
        self,
        config: Config,
        store: Store,
        terms: Taxonomies,
        selection: Selection,
        existing: Sequence[str],
        aliases: Mapping[str, Sequence[str]],
        media: Media,
    ) -> None:
        formats = [FormatName(name, media_type(name)) for name in in_order(config.feeds.formats)]
        self.items = ItemAssembler(ItemRules.of(config, formats), terms, existing)
        self._feeds = FeedAssembler(config, terms, self.items)
        self._config = config
        self._store = store
        self._placer = selection.placer
        self._aliases = aliases
        self._media = media
        self._by = "" if config.feeds.archives == "false" else config.feeds.archives
        self._contexts: dict[str | tuple[str, str], bytes] = {}  # by topic or provider
        # What all items depend on besides their records.
        self._rules = of_rules(self.items.rules, plugin_state(config.feeds.formats))

    def plan(self, row: FeedRow) -> FeedJob:
        """Plans a feed. Its files are stale if the `inputs` of the new row differ."""
        placement = Placement(row.path, row.kind)
        rule = window_rule(self._config, placement)
        records = window_of(self._store, self._config, row)
        feed = self._feed(row, records)
        if self._by or not rule.items:
            beyond = next(self._periods(row.id, len(records)), "")
            older = self.items.links(path_of(row.path, beyond)) if beyond else ()
            feed = feed._replace(history=History(is_complete=not beyond, older=older))
        own_profile = profile(self._config, placement)
        inputs = digest(
            self._rules,
            own_profile,
            feed._replace(total=0),
            [self._aliases.get(link.path) for link in feed.links],
            self._items(records),
        )
        entry = _entry_text(CatalogueEntry.of(feed, len(records)))
        return FeedJob(row._replace(inputs=inputs, entry=entry), feed, records, profile=own_profile)

    def _feed(self, row: FeedRow, records: Sequence[WindowRow]) -> Feed:
        """The feed of these records, without items. Its title comes from the newest record."""
        newest = head_of(self._store.record(records[0].id).row)
        placement = next(p for p in self._placer.place(newest) if p.feed == row.path)
        updated = datetime.fromtimestamp(max(record.updated for record in records), UTC)
        return self._feeds.feed(placement, newest, updated, row.total)

    def _items(self, records: Sequence[WindowRow]) -> bytes:
        """The hashes of everything that the items of these records depend on."""
        return b"".join(
            part
            for record in records
            for part in (record.digest, record.guid.encode(), *self._context(record))
        )

    def _periods(self, feed: int, skip: int = 0) -> Iterator[str]:
        """The periods of a feed's records, newest first; skips the newest `skip` records."""
        moment = self._store.newest_before(feed, None, skip) if self._by else None
        while moment is not None:
            yield (period := period_of(moment, self._by))
            moment = self._store.newest_before(feed, start_of(period))

    def archives(self, job: FeedJob) -> list[ArchivePlan]:
        """The archives of a feed: one for each period whose records are not all in the feed."""
        periods = ["", *self._periods(job.row.id, len(job.records)), ""]
        return [
            ArchivePlan(job, period, older, newer)
            for newer, period, older in zip(periods, periods[1:], periods[2:], strict=False)
        ]

    def context(self, archive: ArchivePlan) -> bytes:
        """A hash of what an archive depends on besides its records."""
        job = archive.job
        # These fields come from the newest record of the feed, and the archive has its own.
        feed = job.feed._replace(
            title="", description="", icon="", topic=None, provider=None,
            updated=_NO_TIME, published=_NO_TIME, total=0,
        )  # fmt: skip
        return digest(self._rules, job.profile, self._as_archive(archive, feed))

    def _as_archive(self, archive: ArchivePlan, feed: Feed) -> Feed:
        """The feed of an archive: with its own links, and without what only a live feed has."""
        path, links = archive.job.row.path, self.items.links
        older, newer = (
            links(path_of(path, period)) if period else ()
            for period in (archive.older, archive.newer)
        )
        return feed._replace(
            links=links(path_of(path, archive.period)),
            hubs=(),  # an archive has no updates
            ttl=0,
            total=0,
            history=History(current=archive.job.feed.links, older=older, newer=newer),
        )

    def plan_archive(self, archive: ArchivePlan, context: bytes) -> tuple[FeedJob, ArchiveRow]:
        """Plans an archive. Its files are stale if the `inputs` of the new row differ."""
        row, period = archive.job.row, archive.period
        records = self._store.between(row.id, start_of(period), end_of(period))
        feed = self._as_archive(archive, self._feed(row, records))
        inputs = digest(context, feed, self._items(records))
        return FeedJob(row, feed, records, period, archive.job.profile), ArchiveRow(context, inputs)

    def _context(self, record: WindowRow) -> list[bytes]:
        """Hashes of what an item depends on besides its record: taxonomy, feeds and media."""
        parts, known = [], self._contexts
        for name in topics_of(record.topics):
            if name not in known:
                about = self.items.category(name), self.items.topic_image(name)
                known[name] = digest(*about)
            parts.append(known[name])
        if record.provider is not None:
            key = (record.provider, record.domain or "")
            if key not in known:
                provider = Provider(*key)
                of_it = self.items.source(provider), self.items.provider_image(provider)
                known[key] = digest(*of_it)
            parts.append(known[key])
        if record.media:
            parts.append(digest(self._media.facts_of(record.media)))
        return parts


def window_of(store: Store, config: Config, row: FeedRow) -> list[WindowRow]:
    """The records in a feed's window, newest first."""
    rule = window_rule(config, Placement(row.path, row.kind))
    span = None if rule.span is None else int(rule.span.total_seconds())
    return store.window(row.id, rule.items, span)


def _entry_text(entry: CatalogueEntry) -> str:
    return json.dumps(entry, ensure_ascii=False, default=datetime.isoformat)


def entry_of(text: str) -> CatalogueEntry:
    """Parses the catalogue entry in a feed's row."""
    entry = CatalogueEntry(*json.loads(text))
    return entry._replace(
        links=tuple(FeedLink(*link) for link in entry.links),
        updated=datetime.fromisoformat(str(entry.updated)),
    )
