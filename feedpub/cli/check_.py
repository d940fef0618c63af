"""`feedpub check`: reports every problem and writes nothing."""

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
    """Report every problem in the configuration and the records.

    Prints a line for each, `path:line: key: problem; remedy`, and writes
    nothing. Exits with 3 if there are problems. With PATHs, checks only the
    records there.
    """
    config = common.load()
    wanted = [_absolute(path) for path in paths]
    for path in wanted:
        if not path.exists():
            raise click.UsageError(f"there is no {path.name}; correct the path")

    def only(found: FoundFile) -> bool:
        file = _absolute(found.file)
        return any(file == path or path in file.parents for path in wanted)

    problems: list[Problem] = []
    terms = read_terms(config, problems)
    options = Options(as_of=moment(None), unpublished=True)
    # Content is tried too: whatever could fail in a run fails here first.
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
        raise click.UsageError(
            f"{', '.join(paths)}: no record of the sources in config.yaml; see its records: key"
        )
    for lost in reading.duplicates:
        common.say(f"{lost.record.path}: duplicate of {lost.winner.path}, which is used")
    count = len(problems)
    found = "no problems" if not count else "1 problem" if count == 1 else f"{count} problems"
    records = "1 record" if reading.read == 1 else f"{reading.read} records"
    common.say(f"{records} checked: {found}")
    if count:
        raise click.exceptions.Exit(3)


def _absolute(path: str) -> Path:
    """An absolute path without `..`; symbolic links are not followed."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links
