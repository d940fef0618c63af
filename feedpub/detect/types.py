"""What was found in a folder, as plain values: the one type that each tool's module makes."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import yaml

from feedpub.config.options import AUTHOR, LinkPattern, Site
from feedpub.config.readers import Context, InvalidError, Section, SettingReader
from feedpub.model import Problem
from feedpub.records.text import strip_unprintable

_LINK = re.compile(r"[^\s:?#\\<>\"^`|$]*")
# What new sites have for an address until somebody writes theirs.
_NOBODYS = frozenset({"example.com", "example.net", "example.org", "yoursite.com"})
MAX_TEXT = 300  # of a title or a description that another tool's settings say


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What the tool's own settings say of the site, "" where they say nothing that can be used."""

    title: str = ""
    home: str = ""  # with a slash at its end
    description: str = ""
    language: str = ""
    timezone: str = ""
    author: Mapping[str, str] = field(default_factory=dict)  # name, and perhaps email and url

    @classmethod
    def of(cls, author: Any = None, **values: Any) -> SiteFacts:
        """From values that nobody has checked: what config.yaml would not take is left out."""
        readers = _readers(Section(Site))
        texts = {name: _taken(value, readers[name]) for name, value in values.items()}
        if not _is_public(texts.get("home", "")):
            texts["home"] = ""
        if not _is_zone(texts.get("timezone", "")):
            texts["timezone"] = ""
        return cls(**texts, author=_author(author))


@dataclass(frozen=True, slots=True)
class ProposedSource:
    """An entry of `records:`."""

    path: str  # below the place
    link: str = ""
    notes: tuple[str, ...] = ()  # comments above it


@dataclass(frozen=True, slots=True)
class Detected:
    """A folder that a tool, or a person, keeps records in."""

    name: str  # "a Jekyll site"
    evidence: str  # what was seen: "_config.yml, 3 records in _posts"
    about: SiteFacts
    sources: tuple[ProposedSource, ...]
    output: str  # below the place; ".." leads beside it
    served_at: str  # below the home: "feeds/"; "" where the tool does not serve the output
    serving: tuple[str, ...]  # comments above `output:`
    fields: Mapping[str, str] = field(default_factory=dict)
    taxonomy: Mapping[str, str] = field(default_factory=dict)
    not_topics: tuple[str, ...] = ()  # tags by which the tool sorts, and no topics
    reserved_names: tuple[str, ...] = ()  # names of files that the tool would read as its own
    unread_dates: tuple[Problem, ...] = ()  # records that become items when these are mended
    advice: str = ""  # one line to be said besides
    excludes_in: str = ""  # the settings without whose `exclude:` the tool publishes any file
    excluded: tuple[str, ...] = ()  # what that names already, patterns among it


def one_line(text: str, limit: int = 100) -> str:
    """A text from elsewhere, fit for a comment or a message."""
    line = " ".join(strip_unprintable(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def counted(n: int, what: str) -> str:
    """How many of something there are: "1 dated page", "3 dated pages"."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def placeholder(path: str, link: str = "") -> tuple[ProposedSource, ...]:
    """The source of a place where no record was found: the folder that the tool has for them."""
    note = "CHECK: no page here has both a title and a date yet; run `feedpub check`."
    return (ProposedSource(path, link, (note,)),)


def link_pattern(text: str) -> str:
    """A pattern from elsewhere as `link:` may have it, "" if it may not."""
    pattern = f"/{text.lstrip('/')}"
    if not _LINK.fullmatch(pattern) or not ("{slug}" in pattern or "{path}" in pattern):
        return ""
    return pattern if _taken(pattern, LinkPattern()) == pattern else ""


def _readers(section: Section) -> dict[str, SettingReader]:
    return {name: key.metadata["reader"] for name, key in section.options().items()}


def _taken(value: Any, reader: SettingReader) -> str:
    """The text as the option's own reader takes it, "" where it does not."""
    if not isinstance(value, str) or "${" in value:  # config.yaml would look for a variable
        return ""
    start = yaml.Mark("", 0, 0, 0, None, 0)
    node = yaml.ScalarNode("", one_line(value, MAX_TEXT), start, start, style='"')
    try:
        return str(reader.read(node, "", Context("", {})))
    except InvalidError:
        return ""


def _is_public(home: str) -> bool:
    """Whether an address is one that readers can reach, not a preview on one's own machine."""
    host = urlsplit(home).hostname or ""
    if host.removeprefix("www.") in _NOBODYS:
        return False
    return bool(re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]+", host))


def _is_zone(name: str) -> bool:
    try:
        return bool(name) and bool(zoneinfo.ZoneInfo(name).key)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _author(value: Any) -> dict[str, str]:
    """An author as tools have one: a name, or a mapping."""
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        return {}
    value = {str(key).lower(): text for key, text in value.items()}
    value.setdefault("url", value.get("uri"))
    texts = {name: _taken(value.get(name), reader) for name, reader in _readers(AUTHOR).items()}
    return {name: text for name, text in texts.items() if text} if texts["name"] else {}
