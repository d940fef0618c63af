"""What hosts of one kind or another can do to a push, and a push to them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import ftplib
import gzip
import http.server
import json
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from feedpub.config.push import without_password
from feedpub.durable import TEMPORARY_PREFIX
from feedpub.errors import ConfigError
from feedpub.output.manifest import MANIFEST_NAME
from feedpub.publish.body import Body
from feedpub.publish.errors import ConflictError, FileError, TargetError, TransientError
from feedpub.publish.http import Client
from feedpub.publish.push import Result
from feedpub.publish.targets import TargetContext, command, files, objects, open_target, sftp
from feedpub.publish.types import Target, Upload

from .hosts import S3, Dav, DavServer, Folder, Host, Netlify, certificate
from .making import FEEDS, PICTURE, Site, Spy

REFUSED = ftplib.error_perm
FOLDERS = ("folder", "sftp", "openssh", "webdav", "ftps")  # they have folders of their own


def place_of(site: Site) -> TargetContext:
    settings = site.config.settings.push["there"]
    return TargetContext("there", settings, site.root, site.root / "state", site.tree.folder)


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
    with pytest.raises(FileError, match="there is a folder at its path"):
        target.delete("photos")


@pytest.mark.parametrize("host", ["git"], indirect=True)
def test_git_puts_no_file_over_a_folder(host: Host, site: Site) -> None:
    site.push()
    host.write("photos/1.jpg", b"1")
    site.tree.put("photos", "a file\n")
    site.tree.save()
    assert [failure.what for failure in site.push().done.failures] == [
        "there is a folder at its path"
    ]
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


SFTP = ["sftp", "openssh"]


@pytest.fixture
def no_posix_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    """Like servers that are not OpenSSH."""

    async def posix_rename(client: asyncssh.SFTPClient, old: str, new: str) -> None:
        raise asyncssh.SFTPOpUnsupported("no")

    monkeypatch.setattr(asyncssh.SFTPClient, "posix_rename", posix_rename)


@pytest.mark.parametrize("host", SFTP, indirect=True)
@pytest.mark.usefixtures("no_posix_rename")
def test_sftp_without_posix_rename(host: Folder, target: Target) -> None:
    host.write("rss.xml", b"old")
    target.put(upload("rss.xml"))
    target.put(upload("atom.xml"))
    assert host.files() == {"rss.xml": b"text", "atom.xml": b"text"}
    (host.root / "folder").mkdir()
    with pytest.raises(FileError, match="there is a folder at its path"):
        target.put(upload("folder"))
    assert host.files().keys() == {"rss.xml", "atom.xml"}


@pytest.mark.parametrize("host", ["sftp"], indirect=True)
@pytest.mark.usefixtures("no_posix_rename")
def test_sftp_renames_that_fail_leave_the_file(
    host: Folder, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.write("rss.xml", b"old")
    rename = asyncssh.SFTPClient.rename
    refused: list[str] = []

    async def refuse(client: asyncssh.SFTPClient, old: str, new: str) -> None:
        if new.endswith("rss.xml") and not refused:
            refused.append(new)
            raise asyncssh.SFTPFailure("disk quota exceeded")
        await rename(client, old, new)

    monkeypatch.setattr(asyncssh.SFTPClient, "rename", refuse)
    with pytest.raises(FileError, match="quota"):
        target.put(upload("rss.xml"))
    assert refused
    assert host.files() == {"rss.xml": b"old"}


class Connections:
    """All that are made over SSH."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.all: list[asyncssh.SSHClientConnection] = []
        connect = asyncssh.connect

        async def noted(*args: Any, **how: Any) -> asyncssh.SSHClientConnection:
            connection = await connect(*args, **how)
            self.all.append(connection)
            return connection

        monkeypatch.setattr(asyncssh, "connect", noted)

    @property
    def still_open(self) -> int:
        return sum(not connection.is_closed() for connection in self.all)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    return Connections(monkeypatch)


@pytest.mark.parametrize("host", ["sftp"], indirect=True)
def test_sftp_may_take_its_time_as_long_as_something_goes(
    host: Folder, connections: Connections, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "TIMEOUT", 0.5)
    monkeypatch.setattr(sftp, "PIECE", 100)
    write = asyncssh.SFTPClientFile.write

    async def slowly(file: Any, data: bytes, *more: Any) -> int:
        await asyncio.sleep(0.1)
        return await write(file, data, *more)

    monkeypatch.setattr(asyncssh.SFTPClientFile, "write", slowly)
    target = open_target(place_of(site))
    target.put(upload("rss.xml", "x" * 1000))
    assert host.files() == {"rss.xml": b"x" * 1000}
    target.close()
    assert len(connections.all) == 1


