"""What the parts of a push hand on to each other, and what every kind of target can be asked."""

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
    """What a kind of target can do."""

    atomic: bool = False  # all that was put and deleted is seen at once, at `commit`
    headers: bool = False  # it keeps the headers that a file is to be served with
    hash: str = ""  # how `ListedFile.hash` is made: see `Body.hash`; "" if it has none
    jobs: int = 1  # how many requests it can be asked for at once
    gathers: bool = False  # nothing that was put or deleted is there before `flush`


class ListedFile(NamedTuple):
    """What a target tells of a file that it has."""

    size: int = -1  # bytes; -1: it does not tell
    hash: str = ""


class RemoteFile(NamedTuple):
    """A file that was read, and what `put_if_match` knows that state of it by."""

    data: bytes
    version: str


class Upload(NamedTuple):
    """A file on its way; `new`: it must not be there yet, for it would be another's."""

    path: str
    body: Body
    headers: Headers = NO_HEADERS
    new: bool = False
    made: bool = False  # for the host alone: it is not in the output folder


class Target(Protocol):
    """One place that a tree is pushed to. Paths are relative to it.

    All methods raise `TargetError` and `TransientError`; `put` and `delete` `FileError`, too. Once
    opened, it may be asked for `can.jobs` things at once, by any thread.
    """

    can: Capabilities

    def read(self, path: str) -> RemoteFile | None:
        """A file, None if it is not there."""

    def list(self) -> dict[str, ListedFile]:
        """All files that are there, whoever put them there."""

    def put(self, upload: Upload) -> None:
        """Brings a file, wholly or not at all, or gathers it for `flush`.

        Raises `AlreadyExistsError` if a new one is there already.
        """

    def put_if_match(self, upload: Upload, version: str) -> str:
        """Brings a file if it still is as it was read (""; not there); returns its new version.

        Raises `ConflictError` if it is not.
        """

    def delete(self, path: str) -> None:
        """Takes a file away; one that is not there is no mistake."""

    def flush(self) -> Mapping[str, FileError]:
        """Brings and takes away what `put` and `delete` have only gathered since the last time.

        Returns which files that was not possible for, and why. If it raises, it may be called
        again, and goes on.
        """
        return {}

    def commit(self, message: str) -> None:
        """Makes an atomic target show what it was given, and clears away what was left over."""
        return

    def close(self) -> None:
        """Ends what was opened; never raises."""
        return


class LocalFile(NamedTuple):
    """A file of the output tree."""

    path: str
    sha256: str
    size: int  # bytes
    kind: str
    headers: Headers
    data: bytes | None = None  # of one that is made for the host, and is not in the output folder
    source: str = ""  # of one that is another, compressed: that other

    @property
    def is_made(self) -> bool:
        """Whether it is for the host alone, and not in the output folder."""
        return self.data is not None or bool(self.source)


def folders_of(path: str) -> list[str]:
    """The folders that a file is in, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


class Action(NamedTuple):
    """One thing to be done to a target, and why."""

    do: str  # put or delete
    path: str
    reason: str
    kind: str = ""
    size: int = 0  # bytes that are put


class Plan(NamedTuple):
    """What brings a target to the state of the tree, in order.

    `interim` and `final` are manifests: the one names all files that are there before or
    after, the other those that are there in the end.
    """

    clearing: tuple[Action, ...] = ()  # files that go first, for they are in the way of others
    puts: tuple[Action, ...] = ()
    deletes: tuple[Action, ...] = ()
    came: tuple[Action, ...] = ()  # what pushes that were cut have done already
    same: int = 0  # files that need nothing
    kept: tuple[str, ...] = ()  # that are no longer in the tree, and stay for now
    refused: tuple[str, ...] = ()  # that would be deleted, but are more than may be
    foreign: tuple[str, ...] = ()  # that feedpub did not put there, and that are in the way
    interim: bytes = b""
    final: bytes = b""
    stale: bool = False  # whether the manifest that is there is another than `final`

    @property
    def removals(self) -> tuple[Action, ...]:
        """What is taken away."""
        return (*self.clearing, *self.deletes)

    @property
    def actions(self) -> tuple[Action, ...]:
        """All that is to be done."""
        return (*self.clearing, *self.puts, *self.deletes)
