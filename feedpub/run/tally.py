"""What the store holds, counted and named for the report."""

from __future__ import annotations

from collections.abc import Sequence

from feedpub.grouping.duplicates import newest, same_id
from feedpub.model import Problem
from feedpub.run.files import FileNotes
from feedpub.run.report import Lost, Tally
from feedpub.run.sync import by_guid, claim, how_lost
from feedpub.store.rows import Rival, name_of
from feedpub.store.store import Store


def tally(store: Store, general: Sequence[Problem], folders: Sequence[Problem]) -> Tally:
    """Every record accounted for; each problem of `folders` stands for a record of its own."""
    total, reasons = store.count_records()
    told = Tally(files=store.count_files(), unusable=len(folders))
    told.reasons = dict(sorted(reasons.items(), key=lambda count: (-count[1], count[0])))
    problems = list(folders)
    for notes in map(FileNotes.of, store.notes()):
        problems += notes.problems
        told.unusable += notes.unusable
        told.no_records += len(notes.skipped)
    lost = 0
    for key in store.lost():
        for rivals in by_guid(store.rivals(key)):
            winner = rivals[newest([claim(rival) for rival in rivals])]
            for rival in rivals:
                how = how_lost(rival, winner)
                lost += how > 0
                if how == 1:
                    told.duplicates.append(Lost(_name(rival), _name(winner), rival.guid))
                elif how == 2:
                    problems.append(same_id(rival.shown, rival.line, _name(rival), _name(winner)))
                    told.unusable += 1
    told.duplicates.sort()
    # Sorting keeps those of one file in the order in which they were found.
    told.problems = [*general, *sorted(problems, key=lambda problem: problem.path)]
    told.items = total - told.left_out - lost
    return told


def _name(rival: Rival) -> str:
    return name_of(rival.shown, rival.part)
