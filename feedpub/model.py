"""The values that one stage of a run passes to the next.

They are immutable. All datetimes are aware, in UTC, with whole seconds. All strings are
free of characters that XML 1.0 does not allow (section 2.2, Characters).
"""

# No `from __future__ import annotations` here: NamedTuple compiles every annotation that is a
# string, and that would slow down every start.

import re
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

_URI = "!#$%&'()*+,/:;=?@[]~"  # allowed in a URI besides letters and digits
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*:(?://\[[0-9A-Fa-f:.]+\](?=[:/?#]))?"
_IRI = re.compile(_SCHEME + r"(?:[^\s<>\"{}|\\^`%\[\]]|%[0-9A-Fa-f]{2})+")

_WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE)

# The values of `Record.id_from`, besides the names of keys that hold addresses:
OWN_ID = "id"  # the record has an `id` that is an IRI
SHORT_ID = "id below site.id"  # the record has an `id` that is not an IRI
PATH_ID = "date and path"


def escape_unprintable(text: str) -> str:
    """The text with unprintable characters escaped, safe for any terminal and log file."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def is_iri(text: str) -> bool:
    """Whether a text is an absolute IRI (RFC 3987), as Atom requires of ids (RFC 4287, 4.2.6)."""
    if text[:4].lower() == "tag:" and not text.isascii():  # RFC 4151, 2.1
        return False
    if text[:4].lower() == "http" and not _WEB.match(text) and re.match("https?:", text, re.I):
        return False  # RFC 9110, 4.2: a host is required
    return bool(_IRI.fullmatch(text)) and text.isprintable() and text.count("#") < 2


def global_id(own: str, site_id: str) -> str:
    """A globally unique id (RFC 4287, 4.2.6), in ASCII because some readers accept nothing else.

    An id that is not an IRI is appended to the id of the site.
    """
    if not is_iri(own):
        return f"{site_id}/{quote(own, safe='~')}"
    return own if own.isascii() else quote(own, safe=_URI)  # RFC 3987, 3.1


class Problem(NamedTuple):
    """One mistake in a record or in the configuration, and its location.

    If it is fatal, the record (or the configuration) cannot be used. Otherwise the record is
    used without the part that is wrong.
    """

    path: str
    line: int  # 1-based; 0 if unknown
    key: str  # dotted path such as images[0].url; "" if it concerns no key
    what: str
    remedy: str
    fatal: bool = True
    record: str = ""  # the record, in a file of several: list.json#3

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
    """A media file that belongs to an item.

    `type` is a registered media type, "" if unknown. `length` is in bytes, `width` and
    `height` in pixels, `duration` in seconds; each is 0 if unknown.
    """

    url: str
    type: str = ""
    length: int = 0
    title: str = ""
    width: int = 0
    height: int = 0
    duration: int = 0
    file: str = ""  # path of a local file next to the record that may be it, as in messages
    thumbnail: "Enclosure | None" = None  # a smaller version of a picture
    credit: str = ""  # the copyright owner or creator

    @property
    def medium(self) -> str:
        """The medium as Media RSS names it: image, audio, video or document."""
        kind = self.type.partition("/")[0]
        return kind if kind in {"image", "audio", "video"} else "document"


class Provider(NamedTuple):
    """The publisher of what a record describes."""

    name: str
    domain: str = ""
    url: str = ""
    image: str = ""


class Related(NamedTuple):
    """A related article of an item."""

    title: str
    url: str
    provider: str = ""


class Contributor(NamedTuple):
    """A person who is heard in a show, or who makes it (Podcasting 2.0, person)."""

    name: str
    role: str = ""  # "" means host
    group: str = ""  # "" means cast
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
    """The license of a show or an episode (Podcasting 2.0, license)."""

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
    """A transcript of an episode (Podcasting 2.0, transcript)."""

    url: str
    type: str
    language: str = ""  # "" means the language of the feed
    rel: str = ""  # captions, if it has timestamps


class Episode(NamedTuple):
    """The podcast metadata of an item: the tags of Apple and of Podcasting 2.0."""

    season: int = 0  # 0 if it has none
    season_name: str = ""
    number: str = ""  # a decimal number such as 3 or 315.5, "" if it has none
    display: str = ""  # shown instead of the number
    type: str = ""  # full, trailer or bonus; "" means full
    title: str = ""  # for Apple: without numbers or the name of the show
    explicit: bool | None = None  # None: as the show is
    is_blocked: bool = False  # hidden by Apple
    transcripts: tuple[Transcript, ...] = ()
    chapters: str = ""  # URL of a chapters file
    chapters_type: str = ""
    people: tuple[Contributor, ...] = ()
    locations: tuple[Location, ...] = ()
    license: License | None = None


class Podcast(NamedTuple):
    """The podcast metadata of a feed."""

    guid: str  # podcast:guid, a UUID
    author: str
    explicit: bool
    categories: tuple[tuple[str, str], ...] = ()  # of Apple: (category, subcategory or "")
    type: str = ""  # episodic or serial
    owner: Person | None = None
    image: str = ""
    is_blocked: bool = False
    is_complete: bool = False
    new_feed_url: str = ""
    locked: bool | None = None  # None: the feed does not say
    funding: tuple[Funding, ...] = ()
    people: tuple[Contributor, ...] = ()
    medium: str = ""
    license: License | None = None
    locations: tuple[Location, ...] = ()
    texts: tuple[Txt, ...] = ()


class RecordHead(NamedTuple):
    """The part of a record that selecting, placing and assembling feeds may read.

    The store keeps these fields between runs and no others. The whole record is available only
    where its item is made, so reading another field elsewhere is a type error. The id is not
    included, because the ledger may replace it after the record was selected.
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
    """One record, parsed and validated, except for its content.

    `body` and `featured` are raw. They are sanitized only for records that are in a feed,
    and must not be published before.
    """

    path: str  # as shown to the user; "list.json#3" is the third record of a file
    line: int  # first line of the record, 1-based
    order: str  # sorts records by path and number; breaks ties of dates and ids
    id: str
    id_from: str  # the rule that gave the id: OWN_ID, SHORT_ID, originalUrl, webUrl or PATH_ID
    title: str
    published: datetime
    updated: datetime
    link: str = ""
    external_url: str = ""
    summary: str = ""
    body: str = ""
    body_type: str = ""  # html, document (a whole HTML page), markdown; "": detect it
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
    comments: str = ""  # URL of the page with comments
    amp_url: str = ""
    episode: Episode | None = None  # None if it has no podcast metadata
    status: str = ""  # "" if it may be published, else unpublished, draft or removed
    derived: str = ""  # the id by the rules, if the ledger keeps another one

    @property
    def head(self) -> RecordHead:
        """The part that stages before rendering may read."""
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
        """Sorts newest first. The order is total, because ids are unique."""
        return (-self.published.timestamp(), self.id)


