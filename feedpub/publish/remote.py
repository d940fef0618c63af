"""The manifest on a target: what feedpub put there, with which headers, and what it is about to.

It is the tree's manifest with more to each file, under the same name. One that is
`interim` names all that was there and all that will be: whoever finds it knows that a
push was cut, and which files are feedpub's.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from feedpub.output.manifest import MANIFEST_NAME, VERSION, is_safe
from feedpub.publish.errors import FileError, StoppedError, TargetError
from feedpub.publish.retry import RetryPolicy, attempt, attempt_or_fail
from feedpub.publish.serving.encodings import is_made_of
from feedpub.publish.tree import body_of
from feedpub.publish.types import NO_HEADERS, Headers, ListedFile, LocalFile, RemoteFile, Target

MAX_BYTES = 500_000_000  # a million files
MANIFEST_HEADERS: Headers = MappingProxyType(
    {"Content-Type": "application/json", "Cache-Control": "no-cache"}
)


class ManifestEntry(NamedTuple):
    """A file that feedpub put on a target."""

    sha256: str = ""  # of the tree's bytes; "" before it was there
    headers: Headers = NO_HEADERS
    gone: str = ""  # since when nothing refers to it (ISO 8601), for what is kept a while
    next: tuple[str, Headers] | None = None  # SHA-256 and headers that a push is about to give it


class RemoteManifest(NamedTuple):
    """What feedpub remembers on a target; `sure`: nobody was cut while changing it."""

    files: Mapping[str, ManifestEntry] = MappingProxyType({})
    items: int = 0
    sure: bool = True
    site: str = ""  # whose they are, by `site.id`; "" where nobody said so

    def to_bytes(self) -> bytes:
        """The same bytes for the same state."""
        tables: list[Headers] = []
        numbers: dict[tuple[tuple[str, str], ...], int] = {}

        def number(headers: Headers) -> int:
            key = tuple(sorted(headers.items()))
            if key not in numbers:
                numbers[key] = len(tables)
                tables.append(dict(key))
            return numbers[key]

        files: dict[str, Any] = {}
        for path, known in sorted(self.files.items()):
            facts: dict[str, Any] = {"sha256": known.sha256, "headers": number(known.headers)}
            if known.gone:
                facts["gone"] = known.gone
            if known.next:
                facts["next"] = {"sha256": known.next[0], "headers": number(known.next[1])}
            files[path] = facts
        content = {
            "feedpub": VERSION,
            "push": "done" if self.sure else "interim",
            "site": self.site,
            "items": self.items,
            "headers": tables,
            "files": files,
        }
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def read_remote(data: bytes) -> RemoteManifest:
    """A target's manifest. Raises `TargetError` if it cannot be understood.

    A tree's own manifest is one, too: then somebody has brought the tree there by other
    means, and it is not known which headers the files have. It may be anybody's: nothing in it
    is trusted.
    """
    try:
        if len(data) > MAX_BYTES:
            raise ValueError("it is too large to be one")
        content = json.loads(data)
        if content["feedpub"] != VERSION:
            what = f"it is of version {content['feedpub']!r}, this feedpub writes {VERSION}"
            raise ValueError(what)
        tables = [
            {str(name): str(value) for name, value in table.items()}
            for table in content.get("headers", [{}])
        ]
        files = {
            path: ManifestEntry(
                str(facts["sha256"]),
                tables[facts.get("headers", 0)],
                str(facts.get("gone", "")),
                _next(facts, tables),
            )
            for path, facts in content["files"].items()
        }
        remote = RemoteManifest(
            files,
            int(content["items"]),
            content.get("push") == "done",
            str(content.get("site", "")),
        )
        _check_texts(remote)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
    ) as error:
        raise TargetError(
            f"its {MANIFEST_NAME} cannot be understood ({type(error).__name__}: {error}), so "
            "nobody knows which files are feedpub's; restore or delete it: all is compared then"
        ) from None
    if bad := [path for path in files if not is_safe(path) or path == MANIFEST_NAME]:
        raise TargetError(
            f"its {MANIFEST_NAME} names {bad[0]!r}, which is no file of feedpub's; delete it: "
            "the files are then compared"
        )
    return remote


def _check_texts(remote: RemoteManifest) -> None:
    """Raises `ValueError` for what no push has written: it would be sent, and shown."""
    headers: list[Headers] = []
    texts = [remote.site]
    for path, known in remote.files.items():
        texts += [path, known.sha256, known.gone]
        headers.append(known.headers)
        if known.next:
            texts.append(known.next[0])
            headers.append(known.next[1])
    tables = {id(table): table for table in headers}.values()  # few, and many files have each
    texts += [text for table in tables for pair in table.items() for text in pair]
    if bad := [text for text in texts if not text.isprintable()]:
        raise ValueError(f"{bad[0]!r} is in it")


def _next(facts: Any, tables: list[dict[str, str]]) -> tuple[str, Headers] | None:
    coming = facts.get("next")
    return (str(coming["sha256"]), tables[coming["headers"]]) if coming else None


class RemoteState(NamedTuple):
    """What a target has: as feedpub remembers it, and as the target lists it where that is needed.

    `equal` are the files of the tree that were found there byte for byte; `brought` those, too,
    that are there as a push that was cut was about to bring them.
    """

    remote: RemoteManifest | None = None
    manifest: bytes = b""  # what `remote` was read from
    listed: Mapping[str, ListedFile] | None = None
    equal: Collection[str] = frozenset()
    brought: Collection[str] = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether the manifest alone tells what is there."""
        return self.remote is not None and self.remote.sure


