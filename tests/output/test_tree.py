"""The output tree: moved in one burst, never half; nothing touched that is somebody else's."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.errors import ForeignFileError, RunError
from feedpub.output.manifest import MANIFEST_NAME, is_safe, read_manifest
from feedpub.output.tree import STAGING, OutputTree

LAST = ("feeds.opml",)
OLD = {
    "rss.xml": b"old",
    "topics/a/rss.xml": b"a",
    "topics/b/rss.xml": b"b",
    "feeds.opml": b"o",
}
NEW = {
    "rss.xml": b"new",
    "topics/a/rss.xml": b"new a",
    "topics/c/rss.xml": b"c",
    "feeds.opml": b"n",
}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "site" / "feeds"


def put(tree: OutputTree, path: str, data: bytes) -> None:
    """A file of the new tree."""
    tree.take(tree.stage(path, data, f"{len(tree.changes.written):06}"))


def run(out: Path, files: Mapping[str, bytes], dry_run: bool = False) -> OutputTree:
    """A whole run, as the pipeline does it."""
    tree = OutputTree(out, "feeds", dry_run)
    try:
        for path, data in files.items():
            put(tree, path, data)
        tree.commit(len(files), LAST)
    except BaseException:
        tree.abandon()
        raise
    return tree


def files(out: Path) -> dict[str, bytes]:
    """All files of the tree but the manifest."""
    found = (path for path in out.rglob("*") if path.is_file())
    tree = {path.relative_to(out).as_posix(): path.read_bytes() for path in found}
    tree.pop(MANIFEST_NAME, None)
    return tree


def everything(out: Path) -> dict[str, tuple[bytes, int]]:
    """All that there is beside and below the tree, with its times."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in out.parent.rglob("*")
        if path.is_file()
    }


class Cut(BaseException):
    """The process ends here."""


