"""Ids are for ever: what becomes of them when files, addresses and settings change."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import pytest

from .harness import Site, new_site, record, tree_of

SITE = "tag:example.org,2026:feeds"
OLD, NEW = "https://example.org/old/", "https://example.org/new/"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = new_site(tmp_path)
    (tmp_path / "records/good.md").unlink()
    return site


def ids(site: Site) -> dict[str, str]:
    """title → id, the same in all three formats."""
    found = {item["title"]: item["id"] for item in site.items()}
    for name in ("rss.xml", "atom.xml"):
        entries = feedparser.parse((site.feeds / name).read_bytes()).entries
        assert {entry.title: entry.id for entry in entries} == found
    return found


def ledger(site: Site) -> list[dict[str, str]]:
    path = site.root / "ids.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def forget(site: Site) -> None:
    """As in CI: nothing is remembered but what is committed."""
    shutil.rmtree(site.root / ".feedpub")


def same_from_nothing(site: Site) -> None:
    """The tree depends on records, settings and ledger alone."""
    before, lines = site.tree(), ledger(site)
    site.generate("--full")
    assert site.tree() == before
    assert ledger(site) == lines


def test_nothing_is_written_while_no_id_would_change(site: Site) -> None:
    site.write("records/a.md", record("A", f"url: {OLD}"))
    site.generate()
    site.write("records/a.md", record("A, corrected", f"url: {OLD}"))
    site.generate()
    assert not (site.root / "ids.jsonl").exists()


def test_an_address_changes(site: Site) -> None:
    site.write("records/a.md", record("A", f"url: {OLD}"))
    site.generate()
    site.write("records/a.md", record("A", f"url: {NEW}"))
    run = site.generate()
    assert ids(site) == {"A": OLD}
    assert site.items()[0]["url"] == NEW
    assert "ids.jsonl: 1 line was added" in run.text
    [line] = ledger(site)
    assert (line["id"], line["for"], line["path"]) == (OLD, NEW, "records/a.md")
    same_from_nothing(site)
    forget(site)
    site.generate()
    assert ids(site) == {"A": OLD}


def test_an_address_comes_that_was_not_there(site: Site) -> None:
    site.write("records/a.md", record("A"))
    site.generate()
    path_id = f"{SITE}/2020-01-02/a.md"
    assert ids(site) == {"A": path_id}
    site.write("records/a.md", record("A", f"url: {NEW}"))
    site.generate()
    assert ids(site) == {"A": path_id}
    same_from_nothing(site)


def test_an_id_of_its_own_is_taken_as_it_is_and_a_change_is_said(site: Site) -> None:
    site.write("records/a.md", record("A", "id: urn:x:one"))
    site.generate()
    site.write("records/a.md", record("A", "id: urn:x:two"))
    run = site.generate("-q")
    assert ids(site) == {"A": "urn:x:two"}
    assert "records/a.md: id: it changed from 'urn:x:one' to 'urn:x:two'" in run.err
    site.write("records/a.md", record("A", f"url: {NEW}"))
    site.generate()
    assert ids(site) == {"A": "urn:x:two"}, "it is kept when the record does not name it any more"
    same_from_nothing(site)


def test_a_file_is_renamed_and_moved(site: Site) -> None:
    site.write("records/a.md", record("A"))
    site.write("records/list.json", json.dumps([{"title": t, "date": "2021-01-01"} for t in "BC"]))
    site.generate()
    before = ids(site)
    (site.root / "records/deep").mkdir()
    (site.root / "records/a.md").rename(site.root / "records/deep/other.md")
    (site.root / "records/list.json").rename(site.root / "records/moved.json")
    site.generate()
    assert ids(site) == before
    same_from_nothing(site)
    # And once more, with what the ledger keeps already.
    (site.root / "records/deep/other.md").rename(site.root / "records/third.md")
    site.generate()
    assert ids(site) == before
    same_from_nothing(site)
    # What takes an old name is another item.
    site.write("records/deep/other.md", record("Another"))
    site.generate()
    after = ids(site)
    assert {title: after[title] for title in before} == before
    assert after["Another"] == f"{SITE}/2020-01-02/deep/other.md"
    same_from_nothing(site)


def test_a_new_file_under_the_first_name_of_another_does_not_take_its_id(site: Site) -> None:
    site.write("records/a.md", record("A"))
    site.generate()
    first = ids(site)["A"]
    (site.root / "records/a.md").rename(site.root / "records/b.md")
    site.generate()
    site.write("records/a.md", record("Not A"))
    site.generate()
    found = ids(site)
    assert found["A"] == first
    assert found["Not A"].startswith(f"{first}#")
    assert site.counts() == (2, 2, 0, 0, 0)
    same_from_nothing(site)
    site.write("records/a.md", record("Not A, corrected"))
    site.generate()
    assert ids(site) == {"A": first, "Not A, corrected": found["Not A"]}


def test_a_new_record_at_an_address_that_another_left_is_another_item(site: Site) -> None:
    site.write("records/a.md", record("A", f"url: {OLD}"))
    site.generate()
    site.write("records/a.md", record("A"))
    site.generate()
    site.write("records/b.md", record("B", f"url: {OLD}", date="2021-01-01"))
    forget(site)
    site.generate()
    found = ids(site)
    assert found["A"] == OLD
    assert found["B"].startswith(f"{OLD}#")
    same_from_nothing(site)


def test_the_seed_of_ids_changes(site: Site) -> None:
    site.write("records/a.md", record("A"))
    site.generate()
    before = ids(site)
    site.configure(SITE, "tag:example.org,2030:other")
    site.generate()
    assert ids(site) == before
    same_from_nothing(site)


@pytest.mark.parametrize("state", ["kept", "lost"])
def test_what_is_overwritten_every_day_is_a_new_item_each_day(site: Site, state: str) -> None:
    site.configure("records: [records]", "records: [records]\nids: {record: all}")
    seen = set()
    for day in range(1, 4):
        for url in ("", f"url: https://example.org/{day}/"):
            lines = [url] if url else []
            name = "records/page.md" if url else "records/today.md"
            site.write(name, record(f"Day {day}", *lines, date=f"2020-01-0{day}"))
        site.generate()
        if state == "lost":
            forget(site)
        seen.update(item["id"] for item in site.items())
    assert len(seen) == 6


def test_a_list_that_grows_at_its_head_makes_new_items(site: Site) -> None:
    stories = [{"title": f"Story {n}", "date": f"2020-01-0{n}"} for n in range(1, 6)]
    known: dict[str, str] = {}
    for n in range(1, 6):
        site.write("records/list.json", json.dumps(stories[:n][::-1]))
        site.generate()
        now = ids(site)
        assert {title: now[title] for title in known} == known
        assert len(set(now.values())) == n
        known = now
    assert ledger(site) == []


def test_a_copy_is_another_item(site: Site) -> None:
    site.write("records/a.md", record("A"))
    site.generate()
    site.write("records/b.md", record("A"))
    site.generate()
    assert {item["id"] for item in site.items()} == {
        f"{SITE}/2020-01-02/{n}.md" for n in ("a", "b")
    }


def test_an_id_that_another_record_has_is_not_given_away(site: Site) -> None:
    site.write("records/a.md", record("A", f"url: {OLD}"))
    site.write("records/b.md", record("B", "url: https://example.org/b/"))
    site.generate()
    # They change places.
    site.write("records/a.md", record("A", "url: https://example.org/b/"))
    site.write("records/b.md", record("B", f"url: {OLD}"))
    site.generate()
    assert len(set(ids(site).values())) == 2
    same_from_nothing(site)


def test_an_address_that_came_free_is_another_items(site: Site) -> None:
    site.write("records/a.md", record("A", f"url: {OLD}"))
    site.generate()
    site.write("records/a.md", record("A", f"url: {NEW}"))
    site.generate()
    site.write("records/a.md", record("A", f"url: {OLD}"))
    site.write("records/b.md", record("B", f"url: {NEW}"))
    site.generate()
    assert ids(site) == {"A": OLD, "B": NEW}
    same_from_nothing(site)


def test_a_draft_may_change_as_it_likes(site: Site) -> None:
    site.write("records/a.md", record("A", f"url: {OLD}", "draft: true"))
    site.write("records/b.md", record("B"))
    site.generate()
    site.write("records/a.md", record("A", f"url: {NEW}"))
    site.generate()
    assert ids(site)["A"] == NEW
    assert ledger(site) == []


# --- record: all ------------------------------------------------------


@pytest.fixture
def all_recorded(site: Site) -> Site:
    site.configure("records: [records]", "records: [records]\nids: {record: all}")
    site.write("records/a.md", record("A", f"url: {OLD}"))
    site.write("records/b.md", record("B"))
    site.write("records/c.md", record("C", "id: urn:x:c"))
    site.write("records/later.md", record("Later", date="2200-01-01"))
    site.write("records/draft.md", record("Draft", "draft: true"))
    site.generate()
    return site


def test_all_ids_are_taken_down_when_they_are_published(all_recorded: Site) -> None:
    site = all_recorded
    assert {line["id"] for line in ledger(site)} == set(ids(site).values())
    assert all(line.keys() == {"id", "path", "published", "content"} for line in ledger(site))
    before = (site.root / "ids.jsonl").read_bytes()
    site.generate()
    site.generate("--full")
    assert (site.root / "ids.jsonl").read_bytes() == before
    site.generate("--as-of", "2201-01-01")
    after = (site.root / "ids.jsonl").read_bytes()
    assert after.startswith(before)
    assert [line["path"] for line in ledger(site)][3:] == ["records/later.md"]


def test_with_all_recorded_nothing_need_be_remembered(all_recorded: Site) -> None:
    site = all_recorded
    before = ids(site)
    forget(site)
    site.write("records/a.md", record("A", f"url: {NEW}"))
    (site.root / "records/b.md").rename(site.root / "records/moved.md")
    site.write("records/c.md", record("C", "url: https://example.org/c/"))
    site.generate()
    assert ids(site) == before
    same_from_nothing(site)
    forget(site)
    site.write("records/moved.md", record("B", "url: https://example.org/b/"))
    site.generate()
    assert ids(site) == before
    same_from_nothing(site)


def test_freeze_does_it_once(site: Site) -> None:
    site.write("records/a.md", record("A", f"url: {OLD}"))
    site.write("records/b.md", record("B"))
    site.generate()
    before, tree = ids(site), tree_of(site.root / ".feedpub")
    run = site.run("ids", "freeze")
    assert (run.code, run.out) == (0, "2 ids were added to ids.jsonl\n")
    assert tree_of(site.root / ".feedpub") == tree
    assert site.run("ids", "freeze").out == "ids.jsonl has all ids\n"
    forget(site)
    site.write("records/a.md", record("A", f"url: {NEW}"))
    (site.root / "records/b.md").rename(site.root / "records/moved.md")
    site.generate()
    assert ids(site) == before


# --- import -----------------------------------------------------------

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><link>https://example.org/
</link><description>D</description>
<item><title>A</title><link>http://www.example.org/old?utm_source=rss</link>
<guid isPermaLink="false">42 at https://example.org</guid></item>
<item><title>B</title><link>https://example.org/b/</link></item>
<item><title>Gone</title><link>https://example.org/gone/</link><guid>https://example.org/gone/</guid>
</item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.org/"><id>x</id>
<title>T</title><updated>2020-01-01T00:00:00Z</updated>
<entry><id>urn:uuid:1</id><title>A</title><link href="/old/"/>
<updated>2020-01-01T00:00:00Z</updated></entry></feed>"""
JSON = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "T",
    "items": [{"id": 7, "url": "https://example.org/old/#top", "content_text": ""}],
}