@pytest.mark.parametrize("host", ["sftp"], indirect=True)
def test_sftp_connections_that_hang_are_ended(
    host: Folder, connections: Connections, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "TIMEOUT", 0.5)
    target = open_target(place_of(site))
    write = asyncssh.SFTPClientFile.write
    hung: list[bytes] = []

    async def hang(file: Any, data: bytes, *more: Any) -> int:
        if len(hung) < 4:
            hung.append(data)
            await asyncio.sleep(60)
        return await write(file, data, *more)

    monkeypatch.setattr(asyncssh.SFTPClientFile, "write", hang)

    def put(n: int) -> str:
        try:
            target.put(upload(f"{n}.xml"))
        except TransientError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(put, range(4)))
    assert "it does not answer in time" in told
    assert all(told)
    assert len(list(host.root.iterdir())) == 4  # nothing could be cleared away any more
    for n in range(4):
        assert put(n) == ""
    target.commit("")
    assert host.files().keys() == {f"{n}.xml" for n in range(4)}
    assert (len(connections.all), connections.still_open) == (2, 1)
    target.close()


@pytest.mark.parametrize("host", ["sftp", "ftps"], indirect=True)
def test_temporary_files_of_lost_connections_go(
    host: Folder, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.push()
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    lost: list[str] = []

    def lose(source: str) -> None:
        if not lost and host.peek("rss.xml") != b"new\n" and source.count("feedpub-new"):
            lost.append(source)
            raise ConnectionResetError("gone")

    rename, posix_rename = ftplib.FTP.rename, asyncssh.SFTPClient.posix_rename

    def by_ftp(ftp: ftplib.FTP, source: str, goal: str) -> str:
        if goal.endswith("rss.xml") and not lost:
            assert ftp.sock
            ftp.sock.close()
            lose(source)
        return rename(ftp, source, goal)

    async def by_sftp(client: asyncssh.SFTPClient, source: str, goal: str) -> None:
        if goal.endswith("rss.xml"):
            lose(source)
        await posix_rename(client, source, goal)

    monkeypatch.setattr(ftplib.FTP, "rename", by_ftp)
    monkeypatch.setattr(asyncssh.SFTPClient, "posix_rename", by_sftp)
    assert not site.push().error
    assert lost
    assert not [path for path in host.files() if "feedpub-new" in path]


@pytest.mark.parametrize("host", FOLDERS, indirect=True)
def test_the_folder_is_made_by_the_first_file(host: Folder, site: Site) -> None:
    assert not site.push(dry_run=True).error
    assert not host.root.exists()
    target = open_target(place_of(site))
    assert target.list() == {}
    assert target.read("rss.xml") is None
    assert not host.root.exists()
    target.put(upload("topics/a/rss.xml"))
    target.close()
    assert host.files() == {"topics/a/rss.xml": b"text"}
    target = open_target(place_of(site))
    assert target.list().keys() == {"topics/a/rss.xml"}
    target.close()


@pytest.mark.parametrize("host", FOLDERS, indirect=True)
def test_a_missing_folder_above_is_said_at_once(host: Folder, site: Site) -> None:
    site.targets["there"]["to"] += "/not/there"
    for dry_run in (True, False):
        assert site.push(dry_run=dry_run).error
    assert not host.root.exists()


@pytest.mark.parametrize("host", ["sftp"], indirect=True)
def test_a_file_is_no_folder(host: Folder, site: Site) -> None:
    host.root.write_text("a file")
    assert "is not a folder" in site.push().error


def raw_name(host: Folder, name: bytes) -> None:
    """Puts a file there whose name is not UTF-8."""
    host.root.mkdir(exist_ok=True)
    try:
        (host.root / os.fsdecode(name)).write_bytes(b"another's")
    except OSError:
        pytest.skip("this file system does not take such a name")


@pytest.mark.parametrize("host", SFTP, indirect=True)
def test_sftp_carries_names_that_are_not_utf8(host: Folder, site: Site) -> None:
    raw_name(host, b"caf\xe9.html")
    assert not site.push().error
    target = open_target(place_of(site))
    assert "caf\udce9.html" in target.list()
    found = target.read("caf\udce9.html")
    assert found
    assert found.data == b"another's"
    target.close()


@pytest.mark.parametrize("host", ["ftps"], indirect=True)
def test_ftp_carries_names_of_any_bytes(
    host: Folder, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyftpdlib.filesystems import AbstractedFS

    target.put(upload("über/größe.xml"))
    assert host.files() == {"über/größe.xml": b"text"}
    lines = AbstractedFS.format_mlsx

    def with_another(fs: Any, *args: Any, **more: Any) -> Iterator[bytes]:
        yield from lines(fs, *args, **more)
        yield b"type=file;size=1; caf\xe9.html\r\n"

    monkeypatch.setattr(AbstractedFS, "format_mlsx", with_another)
    assert target.list().keys() == {"über/größe.xml", "über/caf\udce9.html", "caf\udce9.html"}


@pytest.mark.parametrize("host", ["ftps"], indirect=True)
def test_ftp_cannot_be_told_of_line_breaks(target: Target) -> None:
    for act in (lambda: target.put(upload("a\nb")), lambda: target.delete("a\r\nDELE rss.xml")):
        with pytest.raises(FileError, match="name"):
            act()


@pytest.mark.parametrize("host", ["ftps"], indirect=True)
def test_ftp_without_mlsd(host: Folder, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyftpdlib.handlers import FTPHandler

    def unknown(handler: Any, path: str) -> None:
        handler.respond("502 Command not implemented.")

    host.root.mkdir()
    monkeypatch.setattr(FTPHandler, "ftp_MLSD", unknown)
    assert "MLSD" in site.push().error


@pytest.mark.parametrize("host", ["sftp", "ftps"], indirect=True)
def test_a_folder_that_cannot_be_listed_is_named(
    host: Folder, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyftpdlib.filesystems import AbstractedFS

    (host.root / "private").mkdir(parents=True)
    scandir, listdir = asyncssh.SFTPServer.scandir, AbstractedFS.listdir

    def by_sftp(server: Any, path: bytes) -> Any:
        if b"private" in path:
            raise asyncssh.SFTPPermissionDenied("no")
        return scandir(server, path)

    def by_ftp(fs: Any, path: str) -> Any:
        if "private" in path:
            raise PermissionError(13, "Permission denied")
        return listdir(fs, path)

    monkeypatch.setattr(asyncssh.SFTPServer, "scandir", by_sftp)
    monkeypatch.setattr(AbstractedFS, "listdir", by_ftp)
    error = site.push().error
    assert "private" in error
    assert "cannot be listed" in error


@pytest.mark.parametrize("host", ["sftp", "ftps"], indirect=True)
def test_a_folder_for_a_manifest_ends_this_push_alone(
    host: Folder, site: Site, tmp_path: Path
) -> None:
    (host.root / MANIFEST_NAME).mkdir(parents=True)
    site.targets["good"] = {"to": f"file://{tmp_path}/good"}
    bad, good = site.push_all()
    assert bad.error
    assert not good.error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncssh.ChannelOpenError(asyncssh.OPEN_REQUEST_SESSION_FAILED, "no"), TargetError),
        (asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "closed"), TransientError),
        (asyncssh.ConfigParseError("line 1"), TargetError),
        (asyncssh.KeyExchangeFailed("no ciphers"), TargetError),
        (asyncssh.KeyEncryptionError("no passphrase"), TargetError),
        (asyncssh.ProtocolError("?"), TransientError),
        (ValueError("?"), TargetError),
    ],
)
@pytest.mark.parametrize("host", ["sftp"], indirect=True)
def test_all_that_asyncssh_raises_has_a_meaning(
    error: Exception, kind: type[Exception], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*args: Any, **how: Any) -> None:
        raise error

    monkeypatch.setattr(asyncssh, "connect", fail)
    with pytest.raises(kind):
        open_target(place_of(site))


