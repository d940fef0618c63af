"""What every run keeps to: the same tree from the same records, and nothing else touched."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import jsonschema
import pytest
import yaml

from .harness import CONFIG, GOOD, TIMEOUT, Site, front, record, stamps, strict_json, tree_of

FILES = {
    "config.yaml": CONFIG
    + """\
taxonomy: {topics: taxonomy/topics}
feeds:
  topic_providers: true
  custom: [{slug: best, where: {min_quality: 80}}]
  also_at: {feed.xml: rss.xml, topics/old: topics/news}
""",
    "taxonomy/topics/news.md": front("name: News", "parent: World", "otherNames: [Neues]"),
    "taxonomy/topics/world.md": front("name: World", body="All of *it*."),
    "records/a.md": record("Ä", "topics: [News, C#]", "provider: Someone", "quality: 90"),
    "records/b.html": record("B", "topics: Neues", "image: /b.png", body="<p>B <b>b</b></p>"),
    "records/ü/c d.md": record("C", "topics: [日本]", "updated: 2020-02-02 02:02", body="*c* `d`"),
    "records/d.jsonl": '{"title": "D", "date": "2020-01-02", "id": "d"}\n' * 2
    + '{"title": "E", "date": "2020-01-03", "id": "e", "provider": {"domain": "example.com"}}\n',
    "records/f.yaml": "- {name: F, date: 2020-01-02 03:04, audio: /f.mp3, length: PT1M}\n",
}


def rich(root: Path, *, backwards: bool = False) -> Site:
    """A site with something of everything, its files made in one order or the other."""
    site = Site(root)
    for name in sorted(FILES, reverse=backwards):
        site.write(name, FILES[name])
    return site


@pytest.fixture
def generated(tmp_path: Path) -> Site:
    """Such a site after its first run."""
    site = rich(tmp_path / "site")
    site.generate("-q")
    return site


def change(site: Site) -> None:
    """A day's work: a record changed, one added, one removed, so that feeds come and go."""
    site.write("records/a.md", record("Ä, changed", "topics: [News]", "provider: Someone"))
    site.write("records/new.md", record("New", "topics: [Fresh]", "provider: Newcomer"))
    (site.root / "records/ü/c d.md").unlink()


def tree_after(site: Site, root: Path) -> dict[str, bytes]:
    """What a site's records give where nothing was before."""
    fresh = site.copy(root, "feeds", "report.json")
    fresh.generate("-q")
    return fresh.tree()


# --- The same bytes ---------------------------------------------------


@pytest.mark.parametrize("args", [(), ("--full",)])
def test_a_second_run_touches_nothing(generated: Site, args: tuple[str, ...]) -> None:
    before = stamps(generated.feeds)
    folder = generated.feeds.stat().st_mtime_ns
    generated.generate(*args)
    assert stamps(generated.feeds) == before
    assert generated.feeds.stat().st_mtime_ns == folder
    feeds = generated.report()["feeds"]
    assert (feeds["written"], feeds["removed"]) == (0, 0)
    assert feeds["unchanged"] == feeds["total"] > 10


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE"},
        {"PYTHONHASHSEED": "3", "TZ": "", "LC_ALL": "POSIX", "HOME": "/nonexistent", "USER": "x"},
    ],
    ids=lambda env: env["LC_ALL"],
)
def test_nothing_of_the_machine_is_in_the_tree(
    generated: Site, tmp_path: Path, env: dict[str, str]
) -> None:
    other = rich(tmp_path / "elsewhere" / "another", backwards=True)
    for path in other.root.rglob("*"):
        os.utime(path, (1, 1))
    other.run("-c", str(other.root / "config.yaml"), "generate", "-q", env=env, cwd=tmp_path)
    assert other.tree() == generated.tree()
    whole = b"".join(other.tree().values())
    assert str(tmp_path).encode() not in whole
    assert b"records/a.md" not in whole.replace(b"2026:feeds/2020-01-02/a.md", b"")


def test_the_command_finds_its_configuration_from_below(generated: Site) -> None:
    before = stamps(generated.feeds)
    assert generated.run("generate", cwd=generated.root / "records").code == 0
    assert stamps(generated.feeds) == before


def test_what_was_changed_gives_what_a_fresh_run_gives(generated: Site, tmp_path: Path) -> None:
    change(generated)
    generated.generate("-q")
    assert generated.tree() == tree_after(generated, tmp_path / "fresh")


