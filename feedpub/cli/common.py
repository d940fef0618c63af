"""Shared by all commands: common options, and how results and messages are printed."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, TypeVar

import click

from feedpub.api import now

if TYPE_CHECKING:
    from feedpub.config import Config
    from feedpub.model import Problem

F = TypeVar("F", bound=Callable[..., Any])

EVERYTHING = "(everything)"  # the name of the feed at the root of the tree
MAX_PROBLEMS = 50  # that a run prints; `check` prints all


class Common(NamedTuple):
    """The options that every command has."""

    config: str | None = None
    quiet: bool = False
    verbose: bool = False
    log_format: str = "text"
    debug: bool = False

    def load(self) -> Config:
        """Loads the configuration; raises `ConfigError`."""
        from feedpub.config import find_config, load_config  # --version and --help need none

        return load_config(Path(self.config) if self.config else shortest(find_config(Path.cwd())))

    def say(self, text: str) -> None:
        """Prints a message, except with --quiet."""
        if not self.quiet:
            self.message("info", text)

    def warn(self, text: str) -> None:
        """Prints a message, also with --quiet."""
        self.message("warning", text)

    def message(self, level: str, text: str, **fields: Any) -> None:
        """Prints a line to stderr, as text or as JSON."""
        if self.log_format == "json":
            text = json.dumps({"level": level, "message": text} | fields, ensure_ascii=False)
        else:
            text = fit(text, sys.stderr)
        click.echo(text, err=True)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Prints problems to stderr, fatal ones first, at most `MAX_PROBLEMS`."""
        ordered = sorted(problems, key=lambda problem: not problem.fatal)
        for problem in ordered[:MAX_PROBLEMS]:
            level = "error" if problem.fatal else "warning"
            self.message(level, str(problem), **problem_fields(problem))
        if len(ordered) > MAX_PROBLEMS:
            self.warn(f"… and {len(ordered) - MAX_PROBLEMS} more; run `feedpub check` to see all")


def problem_fields(problem: Problem) -> dict[str, Any]:
    """A problem as a dictionary, as in reports."""
    from feedpub.model import escape_unprintable

    return {
        "path": escape_unprintable(problem.path),
        "line": problem.line,
        "key": escape_unprintable(problem.key),
        "what": escape_unprintable(problem.what),
        "remedy": problem.remedy,
    }


def shortest(path: Path) -> Path:
    """The path, or its relative form if that is shorter."""
    relative = Path(os.path.relpath(path))
    return relative if len(relative.as_posix()) < len(path.as_posix()) else path


def common_options(command: F) -> F:
    """Adds the common options; the command gets them as one `Common`, the group's as defaults."""

    @click.option(
        "-c",
        "--config",
        metavar="FILE",
        help="Configuration file; default: feedpub.yaml or config.yaml in this folder or above.",
    )
    @click.option("-q", "--quiet", is_flag=True, help="Print problems only; use it in cron.")
    @click.option(
        "-v", "--verbose", is_flag=True, help="Print details, such as the time of each stage."
    )
    @click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        help="Format of messages on stderr.",
    )
    @click.option("--debug", is_flag=True, help="Show tracebacks of internal errors.")
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
    """The time until which records count as published: --as-of, SOURCE_DATE_EPOCH, or now."""
    from feedpub.records.dates import DateError, parse_date

    if text:
        try:
            return parse_date(text, zone).utc
        except DateError as error:
            raise click.UsageError(
                f"--as-of: {error}; write it like 2026-01-31T09:30:00Z"
            ) from None
    return now()


def table(rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as aligned lines; the columns in `right` are aligned to the right."""
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


def fit(text: str, stream: TextIO, indent: str = "  ") -> str:
    """A text that is wrapped between words if `stream` is a terminal, else as it is."""
    if not stream.isatty() or len(text) <= (width := columns(stream)):
        return text
    import textwrap  # only long messages need it

    return textwrap.fill(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def columns(stream: TextIO) -> int:
    """The width of a terminal; 80 if it is not known."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def print_json(value: Any) -> None:
    """Prints a value as JSON to stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
