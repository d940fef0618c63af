"""Detects what `init` finds in a folder: a site of a known tool, or a folder of records.

Every tool has a module with a function `look(tree)`, which returns a `Detected`, or None if the
folder is not a site of this tool. To support another tool, write its module, and add it to
`TOOLS`. Modules only read files through `Tree`; writing the configuration belongs in `render.py`
and the `init` command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from feedpub.detect import astro, eleventy, hexo, hugo, jekyll, obsidian, plain
from feedpub.detect.tree import Tree
from feedpub.detect.types import Detected, SiteFacts, one_line

# Site generators precede Obsidian: a generator determines the URLs of notes that it publishes.
TOOLS: tuple[Callable[[Tree], Detected | None], ...] = (
    hugo.look,
    eleventy.look,
    astro.look,
    hexo.look,
    jekyll.look,
    obsidian.look,
    plain.look,
)


def detect(folder: Path) -> Detected | None:
    """The kind of site in a folder, None if it has no records."""
    tree = Tree(folder)
    found = next((found for look in TOOLS if (found := look(tree))), None)
    if found is None:
        return None
    if not tree.is_free(found.output):
        note = f"CHECK: there are other files in {one_line(found.output)}; name another folder."
        found = replace(found, serving=(note, *found.serving))
    if found.about.title:
        return found
    title = SiteFacts.of(title=folder.resolve().name).title
    return replace(found, about=replace(found.about, title=title))
