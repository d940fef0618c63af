"""An incremental run leaves exactly what a full run leaves, whatever happened since the last one.

A site lives through a random history: records come, change and go, so do taxonomy and
configuration, time moves both ways, somebody tampers with the output, the memory is damaged, runs
are killed. Again and again the site is generated incrementally, and beside it, from the very same
files, in full from nothing; then both trees, both reports and both screens are compared.

The clock of a run may be ahead, as if an hour had passed since the files were written: what was
written this very moment may be trusted less.

FEEDPUB_SOAK=n (in the environment) tries n times as many histories, for a long soak:

    FEEDPUB_SOAK=100 ./run.sh test tests/e2e/test_incremental_stateful.py -p no:randomly
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    get_state_machine_test,
    initialize,
    invariant,
    precondition,
    rule,
)

from .harness import Run, Site, stamps, tree_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forked, as POSIX can")

SOAK = max(1, int(os.environ.get("FEEDPUB_SOAK") or 1))
# What may be said after an interrupted run, of a changed file, and of a memory that is damaged.
OF_A_CUT_RUN = re.compile("an earlier run was interrupted")
OF_A_CHANGED_FILE = re.compile("no longer part of a feed, but changed since")
# Which run of two adds to the ledger, or sees that a record names another id than before.
OF_THE_LEDGER = re.compile(r"ids\.jsonl: |: id: it changed from ")
OF_THE_MEMORY = re.compile(r"state|\.feedpub\b|remember")


# --- Runs -------------------------------------------------------------


def later(seconds: int) -> str:
    """A hook: the clock is ahead, as if so much time had passed since files were written."""
    return (
        f"import time; now = time.time_ns; time.time_ns = lambda: now() + {seconds} * 10**9\n"
        "time.time = lambda: time.time_ns() / 10**9\n"
    )


# --- What may be in a site --------------------------------------------

TITLES = st.sampled_from([f"Title {letter}" for letter in "ABCDEFGH"])
DATES = st.sampled_from(
    [
        "2018-05-06", "2020-01-02T03:04:05Z", "2020-01-02 03:04", "2020-01-02T23:30:00",
        "2023-12-31", "2024-03-01T00:00:00+05:00", "2024-03-01", "2025-06-07T08:09:10Z",
        "2026-01-01", "2030-01-01", "2100-01-01T00:00:00Z",
    ]
)  # fmt: skip
TOPICS = st.lists(
    st.sampled_from(["A", "a ", "B", "C#", "News", "Neues", "日本", "World"]), max_size=3
)
PROVIDERS = st.sampled_from(
    [
        "P", "p", "Q", {"name": "R", "domain": "r.example"}, {"domain": "r.example"},
        {"name": "P", "url": "https://p.example/", "images": ["https://p.example/i.png"]}, 3,
    ]
)  # fmt: skip
BODIES = st.sampled_from(
    [
        "", "Text.\n", "*Some* text, [a link](/x) and ![a picture](y.png).\n",
        "\n\n# Head\n\n- a\n- b\n",
        "<p>Some <b>text</b> &amp; <a href='x'>a link</a><script>x</script></p>\n",
        "Long text. " * 60 + "\n",
    ]
)  # fmt: skip
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "topics": TOPICS,
    "provider": PROVIDERS,
    "id": st.sampled_from(["x1", "x2", "urn:x:3"]),
    "url": st.sampled_from(["https://example.org/u1/", "https://example.org/u2/", "/rel/"]),
    "originalUrl": st.sampled_from(["https://p.example/o1", "https://p.example/o2"]),
    "updated": DATES,
    "draft": st.booleans(),
    "published": st.booleans(),
    "removed": st.booleans(),
    "language": st.sampled_from(["en", "en-GB", "de", "xx yy"]),
    "type": st.sampled_from(["article", "video"]),
    "category": st.sampled_from(["A", "Life"]),
    "quality": st.sampled_from([10, 80, "high"]),
    "author": st.sampled_from(["Jo", "Jo <jo@example.org>", ["Jo", "Al"]]),
    "excerpt": st.sampled_from(["In short.", "In &lt;short&gt;."]),
    "image": st.sampled_from(["/i.png", {"url": "https://example.org/i.jpg", "width": 10}]),
    "images": st.just([{"url": "/s.png", "width": 1}, {"url": "/l.png", "width": 9}]),
    "audio": st.just("/a.mp3"),
    "slug": st.sampled_from(["slug-1", "slug-2"]),
    "headline": TITLES,
    "related": st.just([{"title": "Other", "url": "https://example.org/other"}]),
}
RECORDS = st.fixed_dictionaries(
    {"title": TITLES, "date": DATES},
    optional={**OPTIONAL, "body": BODIES},
)
PLAIN = st.fixed_dictionaries({"title": TITLES, "date": DATES, "topics": TOPICS, "body": BODIES})
UNUSABLE = st.sampled_from(
    [
        b"", b"no front matter\n", b"---\ntitle: No date\n---\nText.\n", b"---\ntitle: [\n---\n",
        b"---\ntitle: A\ndate: soon\n---\n", b"\xff\xfe\0", b"---\ntitle: A\ndate: 2020-01-01\n",
        b"[1, 2, {}]\n", b'{"title": "A"}\n{"title": 3,\n', b"---\n- a\n---\n",
    ]
)  # fmt: skip
FOLDERS = st.sampled_from(["records", "records/sub", "records/sub/deep", "more", "more/2021"])
STEMS = st.sampled_from(["a", "b", "c", "2021-05-06-d", "index", "ü e", "_index", "README"])
SUFFIXES = st.sampled_from([".md", ".md", ".html", ".yaml", ".json", ".jsonl"])
NUMBERS = st.integers(0, 1000)

PATTERN = {"path": "more", "link": "/{year}/{slug}/", "provider": "More", "topics": ["Extra"]}
OTHER = {"path": "more", "link": "/{path}/", "language": "de", "type": "note", "author": "Jo"}
SUB = {"path": "records/sub", "provider": "Sub", "topics": ["Below"]}
CONFIG: dict[str, Any] = {
    "site": {
        "title": "Test site",
        "url": "https://feeds.example.org/",
        "id": "tag:example.org,2026:feeds",
        "home": "https://example.org/",
        "timezone": "Europe/Berlin",
    },
    "records": ["records", PATTERN],
    "taxonomy": {"topics": "taxonomy/topics", "providers": "taxonomy/providers"},
    "output": "feeds",
    "state": ".feedpub",
    "feeds": {"items": 3},
}
GONE = object()  # the key is left out
SETTINGS: dict[str, list[Any]] = {
    "site.title": ["Test site", "Another title"],
    "site.url": ["https://feeds.example.org/", "https://other.example/f/"],
    "site.id": ["tag:example.org,2026:feeds", "tag:example.org,2027:other"],
    "site.home": ["https://example.org/", "https://home.example/b/"],
    "site.timezone": ["Europe/Berlin", "Asia/Tokyo", "America/New_York"],
    "site.language": [GONE, "de"],
    "site.author": [GONE, {"name": "Ed", "email": "ed@example.org"}],
    "site.description": [GONE, "About it"],
    "site.icon": [GONE, "https://example.org/icon.png"],
    "records": [
        ["records", PATTERN],
        ["records", OTHER],
        [OTHER, "records"],
        ["records"],
        [SUB, "records", "more"],
        ["records", SUB, "more"],
        ["records/*.md", SUB, "more"],
    ],
    "taxonomy": [CONFIG["taxonomy"], {"topics": "taxonomy/topics"}, GONE],
    "output": ["feeds", "www/feeds"],
    "state": [".feedpub", "memory/of it"],
    "fields": [GONE, {"title": "headline"}, {"topics": "category"}],
    "select": [
        GONE,
        {"types": ["article"]},
        {"languages": ["en"]},
        {"min_quality": 50},
        {"topics": ["A", "World"]},
        {"providers": ["P"]},
        {"unpublished": True},
        {"future": True},
    ],
    "feeds.items": [1, 2, 3, 20, "all"],
    "feeds.window": [GONE, "48h", "200w"],
    "feeds.content": [GONE, "excerpt"],
    "feeds.formats": [GONE, ["rss"], ["json", "atom"]],
    "feeds.filenames": [GONE, {"rss": "index.xml"}, {"rss": "atom.xml", "atom": "rss.xml"}],
    "feeds.all": [True, False, {"items": 1}, {"where": {"types": ["video"]}, "title": "{site}!"}],
    "feeds.topics": [
        True,
        False,
        {"min_items": 2},
        {"items": 1, "title": "{name} at {site}"},
        {"include": ["A", "News"]},
        {"exclude": ["a", "World"]},
        {"where": {"min_quality": 50}},
        {"path": "t/{slug}"},
        {"newsletter": True},
    ],
    "feeds.providers": [True, False, {"min_items": 2}, {"exclude": ["P"]}, {"path": "by/{slug}"}],
    "feeds.topic_providers": [GONE, True, {"min_items": 2}],
    "feeds.custom": [
        GONE,
        [{"slug": "best", "where": {"min_quality": 80}}],
        [{"slug": "best", "title": "Best of", "items": 1, "where": {"topics": ["World"]}}],
        [{"slug": "film", "where": {"types": ["video"], "providers": ["P", "R"]}}],
        [{"slug": "mail", "newsletter": {"parameters": {"utm_source": "mail"}}}],
        [{"slug": "mail", "newsletter": True}, {"slug": "read"}],
    ],
    "feeds.overrides": [
        GONE,
        {"topics/a": {"title": "All of A", "items": 1}},
        {"providers/p": {"title": "P!"}},
        {"topics/a": {"newsletter": {"parameters": {"a": "b"}}}, "custom/mail": {"title": "M"}},
        {"topics/a": {"newsletter": False}, "custom/mail": {"newsletter": False}},
    ],
    "feeds.also_at": [
        GONE,
        {"feed.xml": "rss.xml"},
        {"old": "topics/a", "providers/p2": "providers/p"},
    ],
    "feeds.archives": ["false", "month", "year"],
    "ids": [GONE, {"record": "all"}, {"ledger": "other-ids.jsonl"}],
    "images.enclosure": [GONE, "largest", "none"],
    "websub.hubs": [GONE, ["https://hub.example.org/"]],
}
TERMS = st.fixed_dictionaries(
    {"name": st.sampled_from(["A", "News", "World", "P", "R", "Of World"])},
    optional={
        "_id": st.sampled_from(["a", "news", "slug-of-it", "C#", "b"]),
        "parent": st.sampled_from(["World", "News", "A", "Unknown"]),
        "description": st.sampled_from(["All of it.", "Some of it."]),
        "otherNames": st.sampled_from([["Neues"], ["B", "C#"], ["日本"]]),
        "domain": st.sampled_from(["r.example", "p.example"]),
        "images": st.just([{"url": "https://example.org/t.png"}]),
    },
)
BASE: dict[str, list[dict[str, Any]]] = {
    "records/a.md": [
        {"title": "Title A", "date": "2020-01-02", "topics": ["A", "News"], "id": "x1"}
    ],
    "records/b.md": [{"title": "Title B", "date": "2023-12-31", "topics": ["B"], "provider": "P"}],
    "records/sub/c.html": [
        {"title": "Title C", "date": "2024-03-01", "originalUrl": "https://p.example/o1"}
    ],
    "records/list.jsonl": [
        {"title": "Title D", "date": "2024-03-01", "id": "x2", "provider": "Q"},
        {"title": "Title E", "date": "2025-06-07", "topics": ["A"], "type": "video", "quality": 80},
        {"title": "Title F", "date": "2100-01-01", "topics": ["A"]},
    ],
    "more/2021-05-06-d.md": [{"title": "Title G", "date": "2026-01-01", "topics": ["World"]}],
    "more/a.md": [{"title": "Title H", "date": "2018-05-06", "draft": True}],
}


def document(suffix: str, records: list[dict[str, Any]]) -> bytes:
    """Records as a file of this kind has them."""
    if suffix in {".md", ".html"}:
        [record] = records[:1]
        lines = [
            f"{key}: {json.dumps(value, ensure_ascii=False)}"
            for key, value in record.items()
            if key != "body"
        ]
        return "\n".join(["---", *lines, "---", record.get("body", "Text.\n")]).encode()
    plain = [
        {"content" if key == "body" else key: value for key, value in record.items()}
        for record in records
    ]
    if suffix == ".jsonl":
        return "".join(json.dumps(record) + "\n" for record in plain).encode()
    if suffix == ".json":
        return json.dumps({"news": plain}, indent=1).encode()
    return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False).encode()


# --- The history of a site --------------------------------------------


class History(RuleBasedStateMachine):
    """A site's life; after every few events, incremental and full are held side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="feedpub-history-"))
        self.root = self.base / "site"
        self.files: dict[str, list[dict[str, Any]] | bytes] = {}
        self.config: dict[str, Any] = copy.deepcopy(CONFIG)
        self.as_of: str | None = "2026-06-01"
        self.options: tuple[str, ...] = ()
        self.jobs = "1"
        self.later = 3600
        self.every = 1
        self.pending = 0
        self.moves = 0
        self.edited: set[str] = set()  # files of the output that somebody changed
        self.doubtful = False  # whether the memory may not be what this site's last run left
        self.killed = False

    @initialize(
        every=st.sampled_from([1, 1, 2, 3]), more=st.lists(RECORDS, max_size=3), base=st.booleans()
    )
    def begin(self, every: int, more: list[dict[str, Any]], base: bool) -> None:
        self.every = every
        for folder in ("records/sub", "more", "taxonomy/topics", "taxonomy/providers", "elsewhere"):
            (self.root / folder).mkdir(parents=True)
        self.write_config()
        for name, records in BASE.items() if base else ():
            self.put(name, copy.deepcopy(records))
        for n, record in enumerate(more):
            self.put(f"records/more-{n}.md", [record])
        self.compare()

    def teardown(self) -> None:
        try:
            if self.root.exists() and sys.exc_info()[0] is None:
                self.pending = 1
                self.compare()
                before = stamps(self.output)
                self.generate("config.yaml")
                assert stamps(self.output) == before, "nothing changed, and something was written"
                feeds = self.report["feeds"]
                assert (feeds["written"], feeds["removed"]) == (0, 0)
                assert feeds["unchanged"] == feeds["total"]
        finally:
            shutil.rmtree(self.base, ignore_errors=True)

    # Files of the site

    @property
    def output(self) -> Path:
        return self.root / self.config["output"]

    @property
    def state(self) -> Path:
        return self.root / self.config["state"]

    def put(self, name: str, content: list[dict[str, Any]] | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.unlink(missing_ok=True)  # a link to nowhere
        data = content if isinstance(content, bytes) else document(path.suffix, content)
        path.write_bytes(data)
        self.files[name] = content

    def drop(self, name: str) -> None:
        (self.root / name).unlink()
        del self.files[name]

    def pick(self, which: int, records: bool = False) -> str:
        """One of the record files there are; there is always one."""
        names = sorted(self.files)
        if records:
            names = [name for name in names if not isinstance(self.files[name], bytes)]
        if not names:
            names = ["records/a.md"]
            self.put(names[0], copy.deepcopy(BASE[names[0]]))
        return names[which % len(names)]

    def pick_record(self, which: int) -> tuple[str, dict[str, Any]]:
        """One of the records there are, in its file, to be changed."""
        name = self.pick(which, records=True)
        records = self.files[name]
        assert isinstance(records, list)
        return name, records[which % len(records)]

    def write_config(self) -> None:
        def text(output: str, state: str) -> str:
            config = {**self.config, "output": output, "state": state}
            return yaml.safe_dump(config, allow_unicode=True, sort_keys=False)

        # Not in the process's locale: feedgen changes that, where other tests called it.
        mine = text(self.config["output"], self.config["state"])
        (self.root / "config.yaml").write_text(mine, encoding="utf-8")
        reference = text("../full/feeds", "../full/state")
        (self.root / "full.yaml").write_text(reference, encoding="utf-8")

    # Events: records

    @rule(
        folder=FOLDERS,
        stem=STEMS,
        suffix=SUFFIXES,
        records=st.lists(RECORDS, min_size=1, max_size=3),
    )
    def add(self, folder: str, stem: str, suffix: str, records: list[dict[str, Any]]) -> None:
        self.put(f"{folder}/{stem}{suffix}", records[:1] if suffix in {".md", ".html"} else records)
        self.pending += 1

    @rule(folder=FOLDERS, stem=STEMS, record=PLAIN)
    def add_plain(self, folder: str, stem: str, record: dict[str, Any]) -> None:
        """One whose id is made of its path."""
        self.put(f"{folder}/{stem}.md", [record])
        self.pending += 1

    @rule(folder=FOLDERS, stem=STEMS, suffix=SUFFIXES, data=UNUSABLE)
    def add_unusable(self, folder: str, stem: str, suffix: str, data: bytes) -> None:
        self.put(f"{folder}/{stem}{suffix}", data)
        self.pending += 1

    @rule(which=NUMBERS, data=UNUSABLE)
    def spoil(self, which: int, data: bytes) -> None:
        self.put(self.pick(which), data)
        self.pending += 1

    @rule(which=NUMBERS, changes=RECORDS, without=st.sets(st.sampled_from(sorted(OPTIONAL))))
    def edit(self, which: int, changes: dict[str, Any], without: set[str]) -> None:
        name, record = self.pick_record(which)
        record.update(changes)
        for key in without:
            record.pop(key, None)
        self.put(name, self.files[name])
        self.pending += 1

    @rule(which=NUMBERS, date=DATES, key=st.sampled_from(["date", "date", "updated"]))
    def redate(self, which: int, date: str, key: str) -> None:
        name, record = self.pick_record(which)
        record[key] = date
        self.put(name, self.files[name])
        self.pending += 1

    @rule(
        which=NUMBERS,
        key=st.sampled_from(
            [
                "topics",
                "provider",
                "quality",
                "type",
                "body",
                "id",
                "url",
                "url",
                "draft",
                "removed",
            ]
        ),
        data=st.data(),
    )
    def edit_one(self, which: int, key: str, data: st.DataObject) -> None:
        name, record = self.pick_record(which)
        record[key] = data.draw(BODIES if key == "body" else OPTIONAL[key])
        self.put(name, self.files[name])
        self.pending += 1

    @rule(which=NUMBERS, other=NUMBERS)
    def same_id(self, which: int, other: int) -> None:
        _, model = self.pick_record(other)
        name, record = self.pick_record(which)
        record["id"] = model.get("id", "x1")
        self.put(name, self.files[name])
        self.pending += 1

    @rule(which=NUMBERS, record=RECORDS, how=st.sampled_from(["head", "tail", "drop", "turn"]))
    def edit_list(self, which: int, record: dict[str, Any], how: str) -> None:
        name = self.pick(which, records=True)
        if name.endswith((".md", ".html")):
            return
        records = self.files[name]
        assert isinstance(records, list)
        if how == "head":
            records.insert(0, record)
        elif how == "tail":
            records.append(record)
        elif how == "drop" and len(records) > 1:
            records.pop(which % len(records))
        else:
            records.reverse()
        self.put(name, records)
        self.pending += 1

    @rule(which=NUMBERS)
    def delete(self, which: int) -> None:
        self.drop(self.pick(which))
        self.pending += 1

    @rule(which=NUMBERS, folder=FOLDERS, stem=STEMS)
    def rename(self, which: int, folder: str, stem: str) -> None:
        """To another name, or over another file."""
        name = self.pick(which)
        new = f"{folder}/{stem}{Path(name).suffix}"
        if new == name:
            return
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).rename(self.root / new)
        self.files[new] = self.files.pop(name)
        self.pending += 1

    @rule(which=NUMBERS, other=NUMBERS)
    def swap_names(self, which: int, other: int) -> None:
        one, two = self.pick(which), self.pick(other)
        if one == two or Path(one).suffix != Path(two).suffix:
            return
        spare = self.root / "elsewhere" / "spare"
        (self.root / one).rename(spare)
        (self.root / two).rename(self.root / one)
        spare.rename(self.root / two)
        self.files[one], self.files[two] = self.files[two], self.files[one]
        self.pending += 1

    @rule(new=st.sampled_from(["records/other", "more/sub", ""]))
    def move_folder(self, new: str) -> None:
        """A folder of records gets another name, or goes."""
        old = self.root / "records/sub"
        inside = [name for name in self.files if name.startswith("records/sub/")]
        if not inside or (new and (self.root / new).exists()):
            return
        if new:
            old.rename(self.root / new)
        else:
            shutil.rmtree(old)
        for name in inside:
            content = self.files.pop(name)
            if new:
                self.files[new + name.removeprefix("records/sub")] = content
        old.mkdir()
        self.pending += 1

    @rule(which=NUMBERS, letter=st.sampled_from("ABCDEFGH"), new_inode=st.booleans())
    def edit_unseen(self, which: int, letter: str, new_inode: bool) -> None:
        """Other bytes of the same number, with the old time: only ctime or content tell."""
        name, record = self.pick_record(which)
        if record["title"] == f"Title {letter}":
            return
        path = self.root / name
        data = document(path.suffix, self.files[name])
        if not path.exists() or path.read_bytes() != data:  # a link that leads elsewhere by now
            return
        before = path.stat()
        record["title"] = f"Title {letter}"
        data = document(path.suffix, self.files[name])
        if new_inode:
            spare = self.root / "elsewhere" / "spare"
            spare.write_bytes(data)
            os.utime(spare, ns=(before.st_atime_ns, before.st_mtime_ns))
            spare.replace(path)
        else:
            with path.open("r+b") as file:
                file.write(data)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = path.stat()
        assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
        self.pending += 1

    @rule(which=NUMBERS, when=st.sampled_from([None, 0, 1, 4_000_000_000]))
    def touch(self, which: int, when: int | None) -> None:
        path = self.root / self.pick(which)
        if path.exists():
            os.utime(path, None if when is None else (when, when))
        self.pending += 1

    @rule(which=NUMBERS, how=st.sampled_from(["link", "dangling", "hard link"]))
    def link(self, which: int, how: str) -> None:
        """The file is elsewhere now, and a link is where it was."""
        name = self.pick(which)
        path = self.root / name
        target = self.root / "elsewhere" / name.replace("/", "-")
        target.unlink(missing_ok=True)
        if how == "hard link":
            if path.exists():
                os.link(path.resolve(), target)
        else:
            if path.is_symlink():
                path.unlink()
            else:
                path.rename(target)
            above = "../" * name.count("/")
            path.symlink_to(above + target.relative_to(self.root).as_posix())
            if how == "dangling":
                target.unlink(missing_ok=True)
        self.pending += 1

    # Events: around the records

    @rule(
        kind=st.sampled_from(["topics", "topics", "providers"]),
        stem=st.sampled_from(["one", "two", "three"]),
        term=st.one_of(TERMS, st.sampled_from([None, None, "broken: ["])),
    )
    def taxonomy(self, kind: str, stem: str, term: dict[str, Any] | str | None) -> None:
        path = self.root / f"taxonomy/{kind}/{stem}.yaml"
        if term is None:
            if not path.exists():
                return
            path.unlink()
        else:
            text = term if isinstance(term, str) else yaml.safe_dump(term, allow_unicode=True)
            path.write_text(text, encoding="utf-8")
        self.pending += 1

    @rule(key=st.sampled_from([key for key in SETTINGS if key.startswith("feeds.")]), n=NUMBERS)
    def configure_feeds(self, key: str, n: int) -> None:
        self.configure(key, n)

    @rule(key=st.sampled_from([key for key in SETTINGS if not key.startswith("feeds.")]), n=NUMBERS)
    def configure_rest(self, key: str, n: int) -> None:
        self.configure(key, n)

    @rule(
        values=NUMBERS, key=st.sampled_from(["records", "select", "feeds.topics", "feeds.custom"])
    )
    def configure_choice(self, values: int, key: str) -> None:
        """What decides which records are in which feeds."""
        self.configure(key, values)

    def configure(self, key: str, n: int) -> None:
        section, _, last = key.rpartition(".")
        place = self.config.get(section, {}) if section else self.config
        others = [value for value in SETTINGS[key] if value != place.get(last, GONE)]
        value = others[n % len(others)]
        if section:
            self.config[section] = place
        self.doubtful |= key == "output"  # it is a memory of another
        if key == "output" and self.edited:  # or later nobody would know what was changed there
            shutil.rmtree(self.output)
            self.edited = set()
        place.pop(last, None)
        if value is not GONE:
            place[last] = value
        if section:
            self.config[section] = place
        self.write_config()
        self.pending += 1

    @rule(
        as_of=st.sampled_from(
            # Then, 2024-03-01 has begun in some zones only.
            ["2024-02-29T20:00:00Z", "2019-01-01", "2023-12-31T23:30:00Z", "2026-06-01", None]
        )
    )
    def move_time(self, as_of: str | None) -> None:
        self.as_of = as_of
        self.pending += 1

    @rule(
        options=st.sampled_from([(), ("--unpublished",), ("--strict",), ("--full",)]),
        jobs=st.sampled_from(["1", "2", "3"]),
        passed=st.sampled_from([3600, 0, 3, 86400]),
    )
    def run_otherwise(self, options: tuple[str, ...], jobs: str, passed: int) -> None:
        """With other options, or when more time or less has passed; perhaps all as before."""
        self.options, self.jobs, self.later = options, jobs, passed
        self.pending += 1

    @rule(
        keep_state=st.booleans(),
        keep_feeds=st.booleans(),
        keep_times=st.booleans(),
        same_place=st.booleans(),
    )
    def clone(self, keep_state: bool, keep_feeds: bool, keep_times: bool, same_place: bool) -> None:
        """The folder is copied (a clone, a backup), and work goes on in the copy."""
        self.moves += 1
        new = self.base / f"site-{self.moves}"
        copy_file = shutil.copy2 if keep_times else shutil.copyfile
        shutil.copytree(self.root, new, symlinks=True, copy_function=copy_file)
        if not keep_state:
            shutil.rmtree(new / self.config["state"], ignore_errors=True)
        if not keep_feeds:
            shutil.rmtree(new / self.config["output"], ignore_errors=True)
            self.edited = set()
        if same_place:
            old = self.base / f"old-{self.moves}"
            self.root.rename(old)
            new.rename(self.root)
            shutil.rmtree(old)
        else:
            shutil.rmtree(self.root)
            self.root = new
            self.doubtful = True
        self.pending += 1

    # Events: around the runs

    @rule(which=NUMBERS, how=st.sampled_from(["delete", "edit", "empty", "touch", "folder"]))
    def tamper(self, which: int, how: str) -> None:
        """Somebody works in the output; the manifest stays as it is."""
        names = [n for n in tree_of(self.output) if not n.startswith((".feedpub", ".tmp"))]
        if not names:
            return
        name = names[which % len(names)]
        path = self.output / name
        if how == "delete":
            path.unlink()
            self.edited.discard(name)
        elif how == "folder":
            if "/" not in name:
                return
            folder = name.partition("/")[0]
            shutil.rmtree(self.output / folder)
            self.edited = {n for n in self.edited if not n.startswith(f"{folder}/")}
        elif how == "touch":
            os.utime(path, (1, 1))
        else:
            path.write_bytes(b"" if how == "empty" else path.read_bytes()[:-1] + b" ")
            self.edited.add(name)
        self.pending += 1

    @rule(what=st.sampled_from(["state", "output"]), again=st.booleans())
    def keep_copy_or_bring_it_back(self, what: str, again: bool) -> None:
        """An older memory beside the newer output, or the other way round.

        As a backup, a cache of CI or a repository leads to it.
        """
        kept = self.base / f"kept {what}"
        place: Path = getattr(self, what)
        if place.exists() and not place.is_dir():
            return
        if again or not kept.exists():
            if place.is_dir() and not self.edited and not self.doubtful:
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(place, kept)
            return
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(kept, place)
        self.doubtful = True
        if what == "output":
            self.edited = set()
            self.killed = True  # the copy may hold a burst that was cut
        self.pending += 1

    @rule(
        how=st.sampled_from(
            "delete truncate overwrite zero garbage empty beside newer folder file".split()
        ),
        place=st.floats(0, 1),
        size=st.sampled_from([1, 16, 600, 5000]),
    )
    def damage(self, how: str, place: float, size: int) -> None:
        """The memory is not what a run left."""
        file = self.state / "state.sqlite3"
        if not file.is_file():
            return
        self.doubtful = how != "delete"
        length = file.stat().st_size
        if how == "delete":
            shutil.rmtree(self.state)
        elif how == "truncate":
            os.truncate(file, int(length * place))
        elif how in {"overwrite", "zero"}:
            with file.open("r+b") as stream:
                stream.seek(int(length * place))
                stream.write((b"\xa5\x5a" if how == "overwrite" else b"\0\0") * size)
        elif how == "garbage":
            file.write_bytes(b"This is no database. " * size)
        elif how == "empty":
            file.write_bytes(b"")
        elif how == "beside":
            for path in self.state.iterdir():
                if path != file:
                    path.write_bytes(b"This is nothing. " * size)
        elif how == "newer":
            set_version(file)
        elif how == "folder":
            file.unlink()
            file.mkdir()
        else:
            shutil.rmtree(self.state)
            self.state.write_bytes(b"a file")
        self.pending += 1

    @precondition(lambda self: self.doubtful)
    @rule()
    def clear_away(self) -> None:
        """What stands where the memory would be is taken away."""
        if self.state.is_dir():
            shutil.rmtree(self.state)
        else:
            self.state.unlink(missing_ok=True)
        self.doubtful = False

    @rule(step=st.integers(1, 700), options=st.sampled_from([(), ("--full",), ("--unpublished",)]))
    def die_at_a_step(self, step: int, options: tuple[str, ...]) -> None:
        """A run is killed before it does something."""
        before = self.tree()
        self.feedpub(*self.arguments("config.yaml"), *options, die_at=step)
        self.after_death(before)

    @rule(delay=st.integers(0, 80))
    def die_after_a_time(self, delay: int) -> None:
        """A run is killed wherever it is."""
        before = self.tree()
        self.feedpub(*self.arguments("config.yaml"), delay=delay / 1000)
        self.after_death(before)

    def after_death(self, before: dict[str, bytes]) -> None:
        after = self.tree()
        for name, data in after.items():  # whole files: RSS and Atom end as XML does
            if before.get(name) != data and name.endswith((".xml", ".opml")):
                assert data.endswith((b">", b">\n")), name
        self.killed = self.doubtful = True
        self.edited &= {n for n in self.edited if after.get(n) == before.get(n)}
        self.pending += 1

    @rule(
        command=st.sampled_from(
            ["generate --dry-run --allow-empty", "generate --dry-run --full --unpublished",
             "check", "list feeds", "list records --json", "explain rss.xml"]
        )
    )  # fmt: skip
    def ask(self, command: str) -> None:
        """Questions change nothing: neither the output nor what is remembered."""
        before = stamps(self.output), self.memory()
        run = self.feedpub(*command.split())
        assert run.code in {0, 1, 2, 3}, run.text
        assert stamps(self.output) == before[0]
        if not self.killed:  # or SQLite itself ends what was begun
            assert self.memory() == before[1]

    @rule(
        options=st.sampled_from([(), ("--unpublished",)]),
        as_of=st.sampled_from(["1990-01-01", None]),
    )
    def run_unlike_others(self, options: tuple[str, ...], as_of: str | None) -> None:
        """A run of another time or with drafts; one that finds nothing usable changes nothing."""
        before = stamps(self.output)
        args = ["generate", "-q", *(("--as-of", as_of) if as_of else ()), *options]
        cut = self.killed
        run = self.feedpub(*args)
        assert run.code in {0, 1, 2}, run.text
        if run.code and not cut:
            assert stamps(self.output) == before
        if run.code == 0:
            self.settle()
        self.pending += 1

    # The law

    def arguments(self, config: str) -> list[str]:
        as_of = ["--as-of", self.as_of] if self.as_of else []
        return ["-c", config, "generate", "--allow-empty", "--jobs", self.jobs, *as_of]

    def feedpub(self, *args: str, **how: Any) -> Run:
        site = Site(self.root)
        site.hook = later(self.later)
        return site.run(*args, **how)

    def generate(self, config: str) -> Run:
        report = self.base / "report.json"
        run = self.feedpub(*self.arguments(config), *self.options, "--report", str(report))
        assert run.code in {0, 2, 3}, run.text
        self.report: dict[str, Any] = {}
        if run.code != 2:
            self.report = json.loads(report.read_bytes())
            counts = self.report["records"]
            assert counts["read"] == sum(n for key, n in counts.items() if key != "read")
        return run

    def tree(self) -> dict[str, bytes]:
        return {n: d for n, d in tree_of(self.output).items() if not n.startswith(".feedpub-")}

    def ledgers(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.root.glob("*ids.jsonl")}

    def memory(self) -> dict[str, bytes]:
        return tree_of(self.state) if self.state.is_dir() else {}

    def settle(self) -> None:
        """After a run: files that somebody changed are feedpub's again, or nobody's."""
        for name in self.edited:
            known = json.loads((self.output / ".feedpub.json").read_bytes())["files"]
            if name not in known:
                (self.output / name).unlink(missing_ok=True)
        self.edited = set()
        self.killed = False

    @invariant()
    def law(self) -> None:
        if self.pending >= self.every:
            self.compare()

    def compare(self) -> None:
        before = stamps(self.output)
        run = self.generate("config.yaml")
        report = self.report
        full = self.base / "full"
        shutil.rmtree(full, ignore_errors=True)
        options, self.options = self.options, (*{*self.options, "--full"},)
        ledgers = self.ledgers()
        reference = self.generate("full.yaml")
        assert self.ledgers() == ledgers, "what is remembered is not needed to know the ids"
        self.options = options
        assert run.code == reference.code, (run, reference)
        self.pending = 0
        if run.code == 2:  # neither was started
            assert stamps(self.output) == before
            return
        assert not (self.output / ".feedpub-staging").exists()
        self.compare_trees(tree_of(self.output), tree_of(full / "feeds"))
        self.compare_reports(report, self.report)
        self.compare_screens(run, reference)
        after = stamps(self.output)
        if not self.killed:
            for name, (when, data) in after.items():
                if before.get(name, (0, b""))[1] == data:
                    assert before[name][0] == when, f"{name} was touched"
        self.settle()
        self.doubtful &= not (self.state / "state.sqlite3").is_file()

    def compare_trees(self, mine: Mapping[str, bytes], full: Mapping[str, bytes]) -> None:
        left = {n for n in mine.keys() - full.keys() if n in self.edited}
        assert sorted(mine.keys() - left) == sorted(full)
        different = [name for name in full if mine[name] != full[name]]
        for name in different[:1]:
            assert mine[name].decode() == full[name].decode(), different

    def compare_reports(self, mine: dict[str, Any], full: dict[str, Any]) -> None:
        for report in (mine, full):
            report["notes"] = [n.replace("full.yaml", "config.yaml") for n in report["notes"]]
            report["notes"] = [n for n in report["notes"] if not self.is_expected(n)]
            feeds = report["feeds"]
            assert feeds["total"] == feeds["written"] + feeds["unchanged"]
            report["feeds"] = feeds["total"]
            del report["seconds"]
        assert mine == full

    def compare_screens(self, mine: Run, full: Run) -> None:
        # Columns are as wide as the largest number, also that of the removed feeds.
        heads = [re.sub(" +", " ", re.split(r"(?m)^Feeds ", r.out)[0]) for r in (mine, full)]
        assert heads[0] == heads[1]
        lines = [
            [line.replace("full.yaml", "config.yaml") for line in run.err.splitlines()]
            for run in (mine, full)
        ]
        said = [line for line in lines[0] if not self.is_expected(line)]
        assert said == lines[1]
        if self.doubtful:
            assert sum(bool(OF_THE_MEMORY.search(line)) for line in lines[0]) <= 1, mine.err

    def is_expected(self, text: str) -> bool:
        """Whether a message is about what befell this site since its last run, and no other."""
        return bool(
            OF_THE_LEDGER.search(text)
            or (self.killed and OF_A_CUT_RUN.search(text))
            or (self.edited and OF_A_CHANGED_FILE.search(text))
            or (self.doubtful and OF_THE_MEMORY.search(text))
        )


def set_version(file: Path) -> None:
    """Makes a cache one of a newer feedpub, unless it is damaged already."""
    with (
        contextlib.suppress(sqlite3.DatabaseError),
        contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database,
    ):
        database.execute("PRAGMA user_version = 999")


@pytest.mark.parametrize("part", range(5))
def test_histories(part: int) -> None:
    """In parts, which may run at the same time; each makes histories of its own."""
    histories = get_state_machine_test(
        History,
        settings=settings(
            max_examples=5 * SOAK,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            # No shrinking: a history takes a second, and to shorten one takes longer than CI has.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
    if settings.default and settings.default.derandomize:
        histories = seed(part)(histories)  # else all parts would make the same ones
    histories()
