"""What a user notices of the memory between runs: next to nothing, and never other feeds for it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .harness import CONFIG, GOOD, Run, Site, front, new_site, record, stamps, tree_of
from .test_incremental_stateful import later
from .test_run import would

LATER = later(3600)  # a file that was written this very moment may be trusted less
OF_THE_STATE = re.compile(r"state|\.feedpub\b|remember")


def state_of(site: Site) -> Path:
    """The file that holds the memory."""
    return site.root / ".feedpub/state.sqlite3"


def whole_report(site: Site) -> dict[str, Any]:
    """The last report, but for what may differ between two runs of the same records."""
    report = site.report()
    del report["seconds"]
    report["feeds"] = report["feeds"]["total"]
    return report


def fresh_tree(site: Site, root: Path) -> dict[str, bytes]:
    """What the site's records give where nothing was before."""
    shutil.rmtree(root, ignore_errors=True)
    fresh = site.copy(root, "feeds", ".feedpub", "report.json")
    fresh.generate("-q")
    return fresh.tree()


@pytest.fixture
def varied(tmp_path: Path) -> Site:
    """A site with something of everything that a report counts."""
    site = new_site(tmp_path / "site")
    site.write("config.yaml", CONFIG + "taxonomy: {topics: terms}\nfeeds: {items: 3}\n")
    site.write("terms/news.md", front("name: News", "parent: World"))
    for n in range(8):
        topics = f"topics: [News, T{n % 3}]"
        site.write(f"records/{n}.md", record(f"Title {n}", topics, date=f"2020-01-0{n + 1}"))
    site.write("records/list.jsonl", '{"title": "L", "date": "2021-01-01", "id": "l"}\n' * 2)
    site.write("records/draft.md", record("Draft", "draft: true"))
    site.write("records/bad.md", front("title: No date"))
    site.write("records/mended.md", record("Mended", "provider: 3"))
    site.write("records/web.md", record("Web", "originalUrl: https://p.example/web", "tags: [Web]"))
    site.hook = LATER
    return site


@pytest.fixture
def clean(tmp_path: Path) -> Site:
    """A site with nothing to be said of it, after its first run."""
    site = new_site(tmp_path / "site")
    for n in range(30):
        site.write(f"records/{n}.md", record(f"Title {n}", f"topics: [T{n % 5}]"))
    site.hook = LATER
    assert site.generate().err == ""
    return site


# --- Nothing changed --------------------------------------------------


def test_a_run_leaves_a_memory(clean: Site) -> None:
    assert state_of(clean).is_file()
    assert b"T3" not in b"".join(path.encode() for path in tree_of(clean.root / ".feedpub"))
    assert {n.partition("-")[0] for n in tree_of(clean.root / ".feedpub")} <= {
        "state.sqlite3", "state.stamp", ".gitignore", "CACHEDIR.TAG",
    }  # fmt: skip


@pytest.mark.parametrize("args", [(), ("--full",), ("--jobs", "1")])
def test_nothing_changed(varied: Site, args: tuple[str, ...]) -> None:
    first = varied.generate()
    report = whole_report(varied)
    before = stamps(varied.feeds)
    second = varied.generate(*args)
    assert stamps(varied.feeds) == before
    feeds = varied.report()["feeds"]
    assert feeds == {
        "total": feeds["total"], "written": 0, "unchanged": feeds["total"], "removed": 0,
    }  # fmt: skip
    assert whole_report(varied) == report
    assert second.err == first.err
    assert second.out.partition("Feeds")[0] == first.out.partition("Feeds")[0]


def test_what_is_wrong_is_said_each_time(varied: Site) -> None:
    first = varied.run("generate", "-q")
    assert "records/bad.md:" in first.err
    assert "records/mended.md:" in first.err
    for _ in range(2):
        assert varied.run("generate", "-q") == first
    assert varied.run("generate", "-q", "--strict").code == 3
    assert varied.run("generate", "-q", "--strict").code == 3


def test_many_records_are_counted_again(site: Site) -> None:
    for n in range(2000):
        draft = ["draft: true"] if n % 40 == 1 else []
        good = record(f"Title {n}", f"id: {n % 1900}", f"topics: [T{n % 9}]", "provider: P", *draft)
        site.write(f"records/{n % 7}/{n}.md", good if n % 50 else "no record\n")
    first = site.generate("--jobs", "3")
    report = whole_report(site)
    assert report["records"]["problems"] == 40
    assert report["records"]["duplicates"] > 90
    before = stamps(site.feeds)
    for jobs in ("3", "1"):
        again = site.generate("--jobs", jobs)
        assert (again.err, whole_report(site)) == (first.err, report)
        assert stamps(site.feeds) == before
    site.write("records/1/8.md", record("Another", "topics: [T1]"))
    site.generate("-q", "--jobs", "3")
    tree = site.tree()
    site.generate("-q", "--full", "--jobs", "1")
    assert site.tree() == tree


