"""The settings of a podcast: what Apple Podcasts and Podcasting 2.0 want to know of a show.

Apple: https://podcasters.apple.com/support/823-podcast-requirements
Podcasting 2.0: https://podcasting2.org/docs/podcast-namespace/1.0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import yaml

from feedpub.config.readers import (
    Boolean,
    Choice,
    Context,
    ListOf,
    Schema,
    Section,
    Text,
    Url,
    nearest,
    option,
)

# https://podcasters.apple.com/support/1691-apple-podcasts-categories
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "Arts": (
        "Books", "Design", "Fashion & Beauty", "Food", "Performing Arts", "Visual Arts",
    ),
    "Business": (
        "Careers", "Entrepreneurship", "Investing", "Management", "Marketing", "Non-Profit",
    ),
    "Comedy": ("Comedy Interviews", "Improv", "Stand-Up"),
    "Education": ("Courses", "How To", "Language Learning", "Self-Improvement"),
    "Fiction": ("Comedy Fiction", "Drama", "Science Fiction"),
    "Government": (),
    "Health & Fitness": (
        "Alternative Health", "Fitness", "Medicine", "Mental Health", "Nutrition", "Sexuality",
    ),
    "History": (),
    "Kids & Family": ("Education for Kids", "Parenting", "Pets & Animals", "Stories for Kids"),
    "Leisure": (
        "Animation & Manga", "Automotive", "Aviation", "Crafts", "Games", "Hobbies",
        "Home & Garden", "Video Games",
    ),
    "Music": ("Music Commentary", "Music History", "Music Interviews"),
    "News": (
        "Business News", "Daily News", "Entertainment News", "News Commentary", "Politics",
        "Sports News", "Tech News",
    ),
    "Religion & Spirituality": (
        "Buddhism", "Christianity", "Hinduism", "Islam", "Judaism", "Religion", "Spirituality",
    ),
    "Science": (
        "Astronomy", "Chemistry", "Earth Sciences", "Life Sciences", "Mathematics",
        "Natural Sciences", "Nature", "Physics", "Social Sciences",
    ),
    "Society & Culture": (
        "Documentary", "Personal Journals", "Philosophy", "Places & Travel", "Relationships",
    ),
    "Sports": (
        "Baseball", "Basketball", "Cricket", "Fantasy Sports", "Football", "Golf", "Hockey",
        "Rugby", "Running", "Soccer", "Swimming", "Tennis", "Volleyball", "Wilderness",
        "Wrestling",
    ),
    "TV & Film": ("After Shows", "Film History", "Film Interviews", "Film Reviews", "TV Reviews"),
    "Technology": (),
    "True Crime": (),
}  # fmt: skip
MEDIUMS = (
    "podcast", "music", "video", "film", "audiobook", "newsletter", "blog", "course",
)  # fmt: skip
_UUID = Text(
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    "a UUID like 917393e3-1b1e-5cef-ace4-edaa54e1f810",
)


class Category:
    """One of Apple's categories, alone or as `Category > Subcategory`."""

    def read(self, node: yaml.Node, key: str, context: Context) -> tuple[str, str]:
        text = Text(meaning="a category like Technology").read(node, key, context)
        above, _, below = (part.strip() for part in text.partition(">"))
        known = {name.casefold(): name for name in CATEGORIES}
        category = known.get(above.casefold())
        if category is None:
            owner = [name for name, parts in CATEGORIES.items() if above in parts]
            remedy = f"write {owner[0]} > {above}" if owner else nearest(above, list(CATEGORIES))
            raise context.fail(
                node, key, f"{above[:60]!r} is not one of Apple's categories", remedy
            )
        if not below:
            return category, ""
        parts = CATEGORIES[category]
        found = next((part for part in parts if part.casefold() == below.casefold()), "")
        if not found:
            what = f"{below[:60]!r} is not a subcategory of {category}"
            remedy = nearest(below, list(parts)) if parts else f"write {category} alone"
            raise context.fail(node, key, what, remedy)
        return category, found

    def schema(self) -> Schema:
        words = list(CATEGORIES)
        words += [f"{name} > {part}" for name, parts in CATEGORIES.items() for part in parts]
        return {"enum": sorted(words)}


@dataclass(eq=False, repr=False)
class Owner:
    """Whom Apple and hosts may write to about the show."""

    name: str = option(Text(), "the owner's name")
    email: str = option(Text(r"[^@\s]+@[^@\s]+", "an e-mail address"), "the owner's address")


