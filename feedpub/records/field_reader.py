"""Reads the values of one record. Invalid values are noted as problems, and ignored.

The key determines the type: a text is read as a date, a number or a boolean only if its key
holds one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import Any, NamedTuple

from feedpub.keys import KEYS, RANK_OF
from feedpub.media.types import TYPES, UNKNOWN, registered_type, type_of
from feedpub.model import Enclosure, Person, Problem, Provider, Related
from feedpub.records.dates import DateError, Moment, parse_date, parse_duration
from feedpub.records.rules import ReadingRules
from feedpub.records.text import has_markup, is_plain, plain_text, strip_unprintable
from feedpub.urls import UrlError, absolute_url

_PIXELS = re.compile(r"(\d{1,6})(?:\.\d+)?(?:px)?")
_NUMBER = re.compile(r"[-+]?\d{1,15}(?:\.\d{1,15})?")
_EMAIL = r"[!#-'*+/-9=?A-Z^-~-]+@[A-Za-z0-9.-]+"  # RFC 4287, 3.2.3: an addr-spec
_NAMED_EMAIL = r"(.*)<([^<>@\s]+@[^<>@\s]+)>|([^()@\s]+@[^()@\s]+)\s*\((.*)\)"
_COUNT = re.compile(r"(\d{1,15})")
# A relative URL with a file extension, which may be a file below the folder of the record.
_BESIDE = re.compile(r"(?![/?#\\]|[A-Za-z][A-Za-z0-9+.-]*:)[^?#\\\x00-\x1f]+\.[A-Za-z0-9]{1,5}")
_MEDIA = frozenset({"image", "audio", "video"})
# Types of other local files that may be published: none that can be a record or settings.
_DOCUMENTS = frozenset(
    {TYPES[ending] for ending in "pdf epub zip docx odt pptx odp xlsx ods vtt srt ics stl".split()}
)
_KNOWN = dict(RANK_OF)
_FOLDED = {key.lower(): known for key, known in RANK_OF.items()}  # Hugo and Pelican: Title, Date
_NOTHING = {group: (None, aliases[:1]) for group, aliases in KEYS.items()}
TRUE = frozenset({"true", "yes", "on", "y"})
FALSE = frozenset({"false", "no", "off", "n"})

HOW_TO_DATE = "write it like 2026-01-31T09:30:00Z"  # the remedy for an invalid date

MAX_PROVIDERS = 1000  # in the cache

Values = Mapping[str, Any]
Keys = tuple[str | int, ...]


class Position(NamedTuple):
    """The location of a record in the sources."""

    path: str  # of the file, as shown to the user
    below: str  # path relative to its source; ids use this, so a source can be moved
    line: int = 1
    part: int | None = None  # index in a file of several records, from 0
    whole_file: bool = True  # whether the file holds this record only

    @property
    def name(self) -> str:
        """The name of the record in messages and `explain`."""
        return self.path if self.part is None else f"{self.path}#{self.part + 1}"


@dataclass(slots=True, eq=False, repr=False)
class Notes:
    """Collects the problems of one record. Line numbers are computed only for problems."""

    place: Position
    line_of: Callable[[Keys], int]
    problems: list[Problem] = field(default_factory=list)
    fatal: bool = False  # whether the record cannot be used

    def add(self, keys: Keys, what: str, remedy: str, fatal: bool = False) -> None:
        """Adds a problem with the value at `keys`."""
        key = ""
        for step in keys:
            key += f"[{step}]" if isinstance(step, int) else f".{step}" if key else step
        line = self.line_of(keys)
        place = self.place
        self.problems.append(Problem(place.path, line, key, what, remedy, fatal, place.name))
        self.fatal = self.fatal or fatal


class FieldReader:
    """Reads the values of one record. Methods note invalid values, and return an empty one."""

    def __init__(self, values: Values, rules: ReadingRules, notes: Notes) -> None:
        self.values = values
        self.rules = rules
        self.notes = notes
        self.base = rules.home  # base of relative URLs of media and related articles
        self._found: dict[str, tuple[Any, Keys]] = {}
        ranks: dict[str, int] = {}
        for key, value in values.items():
            known = _KNOWN.get(key) or _FOLDED.get(key.lower())
            if known is None or (not value and value is not False):
                continue
            if isinstance(value, str) and value.isspace():
                continue
            group, rank = known
            if rank < ranks.get(group, 99):
                ranks[group] = rank
                self._found[group] = (value, (key,))
        for group, steps in rules.fields.items():
            value = values
            for step in steps:
                value = value.get(step) if isinstance(value, dict) else None
            if value is not None:
                self._found[group] = (value, steps)

    def has_any(self, groups: frozenset[str]) -> bool:
        """Whether the record has a value for any of these groups."""
        return not groups.isdisjoint(self._found)

    def find(self, group: str) -> tuple[Any, Keys]:
        """The value for a group, and its location; (None, …) if there is none."""
        return self._found.get(group) or _NOTHING[group]

    def raw(self, group: str) -> tuple[str, Keys]:
        """A text, as written."""
        if group not in self._found:
            return "", KEYS[group][:1]
        value, keys = self._found[group]
        if isinstance(value, (dict, list)):
            kind = "a list" if isinstance(value, list) else "a mapping"
            self.notes.add(keys, f"expected a text, not {kind}", "write a text")
            return "", keys
        return self._printable(scalar(value), keys), keys

    def _printable(self, text: str, keys: Keys) -> str:
        cleaned = strip_unprintable(text)
        if cleaned != text:
            what = "a character that is not allowed in feeds (a control character or a surrogate)"
            self.notes.add(keys, what, "remove it; feedpub ignored it")
        return cleaned

    def _name(self, value: Any, keys: Keys) -> str:
        """A nested value, as text without markup."""
        return plain_text(self._printable(scalar(value), keys))

    def plain(self, group: str) -> str:
        """A text, without markup."""
        if group not in self._found:
            return ""
        value, keys = self._found[group]
        if isinstance(value, str) and is_plain(value):
            return value.strip()
        text, keys = self.raw(group)
        cleaned = plain_text(text)
        if group == "title" and has_markup(text):
            self.notes.add(keys, "HTML in a title", "write plain text; the tags were removed")
        return cleaned

    def flag(self, group: str) -> bool | None:
        """A boolean, None if there is no value or an invalid one."""
        if group not in self._found:
            return None
        value, keys = self._found[group]
        if isinstance(value, bool):
            return value
        text = scalar(value).strip().lower() if not isinstance(value, (dict, list)) else ""
        if text in TRUE:
            return True
        if text in FALSE:
            return False
        if group != "is_published":
            self.notes.add(keys, f"{text[:40]!r} is not true or false", "write true or false")
        return None

    def number(self, group: str) -> float | None:
        """A number, None if there is no value or an invalid one."""
        if group not in self._found:
            return None
        text, keys = self.raw(group)
        if _NUMBER.fullmatch(text.strip()):
            value = float(text)
            return int(value) if value.is_integer() and abs(value) < 1e15 else value
        self.notes.add(keys, f"{text[:40]!r} is not a number", "write a number like 80")
        return None

    def url(self, value: Any, keys: Keys, base: str = "") -> str:
        """An absolute URL, "" if it is empty or invalid."""
        if value is None or value == "":
            return ""
        if isinstance(value, (dict, list, bool)):
            self.notes.add(keys, "expected a URL", "write one URL")
            return ""
        try:
            return absolute_url(self._printable(value, keys), base)
        except UrlError as error:
            self.notes.add(keys, str(error), "write a complete URL like https://example.org/a")
            return ""

    def moment(self, group: str, fatal: bool) -> Moment | None:
        """A date, None if there is no value or an invalid one, which is `fatal` or not."""
        value, keys = self.find(group)
        if value is None:
            return None
        text = "" if isinstance(value, (dict, list, bool)) else value
        try:
            return parse_date(text, self.rules.zone)
        except DateError as error:
            self.notes.add(keys, str(error), HOW_TO_DATE, fatal)
            return None

    def words(self, group: str, split: Callable[[str], list[str]]) -> list[str]:
        """Names: a list, or one text that `split` divides."""
        if group not in self._found:
            return []
        value, keys = self._found[group]
        if not isinstance(value, list):
            value = [value] if isinstance(value, dict) else split(scalar(value))
        names = []
        for n, entry in enumerate(value):
            if isinstance(entry, dict):
                entry = entry.get("name") or entry.get("title")
            if isinstance(entry, (dict, list)):
                self.notes.add((*keys, n), "expected a name", "write a text")
            elif entry is not None and (name := self._name(entry, (*keys, n))):
                names.append(name)
        return names

    def people(self, value: Any, keys: Keys) -> tuple[Person, ...]:
        """Authors: names, `Name <e-mail>`, or mappings with name, email and url."""
        if value is None:
            return ()
        found: dict[Person, None] = {}  # each once, in their order
        for n, entry in enumerate(value if isinstance(value, list) else [value]):
            where = (*keys, n) if isinstance(value, list) else keys
            if isinstance(entry, dict):
                name = self._name(entry.get("name") or "", (*where, "name"))
                email = plain_text(scalar(entry.get("email") or ""))
                link = entry.get("url") or entry.get("uri")
                url = self.url(link, (*where, "url"), self.rules.home)
            elif isinstance(entry, (list, bool)) or entry is None:
                name = email = url = ""
            else:
                text = self._printable(entry, where)
                name, email = _named_email(text if "<" in text else plain_text(text))
                url = ""
            if name or email:
                valid = email if email and re.fullmatch(_EMAIL, email) else ""
                person = Person(name or email.partition("@")[0], valid, url)
                found[person] = None
            else:
                self.notes.add(where, "an author without a name", "add a name")
        return tuple(found)

    def provider(self, default: str) -> tuple[Provider | None, tuple[Person, ...]]:
        """The provider, or the one named `default`; and the authors that it lists."""
        value, keys = self.find("provider")
        if isinstance(value, dict):
            # Many records have the same provider, so cache it.
            text, made = repr(value), self.rules.providers
            if text in made:
                return made[text]
            problems = len(self.notes.problems)
            name = self._name(value.get("name") or "", (*keys, "name"))
            domain = plain_text(scalar(value.get("domain") or "")).lower()
            domain = domain.removeprefix("https://").removeprefix("http://").strip("/")
            url = self.url(value.get("url"), (*keys, "url"), self.rules.home)
            pictures = self.pictures(value.get("images"), (*keys, "images"))
            authors = self.people(value.get("authors"), (*keys, "authors"))
            if name or domain:
                image = pictures[-1].url if pictures else ""
                found = Provider(name or domain, domain, url, image), authors
                # Relative URLs depend on the record, and problems must be noted for each.
                if image in text and problems == len(self.notes.problems):
                    if len(made) >= MAX_PROVIDERS:
                        made.clear()
                    made[text] = found
                return found
            self.notes.add(
                keys, "the provider has no name", "write provider: {name: …}; it was ignored"
            )
        elif isinstance(value, (list, bool)) or (value and _NUMBER.fullmatch(value)):
            what = "a list" if isinstance(value, list) else f"{scalar(value)!r}"
            self.notes.add(
                keys,
                f"{what} is not a provider",
                "write a name, or {name: …, domain: …}; it was ignored",
            )
        elif value and (name := self._name(value, keys)):
            return Provider(name), ()
        return (Provider(default) if default else None), ()

    def pictures(self, value: Any, keys: Keys) -> list[Enclosure]:
        """Images: a URL, a mapping, or a list of these."""
        if value is None or value == "":
            return []
        found = []
        for n, entry in enumerate(value if isinstance(value, list) else [value]):
            where = (*keys, n) if isinstance(value, list) else keys
            if isinstance(entry, dict):
                link = (
                    entry.get("url") or entry.get("src") or entry.get("image") or entry.get("path")
                )
                if not link:
                    self.notes.add(
                        where, "an image without a url", "write {url: …, width: …}; it was ignored"
                    )
                    continue
                url = self.url(link, (*where, "url"), self.base)
                if url:
                    media = self.media(entry, where, url, "image")
                    found.append(media._replace(file=self._file(link)))
            elif isinstance(entry, str) and _could_be_address(entry):
                if url := self.url(entry, where, self.base):
                    found.append(Enclosure(url, type_of(url), file=self._file(entry)))
            elif entry is not None:
                self.notes.add(
                    where,
                    f"{'a list' if isinstance(entry, list) else scalar(entry)!r} is not an image",
                    "write its URL, or {url: …, width: …, height: …}; it was ignored",
                )
        return found

    def _file(self, link: Any) -> str:
        """The path of the local file that a URL may mean, "" if it cannot be one."""
        if not isinstance(link, str) or not _BESIDE.fullmatch(link):
            return ""
        place = self.notes.place
        kind = type_of(f"./{link}")
        if kind.partition("/")[0] not in _MEDIA and kind not in _DOCUMENTS:
            return ""
        below = normpath(join(dirname(place.below), link))
        top = place.path.removesuffix(place.below)
        return "" if below.startswith("..") or top == place.path else top + below

    def media(self, entry: Values, keys: Keys, url: str, medium: str) -> Enclosure:
        """A media file from a mapping. `medium` is image, or "" for any."""
        kind = guess = type_of(url)
        written = entry.get("type") or entry.get("mime_type") or entry.get("mimeType")
        if isinstance(written, str):
            kind = registered_type(written) or guess
        if medium == "image" and not kind.startswith("image/"):
            kind = guess if guess.startswith("image/") else ""
        duration = 0
        for name in ("duration", "duration_in_seconds"):
            if isinstance(entry.get(name), str):
                duration = self.seconds(entry[name], (*keys, name))
        titled = "alt" if entry.get("alt") else "title"
        title = entry.get(titled) or ""
        credit = entry.get("credit") or entry.get("attribution")
        return Enclosure(
            url=url,
            type=kind,
            length=self.count(entry, ("length", "size_in_bytes", "size", "bytes"), keys),
            title="" if isinstance(title, (dict, list)) else self._name(title, (*keys, titled)),
            width=self.count(entry, ("width",), keys),
            height=self.count(entry, ("height",), keys),
            duration=duration,
            credit=self._name(credit, (*keys, "credit")) if credit else "",
        )

    def count(self, entry: Values, names: tuple[str, ...], keys: Keys) -> int:
        """A number of bytes or pixels under one of these names, 0 if there is none."""
        for name in names:
            value = entry.get(name)
            if value is None or value == "":
                continue
            text = "" if isinstance(value, (dict, list, bool)) else value.strip()
            pattern = _PIXELS if name in {"width", "height"} else _COUNT
            if match := pattern.fullmatch(text):
                return int(match[1])
            if text.isdigit():
                what, remedy = (
                    f"{text[:40]} is too large",
                    "write the correct number; it was ignored",
                )
            else:
                what, remedy = f"{text[:40]!r} is not a number", "write only digits; it was ignored"
            self.notes.add((*keys, name), what, remedy)
        return 0

    def seconds(self, text: str, keys: Keys) -> int:
        """A duration in seconds, 0 if it is invalid."""
        try:
            return parse_duration(text)
        except DateError as error:
            remedy = "write it like PT15M, 1:02:03 or 90; it was ignored"
            self.notes.add(keys, str(error), remedy)
            return 0

    def enclosures(self) -> list[Enclosure]:
        """All media files and downloads, each URL once."""
        found: dict[str, Enclosure] = {}  # by URL
        for group in ("enclosures", "attachments", "audio", "video", "actions"):
            if group not in self._found:
                continue
            value, keys = self._found[group]
            for n, entry in enumerate(value if isinstance(value, list) else [value]):
                where = (*keys, n) if isinstance(value, list) else keys
                if isinstance(entry, str) and _could_be_address(entry):
                    entry = {"url": entry}
                if not isinstance(entry, dict):
                    self.notes.add(
                        where, "this is not a file", "write its URL, or {url: …}; it was ignored"
                    )
                    continue
                if group == "actions":
                    if scalar(entry.get("type") or "").lower() != "download":
                        continue
                    entry = {k: v for k, v in entry.items() if k != "type"}
                link = entry.get("url") or entry.get("href") or entry.get("src")
                if not link:
                    self.notes.add(where, "a file without a url", "write {url: …}; it was ignored")
                    continue
                url = self.url(link, (*where, "url"), self.base)
                if url and url not in found:
                    media = self.media(entry, where, url, "")
                    kind = media.type or UNKNOWN
                    found[url] = media._replace(type=kind, file=self._file(link))
        return list(found.values())

    def related(self) -> tuple[Related, ...]:
        """The related articles, each URL once."""
        value, keys = self.find("related")
        if value is None:
            return ()
        found: dict[str, Related] = {}  # by URL
        for n, entry in enumerate(value if isinstance(value, list) else [value]):
            where = (*keys, n)
            if isinstance(entry, str):
                entry = {"url": entry}
            if not isinstance(entry, dict):
                what = "this is not a related article"
                self.notes.add(where, what, "write {title: …, url: …}; it was ignored")
                continue
            name = next(
                (k for k in ("webUrl", "url", "link", "originalUrl") if entry.get(k)), "url"
            )
            url = self.url(entry.get(name), (*where, name), self.base)
            if not url:
                continue
            title = entry.get("title") or entry.get("name") or url
            provider = entry.get("provider")
            who = provider.get("name") if isinstance(provider, dict) else provider
            if url not in found:
                found[url] = Related(
                    self._name(title, (*where, "title"))
                    if not isinstance(title, (dict, list))
                    else url,
                    url,
                    self._name(who, (*where, "provider")) if isinstance(who, str) else "",
                )
        return tuple(found.values())


def scalar(value: Any) -> str:
    """A scalar as the text that was written, "" if it is not a scalar."""
    if isinstance(value, str):
        return value
    return ("true" if value else "false") if isinstance(value, bool) else ""


def _could_be_address(text: str) -> bool:
    return "/" in text or "." in text


def _named_email(text: str) -> tuple[str, str]:
    """`Name <e-mail>`, `e-mail (Name)`, or either alone, as a name and an e-mail address."""
    text = text.strip()
    if "@" not in text:
        return plain_text(text), ""
    if match := re.fullmatch(_NAMED_EMAIL, text):
        # The quotes around a quoted string are not part of it (RFC 5322, 3.2.4).
        name = re.sub(r'^"(.*)"$', r"\1", plain_text(match[1] or match[4] or ""))
        return name.replace('\\"', '"'), match[2] or match[3]
    return ("", text) if re.fullmatch(_EMAIL, text) else (plain_text(text), "")
