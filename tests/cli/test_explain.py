"""`feedpub explain`: absence, archives, and mistakes; tests/e2e/test_run.py has the rest."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Site, record


def test_neither_record_nor_feed_is_a_mistake(site: Site) -> None:
    run = site.run("explain", "records/missing.md")
    assert run.code == 2
    assert "'records/missing.md'" in run.err
    assert "feedpub list records" in run.err


def test_why_a_custom_feed_does_not_exist(site: Site) -> None:
    more = "records: [records]\nfeeds: {custom: [{slug: best, where: {min_quality: 80}}]}"
    site.configure("records: [records]", more)
    run = site.run("explain", "custom/best")
    assert run.code == 0
    assert "no feed" in run.out
    assert "min_quality: 80" in run.out
    assert "min_quality: 80" in site.run("explain", "records/good.md").out


def test_why_a_topic_has_no_feed(site: Site) -> None:
    site.configure("records: [records]", "records: [records]\nfeeds: {topics: {min_items: 2}}")
    for what in ("topics/news", "records/good.md"):
        run = site.run("explain", what)
        assert run.code == 0
        assert "no feed" in run.out
        assert "2" in run.out


def test_an_old_record_is_in_an_archive(site: Site) -> None:
    site.configure("records: [records]", "records: [records]\nfeeds: {items: 1, archives: month}")
    site.write("records/new.md", record("New", "topics: [News]", date="2021-05-06"))
    assert "archive of 2020-01" in site.run("explain", "records/good.md").out


@pytest.mark.parametrize("what", ["draft.md", "records/draft.md"])
def test_records_are_named_relative_to_the_folder(busy: Site, what: str) -> None:
    folder = busy.root / ("records" if "/" not in what else "")
    assert "records/draft.md" in busy.run("explain", what, cwd=folder).out


def test_drafts_are_explained_as_with_unpublished(busy: Site) -> None:
    assert "topics/plans" not in busy.run("explain", "records/draft.md").out
    assert "topics/plans" in busy.run("explain", "records/draft.md", "--unpublished").out
