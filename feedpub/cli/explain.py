"""`feedpub explain`: which feeds a record is in, what a feed contains, and why."""

from __future__ import annotations

import dataclasses

import click

from feedpub.cli.common import EVERYTHING, Common, common_options, table
from feedpub.cli.common import as_of as moment
from feedpub.config import Config, Where
from feedpub.grouping.select import REASONS
from feedpub.model import Placement, Problem, Record
from feedpub.run.query import (
    FeedDescription,
    Grouping,
    Matches,
    Membership,
    MissingFeed,
    describe,
    explain_missing,
    feed_path,
    find,
    group,
    memberships,
    read_records,
    read_terms,
)
from feedpub.run.report import RunOptions


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
    options = RunOptions(as_of=moment(None), unpublished=unpublished)
    reading = read_records(config, terms, options)
    grouping = group(config, terms, reading.items)
    path = "" if what == EVERYTHING else feed_path(config, what)
    lines = _explain_records(config, find(config, reading, what), grouping)
    if not lines and path in grouping.windows:
        lines = _explain_feed(path, describe(config, grouping, path))
    if not lines and (missing := explain_missing(config, reading, grouping, path)):
        lines = [f"{path}: no feed, because {_why_missing(missing)}"]
    if not lines:
        raise click.UsageError(
            f"no record and no feed matches {what!r}; `feedpub list records` and "
            "`feedpub list feeds` show all"
        )
    for line in lines:
        click.echo(line)


def _why_missing(missing: MissingFeed) -> str:
    if missing.where:
        return f"no record meets its where: {_where(missing.where)}"
    return f"it has {missing.records} records, and min_items is {missing.min_items}"


def _explain_records(config: Config, found: Matches, grouping: Grouping) -> list[str]:
    lines: list[str] = []
    for record in found.items:
        lines += [*_facts(config, record), *_feeds_of(config, grouping, record), ""]
    for record, reason in found.left_out:
        lines += _facts(config, record)
        lines += [f"in no feed: {reason} ({REASONS[reason]})", ""]
    for other in found.no_records:
        lines += [other.name, f"{other.reason}: {REASONS[other.reason]}", ""]
    for lost in found.duplicates:
        lines += _facts(config, lost.record)
        lines += [f"in no feed: duplicate of {lost.winner.path}, which is used", ""]
    if not lines and any(problem.fatal for problem in found.problems):
        lines = ["in no feed: the record cannot be used"]
    lines += [str(problem) for problem in found.problems]
    return lines[:-1] if lines and not lines[-1] else lines


def _facts(config: Config, record: Record) -> list[str]:
    origin = record.id_from
    if record.derived:
        origin = f"{config.shown(config.ledger)}; without it: {record.derived}, from {origin}"
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
    found = memberships(config, grouping, record)
    rows = [(one.feed or EVERYTHING, _why(one)) for one in found]
    if all(one.unmet for one in found):
        why = "no group includes it: see include, exclude and where in config.yaml"
        rows.append(("no feed", why))
    return ["feeds", *(f"  {line}" for line in table(rows))]


def _why(one: Membership) -> str:
    if one.unmet:
        return f"not included: its where is {_where(one.unmet)}"
    if one.min_items:
        return f"no feed: fewer than {one.min_items} records (min_items)"
    if one.position:
        return f"item {one.position} of {one.size}"
    archived = f"; in its archive of {one.period}" if one.period else ""
    return f"not among the newest {one.size}, which the feed contains{archived}"


def _explain_feed(path: str, feed: FeedDescription) -> list[str]:
    window, rule = feed.window, feed.window.rule
    size = f"the newest {rule.items}" if rule.items else "all"
    if rule.span:
        hours = rule.span.total_seconds() / 3600
        size += f", plus all within {hours:g} h of the newest"
    rows = [
        ("feed", path or EVERYTHING),
        ("id", feed.id),
        ("  from", "site.id and the feed's path"),
        ("contains", _contents(window.placement, feed.where)),
        ("", f"{size}: {len(window.entries)} of {window.total}"),
    ]
    if feed.profile.mail is not None:
        added = "&".join(f"{name}={value}" for name, value in feed.profile.mail)
        rows.append(("newsletter", f"adapted to e-mail{added and f'; links have {added}'}"))
    if (prefix := feed.profile.podcast) is not None:
        prefixed = prefix and f"; media URLs have the prefix {prefix}"
        rows.append(("podcast", f"feedpub check lists what Apple would reject{prefixed}"))
    rows += feed.urls.items()
    lines = table(rows)
    for entry in window.entries:
        record = entry.record
        lines += [f"  {record.published:%Y-%m-%d}  {record.title}", f"              {record.path}"]
    return lines


def _contents(placement: Placement, where: Where | None) -> str:
    topic, provider = placement.topic, placement.provider
    if placement.kind == "custom":
        return f"records that meet feeds.custom's where: {_where(where or Where())}"
    if topic and provider:
        why = f"records of {provider.name} with the topic {topic.name}"
    elif topic:
        why = f"records with the topic {topic.name} or a topic below it"
    elif provider:
        why = f"records of {provider.name}"
    else:
        why = "all records"
    if where and _where(where) != "every record":
        why += f" that meet its where: {_where(where)}"
    return why


def _where(where: Where) -> str:
    parts = []
    for name in (option.name for option in dataclasses.fields(where)):
        value = getattr(where, name)
        if value not in ((), None, False):
            parts.append(f"{name}: {', '.join(value) if isinstance(value, tuple) else value}")
    return "; ".join(parts) or "every record"
