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
from feedpub.model import Contributor, Funding, License, Location, Person, Txt

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


class AppleCategory:
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


_SHORT = Text(r".{1,128}", "a text of at most 128 characters")
_NAME = Text(r".{1,128}", "a name of at most 128 characters")
_OWNER = Section(
    Person,
    keys={
        "name": option(Text(), "the owner's name"),
        "email": option(
            Text(r"[^@\s]+@[^@\s]+", "an e-mail address"), "the owner's e-mail address"
        ),
    },
)
_FUNDING = Section(
    Funding,
    keys={
        "url": option(Url(), "URL of the page"),
        "text": option(_SHORT, "text of the link"),
    },
)
_CONTRIBUTOR = Section(
    Contributor,
    short=("name", Text()),
    keys={
        "name": option(_NAME, "the person's name"),
        "role": option(Text(), "role, such as guest; default: host", ""),
        "group": option(Text(), "group, such as writing; default: cast", ""),
        "image": option(Url(), "URL of a picture", ""),
        "url": option(Url(), "URL of the person's page", ""),
    },
)
_LICENSE = Section(
    License,
    short=("name", Text()),
    keys={
        "name": option(_NAME, "an SPDX identifier, or a name"),
        "url": option(Url(), "URL of the license text", ""),
    },
)
_LOCATION = Section(
    Location,
    short=("name", Text()),
    keys={
        "name": option(_NAME, "the place's name"),
        "rel": option(
            Choice(("subject", "creator")),
            "subject: the show is about it; creator: it is made there",
            "",
        ),
        "geo": option(
            Text(r"geo:-?\d[\d.,;=A-Za-z_-]*", "an address like geo:52.52,13.4 (RFC 5870)"),
            "coordinates",
            "",
        ),
        "osm": option(
            Text(r"[NWR]\d+(?:#\d+)?", "an OpenStreetMap id like R62422"), "OpenStreetMap id", ""
        ),
        "country": option(
            Text(r"[A-Za-z]{2}", "a country like DE (ISO 3166-1)"), "country code", ""
        ),
    },
)
_TXT = Section(
    Txt,
    short=("text", Text()),
    keys={
        "text": option(Text(), "the text"),
        "purpose": option(_SHORT, "purpose, such as verify", ""),
    },
)


@dataclass(eq=False, repr=False)
class PodcastSettings:
    """The show-level settings of a podcast feed."""

    enabled: bool = True
    category: tuple[tuple[str, str], ...] = option(
        ListOf(AppleCategory()), "Apple categories, such as Technology or Arts > Books", ()
    )
    explicit: bool | None = option(Boolean(), "true: not suitable for children", None)
    type: str = option(Choice(("episodic", "serial")), "serial: meant to be heard in order", "")
    author: str = option(Text(), "author; default: site.author, else site.title", "")
    owner: Person | None = option(
        _OWNER, "contact; default: site.author, if it has an e-mail address", None
    )
    image: str = option(Url(), "URL of the artwork: square JPEG or PNG of 1400 to 3000 pixels", "")
    block: bool | None = option(Boolean(), "true: Apple Podcasts hides it", None)
    complete: bool | None = option(Boolean(), "true: no more episodes will follow", None)
    new_feed_url: str = option(Url(), "new URL of the feed, after it moved", "")
    guid: str = option(_UUID, "its podcast:guid; set it before the feed's address changes", "")
    locked: bool | None = option(Boolean(), "true: other podcast hosts may not import it", None)
    funding: tuple[Funding, ...] = option(
        ListOf(_FUNDING), "pages where listeners can support it", ()
    )
    people: tuple[Contributor, ...] = option(ListOf(_CONTRIBUTOR), "people in the show", ())
    medium: str = option(Choice(MEDIUMS), "kind of content; default: podcast", "")
    license: License | None = option(_LICENSE, "license: a name, or a mapping", None)
    location: tuple[Location, ...] = option(ListOf(_LOCATION), "places: names, or mappings", ())
    txt: tuple[Txt, ...] = option(
        ListOf(_TXT),
        "texts for services, such as a verification code",
        (),
    )
    prefix: str = option(
        Url(), "prefix for the addresses of media files, such as https://op3.dev/e/", ""
    )

    def over(self, usual: PodcastSettings) -> PodcastSettings:
        """These settings, with those of `usual` for what is not set here."""
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        usually = {name: getattr(usual, name) for name in said}
        return PodcastSettings(
            **{name: usually[name] if said[name] in (None, "", ()) else said[name] for name in said}
        )
