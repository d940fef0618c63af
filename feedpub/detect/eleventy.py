"""Eleventy: Markdown below its input folder (11ty.dev/docs/permalinks)."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import Any

from feedpub.detect.scripts import literal
from feedpub.detect.survey import PAGES, Candidate, sources, survey
from feedpub.detect.tree import Folder, Tree
from feedpub.detect.types import (
    Detected,
    ProposedSource,
    SiteFacts,
    counted,
    link_pattern,
    one_line,
    placeholder,
)

_SETTINGS = (
    ".eleventy.js",
    *(f"eleventy.config.{ending}" for ending in ("js", "mjs", "cjs", "ts", "mts", "cts")),
)
_ABOUT = ("metadata", "site", "meta")
_DATE = re.compile(r"\d{4}-\d\d-\d\d-")
# Tags that define collections of posts, and are not topics.
_COLLECTIONS = frozenset("post posts blog article articles note notes all nav page pages".split())
_INPUT = re.compile(r"""setInputDirectory\(\s*["']([^"'\n]{1,200})["']""")
_OUTPUT = re.compile(r"""setOutputDirectory\(\s*["']([^"'\n]{1,200})["']""")
_PUBLIC = re.compile(
    r"""addPassthroughCopy\(\s*\{\s*["'](?:\./)?(public|static)/?["']\s*:\s*["'](?:\./|/)?["']"""
)


def look(tree: Tree) -> Detected | None:
    """Detects an Eleventy site."""
    config = tree.first(*_SETTINGS)
    if not config:
        return None
    text = tree.text(config)
    tree.explore(_output(text))
    top = _input(tree, text)
    made = survey(tree, top, PAGES)
    found = sources(made, top)
    entries = tuple(_source(tree, top, each) for each in found)
    count = sum(len(each.files) for each in found)
    where = one_line(", ".join(sorted({each.base or "this folder" for each in found})), 80)
    pages = counted(count, "dated page")
    public = _PUBLIC.search(text)
    above = public[1] if public and tree.has_folder(public[1]) else ""
    output = tree.free_name(above)
    return Detected(
        name="an Eleventy site",
        evidence=f"{config}, {pages} in {where}" if count else f"{config}, no dated pages yet",
        about=_about(tree, top, text),
        sources=entries or placeholder(top.path_of("posts"), "/posts/{slug}/"),
        output=f"{above}/{output}" if above else output,
        served_at=f"{output}/",
        serving=_serving(above, output, config),
        fields=made.fields,
        unread_dates=tuple(problem for each in found for problem in each.unread_dates),
        not_topics=_collections(found),
    )


def _input(tree: Tree, text: str) -> Folder:
    """The input folder, if it is a literal in the settings."""
    name = literal(text, "input")
    if not name and (found := _INPUT.search(text)):
        name = found[1]
    return tree.folder(posixpath.normpath(name)) or tree.top if name else tree.top


def _output(text: str) -> str:
    """The output folder of Eleventy, if it is a literal in the settings."""
    found = _OUTPUT.search(text)
    return posixpath.normpath(literal(text, "output") or (found[1] if found else "_site"))


def _serving(above: str, output: str, config: str) -> tuple[str, ...]:
    if above:
        return (f"Eleventy copies {above}/, as {config} says: the feeds are served at /{output}/.",)
    return (
        f"To have the feeds served at /{output}/, add to {config}:",
        f'eleventyConfig.addPassthroughCopy("{output}");',
    )


def _about(tree: Tree, top: Folder, text: str) -> SiteFacts:
    data = top.path_of(literal(text, "data") or "_data")
    names = [posixpath.normpath(f"{data}/{name}") for name in _ABOUT]
    json = tree.first(*(f"{name}.json" for name in names))
    script = tree.first(*(f"{name}.{end}" for name in names for end in ("js", "cjs", "mjs")))
    values: dict[str, Any] = {}
    if json:
        values = tree.settings(json)
    elif script:
        text_of_script = tree.text(script)
        values = {
            key: literal(text_of_script, key) for key in ("title", "url", "language", "description")
        }
    return SiteFacts.of(
        title=values.get("title") or values.get("name"),
        home=values.get("url"),
        description=values.get("description"),
        language=values.get("language") or values.get("lang"),
        author=values.get("author"),
    )


def _source(tree: Tree, top: Folder, found: Candidate) -> ProposedSource:
    """The source with the URLs of Eleventy: paths below the input folder, without dates."""
    base = found.base[len(top.below) :].strip("/") if top.below else found.base
    place = f"/{base}" if base else ""
    written, where = _permalink(tree, found.base)
    if written:
        pattern = _pattern(written)
        note = f"{where}: permalink: {one_line(written)}"
        if pattern:
            return ProposedSource(found.path, pattern, (note, *found.notes))
        check = f"CHECK: {note} cannot be written as a link pattern; this is Eleventy's default."
        return ProposedSource(found.path, f"{place}/{{slug}}/", (check, *found.notes))
    if base and found.is_one_page("index", posixpath.basename(base)):
        return ProposedSource(found.path, f"{place}/", found.notes)
    if not _is_nested(found):
        return ProposedSource(found.path, f"{place}/{{slug}}/", found.notes)
    notes = found.notes
    if any(_DATE.match(posixpath.basename(name)) for name in found.names):
        notes = ("CHECK: Eleventy leaves the date in a file's name out of its address.", *notes)
    return ProposedSource(found.path, f"{place}/{{path}}/", notes)


def _is_nested(found: Candidate) -> bool:
    """Whether pages are in subfolders, apart from those of a single page (post/index.md)."""
    for name in found.names:
        *way, file = name.split("/")
        stem = _DATE.sub("", file.rpartition(".")[0])
        if len(way) > 1 or (way and stem not in ("index", way[-1])):
            return True
    return False


def _permalink(tree: Tree, folder: str) -> tuple[str, str]:
    """The permalink in the data file of a folder, and the path of that file."""
    name = posixpath.basename(folder)
    for path in (f"{folder}/{name}.json", f"{folder}/{name}.11tydata.json"):
        if tree.has(path):
            value = tree.settings(path).get("permalink")
            if isinstance(value, str) and value:
                return value, path
    for ending in ("js", "cjs", "mjs"):
        path = f"{folder}/{name}.11tydata.{ending}"
        if tree.has(path) and "permalink" in (text := tree.text(path)):
            return literal(text, "permalink") or "is made by a program", path
    return "", ""


def _pattern(written: str) -> str:
    """A Nunjucks or Liquid template as a link pattern, "" if it uses more than the slug."""
    pattern = re.sub(r"\{\{-?\s*page\.fileSlug\s*-?\}\}", "\0", written)
    if "{" in pattern or "}" in pattern or "\0" not in pattern:
        return ""
    pattern = pattern.replace("\0", "{slug}").removesuffix("index.html")
    return link_pattern(pattern)


def _collections(found: list[Candidate]) -> tuple[str, ...]:
    """Tags of most posts that define collections."""
    records = [record for each in found for record in each.records]
    counts = Counter(topic for record in records for topic in record.topics)
    common = [topic for topic, n in counts.items() if 2 * n > len(records)]
    return tuple(sorted(topic for topic in common if topic.lower() in _COLLECTIONS))
