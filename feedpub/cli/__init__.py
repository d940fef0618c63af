"""The command line: one module a command, loaded when it is called."""

from __future__ import annotations

import gc

# A run makes many values and next to no cycles: looking for them costs a twentieth of its time.
gc.disable()

import contextlib
import importlib
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from feedpub import __version__
from feedpub.cli.common import Common, common_options, problem_fields
from feedpub.errors import ConfigError, FeedpubError

# command → one line of help: `--help` must not load all the modules to say what they do
COMMANDS = {
    "init": "Make a configuration for a site that you have, or for a new one.",
    "generate": "Turn the records into feeds.",
    "check": "Name every problem of the configuration and the records.",
    "explain": "Say why a record is in which feeds, or what a feed holds.",
    "list": "List topics, providers, feeds or records.",
    "push": "Bring the feeds to static hosts.",
    "status": "Say what was generated and pushed when, and what differs now.",
    "ids": "Keep the ids of items: import another tool's, or freeze today's.",
    "schema": "Print the JSON Schema of config.yaml, a record, feeds.json or _feedpub.",
}


class _Terminated(BaseException):
    """Somebody wants the process to end; `signum` says how."""

    def __init__(self, signum: int) -> None:
        self.signum = signum


class _Interrupted(BaseException):
    """Somebody pressed Ctrl-C."""


class _Commands(click.Group):
    """A group that imports a command when it is used."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # click would answer it with an empty line
            raise _Interrupted from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"feedpub.cli.{cmd_name}_")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from feedpub.config.readers import nearest

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"There is no command {args[0]!r}; {nearest(args[0], list(COMMANDS))}")
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
    "  feedpub generate -q                 # from cron: says nothing but problems\n"
    "  feedpub explain records/a-post.md   # why is it not in the feed?\n",
)
@click.option(
    "--version",
    "show_version",
    is_flag=True,
    help="Show the version and exit; with -v also what a bug report needs.",
)
@common_options
def cli(show_version: bool) -> None:
    """Publish records with YAML front matter as RSS, Atom and JSON feeds.

    feedpub groups records (articles, videos, episodes, downloads) by topic and
    provider and writes a feed for each of them into a folder.
    """
    ctx = click.get_current_context()
    if show_version:
        common: Common = ctx.obj
        click.echo(f"feedpub {__version__}")
        if common.verbose:
            from feedpub.cli.version import details

            click.echo("\n".join(details(common.config)))
        ctx.exit()
    if ctx.invoked_subcommand is None:
        ctx.fail("Missing command.")


def main() -> NoReturn:
    """The process: runs a command, and ends with the exit code that is promised."""
    for name in ("SIGTERM", "SIGHUP"):
        signum = getattr(signal, name, None)  # not everywhere are both
        if signum and signal.getsignal(signum) is not signal.SIG_IGN:  # nohup
            signal.signal(signum, _terminated)
    try:
        result = cli.main(standalone_mode=False)  # an exit code, where a command raised Exit
        sys.stdout.flush()
        code = result if isinstance(result, int) else 0
    except click.UsageError as error:
        if _wants_json():
            _complain(error.format_message())
        else:
            error.show()
        code = 2
    except (_Interrupted, KeyboardInterrupt, click.Abort):
        _complain("interrupted; the last good output stands")
        code = 130
    except _Terminated as end:
        _complain("terminated; the last good output stands")
        code = 128 + end.signum
    except FeedpubError as error:
        if "--debug" in sys.argv:
            raise
        if isinstance(error, ConfigError):
            for problem in error.problems:
                _complain(str(problem), **problem_fields(problem))
        else:
            _complain(f"feedpub: {error}")
        code = error.exit_code
    except BrokenPipeError:
        code = 0  # whoever read the output (head, say) has enough
    except OSError as error:
        if "--debug" in sys.argv:
            raise
        where = f" ({error.filename})" if error.filename else ""
        _complain(f"feedpub: {error.strerror}{where}; mend that and run again")
        code = 1
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        _complain(
            f"feedpub: a fault of feedpub's own ({type(error).__name__}: {error}); "
            "the last good output stands. Run again with --debug and report what it prints"
        )
        code = 1
    _leave(code)


def _wants_json() -> bool:
    """Whether messages are to be JSON: also those about options that could not be read."""
    return "--log-format=json" in sys.argv or "--log-format json" in " ".join(sys.argv)


def _complain(text: str, **fields: Any) -> None:
    if _wants_json():
        import json

        text = json.dumps({"level": "error", "message": text} | fields, ensure_ascii=False)
    click.echo(text, err=True)


def _leave(code: int) -> NoReturn:
    """Ends the process without taking all its values apart first: that costs a fifth of a run."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def _terminated(signum: int, frame: FrameType | None) -> None:
    signal.signal(signum, signal.SIG_IGN)  # once is enough: what follows tidies up
    raise _Terminated(signum)
