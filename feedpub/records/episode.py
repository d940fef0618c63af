"""The podcast keys of a record → `Episode`.

Podcasting 2.0: https://podcasting2.org/docs/podcast-namespace/1.0
"""

from __future__ import annotations

import re
from typing import Any

from feedpub.media.types import registered_type, type_of
from feedpub.model import Contributor, Episode, License, Location, Transcript
from feedpub.records.field_reader import FieldReader, Keys, scalar
from feedpub.records.text import plain_text

_GROUPS = frozenset(
    "season season_name episode episode_display episode_type episode_title explicit block"
    " transcripts chapters people locations license".split()
)
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
TYPES = frozenset({"full", "trailer", "bonus"})
CHAPTERS_TYPE = "application/json+chapters"  # Podcasting 2.0, chapters
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
MAX_LABEL = 128  # characters of a name or a label
MAX_DISPLAY = 32


def read_episode(read: FieldReader) -> Episode | None:
    """The podcast metadata of a record, None if it has none."""
    if not read.has_any(_GROUPS):
        return None
    number = _number(read, "episode")
    season = _number(read, "season")
    if season and not season.isdigit():
        _, keys = read.find("season")
        read.notes.add(keys, f"{season} is not a season", "write a whole number; it was ignored")
        season = ""
    chapters, chapters_type = _chapters(read)
    episode = Episode(
        season=int(season or 0),
        season_name=read.plain("season_name")[:MAX_LABEL] if season else "",
        number=number,
        display=read.plain("episode_display")[:MAX_DISPLAY] if number else "",
        type=_type(read),
        title=read.plain("episode_title"),
        explicit=read.flag("explicit"),
        is_blocked=bool(read.flag("block")),
        transcripts=_transcripts(read),
        chapters=chapters,
        chapters_type=chapters_type,
        people=_people(read),
        locations=_locations(read),
        license=_license(read),
    )
    return None if episode == Episode() else episode


def _number(read: FieldReader, group: str) -> str:
    """A non-negative number in its shortest form, such as 3 or 315.5."""
    text, keys = read.raw(group)
    text = text.strip()
    if not text:
        return ""
    if _NUMBER.fullmatch(text):
        whole, dot, part = text.partition(".")
        part = part.rstrip("0")
        return (whole.lstrip("0") or "0") + (dot and part and f".{part}")
    read.notes.add(keys, f"{text[:40]!r} is not a number", "write a number like 3; it was ignored")
    return ""


def _type(read: FieldReader) -> str:
    text, keys = read.raw("episode_type")
    word = text.strip().lower()
    if not word or word in TYPES:
        return word
    what = f"{text[:40]!r} is not a type of episode"
    read.notes.add(keys, what, "write full, trailer or bonus; it was ignored")
    return ""


def _entries(read: FieldReader, group: str, short: str) -> list[tuple[dict[str, Any], Keys]]:
    """A list of mappings. A text stands for a mapping with the key `short`."""
    value, keys = read.find(group)
    if value is None:
        return []
    found: list[tuple[dict[str, Any], Keys]] = []
    for n, entry in enumerate(value if isinstance(value, list) else [value]):
        where = (*keys, n) if isinstance(value, list) else keys
        if isinstance(entry, str):
            entry = {short: entry}
        if isinstance(entry, dict) and isinstance(entry.get(short), str):
            found.append((entry, where))
        else:
            what = f"expected a text, or {{{short}: …}}"
            read.notes.add(where, what, "correct it; it was ignored")
    return found


def _text(entry: dict[str, Any], *names: str) -> str:
    """The first of these that has a value, on one line."""
    said = (entry.get(name) for name in names)
    return next((plain_text(scalar(value)) for value in said if isinstance(value, str)), "")


def _transcripts(read: FieldReader) -> tuple[Transcript, ...]:
    found = []
    for entry, keys in _entries(read, "transcripts", "url"):
        url = read.url(entry["url"], (*keys, "url"), read.base)
        if not url:
            continue
        kind = registered_type(_text(entry, "type")) or type_of(url)
        if not kind:
            remedy = "add its type, such as type: text/vtt; it was ignored"
            read.notes.add(keys, "the type of the transcript is unknown", remedy)
            continue
        language = _text(entry, "language")
        rel = "captions" if _text(entry, "rel") == "captions" else ""
        made = Transcript(url, kind, language if _LANGUAGE.fullmatch(language) else "", rel)
        if made not in found:
            found.append(made)
    return tuple(found)


def _chapters(read: FieldReader) -> tuple[str, str]:
    """The URL of a chapters file, and its type."""
    for entry, keys in _entries(read, "chapters", "url")[:1]:
        if url := read.url(entry["url"], (*keys, "url"), read.base):
            return url, registered_type(_text(entry, "type")) or CHAPTERS_TYPE
    return "", ""


def _people(read: FieldReader) -> tuple[Contributor, ...]:
    found = []
    for entry, keys in _entries(read, "people", "name"):
        name = _text(entry, "name")[:MAX_LABEL]
        picture, page = (
            read.url(entry.get(ours) or entry.get(theirs), (*keys, ours), read.rules.home)
            for ours, theirs in (("image", "img"), ("url", "href"))
        )
        made = Contributor(name, _text(entry, "role"), _text(entry, "group"), picture, page)
        if name and made not in found:
            found.append(made)
    return tuple(found)


def _locations(read: FieldReader) -> tuple[Location, ...]:
    found = []
    for entry, _ in _entries(read, "locations", "name"):
        rel, geo, osm = (_text(entry, name) for name in ("rel", "geo", "osm"))
        country = _text(entry, "country").upper()
        made = Location(
            _text(entry, "name")[:MAX_LABEL],
            rel if rel in {"subject", "creator"} else "",
            geo if re.fullmatch(r"geo:-?\d[\d.,;=A-Za-z_-]*", geo) else "",
            osm if re.fullmatch(r"[NWR]\d+(?:#\d+)?", osm) else "",
            country if re.fullmatch(r"[A-Z]{2}", country) else "",
        )
        if made.name:
            found.append(made)
    return tuple(found)


def _license(read: FieldReader) -> License | None:
    for entry, keys in _entries(read, "license", "name")[:1]:
        name = _text(entry, "name")[:MAX_LABEL]
        if name:
            return License(name, read.url(entry.get("url"), (*keys, "url"), read.rules.home))
    return None
