"""Which files are read as records."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedpub.config import load_config
from feedpub.records.scan import scan_sources

CONFIG = """
site: {{title: A, url: https://feeds.example.org/}}
records: {records}
taxonomy: {{topics: content/topics}}
output: {output}
"""
FILES = [
    "content/a.md",
    "content/b.HTML",
    "content/deep/er/c.yaml",
    "content/deep/d.json",
    "content/e.jsonl",
    "content/notes.txt",
    "content/.hidden.md",
    "content/.git/f.md",
    "content/topics/t.yaml",
    "other/a.md",
    "other/g.md",
    "single.md",
]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("---\ntitle: a\n---\n", encoding="utf-8")
    return tmp_path


def scan(site: Path, records: str, output: str = "feeds") -> list[tuple[str, str, str]]:
    """(path as shown, path below its source, its source) of every file that is found."""
    path = site / "config.yaml"
    path.write_text(CONFIG.format(records=records, output=output), encoding="utf-8")
    found = scan_sources(load_config(path, {}))
    assert found.problems == []
    return [(file.shown, file.below, file.source.path) for file in found.files]


def names(site: Path, records: str) -> list[str]:
    return [shown for shown, _, _ in scan(site, records)]


def test_a_folder_gives_its_record_files_in_order(site: Path) -> None:
    """Not what is hidden, nor of another kind, nor the taxonomy, which lies in it."""
    assert scan(site, "[content]") == [
        ("content/a.md", "a.md", "content"),
        ("content/b.HTML", "b.HTML", "content"),
        ("content/deep/d.json", "deep/d.json", "content"),
        ("content/deep/er/c.yaml", "deep/er/c.yaml", "content"),
        ("content/e.jsonl", "e.jsonl", "content"),
    ]


def test_a_file_and_a_glob_are_sources_too(site: Path) -> None:
    assert scan(site, "[single.md, 'other/*.md']") == [
        ("other/a.md", "a.md", "other/*.md"),
        ("other/g.md", "g.md", "other/*.md"),
        ("single.md", "single.md", "single.md"),
    ]
    assert names(site, "['content/**/*.yaml']") == ["content/deep/er/c.yaml"]
    assert names(site, "['content/deep/*']") == ["content/deep/d.json", "content/deep/er/c.yaml"]


def test_a_glob_beside_the_output_is_a_source(site: Path) -> None:
    """It names no folder that the output could be in."""
    assert names(site, "['*.md']") == ["single.md"]


def test_files_of_several_folders_below_a_glob_keep_their_paths_apart(site: Path) -> None:
    """Ids are made of them."""
    (site / "content/deep/er/a.md").write_text("---\ntitle: a\n---\n", encoding="utf-8")
    found = scan(site, "['content/**/a.md']")
    assert [below for _, below, _ in found] == ["a.md", "deep/er/a.md"]


def test_a_file_is_read_once_for_the_first_source_that_has_it(site: Path) -> None:
    found = scan(site, "[other/a.md, other, 'other/*']")
    assert [(shown, source) for shown, _, source in found] == [
        ("other/a.md", "other/a.md"),
        ("other/g.md", "other"),
    ]


def test_a_link_to_a_folder_is_followed_but_not_in_circles(site: Path) -> None:
    (site / "linked").mkdir()
    (site / "linked/posts").symlink_to(site / "other")
    assert names(site, "[linked]") == ["linked/posts/a.md", "linked/posts/g.md"]
    (site / "linked/loop").symlink_to(site / "linked")
    path = site / "config.yaml"
    found = scan_sources(load_config(path, {}))
    assert [file.shown for file in found.files] == ["linked/posts/a.md", "linked/posts/g.md"]
    assert [problem.path for problem in found.problems] == ["linked/loop"]


def test_the_output_is_never_read(site: Path) -> None:
    (site / "feeds").mkdir()
    (site / "feeds/feed.json").write_text("{}", encoding="utf-8")
    (site / "content/feeds").symlink_to(site / "feeds")
    assert all("feeds" not in name for name in names(site, "[content]"))
