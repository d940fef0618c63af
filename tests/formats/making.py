"""Items and feeds of nasty texts, as the stages before the formats could hand them on."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from feedpub.formats import MEDIA_TYPES
from feedpub.model import (
    Category,
    Contributor,
    Enclosure,
    Episode,
    Feed,
    FeedLink,
    Funding,
    History,
    Item,
    License,
    Location,
    Person,
    Podcast,
    Related,
    Source,
    Term,
    Transcript,
    Txt,
)
from feedpub.records.text import plain_text, strip_unprintable

FILES = {"rss": "rss.xml", "atom": "atom.xml", "json": "feed.json"}
NASTY = (
    "]]>",
    "<![CDATA[ x ]]>",
    "&lt;",
    "&amp;amp;",
    "a < b > c & d",
    "<b>bold</b>",
    "<item>",
    "</item><item>",
    "<entry",
    "</channel></rss>",
    "\"quoted\" and 'quoted'",
    "😀👩‍👩‍👧 日本 𝒳",
    "\u202eright to left\u202c שלום مرحبا",
    "<!-- -- -->",
    "<?xml version='1.0'?>",
    "\\u0041 \\n %41 {name}",
    "é vs é",
    "x" * 2000,
)

# What the model promises: no character that XML cannot carry; texts on one line.
texts = (st.sampled_from(NASTY) | st.text(max_size=20)).map(plain_text)
said = texts.filter(bool)
markup = st.lists(
    st.sampled_from(NASTY)
    | st.text(max_size=10).map(strip_unprintable)
    | st.just("<p>a</p>\n\n<pre>\n x"),
    max_size=4,
).map(lambda parts: strip_unprintable("\n".join(parts)).replace("\r", ""))
moments = st.datetimes(
    datetime(1900, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)
).map(lambda moment: moment.replace(microsecond=0))  # fmt: skip
# feedparser takes the semicolon of an `&…;` in an address for that of an entity.
urls = (
    st.text(string.ascii_letters + string.digits + "-._~/?&=;'()%", max_size=12)
    .filter(lambda path: not re.search(r"&.*;", path))
    .map(lambda path: f"https://example.org/{path.replace('%', '%25')}")
)
emails = st.sampled_from(["", "a@example.org", "a+b&c@example.org"])
people = st.builds(Person, said, emails, st.just("") | urls)
nasty = st.sampled_from([plain_text(text) for text in NASTY])
enclosures = st.builds(
    Enclosure,
    urls,
    st.sampled_from(["audio/mpeg", "video/mp4", "image/jpeg", "application/pdf"]),
    st.integers(0, 10**12),
    texts,
    st.integers(0, 9999),
    st.integers(0, 9999),
    st.integers(0, 10**5),
    file=st.just(""),
    thumbnail=st.none(),
    credit=nasty,
)
categories = st.builds(Category, said, st.just("https://feeds.example.org/topics/"), urls)
related = st.builds(Related, said, urls, texts)
few = {"max_size": 2}


def links(path: str = "") -> tuple[FeedLink, ...]:
    """A feed's address in every format."""
    prefix = f"{path}/" if path else ""
    return tuple(
        FeedLink(name, media_type, f"https://feeds.example.org/{prefix}{FILES[name]}", prefix)
        for name, media_type in MEDIA_TYPES.items()
    )


