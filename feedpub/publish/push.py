"""A push, told in order: look at what is there → plan → carry out → remember → tell the hubs."""

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
from feedpub.publish.remote import RemoteInspector
from feedpub.publish.retry import RetryPolicy, attempt_or_fail
from feedpub.publish.targets import TargetContext, fault_of, open_target
from feedpub.publish.tree import tree_of
from feedpub.publish.types import Action, Plan, Target

RACES = 5  # how often a push that another one overtook is planned anew
MAX_NAMED = 20  # files in a message
_PATIENCE = 5.0  # seconds that files on their way have to arrive when somebody ends the push
PushProgress = Callable[[str, int, int], None]


class PushOptions(NamedTuple):
    """What a push is asked for besides the configuration."""

    dry_run: bool = False
    delete: bool = True
    limit: Limit | None = None  # None: the target's
    force: bool = False
    wait: float = 0.0  # seconds to wait for another run on the same output
    retry: RetryPolicy = RetryPolicy()


class Result(NamedTuple):
    """What came of a push to one target."""

    name: str
    to: str  # without a password
    plan: Plan = Plan()
    done: Execution = Execution()
    error: str = ""  # why it is incomplete, "" if it is not
    remedy: str = ""
    seconds: float = 0.0
    dry_run: bool = False
    ping: bool = False
    is_all_there: bool = False  # files that should not be there any more may be, too
    tree: Mapping[str, str] = MappingProxyType({})  # path → SHA-256
    trace: str = ""  # of a fault of feedpub's own

    @property
    def is_complete(self) -> bool:
        """Whether the target now is as the tree."""
        return not self.error

    @property
    def changes(self) -> tuple[Action, ...]:
        """What is to be told of, once all files of the tree are there: nothing before."""
        if self.dry_run or (self.error and not self.is_all_there):
            return ()
        return (*self.plan.came, *self.done.actions)


def chosen(config: Config, names: Sequence[str]) -> dict[str, PushTarget]:
    """The targets of these names, all if there are none. Raises `ConfigError`."""
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
    """Brings the output tree to targets, all at once.

    Raises `RunError` if there is no tree, `LockedError` if another run works on it.
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
        # Files on their way arrive or do not, but none arrives in part; then the process may end.
        stop.set()
        wait(running, timeout=_PATIENCE)
        raise
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)


def tree_manifest(config: Config) -> Manifest:
    """The manifest of the output tree; raises `RunError` if there is none to be trusted."""
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
    """How many files of all targets are done."""

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
        """Never raises what one target alone is to blame for."""
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
            result = result._replace(error="it was ended before it was done")
        except Exception as error:
            # Other targets have nothing to do with it.
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
        retry, stop, force = self.options.retry, self.stop, self.options.force
        wanted = tree_of(self.config, self.settings, self.manifest)
        looker = RemoteInspector(target, self.config.output, retry, stop)
        there, found = looker.look({**wanted.files, **wanted.extras})
        free = [path for path, extra in wanted.extras.items() if looker.is_free(extra, there)]
        tree = wanted.with_extras(free)
        plan = make_plan(
            list(tree.values()),
            self.manifest.items,
            there,
            self._wishes(),
            target.can.headers,
            datetime.now(UTC),
            self.config.site.id,
        )
        result = result._replace(plan=plan)
        if there.remote and there.remote.site not in {"", self.config.site.id} and not force:
            return result._replace(
                plan=Plan(),
                error=f"the feeds of another site are there ({there.remote.site})",
                remedy=f"is it the right place, and site.id ({self.config.site.id}) as it was? "
                "--force takes it over",
            )
        if plan.foreign:
            what = f"{_number(plan.foreign)} in the way that feedpub did not put there"
            return result._replace(
                error=f"{what}: {named(plan.foreign)}",
                remedy="is it the right place? --force overwrites them",
            )
        if not self.options.dry_run and (plan.actions or plan.stale):
            self.counter.expect(len(plan.actions))
            executor = Executor(target, self.config.output, tree, retry, stop, self.counter.step)
            try:
                executor.carry_out(plan, found, force, _message(plan))
            except TargetError as error:
                if target.can.atomic:
                    raise  # nothing of it is seen
                return result._replace(done=executor.so_far, error=_said(error))
            result = result._replace(done=executor.so_far)
        if result.done.failures:
            return result._replace(
                error=f"{_number([f.path for f in result.done.failures])} could not be pushed",
                remedy="push again: what is missing is completed",
            )
        result = result._replace(is_all_there=True)
        if plan.refused:
            known = len(there.remote.files) if there.remote else 0
            what = f"{len(plan.refused):,} of {known:,} files would go"
            limit = self._wishes().limit
            return result._replace(
                error=f"{what}, and no more than {limit} may; none was deleted",
                remedy="if that is meant, push with --max-delete N or N%",
            )
        return result

    def _wishes(self) -> PushPolicy:
        return PushPolicy(
            limit=self.options.limit or self.settings.max_delete,
            delete=self.options.delete and self.settings.delete,
            force=self.options.force,
            grace=self.settings.grace,
        )


def named(paths: Sequence[str]) -> str:
    """Some of these paths, and how many more there are."""
    more = len(paths) - MAX_NAMED
    return ", ".join(paths[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _number(paths: Sequence[str]) -> str:
    return "1 file" if len(paths) == 1 else f"{len(paths):,} files"


def _said(error: TargetError) -> str:
    return str(error) or type(error).__name__


def _message(plan: Plan) -> str:
    """What a commit, or a deploy, is called."""
    return f"Publish feeds: {len(plan.puts):,} written, {len(plan.removals):,} removed"
