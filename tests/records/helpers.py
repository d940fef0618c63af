"""Short ways to a record, for the tests of this folder."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from feedpub.config import SourceSpec, load_config
from feedpub.model import Problem, Record
from feedpub.records.read import Parsed, parse_file
from feedpub.records.rules import ReadingRules

SITE = """
site: {{title: A site, url: https://feeds.example.org/, home: {home},
  id: "tag:example.org,2026:feeds", timezone: {zone}}}
records: [.]
output: ../feeds
{more}
"""


def rules(
    more: str = "", home: str = "https://example.org/", zone: str = "Europe/Berlin"
) -> ReadingRules:
    """The rules of a configuration; `more` are its further lines."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "records", "config.yaml")
        path.parent.mkdir()
        path.write_text(SITE.format(more=more, home=home, zone=zone), encoding="utf-8")
        return ReadingRules.of(load_config(path, {}))


SOURCE = SourceSpec(path="records")
RULES = rules()


def parse(
    text: str | bytes,
    path: str = "records/post.md",
    below: str = "",
    *,
    source: SourceSpec = SOURCE,
    rules: ReadingRules = RULES,
) -> Parsed:
    """What a file of this name with this text gives."""
    data = text.encode() if isinstance(text, str) else text
    return parse_file(data, path, below or path.partition("/")[2] or path, source, rules)


def front(keys: str, body: str = "") -> str:
    """A file with front matter that has a title and a date already."""
    return f"---\ntitle: A title\ndate: 2026-01-02T03:04:05Z\n{keys}\n---\n{body}"


def record(keys: str = "", body: str = "", **place: Any) -> Record:
    """The record of a file with a title, a date and these keys; it must be usable."""
    return only(parse(front(keys, body), **place))


def only(parsed: Parsed) -> Record:
    """The one record of a file."""
    assert [str(problem) for problem in parsed.problems if problem.fatal] == []
    assert len(parsed.records) == 1
    return parsed.records[0]


def problem(parsed: Parsed) -> Problem:
    """The one problem of a file."""
    assert len(parsed.problems) == 1, parsed.problems
    return parsed.problems[0]


@contextlib.contextmanager
def no_endless_time(seconds: float = 40) -> Iterator[None]:
    """Fails if what is done takes so long: a regular expression can take for ever.

    It is no measure of speed: what takes a second on an idle machine may take five on a busy one.
    """

    def stop(signum: int, frame: object) -> None:
        raise TimeoutError(f"not done in {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def bare(text: str, **place: Any) -> Record:
    """The record of front matter that brings its own title and date."""
    return only(parse(f"---\n{text}\n---\n", **place))
