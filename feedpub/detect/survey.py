"""Finds records, by parsing files as `generate` does, and chooses sources for them.

A source should include all records, also future ones, and few other files: every run would
report pages without a date as problems.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from enum import Enum
from glob import glob
from pathlib import Path
from typing import Any, NamedTuple

from feedpub.config import SourceSpec
from feedpub.detect.tree import Folder, Tree, is_literal, values_of
from feedpub.detect.types import counted
from feedpub.keys import GROUP_OF, KEYS
from feedpub.model import Problem, Record
from feedpub.records.field_reader import HOW_TO_DATE
from feedpub.records.kinds import DATA, SUFFIXES
from feedpub.records.read import parse_file
from feedpub.records.rules import ReadingRules
from feedpub.records.scan import UnreadableError, read_bytes

MAX_FILES = 3_000  # to read
MAX_BYTES = 64 * 1024 * 1024  # to read; the last file may exceed it
MAX_OF_A_FOLDER = 200  # to read of a folder; its other files are assumed to be similar
PAGES = tuple(suffix for suffix in SUFFIXES if suffix not in DATA)
_DRAFTS = frozenset({"drafts", "_drafts", "draft"})

# Our key → keys of other tools with the same meaning, the most likely first.
_OTHER_KEYS = {
    "date": (
        "pubDatetime publishedAt publishedDate published_date publish_date datePublished "
        "date_published postDate posted created createdAt created_at dateCreated date_created"
    ).split(),
    "updated": (
        "modDatetime updatedDate updatedAt updated_at dateModified date_modified lastModified "
        "last_modified"
    ).split(),
}


class Kind(Enum):
    """The kind of a file."""

    RECORD = "record"  # including one whose date must be corrected
    TERM = "term"  # describes a topic or a provider
    NOTHING = "nothing"  # ignored by runs
    PROBLEM = "problem"  # reported as a problem by runs
    DRAFT = "draft"  # in a folder of drafts, so not to be published
    UNKNOWN = "unknown"  # not read


_UNWANTED = frozenset({Kind.PROBLEM, Kind.DRAFT})


class Inspected(NamedTuple):
    """A file that may hold records."""

    path: str  # relative to the top folder
    kind: Kind
    records: tuple[Record, ...] = ()
    values: dict[str, Any] = {}  # noqa: RUF012 - if it is not a record; never changed
    unread_dates: tuple[Problem, ...] = ()
    size: int = 0  # bytes read


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible source, and its files."""

    path: str  # as in config.yaml: a file, a folder or a glob
    base: str  # the folder that paths of records are relative to
    files: tuple[Inspected, ...]
    problems: int = 0  # number of files that are not records

    @property
    def records(self) -> list[Record]:
        """All records of its files."""
        return [record for file in self.files for record in file.records]

    @property
    def notes(self) -> tuple[str, ...]:
        """Comments for config.yaml."""
        if not self.problems:
            return ()
        are, them = ("is", "a record") if self.problems == 1 else ("are", "records")
        files = f"{counted(self.problems, 'file')} here {are} not usable as {them}"
        return (f"CHECK: {files} and will be reported by every run.",)

    @property
    def unread_dates(self) -> list[Problem]:
        """The dates that feedpub cannot parse."""
        return [problem for file in self.files for problem in file.unread_dates]

    def is_one_page(self, *stems: str) -> bool:
        """Whether the base folder is one page, such as post/index.md with the stem `index`."""
        return all(name.rpartition(".")[0] in stems for name in self.names)

    @property
    def names(self) -> list[str]:
        """The paths of its files, relative to the base."""
        start = len(self.base) + 1 if self.base else 0
        return [file.path[start:] for file in self.files]


@dataclass(slots=True, eq=False)
class Survey:
    """The files below a folder, and what they are."""

    root: Path
    files: dict[str, list[Inspected]] = field(default_factory=dict)  # by folder
    fields: dict[str, str] = field(default_factory=dict)  # our key → the key that is used

    def of(self, folder: Folder) -> list[Inspected]:
        """The files directly in a folder."""
        return self.files.get(folder.below, [])

    def matched(self, pattern: str) -> set[str]:
        """The files that match a glob, as in a run."""
        paths = glob(pattern, root_dir=self.root, recursive=True)  # noqa: PTH207 - as runs do
        return {Path(path).as_posix() for path in paths}

    def below(self, folder: Folder) -> list[Inspected]:
        """The files in a folder and in all folders below."""
        return [file for each in folder.walk() for file in self.of(each)]


