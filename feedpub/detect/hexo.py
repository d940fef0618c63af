"""Hexo: `source/_posts`, with URLs from `_config.yml` (hexo.io/docs/permalinks)."""

from __future__ import annotations

import posixpath
import re
from typing import Any
from urllib.parse import urlsplit

from feedpub.detect.survey import PAGES, Candidate, sources, survey
from feedpub.detect.tree import Tree, is_literal
from feedpub.detect.types import (
    Detected,
    ProposedSource,
    SiteFacts,
    counted,
    link_pattern,
    one_line,
    placeholder,
)

_SETTINGS = ("_config.yml", "_config.yaml", "_config.json")  # Jekyll uses the first two, too
_ITS_OWN = frozenset("source_dir public_dir new_post_name permalink_defaults pretty_urls".split())
_DEFAULT = ":year/:month/:day/:title/"
_VARIABLES = {"year": "{year}", "month": "{month}", "day": "{day}", "name": "{slug}"}
_DATED = re.compile(r"\d{4}-\d{1,2}-\d{1,2}-")


def look(tree: Tree) -> Detected | None:
    """Detects a Hexo site."""
    config = tree.first(*_SETTINGS)
    settings = tree.settings(config) if config else {}
    if not config or not _is_hexo(tree, settings):
        return None
    top = _folder(settings, "source_dir", "source")
    tree.explore(_folder(settings, "public_dir", "public"), "themes")
    posts = f"{top}/_posts"
    folder = tree.folder(posts)
    made = survey(tree, folder, PAGES) if folder else None
    found = sources(made, folder, keep=True) if made and folder else []
    count = sum(len(each.files) for each in found)
    output = tree.free_name(top)
    link, notes = _link(settings, found)
    entries = tuple(ProposedSource(each.path, link, (*notes, *each.notes)) for each in found)
    return Detected(
        name="a Hexo site",
        evidence=f"{config}, {counted(count, 'post')} in {posts}",
        about=_about(settings),
        sources=entries or placeholder(posts, link),
        output=f"{top}/{output}",
        served_at=f"{output}/",
        serving=(
            f"Hexo copies {top}/: the feeds are served at /{output}/.",
            f"So that it copies them unchanged, add {output}/** to `skip_render:` in {config}.",
            "Generate before you run `hexo generate`.",
        ),
        fields=made.fields if made else {},
        unread_dates=tuple(problem for each in found for problem in each.unread_dates),
    )


def _is_hexo(tree: Tree, settings: dict[str, Any]) -> bool:
    """Whether the settings are those of Hexo, and not of Jekyll."""
    package = tree.settings("package.json")
    needs = package.get("dependencies")
    if "hexo" in package or (isinstance(needs, dict) and "hexo" in needs):
        return True
    if not _ITS_OWN.isdisjoint(settings):
        return True
    return "source" not in settings and tree.has_folder("source/_posts")


def _folder(settings: dict[str, Any], key: str, usual: str) -> str:
    value = settings.get(key)
    name = posixpath.normpath(value).strip("/") if isinstance(value, str) and value else usual
    return name if is_literal(name) and not name.startswith(".") else usual


def _about(settings: dict[str, Any]) -> SiteFacts:
    url, root = settings.get("url"), settings.get("root")
    if isinstance(url, str) and isinstance(root, str) and not _path(url):
        url = f"{url.rstrip('/')}/{root.strip('/')}"
    return SiteFacts.of(
        title=settings.get("title"),
        home=url,
        description=settings.get("description") or settings.get("subtitle"),
        language=settings.get("language"),
        timezone=settings.get("timezone"),
        author=settings.get("author"),
    )


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.strip("/")
    except ValueError:
        return ""


def _link(settings: dict[str, Any], found: list[Candidate]) -> tuple[str, tuple[str, ...]]:
    """The link pattern of posts, and comments on it."""
    written = settings.get("permalink")
    style = written if isinstance(written, str) and written else _DEFAULT
    title, notes = _title(settings, found)
    note = f"permalink: {one_line(style)}"
    if pattern := _pattern(style, title, settings):
        return pattern, (note, *notes)
    default = _pattern(_DEFAULT, title, {})
    return default, (
        f"CHECK: {note} cannot be written as a link pattern; this is Hexo's default.",
        *notes,
    )


def _title(settings: dict[str, Any], found: list[Candidate]) -> tuple[str, tuple[str, ...]]:
    """The variable for `:title` (the path below _posts, without parts of `new_post_name`)."""
    names = [name.rpartition(".")[0] for each in found for name in each.names]
    is_plain = settings.get("new_post_name") in (None, "", ":title.md")
    dated = any(_DATED.match(posixpath.basename(name)) for name in names)
    if not any("/" in name for name in names) and not (is_plain and dated):
        return "{slug}", ()
    if is_plain and all(name == name.lower() for name in names):
        return "{path}", ()
    note = (
        "CHECK: {path} is in lower case; Hexo's :title is the path below _posts as it is written."
    )
    return "{path}", (note,)


def _pattern(style: str, title: str, settings: dict[str, Any]) -> str:
    """A permalink as a link pattern, "" if it cannot be written as one."""
    if "{" in style or "}" in style:
        return ""
    known = _VARIABLES | {"title": title}
    pattern = re.sub(r":([a-z_]+)", lambda match: known.get(match[1], "\0"), style)
    pretty = settings.get("pretty_urls")
    if isinstance(pretty, dict) and pretty.get("trailing_html") in (False, "false"):
        pattern = pattern.removesuffix(".html")
    return "" if "\0" in pattern else link_pattern(pattern)
