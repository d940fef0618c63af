"""A plan → a target, many files at once, in the plan's order, so that a cut leaves no damage."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

from feedpub.output.manifest import MANIFEST_NAME
from feedpub.publish.manifest import MANIFEST_HEADERS
from feedpub.publish.retry import GaveUp, Retry, attempt, surely
from feedpub.publish.types import (
    NEW,
    Action,
    Conflict,
    FileError,
    Found,
    Headers,
    Local,
    Plan,
    Target,
    TargetError,
    Upload,
)

MAX_IN_A_ROW = (
    8  # files that failed after all attempts, none between that did not: the host is down
)
Step = Callable[[], None]


class Failure(NamedTuple):
    """A file that could not be brought or taken away, and why."""

    path: str
    what: str


class Done(NamedTuple):
    """What came of a plan."""

    actions: tuple[Action, ...] = ()  # that were done
    failures: tuple[Failure, ...] = ()
    waiting: tuple[str, ...] = ()  # that were not tried, since something before them failed
    size: int = 0  # bytes that were sent, the manifest's aside


def body_of(output: Path, local: Local) -> bytes:
    """A file of the tree as it is sent. Raises `FileError` if it is not what its manifest says."""
    if local.data is not None:
        return local.data
    try:
        data = (output / local.path).read_bytes()
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror})") from None
    if hashlib.sha256(data).hexdigest() != local.sha256:
        raise FileError("it is not what feedpub wrote; run `feedpub generate` first")
    return encoded(data, local.headers)


def encoded(data: bytes, headers: Headers) -> bytes:
    """Bytes in the encoding that their headers promise; the same for the same bytes."""
    return gzip.compress(data, 9, mtime=0) if "Content-Encoding" in headers else data


class Executor:
    """Carries out one plan on one target."""

    def __init__(
        self,
        target: Target,
        output: Path,
        tree: Mapping[str, Local],
        retry: Retry,
        stop: threading.Event,
        step: Step,
    ) -> None:
        """`stop` ends it at the next file; `step` is called after each."""
        self.target = target
        self.output = output
        self.tree = tree
        self.retry = retry
        self.stop = stop
        self.step = step
        self.done: list[Action] = []
        self.failures: list[Failure] = []
        self.waiting: list[str] = []
        self.size = 0
        self._in_a_row = 0

    def carry_out(self, plan: Plan, there: Found | None, force: bool, message: str) -> Done:
        """Does all of a plan that can be done.

        `there` is the manifest that the plan was made from. Raises `TargetError` if the target
        cannot be used (any more), `Conflict` if another push was faster, `Stopped`.
        """
        version = there.version if there else ""
        if plan.actions and not self.target.can.atomic:
            version = self._swap(plan.interim, version)
        with ThreadPoolExecutor(self.target.can.jobs, "push") as pool:
            for kind, actions in itertools.groupby(plan.puts, lambda action: action.kind):
                todo = list(actions)
                if kind == "catalogues" and self.failures:
                    # They may name what could not be brought there.
                    self.waiting += [action.path for action in todo]
                    continue
                self._all(pool, todo, lambda action: self._put(action, force))
            if self.failures:
                self.waiting += [action.path for action in plan.deletes]
            elif plan.deletes:
                self._check_mine(version)
                self._all(pool, plan.deletes, self._delete)
        if not self.failures and plan.stale:
            self._swap(plan.final, version)
        if not self.failures and (plan.actions or plan.stale):
            surely(lambda _: self.target.finish(message), self.retry, self.stop)
        return Done(tuple(self.done), tuple(self.failures), tuple(self.waiting), self.size)

    def _all(
        self, pool: ThreadPoolExecutor, actions: Iterable[Action], do: Callable[[Action], int]
    ) -> None:
        """Does actions that may be done in any order; raises what makes the rest pointless."""
        todo = iter(actions)
        running: dict[Future[int], Action] = {}
        try:
            while True:
                for action in itertools.islice(todo, self.target.can.jobs * 2 - len(running)):
                    running[pool.submit(do, action)] = action
                if not running:
                    return
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    self._take(running.pop(future), future)
        except BaseException:
            for future in running:
                future.cancel()
            raise

    def _take(self, action: Action, future: Future[int]) -> None:
        try:
            self.size += future.result()
        except FileError as error:
            self.failures.append(Failure(action.path, str(error)))
            self._in_a_row += isinstance(error, GaveUp)
            if self._in_a_row >= MAX_IN_A_ROW:
                raise TargetError(f"{error}; so did {MAX_IN_A_ROW - 1} files before") from None
        else:
            self._in_a_row = 0
            self.done.append(action)
        self.step()

    def _put(self, action: Action, force: bool) -> int:
        local = self.tree[action.path]
        data = body_of(self.output, local)
        upload = Upload(local.path, data, local.headers, action.reason == NEW and not force)

        def put(tried: int) -> None:
            try:
                self.target.put(upload)
            except FileError:
                # An attempt before this one may have come through, and its answer been lost.
                found = self.target.read(local.path) if tried and upload.new else None
                if not found or found.data != data:
                    raise

        attempt(put, self.retry, self.stop)
        return len(data)

    def _delete(self, action: Action) -> int:
        attempt(lambda _: self.target.delete(action.path), self.retry, self.stop)
        return 0

    def _swap(self, data: bytes, version: str) -> str:
        upload = Upload(MANIFEST_NAME, data, MANIFEST_HEADERS)

        def swap(tried: int) -> str:
            try:
                return self.target.swap(upload, version)
            except Conflict:
                found = self.target.read(MANIFEST_NAME) if tried else None
                if not found or found.data != data:
                    raise
                return found.version

        return surely(swap, self.retry, self.stop)

    def _check_mine(self, version: str) -> None:
        """Nothing may be deleted that another push has taken over meanwhile."""
        if self.target.can.atomic:
            return
        found = surely(lambda _: self.target.read(MANIFEST_NAME), self.retry, self.stop)
        if not found or found.version != version:
            raise Conflict("another push is at work there; nothing was deleted")
