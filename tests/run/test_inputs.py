"""A hash of rules differs if a setting that matters differs, and only then."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import feedpub
from feedpub.config import Config
from feedpub.run.inputs import configuration, digest, of_rules, program, settings
from feedpub.run.report import RunOptions
from feedpub.run.rules import FileRules, SelectionRules

from .helpers import config

EVERYTHING = """\
site: {title: A, url: https://feeds.example.org/, author: B}
records: [{path: records, topics: [T], author: {name: C, email: c@example.org}}]
fields: {title: name}
select: {types: [video], min_quality: 3}
feeds:
  window: 2d
  also_at: {old: new}
  all: {where: {languages: [en]}}
  topics: {where: {topics: [T]}, include: [T]}
  custom: [{slug: a, where: {providers: [P]}, newsletter: {parameters: {a: b}}}]
  overrides: {topics/t: {title: T}}
"""
OF_READING = (
    "site.id", "site.home", "site.language", "fields", "records[0]",
    "images.probe", "images.mirror",
)  # fmt: skip
OF_PLACING = ("select", *(f"feeds.{group}" for group in
              ("all", "topics", "providers", "topic_providers", "custom[0]")))  # fmt: skip
SHOWN_ONLY = {"title", "description", "image", "items", "min_items", "newsletter", "podcast"}


def variants(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Each way to change one option, with the name of the option."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            name = f"{key}.{field.name}".lstrip(".")
            for place, child in variants(getattr(value, field.name), name):
                yield place, dataclasses.replace(value, **{field.name: child})
    elif isinstance(value, Mapping):
        yield key, {**value, "author" if key == "fields" else "another": "x"}
        for name, child in value.items():
            for place, other in variants(child, f"{key}.{name}"):
                yield place, {**value, name: other}
    elif isinstance(value, tuple):
        yield key, (*value, value[0] if value and dataclasses.is_dataclass(value[0]) else "x")
        if value:
            yield key, value[:-1]
            for place, other in variants(value[0], f"{key}[0]"):
                yield place, (other, *value[1:])
    else:
        yield key, _another(value)


def _another(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case timedelta():
            return value * 2
        case None:
            return 1
        case "local":
            return "http"
        case _:
            return f"{value}x"


@pytest.fixture
def base(tmp_path: Path) -> Config:
    return config(tmp_path, EVERYTHING)


def changed(base: Config) -> list[tuple[str, Config]]:
    """Every configuration that differs in one option."""
    return [
        (
            key,
            dataclasses.replace(
                base, settings=other, site=other.site, overrides=other.feeds.overrides
            ),
        )
        for key, other in variants(base.settings)
    ]


def is_of(key: str, places: tuple[str, ...]) -> bool:
    return any(key == place or key.startswith((f"{place}.", f"{place}[")) for place in places)


def test_every_option_changes_the_hash_of_the_settings(base: Config) -> None:
    every = changed(base)
    assert len({key for key, _ in every}) > 100
    assert [key for key, other in every if settings(other) == settings(base)] == []
    assert len({settings(other) for _, other in every}) == len(every)


def reading(config: Config) -> bytes:
    return FileRules.of(config).digests()[0]


def placing(config: Config, unpublished: bool = False) -> bytes:
    return of_rules(SelectionRules.of(config, RunOptions(None, unpublished=unpublished)))


def test_records_are_read_again_only_if_reading_depends_on_the_option(base: Config) -> None:
    for key, other in changed(base):
        if key != "records" and other.settings.records:
            assert (reading(other) != reading(base)) == is_of(key, OF_READING), key


def test_records_are_placed_again_only_if_placing_depends_on_the_option(base: Config) -> None:
    for key, other in changed(base):
        wanted = key == "feeds.custom" or (
            is_of(key, OF_PLACING) and SHOWN_ONLY.isdisjoint(key.split("."))
        )
        assert (placing(other) != placing(base)) == wanted, key
    assert placing(base, unpublished=True) != placing(base)


def test_the_same_configuration_read_again_has_the_same_hashes(tmp_path: Path) -> None:
    here, there = (config(tmp_path / name, EVERYTHING) for name in ("here", "there"))
    assert settings(here) == settings(there)
    assert reading(here) == reading(there)
    assert placing(here) == placing(there)


def test_a_value_of_an_unknown_type_has_no_hash() -> None:
    with pytest.raises(TypeError, match="object"):
        of_rules(object())


def test_a_store_belongs_to_a_configuration_and_an_output_not_to_a_place(
    tmp_path: Path,
) -> None:
    here, there = (config(tmp_path / name, EVERYTHING) for name in ("here", "there"))
    assert configuration(here) == configuration(there)
    elsewhere = config(tmp_path / "here", EVERYTHING + "output: elsewhere\n")
    assert configuration(elsewhere) != configuration(here)


def test_hashes_keep_parts_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc") != digest(["a", "bc"])
    assert digest(1) != digest("1")
    assert digest("\udce4") != digest("\udce5")  # a name that is no UTF-8


def test_a_patched_program_is_another_program(tmp_path: Path) -> None:
    shutil.copytree(Path(feedpub.__file__).parent, tmp_path / "feedpub")
    command = [
        sys.executable, "-c", "from feedpub.run.inputs import program; print(program())",
    ]  # fmt: skip

    def asked() -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    before = asked()
    assert before == program()
    with (tmp_path / "feedpub/formats/rss.py").open("a") as file:
        file.write("# another line\n")
    assert asked() != before
