"""Work done in several processes is the work, all of it, once."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedpub.parallel import MIN_TASKS, map_tasks, usable_cpus

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
PARENT = os.getpid()


def whose(task: int) -> int:
    """Who does a task that takes a moment."""
    time.sleep(0.005)
    return os.getpid()


def assert_no_children() -> None:
    """No fork is at work, and none waits to be buried; what other tests started is no fork."""
    lists = Path("/proc/self/task").glob("*/children")
    children = [pid for pids in lists for pid in pids.read_text().split()]
    assert [pid for pid in children if is_fork(Path("/proc", pid))] == []


def is_fork(process: Path) -> bool:
    """Whether it is this program still; one that has ended has a name, and no command line."""
    own = Path("/proc/self")
    lines = {b"", (own / "cmdline").read_bytes()}
    same_name = (process / "comm").read_bytes() == (own / "comm").read_bytes()
    return same_name and (process / "cmdline").read_bytes() in lines


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the listing is one of them


@pytest.mark.parametrize("processes", [0, 1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, MIN_TASKS - 1, MIN_TASKS, 100])
def test_every_task_is_done_once_however_many_do_them(processes: int, count: int) -> None:
    tasks = [f"task {n}" for n in range(count)]
    done = list(map_tasks(str.upper, tasks, processes))
    assert sorted(done) == [(n, f"TASK {n}") for n in range(count)]
    assert_no_children()


def test_several_processes_share_the_work() -> None:
    shares = Counter(pid for _, pid in map_tasks(whose, range(60), 3))
    assert len(shares) == 3
    assert PARENT in shares
    assert max(shares.values()) < 40


@pytest.mark.parametrize(("tasks", "processes"), [(MIN_TASKS - 1, 4), (50, 1), (50, 0)])
def test_little_work_starts_no_process(tasks: int, processes: int) -> None:
    assert {pid for _, pid in map_tasks(whose, range(tasks), processes)} == {PARENT}


def test_large_results_come_whole() -> None:
    """Larger than a pipe is wide, so they come in pieces."""
    done = list(map_tasks(lambda n: bytes([n]) * 3_000_000, range(8), 3))
    assert {n: (len(data), set(data)) for n, data in done} == {
        n: (3_000_000, {n}) for n in range(8)
    }


def test_large_tasks_and_large_results_do_not_wait_for_each_other() -> None:
    tasks = [bytes([n]) * 2_000_000 for n in range(12)]
    done = dict(map_tasks(lambda task: task + task[:1_000_000], tasks, 4))
    assert {n: len(data) for n, data in done.items()} == dict.fromkeys(range(12), 3_000_000)
    assert all(set(data) == {n} for n, data in done.items())


def test_no_more_processes_are_started_than_there_is_work_for() -> None:
    assert len({pid for _, pid in map_tasks(whose, range(5), 40)}) <= 5


@pytest.mark.parametrize("name", ["fork", "pipe"])
@pytest.mark.parametrize("allowed", [0, 2])
def test_a_system_that_gives_no_more_processes(
    monkeypatch: pytest.MonkeyPatch, name: str, allowed: int
) -> None:
    """A limit on processes or on open files makes a run slower, and does not end it."""
    real, calls = getattr(os, name), itertools.count()

    def limited() -> object:
        if next(calls) >= allowed:
            raise OSError(11, "Resource temporarily unavailable")
        return real()

    files = open_files()
    monkeypatch.setattr(os, name, limited)
    assert sorted(map_tasks(abs, range(50), 7)) == [(n, n) for n in range(50)]
    assert_no_children()
    assert open_files() == files


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they end after their task")
def test_processes_die_with_the_caller_in_the_middle_of_a_task() -> None:
    """They hold its lock on the output: the next run is not to wait for them."""
    alive, told = os.pipe()
    caller = os.fork()
    if caller == 0:
        os.close(alive)

        def work(task: int) -> None:
            os.write(told, b".")
            end = time.monotonic() + 30
            while time.monotonic() < end:
                pass

        list(map_tasks(work, range(50), 4))
        os._exit(0)
    os.close(told)
    for _ in range(4):
        os.read(alive, 1)  # all are at work
    os.kill(caller, signal.SIGKILL)
    os.waitpid(caller, 0)
    killed = time.monotonic()
    assert os.read(alive, 1) == b""  # nobody is there any more who could write
    os.close(alive)
    assert time.monotonic() - killed < 10


def unhurried(task: int) -> int:
    """Who does a task; towards the end the caller gives a busy machine time to run the others."""
    if os.getpid() == PARENT and task >= 2000 and not task % 100:
        time.sleep(0.02)
    return os.getpid()


def test_many_small_orders_do_not_end_a_process() -> None:
    """Each order is a signal, and the next may come while the last is looked at."""
    for _ in range(20):
        shares = Counter(pid for _, pid in map_tasks(lambda task: os.getpid(), range(3000), 3))
        assert len(shares) == 3
        last = dict(map_tasks(unhurried, range(3000), 3))
        assert {last[n] for n in range(2000, 3000)} - {PARENT}


def deadly(task: int) -> int:
    """Task 3 kills whoever does it, but for the process that all began in."""
    if task == 3 and os.getpid() != PARENT:
        os.kill(os.getpid(), signal.SIGKILL)
    return task * task


@pytest.mark.parametrize("processes", [2, 3, 7])
def test_a_process_that_is_killed_takes_nothing_with_it(processes: int) -> None:
    done = list(map_tasks(deadly, range(100), processes))
    assert sorted(done) == [(n, n * n) for n in range(100)]
    assert_no_children()


def test_when_all_processes_are_killed_the_caller_does_it_all() -> None:
    def work(task: int) -> int:
        if os.getpid() != PARENT:
            os.kill(os.getpid(), signal.SIGKILL)
        return task

    assert sorted(map_tasks(work, range(50), 4)) == [(n, n) for n in range(50)]
    assert_no_children()


def test_the_others_go_on_when_one_is_killed() -> None:
    def work(task: int) -> int:
        deadly(task + 3)
        return whose(task)

    shares = Counter(pid for _, pid in map_tasks(work, range(90), 3))
    assert shares[PARENT] < 75


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("task", [0, 5, 99])
def test_an_error_reaches_the_caller(processes: int, task: int) -> None:
    def work(n: int) -> int:
        if n == task:
            raise ValueError(f"task {n}")
        return n

    with pytest.raises(ValueError, match=f"^task {task}$"):
        list(map_tasks(work, range(100), processes))
    assert_no_children()


def test_an_error_of_whoever_makes_the_tasks_reaches_the_caller() -> None:
    def tasks() -> Iterator[int]:
        yield from range(10)
        raise KeyError("no more")

    with pytest.raises(KeyError):
        list(map_tasks(abs, tasks(), 3))
    assert_no_children()


@pytest.mark.parametrize("processes", [1, 4])
def test_tasks_may_be_without_end_for_who_takes_a_few(processes: int) -> None:
    made: list[int] = []

    def tasks() -> Iterator[int]:
        for n in itertools.count():
            made.append(n)
            yield n

    files = open_files()
    results = map_tasks(abs, tasks(), processes)
    taken = list(itertools.islice(results, 20))
    results.close()
    assert len(taken) == 20
    assert len(made) < 60  # those that were taken, and what each process had at hand
    assert_no_children()
    assert open_files() == files


def test_no_process_is_left_when_the_caller_fails() -> None:
    def caller() -> None:
        for _ in map_tasks(whose, range(100), 3):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        caller()
    assert_no_children()


def test_the_processors_are_those_that_may_be_used() -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("there is no affinity here")
    before = os.sched_getaffinity(0)
    assert 1 <= usable_cpus() <= len(before)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert usable_cpus() == 1
    finally:
        os.sched_setaffinity(0, before)
