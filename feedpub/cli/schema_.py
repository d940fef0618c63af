"""`feedpub schema`: JSON Schemas, for editors."""

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
    "description": "RFC 3339, RFC 2822, a bare date; the site's zone if none",
}
_NAMES = {
    "anyOf": [{"type": "array", "items": {"type": ["string", "number", "boolean"]}}, _TEXT],
    "description": "a list, or one text",
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
    "is_published": {"type": ["boolean", "string"], "description": "false holds it back"},
    "draft": {"type": "boolean", "description": "true holds it back"},
    "removed": {"type": "boolean", "description": "true takes it out for good"},
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
    """JSON Schema of a record's front matter; keys of the user's own are allowed."""
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
    """JSON Schema of feeds.json; a later version of it may have further keys."""
    text, number = {"type": "string"}, {"type": "integer", "minimum": 1}
    address = {"type": "string", "format": "uri"}
    feed = {
        "path": {**text, "description": "its folder below the output; empty for everything"},
        "kind": {"enum": ["all", "topic", "provider", "topic_provider", "custom"]},
        "id": {**text, "description": "as in the feed itself, for ever"},
        "title": text,
        "description": text,
        "language": {**text, "description": "RFC 5646"},
        "updated": {**text, "format": "date-time", "description": "of its newest item"},
        "items": {**number, "description": "in the feed"},
        "total": {**number, "description": "that belong to it"},
        "urls": {
            "type": "object",
            "propertyNames": {"enum": ["rss", "atom", "json"]},
            "additionalProperties": address,
            "minProperties": 1,
        },
        "parent": {**text, "description": "path of the feed of the topic above"},
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

    Editors that know YAML language servers complete and check by the first two;
    _feedpub is the extension of JSON Feed, whose schema is published, too.
    """
    print_json(_SCHEMAS[what]())
