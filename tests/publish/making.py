"""Output trees and configurations for pushes, and a look at what a push does to a target."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from feedpub.config import Config, load_config
from feedpub.output.manifest import MANIFEST_NAME, Manifest
from feedpub.publish import push as pushing
from feedpub.publish.errors import FileError, TargetError
from feedpub.publish.push import PushOptions, Result, chosen
from feedpub.publish.retry import RetryPolicy
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Target, Upload

QUICK = RetryPolicy(times=2, first=0.01, longest=0.02, patience=1.0)
PICTURE = "media/0123456789abcdef/cover.png"
FEEDS = ("rss.xml", "atom.xml", "feed.json", "topics/a/rss.xml", "topics/a/feed.json")
GONE = ("topics/b/rss.xml", "topics/b/feed.json")


class Tree:
    """An output folder as `generate` leaves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}
        for path in (*FEEDS, *GONE, "feeds.opml", "feeds.json", PICTURE):
            self.put(path, f"this is {path}\n" * 100)
        self.save()

    def put(self, path: str, text: str) -> None:
        self.files[path] = text.encode()
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(self.files[path])

    def remove(self, *paths: str) -> None:
        for path in paths:
            del self.files[path]
            (self.folder / path).unlink()

    def save(self) -> None:
        """The manifest."""
        hashes = {path: hashlib.sha256(data).hexdigest() for path, data in self.files.items()}
        (self.folder / MANIFEST_NAME).write_bytes(Manifest(hashes, 3).to_bytes())


class Site:
    """A tree, and the configuration that says where it is pushed to."""

    def __init__(self, root: Path, **targets: dict[str, Any]) -> None:
        self.root = root
        (root / "records").mkdir(parents=True)
        self.tree = Tree(root / "feeds")
        self.more: dict[str, Any] = {}
        self.targets = targets

    @property
    def config(self) -> Config:
        content = {
            "site": {"title": "Test", "url": "https://feeds.example.org/"},
            "records": ["records"],
            "push": self.targets,
        }
        (self.root / "config.yaml").write_text(json.dumps(content | self.more), encoding="utf-8")
        return load_config(self.root / "config.yaml")

    def push(self, *names: str, **options: Any) -> Result:
        """Pushes to one target."""
        (result,) = self.push_all(*names, **options)
        return result

    def push_all(self, *names: str, **options: Any) -> list[Result]:
        config = self.config
        options.setdefault("retry", QUICK)
        return pushing.push(config, chosen(config, names), PushOptions(**options), _unseen)


def _unseen(stage: str, done: int, total: int) -> None:
    pass


class Spy:
    """Stands before every target: writes down what it is asked for, and can cut or fail a push."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self.before: Callable[[str, str], None] = lambda what, path: None

    def note(self, what: str, path: str = "") -> None:
        with self.lock:
            self.calls.append((what, path))
        self.before(what, path)

    def paths(self, what: str) -> list[str]:
        return sorted(path for call, path in self.calls if call == what)

    @property
    def writes(self) -> int:
        return sum(what in {"put", "put_if_match", "delete", "commit"} for what, _ in self.calls)

    def clear(self) -> None:
        self.calls.clear()
        self.before = lambda what, path: None

    def cut_after(self, puts: int) -> None:
        """The target is gone after so many files."""

        def before(what: str, path: str) -> None:
            if what == "put" and len(self.paths("put")) > puts:
                raise TargetError("the line was cut")

        self.before = before


class Watched:
    """A target with a spy before it."""

    def __init__(self, target: Target, spy: Spy) -> None:
        self._target = target
        self._spy = spy
        # One file at a time: a test then knows which were there before a cut.
        self.can: Capabilities = target.can._replace(jobs=1)

    def read(self, path: str) -> RemoteFile | None:
        self._spy.note("read", path)
        return self._target.read(path)

    def list(self) -> dict[str, ListedFile]:
        self._spy.note("list")
        return self._target.list()

    def put(self, upload: Upload) -> None:
        self._spy.note("put", upload.path)
        self._target.put(upload)

    def put_if_match(self, upload: Upload, version: str) -> str:
        self._spy.note("put_if_match", upload.path)
        return self._target.put_if_match(upload, version)

    def delete(self, path: str) -> None:
        self._spy.note("delete", path)
        self._target.delete(path)

    def flush(self) -> Mapping[str, FileError]:
        self._spy.note("flush")
        return self._target.flush()

    def commit(self, message: str) -> None:
        self._spy.note("commit")
        self._target.commit(message)

    def close(self) -> None:
        self._target.close()


def watch(monkeypatch: pytest.MonkeyPatch) -> Spy:
    """From here on, all targets are watched."""
    spy = Spy()
    open_target = pushing.open_target
    monkeypatch.setattr(pushing, "open_target", lambda place: Watched(open_target(place), spy))
    return spy
