"""The store keeps `placements` and `dirty` true by itself, whatever is done to its records."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from feedpub.store.rows import FeedRow, FilePlace, FolderRow, OutputRow, RecordRow, StoredRecord
from feedpub.store.store import Store, in_batches

from .helpers import add_file, feeds, open_session, row, scratch

GUIDS = ["a", "b", "é", "\uffee", "\U0001f600"]  # UTF-16 would sort the last two otherwise
FEEDS = ["", "topics/a", "topics/b", "providers/c"]
RECORDS = st.tuples(
    st.sampled_from(GUIDS),
    st.integers(-3, 3),
    st.sampled_from(["", "", "", "draft", "future", "removed"]),
    st.frozensets(st.sampled_from(FEEDS)),
)
Made = tuple[str, int, str, frozenset[str]]


class Entry(NamedTuple):
    """A record as the model has it."""

    row: RecordRow
    feeds: frozenset[str]
    lost: int = 0

    @property
    def places(self) -> frozenset[str]:
        return frozenset() if self.row.reason or self.lost else self.feeds


class Comparison(RuleBasedStateMachine):
    """A store beside a dict of its records; runs end, and others begin with what those left."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="feedpub-store-"))
        self.model: dict[int, Entry] = {}
        self.open()

    def open(self) -> None:
        self.session = open_session(self.folder)
        assert self.session.note == ""
        self.store = self.session.store
        self.before = dict(self.model)
        self.may: set[str] = set()  # be dirty
        self.touched: set[int] = set()

    def teardown(self) -> None:
        self.session.close()
        shutil.rmtree(self.folder)

    def made(self, made: Made) -> Entry:
        guid, published, reason, paths = made
        paths = frozenset() if reason else paths
        self.may |= paths
        ids = self.store.feed_ids((path, "topic") for path in sorted(paths))
        return Entry(row(guid, published, reason=reason, feeds=ids), paths)

    def note(self, entry: Entry) -> None:
        self.may |= entry.feeds
        self.touched.add(entry.row.guid_key)

    def pick(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.model)))

    @rule(records=st.lists(RECORDS, max_size=4))
    def add(self, records: list[Made]) -> None:
        entries = [self.made(record) for record in records]
        file = add_file(self.store, [entry.row for entry in entries])
        for stored, entry in zip(self.store.records_of(file), entries, strict=True):
            self.model[stored.id] = entry
            if not self.store.is_new:
                self.touched.add(entry.row.guid_key)

    @precondition(lambda self: self.model)
    @rule(data=st.data(), record=RECORDS)
    def update(self, data: st.DataObject, record: Made) -> None:
        id = self.pick(data)
        self.note(self.model[id])
        self.model[id] = self.made(record)
        self.note(self.model[id])
        self.store.update_record(self.store.record(id), self.model[id].row)

    @precondition(lambda self: self.model)
    @rule(data=st.data(), lost=st.integers(0, 2))
    def lose(self, data: st.DataObject, lost: int) -> None:
        id = self.pick(data)
        self.may |= self.model[id].feeds
        self.model[id] = self.model[id]._replace(lost=lost)
        self.store.set_lost(id, lost)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        id = self.pick(data)
        self.note(self.model.pop(id))
        self.store.remove_records([self.store.record(id)])

    @rule()
    def remove_everything(self) -> None:
        for id in [folder.id for folder in self.store.folders().values()]:
            self.store.remove_folder(id)
        for entry in self.model.values():
            self.note(entry)
        self.model.clear()

    @rule(commit=st.booleans())
    def end_of_a_run(self, commit: bool) -> None:
        if commit:
            for feed in self.store.feeds():
                self.store.put_feed(feed._replace(total=self.store.count_feed(feed.id)))
            self.session.commit()
        self.session.close()
        if not commit:
            self.model = self.before
        self.open()

    @invariant()
    def holds_the_records(self) -> None:
        stored = {r.id: r for batch in in_batches(self.store, 2) for r in batch}
        assert {id: (r.row, r.lost) for id, r in stored.items()} == {
            id: (entry.row, entry.lost) for id, entry in self.model.items()
        }

    @invariant()
    def placements_are_the_feeds_of_records_that_stand(self) -> None:
        for feed in self.store.feeds():
            wanted = contents(self.model, feed.path)
            found = self.store.window(feed.id, 0, None)
            assert [r.guid for r in found] == [self.model[id].row.guid for id in wanted]
            assert {r.id for r in found} == set(wanted)
            assert self.store.count_feed(feed.id) == len(wanted)

    @invariant()
    def no_feed_is_forgotten_that_a_record_may_come_back_to(self) -> None:
        known = {feed.path for feed in self.store.feeds()}
        assert all(entry.feeds <= known for entry in self.model.values())

    @invariant()
    def dirty_feeds_are_those_that_changed(self) -> None:
        names = {feed.id: feed.path for feed in self.store.feeds()}
        dirty = {names[id] for id in self.store.dirty}
        must = {path for path in FEEDS if rows(self.model, path) != rows(self.before, path)}
        assert must <= dirty <= self.may
        assert self.store.touched == self.touched


