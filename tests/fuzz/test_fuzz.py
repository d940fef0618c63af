"""Bytes in, a tree out: nothing that comes in ends a run, or makes a file that cannot be read.

A few examples in each run of the tests; `./run.sh fuzz` goes on for five minutes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import feedpub
from tests.e2e.harness import CONFIG, GOOD

from .site import FuzzedSite
from .strategies import (
    DAMAGE,
    FIELDS,
    FRONT_MATTER,
    HOSTILE,
    MARKUP,
    TEXTS,
    VALUES,
    Damage,
    damaged,
    encoded,
)

EXAMPLES = int(os.environ.get("FEEDPUB_FUZZ") or 12)
fuzzed = settings(
    max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def site(tmp_path: Path) -> FuzzedSite:
    return FuzzedSite(tmp_path / "site")


@fuzzed
@given(
    damaged(st.builds("{}{}".format, FRONT_MATTER, MARKUP)), st.sampled_from(["md", "html", "txt"])
)
def test_front_matter(site: FuzzedSite, data: bytes, ending: str) -> None:
    site.clear()
    site.write(f"records/bad.{ending}", data)
    site.run_all()


@fuzzed
@given(MARKUP, st.sampled_from(["md", "html"]))
def test_bodies(site: FuzzedSite, body: str, ending: str) -> None:
    site.clear()
    site.write(f"records/bad.{ending}", encoded(f"---\ntitle: T\ndate: 2020-01-02\n---\n{body}"))
    site.run_all()


@fuzzed
@given(st.sampled_from(["json", "yaml", "jsonl"]), st.lists(FIELDS, max_size=4), st.data())
def test_lists(site: FuzzedSite, ending: str, records: list[object], data: st.DataObject) -> None:
    text = json.dumps(records, default=str)
    if ending == "jsonl":
        text = "\n".join(json.dumps(record, default=str) for record in records)
    site.clear()
    site.write(f"records/bad.{ending}", data.draw(damaged(st.just(text))))
    site.run_all()


@fuzzed
@given(
    st.sampled_from(
        ["date", "updated", "link", "url", "id", "slug", "topics", "provider", "title"]
    ),
    TEXTS,
)
def test_one_field(site: FuzzedSite, key: str, value: str) -> None:
    site.clear()
    fields = {"title": "T", "date": "2020-01-02", "topics": ["A"]} | {key: value}
    site.write("records/bad.md", encoded(f"---\n{json.dumps(fields)}\n---\nText.\n"))
    site.run_all()


TERM_KEYS = "title name _id parent description images url domain synonyms".split()
TERMS = st.dictionaries(st.sampled_from(TERM_KEYS), VALUES, max_size=5).map(
    lambda fields: f"---\n{json.dumps(fields, default=str)}\n---\n"
)


@fuzzed
@given(damaged(TERMS))
def test_taxonomy(site: FuzzedSite, data: bytes) -> None:
    site.clear(CONFIG + "taxonomy: {topics: topics, providers: topics}\n")
    site.write("topics/news.md", data)
    site.run_all()


SECTIONS = "feeds select records site push ids podcast images fields taxonomy output".split()
FEEDS = "formats items window filenames also_at custom topics archives overrides".split()
SETTINGS = st.one_of(
    st.dictionaries(st.sampled_from(SECTIONS), VALUES),
    st.builds(lambda key, value: {"feeds": {key: value}}, st.sampled_from(FEEDS), VALUES),
).map(lambda said: CONFIG + json.dumps(said, default=str)[1:-1])


@fuzzed
@given(damaged(SETTINGS))
def test_config(site: FuzzedSite, data: bytes) -> None:
    site.clear()
    site.write("config.yaml", data)
    try:
        feedpub.load_config(site.root / "config.yaml")
    except feedpub.ConfigError as error:
        problems = error.problems
    else:
        return
    assert problems
    assert all(problem.what for problem in problems)


LIES = st.one_of(
    DAMAGE,
    VALUES.map(lambda value: Damage("replaced", 0, encoded(json.dumps(value, default=str)))),
    st.sampled_from([b"[" * 100_000, b'{"files": Infinity}', b'"\\ud800"', b"\x00" * 100]).map(
        lambda lie: Damage("replaced", 0, lie)
    ),
)


@fuzzed
@given(st.integers(0, 100), LIES)
def test_what_is_remembered(site: FuzzedSite, which: int, damage: Damage) -> None:
    """The state, the manifest and the journal: damaged in any way, they cost a full run at most."""
    site.clear()
    site.generate()
    tree = site.tree()
    files = sorted(path for path in (site.root / ".feedpub").rglob("*") if path.is_file())
    files += [site.feeds / ".feedpub.json", site.feeds / ".feedpub-staging/journal.json"]
    path = files[which % len(files)]
    was = path.read_bytes() if path.exists() else b'{"moves": [], "removals": []}'
    site.write(path.relative_to(site.root).as_posix(), damage.done_to(was))
    ended = _or_a_clear_error(site, site.generate)
    lied_about = {".feedpub.json"} if ended else set()
    assert {name: data for name, data in site.tree().items() if name in tree}.items() >= {
        name: data for name, data in tree.items() if name not in lied_about
    }.items()


@fuzzed
@given(st.lists(st.one_of(
    VALUES.map(lambda value: json.dumps(value, default=str)),
    TEXTS.map(lambda id: json.dumps({"id": id, "path": "records/good.md"})),
    st.sampled_from(["[" * 100_000, '{"id": "\\ud800"}', '{"id": "\\u0000"}', *HOSTILE]),
), max_size=4))  # fmt: skip
def test_the_ledger(site: FuzzedSite, lines: list[str]) -> None:
    site.clear()
    site.write("ids.jsonl", encoded("\n".join(lines)))
    _or_a_clear_error(site, site.run_all)


def _or_a_clear_error(site: FuzzedSite, act: Callable[[], None]) -> str:
    """What only a person can mend ends the run with one line, and leaves the records alone."""
    said = ""
    try:
        act()
    except feedpub.FeedpubError as error:
        said = str(error)
    assert said.isprintable(), said
    assert (site.root / "records/good.md").read_bytes() == GOOD.encode()
    return said
