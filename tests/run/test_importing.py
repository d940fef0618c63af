"""Ids of another tool's feed → lines of the ledger, and why a record keeps its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedpub.config import Config
from feedpub.ids.feeds import OtherFeed, Published
from feedpub.ids.ledger_file import read_ledger
from feedpub.run.generate import generate
from feedpub.run.importing import Imported, append_to_ledger, match, published_in
from feedpub.run.report import RunOptions, Watch

from .helpers import config, write

PAGE = "https://example.org/a/"


@pytest.fixture
def site(tmp_path: Path) -> Config:
    write(tmp_path / "records/a.md", f"---\ntitle: A\ndate: 2026-01-02\nurl: {PAGE}\n---\n")
    write(tmp_path / "records/own.md", "---\ntitle: O\ndate: 2026-01-03\nid: tag:o\n"
          "url: https://example.org/own/\n---\n")  # fmt: skip
    return config(tmp_path)


def imported(site: Config, *items: tuple[str, str]) -> Imported:
    """What becomes of items: id and address."""
    feed = OtherFeed([Published(id, (url,)) for id, url in items])
    return match(site, feed, RunOptions(None))


def test_an_item_is_matched_by_its_url(site: Config) -> None:
    [line] = imported(site, ("tag:old", "http://www.example.org/a?utm_source=x")).lines
    assert (line.id, line.derived, line.path) == ("tag:old", PAGE, "records/a.md")
    append_to_ledger(site, [line])
    assert [line.id for line in read_ledger(site.ledger, "ids.jsonl")] == ["tag:old"]
    assert imported(site, ("tag:old", PAGE)).same == 1


def test_ids_that_cannot_be_imported_are_reported(site: Config) -> None:
    found = imported(
        site,
        ("tag:gone", "https://example.org/gone/"),
        ("tag:other", "https://example.org/own/"),
        ("tag:o", PAGE),
        ("tag:one", PAGE),
        ("tag:two", PAGE),
    )
    assert [item.id for item in found.unmatched] == ["tag:gone"]
    assert [line.id for line in found.lines] == ["tag:one"]
    own, taken, second = found.refused
    assert "change it to tag:other" in own
    assert "which is the id of records/own.md" in taken
    assert "a second id, tag:two" in second


def test_the_feeds_of_the_tree_have_each_item_once(site: Config) -> None:
    assert not published_in(site).items
    generate(site, RunOptions(None, jobs=1), Watch())
    assert sorted(item.id for item in published_in(site).items) == [PAGE, "tag:o"]
    (site.output / ".feedpub.json").write_text("damaged")
    assert not published_in(site).items