@pytest.mark.parametrize(
    ("feed", "expected"),
    [(RSS, "42 at https://example.org"), (ATOM, "urn:uuid:1"), (json.dumps(JSON), "7")],
    ids=["rss", "atom", "json"],
)
def test_ids_of_another_tools_feed_are_taken_over(site: Site, feed: str, expected: str) -> None:
    site.configure("records: [records]", "records: [{path: records, link: '/{slug}/'}]")
    site.write("records/old.md", record("A"))
    site.write("records/b.md", record("B", "url: https://example.org/b/"))
    site.write("other.xml", feed)
    dry = site.run("ids", "import", "other.xml", "--dry-run")
    assert dry.code == 0, dry.text
    assert expected in dry.out
    assert ledger(site) == []
    run = site.run("ids", "import", "other.xml")
    assert run.code == 0, run.text
    assert "1 ids imported into ids.jsonl" in run.out
    site.generate()
    found = {item["title"]: item["id"] for item in site.items()}
    assert found == {"A": expected, "B": "https://example.org/b/"}
    again = site.run("ids", "import", "other.xml")
    assert "0 ids imported" in again.out
    assert len(ledger(site)) == 1
    # It is known again by its name and date, and keeps the id.
    site.write("records/old.md", record("A", f"url: {NEW}"))
    site.generate()
    assert {item["title"]: item["id"] for item in site.items()}["A"] == expected
    same_from_nothing(site)


