"""The keys of a record and their aliases → `Record`.

Which key means what is promised to users; the table is `feedpub.keys.KEYS`.
What is not in it never leaves the record.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote, urljoin

from feedpub.config import SourceSpec
from feedpub.model import OWN_ID, PATH_ID, SHORT_ID, Enclosure, Person, Record, global_id, is_iri
from feedpub.records.dates import DateError, Moment, parse_date
from feedpub.records.episode import read_episode
from feedpub.records.field_reader import (
    FALSE,
    TRUE,
    FieldReader,
    Notes,
    Place,
    Rules,
    Values,
    scalar,
)
from feedpub.records.text import printable, shorten
from feedpub.urls import absolute_url

_DATED_NAME = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})-(.+)")
_LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"
_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:")
_JEKYLL_VARIABLES = {
    "categories": "categories",
    "year": "year",
    "month": "month",
    "day": "day",
    "title": "slug",
    "slug": "slug",
}
MAX_BODY = 2_000_000  # characters: a feed of twenty such items has 40 MB
TITLE_LENGTH = 80  # of a title made from an excerpt


def build_record(
    values: Values,
    body: str,
    body_type: str,
    place: Place,
    source: SourceSpec,
    rules: Rules,
    notes: Notes,
) -> Record | None:
    """One record from its values; None, with the reason in `notes`, if it cannot be used."""
    read = FieldReader(values, rules, notes)
    stem = place.below.rpartition("/")[2].rpartition(".")[0]
    dated = _DATED_NAME.fullmatch(stem) if place.whole_file else None

    published = read.moment("published", fatal=True)
    if published is None and not notes.fatal:
        published = _fallback_date(read, dated)
        if published is None and not notes.fatal:
            notes.add(("date",), "the record has no date", "add date: 2026-01-31", fatal=True)
    updated = read.moment("updated", fatal=False)

    title, summary = read.plain("title"), read.plain("summary")
    if not title:
        title = shorten(summary, TITLE_LENGTH)
        if not title and dated:  # as Jekyll does it
            title = " ".join(word.capitalize() for word in dated[2].split("-") if word)
        if not title:
            notes.add(("title",), "the record has no title", "add title: …", fatal=True)
    if notes.fatal or published is None:
        return None

    slug = _slug(read, place, stem, dated)
    link_value, link_keys = read.find("link")
    relative = isinstance(link_value, str) and not has_scheme(link_value)
    pattern = source.link
    if isinstance(link_value, str) and "/:" in link_value:
        pattern = _from_jekyll(link_value)
        if re.search(r"/:", pattern):
            remedy = "write the address, or give the source a link: pattern; left out"
            notes.add(link_keys, f"{link_value[:60]!r} is a pattern not known here", remedy)
            pattern = source.link
        link_value = None
    link = read.url(link_value, link_keys, rules.home)
    original_value, original_keys = read.find("original")
    original_relative = isinstance(original_value, str) and not has_scheme(original_value)
    original = read.url(original_value, original_keys, rules.home)
    external = read.url(*read.find("external"))
    record_id, id_from = _identify(
        read,
        "" if original_relative else original,
        "" if relative else link,
        place,
        published.day,
        title,
        rules,
    )
    link = link or original
    if not link and pattern:
        link = _pattern_link(pattern, published.day, slug, read, place)
    if original and original != link:
        external = external or original
    if link.startswith(rules.origin):
        # A page of the site itself: what it names beside itself is beside its page.
        read.base = link or rules.home

    provider, provider_authors = read.provider(source.provider)
    authors = read.people(*read.find("authors")) or provider_authors
    if not authors and source.author:
        authors = (Person(source.author.name, source.author.email, source.author.url),)
    images: list[Enclosure] = []
    for group in ("images", "image", "cover"):
        for picture in read.pictures(*read.find(group)):
            if all(picture.url != other.url for other in images):
                images.append(picture)
    duration_text, duration_keys = read.raw("duration")
    content, _ = read.raw("content")
    if content and not body.strip():
        body, body_type = content, ""
    if len(body) > MAX_BODY:
        what = f"the content has {len(body):,} characters, more than any reader shows"
        notes.add(("content",), what, f"keep it below {MAX_BODY:,}; it was left out")
        body = ""
    amp = read.url(*read.find("amp"))
    return Record(
        path=place.name,
        line=place.line,
        order=place.path if place.part is None else f"{place.path}#{place.part:09}",
        id=record_id,
        id_from=id_from,
        title=title,
        published=published.utc,
        updated=max(updated.utc, published.utc) if updated else published.utc,
        link=link,
        external_url=external if external != link else "",
        summary=summary,
        body=body,
        body_type=body_type,
        featured=read.raw("featured")[0],
        provider=provider,
        authors=authors,
        topics=_topics(read, place, source),
        images=tuple(images),
        enclosures=tuple(read.enclosures()),
        related=tuple(r for r in read.related() if r.url not in {link, original}),
        language=_language(read, source),
        type=read.plain("type") or source.type,
        category=", ".join(read.words("category", _commas)),
        price=read.plain("price"),
        quality=read.number("quality"),
        heat=read.number("heat"),
        duration=read.seconds(duration_text, duration_keys) if duration_text else 0,
        comments=_comments(read),
        amp_url=amp if amp != link else "",
        episode=read_episode(read) if rules.episodes else None,
        status=_status(read),
    )


def has_scheme(text: str) -> bool:
    """Whether an address was written with its scheme."""
    return bool(_SCHEME.match(text))


def _fallback_date(read: FieldReader, dated: re.Match[str] | None) -> Moment | None:
    """A date in `published:` (elsewhere a truth), or in a Jekyll file name."""
    value = read.values.get("published")
    if isinstance(value, str) and value.strip().lower() not in TRUE | FALSE:
        try:
            return parse_date(value, read.rules.zone)
        except DateError as error:
            read.notes.add(("published",), str(error), "write true, false or a date", fatal=True)
            return None
    if dated:
        try:
            return parse_date(dated[1], read.rules.zone)
        except DateError as error:
            read.notes.add(("date",), f"in the file's name, {error}", "mend the name", fatal=True)
    return None


def _slug(read: FieldReader, place: Place, stem: str, dated: re.Match[str] | None) -> str:
    slug = read.plain("slug")
    if slug:
        return slug
    if dated:
        return dated[2]
    if stem == "index" and "/" in place.below:  # a Hugo page bundle: post/index.md
        return place.below.split("/")[-2]
    return stem


def _identify(
    read: FieldReader, original: str, link: str, place: Place, day: str, title: str, rules: Rules
) -> tuple[str, str]:
    """The item's id and the rule that gave it: never a pattern's address.

    Ids are for ever: where the rules come to give another one, the ledger gives the first.
    """
    own = printable(read.raw("id")[0]).strip()
    if own:
        return global_id(own, rules.site_id), OWN_ID if is_iri(own) else SHORT_ID
    if original:
        return original, "originalUrl"
    if link:
        return link, "webUrl"
    tag = f"{rules.site_id}/{day}/{quote(place.below, safe='/~')}"
    if not place.whole_file:
        # A list may grow at its head: its number would give ids to other records.
        tag += "#" + hashlib.sha256(f"{day}\n{title}".encode()).hexdigest()[:12]
    return tag, PATH_ID


def _pattern_link(pattern: str, day: str, slug: str, read: FieldReader, place: Place) -> str:
    """A pattern's address below `site.home`, made as the tools that have such patterns make it."""
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
    filled = re.sub(r"\{(\w+)\}", lambda match: parts[match[1]], pattern)
    return absolute_url(urljoin(read.rules.home, re.sub(r"//+", "/", filled).lstrip("/")))


