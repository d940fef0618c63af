"""The ids in a feed of another tool → lines of the ledger, matched by URL."""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from feedpub.config import Config
from feedpub.durable import Root
from feedpub.errors import RunError
from feedpub.ids.feeds import OtherFeed, Published, page_key, read_feed
from feedpub.ids.ledger_file import append_lines
from feedpub.model import OWN_ID, LedgerLine, Problem, Record
from feedpub.output.manifest import ManifestError, read_manifest
from feedpub.run.query import ledger_line, read_records, read_terms
from feedpub.run.report import RunOptions

MAX_PAGES = 1000  # of one feed


@dataclass(slots=True, eq=False, repr=False)
class Imported:
    """The result of matching the items of a feed with the records."""

    items: int = 0
    lines: list[LedgerLine] = field(default_factory=list)  # for the ledger
    same: int = 0  # items whose record has the same id already
    unmatched: list[Published] = field(default_factory=list)  # items whose URLs no record has
    refused: list[str] = field(default_factory=list)  # messages: why a record keeps its own id


def other_feed(name: str) -> OtherFeed:
    """Reads a feed from a file, or from a URL with all its pages. Raises `RunError`."""
    if not re.match(r"https?://", name, re.IGNORECASE):
        try:
            return read_feed(Path(name).read_bytes(), name)
        except OSError as error:
            raise RunError(f"{name}: cannot be read ({error.strerror})") from error
    from feedpub.web import get  # slow to import; files do not need it

    whole = OtherFeed([])
    seen: set[str] = set()
    url = name
    while url and url not in seen and len(seen) < MAX_PAGES:
        seen.add(url)
        page = read_feed(*_named(url, get(url)))
        whole.items.extend(page.items)
        url = page.next
    return whole


def _named(url: str, answer: tuple[bytes, str]) -> tuple[bytes, str, str]:
    data, found_at = answer
    return data, url, found_at


def published_in(config: Config) -> OtherFeed:
    """The items in the feeds of the output tree, each once."""
    try:
        manifest = read_manifest(config.output)
    except ManifestError:
        manifest = None
    whole = OtherFeed([])
    seen: set[str] = set()
    paths = list(manifest.files) if manifest else []
    # JSON Feed and RSS have the id itself; Atom may have a URI made from it.
    for form in ("json", "rss", "atom"):
        name = config.feeds.filenames.get(form)
        for path in (path for path in paths if path.rpartition("/")[2] == name):
            with contextlib.suppress(OSError, RunError):
                for item in read_feed(Root(config.output).read(path), path).items:
                    if seen.isdisjoint({item.id, *item.addresses}):
                        whole.items.append(item)
                    seen |= {item.id, *item.addresses}
    return whole


def match(config: Config, feed: OtherFeed, options: RunOptions) -> Imported:
    """Finds the lines that the ledger needs so that the records get the ids of the feed."""
    problems: list[Problem] = []
    reading = read_records(config, read_terms(config, problems), options)
    records = [*reading.items, *(left.record for left in reading.left_out if left.record)]
    records += [lost.record for lost in reading.duplicates]
    by_address: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        for url in {record.link, record.external_url, record.id, record.derived}:
            if re.match(r"https?://", url, re.IGNORECASE):
                by_address[page_key(url)].append(record)
    owner = {record.id: record for record in records}
    result = Imported(len(feed.items))
    taken: set[str] = set()  # ids that the rules give, and that have a line now
    for item in feed.items:
        found = [r for url in item.addresses for r in by_address.get(page_key(url), [])]
        ids = {record.id for record in found}
        if not found:
            result.unmatched.append(item)
            continue
        record, derived = found[0], found[0].derived or found[0].id
        if item.id in ids:
            result.same += 1
        elif len(ids) > 1:
            result.refused.append(f"{item.id}: several records have its URL: {_names(found)}")
        elif record.id_from == OWN_ID:
            result.refused.append(
                f"{record.path}: its key id is {record.id}; change it to {item.id}"
            )
        elif item.id in owner:
            result.refused.append(
                f"{record.path}: its id would be {item.id}, "
                f"which is the id of {owner[item.id].path}"
            )
        elif derived in taken:
            result.refused.append(f"{record.path}: the feed gives it a second id, {item.id}")
        else:
            taken.add(derived)
            line = ledger_line(record)
            result.lines.append(line._replace(id=item.id, derived=derived))
    return result


def append_to_ledger(config: Config, lines: Sequence[LedgerLine]) -> None:
    """Appends lines to the ledger. Raises `LedgerError`."""
    if lines:
        append_lines(config.ledger, config.shown(config.ledger), lines)


def _names(records: Sequence[Record]) -> str:
    return ", ".join(sorted({record.path for record in records}))
