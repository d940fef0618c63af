"""An rsync daemon on loopback, and rsync over ssh."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from .hosts import PASSWORD, Broken, Folder, at
from .ssh_hosts import Sshd


def _need_rsync() -> None:
    if not shutil.which("rsync"):
        pytest.skip("rsync is not installed (Debian, Ubuntu: apt install rsync)")


class RsyncServer:
    """The rsync command's own daemon, which knows one user, in a process."""

    def __init__(self, root: Path, folder: Path) -> None:
        _need_rsync()
        secrets = folder / "secrets"
        secrets.write_text(f"me:{PASSWORD}\n", encoding="utf-8")
        secrets.chmod(0o600)
        # As root, it would else be nobody, whom the folders of the tests are closed to.
        owner = ["uid = 0", "gid = 0"] if os.getuid() == 0 else []
        config = folder / "rsyncd.conf"
        lines = ["use chroot = no", "reverse lookup = no", *owner]
        for name, read_only in (("feeds", "no"), ("closed", "yes")):
            lines += [f"[{name}]", f"path = {root}", f"read only = {read_only}"]
            lines += ["auth users = me", f"secrets file = {secrets}"]
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.log = folder / "log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process = subprocess.Popen(
            [
                *("rsync", "--daemon", "--no-detach", "--address=127.0.0.1"),
                *(f"--port={self.port}", f"--config={config}", f"--log-file={self.log}"),
            ],
            stdin=subprocess.DEVNULL,
        )
        self._wait()

    def _wait(self) -> None:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("the rsync daemon does not start")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


class Rsync(Folder):
    """A folder in the daemon's module."""

    knows_hashes = True
    gathers = True

    def __init__(self, root: Path, server: RsyncServer, path: str) -> None:
        super().__init__(root / path)
        self.server = server
        self.path = path

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": at("rsync", self.server.port, f"/feeds/{self.path}")}

    def broken(self) -> list[Broken]:
        port = self.server.port
        return [
            Broken({"to": at("rsync", port, "/feeds/x", "wrong/pass")}, "password is refused"),
            Broken({"to": f"rsync://me@127.0.0.1:{port}/feeds/x"}, "password is refused"),
            Broken({"to": at("rsync", port, "/other/x")}, "no such module"),
            Broken({"to": at("rsync", port, "/closed/x")}, "read only"),
            Broken({"to": at("rsync", 1, "/feeds/x")}, "refused"),
            Broken({"to": "rsync://me@no-such-host.invalid/feeds/x"}, "tried 2 times"),
            Broken({"to": f"{self.settings['to']}/not/there"}, "parent folder does not exist"),
        ]


class RsyncSsh(Folder):
    """A folder that is reached over ssh."""

    knows_hashes = True
    gathers = True

    def __init__(self, root: Path, server: Sshd) -> None:
        _need_rsync()
        super().__init__(root)
        self.server = server

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": self.server.at("rsync+ssh", self.root)} | self.server.login

    def broken(self) -> list[Broken]:
        good = self.settings
        return [
            Broken(good | self.server.wrong_key, "the key is refused"),
            Broken(good | {"key": "/no/such/key"}, "key file does not exist"),
            Broken(good | self.server.wrong_host, "host key"),
            Broken(good | {"to": f"{good['to']}/not/there"}, "parent folder does not exist"),
            Broken({"to": "rsync+ssh://127.0.0.1:1/x"}, "tried 2 times"),
        ]
