"""The types that the stages of a run hand on.

Plain frozen values: a stage makes them from values of the stage before and
changes none. All datetimes are aware, in UTC, with whole seconds. All texts
are free of characters that XML 1.0 (2.2 Characters) cannot carry.
"""

# No `from __future__ import annotations` here: NamedTuple compiles every annotation that is a
# text, at every start.

import re
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

_URI = "!#$%&'()*+,/:;=?@[]~"  # what an address may hold besides letters and digits
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*:(?://\[[0-9A-Fa-f:.]+\](?=[:/?#]))?"
_IRI = re.compile(_SCHEME + r"(?:[^\s<>\"{}|\\^`%\[\]]|%[0-9A-Fa-f]{2})+")

_WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE)

# The rules that give an id, besides the names of the keys of its addresses:
OWN_ID = "id"  # the record names it
SHORT_ID = "id below site.id"  # it names one that is no address
PATH_ID = "date and path"


def escape_unprintable(text: str) -> str:
    """A text that any terminal and any file takes: what cannot be shown is escaped."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def is_iri(text: str) -> bool:
    """Whether a text is an absolute IRI (RFC 3987), as Atom's ids must be (RFC 4287, 4.2.6)."""
    if text[:4].lower() == "tag:" and not text.isascii():  # RFC 4151, 2.1
        return False
    if text[:4].lower() == "http" and not _WEB.match(text) and re.match("https?:", text, re.I):
        return False  # RFC 9110, 4.2: it has a host
    return bool(_IRI.fullmatch(text)) and text.isprintable() and text.count("#") < 2


def global_id(own: str, site_id: str) -> str:
    """An id as an absolute address that nobody else has (RFC 4287, 4.2.6); in ASCII.

    Not all readers take more. One that is no address is put below the site's own.
    """
    if not is_iri(own):
        return f"{site_id}/{quote(own, safe='~')}"
    return own if own.isascii() else quote(own, safe=_URI)  # RFC 3987, 3.1


class Problem(NamedTuple):
    """One thing that is wrong, and where; the text is made where it is shown.

    A fatal problem means that the record (or the configuration) cannot be
    used; any other was mended, and the record is used without the part named.
    """

    path: str
    line: int  # 1-based; 0 where there is no line to name
    key: str  # dotted, with [n] for the place in a list; "" where there is no key
    what: str
    remedy: str
    fatal: bool = True
    record: str = ""  # which record of a file that has several: list.json#3

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        key = f" {self.key}:" if self.key else ""
        return escape_unprintable(f"{place}:{key} {self.what}; {self.remedy}")


class Person(NamedTuple):
    """An author (RFC 4287, 3.2 Person Constructs; JSON Feed 1.1, authors)."""

    name: str
    email: str = ""
    url: str = ""


class Enclosure(NamedTuple):
    """A media file that goes along with an item.

    `type` is a registered media type or "" where nothing tells it; `length`
    is in bytes, `width` and `height` in pixels, `duration` in seconds, each 0
    where unknown.
    """

    url: str
    type: str = ""
    length: int = 0
    title: str = ""
    width: int = 0
    height: int = 0
    duration: int = 0
    file: str = ""  # one beside the record that is meant, if it is there, as messages name it
    thumbnail: "Enclosure | None" = None  # the same picture, smaller
    credit: str = ""  # whose it is

    @property
    def medium(self) -> str:
        """Media RSS's word for the kind of file: image, audio, video or document."""
        kind = self.type.partition("/")[0]
        return kind if kind in {"image", "audio", "video"} else "document"


class Provider(NamedTuple):
    """Who made what a record tells of; `key` says which providers are one and the same."""

    name: str
    domain: str = ""
    url: str = ""
    image: str = ""


class Related(NamedTuple):
    """A story that belongs to an item's own."""

    title: str
    url: str
    provider: str = ""


class Contributor(NamedTuple):
    """Somebody who is heard in a show or made it (Podcasting 2.0, person)."""

    name: str
    role: str = ""  # "" for the usual: host
    group: str = ""  # "" for the usual: cast
    image: str = ""
    url: str = ""


class Location(NamedTuple):
    """A place that a show is about, or where it is made (Podcasting 2.0, location)."""

    name: str
    rel: str = ""  # subject or creator
    geo: str = ""  # RFC 5870
    osm: str = ""
    country: str = ""


class License(NamedTuple):
    """On what terms a show may be used (Podcasting 2.0, license)."""

    name: str
    url: str = ""


class Funding(NamedTuple):
    """A page where listeners can support a show (Podcasting 2.0, funding)."""

    url: str
    text: str


class Txt(NamedTuple):
    """A text for a service, such as a verification code (Podcasting 2.0, txt)."""

    text: str
    purpose: str = ""


