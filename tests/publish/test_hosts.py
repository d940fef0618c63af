"""What hosts of one kind or another can do to a push, and a push to them."""

from __future__ import annotations

import ftplib
import json
from collections.abc import Callable, Iterator

import pytest

from feedpub.output.manifest import MANIFEST_NAME
from feedpub.publish.body import Body
from feedpub.publish.targets import Place, open_target
from feedpub.publish.types import FileError, Target, Upload

from .hosts import Folder, Host
from .making import Site

REFUSED = ftplib.error_perm
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


class Ftp:
    """Stands before ftplib: what RNTO does can be changed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.renames: list[tuple[str, str]] = []
        self.before: Callable[[str, str], None] = lambda source, goal: None
        rename = ftplib.FTP.rename

        def watched(ftp: ftplib.FTP, source: str, goal: str) -> str:
            self.renames.append((source, goal))
            self.before(source, goal)
            return rename(ftp, source, goal)

        monkeypatch.setattr(ftplib.FTP, "rename", watched)


@pytest.fixture
def ftp(monkeypatch: pytest.MonkeyPatch) -> Ftp:
    return Ftp(monkeypatch)


@pytest.mark.parametrize("host", ["ftps"], indirect=True)
def test_ftp_renames_that_fail_leave_the_file(host: Folder, target: Target, ftp: Ftp) -> None:
    """Be it for the name that is taken, or for something else."""
    host.write("rss.xml", b"old")

    def refuse(source: str, goal: str) -> None:
        if goal.endswith("rss.xml") and len(ftp.renames) < 4:
            raise REFUSED("553 disk quota exceeded")

    ftp.before = refuse
    with pytest.raises(FileError, match="quota"):
        target.put(upload("rss.xml"))
    # The new one in (twice), with the old one moved aside between, and the old one back.
    assert [goal.endswith("rss.xml") for _, goal in ftp.renames] == [True, False, True, True]
    assert host.files() == {"rss.xml": b"old"}


@pytest.mark.parametrize("host", ["ftps"], indirect=True)
def test_ftp_servers_that_rename_to_free_names_only(host: Folder, target: Target, ftp: Ftp) -> None:
    host.write("rss.xml", b"old")

    def refuse(source: str, goal: str) -> None:
        if host.peek(goal.rpartition("/")[2]) is not None:
            raise REFUSED("550 it is there already")

    ftp.before = refuse
    target.put(upload("rss.xml"))
    assert host.files() == {"rss.xml": b"text"}


@pytest.mark.parametrize("host", ["ftps"], indirect=True)
def test_ftp_moves_nothing_aside_where_nothing_is(host: Folder, target: Target, ftp: Ftp) -> None:
    def refuse(source: str, goal: str) -> None:
        raise REFUSED("553 no")

    ftp.before = refuse
    with pytest.raises(FileError, match="553"):
        target.put(upload("rss.xml"))
    assert len(ftp.renames) == 1
    assert host.files() == {}
