"""A feed is written again if something that its files depend on changed, and only then."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedpub.media.facts import Facts
from feedpub.model import Record
from feedpub.run.media import MediaFile
from feedpub.run.stale import entry_of

from .helpers import CONFIG, config, planned
from .helpers import record as make


def record(name: str, day: int = 1, *topics: str) -> Record:
    moment = datetime(2026, 1, day, tzinfo=UTC)
    path = f"records/{name}.md"
    return make(
        path=path, order=path, id=f"tag:{name}", title=name, topics=topics, published=moment,
        updated=moment,
    )  # fmt: skip


A, B = record("a", 1, "X"), record("b", 2, "Y")
PICTURE = "https://media.example/a.png"


def inputs(root: Path, *records: Record, more: str = "", **changes: object) -> dict[str, bytes]:
    jobs = planned(config(root, CONFIG + more), *records, **changes).jobs  # type: ignore[arg-type]  # as a test names them
    return {path: job.row.inputs or b"" for path, job in jobs.items()}


def test_equal_records_give_equal_inputs_in_any_order(tmp_path: Path) -> None:
    assert inputs(tmp_path, A, B) == inputs(tmp_path, B, A)


@pytest.mark.parametrize(
    ("records", "more", "changes"),
    [
        ([A], "", {"digest": b"other"}),
        ([A._replace(id="tag:other")], "", {}),
        ([A, record("c", 3, "X")], "", {}),
        ([A], "feeds: {ttl: 7}", {}),
        ([A], "", {"aliases": {"topics/x/rss.xml": ["old.xml"]}}),
        ([A], "", {"media": {PICTURE: MediaFile(Facts("image/png", 5))}}),
    ],
    ids=["content", "id", "a new record", "a setting", "an alias", "facts about media"],
)
def test_what_a_feed_depends_on_makes_it_stale(
    tmp_path: Path, records: list[Record], more: str, changes: dict[str, object]
) -> None:
    before = inputs(tmp_path, A)["topics/x"]
    assert inputs(tmp_path, *records, more=more, **changes)["topics/x"] != before


def test_a_record_makes_only_its_own_feeds_stale(tmp_path: Path) -> None:
    before, after = inputs(tmp_path, A, B), inputs(tmp_path, A, B, record("c", 3, "X"))
    assert {path for path, found in after.items() if found != before[path]} == {"", "topics/x"}


def test_a_record_beyond_the_window_changes_nothing(tmp_path: Path) -> None:
    more = "feeds: {items: 1}"
    assert inputs(tmp_path, B, more=more)[""] == inputs(tmp_path, B, A, more=more)[""]


def test_the_entry_in_the_catalogues_counts_the_items_of_the_window(tmp_path: Path) -> None:
    job = planned(config(tmp_path, CONFIG + "feeds: {items: 1}"), A, B).jobs[""]
    entry = entry_of(job.row.entry or "")
    assert (entry.path, entry.items, entry.updated) == ("", 1, B.updated)
    assert [link.path for link in entry.links] == ["rss.xml", "atom.xml", "feed.json"]


def test_an_archive_has_the_records_of_its_period_and_links_to_its_neighbours(
    tmp_path: Path,
) -> None:
    site = config(tmp_path, CONFIG + "feeds: {items: 1, archives: month, formats: [rss]}")
    months = [
        record(name)._replace(published=datetime(2025, month, 5, tzinfo=UTC))
        for name, month in (("a", 1), ("b", 2), ("c", 2), ("d", 3), ("e", 4))
    ]
    plans = planned(site, *months)
    archives = plans.planner.archives(plans.jobs[""])
    assert [(a.older, a.period, a.newer) for a in archives] == [
        ("2025-02", "2025-03", ""),
        ("2025-01", "2025-02", "2025-03"),
        ("", "2025-01", "2025-02"),
    ]
    job, _ = plans.planner.plan_archive(archives[1], b"")
    assert sorted(row.guid for row in job.records) == ["tag:b", "tag:c"]
    assert job.feed.history
    assert [link.path for link in job.feed.history.older] == ["archive/2025-01/rss.xml"]


def test_a_new_record_does_not_change_complete_archives(tmp_path: Path) -> None:
    site = config(tmp_path, CONFIG + "feeds: {items: 1, archives: month}")
    old = [
        record(name)._replace(published=datetime(2025, month, 5, tzinfo=UTC))
        for name, month in (("a", 1), ("b", 2), ("c", 2))
    ]

    def rows(*records: Record) -> dict[str, object]:
        plans = planned(site, *records)
        return {
            archive.period: plans.planner.plan_archive(archive, plans.planner.context(archive))[1]
            for archive in plans.planner.archives(plans.jobs[""])
        }

    before, after = rows(*old), rows(*old, record("d"))
    assert after["2025-01"] == before["2025-01"]
