"""What `_feedpub` holds: the extension of JSON Feed, described by a JSON Schema.

JSON Feed 1.1, Extensions: an `about` is to lead to a description. The schema is published beside
the feeds, so that it is there as long as they are.
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


def _said(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return schema | {"description": description}


def _people(description: str) -> dict[str, Any]:
    person = {"name": _TEXT, "role": _TEXT, "group": _TEXT, "image": _URL, "url": _URL}
    return _list(description, _object("", person, "name"))


def _of_show() -> dict[str, Any]:
    funding = _object("", {"url": _URL, "text": _TEXT}, "url", "text")
    return _object(
        "the show, if the feed is a podcast",
        {
            "guid": _said(_TEXT, "Podcasting 2.0's guid"),
            "author": _said(_TEXT, "who makes it"),
            "explicit": {"type": "boolean", "description": "whether it is not fit for children"},
            "categories": _list("Apple's, like Arts > Books", _TEXT),
            "type": {"enum": ["episodic", "serial"]},
            "image": _said(_URL, "its artwork"),
            "medium": _said(_TEXT, "what it is, if no podcast in the narrow sense"),
            "funding": _list("where to support it", funding),
            "people": _people("who is heard in it"),
        },
        "guid",
        "explicit",
    )


def _of_episode() -> dict[str, Any]:
    transcript = {"url": _URL, "type": _TEXT, "language": _TEXT, "rel": {"const": "captions"}}
    return _object(
        "what podcasts alone say of an item",
        {
            "season": {"type": "integer", "minimum": 1},
            "season_name": _TEXT,
            "number": {"type": "number", "minimum": 0},
            "display": _said(_TEXT, "to be shown instead of the number"),
            "type": {"enum": ["full", "trailer", "bonus"]},
            "explicit": {"type": "boolean", "description": "whether it is not fit for children"},
            "transcripts": _list("what is said in it", _object("", transcript, "url", "type")),
            "chapters_url": _said(_URL, "a file of its chapters"),
            "people": _people("who is heard in it, instead of the show's"),
        },
    )


def _of_feed() -> dict[str, Any]:
    kinds = ["all", "topic", "provider", "topic_provider", "custom"]
    alternate = _object("", {"type": _TEXT, "url": _URL}, "type", "url")
    return _object(
        "of a feed",
        {
            "about": _said(_URL, "where this description is"),
            "id": _said(_TEXT, "the feed's id, the same as in Atom; it never changes"),
            "kind": {"enum": kinds, "description": "what brings its items together"},
            "topic": _said(_TEXT, "the topic that they have in common"),
            "provider": _said(_TEXT, "the provider that they have in common"),
            "updated": {
                "type": "string",
                "format": "date-time",
                "description": "when the newest change of an item was",
            },
            "rights": _said(_TEXT, "the copyright line"),
            "alternates": _list("the same feed in other formats", alternate),
            "complete": {"const": True, "description": "it holds all that belongs to it"},
            "podcast": _of_show(),
            "archive_of": _said(_URL, "of an archive (RFC 5005): the feed to subscribe to"),
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
        "of an item",
        {
            "type": _said(_TEXT, "what it is: article, video, episode, …"),
            "category": _said(_TEXT, "a rubric, other than its topics"),
            "quality": {"type": "number", "description": "how good its makers think it is"},
            "price": _said(_TEXT, "what it costs, like Free"),
            "duration": {"type": "integer", "minimum": 1, "description": "in seconds"},
            "episode": _of_episode(),
            "comments_url": _said(_URL, "the page where it is talked about"),
            "amp_url": _said(_URL, "the page for mobile devices (AMP)"),
            "provider": _object("who made it, and the feed of that here", provider, "name"),
            "topics": _list(
                "its topics that have feeds here: where those are",
                _object("", {"name": _TEXT, "url": _URL}, "name", "url"),
            ),
            "images": _list("all its pictures", _object("", image, "url")),
            "related": _list("other stories about the same", _object("", related, "title", "url")),
        },
    )


def extension_schema() -> dict[str, Any]:
    """JSON Schema of feeds with the extension; of the rest it says what JSON Feed says."""
    item = {"type": "object", "properties": {"_feedpub": _of_item()}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "_feedpub, feedpub's extension of JSON Feed 1.1",
        "type": "object",
        "properties": {"_feedpub": _of_feed(), "items": {"type": "array", "items": item}},
    }


def render_schema() -> bytes:
    """The schema as it is published."""
    return json.dumps(extension_schema(), ensure_ascii=False, indent=2).encode() + b"\n"