def survey(tree: Tree, top: Folder, suffixes: tuple[str, ...] = SUFFIXES) -> Survey:
    """Reads the files below a folder. Files with other suffixes are not records."""
    made = Survey(tree.root)
    rules = ReadingRules(
        zone=UTC,
        site_id="tag:example.org,2026:feeds",
        home="https://example.org/",
        origin="https://example.org/",
        language="en",
        fields={},
        episodes=False,
        providers={},
    )
    left, bytes_left = MAX_FILES, MAX_BYTES
    for folder in top.walk():
        is_draft = not _DRAFTS.isdisjoint(folder.below.lower().split("/"))
        names = [name for name in folder.files if _could_be_record(name)]
        step = -(-len(names) // MAX_OF_A_FOLDER)
        files = made.files[folder.below] = []
        for n, name in enumerate(names):
            path = folder.path_of(name)
            if is_draft:
                files.append(Inspected(path, Kind.DRAFT))
            elif not name.lower().endswith(suffixes):
                files.append(Inspected(path, Kind.PROBLEM))
            elif left <= 0 or bytes_left <= 0 or n % step:
                files.append(Inspected(path, Kind.UNKNOWN))
            else:
                files.append(_inspect(tree, path, rules))
                left, bytes_left = left - 1, bytes_left - files[-1].size
    made.fields = _other_keys(made)
    if made.fields:
        rules = rules._replace(fields={GROUP_OF[ours]: (key,) for ours, key in made.fields.items()})
        for files in made.files.values():
            files[:] = [_inspect(tree, k.path, rules) if k.values else k for k in files]
    return made


def _could_be_record(name: str) -> bool:
    return (
        name.lower().endswith(SUFFIXES)
        and not name.startswith(".")
        and name.upper() != "README.MD"
        and name.isprintable()
    )


def _inspect(tree: Tree, path: str, rules: ReadingRules) -> Inspected:
    try:
        data = read_bytes(str(tree.root / path))
    except UnreadableError:
        return Inspected(path, Kind.UNKNOWN)
    size = len(data)
    parsed = parse_file(data, path, path, SourceSpec(path=""), rules)
    if parsed.records and len(parsed.records) >= parsed.unusable:
        # Drop the content, since a site may have many long pages.
        records = tuple(record._replace(body="", featured="") for record in parsed.records)
        return Inspected(path, Kind.RECORD, records, size=size)
    unread = tuple(problem for problem in parsed.problems if _is_unread_date(problem))
    if unread and len(unread) == sum(1 for problem in parsed.problems if problem.fatal):
        return Inspected(path, Kind.RECORD, unread_dates=unread, size=size)
    values = values_of(data, path)
    if values.keys().isdisjoint(KEYS["published"]) and (
        "taxonomy" in values or {"_id", "name"} <= values.keys()
    ):
        return Inspected(path, Kind.TERM, values=values, size=size)
    kind = Kind.PROBLEM if parsed.unusable else Kind.NOTHING
    return Inspected(path, kind, values=values, size=size)


def _is_unread_date(problem: Problem) -> bool:
    """Whether the problem is a date in an unknown format, rather than a template or no date."""
    is_date = problem.fatal and problem.remedy == HOW_TO_DATE
    return is_date and bool(re.search(r"\d", problem.what)) and not re.search("[{<%]", problem.what)


def _other_keys(made: Survey) -> dict[str, str]:
    """Other keys for the date (and the update) in files that are not records without them."""
    lacking = [file.values for files in made.files.values() for file in files if file.values]
    fields: dict[str, str] = {}
    for ours, theirs in _OTHER_KEYS.items():
        count = {key: sum(1 for values in lacking if _is_date(values.get(key))) for key in theirs}
        best = max(theirs, key=lambda key: count[key])
        if count[best] and (ours == "date" or fields):
            fields[ours] = best
    return fields


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and bool(re.match(r"\d{4}-\d\d-\d\d", value))


# --- Choosing sources --------------------------------------------------


# Globs, without the suffix, for a part of a folder. The first without problems is used. None
# depends on how current files are named, because later files could have other names.
_DEEP = ("**/*", "*/*", "**/index")
_FLAT = ("*",)
# The maximum number of unusable files per record in a source. Every run reports them.
_MAX_UNUSABLE = 3


def sources(made: Survey, folder: Folder, keep: bool = False) -> list[Candidate]:
    """The sources for the records of a folder. With `keep`, prefer one to several."""
    return list(_sources(made, folder, keep))


def _sources(made: Survey, folder: Folder, keep: bool) -> Iterator[Candidate]:
    files = made.below(folder)
    if not is_literal(folder.name) or not any(file.kind is Kind.RECORD for file in files):
        return
    if folder.below and (keep or not _is_shelf(made, folder)):
        found = _whole(folder, files)
        if not found and all(each.is_whole for each in folder.walk()):
            found = _fitting(made, folder, files, _DEEP)
        found = found or _with_problems(made, folder, files)
        if found:
            yield from found
            return
    yield from _direct(made, folder)
    for child in folder.folders:
        yield from _sources(made, child, keep)


def _is_shelf(made: Survey, folder: Folder) -> bool:
    """Whether a folder contains only collections, which are neither years nor pages."""
    if any(file.kind is Kind.RECORD for file in made.of(folder)):
        return False
    return all(
        not child.name.isdecimal() and not _is_bundle(made, child)
        for child in folder.folders
        if any(file.kind is Kind.RECORD for file in made.below(child))
    )


def _is_bundle(made: Survey, folder: Folder) -> bool:
    """Whether a folder is a single page: post/index.md, or post/post.md."""
    stems = {_stem(file.path) for file in made.of(folder) if file.kind is Kind.RECORD}
    return stems <= {"index", folder.name} and bool(stems)


def _whole(folder: Folder, files: list[Inspected]) -> list[Candidate]:
    if any(file.kind in _UNWANTED for file in files):
        return []
    if not all(each.is_whole for each in folder.walk()):
        return []
    return [Candidate(folder.below, folder.below, _usable(files))]


def _fitting(
    made: Survey, folder: Folder, files: list[Inspected], globs: Iterable[str]
) -> list[Candidate]:
    """The first glob that matches all records and no problems, for each suffix."""
    good = {file.path for file in files if file.kind is Kind.RECORD}
    bad = {file.path for file in files if file.kind in _UNWANTED}
    suffixes = sorted({_suffix(path) for path in good})
    for pattern in globs:
        paths = [folder.path_of(pattern + suffix) for suffix in suffixes]
        taken = {path for each in paths for path in made.matched(each)}
        if good <= taken and bad.isdisjoint(taken):
            return [
                Candidate(path, folder.below, _usable(f for f in files if _suffix(f.path) == end))
                for path, end in zip(paths, suffixes, strict=True)
            ]
    return []


def _with_problems(made: Survey, folder: Folder, files: list[Inspected]) -> list[Candidate]:
    """All pages of a folder, with some problems, if no other choice avoids the problems."""
    pages = [file for file in files if _suffix(file.path).lower() not in DATA]
    suffixes = {_suffix(file.path) for file in pages if file.kind is Kind.RECORD}
    if len(suffixes) != 1 or any(file.kind is Kind.DRAFT for file in pages):
        return []
    suffix = suffixes.pop()
    mine = [file for file in pages if _suffix(file.path) == suffix]
    good = sum(1 for file in mine if file.kind is Kind.RECORD)
    bad = sum(1 for file in mine if file.kind is Kind.PROBLEM)
    is_avoidable = not any(each.problems for each in _direct(made, folder))
    if (
        is_avoidable
        or bad > _MAX_UNUSABLE * good
        or not all(each.is_whole for each in folder.walk())
    ):
        return []
    return [Candidate(folder.path_of(f"**/*{suffix}"), folder.below, _usable(mine), bad)]


def _direct(made: Survey, folder: Folder) -> Iterator[Candidate]:
    """Sources for the files directly in a folder, by suffix."""
    files = made.of(folder)
    good = [file for file in files if file.kind is Kind.RECORD]
    for suffix in sorted({_suffix(file.path) for file in good}):
        mine = [file for file in files if _suffix(file.path) == suffix]
        records = [file for file in mine if file.kind is Kind.RECORD]
        others = sum(1 for file in mine if file.kind in _UNWANTED)
        if suffix.lower() in DATA:
            for file in records:
                if is_literal(file.path.rpartition("/")[2]):
                    yield Candidate(file.path, folder.below, (file,))
        elif found := _fitting(made, folder, mine, _FLAT):
            yield from found
        elif others <= _MAX_UNUSABLE * len(records):
            yield Candidate(folder.path_of(f"*{suffix}"), folder.below, _usable(mine), others)


def _usable(files: Iterable[Inspected]) -> tuple[Inspected, ...]:
    return tuple(file for file in files if file.kind in {Kind.RECORD, Kind.UNKNOWN})


def _suffix(path: str) -> str:
    return "." + path.rpartition(".")[2]


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]
