"""`feedpub check`: every problem, and nothing written."""

from __future__ import annotations

import os
from pathlib import Path

import click

from feedpub.cli.common import Common, common_options
from feedpub.cli.common import as_of as moment
from feedpub.model import Problem
from feedpub.records.scan import FoundFile
from feedpub.stages.inspect import group, lacks_of_podcasts, read_records, read_terms
from feedpub.stages.outcome import Options


@click.command(
    "check",
    epilog="Examples:\n\n"
    "\b\n"
    "  feedpub check                      # the configuration and all records\n"
    "  feedpub check records/a-post.md    # one record\n"
    "  feedpub check records/2026         # the records of a folder\n",
)
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@common_options
def command(common: Common, paths: tuple[str, ...]) -> None:
    """Name every problem of the configuration and the records.

    Prints a line for each, `path:line: key: what; what to do`, and writes
    nothing. Ends with 3 if there was any. With PATHs, only the records there.
    """
    config = common.load()
    wanted = [_absolute(path) for path in paths]
    for path in wanted:
        if not path.exists():
            raise click.UsageError(f"there is no {path.name}; mend the path")

    def only(found: FoundFile) -> bool:
        file = _absolute(found.file)
        return any(file == path or path in file.parents for path in wanted)

    problems: list[Problem] = []
    terms = read_terms(config, problems)
    options = Options(as_of=moment(None), unpublished=True)
    # Whatever could fail in a run fails here first.
    reading = read_records(config, terms, options, only if wanted else None, try_content=True)
    problems = reading.problems if wanted else problems + reading.problems
    grouping = group(config, terms, reading.items)
    if config.has_podcasts:
        lacking = lacks_of_podcasts(config, grouping)
        shown = config.shown(config.path)
        problems += [problem for problem in lacking if not wanted or problem.path != shown]
    for problem in sorted(problems, key=lambda p: (p.path, p.line)):
        click.echo(str(problem))
    if wanted and not reading.read:
        raise click.UsageError(f"no record of config.yaml's sources is at {', '.join(paths)}")
    for lost in reading.duplicates:
        common.say(f"{lost.record.path}: the same item as {lost.winner.path}, which was taken")
    count = len(problems)
    told = "no problem" if not count else "1 problem" if count == 1 else f"{count} problems"
    records = "1 record" if reading.read == 1 else f"{reading.read} records"
    common.say(f"{records} checked: {told}")
    if count:
        raise click.exceptions.Exit(3)


def _absolute(path: str) -> Path:
    """A path without .. in it, its links left as they are: two ways to a file are one."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links
