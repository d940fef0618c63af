"""What every run keeps to: the same tree from the same records, and nothing else touched."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest
import yaml

from feedpub.cli import COMMANDS

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
def full(tmp_path: Path) -> Site:
    """Such a site."""
    return rich(tmp_path / "site")


@pytest.fixture
def generated(full: Site) -> Site:
    """Such a site after its first run."""
    full.generate("-q")
    return full


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


def test_the_number_of_processes_changes_nothing(generated: Site) -> None:
    for n in range(500):
        good = record(f"Title {n}", f"topics: [T{n % 7}]", f"id: {n % 490}", "provider: 3")
        generated.write(f"records/{n}.md", good if n % 50 else "no record\n")
    outcomes = []
    for jobs in ("1", "2", "5"):
        run = generated.generate("--jobs", jobs)
        report = generated.report()
        del report["seconds"], report["feeds"]
        outcomes.append((run.err, report, generated.tree()))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert outcomes[0][1]["records"]["problems"] == 10


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
        "feedpub.schema.json",
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
    assert "feeds/topics/news/rss.xml: no longer part of a feed" in run.err
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
        # Files of the tree are opened below a handle of their folder, so by relative paths.
        if {folder!r} in repr(args) or not str(args[0]).startswith("/"):
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


@pytest.fixture
def about_to_change(tmp_path: Path) -> tuple[Site, dict[str, bytes], dict[str, bytes]]:
    """A small site, its tree, and what its next run will make of it."""
    site = Site(tmp_path / "site")
    site.write("config.yaml", CONFIG + "feeds: {formats: [rss]}\n")
    site.write("records/a.md", record("A", "topics: [One, Two]"))
    site.generate("-q")
    old = site.tree()
    site.write("records/a.md", record("A, changed", "topics: [Two, Three]"))
    return site, old, tree_after(site, tmp_path / "fresh")


def test_a_run_killed_at_any_step_is_completed_by_the_next(
    about_to_change: tuple[Site, dict[str, bytes], dict[str, bytes]], tmp_path: Path
) -> None:
    site, old, new = about_to_change

    def killed_and_run_again(at: int) -> dict[str, bytes] | None:
        copy = site.copy(tmp_path / f"{at}")
        if not killed(copy, at):
            return None
        assert_whole(copy, old, new)
        if at % 2:
            copy.generate("-q")
            assert copy.tree() == new, f"killed before step {at}"
        else:
            # A run that stops for a reason of its own completes the burst before anything else.
            (copy.root / "records/a.md").unlink()
            assert copy.run("generate").code == 1
            assert copy.tree() in (old, new), f"killed before step {at}"
        return copy.tree()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        trees = list(pool.map(killed_and_run_again, range(1, 40)))
    assert old in trees
    assert new in trees
    assert None in trees  # there were fewer steps, so every one was tried


def test_a_burst_cut_by_a_power_failure(
    about_to_change: tuple[Site, dict[str, bytes], dict[str, bytes]], tmp_path: Path
) -> None:
    site, old, _ = about_to_change
    for at in range(1, 200):  # until a new feed is there, and the manifest does not know it yet
        copy = site.copy(tmp_path / f"{at}")
        assert killed(copy, at)
        if "topics/three/rss.xml" in copy.tree():
            break
    assert copy.tree()[".feedpub.json"] == old[".feedpub.json"]
    for path in (copy.feeds / ".feedpub-staging").rglob("*"):
        if path.is_file() and path.name != "journal.json":
            path.write_bytes(b"\0" * 10)  # what the disk had not written yet
    copy.write("records/a.md", record("A, once more", "topics: [Two, Three]"))
    copy.generate("-q")
    assert copy.tree() == tree_after(copy, tmp_path / "another")


def test_runs_killed_at_random_times_leave_a_whole_tree(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.write("config.yaml", CONFIG)
    trees = []
    for title in ("Old", "New"):
        lines = (
            json.dumps(
                {"title": f"{title} {n}", "date": "2020-01-01", "id": f"{n}", "tags": f"T{n}"}
            )
            for n in range(150)
        )
        site.write(f"{title}.jsonl", "\n".join(lines))
        site.write("records/all.jsonl", (site.root / f"{title}.jsonl").read_bytes())
        start = time.monotonic()
        site.generate("-q")
        trees.append(site.tree())
    took = time.monotonic() - start
    old, new = trees
    for n in range(8):
        title = ("Old", "New")[n % 2]
        site.write("records/all.jsonl", (site.root / f"{title}.jsonl").read_bytes())
        process = site.start("generate", "-q")
        time.sleep(took * (0.3 + 0.1 * n))  # the load of the machine gives the rest of the chance
        process.kill()
        process.communicate(timeout=TIMEOUT)
        assert_whole(site, old, new)
    site.write("records/all.jsonl", (site.root / "New.jsonl").read_bytes())
    site.generate("-q")
    assert site.tree() == new


# --- What commands say ------------------------------------------------


def would(out: str, what: str) -> set[str]:
    return set(re.findall(rf"^would {what} +(.+)$", out, re.MULTILINE))


def test_a_dry_run_says_what_a_run_does_and_does_nothing(generated: Site) -> None:
    change(generated)
    before = stamps(generated.root)
    run = generated.run("generate", "--dry-run")
    assert run.code == 0
    assert stamps(generated.root) == before
    old = generated.tree()
    generated.generate("-q")
    new = generated.tree()
    assert would(run.out, "remove") == old.keys() - new.keys()
    changed = {name for name in new if old.get(name) != new[name]} - {".feedpub.json"}
    assert would(run.out, "write") == changed
    assert "would" not in generated.run("generate", "--dry-run").out


def test_a_first_dry_run_makes_no_folder(site: Site) -> None:
    before = sorted(site.root.rglob("*"))
    assert "rss.xml" in would(site.run("generate", "--dry-run").out, "write")
    assert sorted(site.root.rglob("*")) == before


def test_quiet_says_nothing_when_all_is_well(site: Site) -> None:
    site.write("records/draft.md", record("Draft", "draft: true"))
    for args in (("generate", "-q"), ("-q", "generate"), ("generate", "-q", "--dry-run")):
        assert site.run(*args).text == ""
    assert site.run("check", "-q").text == ""


def test_quiet_says_what_is_wrong(site: Site) -> None:
    site.write("records/bad.md", "no record\n")
    run = site.run("generate", "-q")
    assert run.out == ""
    assert run.err.startswith("records/bad.md:1: ")


def test_results_go_to_stdout_and_messages_to_stderr(site: Site) -> None:
    site.write("records/bad.md", "no record\n")
    run = site.run("generate")
    assert "records/bad.md" not in run.out
    assert "Records read" not in run.err


def test_messages_as_json(site: Site) -> None:
    site.write("records/bad.md", "no record\n")
    site.write("records/other.md", record("Other", "provider: 3"))
    run = site.run("generate", "-v", "--log-format", "json")
    lines = [strict_json(line.encode()) for line in run.err.splitlines()]
    told = [(line["level"], line.get("path"), line.get("line")) for line in lines]
    assert told[:2] == [("error", "records/bad.md", 1), ("warning", "records/other.md", 4)]


def test_errors_as_json_too(site: Site) -> None:
    site.configure("Test site", "${FEEDPUB_UNSET}")
    run = site.run("generate", "--log-format", "json")
    assert run.code == 2
    lines = [strict_json(line.encode()) for line in run.err.splitlines()]
    assert [(line["level"], line["line"], line["key"]) for line in lines] == [
        ("error", 2, "site.title")
    ]


def test_the_report(generated: Site) -> None:
    generated.write("records/bad.md", front("title: No date"))
    generated.write("records/draft.md", record("Draft", "draft: true"))
    (generated.root / "records/ü/c d.md").unlink()
    generated.generate("-q")
    report = generated.report()
    assert report["records"] == {
        "read": 8, "items": 5, "left_out": 1, "duplicates": 1, "problems": 1,
    }  # fmt: skip
    assert report["left_out"] == {"draft": 1}
    [problem] = report["problems"]
    assert (problem["path"], problem["line"], problem["key"]) == ("records/bad.md", 2, "date")
    assert problem["what"]
    assert problem["remedy"]
    feeds = report["feeds"]
    assert feeds["total"] == feeds["written"] + feeds["unchanged"]
    assert (
        feeds["total"]
        == len({n.rpartition("/")[0] for n in generated.tree() if "feed.json" in n}) - 2
    )
    assert feeds["removed"] >= 1
    assert all(seconds >= 0 for seconds in report["seconds"].values())


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("records/a.md", ["title", "Ä", "topics/news", "topics/world", "custom/best", "1 of"]),
        ("records/ü/c d.md", ["records/ü/c d.md", "C", "item"]),
        ("records/d.jsonl#3", ["E", "example.com"]),
        ("d", ["D", "records/d.jsonl"]),
        ("topics/news", ["News", "2 of 2", "records/b.html", "rss.xml"]),
        ("feeds/topics/news/rss.xml", ["News", "2 of 2"]),
        ("https://feeds.example.org/topics/news/rss.xml", ["News", "2 of 2"]),
        ("feeds/rss.xml", ["all records", "6 of 6"]),
        ("topics/old", ["topics/news"]),
        ("feeds/feed.xml", ["all records"]),
        ("feeds/topics/old/rss.xml", ["News", "2 of 2"]),
    ],
)
def test_explain(full: Site, what: str, told: list[str]) -> None:
    run = full.run("explain", what)
    assert run.code == 0, run.text
    assert [words for words in told if words not in run.out] == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("draft: true",), "draft.*--unpublished"),
        (("published: false",), "unpublished.*--unpublished"),
        (("removed: true",), "removed"),
        (("id: d", "updated: 2019-01-01"), "records/d.jsonl"),
        (("date: 2400-01-01",), "future"),
        (("date: soon",), "records/x.md:4: date: .*soon"),
    ],
)
def test_explain_why_a_record_is_in_no_feed(full: Site, lines: tuple[str, ...], told: str) -> None:
    full.write("records/x.md", record("X", *lines, date="2019-01-01"))
    run = full.run("explain", "records/x.md")
    assert run.code == 0
    assert re.search(f"in no feed.*{told}", run.out, re.DOTALL), run.out


def test_list(full: Site) -> None:
    rows = {
        what: strict_json(full.run("list", what, "--json").out.encode())
        for what in ("topics", "providers", "feeds", "records")
    }
    topics = {row["name"]: (row["records"], row["newest"]) for row in rows["topics"]}
    assert topics == {name: (n, "2020-01-02") for name, n in
                      {"News": 2, "World": 2, "C#": 1, "日本": 1}.items()}  # fmt: skip
    assert {row["name"] for row in rows["providers"]} == {"Someone", "example.com"}
    assert [row["state"] for row in rows["records"]].count("duplicate") == 1
    assert len(rows["records"]) == 7
    table = full.run("list", "feeds").out.splitlines()
    assert len(table) == 1 + len(rows["feeds"])
    assert "topics/news" in "\n".join(table)


def test_check_of_what_is_well(full: Site) -> None:
    before = stamps(full.root)
    run = full.run("check")
    assert (run.code, run.out) == (0, "")
    assert "7 records checked: no problems" in run.err
    assert stamps(full.root) == before


def test_schema_of_the_configuration(site: Site) -> None:
    schema = strict_json(site.run("schema", "config").out.encode())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    assert not list(validator.iter_errors(yaml.safe_load(FILES["config.yaml"])))
    assert list(validator.iter_errors({"outptu": "x"}))


def test_schema_of_a_record(site: Site) -> None:
    schema = strict_json(site.run("schema", "record").out.encode())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    assert not list(validator.iter_errors({"title": "A", "date": "2020-01-01", "mine": [1]}))
    assert list(validator.iter_errors({"date": "2020-01-01"}))


def test_schema_of_the_catalogue(generated: Site) -> None:
    schema = strict_json(generated.run("schema", "feeds").out.encode())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    catalogue = json.loads((generated.feeds / "feeds.json").read_bytes())
    assert not list(validator.iter_errors(catalogue))
    assert (
        catalogue["feeds"][0].keys() <= schema["properties"]["feeds"]["items"]["properties"].keys()
    )
    del catalogue["feeds"][0]["urls"]
    assert list(validator.iter_errors(catalogue))


def test_init_then_generate_gives_feeds(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert site.run("init", "my blog").code == 0
    site = Site(tmp_path / "my blog")
    assert site.run("check").code == 0
    site.generate("-q")
    assert site.counts() == (1, 1, 0, 0, 0)
    assert site.titles() == ["Hello, world"]
    assert ".feedpub/" in (site.root / ".gitignore").read_text().splitlines()


def test_the_record_of_init_is_not_in_the_future_anywhere(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.root.mkdir()
    site.run("init", env={"TZ": "XXX-24"})  # where it is tomorrow already
    site.generate("-q")
    assert site.counts() == (1, 1, 0, 0, 0)


def test_init_never_overwrites(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write(".gitignore", "mine")
    site.write("config.yaml", "mine")
    first = site.run("init")
    assert first.code == 0
    assert "config.yaml: already exists" in first.text
    assert (tmp_path / "config.yaml").read_text() == "mine"
    assert (tmp_path / ".gitignore").read_text() == "mine\n.feedpub/\n"
    site.write("records/hello.md", GOOD)
    before = stamps(tmp_path)
    assert site.run("init").code == 0
    assert stamps(tmp_path) == before


@pytest.mark.parametrize("command", ["", "init", "generate", "check", "explain", "list", "schema"])
def test_help_has_an_example(site: Site, command: str) -> None:
    run = site.run(*command.split(), "--help")
    assert run.code == 0
    assert re.search(r"Examples?:\n\n +feedpub", run.out)


# --- What stays in the record -----------------------------------------


def test_nothing_secured_is_published(site: Site) -> None:
    site.write("taxonomy/news.md", front("name: News", "secured: {a: s3cret}", "x: s3cret"))
    site.configure("records: [records]", "records: [records]\ntaxonomy: {topics: taxonomy}")
    secret = ("secured: s3cret", "mine: {a: [s3cret]}", "password: s3cret", "heat: 7")
    site.write("records/a.md", record("A", "topics: [News]", *secret))
    site.write("records/b.md", record("B", "provider: {name: P, secured: s3cret, x: s3cret}"))
    site.write("records/c.md", record("C", "author: {name: P, secured: s3cret, phone: s3cret}"))
    site.write("records/d.md", record("D", "image: {url: /a.png, secured: s3cret, x: s3cret}"))
    site.write("records/e.md", record("E", "related: [{url: /x, secured: s3cret, x: s3cret}]"))
    site.write("records/f.md", record("F", "audio: {url: /a.mp3, secured: s3cret}"))
    site.write("records/g.json", '{"title": "G", "date": "2020-01-01", "secured": {"a": "s3cret"}}')
    site.write("records/h.md", record("H", "topics: [{name: News, secured: s3cret}]"))
    said = site.generate("-v").text
    assert site.counts() == (9, 9, 0, 0, 0)
    whole = b"".join((*site.tree().values(), said.encode()))
    assert b"s3cret" not in whole
    assert b"secured" not in whole
    assert "s3cret" not in (site.root / "report.json").read_text()


# The configuration that the promises show, as it stands there.
PROMISED = """
site:
  title: Everyday AI
  url: https://feeds.example.org/
  id: tag:example.org,2026:feeds
  home: https://example.org/
  description: About AI
  language: en
  timezone: Europe/Berlin
  author: {name: Jane, email: jane@example.org, url: https://example.org/jane}
  copyright: Jane
  icon: https://example.org/icon.png
  logo: https://example.org/logo.png
records:
  - records
  - path: _posts
    link: "/{year}/{month}/{day}/{slug}/"
    provider: My blog
    topics: [Blog]
output: feeds
state: .feedpub
ids: {ledger: ids.jsonl, record: kept}
fields: {title: headline}
select: {unpublished: false, future: false, types: [article], languages: [en], min_quality: 0}
feeds:
  formats: [rss, atom, json]
  items: 20
  window: off
  filenames: {rss: rss.xml, atom: atom.xml, json: feed.json}
  also_at: {"feed.xml": "rss.xml", "topics/old-name": "topics/blog"}
  content: full
  archives: false
  all: true
  topics: true
  providers: true
  topic_providers: false
  custom: [{slug: best, title: Best of, where: {min_quality: 80, types: [article]}}]
  overrides: {"topics/blog": {title: The blog, description: All of it}}
images: {enclosure: first, probe: local, mirror: false}
websub: {hubs: []}
push: {production: {to: "s3://bucket/prefix"}}
"""


def test_the_promised_configuration_works(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("config.yaml", PROMISED)
    site.write("records/a.md", record("A title", "type: article", "headline: A headline"))
    site.write("records/README.md", "No record.")
    site.write("_posts/2024-03-06-my-great-day.md", "---\ntype: article\n---\nText.\n")
    run = site.generate()
    assert site.counts() == (2, 2, 0, 0, 0)
    assert "push" not in run.err
    assert site.run("check", "-q").code == 0
    items = json.loads(site.tree()["feed.json"])["items"]
    assert {item["title"] for item in items} == {"A headline", "My Great Day"}
    assert json.loads(site.tree()["topics/old-name/feed.json"])["title"] == "The blog"
    assert items[0]["url"] == "https://example.org/2024/03/06/my-great-day/"


def test_check_and_list_from_a_folder_below(site: Site) -> None:
    assert site.run("check", "good.md", cwd=site.root / "records").code == 0
    feeds = json.loads(site.run("list", "feeds", "--json", cwd=site.root / "records").out)
    assert (feeds[0]["path"], feeds[0]["kind"]) == ("", "all")
    assert feeds[0]["urls"]["rss"].endswith("/rss.xml")
    assert "contains" in site.run("explain", "(everything)").out


def test_the_report_of_a_run_that_found_nothing_says_so(site: Site) -> None:
    site.generate()
    run = site.run("generate", "--as-of", "1990-01-01", "--report", "-")
    assert run.code == 1
    assert json.loads(run.out)["records"]["items"] == 0


STARTS = {
    "init": (["new"], 0),
    "generate": ([], 0),
    "check": ([], 0),
    "explain": (["records/good.md"], 0),
    "list": (["feeds"], 0),
    "push": ([], 2),  # there is no target
    "status": ([], 0),
    "ids": (["freeze"], 0),
    "schema": (["config"], 0),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_loads_what_it_needs(site: Site, command: str) -> None:
    """As a process of its own: most tests run commands where everything is loaded already."""
    args, code = STARTS[command]
    done = subprocess.run(
        site.command(command, *args), cwd=site.root, env=site.environment(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_tells_what_a_bug_report_needs(site: Site) -> None:
    (plain,) = site.run("--version").out.splitlines()
    for args in (["--version", "-v"], ["-v", "--version"]):
        first, *details = site.run(*args).out.splitlines()
        assert first == plain
        said = dict(re.split(r"  +", line, maxsplit=1) for line in details)
        assert sys.executable in said["Python"]
        assert said["config"] == str(site.root / "config.yaml")
        assert said["output"] == str(site.feeds)
        assert "lxml " in said["packages"]
        assert {"extra media", "extra s3", "extra sftp"} <= said.keys()
    (site.root / "config.yaml").write_text("site: 1\n")
    assert "site: expected a mapping" in site.run("--version", "-v").out
