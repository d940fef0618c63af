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
from feedpub.config import CATALOGUE_NAMES, Config
from feedpub.errors import NothingUsableError, RunError
from feedpub.grouping.select import REASONS
from feedpub.run.generate import generate
from feedpub.run.report import RunOptions, RunOutcome, Watch


def _finite(ctx: click.Context, param: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter("write a number of seconds")
    return value


@click.command(
    "generate",
    epilog="Examples:\n\n"
    "\b\n"
    "  feedpub generate                  # write what has changed\n"
    "  feedpub generate --dry-run        # show what would change\n"
    "  feedpub generate --unpublished    # a preview with drafts\n"
    "  feedpub generate -q --report r.json\n",
)
@click.option("--full", is_flag=True, help="Ignore the cache in .feedpub; the result is the same.")
@click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
@click.option("--as-of", metavar="TIME", help="Leave out records dated after TIME; default: now.")
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    help="Number of worker processes; default: the number of processors.",
)
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    callback=_finite,
    default=0.0,
    help="Wait up to SECONDS for another run on the same output; default: exit with 75 at once.",
)
@click.option(
    "--refresh-media", is_flag=True, help="Request all remote media files again (images.probe)."
)
@click.option("--strict", is_flag=True, help="Exit with 3 if a record could not be used.")
@click.option(
    "--unpublished", is_flag=True, help="Include records with published: false or draft: true."
)
@click.option("--allow-empty", is_flag=True, help="Continue even if no usable record is left.")
@click.option("--push", is_flag=True, help="Then push to all targets, as `feedpub push` does.")
@click.option("--report", metavar="FILE", help="Write a JSON report to FILE; - for stdout.")
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
    """Generate the feeds from the records.

    Writes the feeds into the output folder. Files that do not change are not
    touched. Feeds left without records are removed.
    """
    if report and report != "-":
        _clear_report(Path(report))
    config = common.load()
    if push:
        from feedpub.publish.push import chosen  # imported only for a push

        chosen(config, ())  # reports mistakes in push: before the run
    options = RunOptions(
        as_of=shared.as_of(as_of, config.zone),
        unpublished=unpublished,
        allow_empty=allow_empty,
        dry_run=dry_run,
        full=full,
        jobs=jobs or 0,
        wait=wait,
        refresh_media=refresh_media,
    )
    outcome = _generate(common, config, options, report)
    _show(common, config, outcome, dry_run, to_stdout=report != "-")
    if report:
        _write_report(report, outcome)
    if push:
        from feedpub.cli.push import push_to

        push_to(common, config, dry_run=dry_run, wait=wait)
    if strict and outcome.counts.unusable:
        raise click.exceptions.Exit(3)


def _generate(
    common: Common, config: Config, options: RunOptions, report: str | None
) -> RunOutcome:
    """Runs with a progress bar. Writes the report even without usable records."""
    try:
        with progress_bar(not common.quiet and common.log_format != "json") as progress:
            return generate(config, options, Watch(progress))
    except NothingUsableError as error:
        common.show_problems(error.problems)
        if report and isinstance(error.outcome, RunOutcome):
            _write_report(report, error.outcome)
        raise


def _show(
    common: Common, config: Config, outcome: RunOutcome, dry_run: bool, to_stdout: bool
) -> None:
    """Prints messages, and the summary unless stdout has the report."""
    common.show_problems(outcome.counts.problems)
    for lost in outcome.counts.duplicates[:MAX_PROBLEMS]:
        common.say(f"{lost.name}: duplicate of {lost.winner}, which is used")
    for note in outcome.notes:
        common.say(note)
    for warning in outcome.warnings:
        common.warn(warning)
    if common.quiet or not to_stdout:
        return
    for line in summary(outcome, config.shown(config.output), dry_run):
        click.echo(line)
    if common.verbose:
        for line in timing(outcome):
            common.say(line)


def summary(outcome: RunOutcome, output: str, dry_run: bool = False) -> list[str]:
    """The counts of records and feeds, in 80 columns."""
    counts = outcome.counts
    feeds = outcome.feed_counts(CATALOGUE_NAMES)
    rows = [
        ("Records read", counts.read, f"in {_count(counts.files, 'file')}"),
        ("  items", counts.items, "can be in feeds"),
        ("  left out", counts.left_out, ""),
    ]
    for reason, count in counts.reasons.items():
        rows.append((f"    {reason}", count, REASONS[reason]))
    named = "another record with the same id is used" if counts.duplicates else ""
    rows.append(("  duplicates", len(counts.duplicates), named))
    named = "could not be used; see the messages above" if counts.unusable else ""
    rows.append(("  problems", counts.unusable, named))
    if counts.no_records:
        rows.append(("Not records", counts.no_records, "taxonomy files and section pages"))
    rows.append(("Feeds", feeds["total"], f"in {output}/"))
    files = (
        f"{_count(len(outcome.written), 'file')}, including catalogues" if outcome.written else ""
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


def timing(outcome: RunOutcome) -> list[str]:
    """The time of each stage."""
    rows = [(stage, f"{seconds:.3f} s") for stage, seconds in outcome.seconds.items()]
    rows.append(("total", f"{sum(outcome.seconds.values()):.3f} s"))
    return table(rows, right=(1,))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def report_of(outcome: RunOutcome) -> dict[str, Any]:
    """The report of --report; `warnings` are problems of records that were used anyway."""
    counts = outcome.counts
    return {
        "records": {
            "read": counts.read,
            "items": counts.items,
            "left_out": counts.left_out,
            "duplicates": len(counts.duplicates),
            "problems": counts.unusable,
        },
        "left_out": counts.reasons,
        "problems": [problem_fields(p) for p in counts.problems if p.fatal],
        "warnings": [problem_fields(p) for p in counts.problems if not p.fatal],
        "notes": outcome.warnings + outcome.notes,
        "duplicates": [
            {"path": lost.name, "of": lost.winner, "id": lost.id} for lost in counts.duplicates
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
    """Removes the report of an earlier run; raises `RunError` if it cannot be written."""
    try:
        with path.open("a", encoding="utf-8"):
            pass
        if path.is_file():
            path.unlink()
    except OSError as error:
        raise RunError(f"the report {path} cannot be written ({error.strerror})") from None


def _write_report(path: str, outcome: RunOutcome) -> None:
    text = json.dumps(report_of(outcome), ensure_ascii=False, indent=2) + "\n"
    if path == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"the report {path} cannot be written ({error.strerror})") from None
