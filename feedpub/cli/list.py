"""`feedpub list`: topics, providers, feeds and records, with counts and newest dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click

from feedpub.cli.common import EVERYTHING, Common, common_options, print_json, table
from feedpub.cli.common import as_of as moment
from feedpub.config import Config
from feedpub.formats import media_type
from feedpub.grouping.assemble import FeedAssembler, FormatName, ItemAssembler, ItemRules
from feedpub.grouping.terms import Taxonomies
from feedpub.model import Record, Term
from feedpub.run.query import Reading, group, read_records, read_terms
from feedpub.run.report import RunOptions


@click.command(
    "list",
    epilog="Examples:\n\n\b\n  feedpub list topics\n  feedpub list feeds --json\n",
)
@click.argument("what", type=click.Choice(["topics", "providers", "feeds", "records"]))
@click.option(
    "--unpublished", is_flag=True, help="Include records with published: false or draft: true."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def command(common: Common, what: str, unpublished: bool, as_json: bool) -> None:
    """List topics, providers, feeds or records, with counts and newest dates."""
    config = common.load()
    terms = read_terms(config, [])
    options = RunOptions(as_of=moment(None), unpublished=unpublished)
    reading = read_records(config, terms, options)
    rows = _ROWS[what](config, terms, reading)
    if as_json:
        print_json(rows)
        return
    if not rows:
        common.say(f"there are no {what}")
        return
    names = [name for name in rows[0] if name != "urls"]  # only in JSON
    header = [name.upper() for name in names]
    body = [
        [EVERYTHING if name == "path" and not row[name] else _cell(row[name]) for name in names]
        for row in rows
    ]
    numbers = tuple(n for n, name in enumerate(names) if name in {"records", "items", "total"})
    for line in table([header, *body], right=numbers):
        click.echo(line)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _newest(records: Iterable[Record]) -> str:
    return max((record.published for record in records), default=datetime.min).strftime("%Y-%m-%d")


def _terms(found: dict[str, tuple[Term, list[Record]]]) -> list[dict[str, Any]]:
    rows = [
        {
            "records": len(records),
            "newest": _newest(records),
            "slug": term.slug,
            "name": term.name,
        }
        for term, records in found.values()
    ]
    return sorted(rows, key=lambda row: (-int(str(row["records"])), str(row["slug"])))


def _topics(config: Config, terms: Taxonomies, reading: Reading) -> list[dict[str, Any]]:
    found: dict[str, tuple[Term, list[Record]]] = {}
    for record in reading.items:
        above = {term.key: term for name in record.topics for term in terms.topics.line(name)}
        for term in above.values():
            found.setdefault(term.key, (term, []))[1].append(record)
    return _terms(found)


def _providers(config: Config, terms: Taxonomies, reading: Reading) -> list[dict[str, Any]]:
    found: dict[str, tuple[Term, list[Record]]] = {}
    for record in reading.items:
        if record.provider:
            term = terms.providers.provider_term(record.provider)
            found.setdefault(term.key, (term, []))[1].append(record)
    return _terms(found)


def _feeds(config: Config, terms: Taxonomies, reading: Reading) -> list[dict[str, Any]]:
    grouping = group(config, terms, reading.items)
    formats = [FormatName(name, media_type(name)) for name in config.feeds.formats]
    items = ItemAssembler(ItemRules.of(config, formats), terms, grouping.windows)
    assembler = FeedAssembler(config, terms, items)
    return [
        {
            "items": len(window.entries),
            "total": window.total,
            "newest": _newest(entry.record for entry in window.entries),
            "path": path,
            "kind": window.placement.kind,
            "title": assembler.words(window.placement, window.entries[0].record.head)[0],
            "urls": {link.format: link.url for link in items.links(path)},
        }
        for path, window in grouping.windows.items()
    ]


def _records(config: Config, terms: Taxonomies, reading: Reading) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [_record_row(record, "item") for record in reading.items]
    rows += [
        _record_row(left.record, left.reason)
        if left.record
        else {"date": "", "state": left.reason, "record": left.name, "title": ""}
        for left in reading.left_out
    ]
    rows += [_record_row(lost.record, "duplicate") for lost in reading.duplicates]
    unusable = {p.record or p.path: p for p in reading.problems if p.fatal}
    rows += [
        {"date": "", "state": "problem", "record": path, "title": str(problem.what)}
        for path, problem in unusable.items()
    ]
    return rows


def _record_row(record: Record, state: str) -> dict[str, Any]:
    return {
        "date": record.published.strftime("%Y-%m-%d"),
        "state": state,
        "record": record.path,
        "title": record.title,
    }


_ROWS = {"topics": _topics, "providers": _providers, "feeds": _feeds, "records": _records}
