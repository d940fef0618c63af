"""Feeds come and go with the records that stand for their items."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedpub.config import Config
from feedpub.run.generate import generate
from feedpub.run.report import RunOptions, RunOutcome, Watch

from .helpers import config, write

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


def test_the_older_record_stands_again_when_the_newer_is_gone(site: Config) -> None:
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