def _segment(text: str) -> str:
    """A name as one part of an address, space as hyphens."""
    return quote("-".join(text.split()), safe="~")


def _from_jekyll(pattern: str) -> str:
    """A permalink of Jekyll's front matter (/:categories/:title/) as a pattern of ours."""
    for theirs, ours in _JEKYLL_VARIABLES.items():
        pattern = re.sub(rf":{theirs}\b", f"{{{ours}}}", pattern)
    return pattern


def _page_path(below: str) -> str:
    """A file's path without its ending; a Hugo page bundle (post/index.md) is its folder."""
    path = below.rpartition(".")[0]
    return path.removesuffix("/index") or path


def _topics(read: FieldReader, place: Place, source: SourceSpec) -> tuple[str, ...]:
    """All topics, tags and categories; else Jekyll's `category`; else the source's."""

    def split(text: str) -> list[str]:
        # Jekyll splits a text at spaces, where others split at commas or not at all.
        in_jekyll = "_posts" in place.path.split("/")
        return text.split() if in_jekyll and "," not in text else _commas(text)

    names = read.words("topics", _commas)
    names += read.words("tags", split) + read.words("categories", split)
    if not names:
        names = read.words("category", lambda text: [text]) or list(source.topics)
    seen: dict[str, str] = {}
    for name in names:
        seen.setdefault(name.casefold(), name)
    return tuple(seen.values())


def _language(read: FieldReader, source: SourceSpec) -> str:
    text, keys = read.raw("language")
    if not text:
        return source.language.replace("_", "-") or read.rules.language
    language = text.strip().replace("_", "-")
    if re.fullmatch(_LANGUAGE, language):
        return language
    read.notes.add(keys, f"{text[:40]!r} is no language", "write a tag like en or pt-BR; left out")
    return read.rules.language


def _comments(read: FieldReader) -> str:
    """Where the record is talked about; what else tools keep there (true, a number) is no fault."""
    value, keys = read.find("comments")
    if not isinstance(value, str) or not (has_scheme(value) or value.startswith("/")):
        return ""
    return read.url(value, keys, read.rules.home)


def _status(read: FieldReader) -> str:
    if read.flag("removed"):
        return "removed"
    if read.flag("draft"):
        return "draft"
    value, keys = read.find("is_published")
    published = read.flag("is_published")
    if published is None and value is not None:
        try:  # a date is taken for a date, see _fallback_date
            parse_date(scalar(value), read.rules.zone)
        except DateError:
            what = f"{scalar(value)[:40]!r} is not true or false"
            read.notes.add(keys, what, "write true or false; it counts as false")
            return "unpublished"
    return "unpublished" if published is False else ""


def _commas(text: str) -> list[str]:
    return text.split(",")
