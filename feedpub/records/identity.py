"""The URLs of a record, and its id, which may be one of them."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple
from urllib.parse import quote, urljoin

from feedpub.config import SourceSpec
from feedpub.config.options import LINK_VARIABLES
from feedpub.model import OWN_ID, PATH_ID, SHORT_ID, global_id, is_iri
from feedpub.records.field_reader import FieldReader, Position
from feedpub.urls import UrlError, absolute_url, has_scheme

_DATED_STEM = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})-(.+)")
_JEKYLL_VARIABLES = {
    "categories": "categories",
    "year": "year",
    "month": "month",
    "day": "day",
    "title": "slug",
    "slug": "slug",
}
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_KNOWN = frozenset(LINK_VARIABLES)


class FileName(NamedTuple):
    """The parts of the file name of a record."""

    stem: str  # without the extension
    date: str = ""  # as written in a name such as 2026-01-31-a-title.md (Jekyll)
    rest: str = ""  # the stem after the date

    @classmethod
    def of(cls, place: Position) -> FileName:
        """Splits the file name of a record. Only a file of a single record can have a date."""
        stem = place.below.rpartition("/")[2].rpartition(".")[0]
        dated = _DATED_STEM.fullmatch(stem) if place.whole_file else None
        return cls(stem, dated[1], dated[2]) if dated else cls(stem)


class RecordIdentity(NamedTuple):
    """The id of a record, and its URLs."""

    id: str
    id_from: str  # see `Record.id_from`
    link: str  # URL of its page, "" if it has none
    original: str  # URL where it was first published, "" if unknown
    external: str  # URL that it is about, if that is not its page


def identify(
    read: FieldReader, place: Position, name: FileName, source: SourceSpec, day: str, title: str
) -> RecordIdentity:
    """The id and the URLs of a record that was published on `day` (YYYY-MM-DD).

    The id is the `id` key, otherwise an absolute URL in the record, otherwise made from date
    and path. It is never a URL that was made from a pattern, because patterns change.
    """
    slug = _slug(read, place, name)
    link, link_in_full, pattern = _link(read, source)
    original, original_in_full = _address(read, "original")
    external = read.url(*read.find("external"))
    own = read.raw("id")[0].strip()
    if own:
        record_id = global_id(own, read.rules.site_id)
        id_from = OWN_ID if is_iri(own) else SHORT_ID
    elif original_in_full:
        record_id, id_from = original_in_full, "originalUrl"
    elif link_in_full:
        record_id, id_from = link_in_full, "webUrl"
    else:
        record_id, id_from = _path_id(read.rules.site_id, place, day, title), PATH_ID
    link = link or original
    if not link and pattern:
        try:
            link = _pattern_link(pattern, day, slug, read, place)
        except UrlError as error:
            keys = read.find("link")[1]
            what = f"the pattern {pattern[:60]!r} makes no URL ({error})"
            read.notes.add(keys, what, "write the URL; the record was used without a link")
    if original and original != link:
        external = external or original
    return RecordIdentity(record_id, id_from, link, original, external if external != link else "")


def _address(read: FieldReader, group: str) -> tuple[str, str]:
    """A URL, and the same URL again if it was written with its scheme, otherwise ""."""
    value, keys = read.find(group)
    address = read.url(value, keys, read.rules.home)
    in_full = not isinstance(value, str) or has_scheme(value)
    return address, address if in_full else ""


def _link(read: FieldReader, source: SourceSpec) -> tuple[str, str, str]:
    """The link as `_address` returns it, and the pattern to use if there is none.

    A `permalink` of Jekyll may be a pattern itself, such as /:categories/:title/.
    """
    value, keys = read.find("link")
    if not isinstance(value, str) or "/:" not in value or has_scheme(value):
        return *_address(read, "link"), source.link
    pattern = _from_jekyll(value)
    if "/:" in pattern or not set(_VARIABLE.findall(pattern)) <= _KNOWN:
        remedy = "write the URL, or set link: for the source in config.yaml; it was ignored"
        read.notes.add(keys, f"{value[:60]!r} is a pattern with unknown variables", remedy)
        pattern = source.link
    return "", "", pattern


def _slug(read: FieldReader, place: Position, name: FileName) -> str:
    if slug := read.plain("slug"):
        return slug
    if name.date:
        return name.rest
    if name.stem == "index" and "/" in place.below:  # a Hugo page bundle: post/index.md
        return place.below.split("/")[-2]
    return name.stem


def _path_id(site_id: str, place: Position, day: str, title: str) -> str:
    tag = f"{site_id}/{day}/{quote(place.below, safe='/~')}"
    if place.whole_file:
        return tag
    # Records may be inserted into a list, so their number cannot be part of the id.
    return tag + "#" + hashlib.sha256(f"{day}\n{title}".encode()).hexdigest()[:12]


def _pattern_link(pattern: str, day: str, slug: str, read: FieldReader, place: Position) -> str:
    """The URL that a pattern makes below `site.home`, as Jekyll and Hugo would make it."""
    year, month, date = day.split("-")
    categories = read.words("categories", str.split) or read.words("category", str.split)
    folder, _, name = _page_path(place.below).rpartition("/")
    own_slug = read.plain("slug")
    parts = {
        "year": year,
        "month": month,
        "day": date,
        "slug": _segment(slug),
        "categories": "/".join(_segment(name.lower()) for name in categories),
        "path": "/".join(
            _segment(part.lower()) for part in [*folder.split("/"), own_slug or name] if part
        ),
    }
    filled = _VARIABLE.sub(lambda match: parts[match[1]], pattern)
    return absolute_url(urljoin(read.rules.home, re.sub(r"//+", "/", filled).lstrip("/")))


def _segment(text: str) -> str:
    """A name as one segment of a URL path, with hyphens for spaces."""
    return quote("-".join(text.split()), safe="~")


def _from_jekyll(pattern: str) -> str:
    """A pattern of Jekyll (/:categories/:title/) as one of feedpub (/{categories}/{slug}/)."""
    for theirs, ours in _JEKYLL_VARIABLES.items():
        pattern = re.sub(rf":{theirs}\b", f"{{{ours}}}", pattern)
    return pattern


def _page_path(below: str) -> str:
    """The path of a file without its extension; the folder, if it is a Hugo page bundle."""
    path = below.rpartition(".")[0]
    return path.removesuffix("/index") or path