@pytest.mark.parametrize(
    ("path", "root"),
    [("/", "/"), ("", "/"), ("/srv/x/", "/srv/x"), ("/~/", "."), ("/~", "."), ("/~/x/y/", "x/y")],
)
def test_sftp_roots(path: str, root: str) -> None:
    assert sftp._root(path) == root


class Asked:
    """A server that writes down what it is asked."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        asked = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                asked.headers.append(dict(self.headers))
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def asked() -> Iterator[Asked]:
    made = Asked()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_netrc_is_not_told_to_all_hosts(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("default login me password secret\n", encoding="utf-8")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    url = f"http://127.0.0.1:{asked.port}/"
    for client in (Client(), Client(headers={"Authorization": "Bearer t0ken"})):
        with pytest.raises(TargetError):
            client.ask("GET", url)
        client.close()
    assert [headers.get("Authorization") for headers in asked.headers] == [None, "Bearer t0ken"]


@pytest.mark.parametrize("style", ["apache", "nginx"])
def test_webdav_behind_a_server_that_compresses(
    style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apache writes a suffix into the ETag of what it compresses, nginx makes it weak."""
    served = tmp_path / "served"
    served.mkdir()
    dav = DavServer(served)
    host = Dav(served, dav, "feeds")
    plain = dav.server.wsgi_app

    def compressing(environ: Any, start: Any) -> Any:
        wants = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        if environ["REQUEST_METHOD"] != "GET" or not wants:
            return plain(environ, start)
        told: list[Any] = []
        body = b"".join(plain(environ, lambda *args: told.extend(args)))
        status, headers = told[0], {name.lower(): value for name, value in told[1]}
        if status.startswith("200"):
            body = gzip.compress(body)
            tag = headers["etag"]
            headers["etag"] = f'{tag[:-1]}-gzip"' if style == "apache" else f"W/{tag}"
            headers["content-encoding"] = "gzip"
        start(status, list((headers | {"content-length": str(len(body))}).items()))
        return [body]

    dav.server.wsgi_app = compressing
    site = Site(tmp_path / "site", there=host.settings)
    assert not site.push().error
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    assert not site.push().error
    dav.stop()


