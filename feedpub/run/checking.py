"""The configuration and the records → every problem in them, and nothing written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from feedpub.config import Config
from feedpub.grouping.duplicates import Duplicate
from feedpub.model import Problem
from feedpub.records.scan import FoundFile
from feedpub.run.query import group, lacks_of_podcasts, read_records, read_terms
from feedpub.run.report import RunOptions


class Checked(NamedTuple):
    """What a check found."""

    problems: Sequence[Problem]  # by file and line
    read: int  # records
    duplicates: Sequence[Duplicate]


def check(config: Config, options: RunOptions, paths: Sequence[Path] = ()) -> Checked:
    """Reads all records, or those at `paths` alone."""
    wanted = [_absolute(path) for path in paths]

    def only(found: FoundFile) -> bool:
        file = _absolute(found.file)
        return any(file == path or path in file.parents for path in wanted)

    problems: list[Problem] = []
    terms = read_terms(config, problems)
    # Content is tried too: whatever could fail in a run fails here first.
    reading = read_records(config, terms, options, only if wanted else None, try_content=True)
    problems = reading.problems if wanted else problems + reading.problems
    if config.has_podcasts:
        lacking = lacks_of_podcasts(config, group(config, terms, reading.items))
        shown = config.shown(config.path)
        problems += [problem for problem in lacking if not wanted or problem.path != shown]
    problems.sort(key=lambda problem: (problem.path, problem.line))
    return Checked(problems, reading.read, reading.duplicates)


def _absolute(path: str | Path) -> Path:
    """A path without .. in it, its links left as they are: two ways to a file are one."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links
