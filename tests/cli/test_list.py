"""`feedpub list`."""

from __future__ import annotations

import json

from tests.e2e.harness import Site


def test_topics_are_sorted_by_their_number_of_records(busy: Site) -> None:
    busy.write(
        "records/third.md", "---\ntitle: T\ndate: 2020-03-01T12:00:00Z\ntopics: [Rare]\n---\n"
    )
    rows = json.loads(busy.run("list", "topics", "--json").out)
    assert [(row["name"], row["records"], row["newest"]) for row in rows] == [
        ("News", 2, "2020-02-01"),
        ("Rare", 1, "2020-03-01"),
    ]


def test_drafts_count_only_with_unpublished(busy: Site) -> None:
    assert "Plans" not in busy.run("list", "topics").out
    assert "Plans" in busy.run("list", "topics", "--unpublished").out


def test_every_record_is_listed_with_its_state(busy: Site) -> None:
    rows = json.loads(busy.run("list", "records", "--json").out)
    assert {row["record"]: row["state"] for row in rows} == {
        "records/good.md": "item",
        "records/second.md": "item",
        "records/draft.md": "draft",
        "records/broken.md": "problem",
    }


def test_an_empty_list(site: Site) -> None:
    site.write("records/good.md", "---\ntitle: T\ndate: 2020-03-01\n---\n")
    run = site.run("list", "topics")
    assert (run.code, run.out) == (0, "")
    assert "no topics" in run.err
    assert json.loads(site.run("list", "topics", "--json").out) == []


def test_a_list_of_something_unknown_is_a_mistake(site: Site) -> None:
    run = site.run("list", "tags")
    assert run.code == 2
    assert "topics" in run.err