def contents(model: dict[int, Entry], path: str) -> list[int]:
    """What a feed should hold, in order."""
    ids = [id for id, entry in model.items() if path in entry.places]
    return sorted(ids, key=lambda id: (-model[id].row.published, model[id].row.guid))


def rows(model: dict[int, Entry], path: str) -> set[tuple[int, RecordRow]]:
    return {(id, model[id].row) for id in contents(model, path)}


TestComparison = Comparison.TestCase
TestComparison.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return scratch(tmp_path)


@given(
    records=st.lists(st.tuples(st.integers(-4, 4), st.text("aé\uffee\U0001f600", max_size=3))),
    items=st.integers(0, 5),
    span=st.none() | st.integers(0, 6),
)
@settings(deadline=None)
def test_a_window_is_the_newest_and_all_within_the_span(
    records: list[tuple[int, str]], items: int, span: int | None
) -> None:
    store = scratch(Path())
    [feed] = memoryview(store.feed_ids([("topics/a", "topic")])).cast("I")
    add_file(store, [row(guid, published, feeds=feeds(feed)) for published, guid in records])
    add_file(store, [row("elsewhere", 9, feeds=feeds(feed + 1)), row("left out", 9, reason="x")])
    ordered = sorted(records, key=lambda record: (-record[0], record[1]))
    kept = [guid for published, guid in ordered if span is None or ordered[0][0] - published > span]
    due = len(ordered) - len(kept) if span is not None else 0
    wanted = ordered[: max(items, due)] if items else ordered
    assert [r.guid for r in store.window(feed, items, span)] == [guid for _, guid in wanted]


def test_a_record_is_stored_completely(store: Store) -> None:
    rich = row(
        "guid", -1, part=3, line=7, updated=2**40, digest=bytes(range(16)), topics="a\nb c",
        provider="", domain="p.example", image="i", quality=79.5, heat=-1, guid_key=-(2**63),
    )  # fmt: skip
    file = add_file(store, [rich, row("plain")])
    assert [stored.row for stored in store.records_of(file)] == [rich, row("plain")]


def test_records_become_due_as_time_passes_and_future_if_it_is_set_back(store: Store) -> None:
    add_file(store, [row("due", 5, reason="future"), row("later", 9, reason="future")])
    add_file(store, [row("draft", 5, reason="draft"), row("there", 6), row("old", 1)])
    assert guids(store.records_due(5)) == ["due"]
    assert guids(store.records_due(None)) == ["due", "later"]
    assert guids(store.records_not_due(5)) == ["there"]
    assert guids(store.records_not_due(4)) == ["draft", "there"]


def guids(records: Iterable[StoredRecord]) -> list[str]:
    return [stored.row.guid for stored in records]


