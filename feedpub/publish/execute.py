"""Executes a plan on a target: many files at once, in an order that is safe to interrupt."""

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

# Consecutive files that failed after all retries: then the host counts as down.
MAX_IN_A_ROW = 8
_MARK_ATTEMPTS = 5  # attempts to mark the manifest after a lost race
Step = Callable[[], None]


class FailedFile(NamedTuple):
    """A file that could not be uploaded or deleted, and why."""

    path: str
    what: str


class Execution(NamedTuple):
    """What was done of a plan."""

    actions: tuple[Action, ...] = ()  # successful ones
    failures: tuple[FailedFile, ...] = ()
    waiting: tuple[str, ...] = ()  # not tried, because something before them failed
    size: int = 0  # bytes uploaded, without the manifest


def _is_same_result(theirs: ManifestEntry | None, mine: ManifestEntry) -> bool:
    """Whether another push leaves a file with the same content and headers."""
    return theirs is not None and mine.next == (theirs.next or (theirs.sha256, theirs.headers))


class Executor:
    """Executes one plan on one target."""

    def __init__(
        self,
        target: Target,
        output: Path,
        tree: Mapping[str, LocalFile],
        retry: RetryPolicy,
        stop: threading.Event,
        step: Step,
    ) -> None:
        """`stop` stops it before the next file; `step` is called after each file."""
        self.target = target
        self.output = output
        self.tree = tree
        self.retry = retry
        self.stop = stop
        self.step = step
        self.done: list[Action] = []
        self.failures: list[FailedFile] = []
        self.waiting: list[str] = []
        self.size = 0
        self._in_a_row = 0

    @property
    def outcome(self) -> Execution:
        """What was done until now; of an atomic target nothing, if a file failed."""
        if self.target.can.atomic and self.failures:
            return Execution((), tuple(self.failures), tuple(self.waiting))
        return Execution(tuple(self.done), tuple(self.failures), tuple(self.waiting), self.size)

    def carry_out(self, plan: Plan, there: RemoteFile | None, force: bool, message: str) -> None:
        """Does as much of a plan as is possible; failures of single files are in `outcome`.

        `there` is the manifest that the plan is based on. Raises `TargetError` if the target
        cannot be used, `ConflictError` if another push changed it, `StoppedError`.
        """
        version = there.version if there else ""
        if plan.actions and not self.target.can.atomic:
            version = self._put_manifest(plan.interim, version)
        try:
            self._do(plan, version, force)
        except ConflictError:
            self._mark_as_contested(plan)
            raise
        if not self.failures and (plan.actions or plan.manifest_changed):
            attempt_or_fail(lambda _: self.target.commit(message), self.retry, self.stop)

    def _do(self, plan: Plan, version: str, force: bool) -> None:
        """Uploads and deletes; `version` is that of the interim manifest."""
        with ThreadPoolExecutor(self.target.can.jobs, "push") as pool:
            if plan.clearing:
                self._check_manifest(version)
                self._group(pool, plan.clearing, self._delete)
            for kind, actions in itertools.groupby(plan.puts, lambda action: action.kind):
                todo = list(actions)
                if kind in {"host", "catalogues"} and self.failures:
                    # They may refer to a file that is missing.
                    self.waiting += [action.path for action in todo]
                    continue
                self._group(pool, todo, lambda action: self._put(action, force))
            if self.failures:
                self.waiting += [action.path for action in plan.deletes]
            elif plan.deletes:
                self._check_manifest(version)
                self._group(pool, plan.deletes, self._delete)
        if not self.failures and (plan.actions or plan.manifest_changed):
            self._put_manifest(plan.final, version)

    def _group(
        self, pool: ThreadPoolExecutor, actions: Iterable[Action], do: Callable[[Action], int]
    ) -> None:
        """Does actions in any order, and waits for all: later actions depend on them.

        Raises errors of the whole target.
        """
        done, size = len(self.done), self.size
        try:
            self._all(pool, actions, do)
            faults = attempt_or_fail(lambda _: self.target.flush(), self.retry, self.stop)
        except (TargetError, StoppedError):
            if self.target.can.gathers:
                # The target has not confirmed any of them.
                del self.done[done:]
                self.size = size
            raise
        if faults:
            self.failures += [FailedFile(path, str(error)) for path, error in faults.items()]
            self.size -= sum(action.size for action in self.done if action.path in faults)
            self.done = [action for action in self.done if action.path not in faults]

    def _all(
        self, pool: ThreadPoolExecutor, actions: Iterable[Action], do: Callable[[Action], int]
    ) -> None:
        """Does actions in any order; an error of the whole target is raised after those running."""
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
            self.failures.append(FailedFile(action.path, str(error)))
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
                # An earlier attempt may have succeeded, and only its answer was lost.
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

    def _mark_as_contested(self, plan: Plan) -> None:
        """Marks the manifest of the push that won a race as incomplete.

        It gets entries for what this push uploaded, so that the next push compares all files,
        and removes what is obsolete.
        """
        if self.target.can.atomic or not self.done:
            return
        mine = read_remote(plan.interim).files
        uploaded = [action.path for action in self.done if action.do == "put"]
        with contextlib.suppress(TargetError, StoppedError):
            for _ in range(_MARK_ATTEMPTS):
                found = attempt_or_fail(
                    lambda _: self.target.read(MANIFEST_NAME), self.retry, self.stop
                )
                theirs = read_remote(found.data) if found else RemoteManifest()
                files = dict(theirs.files)
                uploaded = [p for p in uploaded if not _is_same_result(files.get(p), mine[p])]
                if not uploaded:
                    return
                for path in uploaded:
                    files[path] = files.get(path, ManifestEntry())._replace(next=mine[path].next)
                word = theirs._replace(files=files, is_complete=False).to_bytes()
                with contextlib.suppress(ConflictError):
                    self._put_manifest(word, found.version if found else "")
                    return

    def _check_manifest(self, version: str) -> None:
        """Raises `ConflictError` if another push changed the manifest: then nothing is deleted."""
        if self.target.can.atomic:
            return
        found = attempt_or_fail(lambda _: self.target.read(MANIFEST_NAME), self.retry, self.stop)
        if not found or found.version != version:
            raise ConflictError("another push is running there; nothing was deleted")
