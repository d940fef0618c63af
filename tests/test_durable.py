"""Files written whole, locks, and folders that nothing below leads out of."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from feedpub import durable
from feedpub.durable import LinkError, Root, locked, write_atomic


@pytest.fixture(params=["handles", "paths"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    """A folder, on a system with handles of folders and on one without."""
    monkeypatch.setattr(durable, "_HAS_HANDLES", request.param == "handles")
    (tmp_path / "outside/deep").mkdir(parents=True)
    (tmp_path / "outside/deep/mine.txt").write_bytes(b"mine")
    (tmp_path / "root").mkdir()
    return Root(tmp_path / "root")


@pytest.fixture
def outside(root: Root) -> Path:
    return Path(root.path).parent / "outside"


def test_a_file_is_written_read_moved_and_removed(root: Root) -> None:
    root.write("new/a.txt", b"a", sync=True)
    assert root.read("new/a.txt") == b"a"
    assert root.holds("new/a.txt", b"a")
    assert not root.holds("new/a.txt", b"b")
    assert root.digest("new/a.txt").startswith("ca978112ca1bbdcafac231b39a23dc4d")
    root.rename("new/a.txt", "other/place/b.txt")
    root.write("other/c.txt", b"c")
    with pytest.raises(FileExistsError):
        root.rename_to_free("other/c.txt", "other/place/b.txt")
    with pytest.raises(FileExistsError):
        root.create("other/c.txt")
    root.rename_to_free("other/c.txt", "c.txt")
    assert sorted(path for path, _ in root.walk()) == ["c.txt", "other/place/b.txt"]
    root.remove("other/place/b.txt")
    root.remove("other/place/b.txt")
    root.prune("other/place/b.txt")
    assert sorted(path.name for path in Path(root.path).iterdir()) == ["c.txt", "new"]


CALLS: dict[str, Callable[[Root, str], object]] = {
    "read": lambda root, path: root.read(path),
    "status": lambda root, path: root.status(path),
    "read_link": lambda root, path: root.read_link(path),
    "create": lambda root, path: root.create(f"{path}.new"),
    "write": lambda root, path: root.write(path, b"evil"),
    "rename from": lambda root, path: root.rename(path, "taken.txt"),
    "rename to": lambda root, path: root.rename("own.txt", path),
    "rename to free": lambda root, path: root.rename_to_free("own.txt", f"{path}.new"),
    "remove": lambda root, path: root.remove(path),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("depth", ["", "folder/"])
def test_nothing_goes_through_a_linked_folder(
    root: Root, outside: Path, call: Callable[[Root, str], object], depth: str
) -> None:
    root.write("own.txt", b"own")
    root.write("folder/file.txt", b"own")
    Path(root.path, depth, "linked").symlink_to(outside)
    with pytest.raises(LinkError) as caught:
        call(root, f"{depth}linked/deep/mine.txt")
    assert caught.value.filename == f"{root.path}/{depth}linked"
    assert [path for path in outside.rglob("*") if path.is_file()] == [outside / "deep/mine.txt"]
    assert (outside / "deep/mine.txt").read_bytes() == b"mine"
    assert root.is_behind_link(f"{depth}linked/deep/mine.txt")
    assert not root.exists(f"{depth}linked/deep/mine.txt")
    assert not root.holds(f"{depth}linked/deep/mine.txt", b"mine")
    assert not root.digest(f"{depth}linked/deep/mine.txt")
    root.prune(f"{depth}linked/deep/mine.txt")
    assert sorted(path for path, _ in root.walk()) == sorted(
        ["folder/file.txt", "own.txt", f"{depth}linked"]
    )


def test_a_linked_file_is_not_read_written_or_followed(root: Root, outside: Path) -> None:
    Path(root.path, "link").symlink_to(outside / "deep/mine.txt")
    for call in (lambda: root.read("link"), lambda: root.write("link", b"evil")):
        if durable._HAS_HANDLES:
            with pytest.raises(LinkError):
                call()
    root.write("own", b"own")
    root.rename("own", "link")
    assert root.read("link") == b"own"
    assert (outside / "deep/mine.txt").read_bytes() == b"mine"


def test_of_a_linked_tree_the_link_alone_is_removed(root: Root, outside: Path) -> None:
    root.write("tree/a/b", b"own")
    Path(root.path, "tree/a/linked").symlink_to(outside)
    root.remove_tree("tree")
    assert not root.exists("tree")
    Path(root.path, "linked").symlink_to(outside)
    root.remove_tree("linked")
    assert not root.exists("linked")
    assert (outside / "deep/mine.txt").read_bytes() == b"mine"


def test_the_root_itself_may_be_a_link(root: Root, outside: Path) -> None:
    Path(root.path, "link").symlink_to(outside)
    below = Root(Path(root.path, "link"))
    below.write("new/file.txt", b"new")
    assert (outside / "new/file.txt").read_bytes() == b"new"
    assert sorted(path for path, _ in below.walk()) == ["deep/mine.txt", "new/file.txt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
@pytest.mark.parametrize("make", [os.mkfifo if hasattr(os, "mkfifo") else os.mkdir, os.mkdir])
def test_what_is_no_regular_file_is_refused_without_waiting(
    root: Root, make: Callable[[str], None]
) -> None:
    make(f"{root.path}/odd")
    with pytest.raises(OSError, match="odd"):
        root.read("odd")
    assert not root.digest("odd")


def test_a_file_is_at_every_moment_wholly_old_or_wholly_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomic(tmp_path / "new/state.json", b"old")

    def full(*args: object, **how: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space"):
            write_atomic(tmp_path / "new/state.json", b"new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["state.json"]
    assert (tmp_path / "new/state.json").read_bytes() == b"old"


HOLDER = """
import sys
from pathlib import Path
from feedpub.durable import locked
with locked(Path(sys.argv[1])) as has_lock:
    print(has_lock, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("is_folder", [True, False])
def test_one_process_at_a_time_has_a_lock(tmp_path: Path, is_folder: bool) -> None:
    pytest.importorskip("fcntl")
    place = tmp_path / "place"
    if is_folder:
        place.mkdir()
    command = [sys.executable, "-c", HOLDER, str(place)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "True\n"
        with pytest.raises(BlockingIOError), locked(place, 0.1):
            pass
        holder.kill()
    with locked(place, 5.0) as has_lock:
        assert has_lock
        assert place.exists()
    assert place.exists() is is_folder


@pytest.mark.parametrize("path", ["../a", "a/../../b", ".."])
def test_no_path_leads_up(root: Root, path: str) -> None:
    with pytest.raises(OSError, match="leads out"):
        root.write(path, b"x")
    assert not root.exists(path)
