"""Jekyll: `_posts`, with URLs from `_config.yml` (jekyllrb.com/docs/permalinks)."""

from __future__ import annotations

import re
from typing import Any

from feedpub.detect.survey import PAGES, sources, survey
from feedpub.detect.tree import Folder, Tree, is_literal
from feedpub.detect.types import (
    Detected,
    ProposedSource,
    SiteFacts,
    counted,
    link_pattern,
    one_line,
)
from feedpub.model import Problem

_SETTINGS = ("_config.yml", "_config.yaml", "_config.toml")
_STYLES = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "none": "/:categories/:title:output_ext",
}
_VARIABLES = {
    "categories": "{categories}",
    "year": "{year}",
    "month": "{month}",
    "day": "{day}",
    "title": "{slug}",
    "slug": "{slug}",
    "output_ext": ".html",
}


def look(tree: Tree) -> Detected | None:
    """Detects a Jekyll site."""
    config = tree.first(*_SETTINGS)
    settings = tree.settings(config) if config else {}
    built = settings.get("destination")
    tree.explore(*((str(built).strip("./") or "_site", "_site") if config else ()))
    folders = [each for each in tree.top.walk() if each.name == "_posts"]
    if not folders and not config:
        return None
    link, notes = _link(settings)
    found = []
    unread: list[Problem] = []
    count = 0
    fields: dict[str, str] = {}
    for folder in folders:
        made = survey(tree, folder, PAGES)
        fields |= made.fields
        link_here = _below_section(link, settings, folder)
        for source in sources(made, folder, keep=True):
            found.append(ProposedSource(source.path, link_here, notes + source.notes))
            count += len(source.files)
            unread += source.unread_dates
    default = [folder.below for folder in folders[:1] if is_literal(folder.below)] or ["_posts"]
    output = tree.free_name()
    return Detected(
        name="a Jekyll site",
        evidence=_evidence(config, count, [folder.below for folder in folders]),
        about=_about(settings),
        sources=tuple(found) or tuple(ProposedSource(path, link, notes) for path in default),
        output=output,
        served_at=f"{output}/",
        serving=(
            f"Jekyll copies this folder into _site unchanged: the feeds are served at /{output}/.",
            "Generate before you build, or commit the folder where GitHub builds the site.",
        ),
        fields=fields,
        unread_dates=tuple(unread),
        excludes_in=config or "_config.yml",
        excluded=tuple(str(name) for name in _list(settings.get("exclude"))),
    )


def _evidence(config: str, count: int, folders: list[str]) -> str:
    where = ", ".join(one_line(folder, 60) for folder in folders[:3])
    posts = f"{counted(count, 'post')} in {where}" if folders else "no posts yet"
    return ", ".join(part for part in (config, posts) if part)


def _about(settings: dict[str, Any]) -> SiteFacts:
    url, base = settings.get("url"), settings.get("baseurl") or ""
    home = ""
    if isinstance(url, str) and isinstance(base, str):
        home = f"{url.rstrip('/')}/{base.strip('/')}"
    author = settings.get("author")
    if isinstance(author, str) and isinstance(settings.get("email"), str):
        author = {"name": author, "email": settings["email"]}
    return SiteFacts.of(
        title=settings.get("title") or settings.get("name"),
        home=home,
        description=settings.get("description"),
        language=settings.get("lang") or settings.get("locale"),
        timezone=settings.get("timezone"),
        author=author,
    )


def _link(settings: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The link pattern of posts, and comments on it."""
    style = _permalink(settings)
    if not style:
        return _pattern(_STYLES["date"]), ("Jekyll's default permalinks.",)
    if pattern := _pattern(_STYLES.get(style, style)):
        return pattern, (f"permalink: {one_line(style)}",)
    return _pattern(_STYLES["date"]), (
        f"CHECK: permalink: {one_line(style)} cannot be written as a link pattern; "
        "this is Jekyll's default. A post's own `permalink:` is used in any case.",
    )


def _permalink(settings: dict[str, Any]) -> str:
    """The permalink of posts: of the defaults, the collection, or the site."""
    for rule in _list(settings.get("defaults")):
        scope, values = _mapping(rule, "scope"), _mapping(rule, "values")
        if scope.get("type") in ("posts", "post") and scope.get("path") in (None, "", "_posts"):
            style = values.get("permalink")
            if isinstance(style, str):
                return style
    style = _mapping(_mapping(settings, "collections"), "posts").get("permalink")
    style = style or settings.get("permalink")
    return style if isinstance(style, str) else ""


def _pattern(style: str) -> str:
    """A permalink as a link pattern, "" if it cannot be written as one."""
    if "{" in style or "}" in style:
        return ""
    pattern = re.sub(
        r":([a-z_]+)", lambda match: _VARIABLES.get(match[1], "\0"), f"/{style.lstrip('/')}"
    )
    return "" if "\0" in pattern else link_pattern(pattern)


def _below_section(link: str, settings: dict[str, Any], folder: Folder) -> str:
    """Adds the folders above `_posts` as categories, except those in the settings."""
    above = folder.below.split("/")[:-1]
    for name in (settings.get("source"), settings.get("collections_dir")):
        start = [part for part in str(name or "").split("/") if part not in {"", "."}]
        if start and above[: len(start)] == start:
            above = above[len(start) :]
    return link.replace("{categories}", "/".join([*map(str.lower, above), "{categories}"]))


def _mapping(value: Any, key: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
