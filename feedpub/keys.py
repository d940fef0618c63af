"""The keys of a record and their aliases. A key that is not listed here is never published."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Group → the keys that can provide it. The first one with a value counts.
KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("id", "guid"),
        "title": ("title", "name"),
        "summary": ("excerpt", "summary", "description"),
        "content": ("content",),
        "featured": ("featuredContent",),
        "link": ("webUrl", "url", "link", "permalink"),
        "original": ("originalUrl",),
        "external": ("external_url",),
        "published": ("publishedDateTime", "date", "published_at", "pubDate", "publishDate"),
        "updated": ("updatedDateTime", "updated", "lastmod", "modified", "last_modified_at"),
        "provider": ("provider",),
        "authors": ("authors", "author"),
        "topics": ("topics",),
        "tags": ("tags",),
        "categories": ("categories",),
        "category": ("category",),
        "images": ("images",),
        "image": ("image",),
        "cover": ("cover",),
        "enclosures": ("enclosures",),
        "attachments": ("attachments",),
        "audio": ("audio",),
        "video": ("video",),
        "actions": ("actions",),
        "duration": ("length", "duration"),
        "language": ("language",),
        "quality": ("quality",),
        "heat": ("heat",),
        "type": ("type",),
        "price": ("price",),
        "related": ("related",),
        "season": ("season",),
        "season_name": ("seasonName", "season_name"),
        "episode": ("episode",),
        "episode_display": ("episodeDisplay", "episode_display"),
        "episode_type": ("episodeType", "episode_type"),
        "episode_title": ("itunesTitle", "itunes_title"),
        "explicit": ("explicit",),
        "block": ("itunesBlock", "itunes_block"),
        "transcripts": ("transcripts", "transcript"),
        "chapters": ("chapters",),
        "people": ("persons", "person"),
        "locations": ("location",),
        "license": ("license",),
        "comments": ("comments",),
        "amp": ("ampWebUrl", "cdnAmpWebUrl"),
        "slug": ("slug",),
        "is_published": ("published",),
        "draft": ("draft",),
        "removed": ("removed",),
    }
)
OUR_KEYS = tuple(alias for aliases in KEYS.values() for alias in aliases)
GROUP_OF: Mapping[str, str] = {alias: group for group, aliases in KEYS.items() for alias in aliases}
# Key → its group, and its position in the group.
RANK_OF: Mapping[str, tuple[str, int]] = MappingProxyType(
    {alias: (group, n) for group, aliases in KEYS.items() for n, alias in enumerate(aliases)}
)
