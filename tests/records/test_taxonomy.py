"""Taxonomy files: what is known of topics and providers besides the records."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedpub.config import load_config
from feedpub.model import TermFile
from feedpub.records.rules import TaxonomyRules
from feedpub.records.taxonomy import TermFiles, read_taxonomy

CONFIG = """
site: {title: A, url: https://feeds.example.org/, home: https://example.org/}
records: [records]
taxonomy: {topics: topics, providers: organizations}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for folder in ("records", "topics", "organizations"):
        (tmp_path / folder).mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def read(site: Path, **files: str) -> TermFiles:
    """The taxonomy of topic files, each by its name without the dot."""
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (site / "topics" / f"{stem}.{suffix}").write_bytes(text.encode())
    return read_taxonomy(TaxonomyRules.of(load_config(site / "config.yaml", {})))


def topic(site: Path, **files: str) -> TermFile:
    found = read(site, **files)
    assert found.problems == []
    return found.topics[0]


def test_a_topic_file_as_the_records_have_them(site: Path) -> None:
    text = """taxonomy: topic
_id: ai-ethics
name: AI Ethics &amp; more
otherNames: [Ethics, "AI: ethics"]
parent: AI
hashtags: ["#ai"]
description: All of <b>it</b>
images:
  - {url: /s.png, width: 50}
  - {url: /l.png, width: 400}
  - {url: /m.png, width: 100}
"""
    assert topic(site, a_yaml=text) == TermFile(
        path="topics/a.yaml",
        name="AI Ethics & more",
        id="ai-ethics",
        other_names=("Ethics", "AI: ethics"),
        parent="AI",
        description="All of it",
        image="https://example.org/l.png",
    )


def test_a_provider_file_with_a_body(site: Path) -> None:
    (site / "organizations" / "acme.example.md").write_text(
        "---\n_id: acme.example\nname: Acme\ndomain: Acme.example\nurl: https://acme.example/a\n"
        "images: [{url: /a.png}]\n---\nMakers of <b>everything</b>.\n",
        encoding="utf-8",
    )
    found = read(site)
    assert found.topics == []
    assert found.providers == [
        TermFile(
            path="organizations/acme.example.md",
            name="Acme",
            id="acme.example",
            description="Makers of everything.",
            domain="acme.example",
            url="https://acme.example/a",
            image="https://example.org/a.png",
        )
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a_yml", "name: A\n"),
        ("a_json", '{"name": "A"}'),
        ("a_md", "---\r\nname: A\r\n---\r\n"),
        ("a_html", "---\ntitle: A\n---\n"),
        ("a_yaml", "\ufeffname: A\n"),
    ],
)
def test_every_kind_of_file(site: Path, name: str, text: str) -> None:
    assert topic(site, **{name: text}).name == "A"


def test_other_files_are_passed_over(site: Path) -> None:
    found = read(
        site, README_md="# Topics", _draft_yaml="name: x", a_txt="name: y", **{".b_yaml": "x"}
    )
    assert (found.topics, found.problems) == ([], [])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("description: no name\n", "name"),
        ("name: A\n_id: ../a\n", "_id"),
        ("name: A\n_id: a/b\n", "_id"),
        ("name: A\n_id: con\n", "_id"),
        ("name: A\n_id: best.\n", "_id"),
        ("name: A\nurl: example.org\n", "url"),
        ("name: A\nimages: [{url: 'javascript:x'}]\n", "images"),
        ("name: [A\n", ""),
        ("- A\n", ""),
        ("", ""),
    ],
)
def test_what_cannot_be_used_is_named_and_does_not_stop_the_others(
    site: Path, text: str, key: str
) -> None:
    found = read(site, a_yaml=text, b_yaml="name: B\n")
    assert [(p.path, p.key, p.fatal) for p in found.problems] == [("topics/a.yaml", key, False)]
    assert found.topics[-1].name == "B"
    assert all(term.id == "" for term in found.topics)


def test_images_of_any_shape_do_no_harm(site: Path) -> None:
    for images in ("/a.png", "[/a.png]", "{url: /a.png}", "[{url: /a.png, width: wide}]"):
        assert (
            topic(site, a_yaml=f"name: A\nimages: {images}\n").image == "https://example.org/a.png"
        )
    for images in ("[]", "[[a]]", "5", "[{width: 5}]"):
        found = read(site, a_yaml=f"name: A\nimages: {images}\n")
        assert found.topics[0].image in {"", "https://example.org/5"}
