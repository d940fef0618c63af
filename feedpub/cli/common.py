"""What all commands share: their options, and how results and messages are shown."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from feedpub.config import Config
    from feedpub.model import Problem

F = TypeVar("F", bound=Callable[..., Any])

EVERYTHING = "(everything)"  # what the feed at the root of the tree is called
MAX_PROBLEMS = 50  # in a run's messages; `check` prints all


class Common(NamedTuple):
    """The options that every command has."""

    config: str | None = None
    quiet: bool = False
    verbose: bool = False
    log_format: str = "text"
    debug: bool = False

    def load(self) -> Config:
        """The configuration; raises `ConfigError`."""
        from feedpub.config import find_config, load_config  # --version and --help need none

        return load_config(Path(self.config) if self.config else shortest(find_config(Path.cwd())))

    def say(self, text: str) -> None:
        """A message to the person who watches: not with --quiet."""
        if not self.quiet:
            self.message("info", text)

    def warn(self, text: str) -> None:
        """A message that is shown with --quiet, too."""
        self.message("warning", text)

    def message(self, level: str, text: str, **fields: Any) -> None:
        """A line to stderr, as text or as JSON."""
        if self.log_format == "json":
            text = json.dumps({"level": level, "message": text} | fields, ensure_ascii=False)
        click.echo(text, err=True)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Problems to stderr, the fatal ones first, at most `MAX_PROBLEMS`."""
        ordered = sorted(problems, key=lambda problem: not problem.fatal)
        for problem in ordered[:MAX_PROBLEMS]:
            level = "error" if problem.fatal else "warning"
            self.message(level, str(problem), **problem_fields(problem))
        if len(ordered) > MAX_PROBLEMS:
            self.warn(f"… and {len(ordered) - MAX_PROBLEMS} more: `feedpub check` names them all")


def problem_fields(problem: Problem) -> dict[str, Any]:
    """A problem as reports have it."""
    from feedpub.model import printable

    return {
        "path": printable(problem.path),
        "line": problem.line,
        "key": printable(problem.key),
        "what": printable(problem.what),
        "remedy": problem.remedy,
    }


def shortest(path: Path) -> Path:
    """A path as a person would write it from here."""
    relative = Path(os.path.relpath(path))
    return relative if len(relative.as_posix()) < len(path.as_posix()) else path


def common_options(command: F) -> F:
    """Adds the common options; the command gets them as one `Common`, the group's as defaults."""

    @click.option(
        "-c",
        "--config",
        metavar="FILE",
        help="Configuration; default: feedpub.yaml or config.yaml, here or above.",
    )
    @click.option("-q", "--quiet", is_flag=True, help="Say nothing but problems: what cron wants.")
    @click.option("-v", "--verbose", is_flag=True, help="Say more, with where the time went.")
    @click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        help="How messages on stderr are written.",
    )
    @click.option("--debug", is_flag=True, help="Show the traceback of a fault.")
    @click.pass_context
    @functools.wraps(command)
    def wrapped(
        ctx: click.Context,
        /,
        config: str | None,
        quiet: bool,
        verbose: bool,
        log_format: str | None,
        debug: bool,
        **options: Any,
    ) -> Any:
        above: Common = ctx.obj or Common()
        common = above._replace(
            config=config or above.config,
            quiet=quiet or above.quiet,
            verbose=verbose or above.verbose,
            log_format=log_format or above.log_format,
            debug=debug or above.debug,
        )
        if isinstance(ctx.command, click.Group):
            ctx.obj = common
            return command(**options)
        return command(common, **options)

    return wrapped  # type: ignore[return-value]  # click adds options to what it decorates


def as_of(text: str | None, zone: tzinfo = UTC) -> datetime:
    """Until when records count as published: --as-of, SOURCE_DATE_EPOCH, or now."""
    from feedpub.records.dates import DateError, parse_date

    if text:
        try:
            return parse_date(text, zone).utc
        except DateError as error:
            raise click.UsageError(
                f"--as-of: {error}; write it like 2026-01-31T09:30:00Z"
            ) from None
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        try:
            return datetime.fromtimestamp(int(epoch), UTC)
        except (ValueError, OverflowError, OSError):
            raise click.UsageError(
                f"SOURCE_DATE_EPOCH={epoch!r} is not a number of seconds; set it right, or unset it"
            ) from None
    return datetime.now(UTC)


def table(rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as aligned lines, without spaces at their ends; `right` are columns of numbers."""
    rows = [list(row) for row in rows]
    if not rows:
        return []
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if n in right else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def print_json(value: Any) -> None:
    """A result for programs, to stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
