"""What each feed is to be made of: enough to know whether its files are what they should be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from feedpub.config import Config
from feedpub.formats import MEDIA_TYPES
from feedpub.formats.entry import Entry
from feedpub.grouping.assemble import Assembler, window_rule
from feedpub.grouping.terms import Taxonomies
from feedpub.model import Feed, FeedLink, Placement, Provider
from feedpub.stages.fingerprints import digest, plain
from feedpub.stages.heads import record_of, topics_of
from feedpub.stages.selection import Selection
from feedpub.store.rows import FeedRow, WindowRow
from feedpub.store.store import Store


class Job(NamedTuple):
    """A feed whose files are to be made."""

    row: FeedRow
    feed: Feed  # without its items
    records: list[WindowRow]


class _Format(NamedTuple):
    """What of a format the addresses of a feed depend on."""

    name: str
    media_type: str


class Looker:
    """Looks at feeds; `existing` are the paths of all feeds that there will be."""

    def __init__(
        self,
        config: Config,
        store: Store,
        terms: Taxonomies,
        selection: Selection,
        existing: Sequence[str],
        aliases: Mapping[str, Sequence[str]],
    ) -> None:
        formats = [_Format(*f) for f in MEDIA_TYPES.items() if f[0] in config.feeds.formats]
        self.assembler = Assembler(config, terms, selection.placer, formats, existing)
        self._config = config
        self._store = store
        self._placer = selection.placer
        self._aliases = aliases
        self._contexts: dict[str | tuple[str, str], bytes] = {}  # of topics and providers
        feeds = config.feeds
        self._site = digest(  # what all items depend on, besides their records
            plain(config.site),
            plain(config.settings.images),
            feeds.content,
            feeds.formats,
            plain(feeds.filenames),
            feeds.topics.path,
            feeds.providers.path,
        )

    def look(self, row: FeedRow) -> Job:
        """What a feed is to be made of; its row says whether it was made of just that."""
        placement = Placement(row.path, row.kind)
        rule = window_rule(self._config, placement)
        span = None if rule.span is None else int(rule.span.total_seconds())
        records = self._store.window(row.id, rule.items, span)
        newest = record_of(self._store.record(records[0].id).row)
        placement = next(p for p in self._placer.place(newest) if p.feed == row.path)
        updated = datetime.fromtimestamp(max(record.updated for record in records), UTC)
        feed = self.assembler.feed(placement, newest, updated, row.total)
        inputs = digest(
            self._site,
            feed._replace(total=0),
            [self._aliases.get(link.path) for link in feed.links],
            b"".join(
                part
                for record in records
                for part in (record.digest, record.guid.encode(), *self._context(record))
            ),
        )
        entry = _entry_text(Entry.of(feed, len(records)))
        return Job(row._replace(inputs=inputs, entry=entry), feed, records)

    def _context(self, record: WindowRow) -> list[bytes]:
        """What of its item depends on the taxonomy and on which feeds there are."""
        parts, known = [], self._contexts
        for name in topics_of(record.topics):
            if name not in known:
                known[name] = digest(self.assembler.category(name))
            parts.append(known[name])
        if record.provider is not None:
            key = (record.provider, record.domain or "")
            if key not in known:
                known[key] = digest(self.assembler.source(Provider(*key)))
            parts.append(known[key])
        return parts


def _entry_text(entry: Entry) -> str:
    return json.dumps(entry, ensure_ascii=False, default=datetime.isoformat)


def entry_of(text: str) -> Entry:
    """What the catalogues say of a feed, as its row has it."""
    entry = Entry(*json.loads(text))
    return entry._replace(
        links=tuple(FeedLink(*link) for link in entry.links),
        updated=datetime.fromisoformat(str(entry.updated)),
    )