def test_time_alone_brings_a_record_in_and_takes_it_out(clean: Site) -> None:
    clean.write("records/later.md", record("Later", "topics: [Later]", date="2024-05-05"))
    for as_of, there in (("2024-05-04", False), ("2024-05-06", True), ("2023-01-01", False)):
        clean.generate("--as-of", as_of)
        assert ("topics/later/rss.xml" in clean.tree()) == there
        assert clean.report()["left_out"] == ({} if there else {"future": 1})


def test_drafts_come_and_go_with_the_option(clean: Site) -> None:
    clean.generate("-q")
    before = clean.tree()
    clean.write("records/draft.md", record("Draft", "draft: true", "topics: [Secret]"))
    for option, there in ((), False), (("--unpublished",), True), ((), False):
        clean.generate(*option)
        assert ("topics/secret/rss.xml" in clean.tree()) == there
    assert clean.tree() == before


# --- A memory that cannot be used -------------------------------------


def delete(state: Path) -> None:
    shutil.rmtree(state.parent)


def empty(state: Path) -> None:
    state.write_bytes(b"")


def truncate(state: Path) -> None:
    os.truncate(state, state.stat().st_size // 2)


def cut_off_the_head(state: Path) -> None:
    state.write_bytes(state.read_bytes()[50:])


def overwrite_the_middle(state: Path) -> None:
    with state.open("r+b") as file:
        file.seek(state.stat().st_size // 3)
        file.write(b"\xa5" * (state.stat().st_size // 3))


def fill_with_garbage(state: Path) -> None:
    state.write_bytes(b"This is no database.\n" * 1000)


def make_newer(state: Path) -> None:
    with contextlib.closing(sqlite3.connect(state)) as database:
        database.execute("PRAGMA user_version = 999")


def make_another_database(state: Path) -> None:
    state.unlink()
    with contextlib.closing(sqlite3.connect(state)) as database:
        database.execute("PRAGMA user_version = 1")
        database.execute("CREATE TABLE record (mine TEXT)")
        database.execute("CREATE TABLE files (mine TEXT)")
        database.commit()


def take_out_tables(state: Path) -> None:
    with contextlib.closing(sqlite3.connect(state)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master "
                 "WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]  # fmt: skip
        for name in names[1:]:
            database.execute(f'DROP TABLE "{name}"')
        database.commit()


def make_folder(state: Path) -> None:
    state.unlink()
    state.mkdir()
    (state / "mine.txt").write_text("mine")


def make_file(state: Path) -> None:
    shutil.rmtree(state.parent)
    state.parent.write_text("mine")


def assert_told(run: Run) -> None:
    """One line, about the memory."""
    assert run.code == 0
    [line] = run.err.splitlines()
    assert OF_THE_STATE.search(line), line
    assert len(line) < 300


QUIET = [delete]
LOUD = [
    empty, truncate, cut_off_the_head, overwrite_the_middle, fill_with_garbage, make_newer,
    make_another_database, take_out_tables,
]  # fmt: skip
IN_THE_WAY = [make_folder, make_file]


@pytest.mark.parametrize("damage", [*QUIET, *LOUD, *IN_THE_WAY])
@pytest.mark.parametrize("changed", [False, True], ids=["same records", "changed records"])
def test_a_memory_that_cannot_be_used(
    clean: Site, tmp_path: Path, damage: Callable[[Path], None], changed: bool
) -> None:
    damage(state_of(clean))
    if changed:
        clean.write("records/3.md", record("Changed", "topics: [T1, New]"))
        (clean.root / "records/4.md").unlink()
    before = stamps(clean.feeds)
    run = clean.generate()
    if damage in QUIET:  # safe to delete: as on the first day
        assert run.err == ""
    else:
        assert_told(run)
    assert clean.tree() == fresh_tree(clean, tmp_path / "fresh")
    assert changed or stamps(clean.feeds) == before
    again = clean.generate()
    if damage in IN_THE_WAY:
        assert_told(again)
    else:
        assert again.err == ""


def test_what_is_in_the_way_of_a_memory_is_left_alone(clean: Site) -> None:
    make_folder(state_of(clean))
    clean.generate()
    assert (state_of(clean) / "mine.txt").read_text() == "mine"
    make_file(state_of(clean))
    clean.generate()
    assert (clean.root / ".feedpub").read_text() == "mine"


@pytest.mark.parametrize("damage", [*LOUD, *IN_THE_WAY])
def test_a_dry_run_with_a_memory_that_cannot_be_used(
    clean: Site, damage: Callable[[Path], None]
) -> None:
    damage(state_of(clean))
    before = stamps(clean.root)
    run = clean.run("generate", "--dry-run")
    assert_told(run)
    assert stamps(clean.root) == before
    assert "would" not in run.out


@pytest.mark.parametrize("damage", LOUD)
def test_questions_do_not_need_the_memory(clean: Site, damage: Callable[[Path], None]) -> None:
    asked = (("check",), ("list", "records"), ("list", "feeds", "--json"), ("explain", "topics/t1"))
    before = [clean.run(*command).out for command in asked]
    damage(state_of(clean))
    files = stamps(clean.root)
    runs = [clean.run(*command) for command in asked]
    assert [run.out for run in runs] == before
    assert {run.code for run in runs} == {0}
    assert stamps(clean.root) == files


def test_a_memory_that_may_not_be_written(clean: Site, unprivileged: list[str]) -> None:
    folder = clean.root / ".feedpub"
    for path in (*folder.iterdir(), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        clean.write("records/3.md", record("Changed", "topics: [T1, New]"))
        assert_told(clean.generate(prefix=unprivileged))
        assert "topics/new/rss.xml" in clean.tree()
        clean.write("records/3.md", record("Again", "topics: [T1, Newer]"))
        assert_told(clean.generate(prefix=unprivileged))
        assert "topics/newer/rss.xml" in clean.tree()
        assert "topics/new/rss.xml" not in clean.tree()
    finally:
        folder.chmod(0o755)
    tree = clean.tree()
    clean.generate("-q")
    assert clean.tree() == tree


def test_a_memory_that_may_not_be_read(clean: Site, unprivileged: list[str]) -> None:
    state_of(clean).chmod(0)
    clean.write("records/3.md", record("Changed", "topics: [T1, New]"))
    assert_told(clean.generate(prefix=unprivileged))
    assert "topics/new/rss.xml" in clean.tree()


@pytest.mark.parametrize("place", ["records/good.md/state", "/dev/null/state", "records/good.md"])
def test_a_place_where_no_memory_can_be(site: Site, tmp_path: Path, place: str) -> None:
    site.generate("-q")
    tree = site.tree()
    site.write("config.yaml", CONFIG + f"state: {place}\n")
    for _ in range(2):
        assert_told(site.generate())
        assert site.tree() == tree
    assert (site.root / "records/good.md").read_text() == GOOD


@pytest.mark.parametrize("place", ["memory/of/this", ".", "records/.state", "../outside"])
def test_a_memory_elsewhere(site: Site, place: str) -> None:
    site.write("config.yaml", CONFIG + f"state: {place}\n")
    for title in ("One", "Two"):
        site.write("records/a.md", record(title))
        assert site.generate().err == ""
        assert title in site.titles()
    assert (site.root / place / "state.sqlite3").is_file()
    assert not (site.root / ".feedpub").exists()


def test_a_memory_of_another_site(clean: Site, tmp_path: Path) -> None:
    other = new_site(tmp_path / "other")
    other.configure("Test site", "Other site")
    for n in range(30):
        other.write(f"records/{n}.md", record(f"Other {n}", f"topics: [O{n % 5}]"))
    other.generate("-q")
    tree = clean.tree()
    shutil.copytree(other.root / ".feedpub", clean.root / ".feedpub", dirs_exist_ok=True)
    before = stamps(clean.feeds)
    assert len(clean.generate().err.splitlines()) <= 1
    assert stamps(clean.feeds) == before
    shutil.copytree(other.root / ".feedpub", clean.root / ".feedpub", dirs_exist_ok=True)
    shutil.rmtree(clean.feeds)
    clean.generate("-q")
    assert clean.tree() == tree


def test_two_configurations_with_one_memory(clean: Site, tmp_path: Path) -> None:
    config = (clean.root / "config.yaml").read_text().replace("Test site", "Other title")
    clean.write("other.yaml", config + "output: other\nfeeds: {items: 2, topic_providers: true}\n")
    for n in range(3):
        clean.write("records/3.md", record(f"Changed {n}", f"topics: [T{n}]", "provider: P"))
        clean.run("generate", "-q")
        # Nobody would learn otherwise that each run does the full work, for years.
        run = clean.run("-c", "other.yaml", "generate", "-q")
        assert_told(run)
        assert "another configuration" in run.err
        assert clean.tree() == fresh_tree(clean, tmp_path / "fresh")
        fresh = clean.copy(tmp_path / f"fresh {n}", "feeds", "other", ".feedpub")
        fresh.run("-c", "other.yaml", "generate", "-q")
        assert tree_of(clean.root / "other") == tree_of(fresh.root / "other") != {}


def test_a_record_that_is_changed_between_its_reading_and_its_rendering(clean: Site) -> None:
    """A list is read again for its items; what became a draft meanwhile must not come along."""
    both = '{{"title": "{}", "date": "2020-02-0{}", "id": "{}", "draft": {}}}\n'
    first, second = both.format("One", 1, 1, "false"), both.format("Two", 2, 2, "false")
    path = clean.write("records/l.jsonl", first + second)
    clean.generate("-q")
    clean.write("records/new.md", record("New", date="2020-02-03"))
    # The feed of all is made anew, so the list is read again: at that moment it has changed.
    draft = both.format("Draft", 9, 9, "true") + first + second
    clean.hook = f"""{LATER}
import sys
from pathlib import Path
def hook(event, args):
    if event == "open" and str(args[0]) == {str(path)!r} and not hook.done:
        hook.done = True
        Path({str(path)!r}).write_text({draft!r})
hook.done = False
sys.addaudithook(hook)
"""
    clean.generate("-q", "--jobs", "1")
    clean.hook = LATER
    tree = clean.tree()
    assert clean.titles("")[:3] == ["New", "Two", "One"]
    clean.generate("-q")
    assert clean.tree() == tree


def test_a_glob_beside_a_readme(site: Site, tmp_path: Path) -> None:
    site.write("config.yaml", CONFIG.replace("[records]", '["records/**"]'))
    site.write("records/README.md", record("No record"))
    for n in range(3):
        site.write("records/a.md", record(f"A {n}"))
        assert site.generate().err == ""
        assert site.tree() == fresh_tree(site, tmp_path / "fresh")
    (site.root / "records/a.md").unlink()
    site.generate("-q")
    assert site.titles("") == ["Good one"]


def test_records_that_are_gone_with_the_feeds(clean: Site) -> None:
    """An unmounted disk, whatever became of the manifest."""
    shutil.rmtree(clean.feeds)
    shutil.rmtree(clean.root / "records")
    (clean.root / "records").mkdir()
    run = clean.run("generate", "-q")
    assert run.code == 1
    assert "unmounted" in run.err
    assert clean.run("generate", "-q", "--allow-empty").code == 0


def test_a_full_disk_below_the_memory(site: Site, tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("only root can mount a tiny disk")
    folder = site.root / ".feedpub"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no tiny disk can be mounted here: {done.stderr.strip()}")
    try:
        # Its cache is small, so the disk is full before all is in.
        site.hook = "import feedpub.store.opening as o; o._LOADING_CACHE = 10"
        for title in ("First", "Second"):
            lines = [
                json.dumps(
                    {"title": f"{title} {n}", "date": "2020-01-01", "id": f"{n}" + "x" * 500}
                )
                for n in range(2000)
            ]
            site.write("records/list.jsonl", "\n".join(lines))
            run = site.run("generate", "-q")
            assert_told(run)
            assert "is full" in run.err
            assert site.tree() == fresh_tree(site, tmp_path / "fresh")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_an_older_memory_beside_newer_feeds(clean: Site) -> None:
    """As a cache of CI brings it back, where the feeds are in the repository."""
    before = (clean.root / "records/3.md").read_bytes()
    shutil.copytree(clean.root / ".feedpub", clean.root / "cache")
    old = clean.tree()
    clean.write("records/3.md", record("Changed", "topics: [New]"))
    clean.generate("-q")
    new = clean.tree()
    for content, tree in ((before, old), (None, new)):
        shutil.rmtree(clean.root / ".feedpub")
        shutil.copytree(clean.root / "cache", clean.root / ".feedpub")
        clean.write("records/3.md", content or record("Changed", "topics: [New]"))
        clean.generate("-q")
        assert clean.tree() == tree


def test_older_feeds_beside_a_newer_memory(clean: Site) -> None:
    """As `git checkout` brings them back."""
    shutil.copytree(clean.feeds, clean.root / "old")
    clean.write("records/3.md", record("Changed", "topics: [New]"))
    clean.generate("-q")
    new = clean.tree()
    shutil.rmtree(clean.feeds)
    shutil.copytree(clean.root / "old", clean.feeds)
    clean.generate("-q")
    assert clean.tree() == new


def test_feeds_that_are_gone(clean: Site) -> None:
    tree = clean.tree()
    shutil.rmtree(clean.feeds)
    clean.generate("-q")
    assert clean.tree() == tree
    (clean.feeds / "topics/t1/rss.xml").unlink()
    (clean.feeds / "rss.xml").write_text("damaged")
    (clean.feeds / "feeds.opml").unlink()
    clean.generate("-q")
    assert clean.tree() == tree


def test_full_makes_the_memory_anew(clean: Site) -> None:
    tree = clean.tree()
    fill_with_garbage(state_of(clean))
    clean.generate("--full")
    assert state_of(clean).read_bytes()[:15] == b"SQLite format 3"
    assert clean.tree() == tree
    run = clean.generate()
    assert run.err == ""
    assert clean.report()["feeds"]["written"] == 0


def test_a_run_that_stopped_is_not_taken_for_one_that_ended(clean: Site) -> None:
    shutil.copytree(clean.root / "records", clean.root / "kept")
    changed = clean.write("kept/3.md", record("Changed", "topics: [T1, New]")).read_bytes()
    before = clean.tree()
    for path in (clean.root / "records").iterdir():
        path.unlink()
    assert clean.run("generate").code == 1
    assert clean.tree() == before
    for path in (clean.root / "kept").iterdir():
        shutil.copy(path, clean.root / "records")
    clean.write("feeds/topics/new/rss.xml", "mine")
    assert clean.run("generate").code == 1  # it is in the way
    assert {n: d for n, d in clean.tree().items() if "/new/" not in n} == before
    (clean.feeds / "topics/new/rss.xml").unlink()
    clean.generate("-q")
    assert b"Changed" in clean.tree()["topics/new/rss.xml"]
    assert b"Changed" in clean.tree()["topics/t1/rss.xml"]
    assert (clean.root / "records/3.md").read_bytes() == changed


def test_nothing_secured_is_remembered(site: Site) -> None:
    secret = ("secured: s3cret", "mine: {a: [s3cret]}", "password: s3cret")
    site.write("records/a.md", record("A", *secret))
    more = {"title": "B", "date": "2020-01-01", "secured": {"a": "s3cret"}}
    site.write("records/b.jsonl", json.dumps(more))
    site.generate("-q")
    assert b"s3cret" not in b"".join(tree_of(site.root / ".feedpub").values())


# --- Dry runs ---------------------------------------------------------


def edit_something(site: Site) -> None:
    site.write("records/3.md", record("Changed", "topics: [T1, New]"))


def remove_something(site: Site) -> None:
    for n in range(3, 30, 5):
        (site.root / f"records/{n}.md").unlink()


def configure_something(site: Site) -> None:
    site.configure("Test site", "Another title")


def lose_something(site: Site) -> None:
    (site.feeds / "topics/t2/atom.xml").unlink()


@pytest.mark.parametrize(
    "change", [edit_something, remove_something, configure_something, lose_something]
)
@pytest.mark.parametrize("args", [(), ("--full",)])
def test_a_dry_run_changes_nothing_and_says_what_would(
    clean: Site, change: Callable[[Site], None], args: tuple[str, ...]
) -> None:
    clean.generate("-q")
    change(clean)
    before = stamps(clean.root)
    names = sorted(clean.root.rglob("*"))
    runs = [clean.run("generate", "--dry-run", *args) for _ in range(2)]
    assert stamps(clean.root) == before
    assert sorted(clean.root.rglob("*")) == names
    old = clean.tree()
    clean.generate("-q")
    new = clean.tree()
    for run in runs:
        assert would(run.out, "remove") == old.keys() - new.keys()
        changed = {name for name in new if old.get(name) != new[name]} - {".feedpub.json"}
        assert would(run.out, "write") == changed != set()
    assert "would" not in clean.run("generate", "--dry-run", *args).out


@pytest.mark.parametrize(
    "command", ["check", "list topics", "list feeds --json", "list records", "explain topics/t1"]
)
def test_questions_change_nothing(clean: Site, command: str) -> None:
    edit_something(clean)
    before = stamps(clean.root)
    names = sorted(clean.root.rglob("*"))
    assert clean.run(*command.split()).code == 0
    assert stamps(clean.root) == before
    assert sorted(clean.root.rglob("*")) == names


# --- What is seen of a change -----------------------------------------


def test_a_record_that_moves_keeps_its_place_in_the_feeds(varied: Site) -> None:
    varied.generate("-q")
    before = stamps(varied.feeds)
    path = varied.root / "records/web.md"
    for name in ("records/other.md", "records/below/other.md", "records/below/deep/x.md"):
        new = varied.root / name
        new.parent.mkdir(parents=True, exist_ok=True)
        path = path.rename(new)
        varied.generate("-q")
        assert stamps(varied.feeds) == before
        assert varied.report()["feeds"]["written"] == 0
    assert "Web" in varied.titles("topics/web")


def edit_in_place(path: Path, old: str, new: str) -> None:
    """Other bytes of the same number; the time is what it was."""
    before = path.stat()
    data = path.read_bytes().replace(old.encode(), new.encode())
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert after.st_ino == before.st_ino


NOW_AND_LATER = pytest.mark.parametrize("clock", ["", LATER], ids=["now", "later"])


@NOW_AND_LATER
def test_an_edit_that_size_and_time_do_not_show(clean: Site, clock: str) -> None:
    clean.hook = clock
    clean.write("records/a.md", record("Old title", "topics: [A]"))
    for old, new in (("Old", "New"), ("New", "Odd"), ("Odd", "Red")):
        clean.generate("-q")
        edit_in_place(clean.root / "records/a.md", old, new)
        clean.generate("-q")
        assert clean.titles("topics/a") == [f"{new} title"]


@NOW_AND_LATER
def test_a_file_of_the_same_size_and_time_in_its_place(clean: Site, clock: str) -> None:
    clean.hook = clock
    path = clean.write("records/a.md", record("Old title", "topics: [A]"))
    clean.generate("-q")
    before = path.stat()
    spare = clean.write("spare", record("New title", "topics: [A]"))
    os.utime(spare, ns=(before.st_atime_ns, before.st_mtime_ns))
    spare.replace(path)
    clean.generate("-q")
    assert clean.titles("topics/a") == ["New title"]


# When the second record is opened, the first has been read: it is changed then, during the run.
MEANWHILE = """
import os, sys
waiting = True
def hook(event, args):
    global waiting
    if event == "open" and waiting and str(args[0]).endswith("{opened}"):
        waiting = False
        path = {path!r}
        before = os.stat(path)
        data = open(path, "rb").read().replace(b"{old}", b"{new}")
        with open(path, "r+b") as file:
            file.write(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
sys.addaudithook(hook)
"""
# As above; it was changed just before it was read, too, so that a coarse clock shows one time.
JUST_BEFORE_AND_AFTER = """
import os, sys
steps = []
def write(data, path={path!r}):
    with open(path, "r+b") as file:
        file.write(data)
def hook(event, args):
    if event != "open":
        return
    name = str(args[0])
    if name.endswith("/a.md") and not steps:
        steps.append(1)
        write({first!r}.encode())
        before = os.stat({path!r})
        steps.append((before.st_atime_ns, before.st_mtime_ns))
    elif name.endswith("/b.md") and len(steps) == 2:
        steps.append(3)
        write({second!r}.encode())
        os.utime({path!r}, ns=steps[1])
sys.addaudithook(hook)
"""


@NOW_AND_LATER
def test_a_record_that_is_changed_while_a_run_reads(clean: Site, clock: str) -> None:
    path = clean.write("records/a.md", record("Old title", "topics: [A]"))
    clean.write("records/b.md", record("B", "topics: [B]"))
    meanwhile = MEANWHILE.format(opened="/b.md", path=str(path), old="Old", new="New")
    clean.hook = f"{clock}\n{meanwhile}"
    clean.generate("-q", "--jobs", "1")
    clean.hook = clock
    assert b"New title" in path.read_bytes()
    clean.generate("-q")
    assert clean.titles("topics/a") == ["New title"]


def test_a_record_that_is_changed_just_before_and_just_after_it_is_read(clean: Site) -> None:
    texts = [record(f"{word} title", "topics: [A]") for word in ("Old", "Odd", "New")]
    path = clean.write("records/a.md", texts[0])
    clean.write("records/b.md", record("B", "topics: [B]"))
    clean.hook = JUST_BEFORE_AND_AFTER.format(path=str(path), first=texts[1], second=texts[2])
    clean.generate("-q", "--jobs", "1")
    clean.hook = ""
    assert b"New title" in path.read_bytes()
    clean.generate("-q")
    assert clean.titles("topics/a") == ["New title"]


def test_an_edit_after_a_real_while(site: Site) -> None:
    """No clock is set here: the files are really some seconds old."""
    path = site.write("records/a.md", record("Old title", "topics: [A]"))
    time.sleep(3)
    site.generate("-q")
    edit_in_place(path, "Old", "New")
    site.generate("-q")
    assert site.titles("topics/a") == ["New title"]
    time.sleep(3)
    site.generate("-q")
    assert site.report()["feeds"]["written"] == 0
    edit_in_place(path, "New", "Odd")
    site.generate("-q")
    assert site.titles("topics/a") == ["Odd title"]


@pytest.mark.parametrize("name", ["config.yaml", "terms/news.md"])
def test_an_edit_of_what_is_no_record(varied: Site, tmp_path: Path, name: str) -> None:
    varied.generate("-q")
    old, new = ("Test", "Best") if "config" in name else ("World", "Wordl")
    edit_in_place(varied.root / name, old, new)
    varied.generate("-q")
    assert varied.tree() == fresh_tree(varied, tmp_path / "fresh")
    assert b"Best site" in varied.tree()["rss.xml"] or "topics/wordl/rss.xml" in varied.tree()


def test_a_clock_that_was_wrong(clean: Site) -> None:
    """Times in the future, before 1970, and going backwards."""
    path = clean.root / "records/a.md"
    for n, when in enumerate((4_000_000_000, 0, -1000, 4_000_000_000, 1)):
        path.write_text(record(f"Title {n}", "topics: [A]"))
        os.utime(path, (when, when))
        clean.generate("-q")
        assert clean.titles("topics/a") == [f"Title {n}"]


def test_a_file_that_may_not_be_read_for_a_while(clean: Site, unprivileged: list[str]) -> None:
    path = clean.write("records/a.md", record("A", "topics: [A]"))
    clean.generate("-q")
    before = clean.tree()
    path.chmod(0)
    for _ in range(2):
        run = clean.generate("-q", prefix=unprivileged)
        assert "records/a.md" in run.err
        assert "Permission denied" in run.err
        assert clean.report()["records"]["problems"] == 1
        assert "topics/a/rss.xml" not in clean.tree()
    path.chmod(0o644)
    assert clean.generate("-q", prefix=unprivileged).text == ""
    assert clean.tree() == before


def test_a_folder_that_may_not_be_read_for_a_while(clean: Site, unprivileged: list[str]) -> None:
    path = clean.write("records/below/a.md", record("A", "topics: [A]"))
    clean.generate("-q")
    before = clean.tree()
    path.parent.chmod(0)
    try:
        for _ in range(2):
            run = clean.generate("-q", prefix=unprivileged)
            assert "records/below" in run.err
            assert "topics/a/rss.xml" not in clean.tree()
    finally:
        path.parent.chmod(0o755)
    assert clean.generate("-q", prefix=unprivileged).text == ""
    assert clean.tree() == before


def test_a_link_whose_target_changes(clean: Site, tmp_path: Path) -> None:
    config = (clean.root / "config.yaml").read_text()
    followed = config.replace("[records]", "[{path: records, follow_links: true}]")
    clean.write("config.yaml", followed)
    target = tmp_path / "elsewhere.md"
    for n in range(2):
        (tmp_path / f"{n}").mkdir()
        (tmp_path / f"{n}/c.md").write_text(record(f"C {n}", "topics: [C]"))
    target.write_text(record("Old", "topics: [A]"))
    (clean.root / "records/a.md").symlink_to(target)
    (clean.root / "records/folder").symlink_to(tmp_path / "0")
    clean.generate("-q")
    assert (clean.titles("topics/a"), clean.titles("topics/c")) == (["Old"], ["C 0"])
    edit_in_place(target, "Old", "New")
    (clean.root / "records/folder").unlink()
    (clean.root / "records/folder").symlink_to(tmp_path / "1")
    clean.generate("-q")
    assert (clean.titles("topics/a"), clean.titles("topics/c")) == (["New"], ["C 1"])
    target.unlink()
    run = clean.generate("-q")
    assert "records/a.md" in run.err
    assert "topics/a/rss.xml" not in clean.tree()


def lines(count: int, changed: int = -1, suffix: str = ".jsonl") -> str:
    records = [
        {"title": f"Title {n}{' changed' if n == changed else ''}", "id": f"id-{n}",
         "date": f"2020-01-{n % 28 + 1:02}", "topics": [f"T{n}"], "provider": f"P{n % 10}"}
        for n in range(count)
    ]  # fmt: skip
    if suffix == ".jsonl":
        return "".join(json.dumps(record) + "\n" for record in records)
    return json.dumps(records, indent=1)


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".yaml"])
def test_one_of_many_records_in_a_file_changes(clean: Site, suffix: str) -> None:
    clean.write(f"records/list{suffix}", lines(300, suffix=suffix))
    clean.generate("-q")
    before = stamps(clean.feeds)
    clean.write(f"records/list{suffix}", lines(300, 27 + 28, suffix))
    clean.generate("-q")
    after = stamps(clean.feeds)
    assert clean.titles("topics/t55") == ["Title 55 changed"]
    assert {n.rpartition("/")[0] for n in after if before.get(n) != after[n]} == {
        "", "topics/t55", "providers/p5",
    }  # fmt: skip
    assert after.keys() == before.keys()


@pytest.mark.parametrize(
    "sources",
    [
        '["records/*.md"]',
        '["records/1*.md", "records/2*.md", records]',
        "[records/1.md, records/2.md]",
    ],
)
def test_sources_that_name_files(clean: Site, tmp_path: Path, sources: str) -> None:
    for changed in (sources, "[records]", sources):
        config = CONFIG.replace("[records]", changed)
        clean.write("config.yaml", config)
        for step in range(3):
            if step == 1:
                clean.write("records/1.md", record(f"Changed {changed}", "topics: [T1]"))
            if step == 2:
                clean.write("records/1.md", record("Title 1", "topics: [T1]"))
            assert clean.generate().err == ""
            read = clean.counts()
            assert clean.tree() == fresh_tree(clean, tmp_path / "fresh")
            clean.generate("--full")
            assert clean.counts() == read
            clean.generate("--dry-run")


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_another_zone_moves_dates_over_the_time_of_the_run(clean: Site, zone: str) -> None:
    clean.write("records/a.md", record("A", "topics: [A]", date="2024-03-01"))
    moment = ("--as-of", "2024-02-29T23:30:00Z")  # in Berlin, March has begun
    clean.generate(*moment)
    assert "topics/a/rss.xml" in clean.tree()
    clean.configure("Europe/Berlin", zone)
    clean.generate(*moment)
    assert ("topics/a/rss.xml" in clean.tree()) == (zone == "Asia/Tokyo")
    clean.configure(zone, "Europe/Berlin")
    clean.generate(*moment)
    assert "topics/a/rss.xml" in clean.tree()


def test_feeds_that_come_and_go_are_named_in_those_of_others(clean: Site, tmp_path: Path) -> None:
    """An item tells of the feeds of its topics and its provider, where there are such feeds."""
    few = "{min_items: 2}"
    clean.write("config.yaml", CONFIG + f"feeds: {{providers: {few}, topics: {few}}}\n")
    for n in range(2):
        clean.write(f"records/p{n}.md", record(f"P {n}", "topics: [A, B]"))
    clean.write("records/p0.md", record("P 0", "topics: [A, B, Rare]", "provider: Rare"))
    clean.generate("-q")
    before = clean.tree()
    assert "providers/rare/rss.xml" not in before
    other = clean.write("records/other.md", record("Other", "topics: [Rare]", "provider: Rare"))
    clean.generate("-q")
    assert clean.tree() == fresh_tree(clean, tmp_path / "fresh")
    assert b"providers/rare/" in clean.tree()["topics/a/rss.xml"]
    assert clean.tree()["topics/t1/rss.xml"] == before["topics/t1/rss.xml"]
    other.unlink()
    clean.generate("-q")
    assert clean.tree() == before


def test_a_list_that_grows_at_its_head(clean: Site, tmp_path: Path) -> None:
    entries = [{"title": f"Title {n}", "date": "2020-01-01", "topics": ["List"]} for n in range(5)]
    for n in range(3):
        clean.write("records/news.json", json.dumps({"news": entries}))
        clean.generate("-q")
        assert clean.tree() == fresh_tree(clean, tmp_path / f"{n}")
        entries.insert(0, {"title": f"New {n}", "date": f"2020-01-0{n + 2}", "topics": ["List"]})


def spoil(path: Path) -> None:
    path.write_text("no record\n")


def date_back(path: Path) -> None:
    path.write_text(path.read_text().replace("2020-01-02", "2019-01-02"))


def give_another_id(path: Path) -> None:
    path.write_text(path.read_text().replace("id: one", "id: other"))


@pytest.mark.parametrize("change", [Path.unlink, spoil, date_back, give_another_id])
def test_a_copy_of_an_item_comes_forward(
    clean: Site, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """It alone has its topic, so that its feed goes, and comes back with it."""
    clean.write("records/a.md", record("Copy", "id: one", "topics: [Of the copy]"))
    clean.generate("-q")
    newest = clean.write("records/z.md", record("Newest", "id: one", "topics: [A]"))
    for _ in range(2):
        clean.generate("-q")
        assert "topics/of-the-copy/rss.xml" not in clean.tree()
        assert clean.report()["records"]["duplicates"] == 1
    change(newest)
    clean.generate("-q")
    assert clean.titles("topics/of-the-copy") == ["Copy"]
    assert clean.tree() == fresh_tree(clean, tmp_path / "fresh")


# --- How much is remembered -------------------------------------------


def test_the_memory_does_not_grow_with_the_runs(site: Site) -> None:
    def size() -> int:
        return sum(path.stat().st_size for path in (site.root / ".feedpub").rglob("*"))

    def write(n: int, edition: int) -> None:
        body = f"<p>Edition {edition} of it.</p>" + "Words and words. " * (20 + edition % 7 * 10)
        site.write(f"records/{n}.md", record(f"Title {n}", f"topics: [T{n % 12}]", body=body))

    for n in range(300):
        write(n, 0)
    site.generate("-q")
    first = size()
    for edition in range(1, 31):
        for n in range(edition % 3, 300, 9):
            write(n, edition)
        site.write(f"records/new-{edition}.md", record(f"New {edition}", f"topics: [N{edition}]"))
        (site.root / f"records/new-{edition - 1}.md").unlink(missing_ok=True)
        if edition == 20:
            site.configure("Test site", "Another title")
        site.generate("-q", *(["--full"] if edition == 25 else []))
    assert size() <= 2 * first + 200_000


def test_the_memory_of_what_was_deleted_goes(site: Site) -> None:
    for n in range(300):
        site.write(f"records/{n}.md", record(f"Title {n}", body=f"Unforgettable {n}. " * 100))
    site.generate("-q")
    big = sum(path.stat().st_size for path in (site.root / ".feedpub").rglob("*"))
    for n in range(300):
        (site.root / f"records/{n}.md").unlink()
    for _ in range(2):
        site.generate("-q")
    assert sum(path.stat().st_size for path in (site.root / ".feedpub").rglob("*")) <= big


def test_a_run_with_nothing_to_do_is_faster(site: Site) -> None:
    for n in range(1500):
        text = "Some *words* and [a link](/x). " * 20
        site.write(f"records/{n}.md", record(f"Title {n}", f"topics: [T{n % 50}]", body=text))
    took = []
    for _ in range(2):
        start = time.monotonic()
        site.generate("-q", "--jobs", "1")
        took.append(time.monotonic() - start)
    assert took[1] < took[0]