class Transcript(NamedTuple):
    """What is said in an episode, written down (Podcasting 2.0, transcript)."""

    url: str
    type: str
    language: str = ""  # "" for the feed's
    rel: str = ""  # captions, if it has the times


class Episode(NamedTuple):
    """What podcasts alone say of an item: Apple's tags and Podcasting 2.0's."""

    season: int = 0  # 0: none
    season_name: str = ""
    number: str = ""  # decimal, like 3 or 315.5; "" if it has none
    display: str = ""  # to be shown instead of the number
    type: str = ""  # full, trailer or bonus; "" for full
    title: str = ""  # for Apple: without numbers, and without the show's name
    explicit: bool | None = None  # None: as the show
    is_blocked: bool = False  # not to be shown by Apple
    transcripts: tuple[Transcript, ...] = ()
    chapters: str = ""  # the address of a file
    chapters_type: str = ""
    people: tuple[Contributor, ...] = ()
    locations: tuple[Location, ...] = ()
    license: License | None = None


class Podcast(NamedTuple):
    """What a feed that is a podcast says of its show."""

    guid: str  # podcast:guid, a UUID
    author: str
    explicit: bool
    categories: tuple[tuple[str, str], ...] = ()  # Apple's: category, and subcategory or ""
    type: str = ""  # episodic or serial
    owner: Person | None = None
    image: str = ""
    is_blocked: bool = False
    is_complete: bool = False
    new_feed_url: str = ""
    locked: bool | None = None  # None: nothing is said
    funding: tuple[Funding, ...] = ()
    people: tuple[Contributor, ...] = ()
    medium: str = ""
    license: License | None = None
    locations: tuple[Location, ...] = ()
    texts: tuple[Txt, ...] = ()


class RecordHead(NamedTuple):
    """All of a record that selection, placing and the making of feeds may read.

    The store keeps these fields between runs, and no others: the rest of a record is known only
    where its item is made, so reading it anywhere else is a type error. The id is not here,
    because the ledger may change it after the record was selected.
    """

    published: datetime
    updated: datetime
    provider: Provider | None = None
    topics: tuple[str, ...] = ()
    language: str = ""
    type: str = ""
    category: str = ""
    price: str = ""
    quality: float | None = None
    heat: float | None = None
    status: str = ""


