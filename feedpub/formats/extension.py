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
        "the show, if the feed is a podcast",
        {
            "guid": _described(_TEXT, "Podcasting 2.0's guid"),
            "author": _described(_TEXT, "who makes it"),
            "explicit": {"type": "boolean", "description": "whether it is not fit for children"},
            "categories": _list("Apple's, like Arts > Books", _TEXT),
            "type": {"enum": ["episodic", "serial"]},
            "image": _described(_URL, "its artwork"),
            "medium": _described(_TEXT, "what it is, if no podcast in the narrow sense"),
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
            "display": _described(_TEXT, "to be shown instead of the number"),
            "type": {"enum": ["full", "trailer", "bonus"]},
            "explicit": {"type": "boolean", "description": "whether it is not fit for children"},
            "transcripts": _list("what is said in it", _object("", transcript, "url", "type")),
            "chapters_url": _described(_URL, "a file of its chapters"),
            "people": _people("who is heard in it, instead of the show's"),
        },
    )


def _of_feed() -> dict[str, Any]:
    kinds = ["all", "topic", "provider", "topic_provider", "custom"]
    alternate = _object("", {"type": _TEXT, "url": _URL}, "type", "url")
    return _object(
        "of a feed",
        {
            "about": _described(_URL, "where this description is"),
            "id": _described(_TEXT, "the feed's id, the same as in Atom; it never changes"),
            "kind": {"enum": kinds, "description": "what brings its items together"},
            "topic": _described(_TEXT, "the topic that they have in common"),
            "provider": _described(_TEXT, "the provider that they have in common"),
            "updated": {
                "type": "string",
                "format": "date-time",
                "description": "when the newest change of an item was",
            },
            "rights": _described(_TEXT, "the copyright line"),
            "alternates": _list("the same feed in other formats", alternate),
            "complete": {"const": True, "description": "it holds all that belongs to it"},
            "podcast": _of_show(),
            "archive_of": _described(_URL, "of an archive (RFC 5005): the feed to subscribe to"),
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
            "type": _described(_TEXT, "what it is: article, video, episode, …"),
            "category": _described(_TEXT, "a rubric, other than its topics"),
            "quality": {"type": "number", "description": "how good its makers think it is"},
            "price": _described(_TEXT, "what it costs, like Free"),
            "duration": {"type": "integer", "minimum": 1, "description": "in seconds"},
            "episode": _of_episode(),
            "comments_url": _described(_URL, "the page where it is talked about"),
            "amp_url": _described(_URL, "the page for mobile devices (AMP)"),
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
