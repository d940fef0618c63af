"""What `import feedpub` offers: the commands as functions (docs/library.md).

Nothing here prints or ends the process. What fails raises a `FeedpubError`.
Each function imports what it needs: the command line, which is built on them,
must start fast.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
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
    from feedpub.run.checking import Checked
    from feedpub.run.report import Outcome

# A step's name, how much of it is done, and of how much (0: not known).
Progress = Callable[[str, int, int], None]


class Pushed(NamedTuple):
    """What came of a push."""

    results: Sequence[Result]  # by target
    pings: PingResult  # which hubs were told
    purges: PurgeResult  # which CDNs were told

    @property
    def is_complete(self) -> bool:
        """Whether every target now is as the output tree."""
        return all(result.is_complete for result in self.results)


def load_config(
    path: str | Path | None = None, *, environ: Mapping[str, str] | None = None
) -> Config:
    """Reads a configuration; None finds feedpub.yaml or config.yaml in this folder or above.

    `environ` has the variables that the file may name; None takes the process's. Raises
    `ConfigError`, which holds every mistake.
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
    progress: Progress | None = None,
) -> Outcome:
    """Turns the records into feeds in the output folder.

    Records dated after `as_of` are held back; None is now. `jobs` processes work at once, 0 is
    one for each processor. `wait` is how many seconds to wait for another run. The other
    parameters are the options of `feedpub generate`.

    Records that cannot be used are in the outcome, and raise nothing. Raises `RunError` if the
    run could not finish (the feeds that were there stand) and `LockedError` if another run works
    on the same output.
    """
    from feedpub.run import generate
    from feedpub.run.report import Options, Watch

    options = Options(
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


def check(config: Config, paths: Sequence[str | Path] = ()) -> Checked:
    """Every problem of the records, drafts included; of those at `paths` alone, if there are any.

    Writes nothing.
    """
    from feedpub.run import checking
    from feedpub.run.report import Options

    options = Options(as_of=now(), unpublished=True)
    return checking.check(config, options, [Path(path) for path in paths])


def push(
    config: Config,
    targets: Sequence[str] = (),
    *,
    dry_run: bool = False,
    delete: bool = True,
    limit: Limit | None = None,
    force: bool = False,
    wait: float = 0.0,
    progress: Progress | None = None,
) -> Pushed:
    """Brings the output tree to the targets of these names, to all of them if there are none.

    Then tells CDNs and hubs what has changed. `limit` is how many files may be deleted; None is
    the target's `max_delete`. A target that fails is in the outcome, and raises nothing. Raises
    `ConfigError` if there is no such target, `RunError` if there are no feeds, and `LockedError`.
    """
    from feedpub.publish import cdn, history, hubs
    from feedpub.publish.push import PushOptions, chosen
    from feedpub.publish.push import push as bring

    options = PushOptions(dry_run=dry_run, delete=delete, limit=limit, force=force, wait=wait)
    results = bring(config, chosen(config, targets), options, progress or _unseen)
    if dry_run:
        return Pushed(results, hubs.PingResult(), cdn.PurgeResult())
    history.remember(config, results)
    # The hubs last: who is told by them asks at once.
    purges = cdn.purge(config, results)
    return Pushed(results, hubs.tell(config, results, options.retry), purges)


def render(feed: Feed, format: str) -> bytes:
    """A feed with its items as a document: `rss`, `atom`, `json`, or a plugin's format.

    What is in the feed is published as it is: content must be safe HTML, and addresses absolute.
    Raises `PluginError`, and `ValueError` if the feed has no address in that format.
    """
    from feedpub.formats import load_formats

    if format not in {link.format for link in feed.links}:
        raise ValueError(f"the feed has no link in the format {format!r}")
    (form,) = load_formats([format])
    return form.render_feed(feed, form.render_items(feed.items))


def now() -> datetime:
    """SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/), or the clock.

    Raises `ConfigError` if that variable is no time.
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


def _unseen(step: str, done: int, total: int) -> None:
    """Progress that nobody wants to see."""