def test_what_cannot_be_taken_over_is_named(site: Site) -> None:
    site.write("records/a.md", record("A", "id: urn:x:own", f"url: {OLD}"))
    site.write("other.xml", RSS)
    run = site.run("ids", "import", "other.xml")
    assert run.code == 0
    assert "records/a.md: its key id is urn:x:own; change it to 42" in run.err
    assert "no record matches https://example.org/gone/" in run.err
    assert ledger(site) == []


def test_an_id_that_is_no_address_is_taken_over_as_the_other_tool_wrote_it(site: Site) -> None:
    """It published `post-7`, where feedpub would put the site's own id before that."""
    site.write("records/a.md", record("A", "id: post-7", f"url: {OLD}"))
    site.write("other.json", json.dumps({"items": [{"id": "post-7", "url": OLD}]}))
    assert site.run("ids", "import", "other.json").code == 0
    site.generate()
    assert [item["id"] for item in site.items()] == ["post-7"]
    atom = feedparser.parse((site.feeds / "atom.xml").read_bytes())
    assert [entry.id for entry in atom.entries] == [f"{SITE}/post-7"]
    same_from_nothing(site)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<html><body>A page</body></html>", "not an RSS, Atom or JSON feed"),
        ("", "not an RSS, Atom or JSON feed"),
        ("{}", "not a JSON Feed"),
        ('{"items": 3}', "not a JSON Feed"),
    ],
)
def test_what_is_no_feed_ends_with_1(site: Site, content: str, said: str) -> None:
    site.write("records/a.md", record("A"))
    site.write("other.xml", content)
    run = site.run("ids", "import", "other.xml")
    assert run.code == 1
    assert said in run.err


