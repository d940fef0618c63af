"""A map over several processes, for work whose tasks and results are plain values.

Processes are forked, so they start in a millisecond with everything loaded;
the caller works along with them. Tasks go to whoever is free, and results
come as they are done, each with its task's number: what is made of them must
not depend on their order.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import pickle
import select
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Below this many tasks a process costs more than it brings. A task should take some milliseconds.
MIN_TASKS = 4
_AHEAD = 2  # tasks that a process has at hand, so that it never waits for the next
_PIPE_BYTES = 1024 * 1024  # so that a process need not wait until its result is taken


def usable_cpus() -> int:
    """The processors that this process may really use: its affinity, and its cgroup's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(cpus, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or `max`: no quota
        return cpus


def map_tasks(
    work: Callable[[T], R], tasks: Iterable[T], processes: int
) -> Iterator[tuple[int, R]]:
    """`work` of each task, with the task's number, in the order in which they are done.

    Tasks must be small, some ten KB: what is large, workers inherit with the memory.
    A process that dies takes nothing with it: the caller does its tasks again,
    and meets whatever killed it.
    """
    numbered = enumerate(tasks)
    first = list(itertools.islice(numbered, MIN_TASKS))
    waiting = itertools.chain(first, numbered)
    if processes < 2 or len(first) < MIN_TASKS or not hasattr(os, "fork"):
        for n, task in waiting:
            yield n, work(task)
        return
    workers: list[_Worker[T, R]] = []
    try:
        for _ in range(processes - 1):
            _start(work, workers)
        for n, task in waiting:
            alive = [worker for worker in workers if worker.alive]
            freest = min(alive, key=lambda worker: len(worker.tasks), default=None)
            if freest is None or len(freest.tasks) >= _AHEAD or not freest.give(n, task):
                yield n, work(task)
            for worker in workers:
                yield from worker.take(work)
        while busy := [worker for worker in workers if worker.tasks]:
            select.select([worker.results for worker in busy], [], [])
            for worker in busy:
                yield from worker.take(work)
    finally:
        for worker in workers:
            worker.end()


class _Worker(Generic[T, R]):
    """The caller's end of a process: what it was given, and what has come from it."""

    def __init__(self, pid: int, orders: int, results: int) -> None:
        self.results = results
        self.tasks: dict[int, T] = {}  # given, and not answered
        self._pid = pid
        self._orders = orders
        self._buffer = bytearray()
        self.alive = True

    def give(self, n: int, task: T) -> bool:
        """Hands it a task; False if it has died."""
        try:
            _send(self._orders, (n, task))
        except OSError:
            self.alive = False  # and its tasks are done again when that is seen below
            return False
        self.tasks[n] = task
        return True

    def take(self, work: Callable[[T], R]) -> Iterator[tuple[int, R]]:
        """The results that have come; if it has died, its tasks are done here."""
        while self.tasks and select.select([self.results], [], [], 0)[0]:
            data = os.read(self.results, _PIPE_BYTES)
            self._buffer += data
            for n, result in self._unpack():
                del self.tasks[n]
                yield n, result
            if not data:
                self.alive = False
                while self.tasks:
                    n, task = self.tasks.popitem()
                    yield n, work(task)

    def end(self) -> None:
        """It has done its work, or none will want it."""
        os.close(self._orders)
        os.close(self.results)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)

    def _unpack(self) -> Iterator[tuple[int, R]]:
        while len(self._buffer) >= 8:
            length = int.from_bytes(self._buffer[:8], "big")
            if len(self._buffer) < 8 + length:
                return
            answer = self._buffer[8 : 8 + length]
            del self._buffer[: 8 + length]
            yield pickle.loads(answer)  # noqa: S301 - from a fork of this very process


def _start(work: Callable[[T], R], workers: list[_Worker[T, R]]) -> None:
    """Adds a worker; a signal waits until it is known of, and is for the caller to answer."""
    sys.stdout.flush()
    sys.stderr.flush()
    orders, giving = os.pipe()
    taking, results = os.pipe()
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            os.close(giving)
            os.close(taking)
            _serve(work, orders, results)
        workers.append(_Worker(pid, giving, taking))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    os.close(orders)
    os.close(results)
    for pipe in (giving, taking):
        _widen(pipe)


def _serve(work: Callable[[T], R], orders: int, results: int) -> NoReturn:
    """The life of a worker: a task, its result, the next task."""
    code = 1
    # Whatever goes wrong, the caller does the rest, and meets the error itself.
    with contextlib.suppress(BaseException):
        with open(orders, "rb") as given:
            while length := int.from_bytes(given.read(8), "big"):
                n, task = pickle.loads(given.read(length))  # noqa: S301 - from our own parent
                _send(results, (n, work(task)))
        code = 0
    os._exit(code)


def _send(fd: int, value: Any) -> None:
    data = pickle.dumps(value, protocol=5)
    view = memoryview(len(data).to_bytes(8, "big") + data)
    while view:
        view = view[os.write(fd, view) :]


def _widen(fd: int) -> None:
    try:
        import fcntl

        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return  # the pipe is as wide as it is
