"""Hugo: `content`, with URLs from its settings (gohugo.io/configuration/permalinks)."""

from __future__ import annotations

import re
from typing import Any

from feedpub.detect.survey import PAGES, Candidate, sources, survey
from feedpub.detect.tree import Folder, Tree, is_literal
from feedpub.detect.types import (
    Detected,
    ProposedSource,
    SiteFacts,
    counted,
    link_pattern,
    one_line,
    placeholder,
)

_ENDINGS = ("toml", "yaml", "yml", "json")
_OWN = tuple(f"hugo.{ending}" for ending in _ENDINGS)
_OLDER = tuple(f"config.{ending}" for ending in _ENDINGS)
_IN_FOLDER = tuple(
    f"config/_default/{name}.{ending}" for name in ("hugo", "config") for ending in _ENDINGS
)
_BUILT = (
    "public",
    "resources",
    "themes",
    "static",
    "assets",
)  # and folders that are copied unchanged
_VARIABLES = {
    "year": "{year}",
    "month": "{month}",
    "day": "{day}",
    "slug": "{slug}",
    "title": "{slug}",
    "filename": "{slug}",
    "contentbasename": "{slug}",
    "slugorfilename": "{slug}",
    "slugorcontentbasename": "{slug}",
}
_OF_TITLES = re.compile(r":(slug|title)(?![a-z])")


def look(tree: Tree) -> Detected | None:
    """Detects a Hugo site."""
    config = tree.first(*_OWN, *_OLDER, *_IN_FOLDER)
    settings = _settings(tree, config)
    name = settings.get("contentdir")
    tree.explore(*_BUILT)
    content = tree.folder(name if isinstance(name, str) and name.strip("./") else "content")
    if not config or (config in _OLDER and (content is None or not _is_hugo(settings))):
        return None
    if content is None or not is_literal(content.below.replace("/", "")):
        content = Folder("content")
    made = survey(tree, content, PAGES)
    patterns = _permalinks(settings)
    found = []
    for section in content.folders:
        if section.name in patterns:
            found += sources(made, section, keep=True)
    seen = {file.path for source in found for file in source.files}
    found += [
        source
        for source in sources(made, content, keep=True)
        if not {file.path for file in source.files} <= seen
    ]
    ugly = _is_true(settings.get("uglyurls"))
    prefix = _language_folder(settings)
    entries = [_source(each, content, patterns, prefix, ugly) for each in found]
    count = len({file.path for source in found for file in source.files})
    static = settings.get("staticdir")
    static = static if isinstance(static, str) and tree.folder(static) else "static"
    output = tree.free_name(static)
    return Detected(
        name="a Hugo site",
        evidence=f"{config}, {counted(count, 'dated page')} in {content.below}",
        about=_about(settings),
        sources=tuple(entries) or placeholder(content.below, f"{prefix}/{{path}}/"),
        output=f"{static}/{output}",
        served_at=f"{output}/",
        serving=(
            f"Hugo copies {static}/ into public/: the feeds are served at /{output}/.",
            "Generate before you run `hugo`.",
        ),
        fields=made.fields,
        unread_dates=tuple(problem for each in found for problem in each.unread_dates),
        reserved_names=() if _precedes_yaml(config) else ("config.yaml",),
    )


def _precedes_yaml(config: str) -> bool:
    """Whether Hugo prefers this settings file to a config.yaml."""
    return config in _OWN or config == "config.toml"


def _settings(tree: Tree, config: str) -> dict[str, Any]:
    settings = _folded(tree.settings(config)) if config else {}
    if config in _IN_FOLDER:
        for part in ("params", "permalinks", "languages"):
            path = tree.first(*(f"config/_default/{part}.{ending}" for ending in _ENDINGS))
            if path:
                settings.setdefault(part, tree.settings(path))
    return settings


def _is_hugo(settings: dict[str, Any]) -> bool:
    return not settings.keys().isdisjoint(
        "baseurl languagecode theme contentdir permalinks params module markup taxonomies".split()
    )


def _about(settings: dict[str, Any]) -> SiteFacts:
    params = _folded(settings.get("params"))
    return SiteFacts.of(
        title=settings.get("title") or params.get("title"),
        home=settings.get("baseurl"),
        description=params.get("description"),
        language=settings.get("languagecode")
        or settings.get("locale")
        or settings.get("defaultcontentlanguage"),
        timezone=settings.get("timezone"),
        author=settings.get("author") or params.get("author"),
    )


def _language_folder(settings: dict[str, Any]) -> str:
    if not _is_true(settings.get("defaultcontentlanguageinsubdir")):
        return ""
    language = settings.get("defaultcontentlanguage") or "en"
    return f"/{language.lower()}" if re.fullmatch(r"[A-Za-z-]{2,12}", str(language)) else ""


def _permalinks(settings: dict[str, Any]) -> dict[str, str]:
    """Section → its pattern for pages."""
    patterns = settings.get("permalinks")
    if not isinstance(patterns, dict):
        return {}
    found = {k: v for k, v in patterns.items() if isinstance(v, str)}
    page = patterns.get("page")
    if isinstance(page, dict):
        found |= {k: v for k, v in page.items() if isinstance(v, str)}
    return {name.strip("/"): pattern for name, pattern in found.items()}


def _source(
    found: Candidate, content: Folder, patterns: dict[str, str], prefix: str, ugly: bool
) -> ProposedSource:
    base = found.base[len(content.below) :].strip("/")
    section = base.partition("/")[0]
    end = ".html" if ugly else "/"
    place = "".join(f"/{'-'.join(part.lower().split())}" for part in base.split("/") if part)
    usual = f"{prefix}{place}/{{path}}{end}"
    if base and found.is_one_page("index"):
        return ProposedSource(found.path, f"{prefix}{place}{end}", found.notes)
    if section not in patterns:
        return ProposedSource(found.path, usual, found.notes)
    written = patterns[section]
    note = f"permalinks: {one_line(section, 40)}: {one_line(written)}"
    pattern = _pattern(written, section, base, end)
    if not pattern:
        check = f"CHECK: {note} cannot be written as a link pattern; this is Hugo's default."
        return ProposedSource(found.path, usual, (check, *found.notes))
    notes: tuple[str, ...] = (note,)
    if _OF_TITLES.search(written):
        notes += (
            "CHECK: if a page has no `slug:`, Hugo uses its title, feedpub its file name. "
            "Where they differ, add a `slug:`.",
        )
    return ProposedSource(found.path, prefix + pattern, (*notes, *found.notes))


def _pattern(written: str, section: str, base: str, end: str) -> str:
    if "{" in written or "}" in written:
        return ""
    known = _VARIABLES | {"section": section.lower()}
    if base == section:
        known["sections"] = section.lower()
    pattern = re.sub(r":([a-z]+)(\[[^\]]*\])?", lambda m: _filled(m, known), written)
    return "" if "\0" in pattern else link_pattern(pattern.rstrip("/") + end)


def _filled(match: re.Match[str], known: dict[str, str]) -> str:
    return "\0" if match[2] else known.get(match[1], "\0")


def _folded(value: Any) -> dict[str, Any]:
    """The mapping with keys in lower case, as Hugo ignores case."""
    return {str(k).lower(): v for k, v in value.items()} if isinstance(value, dict) else {}


def _is_true(value: Any) -> bool:
    return value is True or value == "true"
