"""`_feedpub` is what its schema says, in every feed that there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from feedpub.formats import load_formats
from feedpub.formats.extension import extension_schema, render_schema
from feedpub.model import Feed

from .making import feeds

ROOT = Path(__file__).parents[2]
VALIDATOR = jsonschema.Draft202012Validator(extension_schema())
MADE = sorted([*(ROOT / "feeds").rglob("feed.json"), *(ROOT / "tests/golden").rglob("feed.json")])


def strictly(document: Any) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(document)]
    assert errors == []
    assert "_feedpub" in document


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(extension_schema())
    assert json.loads(render_schema()) == extension_schema()


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_feeds_hold_to_it(path: Path) -> None:
    strictly(json.loads(path.read_bytes()))


@given(feeds)
def test_any_feed_does(of: Feed) -> None:
    [form] = load_formats(["json"])
    strictly(json.loads(form.render_feed(of, form.render_items(of.items))))


def test_about_leads_to_it() -> None:
    document = json.loads((ROOT / "feeds/feed.json").read_bytes())
    about = document["_feedpub"]["about"]
    base = document["feed_url"].removesuffix("feed.json")
    assert about.startswith(base)
    assert (
        json.loads((ROOT / "feeds" / about.removeprefix(base)).read_bytes()) == extension_schema()
    )
