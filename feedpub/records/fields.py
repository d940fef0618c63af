"""The values of a record → `Record`. `feedpub.keys.KEYS` lists the keys and their aliases."""

from __future__ import annotations

import re
from typing import NamedTuple

from feedpub.config import SourceSpec
from feedpub.model import Enclosure, Person, Provider, Record
from feedpub.records.dates import DateError, Moment, parse_date
from feedpub.records.episode import read_episode
from feedpub.records.field_reader import (
    FALSE,
    TRUE,
    FieldReader,
    Notes,
    Position,
    Values,
    scalar,
)
from feedpub.records.identity import FileName, identify
from feedpub.records.limits import MAX_BODY, MAX_CONTENT, MAX_TOPICS
from feedpub.records.rules import ReadingRules
from feedpub.records.text import shorten
from feedpub.urls import has_scheme

_LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"
TITLE_LENGTH = 80  # characters of a title that is made from the summary


def build_record(
    values: Values,
    body: str,
    body_type: str,
    place: Position,
    source: SourceSpec,
    rules: ReadingRules,
    notes: Notes,
) -> Record | None:
    """The record with these values; None if it cannot be used, with the reason in `notes`."""
    read = FieldReader(values, rules, notes)
    name = FileName.of(place)
    headline = _headline(read, name)
    if headline is None:
        return None
    published, updated, title, summary = headline
    identity = identify(read, place, name, source, published.day, title)
    link = identity.link
    if link and link.startswith(rules.origin):
        read.base = link  # a page of this site, so relative URLs are relative to it
    provider, authors = _credits(read, source)
    images = _images(read)
    duration, duration_keys = read.raw("duration")
    body, body_type = _body(read, body, body_type)
    featured, body = _bounded(read, read.raw("featured")[0], body, body_type, link)
    amp = read.url(*read.find("amp"))
    return Record(
        path=place.name,
        line=place.line,
        order=place.path if place.part is None else f"{place.path}#{place.part:09}",
        id=identity.id,
        id_from=identity.id_from,
        title=title,
        published=published.utc,
        updated=max(updated.utc, published.utc) if updated else published.utc,
        link=link,
        external_url=identity.external,
        summary=summary,
        body=body,
        body_type=body_type,
        featured=featured,
        provider=provider,
        authors=authors,
        topics=_topics(read, place, source),
        images=images,
        enclosures=tuple(read.enclosures()),
        related=tuple(r for r in read.related() if r.url not in {link, identity.original}),
        language=_language(read, source),
        type=read.plain("type") or source.type,
        category=", ".join(read.words("category", _commas)),
        price=read.plain("price"),
        quality=read.number("quality"),
        heat=read.number("heat"),
        duration=read.seconds(duration, duration_keys) if duration else 0,
        comments=_comments(read),
        amp_url=amp if amp != link else "",
        episode=read_episode(read) if rules.episodes else None,
        status=_status(read),
    )


class _Headline(NamedTuple):
    """The fields without which a record cannot be used, and those that replace them."""

    published: Moment
    updated: Moment | None
    title: str
    summary: str


def _headline(read: FieldReader, name: FileName) -> _Headline | None:
    """The dates, the title and the summary; None if the record lacks a date or a title."""
    published = read.moment("published", fatal=True)
    if published is None and not read.notes.fatal:
        published = _fallback_date(read, name)
        if published is None and not read.notes.fatal:
            what, remedy = "the record has no date", "add date: 2026-01-31"
            read.notes.add(("date",), what, remedy, fatal=True)
    updated = read.moment("updated", fatal=False)
    title, summary = read.plain("title"), read.plain("summary")
    title = title or shorten(summary, TITLE_LENGTH)
    if not title:  # as Jekyll does it
        title = " ".join(word.capitalize() for word in name.rest.split("-") if word)
    if not title:
        read.notes.add(("title",), "the record has no title", "add title: …", fatal=True)
    if read.notes.fatal or published is None:
        return None
    return _Headline(published, updated, title, summary)


def _credits(read: FieldReader, source: SourceSpec) -> tuple[Provider | None, tuple[Person, ...]]:
    """The provider and the authors: the record's own, else the provider's, else the source's."""
    provider, provider_authors = read.provider(source.provider)
    authors = read.people(*read.find("authors")) or provider_authors
    if not authors and source.author:
        authors = (source.author,)
    return provider, authors


