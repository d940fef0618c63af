"""`feedpub ids`: the ledger that keeps ids from changing."""

from __future__ import annotations

from typing import Any

import click

from feedpub.cli.common import Common, common_options
from feedpub.cli.common import as_of as moment
from feedpub.run.report import RunOptions

MAX_SHOWN = 20  # messages about ids that were not imported


class _Subcommands(click.Group):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from feedpub.config.readers import nearest

        if args and args[0] not in self.commands and not args[0].startswith("-"):
            ctx.fail(f"There is no command {args[0]!r}; {nearest(args[0], list(self.commands))}")
        return super().resolve_command(ctx, args)


@click.group(
    "ids",
    cls=_Subcommands,
    epilog="Examples:\n\n"
    "\b\n"
    "  feedpub ids import https://example.org/feed.xml   # before the first run\n"
    "  feedpub ids freeze                                # before links change\n",
)
@common_options
def command() -> None:
    """Keep the ids of items, so that subscribers get no item twice.

    An item's id comes from its record. If it would change, the ledger
    (ids.jsonl, see `ids` in config.yaml) keeps the old id. The ledger is a
    text file that only grows. Commit it with the records.
    """


@command.command(
    "import",
    epilog="Examples:\n\n"
    "\b\n"
    "  feedpub ids import https://example.org/feed.xml\n"
    "  feedpub ids import old-site/public/index.xml --dry-run\n",
)
@click.argument("feed")
@click.option("--dry-run", is_flag=True, help="Show which ids would be imported; write nothing.")
@common_options
def import_(common: Common, feed: str, dry_run: bool) -> None:
    """Import the ids of a feed that another tool published.

    FEED is a file or a URL of an RSS, Atom or JSON feed. Its items are matched
    with the records by their links. If the feed at a URL has more pages, they
    are read too.
    """
    from feedpub.run.importing import append_to_ledger, match, other_feed

    config = common.load()
    result = match(config, other_feed(feed), _options())
    if not dry_run:
        append_to_ledger(config, result.lines)
    ledger = config.shown(config.ledger)
    for line in result.lines:
        if common.verbose or dry_run:
            click.echo(f"{line.path}: {line.id}")
    would = "would be " if dry_run else ""
    items = "1 item" if result.items == 1 else f"{result.items:,} items"
    click.echo(
        f"{items}: {len(result.lines):,} ids {would}imported into {ledger}, {result.same:,} are "
        f"the same already, {len(result.unmatched):,} match no record, "
        f"{len(result.refused):,} refused"
    )
    for text in _some(result.refused):
        common.warn(text)
    for text in _some([_unmatched(item) for item in result.unmatched]):
        common.say(text)


@command.command("freeze")
@common_options
def freeze(common: Common) -> None:
    """Record the current ids of all items in the ledger.

    Afterwards, links and file names can change even without the cache: a
    record with the same file and date, or with the same bytes, keeps its id.
    `ids.record: all` does this in every run.
    """
    from feedpub.run.generate import freeze

    config = common.load()
    added = freeze(config, _options())
    ledger = config.shown(config.ledger)
    click.echo(f"{added:,} ids were added to {ledger}" if added else f"{ledger} has all ids")


def _options() -> RunOptions:
    return RunOptions(as_of=moment(None))


def _unmatched(item: Any) -> str:
    return f"no record matches {item.addresses[0] if item.addresses else item.id}"


def _some(texts: list[str]) -> list[str]:
    more = len(texts) - MAX_SHOWN
    return [*texts[:MAX_SHOWN], *([f"… and {more:,} more"] if more > 0 else [])]