@dataclass(eq=False, repr=False)
class Funding:
    """A page where listeners can support the show."""

    url: str = option(Url(), "the page's address")
    text: str = option(Text(r".{1,128}", "a text of at most 128 characters"), "what it is called")


@dataclass(eq=False, repr=False)
class Person:
    """Somebody who can be heard in the show, or made it."""

    name: str = option(Text(r".{1,128}", "a name of at most 128 characters"), "the name")
    role: str = option(Text(), "like guest; default: host", "")
    group: str = option(Text(), "like writing; default: cast", "")
    image: str = option(Url(), "address of a picture", "")
    url: str = option(Url(), "the person's page", "")


@dataclass(eq=False, repr=False)
class License:
    """On what terms the show may be used."""

    name: str = option(
        Text(r".{1,128}", "a name of at most 128 characters"), "an SPDX identifier, or a name"
    )
    url: str = option(Url(), "where its text is", "")


@dataclass(eq=False, repr=False)
class Location:
    """What place the show is about, or where it is made."""

    name: str = option(Text(r".{1,128}", "a name of at most 128 characters"), "the place's name")
    rel: str = option(Choice(("subject", "creator")), "subject: about it; creator: made there", "")
    geo: str = option(
        Text(r"geo:-?\d[\d.,;=A-Za-z_-]*", "an address like geo:52.52,13.4 (RFC 5870)"),
        "where it is",
        "",
    )
    osm: str = option(
        Text(r"[NWR]\d+(?:#\d+)?", "an OpenStreetMap id like R62422"), "its OpenStreetMap id", ""
    )
    country: str = option(Text(r"[A-Za-z]{2}", "a country like DE (ISO 3166-1)"), "its country", "")


@dataclass(eq=False, repr=False)
class Txt:
    """A text for a service, which says what it is to be."""

    text: str = option(Text(), "the text")
    purpose: str = option(
        Text(r".{1,128}", "a text of at most 128 characters"), "whose it is, like verify", ""
    )


@dataclass(eq=False, repr=False)
class Podcast:
    """What a feed that is a podcast says of its show."""

    enabled: bool = True
    category: tuple[tuple[str, str], ...] = option(
        ListOf(Category()), "Apple's categories, like Technology or Arts > Books", ()
    )
    explicit: bool | None = option(Boolean(), "whether it is not fit for children", None)
    type: str = option(Choice(("episodic", "serial")), "serial: to be heard from the first on", "")
    author: str = option(Text(), "who makes it; default: the feed's author", "")
    owner: Owner | None = option(
        Section(Owner), "who may be written to; default: site.author, if it has an e-mail", None
    )
    image: str = option(Url(), "its artwork, JPEG or PNG of 1400 to 3000 pixels, square", "")
    block: bool | None = option(Boolean(), "true: Apple does not show it", None)
    complete: bool | None = option(Boolean(), "true: there will be no more episodes", None)
    new_feed_url: str = option(Url(), "where the feed has moved to", "")
    guid: str = option(_UUID, "its podcast:guid; pin it before the feed's address changes", "")
    locked: bool | None = option(Boolean(), "true: other hosts may not import it", None)
    funding: tuple[Funding, ...] = option(ListOf(Section(Funding)), "where to support it", ())
    people: tuple[Person, ...] = option(
        ListOf(Section(Person, short=("name", Text()))), "who is heard in it", ()
    )
    medium: str = option(Choice(MEDIUMS), "what it is; default: podcast", "")
    license: License | None = option(
        Section(License, short=("name", Text())), "on what terms it may be used", None
    )
    location: tuple[Location, ...] = option(
        ListOf(Section(Location, short=("name", Text()))), "what place it is about", ()
    )
    txt: tuple[Txt, ...] = option(
        ListOf(Section(Txt, short=("text", Text()))), "texts for services, like verify", ()
    )
    prefix: str = option(
        Url(), "put before the addresses of what is played, like https://op3.dev/e/", ""
    )

    def over(self, usual: Podcast) -> Podcast:
        """These settings, and the usual ones where these say nothing."""
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        usually = {name: getattr(usual, name) for name in said}
        return Podcast(
            **{name: usually[name] if said[name] in (None, "", ()) else said[name] for name in said}
        )
