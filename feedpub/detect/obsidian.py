"""Obsidian: the folders of a vault with notes that have a title and a date."""

from __future__ import annotations

from feedpub.detect.survey import PAGES, sources, survey
from feedpub.detect.tree import Tree
from feedpub.detect.types import Detected, ProposedSource, SiteFacts, counted, one_line
from feedpub.paths import portable_name

_DEFAULT = "Published"
_LINK = ("If you publish your notes, set their addresses, for example `link: /{path}/`.",)


def look(tree: Tree) -> Detected | None:
    """Detects an Obsidian vault."""
    if not tree.has_folder(".obsidian"):
        return None
    tree.explore()
    made = survey(tree, tree.top, PAGES)
    found = sources(made, tree.top)
    count = sum(len(each.files) for each in found)
    where = one_line(", ".join(each.base or "the vault's top" for each in found), 80)
    notes = counted(count, "note")
    name = tree.root.resolve().name
    return Detected(
        name="an Obsidian vault",
        evidence=(
            f".obsidian, {notes} with a title and a date in {where}"
            if count
            else ".obsidian, no note with both a title and a date"
        ),
        about=SiteFacts(),
        sources=tuple(ProposedSource(each.path, "", (*each.notes, *_LINK)) for each in found)
        or (ProposedSource(_DEFAULT, "", _LINK),),
        output=f"../{portable_name(f'{name}.')}-feeds",
        served_at="",
        serving=(
            "Beside the vault, so that Obsidian neither lists nor syncs the feeds.",
            "feedpub keeps its state in .feedpub, a hidden folder, which Obsidian ignores.",
        ),
        fields=made.fields,
        unread_dates=tuple(problem for each in found for problem in each.unread_dates),
        advice=(
            ""
            if count
            else f"a note becomes an item when it is in {_DEFAULT}/ and has a `title` and a `date`"
        ),
    )
