"""What is on a target: its manifest, and its listing if the manifest is not enough.

A target's manifest has the name and the form of the tree's, with headers for each file. An
interim manifest names all files before and after a push. If a push finds one, another push was
interrupted, and it still tells which files are feedpub's.
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
    """A file that feedpub uploaded, or is about to."""

    sha256: str = ""  # of the file in the tree; "" before the first upload
    headers: Headers = NO_HEADERS
    gone: str = ""  # when the tree dropped it (ISO 8601), for files with a grace period
    next: tuple[str, Headers] | None = None  # SHA-256 and headers of a running upload


class RemoteManifest(NamedTuple):
    """What feedpub remembers on a target; `is_complete`: no push was interrupted."""

    files: Mapping[str, ManifestEntry] = MappingProxyType({})
    items: int = 0
    is_complete: bool = True
    site: str = ""  # `site.id` of the feeds; "" in old manifests

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
            "push": "done" if self.is_complete else "interim",
            "site": self.site,
            "items": self.items,
            "headers": tables,
            "files": files,
        }
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def read_remote(data: bytes) -> RemoteManifest:
    """Parses a target's manifest. Raises `TargetError` if it is invalid.

    A tree's own manifest is valid, too: the tree was copied by other means, so the headers
    are unknown. Nothing in it is trusted.
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
            "feedpub cannot tell its own files; restore or delete it: all files are then compared"
        ) from None
    if bad := [path for path in files if not is_safe(path) or path == MANIFEST_NAME]:
        raise TargetError(
            f"its {MANIFEST_NAME} names {bad[0]!r}, which feedpub cannot have written; delete it: "
            "all files are then compared"
        )
    return remote


def _check_texts(remote: RemoteManifest) -> None:
    """Raises `ValueError` for control characters: texts are sent as headers, and shown."""
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
    """What a target has: its manifest, and its listing if the manifest is missing or interim.

    `equal` are files of the tree that it has byte for byte, `uploaded` further files that an
    interrupted push has completed.
    """

    remote: RemoteManifest | None = None
    manifest: bytes = b""  # what `remote` was read from
    listed: Mapping[str, ListedFile] | None = None
    equal: Collection[str] = frozenset()
    uploaded: Collection[str] = frozenset()


class RemoteInspector:
    """Finds out what one target has. All methods raise `TargetError` and `StoppedError`."""

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

    def inspect(self, tree: Mapping[str, LocalFile]) -> tuple[RemoteState, RemoteFile | None]:
        """The state of the target, and its manifest file."""
        found = self.read(MANIFEST_NAME)
        data = found.data if found else b""
        remote = read_remote(data) if found else None
        if remote and remote.is_complete:
            return RemoteState(remote, data), found
        listed = attempt_or_fail(lambda _: self.target.list(), self.retry, self.stop)
        equal = self._equal(tree, listed)
        uploaded = self._uploaded(remote, listed.keys() - equal)
        return RemoteState(remote, data, listed, equal, uploaded), found

    def is_free(self, extra: LocalFile, state: RemoteState) -> bool:
        """Whether a host file may be written: a file of the user's own is never replaced."""
        if state.remote and extra.path in state.remote.files:
            return True
        if state.listed is not None:
            return extra.path not in state.listed or extra.path in state.equal
        return self.read(extra.path) is None

    def _equal(self, tree: Mapping[str, LocalFile], listed: Mapping[str, ListedFile]) -> set[str]:
        """Files of the tree that the target has byte for byte."""
        both = [local for path, local in tree.items() if path in listed]
        try:
            with ThreadPoolExecutor(self.target.can.jobs, "look") as pool:
                answers = list(pool.map(lambda one: self._is_equal(one, listed[one.path]), both))
        except FileError as error:
            raise TargetError(f"its files cannot be compared: {error}") from None
        return {local.path for local, yes in zip(both, answers, strict=True) if yes}

    def _is_equal(self, local: LocalFile, stored: ListedFile) -> bool:
        """Whether both are equal byte for byte. Without a hash, the file is downloaded."""
        if self.stop.is_set():
            raise StoppedError
        body = body_of(self.output, local)
        if stored.size not in {-1, body.size}:
            return False
        if stored.hash:
            return body.hash(self.target.can.hash) == stored.hash
        if stored.size == body.size and local.kind == "hashed":
            return True  # its name is the hash of its content
        other = attempt(lambda _: self.target.read(local.path), self.retry, self.stop)
        return other is not None and body.is_equal(other.data)

    def _uploaded(self, remote: RemoteManifest | None, listed: Set[str]) -> set[str]:
        """New files that an interrupted push has completed."""
        uploaded = set()
        for path, known in remote.files.items() if remote else ():
            if path in listed and known.next and not known.sha256:
                sha256, headers = known.next
                found = self.read(path)
                if found and is_made_of(found.data, sha256, headers.get("Content-Encoding", "")):
                    uploaded.add(path)
        return uploaded
