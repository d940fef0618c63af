"""One push to some targets: inspect each target, make a plan, execute it.

What happens after it (history, CDN, hubs) is in `feedpub/api.py`.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from feedpub.config import Config, PushTarget
from feedpub.config.push import Limit, without_password
from feedpub.errors import ConfigError, RunError
from feedpub.model import Problem, escape_unprintable
from feedpub.output.manifest import MANIFEST_NAME, Manifest, ManifestError, read_manifest
from feedpub.output.tree import locked
from feedpub.publish.errors import ConflictError, StoppedError, TargetError
from feedpub.publish.execute import Execution, Executor
from feedpub.publish.plan import PushPolicy, make_plan
from feedpub.publish.remote import RemoteInspector, RemoteState
from feedpub.publish.retry import RetryPolicy, attempt_or_fail
from feedpub.publish.targets import TargetContext, fault_of, open_target
from feedpub.publish.tree import tree_of
from feedpub.publish.types import Action, Plan, Target

RACES = 5  # attempts, if another push changes an atomic target in the meantime
MAX_NAMED = 20  # files that a message lists
_PATIENCE = 5.0  # seconds that running uploads may take after the push was stopped
PushProgress = Callable[[str, int, int], None]


class PushOptions(NamedTuple):
    """Options of one push, besides the configuration."""

    dry_run: bool = False
    delete: bool = True
    limit: Limit | None = None  # None: the limit of the target's settings
    force: bool = False
    wait: float = 0.0  # seconds to wait for another run on the same output
    retry: RetryPolicy = RetryPolicy()


class Result(NamedTuple):
    """The result of a push to one target."""

    name: str
    to: str  # without a password
    plan: Plan = Plan()
    done: Execution = Execution()
    error: str = ""  # why the push is incomplete, "" if it is complete
    remedy: str = ""
    seconds: float = 0.0
    dry_run: bool = False
    ping: bool = False
    is_all_there: bool = False  # all files of the tree; obsolete files may be left
    tree: Mapping[str, str] = MappingProxyType({})  # path → SHA-256
    trace: str = ""  # of an internal error

    @property
    def is_complete(self) -> bool:
        """Whether the target has exactly the files of the tree."""
        return not self.error

    @property
    def changes(self) -> tuple[Action, ...]:
        """What CDN and hubs need to know; nothing before all files of the tree are there."""
        if self.dry_run or (self.error and not self.is_all_there):
            return ()
        return (*self.plan.done_before, *self.done.actions)


def chosen(config: Config, names: Sequence[str]) -> dict[str, PushTarget]:
    """The targets with these names, all targets without names. Raises `ConfigError`."""
    targets = config.settings.push
    shown = config.shown(config.path)
    if not targets:
        remedy = "add one, like push: {production: {to: 'file:///var/www/feeds'}}; see docs/push.md"
        raise ConfigError([Problem(shown, 0, "push", "there is no target to push to", remedy)])
    for name in names:
        if name not in targets:
            remedy = f"write one of: {', '.join(targets)}"
            raise ConfigError([Problem(shown, 0, "push", f"there is no target {name!r}", remedy)])
    return {name: targets[name] for name in (names or targets)}


def push(
    config: Config, targets: dict[str, PushTarget], options: PushOptions, progress: PushProgress
) -> list[Result]:
    """Pushes the output tree to all of these targets at once.

    Raises `RunError` if there is no tree, `LockedError` if another run uses it.
    """
    if options.dry_run:
        return _all(config, targets, options, progress)
    with locked(config.output, config.shown(config.output), options.wait):
        return _all(config, targets, options, progress)


def _all(
    config: Config, targets: dict[str, PushTarget], options: PushOptions, progress: PushProgress
) -> list[Result]:
    manifest = tree_manifest(config)
    stop = threading.Event()
    counter = _Counter(progress)
    pool = ThreadPoolExecutor(len(targets), "target")
    running: list[Future[Result]] = [
        pool.submit(_Push(config, name, target, manifest, options, stop, counter).run)
        for name, target in targets.items()
    ]
    try:
        return [future.result() for future in running]
    except BaseException:
        # No file is ever uploaded in part, so the process may end while uploads are running.
        stop.set()
        wait(running, timeout=_PATIENCE)
        raise
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)


def tree_manifest(config: Config) -> Manifest:
    """The manifest of the output tree; raises `RunError` if it is missing or damaged."""
    shown = config.shown(config.output)
    try:
        manifest = read_manifest(config.output)
    except ManifestError as error:
        raise RunError(
            f"{shown}/{MANIFEST_NAME} cannot be understood ({error}); run `feedpub generate`"
        ) from None
    if manifest is None:
        raise RunError(f"{shown}/ holds no feeds; run `feedpub generate` first")
    return manifest


class _Counter:
    """Counts finished files over all targets."""

    def __init__(self, progress: PushProgress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._done = self._total = 0

    def expect(self, total: int) -> None:
        with self._lock:
            self._total += total

    def step(self) -> None:
        with self._lock:
            self._done += 1
            self._progress("push", min(self._done, self._total), self._total)


class _Push:
    """The push to one target."""

    def __init__(
        self,
        config: Config,
        name: str,
        settings: PushTarget,
        manifest: Manifest,
        options: PushOptions,
        stop: threading.Event,
        counter: _Counter,
    ) -> None:
        self.config = config
        self.name = name
        self.settings = settings
        self.manifest = manifest
        self.options = options
        self.stop = stop
        self.counter = counter
        self.place = TargetContext(
            name, settings, config.root, config.state / "push", config.output
        )

    def run(self) -> Result:
        """Pushes. Errors of this target are in the result; nothing is raised for them."""
        start = time.monotonic()
        shown = without_password(self.settings.to)
        result = Result(
            self.name,
            shown,
            dry_run=self.options.dry_run,
            ping=self.settings.ping,
            tree=self.manifest.files,
        )
        try:
            result = self._run(result)
        except TargetError as error:
            result = result._replace(error=_said(error))
        except StoppedError:
            result = result._replace(error="the push was stopped")
        except (Exception, SystemExit) as error:  # a plugin may raise that
            # The other targets go on.
            what = fault_of(self.place.address.scheme, error)
            trace = "".join(traceback.format_exception(error))
            result = result._replace(error=what, remedy="please report it", trace=trace)
        failures = tuple(
            failure._replace(what=escape_unprintable(self.place.scrub(failure.what)))
            for failure in result.done.failures
        )
        return result._replace(
            error=escape_unprintable(self.place.scrub(result.error)),
            done=result.done._replace(failures=failures),
            seconds=time.monotonic() - start,
        )

    def _run(self, result: Result) -> Result:
        for race in range(RACES):
            target = attempt_or_fail(
                lambda _: open_target(self.place), self.options.retry, self.stop
            )
            try:
                return self._attempt(target, result)
            except ConflictError:
                if not target.can.atomic or race + 1 == RACES:
                    raise
            finally:
                target.close()
        raise AssertionError("unreachable")

    def _attempt(self, target: Target, result: Result) -> Result:
        retry, stop = self.options.retry, self.stop
        wanted = tree_of(self.config, self.settings, self.manifest)
        inspector = RemoteInspector(target, self.config.output, retry, stop)
        state, found = inspector.inspect({**wanted.files, **wanted.extras})
        free = [path for path, extra in wanted.extras.items() if inspector.is_free(extra, state)]
        tree = wanted.with_extras(free)
        plan = make_plan(
            list(tree.values()),
            self.manifest.items,
            state,
            self._policy(),
            target.can.headers,
            datetime.now(UTC),
            self.config.site.id,
        )
        result = result._replace(plan=plan)
        if refused := self._refused(result, state):
            return refused
        if not self.options.dry_run and (plan.actions or plan.manifest_changed):
            self.counter.expect(len(plan.actions))
            executor = Executor(target, self.config.output, tree, retry, stop, self.counter.step)
            try:
                executor.carry_out(plan, found, self.options.force, _message(plan))
            except TargetError as error:
                if target.can.atomic:
                    raise  # nothing was published
                return result._replace(done=executor.outcome, error=_said(error))
            result = result._replace(done=executor.outcome)
        return self._judged(result, state)

    def _refused(self, result: Result, state: RemoteState) -> Result | None:
        """A result that says why the plan may not be executed, None if it may."""
        site = self.config.site.id
        if self.options.force:
            return None
        if state.remote and state.remote.site not in {"", site}:
            return result._replace(
                plan=Plan(),
                error=f"the target holds the feeds of another site ({state.remote.site})",
                remedy=f"check the address and site.id ({site}); --force replaces them",
            )
        if foreign := result.plan.foreign:
            what = f"{_number(foreign)} that feedpub did not write would be overwritten"
            return result._replace(
                error=f"{what}: {named(foreign)}",
                remedy="check the address; --force overwrites them",
            )
        return None

    def _judged(self, result: Result, state: RemoteState) -> Result:
        """The result after the plan was executed: what is missing, or was not deleted."""
        if failures := result.done.failures:
            return result._replace(
                error=f"{_number([failure.path for failure in failures])} could not be pushed",
                remedy="push again to complete it",
            )
        result = result._replace(is_all_there=True)
        if refused := result.plan.refused:
            known = len(state.remote.files) if state.remote else 0
            limit = self._policy().limit
            return result._replace(
                error=f"{len(refused):,} of {known:,} files would be deleted, more than "
                f"max_delete ({limit}) allows; none was deleted",
                remedy="to delete them, push with --max-delete N or N%",
            )
        return result

    def _policy(self) -> PushPolicy:
        return PushPolicy(
            limit=self.options.limit or self.settings.max_delete,
            delete=self.options.delete and self.settings.delete,
            force=self.options.force,
            grace=self.settings.grace,
        )


def named(paths: Sequence[str]) -> str:
    """The first paths, and the number of the others."""
    more = len(paths) - MAX_NAMED
    return ", ".join(paths[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _number(paths: Sequence[str]) -> str:
    return "1 file" if len(paths) == 1 else f"{len(paths):,} files"


def _said(error: TargetError) -> str:
    return str(error) or type(error).__name__


def _message(plan: Plan) -> str:
    """The message of a commit or a deploy."""
    return f"Publish feeds: {len(plan.puts):,} written, {len(plan.removals):,} removed"
