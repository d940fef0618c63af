"""A run that cannot finish says why, ends with the code that is promised, and leaves the tree."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .harness import CONFIG, GOOD, TIMEOUT, Run, Site, record


def assert_stopped(site: Site, run: Run, *told: str, code: int = 1) -> None:
    """The run ended with `code` and said all of `told`; nothing of it is left lying about."""
    assert run.code == code, run.text
    assert [words for words in told if words not in run.err] == []
    assert not (site.feeds / ".feedpub-staging").exists()


# --- No records -------------------------------------------------------


@pytest.fixture
def generated(site: Site) -> Site:
    """A site after a good run, with a second record that comes and goes."""
    site.write("records/second.md", record("Second", "topics: [Other]"))
    site.generate("-q")
    return site


def remove(site: Site) -> None:
    for path in (site.root / "records").iterdir():
        path.unlink()


def spoil(site: Site) -> None:
    for path in (site.root / "records").iterdir():
        path.write_text("no record any more\n")


def hold_back(site: Site) -> None:
    for path in (site.root / "records").iterdir():
        path.write_text(path.read_text().replace("title:", "draft: true\ntitle:"))


@pytest.mark.parametrize("change", [remove, spoil, hold_back])
def test_no_usable_record_where_there_were_some(
    generated: Site, change: Callable[[Site], None]
) -> None:
    before = generated.tree()
    change(generated)
    run = generated.run("generate")
    assert_stopped(generated, run, "2 items", "--allow-empty", "unmounted")
    assert generated.tree() == before
    generated.generate("--allow-empty", "-q")
    assert set(generated.tree()) <= {".feedpub.json", "feeds.opml", "feeds.json"}
    generated.generate("-q")  # now there were none before


def test_why_no_record_is_usable_is_told(generated: Site) -> None:
    spoil(generated)
    run = generated.run("generate", "-q")
    assert_stopped(generated, run, "records/good.md:1: there is no front matter")
    assert "records/second.md:1:" in run.err


def test_a_run_that_stopped_leaves_no_report_of_another(generated: Site) -> None:
    generated.generate("-q")
    spoil(generated)
    generated.run("generate", "--report", "report.json")
    report = generated.root / "report.json"
    assert not report.exists() or generated.counts() == (2, 0, 0, 0, 2)


def test_a_site_without_records_yet(site: Site) -> None:
    remove(site)
    site.generate()
    assert site.counts() == (0, 0, 0, 0, 0)


# --- The output folder ------------------------------------------------


def test_a_file_of_somebody_else_in_the_way(site: Site) -> None:
    site.write("feeds/rss.xml", "mine")
    run = site.run("generate")
    assert_stopped(site, run, "feeds/rss.xml", "did not write it", "move it away")
    assert site.tree() == {"rss.xml": b"mine"}


def test_a_folder_of_somebody_else_in_the_way(site: Site) -> None:
    site.write("feeds/rss.xml/mine", "mine")
    assert_stopped(site, site.run("generate"), "feeds/rss.xml", "did not write it", "move it away")
    assert site.tree() == {"rss.xml/mine": b"mine"}


def test_a_file_where_a_folder_of_feeds_would_be(site: Site) -> None:
    site.write("feeds/topics", "mine")
    assert_stopped(site, site.run("generate"), "feeds/topics", "did not write it", "move it away")
    assert site.tree() == {"topics": b"mine"}


def test_a_foreign_file_stops_a_dry_run_too(site: Site) -> None:
    site.write("feeds/rss.xml", "mine")
    assert_stopped(site, site.run("generate", "--dry-run"), "feeds/rss.xml", "did not write it")


def test_a_folder_where_a_feed_was(generated: Site) -> None:
    """Nothing is moved before it is known that all can be."""
    (generated.feeds / "topics/other/rss.xml").unlink()
    (generated.feeds / "topics/other/rss.xml").mkdir()
    before = generated.tree()
    generated.write("records/third.md", record("Third", "topics: [Other]"))
    for _ in range(2):
        run = generated.run("generate")
        assert_stopped(
            generated, run, "feeds/topics/other/rss.xml", "did not write it", "move it away"
        )
        assert generated.tree() == before
    (generated.feeds / "topics/other/rss.xml").rmdir()
    generated.generate("-q")
    assert generated.titles("topics/other") == ["Second", "Third"]


def test_feeds_whose_manifest_is_gone(generated: Site) -> None:
    (generated.feeds / ".feedpub.json").unlink()
    generated.write("records/third.md", record("Third", "topics: [Other]"))
    run = generated.run("generate", "-q")
    assert_stopped(generated, run, "did not write it", "feeds/.feedpub.json", "restore it")
    generated.feeds.rename(generated.root / "old")
    generated.generate("-q")
    assert generated.titles("topics/other") == ["Second", "Third"]


def test_a_feed_that_may_not_be_read_is_made_anew(generated: Site, unprivileged: list[str]) -> None:
    (generated.feeds / "rss.xml").chmod(0)
    generated.generate("-q", prefix=unprivileged)
    assert b"Second" in (generated.feeds / "rss.xml").read_bytes()


@pytest.mark.parametrize("what", ["terms", "terms/other.md"])
def test_a_taxonomy_that_may_not_be_read(
    generated: Site, unprivileged: list[str], what: str
) -> None:
    """Without it the feed would move to another address."""
    generated.write("config.yaml", CONFIG + "taxonomy: {topics: terms}\n")
    generated.write("terms/other.md", "---\nname: Other\n_id: elsewhere\n---\n")
    generated.generate("-q")
    before = generated.tree()
    assert "topics/elsewhere/rss.xml" in before
    mode = (generated.root / what).stat().st_mode
    (generated.root / what).chmod(0)
    try:
        run = generated.run("generate", "-q", "--full", prefix=unprivileged)
    finally:
        (generated.root / what).chmod(mode)
    assert_stopped(generated, run, f"{what}: the ", "Permission denied", "fix its permissions")
    assert generated.tree() == before


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"feedpub": 99, "items": 1, "files": {}}', '{"files": {}}', b"\xff\0"],
)
def test_a_manifest_that_cannot_be_understood(generated: Site, content: str | bytes) -> None:
    generated.write("feeds/.feedpub.json", content)
    before = generated.tree()
    assert_stopped(generated, generated.run("generate"), "feeds/.feedpub.json", "restore it")
    assert generated.tree() == before


def test_a_manifest_that_would_delete_what_is_not_below_the_output(generated: Site) -> None:
    precious = generated.write("precious.txt", "mine")
    manifest = json.loads((generated.feeds / ".feedpub.json").read_text())
    digest = hashlib.sha256(precious.read_bytes()).hexdigest()
    manifest["files"]["../precious.txt"] = {"sha256": digest}
    generated.write("feeds/.feedpub.json", json.dumps(manifest))
    assert_stopped(generated, generated.run("generate"), "../precious.txt")
    assert precious.read_text() == "mine"


def test_an_output_folder_that_may_not_be_written(generated: Site, unprivileged: list[str]) -> None:
    before = generated.tree()
    generated.write("records/third.md", record("Third"))
    generated.feeds.chmod(0o555)
    try:
        run = generated.run("generate", prefix=unprivileged)
    finally:
        generated.feeds.chmod(0o755)
    assert_stopped(generated, run, "feeds:", "Permission denied", "stands")
    assert generated.tree() == before


def test_a_report_that_cannot_be_written_is_said_before_anything_else(site: Site) -> None:
    run = site.run("generate", "--report", "nowhere/report.json")
    assert run.code in {1, 2}  # at any rate, not the code of a run that did its work
    assert "nowhere/report.json" in run.err
    assert "No such file or directory" in run.err
    assert not site.feeds.exists()


@pytest.fixture
def tiny_disk(site: Site) -> Iterator[None]:
    """The output folder on a disk of 200 KB."""
    if os.getuid():
        pytest.skip("only root can mount a tiny disk")
    site.feeds.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(site.feeds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no tiny disk can be mounted here: {done.stderr.strip()}")
    yield
    subprocess.run(["umount", "--lazy", str(site.feeds)], check=True)


@pytest.mark.usefixtures("tiny_disk")
def test_a_full_disk(site: Site) -> None:
    site.generate("-q")
    before = site.tree()
    big = site.write("records/big.md", record("Big", body="<p>much</p>" * 30_000))
    assert_stopped(site, site.run("generate"), "feeds:", "No space left on device", "stands")
    assert site.tree() == before
    big.unlink()
    site.generate("-q")
    assert site.tree() == before


def test_a_screen_that_is_full(site: Site) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            site.command("list", "records"),
            cwd=site.root,
            env=site.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr
    assert "internal error (" not in done.stderr


def test_a_reader_that_has_enough(site: Site) -> None:
    for n in range(2000):
        site.write(f"records/{n}.jsonl", f'{{"title": "Title {n}", "date": "2020-01-01"}}\n')
    command = f"{' '.join(site.command('list', 'records'))} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=site.root,
        env=site.environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.stdout.startswith("DATE")
    assert done.stderr == ""


# --- Signals, and two at once -----------------------------------------


@pytest.fixture
def busy(site: Site) -> Site:
    """A site whose next run writes some thousand files, all others than those of the last."""
    lines = (
        json.dumps({"title": f"Title {n}", "date": "2020-01-01", "id": f"{n}", "topics": [f"T{n}"]})
        for n in range(400)
    )
    site.write("records/many.jsonl", "\n".join(lines))
    site.generate("-q")
    site.configure("Test site", "Another title")
    return site


def wait_until(there: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + TIMEOUT
    while not there.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.001)
    assert process.poll() is None, process.communicate()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_run_that_is_stopped_leaves_the_tree(busy: Site, number: int, code: int) -> None:
    before = busy.tree()
    process = busy.start("generate")
    # Once the first feed is on the side, most of the work is still to come.
    wait_until(busy.feeds / ".feedpub-staging", process)
    process.send_signal(number)
    out, err = process.communicate(timeout=TIMEOUT)
    assert_stopped(
        busy, Run(process.returncode, out, err), "the published feeds are intact", code=code
    )
    assert "Traceback" not in out + err
    assert busy.tree() == before
    busy.generate("-q")
    assert b"Another title" in busy.tree()["rss.xml"]


def test_two_runs_at_once_do_not_spoil_each_other(busy: Site) -> None:
    first = busy.start("generate")
    wait_until(busy.feeds / ".feedpub-staging", first)
    second = busy.run("generate")
    out, err = first.communicate(timeout=TIMEOUT)
    # The second waits, or says that it cannot have the lock (75, EX_TEMPFAIL).
    assert (first.returncode, second.code) in {(0, 0), (0, 75)}, (out, err, second)
    left = busy.tree()
    fresh = busy.copy(busy.root.parent / "fresh", "feeds")
    fresh.generate("-q")
    assert left == fresh.tree()


# What happens in the first process that a run starts to help it, as soon as there is one.
HELPER = """
import os, pathlib, signal
helpers = 0
def count():
    global helpers
    helpers += 1
