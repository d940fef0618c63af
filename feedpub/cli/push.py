"""`feedpub push`: pushes the output tree to static hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from feedpub.api import push
from feedpub.cli.common import Common, common_options, print_json, table
from feedpub.cli.progress import progress_bar
from feedpub.config import Config, PushTarget
from feedpub.config.push import Limit, parse_limit
from feedpub.errors import PushError
from feedpub.publish import hubs
from feedpub.publish.push import Result, chosen

MAX_SHOWN = 20  # files of a target that could not be pushed


class _Limit(click.ParamType[Limit]):
    name = "N|N%"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Limit:
        limit = value if isinstance(value, Limit) else parse_limit(str(value))
        if limit is None:
            self.fail(f"{value!r} is not a number or a share; write 50 or 20%", param, ctx)
        return limit


@click.command(
    "push",
    epilog="Examples:\n\n"
    "\b\n"
    "  feedpub push                       # to all targets of config.yaml\n"
    "  feedpub push production --dry-run  # show what would be done, and why\n"
    "  feedpub push --max-delete 40%      # allow many deletions\n",
)
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and why; change nothing.")
@click.option("--no-delete", is_flag=True, help="Delete no remote files.")
@click.option(
    "--max-delete",
    metavar="N|N%",
    type=_Limit(),
    help="Delete nothing if more would go; default: max_delete, or 20% or 50, whichever is more.",
)
@click.option(
    "--force", is_flag=True, help="Push all files, and overwrite files that feedpub did not write."
)
@click.option(
    "--rollback",
    is_flag=True,
    help="Go back to the previous version; needs a file: target with versions.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def command(
    common: Common,
    targets: tuple[str, ...],
    dry_run: bool,
    no_delete: bool,
    max_delete: Limit | None,
    force: bool,
    rollback: bool,
    as_json: bool,
) -> None:
    """Publish the output tree to static hosts.

    Sends only what differs, in an order that keeps every link valid. Files
    that feedpub did not write are left alone. Then notifies the WebSub hubs
    (websub.hubs). Exits with 4 if a target is incomplete.
    """
    config = common.load()
    if rollback:
        if dry_run or no_delete or max_delete or force or as_json:
            raise click.UsageError("--rollback cannot be combined with other options of push")
        _roll_back(common, config, chosen(config, targets))
        return
    push_to(
        common,
        config,
        targets,
        dry_run=dry_run,
        delete=not no_delete,
        limit=max_delete,
        force=force,
        as_json=as_json,
    )


def push_to(
    common: Common,
    config: Config,
    targets: Sequence[str] = (),
    *,
    dry_run: bool = False,
    delete: bool = True,
    limit: Limit | None = None,
    force: bool = False,
    wait: float = 0.0,
    as_json: bool = False,
) -> None:
    """Pushes, notifies hubs, and prints the results. Raises `PushError` if one is incomplete."""
    with progress_bar(not common.quiet and common.log_format != "json") as progress:
        results, pings, purges = push(
            config,
            targets,
            dry_run=dry_run,
            delete=delete,
            max_delete=limit,
            force=force,
            wait=wait,
            progress=progress,
        )
    if as_json:
        print_json(report(results, pings))
    elif dry_run:
        for result in results:
            for line in planned(result):
                click.echo(line)
    elif not common.quiet:
        for line in summary(results, pings):
            click.echo(line)
    _complain(common, results, pings)
    for name, why in purges.failed:
        common.warn(f"{name}: CloudFront was not invalidated ({why}); the next push repeats it")
    if incomplete := [result.name for result in results if not result.is_complete]:
        raise PushError(f"the push is incomplete: {', '.join(incomplete)}")


def _complain(common: Common, results: Sequence[Result], pings: hubs.PingResult) -> None:
    for result in results:
        for failure in result.done.failures[:MAX_SHOWN]:
            common.message("error", f"{result.name}: {failure.path}: {failure.what}")
        if result.trace and common.debug:
            common.message("error", result.trace)
        if result.error:
            remedy = f"; {result.remedy}" if result.remedy else ""
            common.message("error", f"{result.name} ({result.to}): {result.error}{remedy}")
        for path in result.plan.refused:
            common.message("error", f"{result.name}: {path} would be deleted")
    for failed in pings.failed[:MAX_SHOWN]:
        common.warn(
            f"{failed.hub} was not notified of {failed.topic} ({failed.what}); "
            "the next push repeats it"
        )


def summary(results: Sequence[Result], pings: hubs.PingResult) -> list[str]:
    """A table of the results, one row for each target."""
    rows = [["TARGET", "WRITTEN", "REMOVED", "SAME", "KEPT", "BYTES", "SECONDS", ""]]
    for result in results:
        puts = sum(action.do == "put" for action in result.done.actions)
        rows.append(
            [
                result.name,
                f"{puts:,}",
                f"{len(result.done.actions) - puts:,}",
                f"{result.plan.same:,}",
                f"{len(result.plan.kept):,}",
                f"{result.done.size:,}",
                f"{result.seconds:.1f}",
                "" if result.is_complete else "incomplete",
            ]
        )
    lines = table(rows, right=(1, 2, 3, 4, 5, 6))
    if pings.told:
        feeds = "1 feed" if pings.told == 1 else f"{pings.told:,} feeds"
        lines.append(f"Hubs were notified of {feeds}")
    return lines


def planned(result: Result) -> list[str]:
    """A plan as a table: actions and reasons."""
    plan = result.plan
    lines = [f"{result.name} ({result.to})"]
    rows = [[action.do, action.path, action.reason] for action in plan.actions]
    rows += [["keep", path, "gone"] for path in (*plan.kept, *plan.refused)]
    lines += [f"  {line}" for line in table(rows)]
    size = sum(action.size for action in plan.puts)
    return [
        *lines,
        f"  {len(plan.puts):,} to write ({size:,} bytes), {len(plan.removals):,} to remove, "
        f"{plan.same:,} the same",
    ]


def report(results: Sequence[Result], pings: hubs.PingResult) -> dict[str, Any]:
    """The results as JSON."""
    return {
        "targets": [
            {
                "target": result.name,
                "to": result.to,
                "complete": result.is_complete,
                "dry_run": result.dry_run,
                "error": result.error,
                "remedy": result.remedy,
                "plan": [
                    {"do": a.do, "path": a.path, "reason": a.reason, "bytes": a.size}
                    for a in result.plan.actions
                ],
                "done": [{"do": a.do, "path": a.path} for a in result.done.actions],
                "failed": [failure._asdict() for failure in result.done.failures],
                "waiting": list(result.done.waiting),
                "kept": list(result.plan.kept),
                "refused": list(result.plan.refused),
                "foreign": list(result.plan.foreign),
                "same": result.plan.same,
                "bytes": result.done.size,
                "seconds": round(result.seconds, 3),
            }
            for result in results
        ],
        "hubs": {"told": pings.told, "failed": [failed._asdict() for failed in pings.failed]},
    }


def _roll_back(common: Common, config: Config, places: dict[str, PushTarget]) -> None:
    from feedpub.publish.rollback import roll_back

    for name, version in roll_back(config, places).items():
        common.say(
            f"{name}: version {version} is current again; the next push continues from there"
        )
