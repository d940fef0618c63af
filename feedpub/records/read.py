"""The bytes of one file → its records. Pure functions: no files, no clock.

A file holds front matter and a body (.md, .html), one record or a list of records (.yaml,
.json), or one JSON object per line (.jsonl).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from feedpub.config import SourceSpec
from feedpub.keys import KEYS, RANK_OF
from feedpub.model import Problem, Record
from feedpub.records.field_reader import Keys, Notes, Position
from feedpub.records.fields import build_record
from feedpub.records.kinds import DATA, LINES
from feedpub.records.rules import ReadingRules
from feedpub.records.text import first_unprintable, strip_unprintable
from feedpub.records.values import (
    Document,
    ParseError,
    parse_json,
    parse_toml,
    split_front_matter,
    split_json_front_matter,
)

LineOf = Callable[[Keys], int]
_DATED_NAME = re.compile(r"\d{4}-\d{1,2}-\d{1,2}-")
_DATES = frozenset({*KEYS["published"], "published"})


@dataclass(slots=True, eq=False, repr=False)
class Parsed:
    """The result of parsing one file. Always read = records + unusable."""

    records: list[Record] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # fatal ones and others
    skipped: list[tuple[str, str]] = field(
        default_factory=list
    )  # (name, reason) of what is not a record
    unusable: int = 0

    @property
    def read(self) -> int:
        """The number of records in the file."""
        return len(self.records) + self.unusable


def unreadable(path: str, what: str, remedy: str, line: int = 0) -> Parsed:
    """The result for a file that cannot be read: it counts as one unusable record."""
    return Parsed(problems=[Problem(path, line, "", what, remedy)], unusable=1)


def parse_file(
    data: bytes, path: str, below: str, source: SourceSpec, rules: ReadingRules
) -> Parsed:
    """The records of one file. `path` is shown to users, `below` is relative to the source.

    Never raises: whatever goes wrong in one file is a problem of that file.
    """
    try:
        return _parse_file(data, path, below, source, rules)
    except Exception as error:
        what = f"internal error ({type(error).__name__}: {error})"
        return unreadable(path, what[:300], "report it, with the file; the others were used")


def _parse_file(
    data: bytes, path: str, below: str, source: SourceSpec, rules: ReadingRules
) -> Parsed:
    if below.rpartition("/")[2].startswith("_index."):
        return Parsed(skipped=[(path, "section page")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return unreadable(path, "a binary file", "remove it, or change its extension")
        line = data.count(b"\n", 0, error.start) + 1
        return unreadable(path, "the text is not UTF-8", "save it as UTF-8", line)
    if "\0" in text:
        return unreadable(path, "a binary file", "remove it, or change its extension")
    if not text.strip():
        return unreadable(path, "the file is empty", "write a record, or delete it", 1)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    parsed = Parsed()
    if unprintable := first_unprintable(text, data):
        line = text.count("\n", 0, unprintable.start()) + 1
        what = f"a character (U+{ord(unprintable[0]):04X}) that is not allowed in feeds"
        remedy = "remove it; feedpub ignored it"
        parsed.problems.append(Problem(path, line, "", what, remedy, fatal=False))
        text = strip_unprintable(text)
    reader = _FileReader(path, below, source, rules, parsed)
    lower = path.lower()
    try:
        if lower.endswith(LINES):
            reader.read_lines(text)
        elif lower.endswith(DATA):
            reader.read_data(text)
        else:
            reader.read_front_matter(text)
    except ParseError as error:
        parsed.problems.append(Problem(path, error.line or 1, "", error.what, error.remedy))
        parsed.unusable += 1
    return parsed


@dataclass(slots=True, eq=False, repr=False)
class _FileReader:
    """Parses the text of one file into `parsed`. The methods raise `ParseError`."""

    path: str
    below: str
    source: SourceSpec
    rules: ReadingRules
    parsed: Parsed

    def read_front_matter(self, text: str) -> None:
        """Reads one record, with its body."""
        if text.startswith("{"):
            values, body = split_json_front_matter(text)
            self._add(values, Position(self.path, self.below), _JsonLines(text).line_of, body)
            return
        fence = text[:3]
        first, _, rest = text.partition("\n")
        if fence not in {"---", "+++"} or first[3:].strip():
            raise ParseError("there is no front matter", "begin the file with a line of ---", 1)
        front, body = split_front_matter(rest, fence)
        suffix = self.path.lower().rpartition(".")[2]
        body_type = "html" if suffix in {"html", "htm"} else ""
        place = Position(self.path, self.below)
        body = body.lstrip("\n")
        try:
            if fence == "+++":
                self._add(parse_toml(front), place, _toml_lines(front), body, body_type)
                return
            document = Document(front)
            values = document.value()
        except ParseError as error:
            # JSON is YAML, but for its escapes of surrogate pairs.
            written = _json_object(front) if front.lstrip().startswith("{") else None
            if written is not None:
                self._add(written, place, _always(2), body, body_type)
                return
            line = error.line + 1 if error.line else 1
            raise ParseError(error.what, error.remedy, line) from None
        self._note_duplicates(document, offset=1)
        # Jekyll: front matter may be empty if the file name has a date and a title.
        if values is None and _DATED_NAME.match(self.below.rpartition("/")[2]):
            values = {}
        self._add(values, place, lambda keys: document.line_of(keys) + 1, body, body_type)

    def read_data(self, text: str) -> None:
        """Reads one record, a list of records, or an object that contains the list."""
        line_of: LineOf
        if self.path.lower().endswith(".json"):
            values, duplicates = parse_json(text)
            for name in duplicates:
                self._note_twice(0, name, "the key appears twice in an object")
            line_of = _JsonLines(text).line_of
        else:
            document = Document(text)
            values = document.value()
            self._note_duplicates(document, offset=0)
            line_of = document.line_of
        prefix: Keys = ()
        if isinstance(values, dict) and (name := _list_of_records(values)):
            prefix, values = (name,), values[name]
        if isinstance(values, dict):
            self._add(values, Position(self.path, self.below), line_of)
            return
        if not isinstance(values, list):
            raise ParseError("expected a record, not a text", "write key: value lines", 1)
        for n, entry in enumerate(values):
            where: Keys = (*prefix, n)
            place = Position(self.path, self.below, line_of(where), part=n, whole_file=False)
            self._add(entry, place, _within(line_of, where))

    def read_lines(self, text: str) -> None:
        """Reads one record per line. A line that cannot be parsed does not stop the others."""
        lines = [(n, line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
        for part, (n, line) in enumerate(lines):
            place = Position(self.path, self.below, n, part=part, whole_file=False)
            try:
                values, duplicates = parse_json(line)
            except ParseError as error:
                problem = Problem(self.path, n, "", error.what, error.remedy, record=place.name)
                self.parsed.problems.append(problem)
                self.parsed.unusable += 1
                continue
            for name in duplicates:
                self._note_twice(n, name, "the key appears twice in an object")
            self._add(values, place, _always(n))

    def _add(
        self, values: Any, place: Position, line_of: LineOf, body: str = "", body_type: str = ""
    ) -> None:
        """Adds one record, if it can be used."""
        notes = Notes(place, line_of)
        parsed = self.parsed
        if not isinstance(values, dict):
            kind = (
                "nothing" if values is None else "a list" if isinstance(values, list) else "a text"
            )
            remedy = "write key: value lines, like title: and date:"
            notes.add((), f"the record is {kind}, not a mapping", remedy, fatal=True)
        elif values.get("taxonomy") and values.keys().isdisjoint(KEYS["published"]):
            parsed.skipped.append((place.name, "taxonomy file"))
            return
        else:
            record = build_record(values, body, body_type, place, self.source, self.rules, notes)
            if record:
                parsed.records.append(record)
        parsed.problems.extend(notes.problems)
        parsed.unusable += notes.fatal

    def _note_duplicates(self, document: Document, offset: int) -> None:
        for twice in document.duplicates:
            what = f"the key appears twice (first on line {twice.first_line + offset})"
            self._note_twice(twice.line + offset, twice.key, what)

    def _note_twice(self, line: int, key: str, what: str) -> None:
        remedy = "keep one of them; feedpub used the last"
        self.parsed.problems.append(Problem(self.path, line, key, what, remedy, fatal=False))


def _json_object(text: str) -> dict[str, Any] | None:
    """The object that a text is in JSON, None if it is not JSON."""
    try:
        values, _ = parse_json(text)
    except ParseError:
        return None
    return values if isinstance(values, dict) else None


def _toml_lines(front: str) -> LineOf:
    """Returns a function that finds the line of a top-level key; the fence is line 1."""

    @cache
    def line_of(keys: Keys) -> int:
        if len(keys) > 1:  # many values of one key may have problems
            return line_of(keys[:1])
        name = re.escape(str(keys[0])) if keys else ""
        found = re.search(rf"^[ \t]*\"?{name}\"?[ \t]*=", front, re.MULTILINE) if name else None
        return front.count("\n", 0, found.start()) + 2 if found else 1

    return line_of


def _within(line_of: LineOf, where: Keys) -> LineOf:
    """Returns a function that finds lines of what is below `where`."""
    return lambda keys: line_of(where + keys)


def _always(line: int) -> LineOf:
    return lambda keys: line


def _list_of_records(values: dict[str, Any]) -> str:
    """The key of the list of records in an object that is not a record itself, "" if none.

    An object with a date is a record. A key that records have does not hold the list. Raises
    `ParseError` if several lists are possible.
    """
    if not values.keys().isdisjoint(_DATES):
        return ""
    others = {name: value for name, value in values.items() if name not in RANK_OF}
    lists = [
        name
        for name, value in others.items()
        if isinstance(value, list) and any(isinstance(entry, dict) for entry in value)
    ] or [name for name, value in others.items() if value == []]
    if len(lists) > 1:
        what = f"several lists could hold the records ({', '.join(sorted(lists))})"
        raise ParseError(what, "keep one list per file")
    return lists[0] if lists else ""


# A surrogate pair, as JSON escapes characters beyond U+FFFF, or a lone surrogate.
_SURROGATES = re.compile(
    r"\\u(d[89ab][0-9a-f]{2})(?:\\u(d[c-f][0-9a-f]{2}))?|\\ud[c-f][0-9a-f]{2}", re.IGNORECASE
)


def _as_yaml_has_it(escape: re.Match[str]) -> str:
    """The YAML escape for the same character; U+FFFD for a lone surrogate, which YAML forbids."""
    if not escape[2]:
        return "\\ufffd"
    high, low = int(escape[1], 16) & 0x3FF, int(escape[2], 16) & 0x3FF
    return f"\\U{0x10000 + (high << 10) + low:08x}"


class _JsonLines:
    """Finds lines in a JSON text, using the YAML parser, since JSON is valid YAML."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._document: Document | None = None

    def line_of(self, keys: Keys) -> int:
        if "\n" not in self._text or len(self._text) > 1_000_000:
            return 1
        if self._document is None:
            try:
                text = _SURROGATES.sub(_as_yaml_has_it, self._text.replace("\t", "  "))
                self._document = Document(text)
            except ParseError:
                self._text = ""
                return 1
        return self._document.line_of(keys)
