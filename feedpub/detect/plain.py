"""Any other folder with records in Markdown, HTML or data files."""

from __future__ import annotations

from feedpub.detect.survey import Candidate, Kind, Survey, sources, survey
from feedpub.detect.tree import Folder, Tree, is_literal
from feedpub.detect.types import Detected, ProposedSource, SiteFacts, counted, one_line

_PROVIDERS = ("organi", "provider", "publisher", "source", "compan")


def look(tree: Tree) -> Detected | None:
    """Detects a folder of records."""
    tree.explore()
    made = survey(tree, tree.top)
    found = sources(made, tree.top)
    if not found:
        return None
    count = sum(len(each.records) + sum(not k.records for k in each.files) for each in found)
    where = one_line(", ".join(each.base or "this folder" for each in found), 80)
    taxonomy = _taxonomy(made, tree.top)
    records = counted(count, "record")
    folders = "".join(f", {role} in {one_line(at, 40)}" for role, at in taxonomy.items())
    return Detected(
        name="a folder of records",
        evidence=f"{records} in {where}{folders}",
        about=SiteFacts(),
        sources=tuple(ProposedSource(each.path, "", _notes(each)) for each in found),
        output=tree.free_name(),
        served_at="",
        serving=("Put this folder on any static host.",),
        fields=made.fields,
        unread_dates=tuple(problem for each in found for problem in each.unread_dates),
        taxonomy=taxonomy,
    )


def _notes(found: Candidate) -> tuple[str, ...]:
    """Comments, also on records without a URL."""
    without = sum(1 for record in found.records if not record.link)
    if not without:
        return found.notes
    return (
        f"{counted(without, 'record')} {'has' if without == 1 else 'have'} no URL: "
        "set `link:`, for example /posts/{slug}/",
        *found.notes,
    )


def _taxonomy(made: Survey, top: Folder) -> dict[str, str]:
    """The taxonomy folders of topics and providers."""
    folders: dict[str, str] = {}
    for folder in top.walk():
        files = [file for file in made.of(folder) if file.kind is not Kind.UNKNOWN]
        if (
            folder.below
            and files
            and is_literal(folder.below)
            and all(file.kind is Kind.TERM for file in files)
        ):
            values = files[0].values
            word = str(values.get("taxonomy") or folder.name).lower()
            role = "providers" if word.startswith(_PROVIDERS) or "domain" in values else "topics"
            folders.setdefault(role, folder.below)
    return folders
