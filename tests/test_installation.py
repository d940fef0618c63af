"""What a message tells people to run must fit how their feedpub was installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedpub import installation
from feedpub.installation import missing

REQUIRES = ["click>=8", "obstore>=0.9.1; extra == 's3'", 'pytest; extra == "dev"']


class Distribution:
    """What an installer leaves."""

    requires = REQUIRES

    def __init__(self, **files: str) -> None:
        self._files = files

    def read_text(self, name: str) -> str | None:
        return self._files.get(name.removesuffix(".json"))


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    for function in (installation.packages, installation.installation):
        function.cache_clear()
    yield
    for function in (installation.packages, installation.installation):
        function.cache_clear()


@pytest.mark.parametrize(
    ("mark", "installer", "command"),
    [
        ("", "pip", "PREFIX/bin/python -m pip install 'obstore>=0.9.1'"),
        ("", "uv", "uv pip install --python PREFIX/bin/python 'obstore>=0.9.1'"),
        ("uv-receipt.toml", "uv", "uv pip install --python PREFIX/bin/python 'obstore>=0.9.1'"),
        ("pipx_metadata.json", "pip", "pipx inject feedpub 'obstore>=0.9.1'"),
        ("pipx_metadata.json", "uv", "pipx inject feedpub 'obstore>=0.9.1'"),
    ],
)
def test_the_command_fits_the_installer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, installer: str, command: str
) -> None:
    prefix = tmp_path / "feedpub"
    prefix.mkdir()
    if mark:
        (prefix / mark).touch()
    monkeypatch.setattr(sys, "prefix", str(prefix))
    monkeypatch.setattr(sys, "executable", f"{prefix}/bin/python")
    found = Distribution(INSTALLER=f"{installer}\n")
    monkeypatch.setattr(installation, "_distribution", lambda: found)
    wanted = f"obstore is not installed; add it with: {command}"
    assert missing("obstore", "s3") == wanted.replace("PREFIX", str(prefix))


@pytest.mark.parametrize("in_its_own", [True, False])
def test_a_checkout_is_set_up_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_its_own: bool
) -> None:
    """But not where somebody installed it into an environment of their own, with `pip -e`."""
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    (checkout / "run.sh").touch()
    origin = {"url": checkout.as_uri(), "dir_info": {"editable": True}}
    found = Distribution(INSTALLER="pip", direct_url=json.dumps(origin))
    monkeypatch.setattr(installation, "_distribution", lambda: found)
    monkeypatch.setattr(sys, "prefix", str(checkout / ".venv" if in_its_own else tmp_path))
    setup = f"cd '{checkout}' && ./run.sh setup"
    assert (setup in missing("obstore", "s3")) == in_its_own


def test_a_copy_that_nobody_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_distribution", lambda: None)
    assert missing("obstore", "s3").endswith("-m pip install 'feedpub[s3]'")
    assert installation.packages() == ()
