"""Taxonomy files are read only if they may have changed; problems are reported each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedpub.config import Config
from feedpub.records.scan import RunClock
from feedpub.run.rules import Vocabulary
from feedpub.store.store import Store

from .helpers import CONFIG, config, later, scratch, write

TAXONOMY = CONFIG + "taxonomy: {topics: topics, providers: providers}\n"


@pytest.fixture
def site(tmp_path: Path) -> Config:
    write(tmp_path / "topics/news.yaml", "name: News\ndescription: What is new\nparent: World\n")
    write(tmp_path / "topics/bad.yaml", "description: Of nothing\n")
    write(tmp_path / "topics/twice.yaml", "name: news\n")
    write(tmp_path / "providers/p.md", "---\nname: P\ndomain: p.example\n---\nWho they are\n")
    return config(tmp_path, TAXONOMY)


@pytest.fixture
def store() -> Store:
    return scratch()


def description(vocabulary: Vocabulary, topic: str = "News") -> str:
    topics = vocabulary.terms.topics
    return topics.described(topics.term(topic)).description


def pretend(store: Store) -> None:
    """Marks the stored taxonomy, to tell it from the files."""
    store.set_fact("taxonomy", store.fact("taxonomy").replace("What is new", "Remembered"))


def test_a_stored_taxonomy_equals_the_one_that_was_read(site: Config, store: Store) -> None:
    first, second = (Vocabulary(site, store, later()) for _ in range(2))
    assert description(first) == description(second) == "What is new"
    assert [str(problem) for problem in first.problems] == [str(p) for p in second.problems]
    assert {problem.path for problem in first.problems} == {"topics/bad.yaml", "topics/twice.yaml"}
    assert first.fingerprint == second.fingerprint
    above = second.terms.topics.parent(second.terms.topics.term("News"))
    assert above is not None
    assert above.name == "World"


def test_unchanged_files_are_not_read_again(site: Config, store: Store) -> None:
    Vocabulary(site, store, later())
    pretend(store)
    assert description(Vocabulary(site, store, later())) == "Remembered"


@pytest.mark.parametrize("change", ["edit", "add", "remove"])
def test_a_changed_file_is_read_again(site: Config, store: Store, change: str) -> None:
    before = Vocabulary(site, store, later())
    pretend(store)
    topics = site.root / "topics"
    if change == "edit":
        write(topics / "twice.yaml", "name: Old\n")
    elif change == "add":
        write(topics / "deep/new.yaml", "name: New\n")
    else:
        (topics / "news.yaml").unlink()
    after = Vocabulary(site, store, later())
    assert description(after) == ("What is new" if change != "remove" else "")
    assert after.fingerprint != before.fingerprint


def test_a_file_written_just_now_is_read_again(site: Config, store: Store) -> None:
    Vocabulary(site, store, RunClock())
    pretend(store)
    assert description(Vocabulary(site, store, RunClock())) == "What is new"


def test_a_site_without_taxonomy_has_no_problems(tmp_path: Path, store: Store) -> None:
    vocabulary = Vocabulary(config(tmp_path), store, later())
    assert vocabulary.problems == []
    assert vocabulary.terms.topics.term("News").slug == "news"
