"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .harness import Site, new_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with one good record."""
    return new_site(tmp_path / "site")


@pytest.fixture
def unprivileged() -> list[str]:
    """What to put before a command so that file permissions hold for it, even if root runs us."""
    if os.name != "posix":
        pytest.skip("file permissions are POSIX's")
    if os.getuid():
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root reads everything, and there is no setpriv to give that up")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]
