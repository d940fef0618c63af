"""`feedpub schema`: prints JSON Schemas for editors."""

from __future__ import annotations

from typing import Any

import click

from feedpub.cli.common import Common, common_options, print_json
from feedpub.config import config_schema
from feedpub.formats.entry import CATALOGUE_VERSION
from feedpub.formats.extension import extension_schema
from feedpub.keys import KEYS

_TEXT = {"type": ["string", "number", "boolean"]}
_DATE = {
    "type": "string",
    "description": "RFC 3339, RFC 2822 or a date; default time zone: the site's",
}
_NAMES = {
    "anyOf": [{"type": "array", "items": {"type": ["string", "number", "boolean"]}}, _TEXT],
    "description": "a list, or a string",
}
_PERSON = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("name", "email", "url")},
        },
    ]
}
_PEOPLE = {"anyOf": [{"type": "array", "items": _PERSON}, _PERSON]}
_MEDIA = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {
                "url": {"type": "string"},
                "type": {"type": "string", "description": "media type"},
                "length": {"type": ["integer", "string"], "description": "bytes"},
                "width": {"type": ["integer", "string"], "description": "pixels"},
                "height": {"type": ["integer", "string"], "description": "pixels"},
                "alt": {"type": "string"},
                "title": {"type": "string"},
                "duration": {"type": ["integer", "string"]},
            },
        },
    ]
}
_MEDIAS = {"anyOf": [{"type": "array", "items": _MEDIA}, _MEDIA]}
_BY_GROUP: dict[str, Any] = {
    "published": _DATE,
    "updated": _DATE,
    "topics": _NAMES,
    "tags": _NAMES,
    "categories": _NAMES,
    "authors": _PEOPLE,
    "images": _MEDIAS,
    "image": _MEDIAS,
    "cover": _MEDIAS,
    "enclosures": _MEDIAS,
    "attachments": _MEDIAS,
    "audio": _MEDIAS,
    "video": _MEDIAS,
    "actions": _MEDIAS,
    "quality": {"type": "number"},
    "heat": {"type": "number"},
    "is_published": {"type": ["boolean", "string"], "description": "false: left out of the feeds"},
    "draft": {"type": "boolean", "description": "true: left out of the feeds"},
    "removed": {"type": "boolean", "description": "true: left out, even with --unpublished"},
    "provider": {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "domain": {"type": "string"},
                    "url": {"type": "string"},
                    "images": _MEDIAS,
                    "authors": _PEOPLE,
                },
            },
        ]
    },
    "related": {"type": "array", "items": {"type": ["object", "string"]}},
}


def record_schema() -> dict[str, Any]:
    """JSON Schema of a record's front matter; unknown keys are allowed."""
    properties = {
        alias: _BY_GROUP.get(group, _TEXT) for group, aliases in KEYS.items() for alias in aliases
    }
    titled = [{"required": [key]} for key in (*KEYS["title"], *KEYS["summary"])]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "feedpub record",
        "type": "object",
        "properties": properties,
        "anyOf": titled,
    }


def feeds_schema() -> dict[str, Any]:
    """JSON Schema of feeds.json; a later version may have more keys."""
    text, number = {"type": "string"}, {"type": "integer", "minimum": 1}
    address = {"type": "string", "format": "uri"}
    feed = {
        "path": {
            **text,
            "description": "folder below the output; empty for the feed of everything",
        },
        "kind": {"enum": ["all", "topic", "provider", "topic_provider", "custom"]},
        "id": {**text, "description": "the id in the feed itself; it never changes"},
        "title": text,
        "description": text,
        "language": {**text, "description": "RFC 5646"},
        "updated": {**text, "format": "date-time", "description": "date of the newest item"},
        "items": {**number, "description": "number of items in the feed"},
        "total": {
            **number,
            "description": "number of items, including older ones that the feed no longer contains",
        },
        "urls": {
            "type": "object",
            "description": "by format: rss, atom, json, or a plugin's",
            "additionalProperties": address,
            "minProperties": 1,
        },
        "parent": {**text, "description": "path of the parent topic's feed"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "feedpub's catalogue of feeds",
        "type": "object",
        "properties": {
            "version": {"const": CATALOGUE_VERSION},
            "title": text,
            "home_page_url": address,
            "feeds": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": feed,
                    "required": [name for name in feed if name != "parent"],
                },
            },
        },
        "required": ["version", "title", "home_page_url", "feeds"],
    }


_SCHEMAS = {
    "config": config_schema,
    "record": record_schema,
    "feeds": feeds_schema,
    "extension": extension_schema,
}


@click.command(
    "schema", epilog="Example:\n\n\b\n  feedpub schema config > feedpub-config.schema.json\n"
)
@click.argument("what", type=click.Choice(list(_SCHEMAS)))
@common_options
def command(common: Common, what: str) -> None:
    """Print the JSON Schema of config.yaml, of a record, of feeds.json, or of _feedpub.

    Editors with a YAML language server use the first two to complete and check
    your files. _feedpub is feedpub's extension of JSON Feed.
    """
    print_json(_SCHEMAS[what]())
