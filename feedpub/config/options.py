"""Every key of config.yaml: its meaning, its check and its default, once.

The dataclasses are what the rest of feedpub reads; their fields carry the
readers that check config.yaml and give `feedpub schema config`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import yaml

from feedpub import plugins
from feedpub.config.podcasts import PodcastSettings
from feedpub.config.push import PUSH, PUSH_DOC, PushTarget
from feedpub.config.readers import (
    Boolean,
    Choice,
    Constant,
    Context,
    Either,
    ListOf,
    MapOf,
    Number,
    OutputPath,
    Schema,
    Section,
    Text,
    Url,
    option,
)
from feedpub.keys import OUR_KEYS
from feedpub.model import Person
from feedpub.paths import is_portable
from feedpub.urls import has_scheme

# The methods that dataclasses generate cost start-up time, and settings are never compared or
# printed: hence eq=False, repr=False.

EMPTY: Mapping[str, Any] = MappingProxyType({})
LINK_VARIABLES = ("year", "month", "day", "slug", "path", "categories")
FORMATS = ("rss", "atom", "json")
FILENAMES = MappingProxyType({"rss": "rss.xml", "atom": "atom.xml", "json": "feed.json"})

_LANGUAGE = Text(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", "a language tag like en or pt-BR")
_WORDS = ListOf(Text())
# Characters that need no encoding (RFC 3986, 2.3).
_PARAMETER = Text(r"[A-Za-z0-9._~-]+", "a parameter's name like utm_source")


class Duration:
    """`48h`, `7d`, `90m`, or off."""

    def read(self, node: yaml.Node, key: str, context: Context) -> timedelta | None:
        text = Text(meaning="a time like 48h").read(node, key, context).lower()
        if text in {"off", "false", "no"}:
            return None
        match = re.fullmatch(r"(\d{1,6})\s*([mhdw])", text)
        if not match:
            what = f"{text[:40]!r} is not a time like 48h"
            raise context.fail(node, key, what, "write a number and m, h, d or w, or off")
        units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
        return timedelta(**{units[match[2]]: int(match[1])})

    def schema(self) -> Schema:
        return {"anyOf": [{"const": False}, {"type": "string", "pattern": "^(off|[0-9]+[mhdw])$"}]}


class LinkPattern:
    """A path with variables such as {year} or {slug} (`LINK_VARIABLES`)."""

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text(meaning="an address pattern").read(node, key, context)
        unknown = [v for v in re.findall(r"\{([^{}]*)\}", text) if v not in LINK_VARIABLES]
        known = ", ".join(f"{{{v}}}" for v in LINK_VARIABLES)
        if unknown:
            raise context.fail(
                node, key, f"{{{unknown[0]}}} is not a variable of link patterns", f"known: {known}"
            )
        if re.search(r"[{}]", re.sub(r"\{\w+\}", "", text)):
            raise context.fail(node, key, "unbalanced { or }", f"known: {known}")
        if has_scheme(text):
            what = "a pattern is a path below site.home, and no URL"
            raise context.fail(node, key, what, "write it like /{year}/{slug}/")
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


class PathPattern:
    """The path of the feeds of a group, with its variables."""

    def __init__(self, *variables: str) -> None:
        self.variables = variables

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text(meaning="a path").read(node, key, context).strip("/")
        parts = text.split("/")
        found = [part[1:-1] for part in parts if part[:1] == "{" and part[-1:] == "}"]
        plain = "/".join("x" if part[1:-1] in found else part for part in parts)
        if sorted(found) != sorted(self.variables) or not all(map(is_portable, plain.split("/"))):
            required = " and ".join(f"{{{v}}}" for v in self.variables)
            raise context.fail(
                node,
                key,
                f"{text[:60]!r} is not a path with {required} in it",
                f"write letters, digits, - and /, and {required} once, between slashes",
            )
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


class TitlePattern:
    """A text with the variables {name} and {site}."""

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text().read(node, key, context)
        for variable in re.findall(r"\{([^{}]*)\}", text):
            if variable not in {"name", "site"}:
                raise context.fail(
                    node,
                    key,
                    f"{{{variable}}} is not a variable of titles",
                    "known: {name} and {site}",
                )
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


AUTHOR = Section(
    Person,
    short=("name", Text()),
    keys={
        "name": option(Text(), "the author's name"),
        "email": option(
            Text(r"[^@\s]+@[^@\s]+", "an e-mail address"), "the author's e-mail address", ""
        ),
        "url": option(Url(), "URL of the author's page", ""),
    },
)


@dataclass(eq=False, repr=False)
class Site:
    """The site of the feeds, and their URL."""

    title: str = option(Text(), "the site's name")
    url: str = option(Url(folder=True), "URL that the output folder is served at")
    id: str = option(
        Text(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", "a tag: address (RFC 4151)"),
        "prefix of generated ids; never change it; default: tag:HOST,2026:feeds, with url's host",
        "",
    )
    home: str = option(
        Url(folder=True), "URL of the site that the feeds belong to; default: url", ""
    )
    description: str = option(Text(), "one sentence about the site", "")
    language: str = option(_LANGUAGE, "language of the feeds, such as en or pt-BR", "en")
    timezone: str = option(Text(), "time zone of dates without one, such as Europe/Berlin", "UTC")
    author: Person | None = option(AUTHOR, "author of the feeds: a name, or a mapping", None)
    copyright: str = option(Text(), "copyright line of the feeds", "")
    icon: str = option(Url(), "URL of a square picture", "")
    logo: str = option(Url(), "URL of a picture twice as wide as it is high", "")


@dataclass(eq=False, repr=False)
class SourceSpec:
    """A source of records, and defaults for them."""

    path: str = option(Text(), "a file, a folder or a glob")
    follow_links: bool = option(
        Boolean(), "follow symbolic links that lead out of the source", False
    )
    link: str = option(
        LinkPattern(), "pattern of a record's link if it has none, below site.home", ""
    )
    provider: str = option(Text(), "provider of records that have none", "")
    topics: tuple[str, ...] = option(_WORDS, "topics of records that have none", ())
    language: str = option(_LANGUAGE, "language of records that have none", "")
    type: str = option(Text(), "type of records that have none", "")
    author: Person | None = option(AUTHOR, "author of records that have none", None)


@dataclass(eq=False, repr=False)
class Where:
    """Conditions for a record: all keys must match, and any value of a list is enough."""

    types: tuple[str, ...] = option(_WORDS, "the record's type is one of these", ())
    languages: tuple[str, ...] = option(
        _WORDS, "its language is one of these; en includes en-GB", ()
    )
    categories: tuple[str, ...] = option(_WORDS, "its category is one of these", ())
    prices: tuple[str, ...] = option(_WORDS, "its price is one of these", ())
    topics: tuple[str, ...] = option(
        _WORDS, "it has one of these topics, or a topic below one of them", ()
    )
    providers: tuple[str, ...] = option(_WORDS, "its provider is one of these", ())
    min_quality: float | None = option(
        Number(whole=False),
        "its quality is at least this; a record without quality counts as 0",
        None,
    )
    min_heat: float | None = option(
        Number(whole=False), "its heat is at least this; a record without heat counts as 0", None
    )


_WHERE = Section(Where)
_PATTERN = TitlePattern()


@dataclass(eq=False, repr=False)
class Select(Where):
    """Which records can be in any feed."""

    unpublished: bool = option(
        Boolean(), "include records with published: false or draft: true", False
    )
    future: bool = option(Boolean(), "include records dated in the future", False)


_ITEMS = Either(
    lambda node: isinstance(node, yaml.ScalarNode) and str(node.value).lower() == "all",
    Constant({"all": 0}),
    Number(minimum=1),
)


@dataclass(eq=False, repr=False)
class Newsletter:
    """How a feed is adapted to e-mail."""

    enabled: bool = True
    parameters: Mapping[str, str] = option(
        MapOf(_PARAMETER, Text()),
        "query parameters to add to item links and to links to the site's pages; never to ids",
        EMPTY,
    )


def _switch(cls: type[Any]) -> tuple[Either, Any, Any]:
    """A reader for true, false or a mapping, with the values for true and false."""
    on, off = cls(), cls(enabled=False)
    words = {"true": on, "false": off, "yes": on, "no": off, "on": on, "off": off}
    reader = Either(lambda node: isinstance(node, yaml.ScalarNode), Constant(words), Section(cls))
    return reader, on, off


_NEWSLETTER = _switch(Newsletter)[0]
_PODCAST = _switch(PodcastSettings)[0]
_PODCAST_DOC = (
    "makes it a podcast: true, or a mapping with the keys of `podcast` (docs/podcasts.md)"
)
_NEWSLETTER_DOC = "adapts it to e-mail: true, or a mapping (docs/newsletters.md)"
_ITEMS_DOC = "the newest N items, or all; default: feeds.items"


@dataclass(eq=False, repr=False)
class Group:
    """Settings for a group of feeds, such as all feeds of topics."""

    enabled: bool = True
    title: str = option(_PATTERN, "title, with {name} and {site} as variables", "")
    description: str = option(_PATTERN, "description, with {name} and {site} as variables", "")
    items: int | None = option(_ITEMS, _ITEMS_DOC, None)
    min_items: int = option(Number(minimum=1), "minimum number of records for a feed", 1)
    include: tuple[str, ...] = option(_WORDS, "make feeds for these names only", ())
    exclude: tuple[str, ...] = option(_WORDS, "make no feeds for these names", ())
    where: Where | None = option(_WHERE, "which records these feeds include", None)
    newsletter: Newsletter | None = option(_NEWSLETTER, _NEWSLETTER_DOC, None)
    podcast: PodcastSettings | None = option(_PODCAST, _PODCAST_DOC, None)


@dataclass(eq=False, repr=False)
class AllGroup:
    """The feed of all records."""

    enabled: bool = True
    title: str = option(_PATTERN, "title, with {site} as a variable", "")
    description: str = option(_PATTERN, "description, with {site} as a variable", "")
    items: int | None = option(_ITEMS, _ITEMS_DOC, None)
    where: Where | None = option(_WHERE, "which records it includes", None)
    newsletter: Newsletter | None = option(_NEWSLETTER, _NEWSLETTER_DOC, None)
    podcast: PodcastSettings | None = option(_PODCAST, _PODCAST_DOC, None)


@dataclass(eq=False, repr=False)
class TopicGroup(Group):
    """A feed for each topic."""

    path: str = option(PathPattern("slug"), "folder of each feed below the output", "topics/{slug}")


@dataclass(eq=False, repr=False)
class ProviderGroup(Group):
    """A feed for each provider."""

    path: str = option(
        PathPattern("slug"), "folder of each feed below the output", "providers/{slug}"
    )


@dataclass(eq=False, repr=False)
class TopicProviderGroup(Group):
    """A feed for each topic of each provider."""

    path: str = option(
        PathPattern("topic", "provider"),
        "folder of each feed below the output",
        "topics/{topic}/providers/{provider}",
    )


def _group(cls: type[Any], enabled: bool, doc: str) -> Any:
    """An option that takes true, false or a mapping of settings."""
    reader, on, off = _switch(cls)
    return option(reader, doc, on if enabled else off)


@dataclass(eq=False, repr=False)
class Custom:
    """A feed that the configuration defines."""

    slug: str = option(
        OutputPath("a slug like best-of", parts=1), "folder name: the feed is in custom/SLUG/"
    )
    title: str = option(Text(), "title", "")
    description: str = option(Text(), "description", "")
    image: str = option(Url(), "URL of its picture", "")
    items: int | None = option(_ITEMS, _ITEMS_DOC, None)
    where: Where = option(_WHERE, "which records it includes", Where())
    newsletter: Newsletter | None = option(_NEWSLETTER, _NEWSLETTER_DOC, None)
    podcast: PodcastSettings | None = option(_PODCAST, _PODCAST_DOC, None)


@dataclass(eq=False, repr=False)
class Override:
    """Settings of one feed that replace those of its group."""

    title: str = option(Text(), "title", "")
    description: str = option(Text(), "description", "")
    image: str = option(Url(), "URL of its picture", "")
    items: int | None = option(_ITEMS, "the newest N items, or all; default: as its group", None)
    newsletter: Newsletter | None = option(_NEWSLETTER, _NEWSLETTER_DOC, None)
    podcast: PodcastSettings | None = option(_PODCAST, _PODCAST_DOC, None)


@dataclass(eq=False, repr=False)
class FeedSettings:
    """Which feeds there are, and what they contain."""

    formats: tuple[str, ...] = option(
        ListOf(Choice(FORMATS, plugins.FORMATS)),
        "formats to write: rss, atom, json, or a [plugin's](plugins.md)",
        FORMATS,
    )
    items: int | None = option(
        _ITEMS, "the newest N items of each feed, or all; default: 20, or all for a podcast", None
    )
    window: timedelta | None = option(
        Duration(),
        "also every item at most this much older than the newest: 48h, 7d or 2w; default: off",
        None,
    )
    filenames: Mapping[str, str] = option(
        MapOf(Choice(FORMATS, plugins.FORMATS), OutputPath("a file name", parts=1)),
        "file names by format",
        FILENAMES,
    )
    also_at: Mapping[str, str] = option(
        MapOf(OutputPath(), OutputPath()),
        "old path: new path, of a file or a feed's folder; the old path keeps working",
        EMPTY,
    )
    content: str = option(
        Choice(("full", "excerpt")),
        "full: items have the whole content; excerpt: only the summary",
        "full",
    )
    ttl: int = option(
        Number(minimum=1),
        "minutes that feed readers may wait before they fetch again (RSS ttl)",
        60,
    )
    archives: str = option(
        Choice(("false", "month", "year")),
        "month or year: archive documents for older items (RFC 5005)",
        "false",
    )
    all: AllGroup = _group(AllGroup, True, "the feed of everything")
    topics: TopicGroup = _group(TopicGroup, True, "a feed for each topic")
    providers: ProviderGroup = _group(ProviderGroup, True, "a feed for each provider")
    topic_providers: TopicProviderGroup = _group(
        TopicProviderGroup, False, "a feed for each topic of each provider"
    )
    custom: tuple[Custom, ...] = option(ListOf(Section(Custom)), "feeds that you define", ())
    overrides: Mapping[str, Override] = option(
        MapOf(OutputPath("a feed's path"), Section(Override)),
        "settings of single feeds, by feed path such as topics/repair",
        EMPTY,
    )


@dataclass(eq=False, repr=False)
class Taxonomy:
    """Folders of files that describe topics and providers."""

    topics: str = option(Text(), "folder of the files that describe topics", "")
    providers: str = option(Text(), "folder of the files that describe providers", "")


@dataclass(eq=False, repr=False)
class Images:
    """How pictures are chosen, probed and mirrored."""

    enclosure: str = option(
        Choice(("first", "largest", "none")), "which picture is the item's enclosure", "first"
    )
    probe: str = option(
        Choice(("local", "http")),
        "local: read media files beside records; http: also request files on other hosts",
        "local",
    )
    budget: timedelta | None = option(
        Duration(), "how long a run may spend on requests, such as 5m", timedelta(minutes=5)
    )
    allow: tuple[str, ...] = option(
        _WORDS, "non-public hosts and networks that may be requested", ()
    )
    min_size: int = option(
        Number(minimum=0), "skip pictures known to be smaller, in pixels; 0: no minimum", 0
    )
    fallback: tuple[str, ...] = option(
        ListOf(Choice(("provider", "topic", "site"))),
        "whose picture to use for an item without one: provider, topic, site, in your order",
        (),
    )
    mirror: bool = option(
        Boolean(),
        "download pictures of other hosts once, shrink them, and serve them with the feeds",
        False,
    )
    sizes: tuple[int, ...] = option(
        ListOf(Number(minimum=1)),
        "maximum length of a mirrored picture's longer side, in pixels",
        (1400, 400),
    )


@dataclass(eq=False, repr=False)
class Websub:
    """WebSub hubs, which notify subscribers of new items."""

    hubs: tuple[str, ...] = option(ListOf(Url()), "URLs of the hubs", ())


@dataclass(eq=False, repr=False)
class Ids:
    """The ledger, which keeps ids from changing."""

    ledger: str = option(Text(), "the ledger file; commit it", "ids.jsonl")
    record: str = option(
        Choice(("kept", "all")),
        "kept: record only ids that would otherwise change; all: each id when first published",
        "kept",
    )


@dataclass(eq=False, repr=False)
class Settings:
    """config.yaml as written; `feedpub.config.Config` adds defaults and absolute paths."""

    site: Site = option(Section(Site), "the site that publishes the feeds")
    records: tuple[SourceSpec, ...] = option(
        ListOf(Section(SourceSpec, short=("path", Text()))), "sources: paths, or mappings"
    )
    taxonomy: Taxonomy = option(
        Section(Taxonomy), "files that describe topics and providers (docs/records.md)", Taxonomy()
    )
    output: str = option(Text(), "folder that the feeds are written to", "feeds")
    state: str = option(Text(), "folder of the cache between runs; safe to delete", ".feedpub")
    ids: Ids = option(Section(Ids), "the ledger of ids (docs/records.md)", Ids())
    fields: Mapping[str, str] = option(
        MapOf(Choice(OUR_KEYS), Text()),
        "feedpub's key: your key; a dot separates nested keys",
        EMPTY,
    )
    select: Select = option(Section(Select), "which records can be in any feed", Select())
    feeds: FeedSettings = option(Section(FeedSettings), "which feeds there are", FeedSettings())
    images: Images = option(Section(Images), "pictures and media files (docs/media.md)", Images())
    podcast: PodcastSettings | None = option(
        _PODCAST, "makes every feed a podcast: true, or a mapping (docs/podcasts.md)", None
    )
    websub: Websub = option(Section(Websub), "WebSub hubs", Websub())
    push: Mapping[str, PushTarget] = option(PUSH, PUSH_DOC, EMPTY)
