"""What several kinds of targets have in common."""

from __future__ import annotations

import abc
import contextlib
import shlex
import threading
from collections.abc import Iterator

from feedpub.durable import TEMPORARY_PREFIX, temporary_beside
from feedpub.publish.errors import AlreadyExistsError, ConflictError, FileError, TargetError
from feedpub.publish.targets import TargetContext
from feedpub.publish.types import Target, Upload


class BatchTarget(Target):
    """An atomic target that collects changes; subclasses carry them out in `commit`."""

    def __init__(self) -> None:
        self.puts: dict[str, Upload] = {}
        self.deletes: set[str] = set()
        self._gathering = threading.Lock()

    @abc.abstractmethod
    def has(self, path: str) -> bool:
        """Whether the target has a file at this path."""

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
    """`Target.put_if_match` for hosts without conditional writes: read, compare, write.

    It does not detect a push that changes the file between the two.
    """
    found = target.read(upload.path)
    if (found.version if found else "") != version:
        raise ConflictError
    try:
        target.put(upload)
    except FileError as error:
        raise TargetError(f"{upload.path}: {error}") from None
    return upload.body.hash("sha256")


UNKNOWN_HOST = "its host key is not among the known hosts; add it with ssh-keyscan, and verify it"


def ssh_command(place: TargetContext, *options: str) -> str:
    """The ssh command line for tools that use it: it asks nothing and trusts known hosts only."""
    ssh = ["ssh", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes", *options]
    if key := place.path(place.settings.key):
        ssh += ["-i", str(key), "-oIdentitiesOnly=yes"]
    if known := place.path(place.settings.known_hosts):
        ssh.append(f"-oUserKnownHostsFile={known}")
    return shlex.join(ssh)


class TemporaryPaths(set[str]):
    """Temporary files on a target to delete at its end: its own, and of interrupted pushes."""

    def beside(self, path: str) -> str:
        """A new temporary path beside a file; `discard` it when the file is in its place."""
        made = temporary_beside(path)
        self.add(made)
        return made

    def take(self, path: str) -> bool:
        """Whether a listed file is a temporary one, which is then deleted at the end, too."""
        is_temporary = path.rpartition("/")[2].startswith(TEMPORARY_PREFIX)
        if is_temporary:
            self.add(path)
        return is_temporary


@contextlib.contextmanager
def all_or_nothing(where: str = "") -> Iterator[None]:
    """Turns a `FileError` into `TargetError`, for what the whole push depends on."""
    try:
        yield
    except FileError as error:
        raise TargetError(f"{where}: {error}" if where else str(error)) from None
