"""`feedpub check`: reports every problem and writes nothing."""

from __future__ import annotations

import sys

import click

from feedpub.api import check
from feedpub.cli.common import Common, common_options, fit


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
    checked = check(config, paths)
    for problem in checked.problems:
        click.echo(fit(str(problem), sys.stdout))
    for lost in checked.duplicates:
        common.say(f"{lost.record.path}: duplicate of {lost.winner.path}, which is used")
    count = len(checked.problems)
    found = "no problems" if not count else "1 problem" if count == 1 else f"{count} problems"
    records = "1 record" if checked.read == 1 else f"{checked.read} records"
    common.say(f"{records} checked: {found}")
    if count:
        raise click.exceptions.Exit(3)
