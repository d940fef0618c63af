"""Two runs at once: the second says so and ends, or waits as long as it is told to."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from .harness import TIMEOUT, Site, record, stamps

pytest.importorskip("fcntl", reason="the lock is the system's, as POSIX has it")

# Another run, as far as anybody can see: it has the lock until its stdin ends.
HOLDER = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(fd, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held(site: Site) -> Iterator[subprocess.Popen[str]]:
    """The lock on the output folder, held by another process."""
    site.feeds.mkdir(exist_ok=True)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(site.feeds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin
    assert holder.stdout
    try:
        assert holder.stdout.readline() == "locked\n"
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def release(holder: subprocess.Popen[str]) -> None:
    holder.communicate("", timeout=TIMEOUT)


@pytest.fixture
def changed(site: Site) -> Site:
    """A site after its first run, with something to do for the next."""
    site.generate("-q")
    site.write("records/new.md", record("New", "topics: [New]"))
    return site


@pytest.mark.parametrize("args", [(), ("-q",), ("--full",), ("--wait", "0")])
def test_a_second_run_ends_at_once(changed: Site, args: tuple[str, ...]) -> None:
    before = stamps(changed.root)
    with held(changed):
        start = time.monotonic()
        run = changed.run("generate", *args)
        assert time.monotonic() - start < 5
    assert run.code == 75
    assert run.out == ""
    [line] = run.err.splitlines()
    assert "another run is using feeds/" in line
    assert stamps(changed.root) == before
    changed.generate("-q")
    assert "topics/new/rss.xml" in changed.tree()


def test_a_run_that_waits_does_its_work_when_it_can(changed: Site) -> None:
    before = changed.tree()
    with held(changed) as holder:
        process = changed.start("generate", "-q", "--wait", "20")
        time.sleep(1.5)
        assert process.poll() is None, process.communicate()
        assert changed.tree() == before
        # What came while it waited is there for it, too.
        changed.write("records/later.md", record("Later", "topics: [Later]"))
        released = time.monotonic()
        release(holder)
        out, err = process.communicate(timeout=TIMEOUT)
        assert time.monotonic() - released < 10
    assert (process.returncode, out, err) == (0, "", "")
    assert {"topics/new/rss.xml", "topics/later/rss.xml"} <= changed.tree().keys()
    assert changed.generate("-q").text == ""
    assert changed.report()["feeds"]["written"] == 0


@pytest.mark.parametrize("seconds", ["0.5", "1"])
def test_a_run_waits_no_longer_than_it_is_told(changed: Site, seconds: str) -> None:
    before = stamps(changed.root)
    with held(changed):
        start = time.monotonic()
        run = changed.run("generate", "-q", "--wait", seconds)
        took = time.monotonic() - start
    assert run.code == 75
    assert "another run is using feeds/" in run.err
    assert float(seconds) <= took < float(seconds) + 5
    assert stamps(changed.root) == before


def test_a_run_that_need_not_wait_does_not(changed: Site) -> None:
    start = time.monotonic()
    changed.generate("-q", "--wait", "30")
    assert time.monotonic() - start < 10
    assert "topics/new/rss.xml" in changed.tree()


def test_the_lock_of_a_killed_process_is_none(changed: Site) -> None:
    with held(changed) as holder:
        assert changed.run("generate", "-q").code == 75
        holder.kill()
        holder.wait(TIMEOUT)
        changed.generate("-q")
    assert "topics/new/rss.xml" in changed.tree()


def test_a_waiting_run_takes_over_from_a_killed_one(changed: Site) -> None:
    with held(changed) as holder:
        process = changed.start("generate", "-q", "--wait", "30")
        time.sleep(0.5)
        holder.kill()
        assert process.communicate(timeout=TIMEOUT) == ("", "")
    assert process.returncode == 0
    assert "topics/new/rss.xml" in changed.tree()


@pytest.mark.parametrize("seconds", ["-1", "abc", "", "nan", "1h"])
def test_a_time_to_wait_that_is_none(changed: Site, seconds: str) -> None:
    before = stamps(changed.root)
    run = changed.run("generate", "--wait", seconds)
    assert run.code == 2
    assert "--wait" in run.err
    assert stamps(changed.root) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_waiting_run_can_be_stopped(changed: Site, number: int, code: int) -> None:
    before = stamps(changed.feeds)
    with held(changed):
        process = changed.start("generate", "--wait", "60")
        time.sleep(1.5)
        start = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=TIMEOUT)
        assert time.monotonic() - start < 3
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert "the published feeds are intact" in err
    assert stamps(changed.feeds) == before


def test_many_runs_at_once_that_wait_all_do_their_work(changed: Site) -> None:
    runs = [changed.start("generate", "-q", "--wait", "50") for _ in range(4)]
    ends = [process.communicate(timeout=TIMEOUT) for process in runs]
    assert [process.returncode for process in runs] == [0] * 4, ends
    assert ends == [("", "")] * 4
    fresh = changed.copy(changed.root.parent / "fresh", "feeds", ".feedpub")
    fresh.generate("-q")
    assert changed.tree() == fresh.tree()


def test_many_runs_at_once_that_do_not_wait(changed: Site) -> None:
    runs = [changed.start("generate", "-q") for _ in range(4)]
    ends = [process.communicate(timeout=TIMEOUT) for process in runs]
    codes = {process.returncode for process in runs}
    assert 0 in codes, ends
    assert codes <= {0, 75}, ends
    assert "topics/new/rss.xml" in changed.tree()
    assert changed.generate("-q").text == ""


def test_two_outputs_are_two_locks(changed: Site) -> None:
    config = (changed.root / "config.yaml").read_text()
    changed.write("other.yaml", config + "output: other\nstate: .other\n")
    with held(changed):
        assert changed.run("-c", "other.yaml", "generate", "-q").text == ""
    assert (changed.root / "other/rss.xml").exists()


def test_two_runs_at_once_with_one_memory(changed: Site) -> None:
    """Two configurations may share a memory, and be run by two lines of one crontab."""
    config = (changed.root / "config.yaml").read_text()
    for n in range(200):
        changed.write(f"records/{n}.md", record(f"Title {n}", f"topics: [T{n}]"))
    changed.write("other.yaml", config + "output: other\n")
    for n in range(3):
        changed.write("records/new.md", record(f"New {n}", "topics: [New]"))
        commands = (("generate", "-q"), ("-c", "other.yaml", "generate", "-q"))
        runs = [changed.start(*command) for command in commands]
        ends = [process.communicate(timeout=TIMEOUT) for process in runs]
        assert [process.returncode for process in runs] == [0, 0], ends
        assert "Traceback" not in "".join(out + err for out, err in ends)
        assert changed.titles("topics/new") == [f"New {n}"]
        tree = (changed.root / "other/topics/new/feed.json").read_bytes()
        assert f"New {n}".encode() in tree


def test_questions_do_not_wait_for_a_run(changed: Site) -> None:
    with held(changed):
        for command in ("generate --dry-run", "check", "list feeds", "explain records/new.md"):
            run = changed.run(*command.split())
            assert run.code == 0, run.text


def test_help_tells_of_waiting(site: Site) -> None:
    assert re.search(r"--wait SECONDS", site.run("generate", "--help").out)


def test_no_lock_file_is_left(changed: Site) -> None:
    changed.generate("-q", "--wait", "1")
    names = [name for _, _, files in os.walk(changed.root) for name in files]
    assert not [name for name in names if "lock" in name]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="helpers are forked, as POSIX can")
def test_a_run_that_was_killed_with_its_helpers_leaves_no_lock(site: Site) -> None:
    """The next one begins before the helpers have seen that they are alone."""
    for n in range(200):
        lines = [{"title": f"T {n}", "date": "2020-01-01", "id": f"{n}-{m}"} for m in range(100)]
        site.write(f"records/{n}.jsonl", "\n".join(map(json.dumps, lines)))
    for delay in (0.15, 0.2, 0.25, 0.3):
        killed = site.run("generate", "-q", "--full", "--jobs", "4", delay=delay)
        assert killed.code == -signal.SIGKILL
        assert site.run("generate", "-q", delay=0.4).code != 75
