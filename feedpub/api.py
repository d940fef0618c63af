"""What `import feedpub` offers: the commands as functions (docs/library.md).

Nothing here prints or ends the process. Failures raise a `FeedpubError`.
Each function imports what it needs, so that the command line starts fast.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feedpub.errors import ConfigError
from feedpub.model import Feed, Problem

if TYPE_CHECKING:
    from feedpub.config import Config
    from feedpub.config.push import Limit
    from feedpub.publish.cdn import PurgeResult
    from feedpub.publish.hubs import PingResult
    from feedpub.publish.push import Result
    from feedpub.run.checking import CheckResult
    from feedpub.run.report import ProgressCallback, RunOutcome


class PushOutcome(NamedTuple):
    """What a push did."""

    results: Sequence[Result]  # by target
    pings: PingResult  # which hubs were notified
    purges: PurgeResult  # which CDNs were notified

    @property
    def is_complete(self) -> bool:
        """Whether every target now equals the output tree."""
        return all(result.is_complete for result in self.results)


def load_config(
    path: str | Path | None = None, *, environ: Mapping[str, str] | None = None
) -> Config:
    """Reads a configuration; None finds feedpub.yaml or config.yaml in this folder or above.

    `environ` has the variables that the file may use (default: those of the process). Raises
    `ConfigError`, which lists every mistake.
    """
    from feedpub import config as configuration

    found = configuration.find_config(Path.cwd()) if path is None else Path(path)
    return configuration.load_config(found, environ)


def generate(
    config: Config,
    *,
    as_of: datetime | None = None,
    unpublished: bool = False,
    allow_empty: bool = False,
    dry_run: bool = False,
    full: bool = False,
    jobs: int = 0,
    refresh_media: bool = False,
    wait: float = 0.0,
    progress: ProgressCallback | None = None,
) -> RunOutcome:
    """Turns the records into feeds in the output folder.

    Records dated after `as_of` (with a time zone; default: now) are left out. `jobs` is the number
    of worker processes; 0 uses all processors. `wait` is how many seconds to wait for another
    run. The other parameters are the options of `feedpub generate`.

    Records that cannot be used are listed in the outcome; they raise nothing. Raises `RunError`
    if the run could not finish (the existing feeds stay as they are) and `LockedError` if another
    run uses the same output; `ValueError` for an `as_of` without a time zone or negative `jobs`.
    """
    from feedpub.run import generate
    from feedpub.run.report import RunOptions, Watch

    if as_of is not None and as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone, such as datetime.UTC")
    if jobs < 0:
        raise ValueError("jobs must not be negative")
    options = RunOptions(
        as_of=as_of or now(),
        unpublished=unpublished,
        allow_empty=allow_empty,
        dry_run=dry_run,
        full=full,
        jobs=jobs,
        wait=wait,
        refresh_media=refresh_media,
    )
    return generate.generate(config, options, Watch(progress))


def check(config: Config, paths: str | Path | Sequence[str | Path] = ()) -> CheckResult:
    """Checks all records, including drafts, or only those at `paths`. Writes nothing.

    Raises `NotFoundError` for a path that does not exist, or if no source reads any of them.
    """
    from feedpub.run import checking
    from feedpub.run.report import RunOptions

    options = RunOptions(as_of=now(), unpublished=True)
    chosen = [paths] if isinstance(paths, (str, Path)) else paths
    return checking.check(config, options, [Path(path) for path in chosen])


def push(
    config: Config,
    targets: str | Sequence[str] = (),
    *,
    dry_run: bool = False,
    delete: bool = True,
    max_delete: int | str | Limit | None = None,
    force: bool = False,
    wait: float = 0.0,
    progress: ProgressCallback | None = None,
) -> PushOutcome:
    """Pushes the output tree to the targets with these names, or to all targets.

    Then notifies CDNs and hubs of the changes. `max_delete` is how many files may be deleted, as a
    number or as a share such as "20%" (default: the target's). A target that fails is listed in
    the outcome; it raises nothing. Raises `ConfigError` for an unknown target, `RunError` if there
    are no feeds, `LockedError`, and `ValueError` for another `max_delete`.
    """
    from feedpub.config.push import parse_limit
    from feedpub.publish import cdn, history, hubs
    from feedpub.publish.push import PushOptions, chosen
    from feedpub.publish.push import push as push_tree

    limit = parse_limit(str(max_delete)) if isinstance(max_delete, (int, str)) else max_delete
    if max_delete is not None and limit is None:
        raise ValueError(f"max_delete is not a number or a share such as 20%: {max_delete!r}")
    options = PushOptions(dry_run=dry_run, delete=delete, limit=limit, force=force, wait=wait)
    names = [targets] if isinstance(targets, str) else targets
    results = push_tree(config, chosen(config, names), options, progress or _ignore)
    if dry_run:
        return PushOutcome(results, hubs.PingResult(), cdn.PurgeResult())
    history.remember(config, results)
    # Hubs last: their subscribers fetch the feeds at once, through the CDN.
    purges = cdn.purge(config, results)
    return PushOutcome(results, hubs.tell(config, results, options.retry), purges)


def render(feed: Feed, format: str) -> bytes:
    """Renders a feed with its items as `rss`, `atom`, `json`, or a plugin's format.

    Nothing is checked or sanitized: content must be safe HTML, and URLs must be absolute.
    Raises `PluginError`, and `ValueError` if the feed has no link in that format.
    """
    from feedpub.formats import load_formats

    if format not in {link.format for link in feed.links}:
        raise ValueError(f"the feed has no link in the format {format!r}")
    (form,) = load_formats([format])
    return form.render_feed(feed, form.render_items(feed.items))


def now() -> datetime:
    """SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/), or the clock.

    Raises `ConfigError` if the variable is not a number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        what = f"{epoch!r} is not a number of seconds"
        problem = Problem("SOURCE_DATE_EPOCH", 0, "", what, "correct it or unset it")
        raise ConfigError([problem]) from None


def _ignore(step: str, done: int, total: int) -> None:
    """The callback of a push without one."""
