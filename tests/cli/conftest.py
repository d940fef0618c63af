"""Fixtures of the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import Site, new_site, record


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with one good record."""
    return new_site(tmp_path / "site")


@pytest.fixture
def busy(site: Site) -> Site:
    """A site with records of every state."""
    site.write("records/second.md", record("Second", "topics: [News]", date="2020-02-01T12:00:00Z"))
    site.write("records/draft.md", record("Draft", "draft: true", "topics: [Plans]"))
    site.write("records/broken.md", record("Broken", date="someday"))
    return site
