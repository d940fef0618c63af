"""What targets have in common that show all of a push in one step, at its end."""

from __future__ import annotations

import abc
import shlex
import threading

from feedpub.publish.errors import Conflict, FileError, InTheWay, TargetError
from feedpub.publish.targets import Place
from feedpub.publish.types import Target, Upload


class Gathering(Target):
    """Remembers what it is given; `finish` of those that build on it brings it there."""

    def __init__(self) -> None:
        self.puts: dict[str, Upload] = {}
        self.deletes: set[str] = set()
        self._gathering = threading.Lock()

    @abc.abstractmethod
    def has(self, path: str) -> bool:
        """Whether something has this place already."""

    def put(self, upload: Upload) -> None:
        if upload.new and self.has(upload.path):
            raise InTheWay
        with self._gathering:
            self.puts[upload.path] = upload

    def swap(self, upload: Upload, version: str) -> str:
        self.put(upload)
        return upload.body.hash("sha256")

    def delete(self, path: str) -> None:
        with self._gathering:
            self.deletes.add(path)


def swap_after_look(target: Target, upload: Upload, version: str) -> str:
    """`Target.swap`; between the look and the write, another push may still come."""
    found = target.read(upload.path)
    if (found.version if found else "") != version:
        raise Conflict
    try:
        target.put(upload)
    except FileError as error:
        raise TargetError(f"{upload.path}: {error}") from None
    return upload.body.hash("sha256")


UNKNOWN_HOST = "its host key is not among the known hosts; add it (ssh-keyscan, and compare it)"


def ssh_command(place: Place, *options: str) -> str:
    """As a shell would read it. Nobody is there to answer; an unknown host is never trusted."""
    ssh = ["ssh", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes", *options]
    if key := place.path(place.settings.key):
        ssh += ["-i", str(key), "-oIdentitiesOnly=yes"]
    if known := place.path(place.settings.known_hosts):
        ssh.append(f"-oUserKnownHostsFile={known}")
    return shlex.join(ssh)
