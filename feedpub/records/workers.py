"""An ordered map over several processes, for work whose results are plain values.

Processes are forked, so they start in a millisecond with everything loaded;
the caller works along with them. The results come in the order of the items,
whatever the number of processes.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import select
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, NoReturn, TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Below this a process costs more than it brings.
MIN_ITEMS = 400
BATCH = 100  # items between two looks at the others
_PIPE_BYTES = 1024 * 1024  # so that a process need not wait until its batch is taken


class _Worker(NamedTuple):
    pid: int
    fd: int


def usable_cpus() -> int:
    """The processors that this process may really use: its affinity, and its cgroup's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(cpus, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or `max`: no quota
        return cpus


def map_ordered(work: Callable[[T], R], items: Sequence[T], processes: int) -> Iterator[R]:
    """`work` of each item, in order.

    A process that dies takes nothing with it: the caller does its part again,
    and meets whatever killed it.
    """
    if processes < 2 or len(items) < MIN_ITEMS or not hasattr(os, "fork"):
        yield from map(work, items)
        return
    # Item n is the work of process n % processes, 0 being the caller.
    workers: list[_Worker] = []
    try:
        for n in range(1, processes):
            _start(work, items[n::processes], workers)
        shares: list[_Share[R]] = [_Share(worker) for worker in workers]
        own: list[R] = []
        mine = items[0::processes]
        for start in range(0, len(mine), BATCH):
            own += map(work, mine[start : start + BATCH])
            for share in shares:
                share.take(wait=False)
        for n, share in enumerate(shares, start=1):
            share.take(wait=True)
            if len(share.results) < len(items[n::processes]):
                share.results[:] = map(work, items[n::processes])
        lists: list[list[R]] = [own, *(share.results for share in shares)]
        for n in range(len(items)):
            yield lists[n % processes][n // processes]
    finally:
        for worker in workers:
            os.kill(worker.pid, signal.SIGKILL)  # has done its work, or none will want it
            os.close(worker.fd)
            os.waitpid(worker.pid, 0)


def _start(work: Callable[[T], R], items: Sequence[T], workers: list[_Worker]) -> None:
    """Adds a worker; a signal waits until it is known of, and is for the caller to answer."""
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            os.close(reading)
            _serve(work, items, writing)
        workers.append(_Worker(pid, reading))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    os.close(writing)
    _widen(reading)


def _serve(work: Callable[[T], R], items: Sequence[T], writing: int) -> NoReturn:
    """The life of a worker: batches of results, each with its length before it."""
    code = 1
    # Whatever goes wrong, the caller does the rest, and meets the error itself.
    with contextlib.suppress(BaseException):
        with open(writing, "wb", buffering=0) as pipe:
            for start in range(0, len(items), BATCH):
                batch = pickle.dumps(list(map(work, items[start : start + BATCH])), protocol=5)
                data = memoryview(len(batch).to_bytes(8, "big") + batch)
                while data:
                    data = data[pipe.write(data) :]
        code = 0
    os._exit(code)


class _Share(Generic[R]):
    """What has come from one worker."""

    def __init__(self, worker: _Worker) -> None:
        self._fd = worker.fd
        self._buffer = bytearray()
        self._open = True
        self.results: list[R] = []

    def take(self, wait: bool) -> None:
        """Takes what is there; with `wait`, all that will come."""
        while self._open and (wait or select.select([self._fd], [], [], 0)[0]):
            data = os.read(self._fd, _PIPE_BYTES)
            self._open = bool(data)
            self._buffer += data
            self._unpack()

    def _unpack(self) -> None:
        while len(self._buffer) >= 8:
            length = int.from_bytes(self._buffer[:8], "big")
            if len(self._buffer) < 8 + length:
                return
            batch = self._buffer[8 : 8 + length]
            self.results += pickle.loads(batch)  # noqa: S301 - from a fork of this very process
            del self._buffer[: 8 + length]


def _widen(fd: int) -> None:
    try:
        import fcntl

        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return  # the pipe is as wide as it is
