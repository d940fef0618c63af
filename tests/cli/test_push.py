"""`feedpub push`: mistakes and results; tests/publish has what a push does."""

from __future__ import annotations

import json

import pytest

from tests.e2e.harness import Site


@pytest.fixture
def pushed(site: Site) -> Site:
    """A site with feeds and one target."""
    more = f"records: [records]\npush: {{www: 'file://{site.root / 'www'}'}}"
    site.configure("records: [records]", more)
    site.generate()
    return site


def test_a_configuration_without_targets(site: Site) -> None:
    run = site.run("push")
    assert run.code == 2
    assert "push:" in run.err
    assert "docs/push.md" in run.err


def test_an_unknown_target(pushed: Site) -> None:
    run = pushed.run("push", "ftp")
    assert run.code == 2
    assert "'ftp'" in run.err
    assert "www" in run.err


@pytest.mark.parametrize("limit", ["all", "-1", "1.5", "20%%"])
def test_a_limit_that_is_no_limit(pushed: Site, limit: str) -> None:
    run = pushed.run("push", f"--max-delete={limit}")
    assert run.code == 2
    assert "write 50 or 20%" in run.err


def test_a_rollback_takes_no_other_option(pushed: Site) -> None:
    run = pushed.run("push", "--rollback", "--force")
    assert run.code == 2
    assert "--rollback" in run.err


def test_a_rollback_needs_versions(pushed: Site) -> None:
    run = pushed.run("push", "--rollback")
    assert run.code == 2
    assert "push.www.versions" in run.err


def test_a_dry_run_shows_the_plan_and_does_nothing(pushed: Site) -> None:
    run = pushed.run("push", "--dry-run")
    assert run.code == 0
    assert "rss.xml" in run.out
    assert not (pushed.root / "www").exists()
    plan = json.loads(pushed.run("push", "--dry-run", "--json").out)["targets"][0]
    assert plan["dry_run"]
    assert {action["reason"] for action in plan["plan"]} == {"new"}


def test_quiet_prints_nothing(pushed: Site) -> None:
    assert pushed.run("push", "-q").text == ""
    assert (pushed.root / "www/rss.xml").exists()


def test_an_incomplete_push_exits_with_4(pushed: Site) -> None:
    pushed.write("www/rss.xml", "a file of somebody else")
    run = pushed.run("push")
    assert run.code == 4
    assert "rss.xml" in run.err