def test_rivals_are_the_records_that_may_represent_an_item(store: Store) -> None:
    """What was removed is one: it takes its copies out with it."""
    reasons = ["", "removed", "draft", "future", "type"]
    add_file(store, [row("a", n, reason=reason) for n, reason in enumerate(reasons)], b"\xff.md")
    add_file(store, [row("b")])
    [key] = store.shared_keys()
    rivals = store.rivals(key)
    assert [rival.published for rival in rivals] == [0, 1]
    assert {rival.shown for rival in rivals} == {"records/\\udcff.md"}


def test_a_feed_without_records_is_removed_and_can_return(store: Store) -> None:
    ids = store.feed_ids([("topics/a", "topic"), ("topics/b", "topic")])
    a, b = store.feeds()
    store.put_feed(a._replace(total=2, inputs=b"i", entry="{}"))
    store.put_feed(b)
    assert store.feeds() == [FeedRow(a.id, "topics/a", "topic", 2, b"i", "{}")]
    assert store.feed_ids([("topics/a", "topic")]) == ids[:4]
    store.feed_ids([("topics/b", "topic")])
    assert [feed.path for feed in store.feeds()] == ["topics/a", "topics/b"]


def test_a_feed_that_changes_its_kind_is_dirty(store: Store) -> None:
    first = store.feed_ids([("custom/a", "topic")])
    store.dirty.clear()
    assert store.feed_ids([("custom/a", "topic")]) == first
    assert not store.dirty
    assert store.feed_ids([("custom/a", "custom")]) == first
    assert feeds(*store.dirty) == first
    assert store.feeds()[0].kind == "custom"


def test_a_file_has_paths_for_the_machine_and_for_messages(store: Store) -> None:
    file = add_file(store, name=b"\xe4.md")
    shown = "records/\\udce4.md"
    place = FilePlace("records", "records/\udce4.md", shown, "\\udce4.md", b"digest", b"content")
    assert store.file_place(file) == place


def test_facts_outputs_and_signatures_are_stored(tmp_path: Path) -> None:
    left = OutputRow(None, 1, 2, 3, 4, "digest")
    with open_session(tmp_path) as run:
        run.store.set_fact("n", 1)
        run.store.put_outputs([("rss.xml", left), ("atom.xml", left)], [])
        run.store.put_folder(FolderRow(1, "r/", "", b"reading", b"signature"), "r", b"\xff")
        run.commit()
    with open_session(tmp_path) as run:
        run.store.put_outputs([("rss.xml", left._replace(feed=1))], ["atom.xml", "none.xml"])
        run.store.forget_signature(1)
        run.store.set_fact("n", None)
        run.commit()
    with open_session(tmp_path) as run:
        assert run.store.outputs() == {"rss.xml": left._replace(feed=1)}
        assert run.store.folders() == {("r", b"\xff"): FolderRow(1, "r/", "", b"reading", None)}
        assert (run.store.fact("n"), run.store.fact("never")) == (None, None)


def test_storing_equal_values_is_no_change(tmp_path: Path) -> None:
    with open_session(tmp_path) as run:
        run.store.set_fact("n", 1)
        run.commit()
    with open_session(tmp_path) as run:
        run.store.set_fact("n", 1)
        run.store.add_records([])
        assert not run.store.changed


def test_files_are_counted_and_their_notes_are_in_order(store: Store) -> None:
    for name in (b"a.md", b"b.md", b"c.md"):
        add_file(store, name=name)
    [folder] = store.folders().values()
    for name, file in store.files(folder.id).items():
        if name != b"b.md":
            store.put_files([(file, folder.id, name, f"note of {name.decode()}")])
    assert store.count_files() == 3
    assert store.notes() == ["note of a.md", "note of c.md"]
    store.remove_files([store.files(folder.id)[b"a.md"].id])
    assert (store.count_files(), store.notes()) == (2, ["note of c.md"])