def _images(read: FieldReader) -> tuple[Enclosure, ...]:
    images: dict[str, Enclosure] = {}
    for group in ("images", "image", "cover"):
        value, keys = read.find(group)
        if value is not None:
            for picture in read.pictures(value, keys):
                images.setdefault(picture.url, picture)
    return tuple(images.values())


def _body(read: FieldReader, body: str, body_type: str) -> tuple[str, str]:
    """The content and its type: the body of the file, or the `content` key if it has no body."""
    content, _ = read.raw("content")
    if content and not body.strip():
        body, body_type = content, ""
    if len(body) > MAX_BODY:
        what = f"the content has {len(body):,} characters, too many for feed readers"
        read.notes.add(("content",), what, f"keep it below {MAX_BODY:,}; it was ignored")
        body = ""
    return body, body_type


def _bounded(
    read: FieldReader, featured: str, body: str, body_type: str, link: str
) -> tuple[str, str]:
    """The embedded media and the body; "" for both if their HTML would be too large."""
    base = link or read.rules.home
    if not _could_exceed(len(featured) + len(body), body, base):
        return featured, body
    from feedpub.records.content import exceeds  # rarely needed

    if not exceeds(featured, body, body_type, base):
        return featured, body
    what = f"the content would have more than {MAX_CONTENT:,} characters as HTML"
    remedy = "shorten it, or what its links refer to; it was left out"
    read.notes.add(("content",), what, remedy)
    return "", ""


def _could_exceed(size: int, body: str, base: str) -> bool:
    """Whether content may become too large: a quick and high estimate."""
    most = size * (16 + len(base) // 3)  # all markup, or all relative addresses
    if "]:" in body:  # one long address, and many links that refer to it
        paragraphs = (part for part in body.split("\n\n") if "]:" in part)
        most += body.count("[") * max(map(len, paragraphs))
    return most > MAX_CONTENT


def _fallback_date(read: FieldReader, name: FileName) -> Moment | None:
    """A date in `published` (which is usually a boolean), or in a file name of Jekyll."""
    value = read.values.get("published")
    if isinstance(value, str) and value.strip().lower() not in TRUE | FALSE:
        try:
            return parse_date(value, read.rules.zone)
        except DateError as error:
            read.notes.add(("published",), str(error), "write true, false or a date", fatal=True)
            return None
    if name.date:
        try:
            return parse_date(name.date, read.rules.zone)
        except DateError as error:
            read.notes.add(("date",), f"in the file name, {error}", "rename the file", fatal=True)
    return None


def _topics(read: FieldReader, place: Position, source: SourceSpec) -> tuple[str, ...]:
    """All topics, tags and categories; otherwise `category`; otherwise those of the source."""

    def split(text: str) -> list[str]:
        # Jekyll splits a text at spaces; other tools split it at commas, or not at all.
        in_jekyll = "_posts" in place.path.split("/")
        return text.split() if in_jekyll and "," not in text else _commas(text)

    names = read.words("topics", _commas)
    names += read.words("tags", split) + read.words("categories", split)
    if not names:
        names = read.words("category", lambda text: [text]) or list(source.topics)
    seen: dict[str, str] = {}
    for name in names:
        seen.setdefault(name.casefold(), name)
    if len(seen) > MAX_TOPICS:
        what = f"the record has {len(seen)} topics; the limit is {MAX_TOPICS}"
        read.notes.add(("topics",), what, f"remove some; the first {MAX_TOPICS} were used")
    return tuple(seen.values())[:MAX_TOPICS]


def _language(read: FieldReader, source: SourceSpec) -> str:
    text, keys = read.raw("language")
    if not text:
        return source.language.replace("_", "-") or read.rules.language
    language = text.strip().replace("_", "-")
    if re.fullmatch(_LANGUAGE, language):
        return language
    read.notes.add(
        keys, f"{text[:40]!r} is not a language", "write a tag like en or pt-BR; it was ignored"
    )
    return read.rules.language


def _comments(read: FieldReader) -> str:
    """The URL of the comments. Other values (true, a number) are valid in some tools."""
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
        try:  # a date is valid here, see _fallback_date
            parse_date(scalar(value), read.rules.zone)
        except DateError:
            what = f"{scalar(value)[:40]!r} is not true or false"
            read.notes.add(keys, what, "write true or false; it was read as false")
            return "unpublished"
    return "unpublished" if published is False else ""


def _commas(text: str) -> list[str]:
    return text.split(",")
