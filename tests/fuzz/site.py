"""A small site that something hostile is put into, and what must hold of its feeds all the same."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import feedparser
from lxml import etree

import feedpub
from tests.e2e.harness import CONFIG, GOOD

# Characters that XML 1.0 (2.2) cannot hold, and those that change what a reader sees of others.
_NOT_SHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_GOOD_ID = "https://example.org/good/"


class FuzzedSite:
    """One good record, and whatever a test adds; kept over examples, since each takes so long."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.feeds = root / "feeds"

    def clear(self, config: str = CONFIG) -> None:
        """Begins anew."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.write("config.yaml", config.encode())
        self.write("records/good.md", GOOD.encode())

    def write(self, name: str, data: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def generate(self, full: bool = False) -> None:
        """A run: it ends well, and what it publishes can be read; else the example is a finding."""
        config = feedpub.load_config(self.root / "config.yaml")
        outcome = feedpub.generate(config, jobs=1, full=full, allow_empty=True)
        counts = outcome.counts
        found = counts.items + counts.left_out + len(counts.duplicates) + counts.unusable
        assert counts.read == found
        for problem in counts.problems:
            assert str(problem).isprintable(), problem
            assert problem.what
            assert "a fault of feedpub" not in str(problem), problem

    def tree(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.feeds).as_posix(): path.read_bytes()
            for path in self.feeds.rglob("*")
            if path.is_file()
        }

    def check_tree(self) -> None:
        """Each file is well-formed and can be shown, and the good item is there."""
        for path, data in self.tree().items():
            text = data.decode()
            assert not _NOT_SHOWN.search(text), path
            if path.endswith(".json"):
                json.loads(text)
            elif path.endswith((".xml", ".opml")):
                etree.fromstring(data, etree.XMLParser(resolve_entities=False))
        ids = []
        for name in ("rss.xml", "atom.xml"):
            parsed = feedparser.parse((self.feeds / name).read_bytes())
            assert not parsed.bozo, (name, parsed.bozo_exception)
            ids.append([entry.id for entry in parsed.entries])
        items = json.loads((self.feeds / "feed.json").read_bytes())["items"]
        for found in (*ids, [item["id"] for item in items]):
            assert _GOOD_ID in found
            assert len(set(found)) == len(found)

    def run_all(self) -> None:
        """A run, what it made, and that another run and a full run would leave it as it is."""
        self.generate()
        self.check_tree()
        tree = self.tree()
        self.generate()
        assert self.tree() == tree
        self.generate(full=True)
        assert self.tree() == tree
