"""`feedpub explain`: why a record is where it is, and what made a feed what it is."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import click

from feedpub.cli.common import EVERYTHING, Common, common_options, table
from feedpub.cli.common import as_of as moment
from feedpub.config import Config, Where
from feedpub.config.options import AllGroup, Group
from feedpub.grouping.archive import period_of
from feedpub.grouping.assemble import feed_id, min_items, profile, window_rule
from feedpub.grouping.select import REASONS
from feedpub.model import Placement, Problem, Profile, Record, global_id
from feedpub.run.query import Grouping, Reading, group, read_records, read_terms
from feedpub.run.report import Options
from feedpub.store.rows import seconds


@click.command(
    "explain",
    epilog="Examples:\n\n"
    "\b\n"
    "  feedpub explain records/a-post.md\n"
    "  feedpub explain https://example.org/a-post/\n"
    "  feedpub explain topics/ai-ethics\n",
)
@click.argument("what", metavar="RECORD|FEED")
@click.option(
    "--unpublished", is_flag=True, help="Include records with published: false or draft: true."
)
@common_options
def command(common: Common, what: str, unpublished: bool) -> None:
    """Explain which feeds a record is in, or what a feed contains, and why.

    RECORD is a file (or file#2 for its second record), an id or a URL.
    FEED is a feed's path below the output, such as topics/ai-ethics, or the
    path or URL of one of its files.
    """
    config = common.load()
    problems: list[Problem] = []
    terms = read_terms(config, problems)
    options = Options(as_of=moment(None), unpublished=unpublished)
    reading = read_records(config, terms, options)
    grouping = group(config, terms, reading.items)
    feed = _feed_path(config, what)
    names = _record_names(config, what) | {global_id(what, config.site.id)}
    lines = _explain_records(config, reading, grouping, names)
    if not lines and feed in grouping.windows:
        lines = _explain_feed(config, grouping, feed)
    if not lines:
        lines = _explain_absence(config, reading, grouping, feed)
    if not lines:
        raise click.UsageError(
            f"there is no record and no feed {what!r}; `feedpub list records` and "
            "`feedpub list feeds` show all"
        )
    for line in lines:
        click.echo(line)


def _explain_absence(config: Config, reading: Reading, grouping: Grouping, path: str) -> list[str]:
    """Why there is no such feed, if there could be one."""
    custom = next((c for c in config.feeds.custom if path == f"custom/{c.slug}"), None)
    if custom:
        return [f"{path}: no feed, since no record meets its where: {_where(custom.where)}"]
    placed = [
        placement
        for record in reading.items
        for placement in grouping.placer.place(record.head)
        if placement.feed == path
    ]
    if placed:
        least = min_items(config, placed[0])
        return [f"{path}: no feed, since it has {len(placed)} records, and min_items is {least}"]
    return []


def _record_names(config: Config, what: str) -> set[str]:
    """All that a record may be called: as typed, and as it is called below the configuration."""
    file, mark, part = what.partition("#")
    below = Path(os.path.relpath(Path(file).absolute(), config.root)).as_posix()
    return {what, below + mark + part, config.shown(Path(file).absolute()) + mark + part}


def _feed_path(config: Config, what: str) -> str:
    path = "" if what == EVERYTHING else what.removeprefix(config.site.url).strip("/")
    path = path.removeprefix(config.shown(config.output) + "/")
    if path == config.shown(config.output):
        return ""
    for old, new in config.feeds.also_at.items():
        if path == old or path.startswith(f"{old}/"):
            path = new + path[len(old) :]
    head, _, name = path.rpartition("/")
    return head if name in {*config.feeds.filenames.values(), "index.html"} else path


def _explain_records(
    config: Config, reading: Reading, grouping: Grouping, names: set[str]
) -> list[str]:
    def meant(record: Record) -> bool:
        return bool(
            {
                record.path,
                record.path.partition("#")[0],
                record.id,
                record.derived,
                record.link,
                record.external_url,
            }
            & (names - {""})
        )

    lines: list[str] = []
    for record in reading.items:
        if meant(record):
            lines += [*_facts(config, record), *_feeds_of(config, grouping, record), ""]
    for left in reading.left_out:
        if left.record and meant(left.record):
            lines += _facts(config, left.record)
            lines += [f"in no feed: {left.reason} ({REASONS[left.reason]})", ""]
    for other in reading.no_records:
        if other.name in names:
            lines += [other.name, f"{other.reason}: {REASONS[other.reason]}", ""]
    for lost in reading.duplicates:
        if meant(lost.record):
            lines += _facts(config, lost.record)
            lines += [f"in no feed: the same item as {lost.winner.path}, which was taken", ""]
    own = [p for p in reading.problems if {p.path, p.record} & names]
    if any(problem.fatal for problem in own):
        lines += ["in no feed: it cannot be used"] if not lines else []
    lines += [str(problem) for problem in own]
    return lines[:-1] if lines and not lines[-1] else lines


def _facts(config: Config, record: Record) -> list[str]:
    origin = record.id_from
    if record.derived:
        origin = f"{config.shown(config.ledger)}; by its {origin} it would be {record.derived}"
    rows = [
        ("record", record.path),
        ("title", record.title),
        ("id", f"{record.id}"),
        ("  from", origin),
        ("link", record.link or "none"),
        ("published", record.published.isoformat()),
        ("updated", record.updated.isoformat()),
        ("provider", record.provider.name if record.provider else "none"),
        ("topics", ", ".join(record.topics) or "none"),
    ]
    return table(rows)


def _feeds_of(config: Config, grouping: Grouping, record: Record) -> list[str]:
    rows = []
    for placement in grouping.placer.place(record.head):
        path = placement.feed or EVERYTHING
        window = grouping.windows.get(placement.feed)
        if window is None:
            rows.append((path, f"no feed: fewer than {min_items(config, placement)} records"))
            continue
        places = [entry.record.id for entry in window.entries]
        held = (
            f"item {places.index(record.id) + 1} of {len(places)}"
            if record.id in places
            else f"older than the {len(places)} that the feed holds{_archived(config, record)}"
        )
        rows.append((path, held))
    placed = {placement.feed for placement in grouping.placer.place(record.head)}
    rows += [
        (path, f"not in it: its where is {_where(custom.where)}")
        for custom in config.feeds.custom
        if (path := f"custom/{custom.slug}") not in placed
    ]
    if not placed:
        rows.append(("no feed", "no group takes it: see include, exclude and where in config.yaml"))
    return ["feeds", *(f"  {line}" for line in table(rows))]


def _archived(config: Config, record: Record) -> str:
    by = config.feeds.archives
    if by == "false":
        return ""
    return f"; in its archive of {period_of(seconds(record.published), by)}"


def _explain_feed(config: Config, grouping: Grouping, path: str) -> list[str]:
    window = grouping.windows[path]
    rule = window_rule(config, window.placement)
    custom = next((c for c in config.feeds.custom if path == f"custom/{c.slug}"), None)
    placement = window.placement
    if custom:
        why = f"records that meet feeds.custom's where: {_where(custom.where)}"
    elif placement.topic and placement.provider:
        why = f"records of {placement.provider.name} with the topic {placement.topic.name}"
    elif placement.topic:
        why = f"records with the topic {placement.topic.name}, or one below it"
    elif placement.provider:
        why = f"records of {placement.provider.name}"
    else:
        why = "all records"
    where = None if custom else _group_of(config, placement).where
    if where and _where(where) != "every record":
        why += f" that meet its where: {_where(where)}"
    size = f"the newest {rule.items}" if rule.items else "all"
    if rule.span:
        hours = rule.span.total_seconds() / 3600
        size += f", and all no older than {hours:g} h before the newest"
    prefix = f"{path}/" if path else ""
    own = profile(config, placement) or Profile()
    rows = [
        ("feed", path or EVERYTHING),
        ("id", feed_id(config.site.id, path)),
        ("  from", "site.id and the feed's path"),
        ("holds", why),
        ("", f"{size}: {len(window.entries)} of {window.total}"),
    ]
    if own.mail is not None:
        added = "&".join(f"{name}={value}" for name, value in own.mail)
        rows.append(("newsletter", f"made to be mailed{added and f'; addresses have {added}'}"))
    if own.podcast is not None:
        behind = own.podcast and f"; what is played is behind {own.podcast}"
        rows.append(("podcast", f"what it lacks, feedpub check says{behind}"))
    rows += [
        (name, config.site.url + prefix + config.feeds.filenames[name])
        for name in config.feeds.formats
    ]
    lines = table(rows)
    for entry in window.entries:
        record = entry.record
        lines += [f"  {record.published:%Y-%m-%d}  {record.title}", f"              {record.path}"]
    return lines


def _group_of(config: Config, placement: Placement) -> AllGroup | Group:
    feeds = config.feeds
    if placement.topic and placement.provider:
        return feeds.topic_providers
    if placement.topic:
        return feeds.topics
    return feeds.providers if placement.provider else feeds.all


def _where(where: Where) -> str:
    parts = []
    for name in (option.name for option in dataclasses.fields(where)):
        value = getattr(where, name)
        if value not in ((), None, False):
            parts.append(f"{name}: {', '.join(value) if isinstance(value, tuple) else value}")
    return "; ".join(parts) or "every record"
