"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

Fields that JSON Feed lacks are in the extension `_feedpub` (`feedpub.formats.extension`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from feedpub.formats.media_types import MEDIA_TYPES
from feedpub.model import (
    Contributor,
    Enclosure,
    Episode,
    Feed,
    History,
    Item,
    Person,
    Podcast,
)

VERSION = "https://jsonfeed.org/version/1.1"
BANNER_RATIO = 1.5  # minimum width divided by height
# The check for circular references takes a tenth of the time, and there can be none.
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


class JsonFeed:
    """JSON Feed 1.1, with one item per line, so that diffs are readable."""

    name = "json"
    media_type = MEDIA_TYPES["json"]

    def render_items(self, items: Sequence[Item]) -> list[bytes]:
        """Each item as an object, with its indentation."""
        return [f"    {_encode(_item(item))}".encode() for item in items]

    def render_feed(self, feed: Feed, parts: Sequence[bytes]) -> bytes:
        """The whole document."""
        head = [f"  {_encode(name)}: {_encode(value)},\n" for name, value in _head(feed).items()]
        items = b",\n".join(parts)
        return b'{\n%b  "items": [\n%b\n  ]\n}\n' % ("".join(head).encode(), items)


def json_date(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.isoformat().removesuffix("+00:00") + "Z"


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without unknown values: their keys must be absent, not empty."""
    return {name: value for name, value in fields.items() if value or value == 0}


def _person(person: Person) -> dict[str, str]:
    return _known({"name": person.name, "url": person.url})


def _head(feed: Feed) -> dict[str, Any]:
    own = feed.link("json")
    history = feed.history or History()
    current, older = history.link("current", "json"), history.link("older", "json")
    subscribe_to = current or own
    return _known(
        {
            "version": VERSION,
            "title": feed.title,
            "user_comment": f"To subscribe, give a feed reader this address: {subscribe_to.url}",
            "home_page_url": feed.home,
            "feed_url": own.url,
            "next_url": older.url if older else "",
            "description": feed.description,
            "icon": feed.icon or feed.logo,  # must be square
            "favicon": feed.icon,
            "authors": [_person(feed.author)] if feed.author else [],
            "language": feed.language,
            "hubs": [{"type": "WebSub", "url": hub} for hub in feed.hubs],
            "_feedpub": _known(
                {
                    "about": feed.about,
                    "id": feed.id,
                    "kind": feed.kind,
                    "topic": feed.topic.name if feed.topic else "",
                    "provider": feed.provider.name if feed.provider else "",
                    "updated": json_date(feed.updated),
                    "rights": feed.rights,
                    "archive_of": current.url if current else "",
                    "complete": history.is_complete or None,
                    "podcast": _podcast(feed.podcast) if feed.podcast else None,
                    "alternates": [
                        {"type": link.type, "url": link.url}
                        for link in feed.links
                        if link.format != own.format
                    ],
                }
            ),
        }
    )


def _item(item: Item) -> dict[str, Any]:
    fields = {
        "id": item.id,
        "url": item.link,
        "external_url": item.external_url,
        "title": item.title,
        "content_html": item.content_html,
        # One of the two is required.
        "content_text": item.content_text
        or ("" if item.content_html else item.summary or item.title),
        "summary": item.summary,
        "image": item.image.url if item.image else "",
        "banner_image": _banner(item),
        "date_published": json_date(item.published),
        "date_modified": json_date(item.updated),
        "authors": [_person(author) for author in item.authors],
        "tags": [category.term for category in item.categories],
        "language": item.language,
        "attachments": _attachments(item.enclosures),
        "_feedpub": _extension(item),
    }
    return _known(fields)


def _banner(item: Item) -> str:
    """The widest image with the shape of a banner, "" if none is known to have it."""
    wide = [p for p in item.images if p.width >= BANNER_RATIO * p.height > 0]
    return max(wide, key=lambda picture: picture.width).url if wide else ""


def _attachments(enclosures: Sequence[Enclosure]) -> list[dict[str, Any]]:
    """All attachments. Equal titles would mean alternates, so only the first keeps its title."""
    titles: set[str] = set()
    attachments = []
    for enclosure in enclosures:
        attachment = _attachment(enclosure)
        if enclosure.title in titles:
            attachment.pop("title", None)
        titles.add(enclosure.title)
        attachments.append(attachment)
    return attachments


def _attachment(enclosure: Enclosure) -> dict[str, Any]:
    return _known(
        {
            "url": enclosure.url,
            "mime_type": enclosure.type,
            "title": enclosure.title,
            "size_in_bytes": enclosure.length or None,
            "duration_in_seconds": enclosure.duration or None,
        }
    )


def _podcast(podcast: Podcast) -> dict[str, Any]:
    return _known(
        {
            "guid": podcast.guid,
            "author": podcast.author,
            "explicit": podcast.explicit,
            "categories": [" > ".join(filter(None, pair)) for pair in podcast.categories],
            "type": podcast.type,
            "image": podcast.image,
            "medium": podcast.medium,
            "funding": [{"url": url, "text": text} for url, text in podcast.funding],
            "people": _people(podcast.people),
        }
    )


def _episode(episode: Episode) -> dict[str, Any]:
    number = float(episode.number) if episode.number else None
    return _known(
        {
            "season": episode.season or None,
            "season_name": episode.season_name,
            "number": int(number) if number is not None and number.is_integer() else number,
            "display": episode.display,
            "type": episode.type,
            "explicit": episode.explicit,
            "transcripts": [
                _known({"url": t.url, "type": t.type, "language": t.language, "rel": t.rel})
                for t in episode.transcripts
            ],
            "chapters_url": episode.chapters,
            "people": _people(episode.people),
        }
    )


def _people(people: Sequence[Contributor]) -> list[dict[str, Any]]:
    return [
        _known({"name": p.name, "role": p.role, "group": p.group, "image": p.image, "url": p.url})
        for p in people
    ]


def _extension(item: Item) -> dict[str, Any]:
    source = item.source
    feed = source.link("json") if source else None
    return _known(
        {
            "type": item.type,
            "category": item.category,
            "quality": item.quality,
            "price": item.price,
            "duration": item.duration or None,
            "episode": _episode(item.episode) if item.episode else None,
            "comments_url": item.comments,
            "amp_url": item.amp_url,
            "provider": _known(
                {
                    "name": source.name,
                    "domain": source.domain,
                    "url": source.home,
                    "feed_url": feed.url if feed else "",
                }
            )
            if source
            else None,
            "topics": [
                {"name": category.term, "url": category.url}
                for category in item.categories
                if category.url
            ],
            "images": [
                _known(
                    {
                        "url": image.url,
                        "width": image.width or None,
                        "height": image.height or None,
                        "alt": image.title,
                        "credit": image.credit,
                    }
                )
                for image in item.images
            ],
            "related": [
                _known({"title": story.title, "url": story.url, "provider": story.provider})
                for story in item.related
            ],
        }
    )
