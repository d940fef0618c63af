"""`feedpub generate`: records → output tree."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import click

from feedpub.cli import common as shared
from feedpub.cli.common import MAX_PROBLEMS, Common, common_options, problem_fields, table
from feedpub.cli.progress import progress_bar
from feedpub.config import CATALOGUE_NAMES
from feedpub.errors import NothingUsableError, RunError
from feedpub.grouping.select import REASONS
from feedpub.pipeline import generate
from feedpub.stages.outcome import Options, Outcome, Watch


def _finite(ctx: click.Context, param: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter("write a number of seconds")
    return value


@click.command(
    "generate",
    epilog="Examples:\n\n"
    "\b\n"
    "  feedpub generate                  # write what has changed\n"
    "  feedpub generate --dry-run        # only say what would change\n"
    "  feedpub generate --unpublished    # a preview with drafts\n"
    "  feedpub generate -q --report r.json\n",
)
@click.option("--full", is_flag=True, help="Ignore what is remembered; the outcome is the same.")
@click.option("--dry-run", is_flag=True, help="Say what would change, write nothing.")
@click.option("--as-of", metavar="TIME", help="Hold back records dated later; default: now.")
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    help="Processes to parse with; default: as many as there are processors.",
)
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    callback=_finite,
    default=0.0,
    help="Wait so long for another run on the same output; default: end with 75 at once.",
)
@click.option("--refresh-media", is_flag=True, help="Ask hosts again for what is known of media.")
@click.option("--strict", is_flag=True, help="End with 3 if a record could not be used.")
@click.option("--unpublished", is_flag=True, help="Take in published: false and draft: true.")
@click.option("--allow-empty", is_flag=True, help="Go on though no record is left.")
@click.option("--push", is_flag=True, help="Then push to all targets, as `feedpub push` does.")
@click.option("--report", metavar="FILE", help="Write what was done as JSON; - for stdout.")
@common_options
def command(
    common: Common,
    full: bool,
    dry_run: bool,
    as_of: str | None,
    jobs: int | None,
    wait: float,
    refresh_media: bool,
    strict: bool,
    unpublished: bool,
    allow_empty: bool,
    push: bool,
    report: str | None,
) -> None:
    """Turn the records into feeds.

    Writes the feeds of all topics and providers into the output folder; files
    that do not change are not touched, and feeds that there are no records
    for any more are removed.
    """
    if report and report != "-":
        _clear_report(Path(report))
    config = common.load()
    if push:
        from feedpub.publish.push import chosen  # and nothing of it for those who push nothing

        targets = chosen(config, ())
    options = Options(
        as_of=shared.as_of(as_of, config.zone),
        unpublished=unpublished,
        allow_empty=allow_empty,
        dry_run=dry_run,
        full=full,
        jobs=jobs or 0,
        wait=wait,
        refresh_media=refresh_media,
    )
    try:
        with progress_bar(not common.quiet and common.log_format != "json") as progress:
            outcome = generate(config, options, Watch(progress))
    except NothingUsableError as error:
        common.show_problems(error.problems)
        if report and isinstance(error.outcome, Outcome):
            _write_report(report, error.outcome)
        raise
    common.show_problems(outcome.tally.problems)
    for lost in outcome.tally.duplicates[:MAX_PROBLEMS]:
        common.say(f"{lost.name}: the same item as {lost.winner}, which was taken")
    for note in outcome.notes:
        common.say(note)
    for warning in outcome.warnings:
        common.warn(warning)
    if not common.quiet and report != "-":
        for line in summary(outcome, config.shown(config.output), dry_run):
            click.echo(line)
        if common.verbose:
            for line in timing(outcome):
                common.say(line)
    if report:
        _write_report(report, outcome)
    if push:
        from feedpub.cli.push_ import push_to
        from feedpub.publish.push import Options as PushOptions

        push_to(common, config, targets, PushOptions(dry_run=dry_run, wait=wait))
    if strict and outcome.tally.unusable:
        raise click.exceptions.Exit(3)


def summary(outcome: Outcome, output: str, dry_run: bool = False) -> list[str]:
    """What became of every record and every feed, in 80 columns."""
    told = outcome.tally
    feeds = outcome.feed_counts(CATALOGUE_NAMES)
    rows = [
        ("Records read", told.read, f"in {_count(told.files, 'file')}"),
        ("  items", told.items, "can be in a feed"),
        ("  left out", told.left_out, ""),
    ]
    for reason, count in told.reasons.items():
        rows.append((f"    {reason}", count, REASONS[reason]))
    named = "another file has the newest of the item" if told.duplicates else ""
    rows.append(("  duplicates", len(told.duplicates), named))
    named = "could not be used, and are named above" if told.unusable else ""
    rows.append(("  problems", told.unusable, named))
    if told.no_records:
        rows.append(("No records", told.no_records, "taxonomy files and section pages"))
    rows.append(("Feeds", feeds["total"], f"in {output}/"))
    files = (
        f"{_count(len(outcome.written), 'file')}, catalogues included" if outcome.written else ""
    )
    rows.append(("  to write" if dry_run else "  written", feeds["written"], files))
    rows.append(("  unchanged", feeds["unchanged"], ""))
    files = _count(len(outcome.removed), "file") if outcome.removed else ""
    rows.append(("  to remove" if dry_run else "  removed", feeds["removed"], files))
    lines = table([(name, f"{count:,}", note) for name, count, note in rows], right=(1,))
    if dry_run:
        lines += [f"would write  {path}" for path in outcome.written]
        lines += [f"would remove {path}" for path in outcome.removed]
    return lines


def timing(outcome: Outcome) -> list[str]:
    """Where the time went."""
    rows = [(stage, f"{seconds:.3f} s") for stage, seconds in outcome.seconds.items()]
    rows.append(("all", f"{sum(outcome.seconds.values()):.3f} s"))
    return table(rows, right=(1,))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def report_of(outcome: Outcome) -> dict[str, Any]:
    """The promised report; `warnings` are what was mended, and what to look at."""
    told = outcome.tally
    return {
        "records": {
            "read": told.read,
            "items": told.items,
            "left_out": told.left_out,
            "duplicates": len(told.duplicates),
            "problems": told.unusable,
        },
        "left_out": told.reasons,
        "problems": [problem_fields(p) for p in told.problems if p.fatal],
        "warnings": [problem_fields(p) for p in told.problems if not p.fatal],
        "notes": outcome.warnings + outcome.notes,
        "duplicates": [
            {"path": lost.name, "of": lost.winner, "id": lost.id} for lost in told.duplicates
        ],
        "feeds": outcome.feed_counts(CATALOGUE_NAMES),
        "media": {
            "asked": outcome.media.asked,
            "left": outcome.media.left,
            "failed": outcome.media.failed,
        },
        "seconds": {stage: round(seconds, 6) for stage, seconds in outcome.seconds.items()},
    }


def _clear_report(path: Path) -> None:
    """No report of an earlier run may pass for this one's; and better no run than no report."""
    try:
        with path.open("a", encoding="utf-8"):
            pass
        if path.is_file():
            path.unlink()
    except OSError as error:
        raise RunError(f"the report {path} cannot be written ({error.strerror})") from None


def _write_report(path: str, outcome: Outcome) -> None:
    text = json.dumps(report_of(outcome), ensure_ascii=False, indent=2) + "\n"
    if path == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"the report {path} cannot be written ({error.strerror})") from None
