"""Servers that all tests of a run share, and a host on each of them."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import bucket_hosts, hosts, rsync_hosts, ssh_hosts
from .making import Site, Spy, watch

# What `./run.sh test` installs by npm.
AZURITE = Path(sys.prefix) / "npm" / "node_modules" / ".bin" / "azurite-blob"
SERVERS: dict[str, Callable[[Path, Path], Any]] = {
    "s3": lambda root, beside: hosts.S3Server(),
    "seaweed": lambda root, beside: bucket_hosts.SeaweedServer(beside),
    "gs": lambda root, beside: bucket_hosts.GoogleServer(beside),
    "azure": lambda root, beside: bucket_hosts.AzureServer(
        beside, shutil.which(AZURITE) or shutil.which("azurite-blob")
    ),
    "sftp": hosts.SftpServer,
    "ssh": lambda root, beside: ssh_hosts.Sshd(beside),
    "webdav": lambda root, beside: hosts.DavServer(root),
    "ftps": hosts.FtpServer,
    "rsync": rsync_hosts.RsyncServer,
    "netlify": lambda root, beside: hosts.NetlifyServer(),
}


# What ssh carries, and a bucket without conditions, is tried by their like in all cases; in these
# again, and in the others where FEEDPUB_SOAK asks for it: each login takes long.
AGAIN = frozenset({"rsync-ssh", "git-ssh", "seaweed-plain"})
FOR_ALL = frozenset(
    {
        "test_first_push_then_nothing",
        "test_cut_in_the_middle_then_completed",
        "test_what_is_in_the_way_is_not_overwritten",
        "test_what_is_wrong_is_said",
        "test_commits",
    }
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("FEEDPUB_SOAK"):
        return
    left = [item for item in items if _is_again(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if not _is_again(item)]


def _is_again(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    name = item.name.partition("[")[0]
    return call is not None and call.params.get("host") in AGAIN and name not in FOR_ALL


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], tuple[Any, Path]]]:
    """A server of a kind, started when it is first asked for, and the folder that it serves."""
    servers: dict[str, tuple[Any, Path]] = {}

    def start(kind: str) -> tuple[Any, Path]:
        if kind not in servers:
            root = tmp_path_factory.mktemp(f"{kind}-root")
            beside = tmp_path_factory.mktemp(f"{kind}-files")
            servers[kind] = SERVERS[kind](root, beside), root
        return servers[kind]

    yield start
    for made, _ in servers.values():
        if stop := getattr(made, "stop", None):
            stop()


@pytest.fixture(params=hosts.KINDS)
def host(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server: Callable[[str], tuple[Any, Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> hosts.Host:
    """A place of each kind, with nothing in it."""
    made = make_host(request.param, tmp_path, server)
    for name in ("GIT_SSH_COMMAND", "RSYNC_RSH"):  # feedpub leaves a user's own as it is
        monkeypatch.delenv(name, raising=False)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made


def make_host(kind: str, tmp_path: Path, server: Callable[[str], tuple[Any, Path]]) -> hosts.Host:
    folder = tmp_path / "host"
    folder.mkdir()
    if kind in {"folder", "versions"}:
        return (hosts.Folder if kind == "folder" else hosts.Versions)(folder / "feeds")
    if kind in {"command", "git"}:
        return (hosts.Command if kind == "command" else hosts.Git)(folder)
    if kind == "openssh":
        return ssh_hosts.OpenSsh(folder / "feeds", server("ssh")[0])
    if kind == "rsync-ssh":
        return rsync_hosts.RsyncSsh(folder / "feeds", server("ssh")[0])
    if kind == "git-ssh":
        return ssh_hosts.GitSsh(folder, server("ssh")[0])
    served, root = server(kind.removesuffix("-plain"))
    folders: dict[str, Callable[[Path, Any, str], hosts.Host]] = {
        "sftp": hosts.Sftp,
        "webdav": hosts.Dav,
        "ftps": hosts.Ftp,
        "rsync": rsync_hosts.Rsync,
    }
    if kind in folders:
        return folders[kind](root, served, uuid.uuid4().hex)
    others: dict[str, Callable[[Any], hosts.Host]] = {
        "s3": hosts.S3,
        "seaweed": bucket_hosts.Seaweed,
        "seaweed-plain": bucket_hosts.Unconditional,
        "gs": bucket_hosts.Google,
        "azure": bucket_hosts.Azure,
        "netlify": hosts.Netlify,
    }
    return others[kind](served)


@pytest.fixture
def site(tmp_path: Path, host: hosts.Host) -> Site:
    """A site that is pushed to the host."""
    return Site(tmp_path / "site", there=host.settings)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    """What all targets are asked for."""
    return watch(monkeypatch)