def cut_at(monkeypatch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Ends the process at the nth file that is moved; returns the names of those before it."""
    moved: list[str] = []
    replace = os.replace

    def cut(source: Path, target: Path, **handles: Any) -> None:
        if len(moved) == number:
            raise Cut
        replace(source, target, **handles)
        moved.append(Path(target).name)

    monkeypatch.setattr(os, "replace", cut)
    return moved


def test_a_first_run_writes_all_and_a_manifest(out: Path) -> None:
    tree = run(out, OLD)
    assert files(out) == OLD
    assert sorted(tree.changes.written) == sorted(OLD)
    manifest = read_manifest(out)
    assert manifest
    assert manifest.files.keys() == OLD.keys()
    assert manifest.items == 4


def test_a_second_run_changes_what_is_new_and_removes_what_is_gone(out: Path) -> None:
    run(out, OLD)
    tree = run(out, NEW)
    assert files(out) == NEW
    assert sorted(tree.changes.written) == sorted(NEW)
    assert tree.changes.removed == ["topics/b/rss.xml"]
    assert not (out / "topics/b").exists()


def test_an_unchanged_file_is_not_touched(out: Path) -> None:
    run(out, OLD)
    before = everything(out)
    tree = run(out, OLD)
    assert everything(out) == before
    assert (tree.changes.written, tree.changes.removed) == ([], [])
    assert sorted(tree.changes.unchanged) == sorted(OLD)


def test_the_manifest_does_not_depend_on_the_order_of_files(out: Path, tmp_path: Path) -> None:
    run(out, OLD)
    run(tmp_path / "other", dict(reversed(OLD.items())))
    assert (out / MANIFEST_NAME).read_bytes() == (tmp_path / "other" / MANIFEST_NAME).read_bytes()


def test_a_dry_run_touches_nothing(out: Path) -> None:
    run(out, OLD)
    before = everything(out)
    tree = run(out, NEW, dry_run=True)
    assert everything(out) == before
    assert sorted(tree.changes.written) == sorted(NEW)
    assert tree.changes.removed == ["topics/b/rss.xml"]


def test_a_run_that_is_abandoned_leaves_the_tree_as_it_was(out: Path) -> None:
    run(out, OLD)
    before = everything(out)
    tree = OutputTree(out, "feeds")
    put(tree, "rss.xml", b"new")
    tree.abandon()
    assert everything(out) == before


def test_nobody_sees_the_new_before_the_end(out: Path) -> None:
    run(out, OLD)
    tree = OutputTree(out, "feeds")
    for path, data in NEW.items():
        put(tree, path, data)
        seen = {p: d for p, d in files(out).items() if not p.startswith(STAGING)}
        assert seen == OLD


def test_feeds_are_moved_first_catalogues_then_and_the_manifest_last(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(out, OLD)
    moved = cut_at(monkeypatch, 99)
    run(out, dict(reversed(NEW.items())))
    in_place = [name for name in moved if not name.startswith("journal")]
    assert in_place == ["rss.xml", "rss.xml", "rss.xml", "feeds.opml", MANIFEST_NAME]


# --- interrupted -------------------------------------------------------------------


@pytest.mark.parametrize("number", range(7))
def test_a_burst_that_was_cut_is_completed_by_the_next_run(
    out: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    run(out, OLD)
    with monkeypatch.context() as patch:
        moved = cut_at(patch, number)
        if number < 6:
            with pytest.raises(Cut):
                run(out, NEW)
        else:
            run(out, NEW)
    tree = OutputTree(out, "feeds")
    begun = bool(moved) and number < 6
    assert tree.completed_burst is begun
    assert files(out) == (NEW if moved else OLD)
    run(out, NEW)
    assert files(out) == NEW
    manifest = read_manifest(out)
    assert manifest is not None
    assert (manifest.items, set(manifest.files)) == (4, set(NEW))
    assert not (out / STAGING).exists()


def test_a_cut_burst_is_completed_before_anything_that_the_next_run_says(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(out, OLD)
    with monkeypatch.context() as patch:
        cut_at(patch, 3)
        with pytest.raises(Cut):
            run(out, NEW)
    run(out, OLD)
    assert files(out) == OLD


def test_a_dry_run_does_not_complete_a_burst(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(out, OLD)
    with monkeypatch.context() as patch:
        cut_at(patch, 3)
        with pytest.raises(Cut):
            run(out, NEW)
    before = everything(out)
    OutputTree(out, "feeds", dry_run=True)
    assert everything(out) == before


def test_what_was_staged_without_a_journal_is_dropped(out: Path) -> None:
    run(out, OLD)
    tree = OutputTree(out, "feeds")
    put(tree, "rss.xml", b"new")  # and here the machine stops
    assert not OutputTree(out, "feeds").completed_burst
    assert files(out) == OLD


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b"\xff\0", b'{"moves": 1, "removals": 2}'])
def test_a_damaged_journal_is_dropped(
    out: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    run(out, OLD)
    journal = _cut_journal(out, monkeypatch)
    journal.write_bytes(damage)
    assert not OutputTree(out, "feeds").completed_burst
    assert files(out) == OLD


def test_a_staged_file_that_lost_its_bytes_is_not_published(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(out, OLD)
    journal = _cut_journal(out, monkeypatch)
    staged = next(p for p in journal.parent.rglob("*") if p.is_file() and p.read_bytes() == b"new")
    staged.write_bytes(b"")
    assert not OutputTree(out, "feeds").completed_burst
    assert files(out) == OLD
    run(out, NEW)
    assert files(out) == NEW


def _cut_journal(out: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of a run to NEW that was cut before its first move."""
    with monkeypatch.context() as patch:
        cut_at(patch, 1)
        with pytest.raises(Cut):
            run(out, NEW)
    return next((out / STAGING).glob("journal*"))


# --- other people's files -------------------------------------------------------------


@pytest.mark.parametrize("there", ["file", "folder", "link", "broken link"])
@pytest.mark.parametrize("path", ["topics/c/rss.xml", "feeds.opml", "rss.xml"])
def test_a_foreign_file_is_refused_before_anything_moves(out: Path, path: str, there: str) -> None:
    run(out, {"topics/a/rss.xml": b"a"})
    target = out / path
    target.parent.mkdir(parents=True, exist_ok=True)
    outside = out.parent / "mine.txt"
    outside.write_bytes(b"mine")
    if there == "file":
        target.write_bytes(b"mine")
    elif there == "folder":
        target.mkdir()
    else:
        target.symlink_to(outside if there == "link" else out.parent / "nothing")
    before = everything(out)
    with pytest.raises(ForeignFileError) as caught:
        run(out, NEW)
    assert f"feeds/{path}" in str(caught.value)
    assert everything(out) == before


@pytest.mark.parametrize("folder", ["topics", "topics/c"])
def test_a_foreign_file_in_the_place_of_a_folder_is_refused_too(out: Path, folder: str) -> None:
    run(out, {"rss.xml": b"old"})
    (out / folder).parent.mkdir(exist_ok=True)
    (out / folder).write_bytes(b"mine")
    before = everything(out)
    with pytest.raises(RunError):
        run(out, NEW)
    assert everything(out) == before
    (out / folder).unlink()
    run(out, NEW)
    assert files(out) == NEW


def test_a_foreign_file_that_is_as_it_would_be_written_is_no_hindrance(out: Path) -> None:
    out.mkdir(parents=True)
    (out / "rss.xml").write_bytes(b"new")
    run(out, NEW)
    assert files(out) == NEW


def test_files_beside_the_feeds_are_left_alone(out: Path) -> None:
    run(out, OLD)
    (out / "topics/b/notes.txt").write_bytes(b"mine")
    (out / "CNAME").write_bytes(b"mine")
    run(out, NEW)
    assert files(out) == NEW | {"topics/b/notes.txt": b"mine", "CNAME": b"mine"}


def test_a_removed_feed_that_somebody_changed_is_kept_and_named(out: Path) -> None:
    run(out, OLD)
    (out / "topics/b/rss.xml").write_bytes(b"mine")
    tree = run(out, NEW)
    assert (out / "topics/b/rss.xml").read_bytes() == b"mine"
    assert (tree.changes.kept, tree.changes.removed) == (["topics/b/rss.xml"], [])


def test_an_own_file_that_somebody_changed_or_deleted_is_mended(out: Path) -> None:
    run(out, OLD)
    (out / "rss.xml").write_bytes(b"mine")
    (out / "feeds.opml").unlink()
    run(out, OLD)
    assert files(out) == OLD


def test_a_feed_may_be_called_what_feedpub_calls_its_own_files(out: Path) -> None:
    named = {"journal.json": b"a", "journal.new": b"b", "manifest": b"c", "000000": b"d", "x": b"e"}
    run(out, named)
    assert files(out) == named
    run(out, {name: data + b"!" for name, data in named.items()})
    assert files(out) == {name: data + b"!" for name, data in named.items()}


def test_a_feed_that_is_put_twice_is_what_it_was_last(out: Path) -> None:
    tree = OutputTree(out, "feeds")
    for path, data in (("a", b"1"), ("b", b"2"), ("a", b"3"), ("c", b"4")):
        put(tree, path, data)
    tree.commit(1, LAST)
    assert files(out) == {"a": b"3", "b": b"2", "c": b"4"}


def test_a_folder_that_cannot_be_made_is_a_run_error(out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("a file")  # what root cannot write through, either
    with pytest.raises(RunError, match="cannot be written"):
        run(out / "feeds", NEW)
    assert out.read_text() == "a file"


# --- tampered ---------------------------------------------------------------------------

OUT_OF_TREE = [
    "../mine.txt",
    "a/../../mine.txt",
    "/etc/mine",
    "..",
    ".",
    "",
    "a//b",
    "a\\..\\b",
    "./a",
]


@pytest.mark.parametrize("path", OUT_OF_TREE)
def test_a_manifest_that_leads_out_of_the_tree_is_refused(out: Path, path: str) -> None:
    run(out, OLD)
    (out.parent / "mine.txt").write_bytes(b"mine")
    manifest = json.loads((out / MANIFEST_NAME).read_bytes())
    manifest["files"][path] = manifest["files"]["rss.xml"]
    (out / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
    before = everything(out)
    with pytest.raises(RunError) as caught:
        run(out, NEW)
    assert MANIFEST_NAME in str(caught.value)
    assert everything(out) == before


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"feedpub": 99, "items": 1, "files": {}}', "\x00"]
)
def test_a_manifest_that_cannot_be_understood_stops_the_run(out: Path, text: str) -> None:
    """Not knowing which files are its own, feedpub must neither replace nor remove any."""
    run(out, OLD)
    (out / MANIFEST_NAME).write_text(text, encoding="utf-8")
    before = everything(out)
    with pytest.raises(RunError):
        run(out, NEW)
    assert everything(out) == before


def test_a_journal_that_leads_out_of_the_tree_moves_and_removes_nothing_there(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(out, OLD)
    written = json.loads(_cut_journal(out, monkeypatch).read_bytes())
    count = len(_strings(written))
    assert count
    for place in range(count):
        for path in ("../mine.txt", "../../mine.txt", str(out.parent / "mine.txt")):
            for mine in (out.parent / "mine.txt", out / "mine.txt"):
                mine.write_bytes(b"mine")
            journal = _cut_journal(out, monkeypatch)
            journal.write_text(json.dumps(_changed(written, place, path)), encoding="utf-8")
            OutputTree(out, "feeds")
            assert (out.parent / "mine.txt").read_bytes() == b"mine", (place, path)
            assert (out / "mine.txt").read_bytes() == b"mine", (place, path)
            run(out, OLD)


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in _strings(part)]
    return [value] if isinstance(value, str) else []


def _changed(value: Any, place: int, text: str) -> Any:
    """A JSON value with its nth string (keys count) replaced."""
    counter = iter(range(10**6))

    def change(part: Any) -> Any:
        if isinstance(part, dict):
            return {change(key): change(child) for key, child in part.items()}
        if isinstance(part, list):
            return [change(child) for child in part]
        return text if isinstance(part, str) and next(counter) == place else part

    return change(value)


# --- links -------------------------------------------------------------------------------


@pytest.fixture
def outside(out: Path) -> Path:
    """A folder of somebody else's, with a file that is called like a feed."""
    folder = out.parent / "outside"
    (folder / "a").mkdir(parents=True)
    (folder / "a/rss.xml").write_bytes(b"a")
    (folder / "b").mkdir()
    (folder / "b/rss.xml").write_bytes(b"b")
    return folder


def linked(out: Path, path: str, to: Path) -> None:
    """Puts a link in the place of a folder."""
    shutil.rmtree(out / path, ignore_errors=True)
    (out / path).symlink_to(to)


@pytest.mark.parametrize("new", [NEW, {"rss.xml": b"new"}], ids=["written", "removed"])
def test_a_linked_folder_leads_nothing_out(out: Path, outside: Path, new: dict[str, bytes]) -> None:
    """The manifest names files through it, byte for byte as they are there."""
    run(out, OLD)
    linked(out, "topics", outside)
    before = everything(outside / "a")
    if new is NEW:
        with pytest.raises(ForeignFileError, match=r"feeds/topics: this symbolic link"):
            run(out, new)
        assert (out / "rss.xml").read_bytes() == b"old"
    else:
        assert run(out, new).changes.kept == ["topics/a/rss.xml", "topics/b/rss.xml"]
    assert everything(outside / "a") == before


def test_a_linked_file_is_replaced_and_not_written_through(out: Path, outside: Path) -> None:
    run(out, OLD)
    (out / "rss.xml").unlink()
    (out / "rss.xml").symlink_to(outside / "a/rss.xml")
    run(out, NEW)
    assert files(out) == NEW
    assert not (out / "rss.xml").is_symlink()
    assert (outside / "a/rss.xml").read_bytes() == b"a"


def test_a_linked_staging_folder_is_replaced(out: Path, outside: Path) -> None:
    run(out, OLD)
    (out / STAGING).symlink_to(outside)
    before = everything(outside / "a")
    run(out, NEW)
    assert files(out) == NEW
    assert everything(outside / "a") == before


def test_a_linked_manifest_is_refused(out: Path, outside: Path) -> None:
    run(out, OLD)
    (out / MANIFEST_NAME).rename(outside / "manifest")
    (out / MANIFEST_NAME).symlink_to(outside / "manifest")
    with pytest.raises(RunError, match="symbolic link"):
        run(out, NEW)


def test_the_output_folder_itself_may_be_a_link(out: Path) -> None:
    disk = out.parent / "disk"
    disk.mkdir(parents=True)
    out.symlink_to(disk)
    run(out, OLD)
    run(out, NEW)
    assert files(disk) == NEW


def test_a_journal_removes_nothing_that_the_manifest_does_not_name(
    out: Path, outside: Path
) -> None:
    run(out, OLD)
    (out / "CNAME").write_bytes(b"mine")
    (out / "linked").symlink_to(outside)
    (out / "topics/b/rss.xml").write_bytes(b"mine")  # changed since
    paths = ["CNAME", "linked/a/rss.xml", "linked", "topics/b/rss.xml"]
    for key in ("removals", "clearings"):
        (out / STAGING).mkdir()
        journal = {"moves": [], "clearings": [], "removals": [], key: paths}
        (out / STAGING / "journal.json").write_text(json.dumps(journal), encoding="utf-8")
        OutputTree(out, "feeds")
        assert (out / "CNAME").read_bytes() == (out / "topics/b/rss.xml").read_bytes() == b"mine"
        assert (out / "linked/a/rss.xml").read_bytes() == b"a"
        assert not (out / STAGING).exists()


@pytest.mark.parametrize("path", ["CNAME", "linked/a/rss.xml", "linked/new.xml"])
def test_a_journal_moves_nothing_over_what_is_not_feedpubs(
    out: Path, outside: Path, path: str
) -> None:
    run(out, OLD)
    (out / "CNAME").write_bytes(b"mine")
    (out / "linked").symlink_to(outside)
    (out / STAGING).mkdir()
    (out / STAGING / "0").write_bytes(b"evil")
    moves = [["0", path, hashlib.sha256(b"evil").hexdigest()]]
    journal = {"moves": moves, "clearings": [], "removals": []}
    (out / STAGING / "journal.json").write_text(json.dumps(journal), encoding="utf-8")
    before = everything(outside / "a")
    OutputTree(out, "feeds")
    assert (out / "CNAME").read_bytes() == b"mine"
    assert everything(outside / "a") == before
    run(out, NEW)
    assert (out / "rss.xml").read_bytes() == b"new"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"moves": [["0", "a\\ud800", "0"]]}'])
def test_a_hostile_journal_or_manifest_is_no_fault_of_feedpubs_own(out: Path, text: str) -> None:
    run(out, OLD)
    (out / STAGING).mkdir()
    (out / STAGING / "journal.json").write_text(text, encoding="utf-8")
    run(out, NEW)
    assert files(out) == NEW
    (out / MANIFEST_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match="is damaged"):
        run(out, OLD)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
def test_a_fifo_in_the_place_of_a_file_holds_nothing_up(out: Path) -> None:
    run(out, OLD)
    (out / "rss.xml").unlink()
    os.mkfifo(out / "rss.xml")
    run(out, NEW)
    assert files(out) == NEW


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(["..", ".", "a", "/", "//", "\\", "\0", "b.xml", ""])).map("".join))
def test_a_safe_path_stays_below(path: str) -> None:
    if is_safe(path):
        assert os.path.normpath(path) == path
        assert not path.startswith(("/", "../"))
        assert path not in {"", ".", ".."}