def test_only_what_changed_is_written(generated: Site) -> None:
    before = stamps(generated.feeds)
    generated.write("records/a.md", record("Ä", "topics: [C#]", "quality: 90"))
    generated.write("records/0.md", record("0", "topics: [C#]", date="2019-01-01"))
    generated.generate("-q")
    after = stamps(generated.feeds)
    same = {name for name in after if before.get(name) == after[name]}
    assert any(name.startswith("topics/x--") for name in same)  # of 日本
    assert "rss.xml" not in same
    assert all(before[name][1] != after[name][1] for name in after.keys() & before.keys() - same)


def test_the_tree_alone_is_what_the_next_run_builds_on(generated: Site, tmp_path: Path) -> None:
    other = generated.copy(tmp_path / "fresh clone", ".feedpub")
    sides = []
    for site in (generated, other):
        change(site)
        said = site.generate("--dry-run").out
        site.generate("-q")
        sides.append((said, site.report()["feeds"], site.tree()))
    assert sides[0] == sides[1]
    assert sides[0][1]["removed"] > 0
    assert sides[0][1]["unchanged"] > 0


# --- Whose files are whose --------------------------------------------


def test_files_of_the_user_are_never_touched(generated: Site) -> None:
    own = ("CNAME", ".nojekyll", "css/style.css", "topics/README", "topics/news/note.txt")
    for name in own:
        generated.write(f"feeds/{name}", "mine")
    before = {name: stamp for name, stamp in stamps(generated.feeds).items() if name in own}
    for n in range(3):
        (generated.root / "records").joinpath("a.md").unlink(missing_ok=True)
        (generated.root / "records").joinpath("b.html").unlink(missing_ok=True)
        generated.write("records/x.md", record(f"X {n}", f"topics: [T{n}]"))
        generated.generate("-q")
    after = stamps(generated.feeds)
    assert {name: after[name] for name in own} == before
    assert "topics/news/rss.xml" not in after


def test_feeds_without_records_go_with_their_folders(generated: Site) -> None:
    shutil.rmtree(generated.root / "records")
    generated.write("records/z.md", record("Z"))
    generated.generate("-q")
    assert {path.name for path in generated.feeds.iterdir()} == {
        ".feedpub.json", "rss.xml", "atom.xml", "feed.json", "feeds.opml", "feeds.json", "feed.xml",
    }  # fmt: skip


def test_formats_that_are_not_wanted_any_more_go(generated: Site) -> None:
    generated.configure("feeds:\n", "feeds:\n  formats: [rss]\n")
    generated.generate("-q")
    assert not [n for n in generated.tree() if n.endswith(("atom.xml", "feed.json"))]
    assert "topics/news/rss.xml" in generated.tree()


def test_a_feed_that_was_damaged_or_lost_is_mended(generated: Site) -> None:
    before = generated.tree()
    (generated.feeds / "rss.xml").write_text("damaged")
    (generated.feeds / "atom.xml").unlink()
    shutil.rmtree(generated.feeds / "topics")
    generated.generate("-q")
    assert generated.tree() == before


def test_a_feed_that_goes_but_was_changed_by_somebody_is_left_and_named(generated: Site) -> None:
    generated.write("feeds/topics/news/rss.xml", "mine now")
    for name in ("a.md", "b.html"):
        (generated.root / "records" / name).unlink()
    run = generated.generate("-q")
    assert "feeds/topics/news/rss.xml: no longer a feed" in run.err
    assert generated.tree()["topics/news/rss.xml"] == b"mine now"
    assert generated.generate("-q").text.count("topics/news/rss.xml") == 0


def test_the_output_folder_may_be_a_link(generated: Site, tmp_path: Path) -> None:
    before = generated.tree()
    shutil.move(generated.feeds, tmp_path / "www")
    generated.feeds.symlink_to(tmp_path / "www")
    change(generated)
    generated.generate("-q")
    assert generated.feeds.is_symlink()
    assert tree_of(tmp_path / "www") not in ({}, before)


# --- Addresses that go on working -------------------------------------


def test_also_at(generated: Site) -> None:
    tree = generated.tree()
    assert tree["feed.xml"] == tree["rss.xml"]
    for name in ("rss.xml", "atom.xml", "feed.json"):
        assert tree[f"topics/old/{name}"] == tree[f"topics/news/{name}"]
    generated.configure("  also_at: {feed.xml: rss.xml, topics/old: topics/news}\n", "")
    generated.generate("-q")
    assert not {"feed.xml", "topics/old/rss.xml"} & generated.tree().keys()


