"""OpenSSH's own server, with keys: for files over SFTP, and for git."""

from __future__ import annotations

import getpass
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from . import programs
from .hosts import Broken, Folder, Git

CONFIG = """\
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
# The quickest: tests log in some hundred times.
KexAlgorithms curve25519-sha256
Subsystem sftp internal-sftp
"""


class Sshd:
    """sshd, for the user who runs the tests."""

    def __init__(self, folder: Path) -> None:
        import asyncssh

        # It is run by its whole path, and where that is, is not in every user's PATH.
        sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if not sshd:
            pytest.skip("sshd is not installed (Debian, Ubuntu: apt install openssh-server)")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # root's sshd insists on it
        keys = {}
        for name in ("host_key", "key", "other_key"):
            keys[name] = asyncssh.generate_private_key("ssh-ed25519")
            keys[name].write_private_key(folder / name)
            (folder / name).chmod(0o600)
        keys["key"].write_public_key(folder / "authorized_keys")
        config = folder / "sshd_config"
        config.write_text(CONFIG.format(folder=folder), encoding="utf-8")
        program = programs.start(
            lambda ports: [sshd, "-D", "-e", "-f", str(config), "-p", str(ports[0])],
            1,
            folder,
            programs.listens,
        )
        self.stop = program.stop
        self.port = program.ports[0]
        self.user = getpass.getuser()
        self.folder = folder
        for name, key in (("known_hosts", "host_key"), ("unknown_hosts", "other_key")):
            public = keys[key].export_public_key().decode()
            (folder / name).write_text(f"[127.0.0.1]:{self.port} {public}", encoding="utf-8")

    def at(self, scheme: str, path: Path | str) -> str:
        return f"{scheme}://{self.user}@127.0.0.1:{self.port}{path}"

    @property
    def login(self) -> dict[str, Any]:
        return {"key": str(self.folder / "key"), "known_hosts": str(self.folder / "known_hosts")}

    @property
    def wrong_key(self) -> dict[str, Any]:
        return {"key": str(self.folder / "other_key")}

    @property
    def wrong_host(self) -> dict[str, Any]:
        return {"known_hosts": str(self.folder / "unknown_hosts")}


class OpenSsh(Folder):
    """A folder over SFTP."""

    def __init__(self, root: Path, server: Sshd) -> None:
        super().__init__(root)
        self.server = server

    @property
    def settings(self) -> dict[str, Any]:
        return {"to": self.server.at("sftp", self.root)} | self.server.login

    def broken(self) -> list[Broken]:
        good = self.settings
        return [
            Broken(good | self.server.wrong_key, "refused"),
            Broken(good | {"key": "/no/such/key"}, "/no/such/key cannot be read"),
            Broken(good | self.server.wrong_host, "host key"),
            Broken(good | {"to": f"{good['to']}/not/there"}, "no folder"),
        ]


class GitSsh(Git):
    """A branch of a repository that git serves over SSH."""

    def __init__(self, root: Path, server: Sshd) -> None:
        super().__init__(root)
        self.server = server

    @property
    def settings(self) -> dict[str, Any]:
        to = self.server.at("git+ssh", f"{self.repository}#pages")
        return {"to": to} | self.server.login

    def broken(self) -> list[Broken]:
        good = self.settings
        missing = self.server.at("git+ssh", f"{self.repository}.not#pages")
        return [
            Broken(good | self.server.wrong_key, "denied"),
            Broken(good | self.server.wrong_host, "host key"),
            Broken(good | {"to": missing}, "does not appear"),
            Broken(good | {"to": "git+ssh://127.0.0.1:1/x#pages"}, "tried 2 times"),
        ]
