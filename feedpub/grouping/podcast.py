"""Which feeds are podcasts, and what they and their items say as such.

Apple: https://podcasters.apple.com/support/823-podcast-requirements
Podcasting 2.0: https://podcasting2.org/docs/podcast-namespace/1.0
"""

from __future__ import annotations

from feedpub.config import Config
from feedpub.config.podcasts import PodcastSettings
from feedpub.grouping.place import group_of
from feedpub.model import (
    Enclosure,
    Episode,
    Feed,
    Item,
    Person,
    Placement,
    Podcast,
)

_NAMESPACE = "ead4c236-bf58-58c6-a2c6-a6b28d128cb6"  # Podcasting 2.0, guid
PLAYED = frozenset({"audio", "video"})
# What else Apple takes for an episode (a book that goes with the show, say).
_DOCUMENTS = frozenset({"application/pdf", "application/epub+zip"})


def settings_of(config: Config, placement: Placement) -> PodcastSettings | None:
    """What makes a feed a podcast: its override's, its group's and the site's settings, in one.

    None if it is none: nothing is said of it, or the nearest of these says `false`.
    """
    override = config.overrides.get(placement.feed)
    said = (
        override.podcast if override else None,
        group_of(config, placement).podcast,
        config.settings.podcast,
    )
    spoken = [settings for settings in said if settings is not None]
    if not spoken or not spoken[0].enabled:
        return None
    nearest, *others = spoken
    for usual in others:
        if usual.enabled:
            nearest = nearest.over(usual)
    return nearest


def podcast_of(
    settings: PodcastSettings, feed_url: str, author: Person | None, image: str
) -> Podcast:
    """A show; `feed_url` is its RSS feed's, `author` and `image` are the feed's own."""
    return Podcast(
        guid=settings.guid.lower() or guid_of(feed_url),
        author=settings.author or (author.name if author else ""),
        explicit=bool(settings.explicit),
        categories=settings.category,
        type=settings.type,
        owner=settings.owner or (author if author and author.email else None),
        image=settings.image or image,
        is_blocked=bool(settings.block),
        is_complete=bool(settings.complete),
        new_feed_url=settings.new_feed_url,
        locked=settings.locked,
        funding=settings.funding,
        people=settings.people,
        medium=settings.medium,
        license=settings.license,
        locations=tuple(
            place._replace(country=place.country.upper()) for place in settings.location
        ),
        texts=settings.txt,
    )


def moved(feed: Feed, address: str) -> Feed:
    """A podcast's feed as it is at an old address, where it says that it has moved.

    Apple, `itunes:new-feed-url`: at the old address, with the new one in it.
    """
    if not feed.podcast or feed.podcast.new_feed_url:
        return feed
    return feed._replace(podcast=feed.podcast._replace(new_feed_url=address))


def guid_of(feed_url: str) -> str:
    """A show's id from the address of its feed (Podcasting 2.0, guid)."""
    import uuid  # few sites have podcasts

    return str(uuid.uuid5(uuid.UUID(_NAMESPACE), feed_url.partition("://")[2].rstrip("/")))


def episode_of(item: Item, episode: Episode | None, prefix: str) -> Item:
    """The item as podcasts hold it: of its files those that are played, behind the prefix."""
    played = tuple(
        _prefixed(enclosure, prefix) for enclosure in item.enclosures if is_played(enclosure)
    )
    return item._replace(enclosures=played, episode=episode or Episode())


def is_played(enclosure: Enclosure) -> bool:
    """Whether a file is what Apple takes for an episode."""
    return enclosure.medium in PLAYED or enclosure.type in _DOCUMENTS


def _prefixed(enclosure: Enclosure, prefix: str) -> Enclosure:
    """Services that count downloads want the address behind theirs, without its https://."""
    if not prefix:
        return enclosure
    return enclosure._replace(url=prefix + enclosure.url.removeprefix("https://"))