def begin():
    if helpers == 1:
        pathlib.Path("helper.pid").write_text(str(os.getpid()))
        {act}
os.register_at_fork(before=count, after_in_child=begin)
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def many(site: Site) -> Site:
    """A site with so many records that several processes parse them."""
    for n in range(1500):
        site.write(f"records/{n}.md", record(f"Title {n}", "topics: [A, B]", f"id: {n}"))
    return site


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_all_processes_of_a_run_stopped_at_once(many: Site, number: int, code: int) -> None:
    # As a terminal does it, or a service manager: the run and its helpers get the signal.
    many.hook = HELPER.format(act=f"os.killpg(0, {int(number)})")
    process = many.start("generate", "--jobs", "3")
    _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == code, err
    assert err.strip().splitlines()[1:] == []
    assert "the published feeds are intact" in err
    assert many.tree() == {}
    assert not is_running(int((many.root / "helper.pid").read_text()))


def test_a_helper_that_dies_takes_nothing_with_it(many: Site) -> None:
    many.generate("-q", "--jobs", "1")
    before = many.tree()
    many.hook = HELPER.format(act="os.kill(os.getpid(), signal.SIGKILL)")
    assert many.generate("-q", "--jobs", "3").text == ""
    assert (many.root / "helper.pid").exists()
    assert many.tree() == before


def test_good_record_is_good(site: Site) -> None:
    """What the other tests rest on: the record that must get through does, with nothing said."""
    site.write("records/good.md", GOOD)
    assert site.generate("-q").text == ""
    assert site.titles() == site.titles("topics/news") == site.titles("providers/someone")
