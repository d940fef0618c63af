"""What targets have in common that show all of a push in one step, at its end."""

from __future__ import annotations

import abc
import shlex
import threading

from feedpub.publish.errors import AlreadyExistsError, ConflictError, FileError, TargetError
from feedpub.publish.targets import TargetContext
from feedpub.publish.types import Target, Upload


class BatchTarget(Target):
    """Remembers what it is given; `commit` of those that build on it brings it there."""

    def __init__(self) -> None:
        self.puts: dict[str, Upload] = {}
        self.deletes: set[str] = set()
        self._gathering = threading.Lock()

    @abc.abstractmethod
    def has(self, path: str) -> bool:
        """Whether something has this place already."""

    def put(self, upload: Upload) -> None:
        if upload.new and self.has(upload.path):
            raise AlreadyExistsError
        with self._gathering:
            self.puts[upload.path] = upload

    def put_if_match(self, upload: Upload, version: str) -> str:
        self.put(upload)
        return upload.body.hash("sha256")

    def delete(self, path: str) -> None:
        with self._gathering:
            self.deletes.add(path)


def put_after_compare(target: Target, upload: Upload, version: str) -> str:
    """`Target.put_if_match`; between the look and the write, another push may still come."""
    found = target.read(upload.path)
    if (found.version if found else "") != version:
        raise ConflictError
    try:
        target.put(upload)
    except FileError as error:
        raise TargetError(f"{upload.path}: {error}") from None
    return upload.body.hash("sha256")


UNKNOWN_HOST = "its host key is not among the known hosts; add it (ssh-keyscan, and compare it)"


def ssh_command(place: TargetContext, *options: str) -> str:
    """As a shell would read it. Nobody is there to answer; an unknown host is never trusted."""
    ssh = ["ssh", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes", *options]
    if key := place.path(place.settings.key):
        ssh += ["-i", str(key), "-oIdentitiesOnly=yes"]
    if known := place.path(place.settings.known_hosts):
        ssh.append(f"-oUserKnownHostsFile={known}")
    return shlex.join(ssh)