def test_also_at_of_what_there_is_not_is_told(generated: Site) -> None:
    generated.configure("topics/news}", "topics/nwes}")
    run = generated.generate()
    assert re.search("feeds.also_at.topics/old: .*topics/nwes", run.err)
    assert "topics/old/rss.xml" not in generated.tree()


@pytest.mark.parametrize(
    ("first", "then"),
    [("old: rss.xml", "old: topics/news"), ("old: topics/news", "old: rss.xml")],
    ids=["file to folder", "folder to file"],
)
def test_an_old_address_becomes_another_kind_of_thing(
    generated: Site, tmp_path: Path, first: str, then: str
) -> None:
    generated.configure("feed.xml: rss.xml", first)
    generated.generate("-q")
    generated.configure(first, then)
    generated.generate("-q")
    assert generated.tree() == tree_after(generated, tmp_path / "fresh")


# --- Interrupted ------------------------------------------------------

# The interpreter tells of what it is about to do to a file; at the Nth time, it dies.
KILLER = """
import os, signal, sys
left = {at}
def hook(event, args):
    global left
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
    if writes or event in {{"os.rename", "os.remove", "os.rmdir", "os.mkdir"}}:
        if {folder!r} in repr(args):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""


def killed(site: Site, at: int) -> bool:
    """A run that is killed before its Nth step in the output folder; whether it had so many."""
    site.hook = KILLER.format(at=at, folder=str(site.feeds))
    run = site.run("generate", "-q")
    site.hook = ""
    assert run.code in {0, -signal.SIGKILL}, run.text
    return run.code != 0


def assert_whole(site: Site, old: dict[str, bytes], new: dict[str, bytes]) -> None:
    """Each file that a subscriber fetches is wholly old or wholly new."""
    tree = {n: data for n, data in site.tree().items() if not n.startswith(".feedpub-staging/")}
    assert {n for n, data in tree.items() if data not in (old.get(n), new.get(n))} == set()
    assert old.keys() & new.keys() <= tree.keys()


def burst_begins(site: Site) -> int:
    """The first step that changes what subscribers see, in a run of this site."""
    before, spare = site.tree(), site.root.parent / "spare"
    for at in range(1, 500):
        copy = site.copy(spare)
        assert killed(copy, at)
        after = {n: d for n, d in copy.tree().items() if not n.startswith(".feedpub-staging/")}
        shutil.rmtree(spare)
        if after != before:
            return at
    raise AssertionError("no step changes anything")


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, dict, dict, list[int]]:
    """A site about to be changed, its tree before and after, and the steps between."""
    root = tmp_path_factory.mktemp("interrupted")
    site = Site(root / "site")
    site.write("config.yaml", CONFIG + "feeds: {formats: [rss]}\n")
    site.write("records/a.md", record("A", "topics: [One, Two]"))
    site.generate("-q")
    old = site.tree()
    site.write("records/a.md", record("A, changed", "topics: [Two, Three, Four]"))
    new = tree_after(site, root / "fresh")
    steps = []
    for at in range(1, 500):
        copy = site.copy(root / f"{at}")
        if not killed(copy, at):
            break
        steps.append(at)
    return site, old, new, steps


def test_a_run_that_is_killed_at_any_step_is_completed_by_the_next(
    interrupted: tuple[Site, dict, dict, list[int]],
) -> None:
    site, old, new, steps = interrupted
    assert len(steps) > 10
    for at in steps:
        copy = Site(site.root.parent / f"{at}")
        assert_whole(copy, old, new)
        copy.generate("-q")
        assert copy.tree() == new, f"after step {at}"


def test_a_burst_is_completed_before_anything_else(
    interrupted: tuple[Site, dict, dict, list[int]], tmp_path: Path
) -> None:
    site, old, new, steps = interrupted
    trees = []
    for at in steps:
        copy = site.copy(tmp_path / f"{at}")
        assert killed(copy, at)
        (copy.root / "records/a.md").unlink()
        assert (
            copy.run("generate").code == 1
        )  # nothing usable; what was begun is ended all the same
        trees.append(copy.tree())
        assert trees[-1] in (old, new), f"after step {at}"
    assert old in trees
    assert new in trees
