"""Astro: content collections and pages in Markdown (docs.astro.build)."""

from __future__ import annotations

import posixpath
import re

from feedpub.detect.scripts import literal
from feedpub.detect.survey import PAGES, Candidate, sources, survey
from feedpub.detect.tree import Folder, Tree
from feedpub.detect.types import Detected, ProposedSource, SiteFacts, counted, one_line, placeholder

_SETTINGS = tuple(f"astro.config.{ending}" for ending in ("mjs", "js", "ts", "mts", "cjs", "cts"))
_PAGES = "src/pages"
# Parameters of pages that list other pages.
_LISTS = re.compile(r"page|tag|categor|topic|lang|locale|year|author", re.IGNORECASE)
_MAX_ROUTES = 100
_ROUTE = re.compile(r"((?:[^\[\]]+/)?)\[([^\[\]/]+)\](?:/index)?\.(?:astro|ts|js)")


def look(tree: Tree) -> Detected | None:
    """Detects an Astro site."""
    config = tree.first(*_SETTINGS)
    if not config:
        return None
    text = tree.text(config)
    tree.explore(posixpath.normpath(literal(text, "outDir") or "dist"), "public")
    made = survey(tree, tree.top, PAGES)
    found = [each for each in sources(made, tree.top) if each.base]
    found = [each for each in found if each.base.startswith("src/")] or found
    end = _ending(text)
    routes = _routes(tree)
    entries = tuple(_source(tree, each, routes, end) for each in found)
    count = sum(len(each.files) for each in found)
    where = one_line(", ".join(each.base for each in found), 80)
    pages = counted(count, "dated page")
    output = tree.free_name("public")
    usual = "src/content/blog"
    return Detected(
        name="an Astro site",
        evidence=f"{config}, {pages} in {where}" if count else f"{config}, no dated pages yet",
        about=_about(tree, text),
        sources=entries or placeholder(usual, f"/blog/{{path}}{end}"),
        output=f"public/{output}",
        served_at=f"{output}/",
        serving=(
            f"Astro copies public/ into dist/: the feeds are served at /{output}/.",
            "Generate before you run `astro build`.",
        ),
        fields=made.fields,
        unread_dates=tuple(problem for each in found for problem in each.unread_dates),
    )


def _about(tree: Tree, text: str) -> SiteFacts:
    home, base = literal(text, "site"), literal(text, "base")
    words = tree.text(tree.first("src/consts.ts", "src/consts.js") or "src/consts.ts")
    return SiteFacts.of(
        title=literal(words, "SITE_TITLE"),
        description=literal(words, "SITE_DESCRIPTION"),
        home=f"{home.rstrip('/')}/{base.strip('/')}" if home else "",
        language=literal(text, "defaultLocale"),
    )


def _ending(text: str) -> str:
    """The end of URLs: a slash by default."""
    if literal(text, "format") == "file":
        return ".html"
    return "" if literal(text, "trailingSlash") == "never" else "/"


def _routes(tree: Tree) -> list[tuple[str, str]]:
    """Pages that render a collection: the path before their parameter, and their text."""
    top = tree.folder(_PAGES)
    routes: list[tuple[str, str]] = []
    for folder in top.walk() if top else ():
        for name in folder.files:
            route = folder.path_of(name)[len(_PAGES) + 1 :]
            match = _ROUTE.fullmatch(route)
            if match and not _LISTS.search(match[2]) and len(routes) < _MAX_ROUTES:
                routes.append((match[1].rstrip("/"), tree.text(folder.path_of(name))))
    return routes


def _source(
    tree: Tree, found: Candidate, routes: list[tuple[str, str]], end: str
) -> ProposedSource:
    notes = (*_unread(tree, found.base), *found.notes)
    if found.base == _PAGES or found.base.startswith(f"{_PAGES}/"):
        place = found.base[len(_PAGES) :]
        return ProposedSource(found.path, f"{place}/{{path}}{end}", notes)
    name = found.base.rpartition("/")[2]
    call = re.compile(rf"""getCollection\(\s*["'`]{re.escape(name)}["'`]""")
    for place, text in sorted(routes):
        if call.search(text):
            return ProposedSource(found.path, f"{_below(place)}/{{path}}{end}", notes)
    check = f"CHECK: no route in {_PAGES} shows this collection; check the address."
    return ProposedSource(found.path, f"/{name}/{{path}}{end}", (check, *notes))


def _below(place: str) -> str:
    return f"/{place}" if place else ""


def _unread(tree: Tree, base: str) -> tuple[str, ...]:
    """A comment on pages in formats that feedpub does not read."""
    folder = tree.folder(base) or Folder(base)
    others = [
        name
        for each in folder.walk()
        for name in each.files
        if name.lower().endswith((".mdx", ".mdoc")) and not name.lower().endswith(PAGES)
    ]
    if not others:
        return ()
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return (f"feedpub does not read .mdx or .mdoc: {one_line(others[0], 60)}{more}.",)
