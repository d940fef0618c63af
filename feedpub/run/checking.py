"""Finds all problems in the configuration and the records. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from feedpub.config import Config
from feedpub.errors import NotFoundError
from feedpub.grouping.duplicates import Duplicate
from feedpub.model import Problem
from feedpub.records.scan import FoundFile
from feedpub.run.query import group, podcast_problems, read_records, read_terms
from feedpub.run.report import RunOptions


class CheckResult(NamedTuple):
    """The result of a check."""

    problems: Sequence[Problem]  # by file and line
    read: int  # number of records
    duplicates: Sequence[Duplicate]


def check(config: Config, options: RunOptions, paths: Sequence[Path] = ()) -> CheckResult:
    """Checks all records, or only those at `paths`.

    Raises `NotFoundError` for a path that does not exist, or if no source reads any of them.
    """
    wanted = [_absolute(path) for path in paths]
    for path, absolute in zip(paths, wanted, strict=True):
        if not absolute.exists():
            raise NotFoundError(str(path), "it does not exist", "correct the path")

    def only(found: FoundFile) -> bool:
        file = _absolute(found.file)
        return any(file == path or path in file.parents for path in wanted)

    problems: list[Problem] = []
    terms = read_terms(config, problems)
    # Render content too, so that everything that can fail in a run fails here.
    reading = read_records(config, terms, options, only if wanted else None, try_content=True)
    if wanted and not reading.read:
        named = ", ".join(map(str, paths))
        what = "no record of the sources in config.yaml"
        raise NotFoundError(named, what, "see its records: key")
    problems = reading.problems if wanted else problems + reading.problems
    if config.has_podcasts:
        podcast_faults = podcast_problems(config, group(config, terms, reading.items))
        shown = config.shown(config.path)
        problems += [problem for problem in podcast_faults if not wanted or problem.path != shown]
    problems.sort(key=lambda problem: (problem.path, problem.line))
    return CheckResult(problems, reading.read, reading.duplicates)


def _absolute(path: str | Path) -> Path:
    """A normalized absolute path, with symbolic links kept."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links