class LedgerLine(NamedTuple):
    """An entry of the ledger: the id of an item, and what identifies its record."""

    id: str
    derived: str = ""  # the id that the rules give for its record, "" if that is `id`
    path: str = ""  # path of the record, as in messages; "" if unknown
    published: int = 0  # seconds since 1970
    content: str = ""  # hash of the file, with #n for the nth record of a list

    @property
    def part(self) -> str:
        """#n for the nth record of a list, "" for a record with its own file."""
        _, mark, part = self.path.rpartition("#")
        return mark + part if part.isdigit() else ""


class TermFile(NamedTuple):
    """The taxonomy file of a topic or a provider."""

    path: str
    name: str
    id: str = ""  # its slug, "" if the file gives no valid one
    other_names: tuple[str, ...] = ()
    parent: str = ""
    description: str = ""
    domain: str = ""
    url: str = ""
    image: str = ""


class Term(NamedTuple):
    """A topic or a provider: its name, and the slug for its feeds."""

    key: str  # equal for names that differ only in case or surrounding space
    name: str
    slug: str


class Placement(NamedTuple):
    """A feed that a record belongs to."""

    feed: str  # path below the output folder, "" for the feed of all records
    kind: str  # all, topic, provider, topic_provider or custom
    topic: Term | None = None
    provider: Term | None = None