class Record(NamedTuple):
    """What one record says, read and checked, but with its content as it came.

    Content is sanitized only for the records that reach a feed; until then
    `body` is raw, and nothing may publish it.
    """

    path: str  # as named to the user; "list.json#3" for the third record of a file
    line: int  # the line where the record begins, 1-based
    order: str  # sorts records by their place: settles what dates and ids leave open
    id: str
    id_from: str  # which rule gave the id: OWN_ID, SHORT_ID, originalUrl, webUrl or PATH_ID
    title: str
    published: datetime
    updated: datetime
    link: str = ""
    external_url: str = ""
    summary: str = ""
    body: str = ""
    body_type: str = ""  # html, document (a whole HTML page), markdown, or "" for: look
    featured: str = ""
    provider: Provider | None = None
    authors: tuple[Person, ...] = ()
    topics: tuple[str, ...] = ()
    images: tuple[Enclosure, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    related: tuple[Related, ...] = ()
    language: str = ""
    type: str = ""
    category: str = ""
    price: str = ""
    quality: float | None = None
    heat: float | None = None
    duration: int = 0
    comments: str = ""  # the address of the page where it is talked about
    amp_url: str = ""
    episode: Episode | None = None  # None: it says nothing that podcasts alone say
    status: str = ""  # "", or why its own file holds it back: unpublished, draft, removed
    derived: str = ""  # the id that those rules give, where the ledger gives it another

    @property
    def head(self) -> RecordHead:
        """What the stages before rendering may read."""
        return RecordHead(
            published=self.published,
            updated=self.updated,
            provider=self.provider,
            topics=self.topics,
            language=self.language,
            type=self.type,
            category=self.category,
            price=self.price,
            quality=self.quality,
            heat=self.heat,
            status=self.status,
        )

    @property
    def sort_key(self) -> tuple[float, str]:
        """Ascending order of this key is newest first; total, since ids are unique."""
        return (-self.published.timestamp(), self.id)


class LedgerLine(NamedTuple):
    """What the ledger says of an item: its id, and by what its record may be known again."""

    id: str
    derived: str = ""  # what its record's own rules give instead, "" if they give `id`
    path: str = ""  # the record, as messages name it; "" if nothing is known of it
    published: int = 0  # seconds since 1970
    content: str = ""  # a hash of its file's bytes, with #n for the nth record of a list

    @property
    def part(self) -> str:
        """#n for a record of a list, "" for one that has a file of its own."""
        _, mark, part = self.path.rpartition("#")
        return mark + part if part.isdigit() else ""


class TermFile(NamedTuple):
    """One topic or provider as its file tells of it."""

    path: str
    name: str
    id: str = ""  # its slug, where the file gives a usable one
    other_names: tuple[str, ...] = ()
    parent: str = ""
    description: str = ""
    domain: str = ""
    url: str = ""
    image: str = ""


class Term(NamedTuple):
    """A topic or a provider as the feeds know it: what it is called and where it lives."""

    key: str  # equal for names that differ in case or surrounding space alone
    name: str
    slug: str


class Placement(NamedTuple):
    """That a record belongs to a feed, and what the feed is called on its account."""

    feed: str  # the feed's path below the output, "" for the feed of everything
    kind: str  # which rule makes the feed: all, topic, provider, topic_provider or custom
    topic: Term | None = None
    provider: Term | None = None


class Category(NamedTuple):
    """A topic as an item names it; `scheme` is the address that topics live below."""

    term: str
    scheme: str = ""
    url: str = ""  # where the topic's own feeds are; "" if it has none


class FeedLink(NamedTuple):
    """One address of a feed, in one format."""

    format: str
    type: str
    url: str
    path: str  # below the output folder


class Source(NamedTuple):
    """The provider of an item, with its feed here where it has one."""

    name: str
    domain: str = ""
    home: str = ""
    feed_id: str = ""
    feeds: tuple[FeedLink, ...] = ()

    def link(self, format_name: str) -> FeedLink | None:
        """The provider's feed in a format, or in the nearest to it."""
        same = [link for link in self.feeds if link.format == format_name]
        return next(iter(same or self.feeds), None)


class Item(NamedTuple):
    """An entry as the formats write it: safe, absolute, the same in every feed that holds it."""

    id: str
    atom_id: str  # the same as Atom wants it: other than `id` for some that the ledger keeps
    title: str
    published: datetime
    updated: datetime
    link: str = ""
    external_url: str = ""
    summary: str = ""
    content_html: str = ""
    content_text: str = ""  # the same in plain text, in paragraphs
    authors: tuple[Person, ...] = ()
    categories: tuple[Category, ...] = ()
    image: Enclosure | None = None
    images: tuple[Enclosure, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    related: tuple[Related, ...] = ()
    source: Source | None = None
    language: str = ""
    type: str = ""
    category: str = ""
    price: str = ""
    quality: float | None = None
    duration: int = 0
    comments: str = ""
    amp_url: str = ""
    episode: Episode | None = None  # None: the feed is no podcast


class Profile(NamedTuple):
    """How the items of a feed differ from those of most feeds."""

    # Query parameters of the addresses of one that is mailed: name, value; None: it is not.
    mail: tuple[tuple[str, str], ...] | None = None
    # What is put before the addresses of what a podcast plays, or ""; None: it is none.
    podcast: str | None = None


class History(NamedTuple):
    """What a document tells of the rest of its feed (RFC 5005)."""

    is_complete: bool = False  # there is no rest
    current: tuple[FeedLink, ...] = ()  # of an archive: the document to subscribe to
    older: tuple[FeedLink, ...] = ()  # the archive before it
    newer: tuple[FeedLink, ...] = ()  # the archive after it

    def link(self, which: str, format_name: str) -> FeedLink | None:
        """The address of `current`, `older` or `newer` in a format, if there is such a one."""
        links: tuple[FeedLink, ...] = getattr(self, which)
        return next((link for link in links if link.format == format_name), None)


class Feed(NamedTuple):
    """A feed as the formats write it. `updated` and `published` are the newest of its items'."""

    path: str
    kind: str  # all, topic, provider, topic_provider or custom
    id: str
    title: str
    description: str
    home: str  # the page that the feed belongs to
    links: tuple[FeedLink, ...]  # the feed in each of its formats
    updated: datetime
    published: datetime
    items: tuple[Item, ...]
    language: str = ""
    author: Person | None = None
    rights: str = ""
    icon: str = ""
    logo: str = ""
    hubs: tuple[str, ...] = ()
    ttl: int = 0  # minutes that readers may wait before they ask again; 0: they are not told
    topic: Term | None = None
    provider: Term | None = None
    parent: str = ""  # path of the parent topic's feed, "" if it has none
    total: int = 0  # how many records belong to the feed, in its window or not
    about: str = ""  # where the extension of JSON Feed is described
    podcast: Podcast | None = None
    history: History | None = None  # None: nothing is said of what the document does not hold

    def link(self, format_name: str) -> FeedLink:
        """The feed's own address in a format."""
        return next(link for link in self.links if link.format == format_name)
