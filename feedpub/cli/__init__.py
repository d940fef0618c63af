"""The command line: one module for each command, imported when the command runs.

Here belong options, exit codes, and everything that prints or reads the terminal. What a command
does belongs in `feedpub.run` or `feedpub.publish`.
"""

from __future__ import annotations

import gc

# A run creates many values but almost no reference cycles. Collecting them costs 5% of its time.
gc.disable()

import contextlib
import importlib
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from feedpub.version import VERSION
from feedpub.cli.common import Common, common_options, fit, problem_fields
from feedpub.errors import ConfigError, FeedpubError, LockedError, NotFoundError, PushError

# command → one line of help, so that `--help` does not import every command.
# The module of `list` takes that name in this package: do not call the built-in `list` here.
COMMANDS = {
    "init": "Write a configuration for an existing site, or start a new one.",
    "generate": "Generate the feeds from the records.",
    "check": "Report every problem in the configuration and the records.",
    "explain": "Explain which feeds a record is in, or what a feed contains.",
    "list": "List topics, providers, feeds or records.",
    "push": "Publish the feeds to static hosts.",
    "status": "Show when feeds were generated and pushed, and what differs now.",
    "ids": "Import item ids from another tool's feed, or record the current ids.",
    "schema": "Print the JSON Schema of config.yaml, a record, feeds.json or _feedpub.",
}


# Promised to scripts (docs/cli.md). Any other error ends with 1.
_EXIT_CODES: dict[type[FeedpubError], int] = {
    ConfigError: 2,
    NotFoundError: 2,
    PushError: 4,
    LockedError: 75,  # EX_TEMPFAIL of sysexits.h
}


class _Terminated(BaseException):
    """The process received SIGTERM or SIGHUP; `signum` is the signal."""

    def __init__(self, signum: int) -> None:
        self.signum = signum


class _Interrupted(BaseException):
    """The user pressed Ctrl-C."""


class _Commands(click.Group):
    """A group that imports a command when it is needed."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # click would print an empty line
            raise _Interrupted from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"feedpub.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from feedpub.config.readers import nearest

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"There is no command {args[0]!r}; {nearest(args[0], [*COMMANDS])}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    no_args_is_help=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Examples:\n\n"
    "\b\n"
    "  feedpub init blog && cd blog && feedpub generate\n"
    "  feedpub generate -q                 # for cron: prints problems only\n"
    "  feedpub explain records/a-post.md   # which feeds is it in, and why?\n",
)
@click.option(
    "--version",
    "show_version",
    is_flag=True,
    help="Show the version and exit; with -v also details for a bug report.",
)
@common_options
def cli(show_version: bool) -> None:
    """Publish records with YAML front matter as RSS, Atom and JSON feeds.

    feedpub reads records (articles, videos, episodes, downloads) and writes a
    feed of everything, of each topic and of each provider into a folder.
    """
    ctx = click.get_current_context()
    if show_version:
        common: Common = ctx.obj
        click.echo(f"feedpub {VERSION}")
        if common.verbose:
            from feedpub.cli.version import details

            click.echo("\n".join(details(common.config)))
        ctx.exit()
    if ctx.invoked_subcommand is None:
        ctx.fail("Missing command.")


def main() -> NoReturn:
    """Runs a command and ends the process with the documented exit code."""
    for name in ("SIGTERM", "SIGHUP"):
        signum = getattr(signal, name, None)  # not every system has both
        if signum and signal.getsignal(signum) is not signal.SIG_IGN:  # nohup
            signal.signal(signum, _terminated)
    try:
        result = cli.main(standalone_mode=False)  # an exit code if the command raised Exit
        if sys.stdout is not None:  # it is None if the shell closed it
            sys.stdout.flush()
        code = result if isinstance(result, int) else 0
    except (_Interrupted, KeyboardInterrupt, click.Abort):
        _complain("interrupted; the published feeds are intact")
        code = 130
    except _Terminated as end:
        _complain("terminated; the published feeds are intact")
        code = 128 + end.signum
    except BrokenPipeError:
        code = 0  # the reader, such as head, has closed the pipe
    except click.UsageError as error:
        _show_usage(error)
        code = 2
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        code = _explain(error)
    _leave(code)


def _show_usage(error: click.UsageError) -> None:
    """Prints a mistake in the command line, with the usage of the command."""
    if _wants_json():
        _complain(error.format_message())
        return
    if error.ctx:
        path = error.ctx.command_path
        click.echo(f"{error.ctx.get_usage()}\nTry '{path} --help' for help.\n", err=True)
    _complain(f"Error: {error.format_message()}")


def _explain(error: Exception) -> int:
    """Prints what went wrong, and returns the exit code."""
    if isinstance(error, ConfigError):
        for problem in error.problems:
            _complain(str(problem), **problem_fields(problem))
        return _EXIT_CODES[ConfigError]
    if isinstance(error, FeedpubError):
        _complain(f"feedpub: {error}")
        return next((code for kind, code in _EXIT_CODES.items() if isinstance(error, kind)), 1)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        _complain(f"feedpub: {error.strerror}{where}; fix this and run feedpub again")
        return 1
    _complain(
        f"feedpub: internal error ({type(error).__name__}: {error}); the published feeds are "
        "intact. Run again with --debug, and report the traceback"
    )
    return 1


def _wants_json() -> bool:
    """Whether messages must be JSON, even before the options were parsed."""
    return "--log-format=json" in sys.argv or "--log-format json" in " ".join(sys.argv)


def _complain(text: str, **fields: Any) -> None:
    if _wants_json():
        import json

        text = json.dumps({"level": "error", "message": text} | fields, ensure_ascii=False)
    else:
        text = fit(text, sys.stderr)
    click.echo(text, err=True)


def _leave(code: int) -> NoReturn:
    """Ends the process without freeing its values one by one, which takes 20% of a run."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.flush()
    os._exit(code)


def _terminated(signum: int, frame: FrameType | None) -> None:
    signal.signal(signum, signal.SIG_IGN)  # once is enough; cleaning up must not be interrupted
    raise _Terminated(signum)
