"""What hosts of one kind or another can do to a push, and a push to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedpub.output.manifest import MANIFEST_NAME
from feedpub.publish.body import Body
from feedpub.publish.targets import Place, open_target
from feedpub.publish.types import FileError, Target, TargetError, Upload

from .hosts import Host
from .making import Site

FOLDERS = ("folder", "sftp", "openssh", "webdav", "ftps")  # they have folders of their own


def place_of(site: Site) -> Place:
    settings = site.config.settings.push["there"]
    return Place("there", settings, site.root, site.root / "state", site.tree.folder)


@pytest.fixture
def target(site: Site) -> Iterator[Target]:
    """The host as a push has it."""
    opened = open_target(place_of(site))
    yield opened
    opened.close()


def own(host: Host, *paths: str) -> None:
    """Has the manifest there name more files."""
    content = json.loads(host.files()[MANIFEST_NAME])
    content["files"] |= {path: {"sha256": "a" * 64, "headers": 0} for path in paths}
    host.write(MANIFEST_NAME, json.dumps(content).encode())


def upload(path: str, text: str = "text", new: bool = False) -> Upload:
    return Upload(path, Body(text.encode()), new=new)


@pytest.mark.parametrize("host", [*FOLDERS, "rsync", "git"], indirect=True)
def test_a_folder_in_the_place_of_a_file_is_never_deleted(host: Host, site: Site) -> None:
    site.push()
    photos = {"photos/1.jpg": b"1", "photos/more/2.jpg": b"2"}
    for path, data in photos.items():
        host.write(path, data)
    own(host, "photos")
    site.push()
    assert photos.items() <= host.files().items()


@pytest.mark.parametrize("host", ["webdav"], indirect=True)
def test_webdav_says_that_a_folder_is_there(host: Host, target: Target) -> None:
    host.write("photos/1.jpg", b"1")
    with pytest.raises(FileError, match="a folder is in its place"):
        target.delete("photos")


@pytest.mark.parametrize("host", ["git"], indirect=True)
def test_git_puts_no_file_over_a_folder(host: Host, site: Site) -> None:
    site.push()
    host.write("photos/1.jpg", b"1")
    site.tree.put("photos", "a file\n")
    site.tree.save()
    assert [failure.what for failure in site.push().done.failures] == ["a folder is in its place"]
    assert host.files()["photos/1.jpg"] == b"1"
    host.remove("photos/1.jpg")
    assert not site.push().error
    assert host.files()["photos"] == b"a file\n"


