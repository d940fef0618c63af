"""A map over several processes, for tasks and results that can be pickled.

Processes are forked, so they start in a millisecond with all modules loaded. The caller does
tasks, too. Results come in any order, each with its task's number, so nothing may depend on
their order.
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

from feedpub.signals import held_signals

T = TypeVar("T")
R = TypeVar("R")

# For fewer tasks a process costs more than it saves. A task should take some milliseconds.
MIN_TASKS = 4
_AHEAD = 2  # queued tasks of a process, so that it never waits
_PIPE_BYTES = 1024 * 1024  # so that a process can write its result without waiting


def usable_cpus() -> int:
    """The number of processors that this process may use, by affinity and cgroup quota."""
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
    """Results of `work` for each task, with the task's number, as they are finished.

    Tasks should be small; workers inherit large data with the memory of the caller. If a
    process dies, the caller does its tasks again, and gets the same error.
    """
    numbered = enumerate(tasks)
    first = list(itertools.islice(numbered, MIN_TASKS))
    if len(first) < MIN_TASKS or not hasattr(os, "fork"):
        processes = 1
    workers: list[_Worker[T, R]] = []
    try:
        for n, task in itertools.chain(first, numbered):
            alive = [worker for worker in workers if worker.alive]
            worker = min(alive, key=lambda worker: len(worker.tasks), default=None)
            # Another process if there is work for it and the system allows it.
            if (worker is None or worker.tasks) and len(workers) < processes - 1:
                try:
                    worker = _start(work, workers)
                except OSError:
                    processes = len(workers) + 1
            if worker is None or len(worker.tasks) >= _AHEAD:
                yield n, work(task)
            else:
                worker.give(n, task)
            for worker in workers:
                yield from worker.go_on(work)
        while busy := [worker for worker in workers if worker.tasks]:
            ordering = [worker.orders for worker in busy if worker.unsent]
            select.select([worker.results for worker in busy], ordering, [])
            for worker in busy:
                yield from worker.go_on(work)
    finally:
        for worker in workers:
            worker.end()


class _Worker(Generic[T, R]):
    """The caller's side of a process: its tasks and its results.

    Nothing here blocks on the process: while it waits for its result to be read, it reads no
    tasks.
    """

    def __init__(self, pid: int, orders: int, results: int) -> None:
        self.orders = orders
        self.results = results
        self.tasks: dict[int, T] = {}  # without a result so far
        self.unsent = bytearray()
        self.alive = True
        self._pid = pid
        self._unread = bytearray()

    def give(self, n: int, task: T) -> None:
        """Queues a task."""
        self.tasks[n] = task
        self.unsent += _packed((n, task))

    def go_on(self, work: Callable[[T], R]) -> Iterator[tuple[int, R]]:
        """Sends tasks and yields results; does the tasks of a dead process here."""
        # A dead process is detected by its closed results pipe.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            while self.unsent:
                del self.unsent[: os.write(self.orders, self.unsent)]
        while self.tasks and select.select([self.results], [], [], 0)[0]:
            data = os.read(self.results, _PIPE_BYTES)
            self._unread += data
            for n, result in self._unpack():
                del self.tasks[n]
                yield n, result
            if not data:
                self.alive = False
                self.unsent.clear()
                while self.tasks:
                    n, task = self.tasks.popitem()
                    yield n, work(task)

    def end(self) -> None:
        """Ends the process."""
        os.close(self.orders)
        os.close(self.results)
        # A program that feedpub is part of may reap all children, or ignore SIGCHLD.
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _unpack(self) -> Iterator[tuple[int, R]]:
        while len(self._unread) >= 8:
            length = int.from_bytes(self._unread[:8], "big")
            if len(self._unread) < 8 + length:
                return
            answer = self._unread[8 : 8 + length]
            del self._unread[: 8 + length]
            yield pickle.loads(answer)  # noqa: S301 - from a fork of this very process


def _start(work: Callable[[T], R], workers: list[_Worker[T, R]]) -> _Worker[T, R]:
    """Starts a worker; signals are held until it is registered, and handled by the caller.

    Raises `OSError` if the system has no more processes or pipes for us.
    """
    for stream in (sys.stdout, sys.stderr):  # else each process would write what is in them
        with contextlib.suppress(OSError, ValueError):
            if stream is not None:  # a process without a terminal may have none
                stream.flush()
    with held_signals():
        with contextlib.ExitStack() as ours:  # closes the pipes after an error
            ends: list[int] = []
            for _ in range(2):
                pipe = os.pipe()
                ends += pipe
                for end in pipe:
                    ours.callback(os.close, end)
            orders, giving, taking, results = ends
            pid = os.fork()
            if pid == 0:
                os.close(giving)
                os.close(taking)
                _serve(work, orders, results)
            workers.append(_Worker(pid, giving, taking))
            ours.pop_all()
        os.close(orders)
        os.close(results)
    for end in (giving, taking):
        _widen(end)
    os.set_blocking(giving, False)
    return workers[-1]


def _serve(work: Callable[[T], R], orders: int, results: int) -> NoReturn:
    """The loop of a worker process."""
    code = 1
    # After any error the caller does the remaining tasks, and raises the error itself.
    with contextlib.suppress(BaseException):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller handles Ctrl-C
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _die_with_caller(orders)
        with open(orders, "rb") as given:
            while length := int.from_bytes(given.read(8), "big"):
                n, task = pickle.loads(given.read(length))  # noqa: S301 - from our own parent
                answer = memoryview(_packed((n, work(task))))
                while answer:
                    answer = answer[os.write(results, answer) :]
        code = 0
    os._exit(code)


def _die_with_caller(orders: int) -> None:
    """Ends this worker when its caller is gone, even in the middle of a task.

    It holds the caller's lock on the output, and may write there.
    """

    def look(signum: int, frame: object) -> None:
        # A new poll object each time: the next task may interrupt this one.
        hangup = select.poll()
        hangup.register(orders, 0)
        if hangup.poll(0):
            os._exit(1)

    with contextlib.suppress(ImportError, AttributeError, OSError):  # then it ends after its task
        import fcntl

        signal.signal(signal.SIGIO, look)
        fcntl.fcntl(orders, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(orders, fcntl.F_GETFL)
        fcntl.fcntl(orders, fcntl.F_SETFL, flags | os.O_ASYNC)
        look(0, None)


def _packed(value: Any) -> bytes:
    """A value as it is sent through a pipe: length and pickle."""
    data = pickle.dumps(value, protocol=5)
    return len(data).to_bytes(8, "big") + data


def _widen(fd: int) -> None:
    try:
        import fcntl

        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return  # the default size, then
