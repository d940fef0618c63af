"""No id changes when another version of feedpub takes over a site.

What another version remembers is discarded, but first the ids in it are compared with those that
this version gives. Here the "other version" is this one, and what it left is edited: who made it,
and what it called an item.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from .harness import Site, record
from .test_ids import forget, ids, ledger, same_from_nothing, site

__all__ = ["site"]

FORMER = "tag:example.org,2019:first"
PAGE = "https://example.org/two/"


@pytest.fixture
def upgraded(site: Site) -> Site:
    """A site that another version published: it called one record FORMER, and another by its own
    rules."""
    site.write("records/2020/one.md", record("One"))
    site.write("records/two.md", record("Two", f"url: {PAGE}"))
    site.write("records/list.json", '[{"title": "Three", "date": "2020-02-02"}]')
    # The ledger is how a version can be had that gives another id.
    site.write("ids.jsonl", json.dumps({"id": FORMER, "for": own_id(site, "One")}) + "\n")
    site.generate()
    assert ids(site)["One"] == FORMER
    (site.root / "ids.jsonl").unlink()
    edit(site, "UPDATE facts SET value = 'another' WHERE name = 'program'")
    return site


def own_id(site: Site, title: str) -> str:
    """What this version calls a record."""
    site.generate()
    found = ids(site)[title]
    forget(site)
    return found


def edit(site: Site, *statements: str) -> None:
    """Changes what is remembered, and its stamp: it is as another version left it."""
    state = site.root / ".feedpub/state.sqlite3"
    with contextlib.closing(sqlite3.connect(state)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()
    stamp = {"signature": None, "sha256": hashlib.sha256(state.read_bytes()).hexdigest()}
    (state.parent / "state.stamp").write_text(json.dumps(stamp))


def as_it_was(site: Site) -> None:
    """Nothing to be done."""


def without_contents(site: Site) -> None:
    """Some versions knew no hashes of files."""
    edit(site, "ALTER TABLE files DROP COLUMN content", "PRAGMA user_version = 1")


def from_the_future(site: Site) -> None:
    edit(site, "ALTER TABLE records ADD COLUMN colour TEXT", "PRAGMA user_version = 999")


def without_records(site: Site) -> None:
    """Nothing can be had from it: the feeds have the ids, too."""
    edit(site, "DROP TABLE records")


def destroyed(site: Site) -> None:
    (site.root / ".feedpub/state.sqlite3").write_bytes(b"This is no database.\n" * 100)


@pytest.mark.parametrize("as_left", [as_it_was, without_contents, from_the_future])
@pytest.mark.parametrize("arg", [None, "--full"])
def test_the_ids_that_another_version_gave_are_kept(
    upgraded: Site, as_left: Callable[[Site], None], arg: str | None
) -> None:
    before = ids(upgraded)
    as_left(upgraded)
    run = upgraded.generate(*filter(None, [arg]))
    assert "1 line was added" in run.text
    assert ids(upgraded) == before
    [line] = ledger(upgraded)
    assert (line["id"], line["path"]) == (FORMER, "records/2020/one.md")
    same_from_nothing(upgraded)


@pytest.mark.parametrize("as_left", [without_records, destroyed])
def test_they_are_taken_from_the_feeds_where_nothing_else_has_them(
    upgraded: Site, as_left: Callable[[Site], None]
) -> None:
    upgraded.write("records/two.md", record("Two", "url: https://example.org/two/"))
    give_feeds_another_id(upgraded)
    as_left(upgraded)
    upgraded.generate()
    assert ids(upgraded)["Two"] == "https://example.org/2"
    same_from_nothing(upgraded)


def give_feeds_another_id(site: Site) -> None:
    """Another version called the item of PAGE https://example.org/2."""
    site.write("ids.jsonl", json.dumps({"id": "https://example.org/2", "for": PAGE}) + "\n")
    site.generate()
    assert ids(site)["Two"] == "https://example.org/2"
    (site.root / "ids.jsonl").unlink()
    edit(site, "UPDATE facts SET value = 'another' WHERE name = 'program'")


def test_an_edited_record_keeps_its_id_by_its_file_and_date(upgraded: Site) -> None:
    upgraded.write("records/2020/one.md", record("One", body="Another text."))
    upgraded.generate()
    assert ids(upgraded)["One"] == FORMER


def test_another_record_in_the_same_file_is_another_item(upgraded: Site) -> None:
    upgraded.write("records/2020/one.md", record("Next", date="2021-01-01T00:00:00Z"))
    upgraded.generate()
    assert FORMER not in ids(upgraded).values()
    assert not ledger(upgraded)


def test_an_id_that_another_record_has_now_is_left_to_it(upgraded: Site) -> None:
    upgraded.write("records/thief.md", record("Thief", f"id: {FORMER}"))
    upgraded.generate()
    assert ids(upgraded)["Thief"] == FORMER
    assert ids(upgraded)["One"] != FORMER


def test_copies_of_an_item_keep_its_one_id(site: Site) -> None:
    for name in ("a", "b"):
        site.write(f"records/{name}.md", record("Two", f"url: {PAGE}"))
    site.generate()
    give_feeds_another_id(site)
    site.generate()
    assert ids(site) == {"Two": "https://example.org/2"}
    same_from_nothing(site)


def test_what_this_version_knows_is_not_looked_for_in_the_feeds(upgraded: Site) -> None:
    """A damaged memory of this very version had no other ids than the records give."""
    give_feeds_another_id(upgraded)
    upgraded.generate()  # this version made it anew
    (upgraded.root / "ids.jsonl").unlink()
    destroyed(upgraded)
    upgraded.generate()
    assert ids(upgraded)["Two"] == PAGE


def test_a_dry_run_writes_no_ledger(upgraded: Site) -> None:
    upgraded.generate("--dry-run")
    assert not (upgraded.root / "ids.jsonl").exists()
    assert Path(upgraded.root / ".feedpub/state.sqlite3").exists()


def test_a_file_that_is_renamed_at_the_same_time_keeps_its_id(upgraded: Site) -> None:
    (upgraded.root / "records/2020/one.md").rename(upgraded.root / "records/2020/uno.md")
    (upgraded.root / "records/list.json").rename(upgraded.root / "records/other.json")
    before = ids(upgraded)
    upgraded.generate()
    assert ids(upgraded) == before
    same_from_nothing(upgraded)


def test_a_copy_of_a_file_gets_an_id_of_its_own(upgraded: Site) -> None:
    one = upgraded.root / "records/2020/one.md"
    (one.parent / "copy.md").write_bytes(one.read_bytes())
    upgraded.generate()
    items = json.loads((upgraded.feeds / "feed.json").read_bytes())["items"]
    found = [item["id"] for item in items if item["title"] == "One"]
    assert FORMER in found
    assert len(set(found)) == 2
