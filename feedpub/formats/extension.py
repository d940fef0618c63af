"""The JSON Schema of `_feedpub`, the extension of JSON Feed.

JSON Feed 1.1 (Extensions) recommends that `about` link to a description. The schema is
published next to the feeds, so it is available as long as they are.
"""

from __future__ import annotations

import json
from typing import Any

_URL = {"type": "string", "format": "uri"}
_TEXT = {"type": "string"}
_PIXELS = {"type": "integer", "minimum": 1}


def _object(description: str, properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(description: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "type": "array", "items": entry}


def _described(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return schema | {"description": description}


def _people(description: str) -> dict[str, Any]:
    person = {"name": _TEXT, "role": _TEXT, "group": _TEXT, "image": _URL, "url": _URL}
    return _list(description, _object("", person, "name"))


def _of_show() -> dict[str, Any]:
    funding = _object("", {"url": _URL, "text": _TEXT}, "url", "text")
    return _object(
        "metadata of the show, in the feed of a podcast",
        {
            "guid": _described(_TEXT, "Podcasting 2.0's guid"),
            "author": _described(_TEXT, "author"),
            "explicit": {"type": "boolean", "description": "true: not suitable for children"},
            "categories": _list("Apple's categories, such as Arts > Books", _TEXT),
            "type": {"enum": ["episodic", "serial"]},
            "image": _described(_URL, "artwork"),
            "medium": _described(_TEXT, "Podcasting 2.0's medium, if it is not podcast"),
            "funding": _list("pages where listeners can support the show", funding),
            "people": _people("hosts and guests"),
        },
        "guid",
        "explicit",
    )


def _of_episode() -> dict[str, Any]:
    transcript = {"url": _URL, "type": _TEXT, "language": _TEXT, "rel": {"const": "captions"}}
    return _object(
        "metadata of an episode",
        {
            "season": {"type": "integer", "minimum": 1},
            "season_name": _TEXT,
            "number": {"type": "number", "minimum": 0},
            "display": _described(_TEXT, "label to show instead of the number"),
            "type": {"enum": ["full", "trailer", "bonus"]},
            "explicit": {"type": "boolean", "description": "true: not suitable for children"},
            "transcripts": _list("transcripts", _object("", transcript, "url", "type")),
            "chapters_url": _described(_URL, "URL of the chapters file"),
            "people": _people("hosts and guests, if they are not those of the show"),
        },
    )


def _of_feed() -> dict[str, Any]:
    kinds = ["all", "topic", "provider", "topic_provider", "custom"]
    alternate = _object("", {"type": _TEXT, "url": _URL}, "type", "url")
    return _object(
        "extension of a feed",
        {
            "about": _described(_URL, "URL of this schema"),
            "id": _described(_TEXT, "id of the feed, the same as in Atom; it never changes"),
            "kind": {"enum": kinds, "description": "kind of feed"},
            "topic": _described(_TEXT, "topic of all items"),
            "provider": _described(_TEXT, "provider of all items"),
            "updated": {
                "type": "string",
                "format": "date-time",
                "description": "date of the newest change of an item",
            },
            "rights": _described(_TEXT, "copyright line"),
            "alternates": _list("the same feed in other formats", alternate),
            "complete": {"const": True, "description": "true: the feed contains all its items"},
            "podcast": _of_show(),
            "archive_of": _described(
                _URL, "in an archive (RFC 5005): URL of the feed to subscribe to"
            ),
        },
        "id",
        "kind",
        "updated",
    )


def _of_item() -> dict[str, Any]:
    provider = {"name": _TEXT, "domain": _TEXT, "url": _URL, "feed_url": _URL}
    image = {"url": _URL, "width": _PIXELS, "height": _PIXELS, "alt": _TEXT, "credit": _TEXT}
    related = {"title": _TEXT, "url": _URL, "provider": _TEXT}
    return _object(
        "extension of an item",
        {
            "type": _described(_TEXT, "type, such as article, video or episode"),
            "category": _described(_TEXT, "category, apart from the topics"),
            "quality": {"type": "number", "description": "quality, as rated by the publisher"},
            "price": _described(_TEXT, "price, such as Free"),
            "duration": {"type": "integer", "minimum": 1, "description": "duration in seconds"},
            "episode": _of_episode(),
            "comments_url": _described(_URL, "URL of the comments"),
            "amp_url": _described(_URL, "URL of the page for mobile devices (AMP)"),
            "provider": _object(
                "provider, with the URL of its feed on this site", provider, "name"
            ),
            "topics": _list(
                "topics with a feed on this site",
                _object("", {"name": _TEXT, "url": _URL}, "name", "url"),
            ),
            "images": _list("all pictures", _object("", image, "url")),
            "related": _list("related articles", _object("", related, "title", "url")),
        },
    )


def extension_schema() -> dict[str, Any]:
    """The JSON Schema of feeds with the extension. It does not restrict other keys."""
    item = {"type": "object", "properties": {"_feedpub": _of_item()}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "_feedpub, feedpub's extension of JSON Feed 1.1",
        "type": "object",
        "properties": {"_feedpub": _of_feed(), "items": {"type": "array", "items": item}},
    }


def render_schema() -> bytes:
    """The published schema file."""
    return json.dumps(extension_schema(), ensure_ascii=False, indent=2).encode() + b"\n"
