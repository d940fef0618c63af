"""Servers that all tests of a run share, and a host on each of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import hosts
from .making import Site, Spy, watch


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], tuple[Any, Path]]]:
    """A server of a kind, started when it is first asked for, and the folder that it serves."""
    servers: dict[str, Any] = {}

    def start(kind: str) -> tuple[Any, Path]:
        if kind not in servers:
            root = tmp_path_factory.mktemp(f"{kind}-root")
            beside = tmp_path_factory.mktemp(f"{kind}-files")
            made: Any
            if kind == "s3":
                pytest.importorskip("moto")
                made = hosts.S3Server()
            elif kind == "sftp":
                made = hosts.SftpServer(root, beside)
            elif kind == "webdav":
                made = hosts.DavServer(root)
            elif kind == "ftps":
                made = hosts.FtpServer(root, beside)
            else:
                made = hosts.NetlifyServer()
            servers[kind] = made, root
        found: tuple[Any, Path] = servers[kind]
        return found

    yield start
    if "webdav" in servers:
        servers["webdav"][0].stop()


@pytest.fixture(params=hosts.KINDS)
def host(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server: Callable[[str], tuple[Any, Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> hosts.Host:
    """A place of each kind, with nothing in it."""
    made = make_host(request.param, tmp_path, server)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made


def make_host(kind: str, tmp_path: Path, server: Callable[[str], tuple[Any, Path]]) -> hosts.Host:
    folder = tmp_path / "host"
    folder.mkdir()
    if kind in {"folder", "versions"}:
        return (hosts.Folder if kind == "folder" else hosts.Versions)(folder / "feeds")
    if kind == "command":
        return hosts.Command(folder)
    if kind == "git":
        return hosts.Git(folder)
    served, root = server(kind)
    if kind == "s3":
        return hosts.S3(served)
    if kind == "netlify":
        return hosts.Netlify(served)
    classes = {"sftp": hosts.Sftp, "webdav": hosts.Dav, "ftps": hosts.Ftp}
    return classes[kind](root, served, uuid.uuid4().hex)


@pytest.fixture
def site(tmp_path: Path, host: hosts.Host) -> Site:
    """A site that is pushed to the host."""
    return Site(tmp_path / "site", there=host.settings)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    """What all targets are asked for."""
    return watch(monkeypatch)
