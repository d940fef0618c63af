"""The interface of a target, and the values that the steps of a push pass on.

It does not depend on kinds of targets, planning or the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from feedpub.publish.body import Body
from feedpub.publish.errors import FileError

Headers = Mapping[str, str]
NO_HEADERS: Headers = MappingProxyType({})

NEW = "new"
BYTES = "changed: bytes"
HEADERS = "changed: headers"
GONE = "gone"
SAME = "same"
FORCED = "forced"


class Capabilities(NamedTuple):
    """What a target supports."""

    atomic: bool = False  # all changes become visible together, in `commit`
    headers: bool = False  # it stores the headers to serve a file with
    hash: str = ""  # the kind of `ListedFile.hash` (see `Body.hash`), "" without hashes
    jobs: int = 1  # parallel requests
    gathers: bool = False  # `put` and `delete` take effect in `flush`


class ListedFile(NamedTuple):
    """What a target's listing says of a file."""

    size: int = -1  # bytes; -1: unknown
    hash: str = ""


class RemoteFile(NamedTuple):
    """Content of a file, and the version for `put_if_match` (an ETag, or a hash)."""

    data: bytes
    version: str


class Upload(NamedTuple):
    """A file to upload. `new`: it must not exist yet, or it would replace another's file."""

    path: str
    body: Body
    headers: Headers = NO_HEADERS
    new: bool = False
    made: bool = False  # generated for the host: not in the output folder


class Target(Protocol):
    """Where a tree is pushed to. Paths are relative to it.

    All methods raise `TargetError` and `TransientError`; `put` and `delete` also raise
    `FileError`. Up to `can.jobs` threads call it at the same time.
    """

    can: Capabilities

    def read(self, path: str) -> RemoteFile | None:
        """A file, None if it does not exist."""

    def list(self) -> dict[str, ListedFile]:
        """All files of the target, also those that feedpub did not write."""

    def put(self, upload: Upload) -> None:
        """Uploads a file atomically, or queues it for `flush`.

        Raises `AlreadyExistsError` if `upload.new` and there is one already.
        """

    def put_if_match(self, upload: Upload, version: str) -> str:
        """Uploads a file if it still has this version ("": does not exist); returns the new one.

        Raises `ConflictError` otherwise.
        """

    def delete(self, path: str) -> None:
        """Deletes a file. A missing file is no error."""

    def flush(self) -> Mapping[str, FileError]:
        """Carries out what `put` and `delete` have queued.

        Returns an error for each file that failed. After an exception it can be called again,
        and continues.
        """
        return {}

    def commit(self, message: str) -> None:
        """Publishes the changes of an atomic target, and removes temporary files."""
        return

    def close(self) -> None:
        """Closes connections; never raises."""
        return


class LocalFile(NamedTuple):
    """A file that the target should have."""

    path: str
    sha256: str
    size: int  # bytes
    kind: str
    headers: Headers
    data: bytes | None = None  # of a file that is generated for the host
    source: str = ""  # of a compressed copy: path of the original

    @property
    def is_made(self) -> bool:
        """Whether it is generated for the host, and not in the output folder."""
        return self.data is not None or bool(self.source)


def folders_of(path: str) -> list[str]:
    """All parent folders of a file, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


class Action(NamedTuple):
    """An upload or a deletion, and its reason."""

    do: str  # put or delete
    path: str
    reason: str
    kind: str = ""
    size: int = 0  # bytes to upload


class Plan(NamedTuple):
    """The actions that make a target equal to the tree, in order.

    `interim` and `final` are manifests: `interim` names all files before and after the push,
    `final` those after it.
    """

    clearing: tuple[Action, ...] = ()  # deleted first: they block paths of others
    puts: tuple[Action, ...] = ()
    deletes: tuple[Action, ...] = ()
    done_before: tuple[Action, ...] = ()  # by interrupted pushes
    same: int = 0  # number of unchanged files
    kept: tuple[str, ...] = ()  # no longer in the tree, but kept for now
    refused: tuple[str, ...] = ()  # not deleted, because there are more than the limit
    foreign: tuple[str, ...] = ()  # would be overwritten, but feedpub did not write them
    interim: bytes = b""
    final: bytes = b""
    manifest_changed: bool = False  # whether the target's manifest differs from `final`

    @property
    def removals(self) -> tuple[Action, ...]:
        """All deletions."""
        return (*self.clearing, *self.deletes)

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions, in order."""
        return (*self.clearing, *self.puts, *self.deletes)