sources = st.builds(
    Source, said, texts, urls, st.just("tag:example.org,2026:feeds/p"), st.just(links("p"))
)
items = st.builds(
    Item,
    id=said,
    atom_id=urls,
    title=said,
    published=moments,
    updated=moments,
    link=st.just("") | urls,
    external_url=st.just("") | urls,
    summary=texts,
    content_html=markup,
    content_text=texts,
    authors=st.lists(people, **few).map(tuple),
    categories=st.lists(categories, **few).map(tuple),
    image=st.none() | enclosures,
    images=st.lists(enclosures, **few).map(tuple),
    enclosures=st.lists(enclosures, **few).map(tuple),
    related=st.lists(related, **few).map(tuple),
    source=st.none() | sources,
    language=st.sampled_from(["", "de", "pt-BR"]),
    type=texts,
    quality=st.none() | st.integers(0, 100) | st.just(7.5),
    duration=st.integers(0, 10**5),
    comments=st.just("") | urls,
    amp_url=st.just("") | urls,
    episode=st.none(),
)
histories = st.builds(
    History,
    st.booleans(),
    *(st.just(()) | st.just(links(path)) for path in ("topics/x", "x/archive/1", "x/archive/2")),
)
URL = "https://example.org/?a=1&b='2'"
people_heard = st.sampled_from([(), (Contributor("J & J"), Contributor("A", "<b>", "x", "", URL))])
places = st.sampled_from([(), (Location("Ö & <b>", "creator", "geo:1,2", "R1", "DE"),)])
licenses = st.none() | st.just(License("A & <b>", URL))
episodes = st.builds(
    Episode,
    season=st.integers(0, 99),
    season_name=nasty,
    number=st.sampled_from(["", "0", "3", "315.5"]),
    display=nasty,
    type=st.sampled_from(["", "full", "trailer", "bonus"]),
    title=nasty,
    explicit=st.none() | st.booleans(),
    is_blocked=st.booleans(),
    transcripts=st.sampled_from([(), (Transcript(URL, "text/vtt", "de", "captions"),)]),
    chapters=st.sampled_from(["", URL]),
    chapters_type=st.just("application/json+chapters"),
    people=people_heard,
    locations=places,
    license=licenses,
)
shows = st.builds(
    Podcast,
    guid=st.uuids().map(str),
    author=nasty,
    explicit=st.booleans(),
    categories=st.lists(
        st.sampled_from([("Arts", "Books"), ("Arts", ""), ("Kids & Family", "Parenting")]), **few
    ).map(tuple),
    type=st.sampled_from(["", "episodic", "serial"]),
    owner=st.none() | st.just(Person("A & B", "a@example.org")),
    image=st.sampled_from(["", URL]),
    is_blocked=st.booleans(),
    is_complete=st.booleans(),
    new_feed_url=st.sampled_from(["", URL]),
    locked=st.none() | st.booleans(),
    funding=st.sampled_from([(), (Funding(URL, "A & <b>"), Funding(URL, "B"))]),
    people=people_heard,
    medium=st.sampled_from(["", "music"]),
    license=licenses,
    locations=places,
    texts=st.sampled_from([(), (Txt("A & <b>"), Txt("x", "verify"))]),
)
articles = st.builds(
    Feed,
    path=st.just("topics/x"),
    kind=st.just("topic"),
    id=urls,
    title=said,
    description=said,
    home=urls,
    links=st.just(links("topics/x")),
    updated=moments,
    published=moments,
    items=st.lists(items, min_size=1, max_size=4).map(tuple),
    language=st.sampled_from(["en", "de", "zh-Hant"]),
    author=people,
    rights=texts,
    icon=st.just("") | urls,
    logo=st.just("") | urls,
    hubs=st.lists(urls, **few).map(tuple),
    ttl=st.integers(0, 999),
    topic=st.none() | st.builds(Term, said, said, st.just("x")),
    history=st.none() | histories,
    total=st.integers(0, 99),
    podcast=st.none(),
)


@st.composite
def podcasts(draw: st.DrawFn) -> Feed:
    """A feed that is a podcast: each of its items is an episode."""
    of = draw(articles)
    made = draw(episodes)
    held = tuple(one._replace(episode=made) for one in of.items)
    return of._replace(items=held, podcast=draw(shows))


feeds = articles | podcasts()


def item(**fields: Any) -> Item:
    """An item with what it must have, and these fields."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    base: dict[str, Any] = {
        "id": "https://example.org/a",
        "atom_id": "https://example.org/a",
        "title": "A title",
        "published": moment,
        "updated": moment,
        "link": "https://example.org/a",
    }
    return Item(**base | fields)


def feed(*held: Item, **fields: Any) -> Feed:
    """A feed of these items."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    base: dict[str, Any] = {
        "path": "",
        "kind": "all",
        "id": "tag:example.org,2026:feeds",
        "title": "A site",
        "description": "About it",
        "home": "https://example.org/",
        "links": links(),
        "updated": moment,
        "published": moment,
        "items": held,
        "language": "en",
        "author": Person("Jane", "jane@example.org", "https://example.org/jane"),
        "ttl": 30,
        "total": len(held),
    }
    return Feed(**base | fields)