class _Pages(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Not on the screen of the tests."""


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("served")
    handler = functools.partial(_Pages, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_feed_at_an_address_is_read_with_its_further_pages(
    site: Site, served: tuple[Path, str]
) -> None:
    folder, url = served
    for n in range(1, 4):
        site.write(f"records/{n}.md", record(f"T{n}", f"url: https://example.org/{n}/"))
        following = f'<link rel="next" href="page{n + 1}.xml"/>' if n < 3 else ""
        entry = f'<entry><id>urn:x:{n}</id><link href="https://example.org/{n}"/></entry>'
        (folder / f"page{n}.xml").write_text(
            f'<feed xmlns="http://www.w3.org/2005/Atom">{following}{entry}</feed>'
        )
    run = site.run("ids", "import", f"{url}page1.xml")
    assert run.code == 0, run.text
    site.generate()
    assert ids(site) == {f"T{n}": f"urn:x:{n}" for n in range(1, 4)}
    assert site.run("ids", "import", f"{url}none.xml").code == 1
    refused = site.run("ids", "import", "http://127.0.0.1:9/feed.xml")
    assert refused.code == 1
    assert "refuses the connection" in refused.err


# --- The ledger as a file ---------------------------------------------


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of its own, which is full as soon as one wants it to be."""
    if os.getuid():
        pytest.skip("only root can mount a tiny disk")
    folder = tmp_path_factory.mktemp("disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no tiny disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leaves no room, not even in the last page of the ledger."""
    ledger = disk / "i"
    ledger.write_text(json.dumps({"id": "x" * 4060, "for": "y"}) + "\n" * 2)
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def changed(site: Site) -> None:
    """A site of which an id is about to change."""
    site.write("records/a.md", record("A", f"url: {OLD}"))
    site.generate()
    site.write("records/a.md", record("A", f"url: {NEW}"))


def test_a_ledger_that_cannot_be_written_ends_the_run_before_the_tree_is_touched(
    site: Site,
) -> None:
    site.configure("records: [records]", "records: [records]\nids: {ledger: deep/ids.jsonl}")
    changed(site)
    before = site.tree()
    site.write("deep", "a file where a folder is wanted")
    run = site.generate(code=1)
    assert "deep/ids.jsonl: cannot be written" in run.err
    assert site.tree() == before
    (site.root / "deep").unlink()
    site.generate()
    assert ids(site) == {"A": OLD}
    assert (site.root / "deep/ids.jsonl").exists()


def test_a_full_disk_leaves_no_half_a_line(site: Site, small_disk: Path) -> None:
    site.configure("records: [records]", f"records: [records]\nids: {{ledger: {small_disk}/i}}")
    changed(site)
    fill(small_disk)
    before, lines = site.tree(), (small_disk / "i").read_bytes()
    run = site.generate(code=1)
    assert "cannot be written (No space left on device)" in run.err
    assert site.tree() == before
    assert (small_disk / "i").read_bytes() == lines


def test_a_ledger_that_is_no_file_is_refused(site: Site) -> None:
    changed(site)
    os.mkfifo(site.root / "ids.jsonl")
    assert "ids.jsonl: is not a regular file" in site.generate(code=1).err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"<<<<<<< HEAD\n", "keep the lines of both sides"),
        (b"{]\n", "not a JSON object"),
        (b'{"id": ""}\n', "needs an id"),
        (b'{"id": "a", "path": 3}\n', "strings"),
        (b'{"id": "a", "published": "yesterday"}\n', "not a time like"),
    ],
)
def test_a_line_that_is_none_is_named_and_nothing_is_published(
    site: Site, line: bytes, said: str
) -> None:
    site.write("records/a.md", record("A"))
    site.write("ids.jsonl", b'{"id": "x", "for": "y"}\n' + line + b'{"id": "z"}\n')
    run = site.generate(code=1)
    assert "ids.jsonl:2: " in run.err
    assert said in run.err
    assert not site.feeds.exists() or not site.tree()
    assert site.run("explain", "records/a.md").code == 1


