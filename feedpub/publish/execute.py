"""A plan → a target, many files at once, in the plan's order, so that a cut leaves no damage."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

from feedpub.output.manifest import MANIFEST_NAME
from feedpub.publish.body import Body
from feedpub.publish.errors import ConflictError, FileError, GaveUpError, StoppedError, TargetError
from feedpub.publish.remote import MANIFEST_HEADERS, ManifestEntry, RemoteManifest, read_remote
from feedpub.publish.retry import RetryPolicy, attempt, attempt_or_fail
from feedpub.publish.tree import body_of
from feedpub.publish.types import NEW, Action, LocalFile, Plan, RemoteFile, Target, Upload

# Files that failed after all attempts, none between that did not: the host is down.
MAX_IN_A_ROW = 8
_WORDS = 5  # how often a push that lost a race tries to say so
Step = Callable[[], None]


class Failure(NamedTuple):
    """A file that could not be brought or taken away, and why."""

    path: str
    what: str


class Execution(NamedTuple):
    """What came of a plan."""

    actions: tuple[Action, ...] = ()  # that were done
    failures: tuple[Failure, ...] = ()
    waiting: tuple[str, ...] = ()  # that were not tried, since something before them failed
    size: int = 0  # bytes that were sent, the manifest's aside


def _would_be_same(theirs: ManifestEntry | None, mine: ManifestEntry) -> bool:
    """Whether another push leaves a file as this one did."""
    return theirs is not None and mine.next == (theirs.next or (theirs.sha256, theirs.headers))


class Executor:
    """Carries out one plan on one target."""

    def __init__(
        self,
        target: Target,
        output: Path,
        tree: Mapping[str, LocalFile],
        retry: RetryPolicy,
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

    @property
    def so_far(self) -> Execution:
        """What came of it until now."""
        if self.target.can.atomic and self.failures:
            return Execution((), tuple(self.failures), tuple(self.waiting))  # nothing of it is seen
        return Execution(tuple(self.done), tuple(self.failures), tuple(self.waiting), self.size)

    def carry_out(self, plan: Plan, there: RemoteFile | None, force: bool, message: str) -> None:
        """Does all of a plan that can be done.

        `there` is the manifest that the plan was made from. Raises `TargetError` if the target
        cannot be used (any more), `ConflictError` if another push was faster, `StoppedError`.
        """
        version = there.version if there else ""
        if plan.actions and not self.target.can.atomic:
            version = self._put_manifest(plan.interim, version)
        try:
            self._do(plan, version, force)
        except ConflictError:
            self._leave_word(plan)
            raise
        if not self.failures and (plan.actions or plan.stale):
            attempt_or_fail(lambda _: self.target.commit(message), self.retry, self.stop)

    def _do(self, plan: Plan, version: str, force: bool) -> None:
        """Everything between the first manifest and the end; `version` is that manifest's."""
        with ThreadPoolExecutor(self.target.can.jobs, "push") as pool:
            if plan.clearing:
                self._check_mine(version)
                self._group(pool, plan.clearing, self._delete)
            for kind, actions in itertools.groupby(plan.puts, lambda action: action.kind):
                todo = list(actions)
                if kind in {"host", "catalogues"} and self.failures:
                    # They may name what could not be brought there.
                    self.waiting += [action.path for action in todo]
                    continue
                self._group(pool, todo, lambda action: self._put(action, force))
            if self.failures:
                self.waiting += [action.path for action in plan.deletes]
            elif plan.deletes:
                self._check_mine(version)
                self._group(pool, plan.deletes, self._delete)
        if not self.failures and (plan.actions or plan.stale):
            self._put_manifest(plan.final, version)

    def _group(
        self, pool: ThreadPoolExecutor, actions: Iterable[Action], do: Callable[[Action], int]
    ) -> None:
        """Does actions that may be done in any order, to their end: what comes next builds on it.

        Raises what makes the rest pointless.
        """
        done, size = len(self.done), self.size
        try:
            self._all(pool, actions, do)
            faults = attempt_or_fail(lambda _: self.target.flush(), self.retry, self.stop)
        except (TargetError, StoppedError):
            if self.target.can.gathers:
                # Whatever of it is there, nobody has said so.
                del self.done[done:]
                self.size = size
            raise
        if faults:
            self.failures += [Failure(path, str(error)) for path, error in faults.items()]
            self.size -= sum(action.size for action in self.done if action.path in faults)
            self.done = [action for action in self.done if action.path not in faults]

    def _all(
        self, pool: ThreadPoolExecutor, actions: Iterable[Action], do: Callable[[Action], int]
    ) -> None:
        """Does actions that may be done in any order.

        Raises what makes the rest pointless, once those on their way have ended.
        """
        todo = iter(actions)
        running: dict[Future[int], Action] = {}
        fault: TargetError | None = None
        while True:
            for action in itertools.islice(todo, self.target.can.jobs * 2 - len(running)):
                running[pool.submit(do, action)] = action
            if not running:
                break
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                try:
                    self._take(running.pop(future), future)
                except TargetError as error:
                    fault = fault or error
            if fault:
                todo = iter(())
                running = {future: a for future, a in running.items() if not future.cancel()}
        if fault:
            raise fault

    def _take(self, action: Action, future: Future[int]) -> None:
        try:
            self.size += future.result()
        except FileError as error:
            self.failures.append(Failure(action.path, str(error)))
            self._in_a_row += isinstance(error, GaveUpError)
            if self._in_a_row >= MAX_IN_A_ROW:
                raise TargetError(f"{error}; so did {MAX_IN_A_ROW - 1} files before") from None
        else:
            self._in_a_row = 0
            self.done.append(action)
        self.step()

    def _put(self, action: Action, force: bool) -> int:
        local = self.tree[action.path]
        body = body_of(self.output, local)
        is_new = action.reason == NEW and not force
        upload = Upload(local.path, body, local.headers, is_new, local.is_made)

        def put(tried: int) -> None:
            try:
                self.target.put(upload)
            except FileError:
                # An attempt before this one may have come through, and its answer been lost.
                found = self.target.read(local.path) if tried and upload.new else None
                if not found or not body.is_equal(found.data):
                    raise

        attempt(put, self.retry, self.stop)
        return body.size

    def _delete(self, action: Action) -> int:
        attempt(lambda _: self.target.delete(action.path), self.retry, self.stop)
        return 0

    def _put_manifest(self, data: bytes, version: str) -> str:
        upload = Upload(MANIFEST_NAME, Body(data), MANIFEST_HEADERS)

        def put_if_match(tried: int) -> str:
            try:
                return self.target.put_if_match(upload, version)
            except ConflictError:
                found = self.target.read(MANIFEST_NAME) if tried else None
                if not found or found.data != data:
                    raise
                return found.version

        return attempt_or_fail(put_if_match, self.retry, self.stop)

    def _leave_word(self, plan: Plan) -> None:
        """Has the next push compare: it cannot know whose files are there after a race.

        The faster push's manifest then also names what this one brought, so that nothing of
        it is left without an owner.
        """
        if self.target.can.atomic or not self.done:
            return
        mine = read_remote(plan.interim).files
        brought = [action.path for action in self.done if action.do == "put"]
        with contextlib.suppress(TargetError, StoppedError):
            for _ in range(_WORDS):
                found = attempt_or_fail(
                    lambda _: self.target.read(MANIFEST_NAME), self.retry, self.stop
                )
                theirs = read_remote(found.data) if found else RemoteManifest()
                files = dict(theirs.files)
                brought = [p for p in brought if not _would_be_same(files.get(p), mine[p])]
                if not brought:
                    return
                for path in brought:
                    files[path] = files.get(path, ManifestEntry())._replace(next=mine[path].next)
                word = theirs._replace(files=files, sure=False).to_bytes()
                with contextlib.suppress(ConflictError):
                    self._put_manifest(word, found.version if found else "")
                    return

    def _check_mine(self, version: str) -> None:
        """Nothing may be deleted that another push has taken over meanwhile."""
        if self.target.can.atomic:
            return
        found = attempt_or_fail(lambda _: self.target.read(MANIFEST_NAME), self.retry, self.stop)
        if not found or found.version != version:
            raise ConflictError("another push is at work there; nothing was deleted")