class Category(NamedTuple):
    """A topic of an item (RFC 4287, 4.2.2)."""

    term: str
    scheme: str = ""  # the URL prefix of all topics
    url: str = ""  # URL of the feeds of the topic, "" if it has none


class FeedLink(NamedTuple):
    """The URL of a feed in one format."""

    format: str
    type: str
    url: str
    path: str  # relative to the output folder


class Source(NamedTuple):
    """The provider of an item, and its feed if it has one (RFC 4287, 4.2.11)."""

    name: str
    domain: str = ""
    home: str = ""
    feed_id: str = ""
    feeds: tuple[FeedLink, ...] = ()

    def link(self, format_name: str) -> FeedLink | None:
        """The feed of the provider in this format, or in another if there is none in this."""
        same = [link for link in self.feeds if link.format == format_name]
        return next(iter(same or self.feeds), None)


class Item(NamedTuple):
    """An entry as formats write it: HTML sanitized, URLs absolute, the same in all feeds."""

    id: str
    atom_id: str  # a valid atom:id; differs from `id` for some ids that the ledger keeps
    title: str
    published: datetime
    updated: datetime
    link: str = ""
    external_url: str = ""
    summary: str = ""
    content_html: str = ""
    content_text: str = ""  # the content as plain text, in paragraphs
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
    episode: Episode | None = None  # None if the feed is not a podcast


class Profile(NamedTuple):
    """How the items of a feed are adapted, for e-mail or as a podcast."""

    # Query parameters (name, value) for links, in a feed for e-mail; None: it is not for e-mail.
    mail: tuple[tuple[str, str], ...] | None = None
    # Prefix for the URLs of media files in a podcast, or ""; None: it is not a podcast.
    podcast: str | None = None


class History(NamedTuple):
    """The links of a document to the rest of its feed (RFC 5005)."""

    is_complete: bool = False  # the document holds all items
    current: tuple[FeedLink, ...] = ()  # in an archive: the subscription document
    older: tuple[FeedLink, ...] = ()  # the previous archive
    newer: tuple[FeedLink, ...] = ()  # the next archive

    def link(self, which: str, format_name: str) -> FeedLink | None:
        """The link to `current`, `older` or `newer` in a format, None if there is none."""
        links: tuple[FeedLink, ...] = getattr(self, which)
        return next((link for link in links if link.format == format_name), None)


class Feed(NamedTuple):
    """A feed as formats write it. `updated` and `published` are the newest of its items."""

    path: str
    kind: str  # all, topic, provider, topic_provider or custom
    id: str
    title: str
    description: str
    home: str  # URL of the web page that the feed belongs to
    links: tuple[FeedLink, ...]  # one for each of its formats
    updated: datetime
    published: datetime
    items: tuple[Item, ...]
    language: str = ""
    author: Person | None = None
    rights: str = ""
    icon: str = ""
    logo: str = ""
    hubs: tuple[str, ...] = ()
    ttl: int = 0  # minutes that readers may cache the feed; 0: not stated
    topic: Term | None = None
    provider: Term | None = None
    parent: str = ""  # path of the feed of the parent topic, "" if it has none
    total: int = 0  # number of records in the feed, inside its window or not
    about: str = ""  # URL of the documentation of the JSON Feed extension
    podcast: Podcast | None = None
    history: History | None = None  # None: the document has no links to archives

    def link(self, format_name: str) -> FeedLink:
        """The self link of the feed in a format."""
        return next(link for link in self.links if link.format == format_name)
