"""What is at a target: its manifest says it, and the target itself if that cannot be trusted."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from feedpub.output.manifest import MANIFEST_NAME
from feedpub.publish.errors import FileError, Stopped, TargetError
from feedpub.publish.plan import There
from feedpub.publish.remote import Remote, read_remote
from feedpub.publish.retry import Retry, attempt, surely
from feedpub.publish.serving.encodings import is_made_of
from feedpub.publish.tree import body_of
from feedpub.publish.types import Found, Local, Stored, Target


class Looker:
    """Asks one target; all raises `TargetError` and `Stopped`."""

    def __init__(self, target: Target, output: Path, retry: Retry, stop: threading.Event) -> None:
        self.target = target
        self.output = output
        self.retry = retry
        self.stop = stop

    def read(self, path: str) -> Found | None:
        """A file, None if it is not there."""
        return surely(lambda _: self.target.read(path), self.retry, self.stop)

    def look(self, tree: Mapping[str, Local]) -> tuple[There, Found | None]:
        """What is there of the tree and besides, and the manifest as it was read."""
        found = self.read(MANIFEST_NAME)
        data = found.data if found else b""
        remote = read_remote(data) if found else None
        if remote and remote.sure:
            return There(remote, data), found
        listed = surely(lambda _: self.target.list(), self.retry, self.stop)
        equal = self._equal(tree, listed)
        brought = self._brought(remote, listed.keys() - equal)
        return There(remote, data, listed, equal, brought), found

    def is_free(self, extra: Local, there: There) -> bool:
        """Whether a host file's place is free, or feedpub's: a user's own file stays."""
        if there.remote and extra.path in there.remote.files:
            return True
        if there.listed is not None:
            return extra.path not in there.listed or extra.path in there.equal
        return self.read(extra.path) is None

    def _equal(self, tree: Mapping[str, Local], listed: Mapping[str, Stored]) -> set[str]:
        """Files of the tree that are there byte for byte."""
        both = [local for path, local in tree.items() if path in listed]
        try:
            with ThreadPoolExecutor(self.target.can.jobs, "look") as pool:
                answers = list(pool.map(lambda one: self._is_equal(one, listed[one.path]), both))
        except FileError as error:
            raise TargetError(f"what is there cannot be compared: {error}") from None
        return {local.path for local, yes in zip(both, answers, strict=True) if yes}

    def _is_equal(self, local: Local, stored: Stored) -> bool:
        """Whether a file is there byte for byte; read, where the host has no hash to tell."""
        if self.stop.is_set():
            raise Stopped
        body = body_of(self.output, local)
        if stored.size not in {-1, body.size}:
            return False
        if stored.hash:
            return body.hash(self.target.can.hash) == stored.hash
        if stored.size == body.size and local.kind == "hashed":
            return True  # its name is the hash of its bytes: nothing else can be there
        other = attempt(lambda _: self.target.read(local.path), self.retry, self.stop)
        return other is not None and body.is_equal(other.data)

    def _brought(self, remote: Remote | None, listed: Set[str]) -> set[str]:
        """New files that a push was about to bring when it was cut, and did."""
        brought = set()
        for path, known in remote.files.items() if remote else ():
            if path in listed and known.next and not known.sha256:
                sha256, headers = known.next
                found = self.read(path)
                if found and is_made_of(found.data, sha256, headers.get("Content-Encoding", "")):
                    brought.add(path)
        return brought
