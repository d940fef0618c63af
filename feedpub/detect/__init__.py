"""What a folder is: one module a tool, all of the same shape, in the order in which they are asked.

A module has `look(tree)`, which gives a `Detected`, or None if the folder is not such a place. To
add another tool, write its module and put it into `TOOLS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from feedpub.detect import astro, eleventy, hexo, hugo, jekyll, obsidian, plain
from feedpub.detect.tree import Tree
from feedpub.detect.types import Detected, SiteFacts, one_line

# Site generators before the vault: notes that a generator publishes have its addresses.
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
    """What a folder is, None if there is nothing in it that feedpub knows."""
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
