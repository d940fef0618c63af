"""Which feeds are podcasts, and their podcast metadata.

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
# Other types that Apple accepts as an episode.
_DOCUMENTS = frozenset({"application/pdf", "application/epub+zip"})


def settings_of(config: Config, placement: Placement) -> PodcastSettings | None:
    """The podcast settings of a feed, merged from its override, its group and the site.

    None if it is not a podcast: there are no settings, or the most specific one is `false`.
    """
    override = config.overrides.get(placement.feed)
    candidates = (
        override.podcast if override else None,
        group_of(config, placement).podcast,
        config.settings.podcast,
    )
    given = [settings for settings in candidates if settings is not None]
    if not given or not given[0].enabled:
        return None
    merged, *others = given
    for usual in others:
        if usual.enabled:
            merged = merged.over(usual)
    return merged


def podcast_of(
    settings: PodcastSettings, feed_url: str, author: Person | None, image: str
) -> Podcast:
    """The podcast metadata of a feed with this RSS URL, author and image."""
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
    """A podcast feed for its old URL, with `itunes:new-feed-url` set to the new one."""
    if not feed.podcast or feed.podcast.new_feed_url:
        return feed
    return feed._replace(podcast=feed.podcast._replace(new_feed_url=address))


def guid_of(feed_url: str) -> str:
    """The default podcast:guid of a feed (Podcasting 2.0, guid)."""
    import uuid  # needed for podcasts only

    return str(uuid.uuid5(uuid.UUID(_NAMESPACE), feed_url.partition("://")[2].rstrip("/")))


def episode_of(item: Item, episode: Episode | None, prefix: str) -> Item:
    """The item for a podcast: only its media files, with the prefix, and its metadata."""
    played = tuple(
        _prefixed(enclosure, prefix) for enclosure in item.enclosures if is_played(enclosure)
    )
    return item._replace(enclosures=played, episode=episode or Episode())


def is_played(enclosure: Enclosure) -> bool:
    """Whether Apple accepts a file as an episode."""
    return enclosure.medium in PLAYED or enclosure.type in _DOCUMENTS


def _prefixed(enclosure: Enclosure, prefix: str) -> Enclosure:
    """Adds the prefix of a service that counts downloads, which expects no https:// after it."""
    if not prefix:
        return enclosure
    return enclosure._replace(url=prefix + enclosure.url.removeprefix("https://"))
