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

from feedpub.config.podcasts import Podcast
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
    Path,
    Schema,
    Section,
    Text,
    Url,
    option,
)
from feedpub.keys import OUR_KEYS
from feedpub.paths import is_portable

# Each method that a dataclass makes costs start-up time, and nothing compares or prints settings.
# (eq=False, repr=False).

EMPTY: Mapping[str, Any] = MappingProxyType({})
LINK_VARIABLES = ("year", "month", "day", "slug", "path", "categories")
FORMATS = ("rss", "atom", "json")
FILENAMES = MappingProxyType({"rss": "rss.xml", "atom": "atom.xml", "json": "feed.json"})

_LANGUAGE = Text(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", "a language tag like en or pt-BR")
_WORDS = ListOf(Text())
# In characters that need no encoding (RFC 3986, 2.3).
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
    """A path with {year}, {month}, {day}, {slug} or {path} in it."""

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text(meaning="an address pattern").read(node, key, context)
        unknown = [v for v in re.findall(r"\{([^{}]*)\}", text) if v not in LINK_VARIABLES]
        known = ", ".join(f"{{{v}}}" for v in LINK_VARIABLES)
        if unknown:
            raise context.fail(
                node, key, f"{{{unknown[0]}}} is not known in a link pattern", f"known: {known}"
            )
        if re.search(r"[{}]", re.sub(r"\{\w+\}", "", text)):
            raise context.fail(node, key, "a { or } without its other", f"known: {known}")
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


class PathPattern:
    """Where a group's feeds live, with the variables that tell them apart."""

    def __init__(self, *variables: str) -> None:
        self.variables = variables

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text(meaning="a path").read(node, key, context).strip("/")
        parts = text.split("/")
        found = [part[1:-1] for part in parts if part[:1] == "{" and part[-1:] == "}"]
        plain = "/".join("x" if part[1:-1] in found else part for part in parts)
        if sorted(found) != sorted(self.variables) or not all(map(is_portable, plain.split("/"))):
            wanted = " and ".join(f"{{{v}}}" for v in self.variables)
            raise context.fail(
                node,
                key,
                f"{text[:60]!r} is not a path with {wanted} in it",
                f"write letters, digits, - and /, and {wanted} once, between slashes",
            )
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


class TitlePattern:
    """A text with {name} and {site} in it."""

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text().read(node, key, context)
        for variable in re.findall(r"\{([^{}]*)\}", text):
            if variable not in {"name", "site"}:
                raise context.fail(
                    node, key, f"{{{variable}}} is not known here", "known: {name} and {site}"
                )
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(eq=False, repr=False)
class Author:
    """A person or a body that the feeds are by."""

    name: str = option(Text(), "what the author is called")
    email: str = option(Text(r"[^@\s]+@[^@\s]+", "an e-mail address"), "the author's address", "")
    url: str = option(Url(), "the author's page", "")


_AUTHOR = Section(Author, short=("name", Text()))


@dataclass(eq=False, repr=False)
class Site:
    """Whose feeds they are and where they will be served."""

    title: str = option(Text(), "the site's name")
    url: str = option(Url(folder=True), "where the output tree will be served")
    id: str = option(
        Text(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", "a tag: address (RFC 4151)"),
        "prefix of ids, like tag:example.org,2026:feeds; never change it",
        "",
    )
    home: str = option(Url(folder=True), "the site that the feeds belong to; default: url", "")
    description: str = option(Text(), "a sentence about the site", "")
    language: str = option(_LANGUAGE, "the feeds' language, like en or pt-BR", "en")
    timezone: str = option(Text(), "the zone of dates that name none, like Europe/Berlin", "UTC")
    author: Author | None = option(_AUTHOR, "whom the feeds are by", None)
    copyright: str = option(Text(), "the feeds' copyright line", "")
    icon: str = option(Url(), "address of a square picture", "")
    logo: str = option(Url(), "address of a picture twice as wide as high", "")


@dataclass(eq=False, repr=False)
class SourceSpec:
    """Where records are, and what holds for those that say nothing else."""

    path: str = option(Text(), "a file, a folder or a glob")
    link: str = option(LinkPattern(), "address of a record that names none, below site.home", "")
    provider: str = option(Text(), "the provider of a record that names none", "")
    topics: tuple[str, ...] = option(_WORDS, "the topics of a record that names none", ())
    language: str = option(_LANGUAGE, "the language of a record that names none", "")
    type: str = option(Text(), "the type of a record that names none", "")
    author: Author | None = option(_AUTHOR, "the author of a record that names none", None)


@dataclass(eq=False, repr=False)
class Where:
    """What a record must meet; a list is met by any of its members, all keys must be."""

    types: tuple[str, ...] = option(_WORDS, "its type is one of these", ())
    languages: tuple[str, ...] = option(_WORDS, "its language is one of these (en takes en-GB)", ())
    categories: tuple[str, ...] = option(_WORDS, "its category is one of these", ())
    prices: tuple[str, ...] = option(_WORDS, "its price is one of these", ())
    topics: tuple[str, ...] = option(_WORDS, "it has one of these topics, or one below them", ())
    providers: tuple[str, ...] = option(_WORDS, "its provider is one of these", ())
    min_quality: float | None = option(Number(whole=False), "its quality is this or more", None)
    min_heat: float | None = option(Number(whole=False), "its heat is this or more", None)


_WHERE = Section(Where)
_PATTERN = TitlePattern()


@dataclass(eq=False, repr=False)
class Select(Where):
    """Which records may be in feeds at all."""

    unpublished: bool = option(Boolean(), "take in published: false and draft: true", False)
    future: bool = option(Boolean(), "take in records dated in the future", False)


_ITEMS = Either(
    lambda node: isinstance(node, yaml.ScalarNode) and str(node.value).lower() == "all",
    Constant({"all": 0}),
    Number(minimum=1),
)


@dataclass(eq=False, repr=False)
class Newsletter:
    """How a feed that is mailed differs from one that is read."""

    enabled: bool = True
    parameters: Mapping[str, str] = option(
        MapOf(_PARAMETER, Text()),
        "query parameters of the items' addresses and of links to the site's pages, never of ids",
        EMPTY,
    )


def _switch(cls: type[Any]) -> tuple[Either, Any, Any]:
    """What takes true, false or a mapping of what differs from the usual; and the first two."""
    on, off = cls(), cls(enabled=False)
    words = {"true": on, "false": off, "yes": on, "no": off, "on": on, "off": off}
    reader = Either(lambda node: isinstance(node, yaml.ScalarNode), Constant(words), Section(cls))
    return reader, on, off


_NEWSLETTER = _switch(Newsletter)[0]
_PODCAST = _switch(Podcast)[0]
_PODCAST_DOC = "a podcast: true, or keys as below `podcast`"
_NEWSLETTER_DOC = "true: made to be mailed (docs/newsletters.md)"


@dataclass(eq=False, repr=False)
class Group:
    """What the feeds of a group (one for each topic, say) have in common."""

    enabled: bool = True
    title: str = option(_PATTERN, "pattern of the titles, with {name} and {site}", "")
    description: str = option(_PATTERN, "pattern of the descriptions, with {name} and {site}", "")
    items: int | None = option(_ITEMS, "the newest N, or all", None)
    min_items: int = option(Number(minimum=1), "no feed for fewer records than this", 1)
    include: tuple[str, ...] = option(_WORDS, "feeds for these names only", ())
    exclude: tuple[str, ...] = option(_WORDS, "no feeds for these names", ())
    where: Where | None = option(_WHERE, "which records the group's feeds hold", None)
    newsletter: Newsletter | None = option(_NEWSLETTER, _NEWSLETTER_DOC, None)
    podcast: Podcast | None = option(_PODCAST, _PODCAST_DOC, None)


@dataclass(eq=False, repr=False)
class AllGroup:
    """The feed of everything."""

    enabled: bool = True
    title: str = option(_PATTERN, "its title, with {site}", "")
    description: str = option(_PATTERN, "its description, with {site}", "")
    items: int | None = option(_ITEMS, "the newest N, or all", None)
    where: Where | None = option(_WHERE, "which records it holds", None)
    newsletter: Newsletter | None = option(_NEWSLETTER, _NEWSLETTER_DOC, None)
    podcast: Podcast | None = option(_PODCAST, _PODCAST_DOC, None)


@dataclass(eq=False, repr=False)
class TopicGroup(Group):
    """A feed for each topic."""

    path: str = option(PathPattern("slug"), "where they live", "topics/{slug}")


@dataclass(eq=False, repr=False)
class ProviderGroup(Group):
    """A feed for each provider."""

    path: str = option(PathPattern("slug"), "where they live", "providers/{slug}")


@dataclass(eq=False, repr=False)
class TopicProviderGroup(Group):
    """A feed for each topic of each provider."""

    path: str = option(
        PathPattern("topic", "provider"), "where they live", "topics/{topic}/providers/{provider}"
    )


def _group(cls: type[Any], enabled: bool, doc: str) -> Any:
    """An option that takes true, false or a mapping of what differs from the usual."""
    reader, on, off = _switch(cls)
    return option(reader, doc, on if enabled else off)


@dataclass(eq=False, repr=False)
class Custom:
    """A feed of the user's own making."""

    slug: str = option(Path("a slug like best-of", parts=1), "its place: custom/<slug>/")
    title: str = option(Text(), "its title", "")
    description: str = option(Text(), "its description", "")
    image: str = option(Url(), "its picture", "")
    items: int | None = option(_ITEMS, "the newest N, or all", None)
    where: Where = option(_WHERE, "which records it holds", Where())
    newsletter: Newsletter | None = option(_NEWSLETTER, _NEWSLETTER_DOC, None)
    podcast: Podcast | None = option(_PODCAST, _PODCAST_DOC, None)


@dataclass(eq=False, repr=False)
class Override:
    """What one feed says otherwise than its group."""

    title: str = option(Text(), "its title", "")
    description: str = option(Text(), "its description", "")
    image: str = option(Url(), "its picture", "")
    items: int | None = option(_ITEMS, "the newest N, or all", None)
    newsletter: Newsletter | None = option(_NEWSLETTER, _NEWSLETTER_DOC, None)
    podcast: Podcast | None = option(_PODCAST, _PODCAST_DOC, None)


@dataclass(eq=False, repr=False)
class Feeds:
    """Which feeds there are, and what they hold."""

    formats: tuple[str, ...] = option(ListOf(Choice(FORMATS)), "rss, atom, json", FORMATS)
    items: int | None = option(
        _ITEMS, "the newest N of each feed, or all; default: 20, and all of a podcast", None
    )
    window: timedelta | None = option(
        Duration(), "also whatever is no older than this before the newest item", None
    )
    filenames: Mapping[str, str] = option(
        MapOf(Choice(FORMATS), Path("a file name", parts=1)),
        "the files' names, by format",
        FILENAMES,
    )
    also_at: Mapping[str, str] = option(
        MapOf(Path(), Path()),
        "old address: new address, of a file or a feed's folder",
        EMPTY,
    )
    content: str = option(Choice(("full", "excerpt")), "what items hold of their content", "full")
    ttl: int = option(Number(minimum=1), "minutes that readers may wait before they ask again", 60)
    archives: str = option(
        Choice(("false", "month", "year")),
        "month or year: documents for what is older than the feeds hold (RFC 5005)",
        "false",
    )
    all: AllGroup = _group(AllGroup, True, "the feed of everything")
    topics: TopicGroup = _group(TopicGroup, True, "a feed for each topic")
    providers: ProviderGroup = _group(ProviderGroup, True, "a feed for each provider")
    topic_providers: TopicProviderGroup = _group(
        TopicProviderGroup, False, "a feed for each topic of each provider"
    )
    custom: tuple[Custom, ...] = option(ListOf(Section(Custom)), "feeds of your own", ())
    overrides: Mapping[str, Override] = option(
        MapOf(Path("a feed's path"), Section(Override)),
        "by feed path: what one feed says otherwise",
        EMPTY,
    )


@dataclass(eq=False, repr=False)
class Taxonomy:
    """Folders of files that describe topics and providers."""

    topics: str = option(Text(), "folder of the topics' files", "")
    providers: str = option(Text(), "folder of the providers' files", "")


@dataclass(eq=False, repr=False)
class Images:
    """What becomes of pictures."""

    enclosure: str = option(
        Choice(("first", "largest", "none")), "which picture is the enclosure", "first"
    )
    probe: str = option(
        Choice(("local", "http")),
        "http: ask hosts for what records leave out; local: look at files beside records alone",
        "local",
    )
    budget: timedelta | None = option(
        Duration(), "how long a run may ask hosts", timedelta(minutes=5)
    )
    allow: tuple[str, ...] = option(
        _WORDS, "hosts and networks that may be asked though they are not public", ()
    )
    min_size: int = option(
        Number(minimum=0), "pictures known to be narrower or lower, in pixels, are not chosen", 0
    )
    fallback: tuple[str, ...] = option(
        ListOf(Choice(("provider", "topic", "site"))),
        "whose picture an item has that has none, in this order",
        (),
    )
    mirror: bool = option(
        Boolean(),
        "true: pictures of other hosts are fetched once, made smaller, and served with the feeds",
        False,
    )
    sizes: tuple[int, ...] = option(
        ListOf(Number(minimum=1)),
        "of mirrored pictures: what their longer side has at most, in pixels",
        (1400, 400),
    )


@dataclass(eq=False, repr=False)
class Websub:
    """Hubs that tell subscribers of what is new."""

    hubs: tuple[str, ...] = option(ListOf(Url()), "the hubs' addresses", ())


@dataclass(eq=False, repr=False)
class Ids:
    """What keeps ids from changing."""

    ledger: str = option(Text(), "the file that keeps them; commit it", "ids.jsonl")
    record: str = option(
        Choice(("kept", "all")),
        "kept: only ids that would otherwise change; all: each id at its first publication",
        "kept",
    )


@dataclass(eq=False, repr=False)
class Settings:
    """config.yaml as it is written; `feedpub.config.Config` is what is made of it."""

    site: Site = option(Section(Site), "whose feeds they are")
    records: tuple[SourceSpec, ...] = option(
        ListOf(Section(SourceSpec, short=("path", Text()))), "where the records are"
    )
    taxonomy: Taxonomy = option(
        Section(Taxonomy), "descriptions, parents and pictures of topics and providers", Taxonomy()
    )
    output: str = option(Text(), "the folder that the feeds are written to", "feeds")
    state: str = option(Text(), "what is remembered between runs; safe to delete", ".feedpub")
    ids: Ids = option(Section(Ids), "what keeps ids from changing", Ids())
    fields: Mapping[str, str] = option(
        MapOf(Choice(OUR_KEYS), Text()), "our key: your key (dots go deeper)", EMPTY
    )
    select: Select = option(Section(Select), "which records may be in feeds", Select())
    feeds: Feeds = option(Section(Feeds), "which feeds there are", Feeds())
    images: Images = option(Section(Images), "what becomes of pictures", Images())
    podcast: Podcast | None = option(
        _PODCAST, "makes every feed a podcast; also of a group or one feed (docs/podcasts.md)", None
    )
    websub: Websub = option(Section(Websub), "hubs to name in the feeds", Websub())
    push: Mapping[str, PushTarget] = option(PUSH, PUSH_DOC, EMPTY)