class RemoteInspector:
    """Asks one target; all raises `TargetError` and `StoppedError`."""

    def __init__(
        self, target: Target, output: Path, retry: RetryPolicy, stop: threading.Event
    ) -> None:
        self.target = target
        self.output = output
        self.retry = retry
        self.stop = stop

    def read(self, path: str) -> RemoteFile | None:
        """A file, None if it is not there."""
        return attempt_or_fail(lambda _: self.target.read(path), self.retry, self.stop)

    def look(self, tree: Mapping[str, LocalFile]) -> tuple[RemoteState, RemoteFile | None]:
        """What is there of the tree and besides, and the manifest as it was read."""
        found = self.read(MANIFEST_NAME)
        data = found.data if found else b""
        remote = read_remote(data) if found else None
        if remote and remote.sure:
            return RemoteState(remote, data), found
        listed = attempt_or_fail(lambda _: self.target.list(), self.retry, self.stop)
        equal = self._equal(tree, listed)
        brought = self._brought(remote, listed.keys() - equal)
        return RemoteState(remote, data, listed, equal, brought), found

    def is_free(self, extra: LocalFile, there: RemoteState) -> bool:
        """Whether a host file's place is free, or feedpub's: a user's own file stays."""
        if there.remote and extra.path in there.remote.files:
            return True
        if there.listed is not None:
            return extra.path not in there.listed or extra.path in there.equal
        return self.read(extra.path) is None

    def _equal(self, tree: Mapping[str, LocalFile], listed: Mapping[str, ListedFile]) -> set[str]:
        """Files of the tree that are there byte for byte."""
        both = [local for path, local in tree.items() if path in listed]
        try:
            with ThreadPoolExecutor(self.target.can.jobs, "look") as pool:
                answers = list(pool.map(lambda one: self._is_equal(one, listed[one.path]), both))
        except FileError as error:
            raise TargetError(f"what is there cannot be compared: {error}") from None
        return {local.path for local, yes in zip(both, answers, strict=True) if yes}

    def _is_equal(self, local: LocalFile, stored: ListedFile) -> bool:
        """Whether a file is there byte for byte; read, where the host has no hash to tell."""
        if self.stop.is_set():
            raise StoppedError
        body = body_of(self.output, local)
        if stored.size not in {-1, body.size}:
            return False
        if stored.hash:
            return body.hash(self.target.can.hash) == stored.hash
        if stored.size == body.size and local.kind == "hashed":
            return True  # its name is the hash of its bytes: nothing else can be there
        other = attempt(lambda _: self.target.read(local.path), self.retry, self.stop)
        return other is not None and body.is_equal(other.data)

    def _brought(self, remote: RemoteManifest | None, listed: Set[str]) -> set[str]:
        """New files that a push was about to bring when it was cut, and did."""
        brought = set()
        for path, known in remote.files.items() if remote else ():
            if path in listed and known.next and not known.sha256:
                sha256, headers = known.next
                found = self.read(path)
                if found and is_made_of(found.data, sha256, headers.get("Content-Encoding", "")):
                    brought.add(path)
        return brought
