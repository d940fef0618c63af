"""The result of detection, which the module of each tool returns."""

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
# Placeholder hosts of new sites.
_PLACEHOLDER_HOSTS = frozenset({"example.com", "example.net", "example.org", "yoursite.com"})
MAX_TEXT = 300  # characters of a title or a description from the settings of a tool


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """The site settings of the tool. A value is "" if it is missing or unusable."""

    title: str = ""
    home: str = ""  # with a trailing slash
    description: str = ""
    language: str = ""
    timezone: str = ""
    author: Mapping[str, str] = field(default_factory=dict)  # name, optionally email and url

    @classmethod
    def of(cls, author: Any = None, **values: Any) -> SiteFacts:
        """From unchecked values: those that config.yaml would not accept are ignored."""
        readers = _readers(Section(Site))
        texts = {name: _accepted(value, readers[name]) for name, value in values.items()}
        if not _is_public(texts.get("home", "")):
            texts["home"] = ""
        if not _is_zone(texts.get("timezone", "")):
            texts["timezone"] = ""
        return cls(**texts, author=_author(author))


@dataclass(frozen=True, slots=True)
class ProposedSource:
    """A proposed entry of `records:`."""

    path: str  # relative to the folder
    link: str = ""
    notes: tuple[str, ...] = ()  # comments to write above it


@dataclass(frozen=True, slots=True)
class Detected:
    """A folder with records, and the settings to write for it."""

    name: str  # "a Jekyll site"
    evidence: str  # such as "_config.yml, 3 records in _posts"
    about: SiteFacts
    sources: tuple[ProposedSource, ...]
    output: str  # relative to the folder
    served_at: str  # relative to `about.home`: "feeds/"; "" if the tool does not serve the output
    serving: tuple[str, ...]  # comments to write above `output:`
    fields: Mapping[str, str] = field(default_factory=dict)
    taxonomy: Mapping[str, str] = field(default_factory=dict)
    not_topics: tuple[str, ...] = ()  # tags that select posts in the tool
    reserved_names: tuple[str, ...] = ()  # file names that the tool would read itself
    unread_dates: tuple[Problem, ...] = ()  # dates that must be corrected
    advice: str = ""  # one more line for the user
    excludes_in: str = ""  # settings file with `exclude:`, if the tool publishes all other files
    excluded: tuple[str, ...] = ()  # names and patterns that `exclude:` has already


def one_line(text: str, limit: int = 100) -> str:
    """A text from a file, shortened to one line for a comment or a message."""
    line = " ".join(strip_unprintable(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def counted(n: int, what: str) -> str:
    """A number with a noun: "1 dated page", "3 dated pages"."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def placeholder(path: str, link: str = "") -> tuple[ProposedSource, ...]:
    """The source for a site without records: the folder where the tool keeps them."""
    note = "CHECK: no page here has both a title and a date yet; run `feedpub check`."
    return (ProposedSource(path, link, (note,)),)


def link_pattern(text: str) -> str:
    """A pattern as a valid `link:`, "" if it is not valid."""
    pattern = f"/{text.lstrip('/')}"
    if not _LINK.fullmatch(pattern) or not ("{slug}" in pattern or "{path}" in pattern):
        return ""
    return pattern if _accepted(pattern, LinkPattern()) == pattern else ""


def _readers(section: Section) -> dict[str, SettingReader]:
    return {name: key.metadata["reader"] for name, key in section.options().items()}


def _accepted(value: Any, reader: SettingReader) -> str:
    """The text as read by the reader of an option, "" if it is invalid."""
    if not isinstance(value, str) or "${" in value:  # in config.yaml, this is a variable
        return ""
    start = yaml.Mark("", 0, 0, 0, None, 0)
    node = yaml.ScalarNode("", one_line(value, MAX_TEXT), start, start, style='"')
    try:
        return str(reader.read(node, "", Context("", {})))
    except InvalidError:
        return ""


def _is_public(home: str) -> bool:
    """Whether a URL is reachable by readers, and not that of a local preview."""
    host = urlsplit(home).hostname or ""
    if host.removeprefix("www.") in _PLACEHOLDER_HOSTS:
        return False
    return bool(re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]+", host))


def _is_zone(name: str) -> bool:
    try:
        return bool(name) and bool(zoneinfo.ZoneInfo(name).key)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _author(value: Any) -> dict[str, str]:
    """An author in the settings of a tool: a name, or a mapping."""
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        return {}
    value = {str(key).lower(): text for key, text in value.items()}
    value.setdefault("url", value.get("uri"))
    texts = {name: _accepted(value.get(name), reader) for name, reader in _readers(AUTHOR).items()}
    return {name: text for name, text in texts.items() if text} if texts["name"] else {}
