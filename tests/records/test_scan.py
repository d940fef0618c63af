"""Which files are read as records."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest

from feedpub.config import Config, load_config
from feedpub.model import Problem
from feedpub.records.scan import (
    GRANULARITY,
    NO_SIGNATURE,
    FoundFile,
    RunClock,
    Signature,
    scan_sources,
    walk_sources,
)
from tests.run.helpers import later

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
    followed = "[{path: linked, follow_links: true}]"
    assert names(site, followed) == ["linked/posts/a.md", "linked/posts/g.md"]
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


# --- Folder by folder -------------------------------------------------


def configured(site: Path, records: str) -> Config:
    path = site / "config.yaml"
    path.write_text(CONFIG.format(records=records, output="feeds"), encoding="utf-8")
    return load_config(path, {})


def walk(config: Config) -> dict[str, Signature]:
    """The signature of every file that is found, each only once."""
    problems: list[Problem] = []
    found = [
        (folder.file(name).file, Signature(*signature))
        for folder in walk_sources(config, problems)
        for name, *signature in folder.files
    ]
    assert problems == []
    assert len(dict(found)) == len(found)
    return dict(found)


OVERLAPPING = ["content", "content/deep", "content/a.md", "'content/*.md'", "'content/**/*'"]


def test_overlapping_sources_give_each_file_once_in_whatever_order(site: Path) -> None:
    whole = names(site, "[content]")
    for sources in itertools.permutations(OVERLAPPING, 3):
        config = configured(site, f"[{', '.join(sources)}]")
        scanned = scan_sources(config).files
        assert sorted(walk(config)) == sorted(found.file for found in scanned), sources
        if "content" in sources or "'content/**/*'" in sources:
            assert [found.shown for found in scanned] == whole, sources


def test_a_folder_comes_with_its_files_sorted_and_their_names(site: Path) -> None:
    folders = {folder.shown: folder for folder in walk_sources(configured(site, "[content]"), [])}
    assert sorted(folders) == ["content/", "content/deep/", "content/deep/er/"]
    assert [name for name, *_ in folders["content/"].files] == ["a.md", "b.HTML", "e.jsonl"]
    found = folders["content/deep/er/"].file("c.yaml")
    assert (found.shown, found.below) == ("content/deep/er/c.yaml", "deep/er/c.yaml")
    assert Path(found.file) == site / "content/deep/er/c.yaml"


@pytest.mark.parametrize(
    ("edit", "source"),
    [
        ("append", "other"),
        ("same size", "other/a.md"),
        ("same size and time", "other"),
        ("same size and time", "'other/*.md'"),
        ("replace", "other/a.md"),
        ("touch", "other"),
    ],
)
def test_an_edit_changes_the_signature_of_its_file_alone(
    site: Path, edit: str, source: str
) -> None:
    config, file = configured(site, f"[{source}, other/g.md]"), site / "other/a.md"
    before, status = walk(config), file.stat()
    assert walk(config) == before
    time.sleep(0.02)  # the clock of the file system ticks
    text = file.read_text(encoding="utf-8")
    if edit == "append":
        file.write_text(text + "more", encoding="utf-8")
    elif edit == "replace":
        (site / "copy").write_text(text, encoding="utf-8")
        (site / "copy").replace(file)
    elif edit == "touch":
        file.touch()
    else:
        file.write_text(text.replace("a", "b"), encoding="utf-8")
    if edit == "same size and time":
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = walk(config)
    assert [name for name in after if after[name] != before[name]] == [str(file)]


def test_what_cannot_be_looked_at_is_found_all_the_same(site: Path) -> None:
    """Its reader will say what is wrong with it."""
    (site / "other/broken.md").symlink_to("nowhere")
    assert walk(configured(site, "[other]"))[str(site / "other/broken.md")] == NO_SIGNATURE


@pytest.mark.parametrize("source", ["other", "'other/*'", "'other/**/*.md'"])
def test_names_that_are_no_utf8_are_shown_with_escapes(site: Path, source: str) -> None:
    folder = os.fsencode(site / "other") + b"/\xe4"
    try:
        os.mkdir(folder)  # noqa: PTH102 - a name in bytes
    except OSError:
        pytest.skip("this file system takes no such names")
    with open(folder + b"/\xff\xfe.md", "wb") as file:  # noqa: PTH123 - the same
        file.write(b"---\ntitle: a\n---\n")
    [found] = [f for f in scan_sources(configured(site, f"[{source}]")).files if "\\" in f.shown]
    assert found.shown == "other/\\udce4/\\udcff\\udcfe.md"
    assert found.below == "\\udce4/\\udcff\\udcfe.md"
    assert os.fsencode(found.file) == folder + b"/\xff\xfe.md"
    assert found.shown.isprintable()


@pytest.mark.parametrize(
    "records",
    [
        "[content, content/../content]",
        "[content/deep, content/../content/deep]",
        "[content/a.md, content/deep/../a.md, other/../content/a.md]",
        "[content, link]",
        "[link, content]",
        '[content, "l*/**"]',
    ],
)
def test_two_names_of_a_folder_give_its_files_once(site: Path, records: str) -> None:
    (site / "link").symlink_to("content")
    found = [(file.source.path, Path(site / file.below).name) for file in scanned(site, records)]
    assert len({name for _, name in found}) == len(found)
    assert len({source for source, _ in found}) == 1


def scanned(site: Path, records: str) -> list[FoundFile]:
    path = site / "config.yaml"
    path.write_text(CONFIG.format(records=records, output="feeds"), encoding="utf-8")
    return scan_sources(load_config(path, {})).files


def test_a_folder_goes_by_its_own_name_not_by_that_of_a_link(site: Path) -> None:
    (site / "content/a-link").symlink_to("deep")
    (site / "content/z-link").symlink_to("../other")
    (site / "content/deep/to-other").symlink_to("../../other")
    assert names(site, "[{path: content, follow_links: true}]") == [
        "content/a.md",
        "content/b.HTML",
        "content/deep/d.json",
        "content/deep/er/c.yaml",
        "content/deep/to-other/a.md",
        "content/deep/to-other/g.md",
        "content/e.jsonl",
    ]


def test_folders_that_lead_to_each_other_are_walked_once_each(site: Path) -> None:
    folders = [site / f"many/{n}" for n in range(12)]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "r.md").write_text("---\ntitle: a\n---\n", encoding="utf-8")
    for folder, other in itertools.permutations(folders, 2):
        (folder / f"to-{other.name}").symlink_to(other)
    assert len(scanned(site, "[many]")) == 12


def test_a_glob_that_goes_in_circles_gives_each_file_once(site: Path) -> None:
    (site / "content/loop").symlink_to(".")
    assert names(site, '["content/**/*.md"]') == ["content/a.md"]


def test_a_glob_leaves_out_what_a_folder_would(site: Path) -> None:
    (site / "other/README.md").write_text("# This folder", encoding="utf-8")
    for records in ('["other/**"]', '["other/*"]', '["other*"]', "[other]"):
        assert names(site, records) == ["other/a.md", "other/g.md"]
    assert names(site, "[other/README.md]") == ["other/README.md"]
    for records in ('["other/**"]', '["other/*", other]', "[other, other/README.md]"):
        scanned(site, records)
        config = load_config(site / "config.yaml", {})
        keys = [(folder.source.path, folder.path) for folder in walk_sources(config, [])]
        assert len(set(keys)) == len(keys)


# When a signature proves that a file is unchanged

NOW, OLD = 0, -2 * GRANULARITY  # nanoseconds from now
EPOCH = -time.time_ns()


@pytest.mark.parametrize(
    ("mtime", "ctime", "sure"),
    [
        (OLD, OLD, True),
        (EPOCH + 10**9, OLD, True),  # as archives have it
        (NOW, NOW, False),
        (OLD, NOW, False),  # its time was set back, just now
        (NOW, OLD, False),
        (NOW + 10**15, OLD, False),  # a time in the future tells nothing
        (EPOCH - 10**15, OLD, False),
    ],
    # The same in every process that runs tests.
    ids=["old", "epoch", "now", "set back", "changed now", "future", "before the epoch"],
)
def test_a_signature_is_sure_if_it_is_old_enough(mtime: int, ctime: int, sure: bool) -> None:
    now = time.time_ns()
    assert RunClock().is_sure(Signature(1, now + mtime, now + ctime, 1)) == sure


def test_a_missing_signature_is_never_sure() -> None:
    assert not later().is_sure(NO_SIGNATURE)


def test_a_file_written_just_now_is_sure_later(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    signature = Signature.of((tmp_path / "a").stat())
    assert not RunClock().is_sure(signature)
    assert later().is_sure(signature)