@pytest.mark.parametrize("host", ["s3"], indirect=True)
def test_a_slow_line_is_enough_for_large_requests(
    host: S3, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of a whole request is bounded, and it has a file in it."""
    monkeypatch.setattr(objects, "_TIMEOUT", 1)
    put = host.backend.put_object

    def slowly(bucket: str, name: str, value: bytes, *args: Any, **more: Any) -> Any:
        if len(value) > objects._SMALL:
            time.sleep(1.5)
        return put(bucket, name, value, *args, **more)

    monkeypatch.setattr(host.backend, "put_object", slowly)
    site.tree.put("rss.xml", "x" * 200_000)
    site.tree.put("media/00112233445566aa/talk.mp3", "x" * 1_500_000)
    site.tree.save()
    assert not site.push().error
    assert host.files().keys() >= site.tree.files.keys()


def versions(host: Folder) -> list[str]:
    """Whatever is in the folder of versions."""
    return sorted(path.name for path in (host.root.parent / "feeds.versions").iterdir())


@pytest.mark.parametrize("host", ["versions"], indirect=True)
def test_versions_of_pushes_that_were_killed_go(host: Folder, site: Site) -> None:
    site.push()
    assert versions(host) == ["000001"]
    running, killed = open_target(place_of(site)), open_target(place_of(site))
    for target in (running, killed):
        assert isinstance(target, files.VersionedTarget)
        target.put(upload("rss.xml"))
    assert isinstance(killed, files.VersionedTarget)
    killed._mine.close()  # as the end of its process does
    assert len(versions(host)) == 4  # with the lock of the one that is running
    (host.root.parent / "feeds.versions" / f"{TEMPORARY_PREFIX}link").symlink_to("000001")
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    assert not site.push().error
    left = versions(host)
    assert left[-2:] == ["000001", "000002"]
    assert len(left) == 4
    with pytest.raises(ConflictError):
        running.commit("")
    running.close()
    assert versions(host) == ["000001", "000002"]


@pytest.mark.parametrize("host", ["versions"], indirect=True)
def test_versions_of_two_pushes_that_end_together(
    host: Folder, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.push()
    other = Site(tmp_path / "other", there=host.settings)
    other.tree.put("topics/other/rss.xml", "of the other\n")
    other.tree.save()
    site.tree.put("topics/one/rss.xml", "of the one\n")
    site.tree.save()
    lead_to = files.VersionedTarget._lead_to
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(other.push(delete=False)))

    def slowly(target: files.VersionedTarget, version: Path) -> None:
        if not thread.ident:
            thread.start()
            thread.join(1)
        lead_to(target, version)

    monkeypatch.setattr(files.VersionedTarget, "_lead_to", slowly)
    assert not site.push(delete=False).error
    thread.join(30)
    assert not results[0].error
    assert {"topics/other/rss.xml", "topics/one/rss.xml"} <= host.files().keys()
    assert versions(host) == ["000001", "000002", "000003"]


@pytest.mark.parametrize("host", ["versions"], indirect=True)
def test_a_version_that_cannot_be_made_leaves_the_current_one(
    host: Folder, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.push()
    target = open_target(place_of(site))

    def fail(*args: Any, **how: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", fail)
    for _ in range(2):
        with pytest.raises(TargetError, match="No space"):
            target.put(upload("rss.xml"))
    assert host.files()["rss.xml"] == site.tree.files["rss.xml"]
    assert versions(host) == ["000001"]
    target.close()


@pytest.mark.parametrize("host", ["sftp", "openssh"], indirect=True)
def test_links_to_folders_are_followed(host: Folder, site: Site, spy: Spy) -> None:
    disk = host.root.parent / f"disk-{host.root.name}"
    (disk / "0123456789abcdef").mkdir(parents=True)
    host.root.mkdir()
    (host.root / "media").symlink_to(disk)
    (host.root / "again").symlink_to(disk)
    (host.root / "nowhere").symlink_to("no such file")
    (disk / "loop").symlink_to(host.root)
    (disk / "self").symlink_to(disk)
    assert not site.push().error
    assert (disk / "0123456789abcdef" / "cover.png").is_file()
    for path in FEEDS:
        site.tree.put(path, f"new {path}\n")
    site.tree.save()
    spy.cut_after(2)
    assert "cut" in site.push().error
    spy.clear()
    assert not site.push().error
    assert PICTURE not in spy.paths("put")
    target = open_target(place_of(site))
    there = target.list()
    assert {PICTURE, PICTURE.replace("media", "again"), "nowhere"} <= there.keys()
    assert not [path for path in there if path.count("loop") > 1 or "self/self" in path]
    target.close()


@pytest.mark.parametrize("host", ["folder", "versions"], indirect=True)
def test_links_to_folders_are_not_followed(host: Folder, site: Site) -> None:
    """A manifest that anybody may have written names files behind a link, as they are there."""
    site.push()
    outside = host.root.parent / f"outside-{host.root.name}"
    shutil.copytree(host.root / "topics", outside)
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    shutil.rmtree(host.root / "topics")
    (host.root / "topics").symlink_to(outside)
    for path in [path for path in site.tree.files if path.startswith("topics/")]:
        site.tree.remove(path)
    site.tree.save()
    assert "topics: it is a symbolic link" in site.push().done.failures[0].what
    site.tree.put("topics/ai/rss.xml", "new\n")
    site.tree.save()
    failures = site.push().done.failures
    assert [failure.path for failure in failures] == ["topics/ai/rss.xml"]
    assert "topics: it is a symbolic link" in failures[0].what
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before
    (host.root / "topics").unlink()
    assert not site.push().error


@pytest.mark.parametrize("host", ["folder"], indirect=True)
def test_a_linked_file_is_replaced_and_not_written_through(host: Folder, site: Site) -> None:
    site.push()
    outside = host.root.parent / "outside.txt"
    outside.write_text("mine", encoding="utf-8")
    (host.root / "rss.xml").unlink()
    (host.root / "rss.xml").symlink_to(outside)
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    assert not site.push().error
    assert (host.root / "rss.xml").read_text(encoding="utf-8") == "new\n"
    assert not (host.root / "rss.xml").is_symlink()
    assert outside.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("host", ["folder"], indirect=True)
def test_a_linked_manifest_is_not_read(host: Folder, site: Site) -> None:
    site.push()
    outside = host.root.parent / "manifest.json"
    (host.root / MANIFEST_NAME).rename(outside)
    (host.root / MANIFEST_NAME).symlink_to(outside)
    assert "cannot be understood" in site.push().error


@pytest.mark.parametrize("host", ["folder"], indirect=True)
def test_the_folder_itself_may_be_a_link(host: Folder, site: Site) -> None:
    disk = host.root.parent / "disk"
    disk.mkdir()
    host.root.symlink_to(disk)
    assert not site.push().error
    assert (disk / "rss.xml").is_file()


@pytest.mark.parametrize("host", ["folder"], indirect=True)
def test_a_linked_folder_of_the_tree_is_not_pushed(host: Folder, site: Site) -> None:
    site.push()
    before = host.files()
    (site.tree.folder / "topics").rename(site.tree.folder.parent / "outside")
    (site.tree.folder / "topics").symlink_to(site.tree.folder.parent / "outside")
    assert "it is a symbolic link" in site.push().error
    assert host.files() == before


@pytest.mark.parametrize(
    ("login", "password", "sent"),
    [
        ("me:t0k%2Fen@", "", "me:t0k/en"),
        ("me@", "t0k/en", "me:t0k/en"),
        ("", "t0k/en", "git:t0k/en"),
        ("t0k%2Fen@", "", "t0k/en:"),
    ],
)
def test_git_is_told_passwords_out_of_sight(
    login: str,
    password: str,
    sent: str,
    asked: Asked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certified, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified, key)
    asked.server.socket = context.wrap_socket(asked.server.socket, server_side=True)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certified))
    monkeypatch.setenv("HOME", str(tmp_path))
    to = f"git+https://{login}127.0.0.1:{asked.port}/x.git#pages"
    site = Site(tmp_path / "site", there={"to": to} | ({"password": password} if password else {}))
    commands: list[str] = []
    run = subprocess.run

    def noted(command: list[str], **how: Any) -> Any:
        commands.append(" ".join(command))
        return run(command, **how)

    monkeypatch.setattr(subprocess, "run", noted)
    result = site.push()
    pair = base64.b64encode(sent.encode()).decode()
    assert f"Basic {pair}" in [headers.get("Authorization") for headers in asked.headers]
    assert "uthentication failed" in result.error
    shown = [result.error, result.to, *commands]
    assert not [text for text in shown if "t0k" in text]


def test_what_is_shown_of_addresses() -> None:
    shown = {
        "command:./deploy.sh": "command:./deploy.sh",
        "command: curl -H 'X-Token: s3cret' https://u:p@h/": "command:curl …",
        "git+https://t0ken@host/x.git#b": "git+https://…@host/x.git#b",
        "git+https://me:t0ken@host/x.git#b": "git+https://me:…@host/x.git#b",
        "git+https://host/x@y.git#b": "git+https://host/x@y.git#b",
        "git+ssh://git@host/x.git#b": "git+ssh://git@host/x.git#b",
    }
    assert {address: without_password(address) for address in shown} == shown


@pytest.mark.parametrize("to", ["file:///srv/a?b", "sftp://me:a?b@h/x", "s3://bucket/x?y=z"])
def test_addresses_with_a_query_are_refused(to: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        _ = Site(tmp_path / "site", there={"to": to}).config
    (problem,) = told.value.problems
    assert "has a ?" in str(problem)


@pytest.mark.parametrize("host", ["netlify"], indirect=True)
def test_netlify_is_sent_files_at_once(
    host: Netlify, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(2)
    met: list[int] = []
    send = Client.send

    def together(*args: Any, **how: Any) -> Any:
        with contextlib.suppress(threading.BrokenBarrierError):
            met.append(meeting.wait(5))
        return send(*args, **how)

    monkeypatch.setattr(Client, "send", together)
    site.targets["there"]["jobs"] = 2
    assert not site.push().error
    assert met
    assert site.tree.files.items() <= host.files().items()


@pytest.mark.parametrize("host", ["command"], indirect=True)
def test_a_command_needs_no_bytes(target: Target) -> None:
    assert isinstance(target, command.Command)
    target.put(upload("rss.xml"))
    assert target.puts["rss.xml"].body.data == b""
    assert target.puts["rss.xml"].body.size == 4


@pytest.mark.parametrize("host", ["webdav"], indirect=True)
def test_webdav_puts_files_in_the_place_of_empty_folders_alone(
    host: Folder, target: Target
) -> None:
    target.put(upload("old/deep/rss.xml"))
    host.write("own/deep/photo.jpg", b"1")
    target.delete("old/deep/rss.xml")
    target.put(upload("old"))
    with pytest.raises(FileError):
        target.put(upload("own"))
    assert host.files() == {"old": b"text", "own/deep/photo.jpg": b"1"}
