"""Apple's tags and Podcasting 2.0's, for the channel and the items of RSS.

Apple: https://podcasters.apple.com/support/823-podcast-requirements
Podcasting 2.0: https://podcasting2.org/docs/podcast-namespace/1.0

feedgen's own extension writes most of Apple's. It takes a picture by the
end of its address alone, and knows `explicit` as yes, no and clean, where
Apple wants true and false: those are written here.
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
# What Apple calls them: it knows some types by other names than the registered ones.
_APPLE_TYPES = {"audio/mp4": "audio/x-m4a"}
_ARTWORK_TYPES = frozenset({"image/jpeg", "image/png"})
_ARTWORK_PIXELS = range(1400, 3001)


def apple_type(registered: str) -> str:
    """The name by which Apple knows a type."""
    return _APPLE_TYPES.get(registered, registered)


def tell_show(document: FeedGenerator, podcast: Podcast) -> None:
    """What feedgen's extension writes of a show."""
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
    """What else there is to say of a show."""
    _itunes(channel, "explicit", _truth(podcast.explicit))
    if podcast.image:
        etree.SubElement(channel, f"{{{ITUNES}}}image", {"href": podcast.image})
    if podcast.is_blocked:
        _itunes(channel, "block", "Yes")
    if podcast.is_complete:
        _itunes(channel, "complete", "Yes")
    _tell(channel, "guid", podcast.guid)
    if podcast.locked is not None:
        owner = podcast.owner.email if podcast.owner else ""
        _tell(channel, "locked", "yes" if podcast.locked else "no", owner=owner)
    if podcast.medium:
        _tell(channel, "medium", podcast.medium)
    for url, text in podcast.funding:
        _tell(channel, "funding", text, url=url)
    _add_common(channel, podcast.people, podcast.locations, podcast.license)
    for text, purpose in podcast.texts:
        _tell(channel, "txt", text, purpose=purpose)


def tell_episode(entry: FeedEntry, item: Item, episode: Episode) -> None:
    """What feedgen's extension writes of an episode."""
    entry.load_extension("podcast", atom=False, rss=True)
    told = entry.podcast
    if duration := _duration(item):
        told.itunes_duration(duration)
    if episode.season:
        told.itunes_season(episode.season)
    if episode.number.isdigit() and int(episode.number):  # Apple knows whole numbers alone
        told.itunes_episode(int(episode.number))
    if episode.type:
        told.itunes_episode_type(episode.type)
    if episode.title:
        told.itunes_title(episode.title)


def add_episode(entry: Any, item: Item, episode: Episode) -> None:
    """What else there is to say of an episode."""
    if episode.explicit is not None:
        _itunes(entry, "explicit", _truth(episode.explicit))
    if item.image and may_be_artwork(item.image):
        etree.SubElement(entry, f"{{{ITUNES}}}image", {"href": item.image.url})
    if episode.is_blocked:
        _itunes(entry, "block", "Yes")
    if episode.season:
        _tell(entry, "season", str(episode.season), name=episode.season_name)
    if episode.number:
        _tell(entry, "episode", episode.number, display=episode.display)
    for transcript in episode.transcripts:
        _tell(
            entry,
            "transcript",
            url=transcript.url,
            type=transcript.type,
            language=transcript.language,
            rel=transcript.rel,
        )
    if episode.chapters:
        _tell(entry, "chapters", url=episode.chapters, type=episode.chapters_type)
    _add_common(entry, episode.people, episode.locations, episode.license)


def may_be_artwork(picture: Enclosure) -> bool:
    """Whether Apple may take a picture: JPEG or PNG, square, 1400 to 3000 pixels, as far as known.

    One that it would not take is left out, and the show's own is seen instead.
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
        _tell(
            parent,
            "person",
            person.name,
            role=person.role,
            group=person.group,
            img=person.image,
            href=person.url,
        )
    for place in locations:
        _tell(
            parent,
            "location",
            place.name,
            rel=place.rel,
            geo=place.geo,
            osm=place.osm,
            country=place.country,
        )
    if license:
        _tell(parent, "license", license.name, url=license.url)


def _duration(item: Item) -> int:
    """In seconds: of what is played first, else of the item."""
    first = item.enclosures[0].duration if item.enclosures else 0
    return first or item.duration


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _itunes(parent: Any, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{ITUNES}}}{name}").text = text


def _tell(parent: Any, tag: str, text: str = "", /, **attributes: str) -> None:
    """An element of Podcasting 2.0, without the attributes of which nothing is known."""
    told = {key: value for key, value in attributes.items() if value}
    element = etree.SubElement(parent, f"{{{PODCAST}}}{tag}", told)
    if text:
        element.text = text
