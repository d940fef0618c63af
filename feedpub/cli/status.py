"""`feedpub status`: when feeds were generated and pushed, and what differs now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from feedpub.cli.common import Common, common_options, print_json
from feedpub.config import Config
from feedpub.publish.status import PushStatus, look

MAX_SHOWN = 20  # files of a target


@click.command(
    "status",
    epilog="Examples:\n\n\b\n  feedpub status\n  feedpub status --json\n",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def command(common: Common, as_json: bool) -> None:
    """Show when feeds were generated and pushed, what differs now, and what failed.

    Reads only what the last pushes from this machine recorded. `feedpub push
    --dry-run` compares with the hosts themselves.
    """
    config = common.load()
    state = look(config)
    if as_json:
        print_json(_report(state))
        return
    for line in _lines(config, state, common.verbose):
        click.echo(line)


def _lines(config: Config, state: PushStatus, every: bool) -> list[str]:
    shown = config.shown(config.output)
    lines = [f"{shown}/: no feeds yet; run `feedpub generate`"]
    if state.changed_at:
        files = "1 file" if state.files == 1 else f"{state.files:,} files"
        lines = [f"{shown}/: {files}, last changed {_moment(state.changed_at)}"]
    if state.damaged:
        files = (
            "1 file differs" if len(state.damaged) == 1 else f"{len(state.damaged):,} files differ"
        )
        lines.append(f"  {files} from what feedpub wrote; run `feedpub generate`")
        lines += [f"    {path}" for path in _some(state.damaged, every)]
    for target in state.targets:
        last = target.pushed
        lines.append(f"{target.name} ({target.to})")
        if not last.when:
            lines.append("  never pushed from this machine")
            continue
        lines.append(
            f"  pushed {_moment(last.when)}: {last.written:,} written, {last.removed:,} removed, "
            f"{last.size:,} bytes, {last.seconds:.1f} seconds"
        )
        if last.error:
            when = f"; last complete {_moment(last.complete_at)}" if last.complete_at else ""
            lines.append(f"  incomplete: {last.error}{when}")
            lines += [f"    failed   {path}" for path in _some(last.failed, every)]
        if not last.complete_at:
            continue
        differ = {"new": target.new, "changed": target.changed, "gone": target.gone}
        for word, paths in differ.items():
            lines += [f"    {word:<8} {path}" for path in _some(paths, every)]
        if not any(differ.values()):
            lines.append("  up to date")
    if state.pings:
        lines.append(
            f"{state.pings:,} notifications of hubs failed; the next push sends them again"
        )
    return lines


def _some(paths: tuple[str, ...], every: bool) -> list[str]:
    more = len(paths) - MAX_SHOWN
    if every or more <= 0:
        return list(paths)
    return [*paths[:MAX_SHOWN], f"… and {more:,} more; --verbose shows all"]


def _moment(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _report(state: PushStatus) -> dict[str, Any]:
    return {
        "output": {
            "files": state.files,
            "changed_at": state.changed_at,
            "damaged": list(state.damaged),
        },
        "targets": [
            {
                "target": target.name,
                "to": target.to,
                "pushed_at": target.pushed.when,
                "complete_at": target.pushed.complete_at,
                "error": target.pushed.error,
                "failed": list(target.pushed.failed),
                "written": target.pushed.written,
                "removed": target.pushed.removed,
                "bytes": target.pushed.size,
                "seconds": target.pushed.seconds,
                "new": list(target.new),
                "changed": list(target.changed),
                "gone": list(target.gone),
            }
            for target in state.targets
        ],
        "pings_to_do": state.pings,
    }
