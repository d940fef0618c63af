"""Feeds come and go with their records; files of the tree are intact or written again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from feedpub.config import Config
from feedpub.records.scan import RunClock, Signature
from feedpub.run.feeds import aliases, compare_tree, stamped
from feedpub.run.generate import generate
from feedpub.run.report import RunOptions, RunOutcome, Watch
from feedpub.store.rows import OutputRow, Unit

from .helpers import CONFIG, config, later, write

ITEM = "---\nid: one\ntitle: {title}\ndate: 2020-01-0{day}\ntopics: [{topic}]\n---\nText.\n"


def run(site: Config, **options: bool) -> RunOutcome:
    return generate(site, RunOptions(None, jobs=1, **options), Watch())


@pytest.fixture
def site(tmp_path: Path) -> Config:
    """Two records of one item; the newer one is in other feeds than the older."""
    write(tmp_path / "records/old.md", ITEM.format(title="Old", day=1, topic="X"))
    write(tmp_path / "records/new.md", ITEM.format(title="New", day=2, topic="Y"))
    site = config(tmp_path)
    assert run(site).feeds == ["", "topics/y"]
    return site


def test_nothing_changed_nothing_is_written(site: Config) -> None:
    outcome = run(site)
    assert (outcome.written, outcome.removed) == ([], [])
    assert list(outcome.feeds) == ["", "topics/y"]


def test_the_older_record_returns_when_the_newer_is_removed(site: Config) -> None:
    (site.root / "records/new.md").unlink()
    assert run(site).feeds == ["", "topics/x"]


def test_the_older_record_gets_into_its_own_feeds_only(tmp_path: Path) -> None:
    write(tmp_path / "records/z.md", ITEM.format(title="Old", day=1, topic="X"))
    write(tmp_path / "records/a.md", ITEM.format(title="New", day=2, topic="Y"))
    site = config(tmp_path)
    run(site)
    write(tmp_path / "records/b.md", ITEM.format(title="B", day=1, topic="Z").replace("one", "b"))
    run(site)
    (tmp_path / "records/a.md").unlink()
    assert run(site).feeds == ["", "topics/x", "topics/z"]


# The files of the last run, and their other paths


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rss.xml"
    path.write_text("feed")
    return path


def left(file: Path, clock: RunClock) -> dict[str, OutputRow]:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {file.name: stamped(Unit(7), Signature.of(os.lstat(file)), digest, clock)}


def test_an_unchanged_file_is_intact(file: Path) -> None:
    rows = left(file, later())
    state = compare_tree(file.parent, rows, later())
    assert (state.intact, state.damaged, state.restamped) == (rows, {}, {})


@pytest.mark.parametrize("what", ["gone", "changed", "same size", "a folder", "a broken link"])
def test_a_changed_file_is_damaged(file: Path, what: str) -> None:
    rows = left(file, later())
    file.unlink()
    if what == "a folder":
        file.mkdir()
    elif what == "a broken link":
        file.symlink_to("nowhere")
    elif what != "gone":
        file.write_text("other" if what == "changed" else "deef")
    state = compare_tree(file.parent, rows, later())
    assert (state.intact, state.damaged, state.restamped) == ({}, rows, {})


def test_equal_bytes_in_a_new_file_are_intact_and_get_the_new_signature(file: Path) -> None:
    """As after a checkout."""
    rows = left(file, later())
    copy = file.with_name("copy")
    copy.write_text("feed")
    copy.replace(file)
    state = compare_tree(file.parent, rows, later())
    assert state.intact.keys() == state.restamped.keys() == rows.keys()
    again = compare_tree(file.parent, state.restamped, later())
    assert (again.intact, again.restamped) == (state.restamped, {})


def test_a_file_written_just_now_is_hashed_by_the_next_run(file: Path) -> None:
    rows = left(file, RunClock())
    assert compare_tree(file.parent, rows, later()).restamped.keys() == rows.keys()
    status = file.stat()
    file.write_text("deef")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert compare_tree(file.parent, rows, later()).damaged == rows


def test_an_alias_is_for_a_file_or_a_folder(tmp_path: Path) -> None:
    more = "feeds: {formats: [rss, json], also_at: {old: topics/a, index.xml: rss.xml, gone: b}}\n"
    notes: list[str] = []
    found = aliases(config(tmp_path, CONFIG + more), ["", "topics/a", "topics/ab"], notes)
    assert found == {
        "topics/a/rss.xml": ["old/rss.xml"],
        "topics/a/feed.json": ["old/feed.json"],
        "rss.xml": ["index.xml"],
    }
    assert [note.partition(":")[0] for note in notes] == ["feeds.also_at.gone"]


def test_an_alias_never_replaces_a_feed(tmp_path: Path) -> None:
    more = "feeds: {formats: [rss], also_at: {topics/a: topics/b}}\n"
    notes: list[str] = []
    found = aliases(config(tmp_path, CONFIG + more), ["topics/a", "topics/b"], notes)
    assert found == {}
    assert "topics/a/rss.xml is the path of a feed" in notes[0]
