"""Helpers for tests: sites, records, stores and clocks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from feedpub.config import Config, load_config
from feedpub.grouping.terms import Taxonomies, Terms
from feedpub.model import (
    Contributor,
    Enclosure,
    Episode,
    License,
    Location,
    Person,
    Provider,
    Record,
    Related,
    Transcript,
)
from feedpub.records.scan import RunClock
from feedpub.run.media import Media, MediaFile
from feedpub.run.report import MediaReport, RunOptions, Watch
from feedpub.run.rules import Selection, SelectionRules
from feedpub.run.stale import FeedJob, FeedPlanner
from feedpub.store.opening import StoreOwner, StoreSession
from feedpub.store.rows import FileRow, FolderRow, row_of
from feedpub.store.store import Store

CONFIG = """\
site: {title: A site, url: https://feeds.example.org/}
records: [records]
"""


def config(root: Path, text: str = CONFIG, **files: str | bytes) -> Config:
    """A site in this folder; `files` are texts by name, with __ for a slash and _ for a dot."""
    (root / "records").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write(root / name.replace("__", "/").replace("_", "."), content)
    write(root / "config.yaml", text)
    return load_config(root / "config.yaml", {})


def write(path: Path, content: str | bytes) -> Path:
    """Writes a file, and creates its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def scratch() -> Store:
    """A new store that is kept nowhere."""
    return StoreSession(Path(), "state", StoreOwner("", ""), ignore=True, keep=False).store


def later() -> RunClock:
    """A clock an hour ahead, so that files written just now are sure."""
    clock = RunClock()
    clock._limit += 3600 * 10**9
    return clock


def record(**fields: Any) -> Record:
    """A record with default values."""
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    return Record(
        **{
            "path": "records/a.md", "line": 1, "order": "records/a.md", "id": "a", "id_from": "id",
            "title": "A", "published": moment, "updated": moment,
        } | fields
    )  # fmt: skip


class Planned(NamedTuple):
    """The plans of all feeds, by path, and what they were made with."""

    store: Store
    selection: Selection
    planner: FeedPlanner
    jobs: dict[str, FeedJob]


def planned(
    site: Config,
    *records: Record,
    digest: bytes = b"digest",
    media: Mapping[str, MediaFile] | None = None,
    aliases: Mapping[str, Sequence[str]] | None = None,
) -> Planned:
    """The plans of all feeds of these records, each in a file of its own, as of a first run."""
    store, options = scratch(), RunOptions(None)
    terms = Taxonomies(Terms([], []), Terms([], []))
    selection = Selection(SelectionRules.of(site, options), None, terms)
    store.put_folder(FolderRow(1, "records/", "", b"", None), "records", b"records")
    for record in records:
        _, feeds = selection.of(record.head)
        row = row_of(record, None, digest, "", "\n".join(media or ()))
        file = store.new_file()
        name = os.fsencode(record.path.removeprefix("records/"))
        store.put_files([(FileRow(file, 1, 1, 1, 1, digest, b""), 1, name, None)])
        store.add_records([(file, row._replace(feeds=store.feed_ids(feeds)))])
    known = Media(site, options, RunClock(), Watch(), MediaReport())
    known.found.update(media or {})
    rows = [row._replace(total=store.count_feed(row.id)) for row in store.feeds()]
    paths = [row.path for row in rows]
    planner = FeedPlanner(site, store, terms, selection, paths, aliases or {}, known)
    return Planned(store, selection, planner, {row.path: planner.plan(row) for row in rows})


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
NUMBERS = st.none() | st.integers(-1, 100) | st.floats(-1, 100)
MOMENTS = st.datetimes(
    datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=0, fold=0))  # fmt: skip
_COUNTS = st.integers(0, 2**40)
_ENCLOSURES = st.lists(
    st.builds(Enclosure, WORDS, WORDS, _COUNTS, WORDS, _COUNTS, _COUNTS, _COUNTS, WORDS, st.none()),
    max_size=2,
).map(tuple)
TOPICS = ("News", "news", "World", "Örtliches", "C++")
EPISODES = st.builds(
    Episode,
    season=_COUNTS, number=WORDS, explicit=st.none() | st.booleans(),
    transcripts=st.lists(st.builds(Transcript, WORDS, WORDS), max_size=2).map(tuple),
    people=st.lists(st.builds(Contributor, WORDS), max_size=2).map(tuple),
    locations=st.lists(st.builds(Location, WORDS), max_size=2).map(tuple),
    license=st.none() | st.builds(License, WORDS),
)  # fmt: skip
RECORDS = st.builds(
    Record,
    path=WORDS, line=_COUNTS, order=WORDS, id=WORDS, id_from=WORDS, title=WORDS,
    published=MOMENTS, updated=MOMENTS, link=WORDS, external_url=WORDS, summary=WORDS, body=WORDS,
    body_type=WORDS, featured=WORDS,
    provider=st.none() | st.builds(Provider, st.sampled_from(["P", "p.example", "Q"]),
                                   st.sampled_from(["", "p.example"]), WORDS, WORDS),
    authors=st.lists(st.builds(Person, WORDS, WORDS, WORDS), max_size=2).map(tuple),
    topics=st.lists(st.sampled_from(TOPICS), max_size=3).map(tuple),
    images=_ENCLOSURES, enclosures=_ENCLOSURES,
    related=st.lists(st.builds(Related, WORDS, WORDS, WORDS), max_size=2).map(tuple),
    language=st.sampled_from(["", "en", "en-GB", "de"]), type=st.sampled_from(["", "video"]),
    category=st.sampled_from(["", "c"]), price=st.sampled_from(["", "free"]),
    quality=NUMBERS, heat=NUMBERS, duration=_COUNTS, comments=WORDS, amp_url=WORDS,
    episode=st.none() | EPISODES,
    status=st.sampled_from(["", "", "draft", "unpublished", "removed"]),
)  # fmt: skip