def test_a_line_that_was_cut_is_as_if_never_written(site: Site) -> None:
    changed(site)
    site.write("ids.jsonl", '{"id": "x", "for": "y"}\n{"id": "ha')
    site.generate()
    assert [line["id"] for line in ledger(site)] == ["x", OLD]


def test_a_last_line_without_an_end_counts(site: Site) -> None:
    changed(site)
    site.write("ids.jsonl", '{"id": "x", "for": "y"}')
    site.generate()
    assert [line["id"] for line in ledger(site)] == ["x", OLD]


def test_the_ledger_is_no_list_of_records(tmp_path: Path) -> None:
    site = new_site(tmp_path)
    site.configure("records: [records]", "records: ['records', '*.jsonl']")
    site.write("more.jsonl", json.dumps({"title": "M", "date": "2020-01-01"}))
    changed(site)
    site.generate()
    assert site.counts()[0] == 3
    site.generate()
    assert site.counts()[0] == 3


def test_a_dry_run_writes_no_ledger(site: Site) -> None:
    changed(site)
    site.generate("--dry-run")
    assert ledger(site) == []


def test_explain_says_where_an_id_comes_from(site: Site) -> None:
    changed(site)
    site.generate()
    said = site.run("explain", "records/a.md").out
    assert OLD in said
    assert f"ids.jsonl; without it: {NEW}, from webUrl" in said
    assert site.run("explain", NEW).out == said
    feed = site.run("explain", "rss.xml").out
    assert f"id        {SITE}" in feed
    assert "site.id and the feed's path" in feed


def test_the_ledger_is_not_published(site: Site) -> None:
    site.write("records/a.md", record("A"))
    site.configure("records: [records]", "records: [records]\nids: {ledger: feeds/ids.jsonl}")
    run = site.generate(code=2)
    assert "ids.ledger" in run.err


def test_a_mistyped_command_is_answered(site: Site) -> None:
    run = site.run("ids", "inport", "x")
    assert run.code == 2
    assert "import" in run.err
