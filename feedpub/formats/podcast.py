"""The tags of Apple and of Podcasting 2.0 in RSS channels and items.

Apple: https://podcasters.apple.com/support/823-podcast-requirements
Podcasting 2.0: https://podcasting2.org/docs/podcast-namespace/1.0

The podcast extension of feedgen writes most tags of Apple. It accepts images by the extension
of their URL only, and writes `explicit` as yes, no or clean, where Apple requires true or
false. These and the tags of Podcasting 2.0 are written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml import etree

from feedpub.model import Contributor, Enclosure, Episode, Item, License, Location, Podcast

ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST = "https://podcastindex.org/namespace/1.0"
# Registered type → the type that Apple requires.
_APPLE_TYPES = {"audio/mp4": "audio/x-m4a"}
_ARTWORK_TYPES = frozenset({"image/jpeg", "image/png"})
_ARTWORK_PIXELS = range(1400, 3001)


def apple_type(registered: str) -> str:
    """The media type as Apple requires it."""
    return _APPLE_TYPES.get(registered, registered)


def set_show(document: FeedGenerator, podcast: Podcast) -> None:
    """Sets the tags of a show that feedgen writes."""
    document.load_extension("podcast", atom=False, rss=True)
    show = document.podcast
    show.itunes_author(podcast.author)
    show.itunes_category([{"cat": above, "sub": below} for above, below in podcast.categories])
    if podcast.owner:
        show.itunes_owner(podcast.owner.name, podcast.owner.email)
    if podcast.type:
        show.itunes_type(podcast.type)
    if podcast.new_feed_url:
        show.itunes_new_feed_url(podcast.new_feed_url)


def add_show(channel: Any, podcast: Podcast) -> None:
    """Adds the other tags of a show to its channel."""
    _itunes(channel, "explicit", _boolean(podcast.explicit))
    if podcast.image:
        etree.SubElement(channel, f"{{{ITUNES}}}image", {"href": podcast.image})
    if podcast.is_blocked:
        _itunes(channel, "block", "Yes")
    if podcast.is_complete:
        _itunes(channel, "complete", "Yes")
    _add(channel, "guid", podcast.guid)
    if podcast.locked is not None:
        owner = podcast.owner.email if podcast.owner else ""
        _add(channel, "locked", "yes" if podcast.locked else "no", owner=owner)
    if podcast.medium:
        _add(channel, "medium", podcast.medium)
    for url, text in podcast.funding:
        _add(channel, "funding", text, url=url)
    _add_common(channel, podcast.people, podcast.locations, podcast.license)
    for text, purpose in podcast.texts:
        _add(channel, "txt", text, purpose=purpose)


def set_episode(entry: FeedEntry, item: Item, episode: Episode) -> None:
    """Sets the tags of an episode that feedgen writes."""
    entry.load_extension("podcast", atom=False, rss=True)
    extension = entry.podcast
    if duration := _duration(item):
        extension.itunes_duration(duration)
    if episode.season:
        extension.itunes_season(episode.season)
    if episode.number.isdigit() and int(episode.number):  # Apple accepts whole numbers only
        extension.itunes_episode(int(episode.number))
    if episode.type:
        extension.itunes_episode_type(episode.type)
    if episode.title:
        extension.itunes_title(episode.title)


def add_episode(entry: Any, item: Item, episode: Episode) -> None:
    """Adds the other tags of an episode to its item."""
    if episode.explicit is not None:
        _itunes(entry, "explicit", _boolean(episode.explicit))
    if item.image and may_be_artwork(item.image):
        etree.SubElement(entry, f"{{{ITUNES}}}image", {"href": item.image.url})
    if episode.is_blocked:
        _itunes(entry, "block", "Yes")
    if episode.season:
        _add(entry, "season", str(episode.season), name=episode.season_name)
    if episode.number:
        _add(entry, "episode", episode.number, display=episode.display)
    for transcript in episode.transcripts:
        _add(
            entry,
            "transcript",
            url=transcript.url,
            type=transcript.type,
            language=transcript.language,
            rel=transcript.rel,
        )
    if episode.chapters:
        _add(entry, "chapters", url=episode.chapters, type=episode.chapters_type)
    _add_common(entry, episode.people, episode.locations, episode.license)


def may_be_artwork(picture: Enclosure) -> bool:
    """Whether Apple may accept an image: JPEG or PNG, square, 1400 to 3000 pixels, as far as known.

    Other images are omitted; Apple then shows that of the show.
    """
    if picture.type not in _ARTWORK_TYPES:
        return False
    if not (picture.width and picture.height):
        return True
    return picture.width == picture.height and picture.width in _ARTWORK_PIXELS


def _add_common(
    parent: Any,
    people: Sequence[Contributor],
    locations: Sequence[Location],
    license: License | None,
) -> None:
    for person in people:
        _add(
            parent,
            "person",
            person.name,
            role=person.role,
            group=person.group,
            img=person.image,
            href=person.url,
        )
    for place in locations:
        _add(
            parent,
            "location",
            place.name,
            rel=place.rel,
            geo=place.geo,
            osm=place.osm,
            country=place.country,
        )
    if license:
        _add(parent, "license", license.name, url=license.url)


def _duration(item: Item) -> int:
    """The duration in seconds, of the first media file, otherwise of the item."""
    first = item.enclosures[0].duration if item.enclosures else 0
    return first or item.duration


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _itunes(parent: Any, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{ITUNES}}}{name}").text = text


def _add(parent: Any, tag: str, text: str = "", /, **attributes: str) -> None:
    """Adds an element of Podcasting 2.0, without empty attributes."""
    known = {key: value for key, value in attributes.items() if value}
    element = etree.SubElement(parent, f"{{{PODCAST}}}{tag}", known)
    if text:
        element.text = text
