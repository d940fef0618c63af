"""The settings of a podcast, for Apple Podcasts and Podcasting 2.0.

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
    """The show's contact for Apple and podcast hosts."""

    name: str = option(Text(), "the owner's name")
    email: str = option(Text(r"[^@\s]+@[^@\s]+", "an e-mail address"), "the owner's e-mail address")


@dataclass(eq=False, repr=False)
class Funding:
    """A page where listeners can support the show."""

    url: str = option(Url(), "URL of the page")
    text: str = option(Text(r".{1,128}", "a text of at most 128 characters"), "text of the link")


@dataclass(eq=False, repr=False)
class Person:
    """A person who is heard in the show, or who makes it."""

    name: str = option(Text(r".{1,128}", "a name of at most 128 characters"), "the person's name")
    role: str = option(Text(), "role, such as guest; default: host", "")
    group: str = option(Text(), "group, such as writing; default: cast", "")
    image: str = option(Url(), "URL of a picture", "")
    url: str = option(Url(), "URL of the person's page", "")


@dataclass(eq=False, repr=False)
class License:
    """The license of the show."""

    name: str = option(
        Text(r".{1,128}", "a name of at most 128 characters"), "an SPDX identifier, or a name"
    )
    url: str = option(Url(), "URL of the license text", "")


@dataclass(eq=False, repr=False)
class Location:
    """The place that the show is about, or where it is made."""

    name: str = option(Text(r".{1,128}", "a name of at most 128 characters"), "the place's name")
    rel: str = option(
        Choice(("subject", "creator")),
        "subject: the show is about it; creator: it is made there",
        "",
    )
    geo: str = option(
        Text(r"geo:-?\d[\d.,;=A-Za-z_-]*", "an address like geo:52.52,13.4 (RFC 5870)"),
        "coordinates",
        "",
    )
    osm: str = option(
        Text(r"[NWR]\d+(?:#\d+)?", "an OpenStreetMap id like R62422"), "OpenStreetMap id", ""
    )
    country: str = option(
        Text(r"[A-Za-z]{2}", "a country like DE (ISO 3166-1)"), "country code", ""
    )


@dataclass(eq=False, repr=False)
class Txt:
    """A text for a service, such as a code that verifies ownership."""

    text: str = option(Text(), "the text")
    purpose: str = option(
        Text(r".{1,128}", "a text of at most 128 characters"), "purpose, such as verify", ""
    )


@dataclass(eq=False, repr=False)
class Podcast:
    """The show-level settings of a podcast feed."""

    enabled: bool = True
    category: tuple[tuple[str, str], ...] = option(
        ListOf(Category()), "Apple categories, such as Technology or Arts > Books", ()
    )
    explicit: bool | None = option(Boolean(), "true: not suitable for children", None)
    type: str = option(Choice(("episodic", "serial")), "serial: meant to be heard in order", "")
    author: str = option(Text(), "author; default: site.author, else site.title", "")
    owner: Owner | None = option(
        Section(Owner), "contact; default: site.author, if it has an e-mail address", None
    )
    image: str = option(Url(), "URL of the artwork: square JPEG or PNG of 1400 to 3000 pixels", "")
    block: bool | None = option(Boolean(), "true: Apple Podcasts hides it", None)
    complete: bool | None = option(Boolean(), "true: no more episodes will follow", None)
    new_feed_url: str = option(Url(), "new URL of the feed, after it moved", "")
    guid: str = option(_UUID, "its podcast:guid; set it before the feed's address changes", "")
    locked: bool | None = option(Boolean(), "true: other podcast hosts may not import it", None)
    funding: tuple[Funding, ...] = option(
        ListOf(Section(Funding)), "pages where listeners can support it", ()
    )
    people: tuple[Person, ...] = option(
        ListOf(Section(Person, short=("name", Text()))), "people in the show", ()
    )
    medium: str = option(Choice(MEDIUMS), "kind of content; default: podcast", "")
    license: License | None = option(
        Section(License, short=("name", Text())), "license: a name, or a mapping", None
    )
    location: tuple[Location, ...] = option(
        ListOf(Section(Location, short=("name", Text()))), "places: names, or mappings", ()
    )
    txt: tuple[Txt, ...] = option(
        ListOf(Section(Txt, short=("text", Text()))),
        "texts for services, such as a verification code",
        (),
    )
    prefix: str = option(
        Url(), "prefix for the addresses of media files, such as https://op3.dev/e/", ""
    )

    def over(self, usual: Podcast) -> Podcast:
        """These settings, with those of `usual` for what is not set here."""
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        usually = {name: getattr(usual, name) for name in said}
        return Podcast(
            **{name: usually[name] if said[name] in (None, "", ()) else said[name] for name in said}
        )
