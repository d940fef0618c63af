"""What is remembered is used if it can be trusted; else the run begins anew, and says why."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedpub.store.opening import NAME, StoreOwner, StoreSession
from feedpub.store.schema import VERSION

from .helpers import MINE, add_file, memory, row

RECORDS = [row(f"guid {n}", n, topics="word " * 9) for n in range(40)]
STAMP = "state.stamp"
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a second process")


def told(run: StoreSession) -> str:
    """What is said of it, whether it must be known or not."""
    assert not (run.note and run.warning)
    return run.note or run.warning


def fill(folder: Path, word: str = "mine") -> Path:
    """Leaves a memory."""
    with memory(folder, ignore=True) as run:
        run.store.set_fact("word", word)
        add_file(run.store, RECORDS)
        run.store.index()
        run.commit()
        assert told(run) == ""
    return folder


def said(folder: Path, **how: bool) -> tuple[object, str]:
    """What a run finds there, and the note it gives."""
    with memory(folder, **how) as run:
        return run.store.fact("word"), told(run)


def change(folder: Path, word: str) -> None:
    """A run that ends well."""
    with memory(folder) as run:
        run.store.set_fact("word", word)
        run.commit()


def files(folder: Path) -> dict[str, bytes | None]:
    return {p.name: p.read_bytes() if p.is_file() else None for p in folder.iterdir()}


def elsewhere(work: Callable[[], object]) -> int:
    """The exit status of a process that does this; -9 if it was killed."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder with a memory."""
    return fill(tmp_path / "state")


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a folder, to make copies of; a run was killed in it, so there is a log as well."""
    folder = fill(tmp_path_factory.mktemp("pattern"))
    if hasattr(os, "fork"):
        assert elsewhere(lambda: killed_after_commit(folder)) == -signal.SIGKILL
    return folder


def killed_after_commit(folder: Path) -> None:
    run = memory(folder)
    run.store.set_fact("word", "newer")
    run.store._db.execute("COMMIT")
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_first_run_finds_nothing_and_leaves_a_memory(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    with memory(folder) as run:
        assert run.store.is_new
        assert told(run) == ""
        run.commit()
    assert files(folder).keys() == {NAME, STAMP}
    with memory(folder) as run:
        assert not run.store.is_new


def test_without_commit_all_is_as_it_was(kept: Path) -> None:
    before = files(kept)
    for ignore in (False, True):
        with memory(kept, ignore=ignore) as run:
            run.store.set_fact("word", "other")
        assert files(kept) == before
    assert said(kept) == ("mine", "")


def test_a_run_that_changed_nothing_writes_nothing(kept: Path) -> None:
    before = [(path, path.stat().st_mtime_ns) for path in sorted(kept.iterdir())]
    with memory(kept) as run:
        run.commit()
    assert [(path, path.stat().st_mtime_ns) for path in sorted(kept.iterdir())] == before


def test_what_is_ignored_is_replaced(kept: Path) -> None:
    assert said(kept, ignore=True) == (None, "")
    fill(kept, "anew")
    assert said(kept) == ("anew", "")


@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize("there", [False, True])
def test_where_nothing_is_to_be_kept_nothing_is_written(
    tmp_path: Path, ignore: bool, there: bool
) -> None:
    folder = fill(tmp_path / "state") if there else tmp_path
    before = files(folder)
    with memory(folder, ignore=ignore, keep=False) as run:
        assert run.store.fact("word") == ("mine" if there and not ignore else None)
        run.store.set_fact("word", "other")
        assert run.store.fact("word") == "other"
        run.commit()
        assert told(run) == ""
    assert files(folder) == before


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (MINE._replace(configuration="another"), "another configuration"),
        (MINE._replace(program="another"), "another version"),
    ],
)
def test_the_memory_of_another_is_not_used(kept: Path, other: StoreOwner, why: str) -> None:
    with memory(kept, other) as run:
        assert run.store.fact("word") is None
        assert why in told(run)
        run.commit()
    assert told(memory(kept, other)) == ""


@pytest.mark.parametrize(
    ("version", "why"), [(VERSION + 1, "newer"), (VERSION - 1, "another feedpub"), (0, "another")]
)
def test_the_memory_of_another_version_is_not_used(kept: Path, version: int, why: str) -> None:
    """Version 0 is that of a database that feedpub did not make."""
    with memory(kept) as run:
        run.store._db.execute(f"PRAGMA user_version = {version}")
        run.store.set_fact("word", "other")
        run.commit()
    word, note = said(kept)
    assert word is None
    assert why in note


@given(
    name=st.sampled_from([NAME, NAME, STAMP, f"{NAME}-wal", f"{NAME}-shm", f"{NAME}.new"]),
    place=st.floats(0, 1),
    data=st.binary(min_size=1, max_size=64),
    cut=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damage_is_told_or_does_no_harm(
    pattern: Path,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    place: float,
    data: bytes,
    cut: bool,
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    shutil.rmtree(folder)
    shutil.copytree(pattern, folder)
    path = folder / name
    whole = path.read_bytes() if path.exists() else b""
    at = int(place * len(whole))
    path.write_bytes(whole[:at] + data + (b"" if cut else whole[at + len(data) :]))
    with memory(folder) as run:
        if told(run):
            assert told(run).count(NAME) == 1
            assert told(run).endswith("all files are read again")
            assert run.store.is_new
            assert run.store.count_records() == (0, {})
        else:
            assert run.store.fact("word") in {"mine", "newer"}
            found = [stored.row for stored in run.store.records_after(0, 99)]
            assert found == RECORDS
        run.store.set_fact("word", "next")
        run.commit()
    assert said(folder) == ("next", "")
    shutil.rmtree(folder)


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0", b"no database\n" * 999])
def test_what_is_no_database_is_replaced(kept: Path, data: bytes) -> None:
    (kept / NAME).write_bytes(data)
    word, note = said(kept)
    assert (word, bool(note)) == (None, True)
    change(kept, "anew")
    assert said(kept) == ("anew", "")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff", b"[]", b"{}", b'{"signature": 1}', b"null",
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_stamp_that_says_nothing_is_none(kept: Path, data: bytes) -> None:
    (kept / STAMP).write_bytes(data)
    word, note = said(kept)
    assert (word, bool(note)) == (None, True)


def test_a_memory_that_was_copied_with_its_stamp_is_used(kept: Path, tmp_path: Path) -> None:
    """As a cache does it: times and inodes are others, the bytes are the same."""
    shutil.copytree(kept, tmp_path / "copy", copy_function=shutil.copyfile)
    assert said(tmp_path / "copy") == ("mine", "")


@pytest.mark.parametrize("name", [NAME, f"{NAME}.new", "."])
def test_what_is_in_the_way_is_left_alone(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "state"
    if name == ".":
        folder.write_text("mine")
    else:
        (folder / name).mkdir(parents=True)
        (folder / name / "mine.txt").write_text("mine")
    with memory(folder) as run:
        run.store.set_fact("word", "anew")
        run.commit()
        assert "cannot be written" in run.warning
    [left] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left.read_text() == "mine"


@forks
def test_a_memory_in_use_is_left_to_the_other_run(kept: Path) -> None:
    begun, begin = os.pipe()
    end, ended = os.pipe()

    def other_run() -> None:
        with memory(kept) as run:
            run.store.set_fact("word", "theirs")
            os.write(begin, b".")
            os.read(end, 1)
            run.commit()

    def this_run() -> None:
        os.read(begun, 1)
        with memory(kept) as run:
            assert "in use by another run" in run.warning
            run.store.set_fact("word", "ours")
            os.write(ended, b".")
            run.commit()

    pid = os.fork()
    if pid == 0:
        try:
            other_run()
        finally:
            os._exit(0)
    try:
        this_run()
    finally:
        os.waitpid(pid, 0)
        for fd in (begun, begin, end, ended):
            os.close(fd)
    assert said(kept) == ("theirs", "")
    assert files(kept).keys() == {NAME, STAMP}


@pytest.mark.parametrize("first", [True, False])
def test_killed_between_commit_and_stamp(tmp_path: Path, first: bool) -> None:
    """The database is the new one, the stamp that of the one before."""
    fill(tmp_path)
    before = (tmp_path / STAMP).read_bytes()
    change(tmp_path, "newer")
    if first:
        (tmp_path / STAMP).unlink()
    else:
        (tmp_path / STAMP).write_bytes(before)
    word, note = said(tmp_path)
    assert word is None
    assert "was changed by another program" in note
    change(tmp_path, "newest")
    assert said(tmp_path) == ("newest", "")


@forks
def test_killed_before_the_log_is_in_the_database(kept: Path) -> None:
    assert elsewhere(lambda: killed_after_commit(kept)) == -signal.SIGKILL
    change(kept, "newest")
    assert said(kept) == ("newest", "")


@forks
@pytest.mark.parametrize("keep", [True, False])
def test_a_run_that_keeps_nothing_spoils_nothing_after_a_kill(kept: Path, keep: bool) -> None:
    assert elsewhere(lambda: killed_after_commit(kept)) == -signal.SIGKILL
    # Who keeps nothing works on a copy of what was left with its stamp, which is as good a memory.
    assert said(kept, keep=keep) == ("newer" if keep else "mine", "")
    assert said(kept) == ("newer", "")


@forks
def test_who_looks_on_spoils_nothing(kept: Path) -> None:
    """A dry run that is under way while another run ends."""
    begun, begin = os.pipe()
    end, ended = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ended)
            with memory(kept, keep=False) as run:
                run.store.fact("word")
                os.write(begin, b".")
                os.read(end, 1)
        finally:
            os._exit(0)
    try:
        os.read(begun, 1)
        change(kept, "newer")
    finally:
        os.close(ended)
        os.waitpid(pid, 0)
        for fd in (begun, begin, end):
            os.close(fd)
    assert said(kept) == ("newer", "")


def test_two_new_memories_at_once_are_not_mixed(tmp_path: Path) -> None:
    """Of two outputs with one state: each has a lock of its own."""
    with memory(tmp_path, ignore=True) as one, memory(tmp_path, ignore=True) as other:
        one.store.set_fact("word", "one")
        other.store.set_fact("word", "other")
        assert "in use" in other.warning
        other.commit()
        one.commit()
    assert said(tmp_path) == ("one", "")


def test_a_memory_becomes_smaller_when_much_is_gone(tmp_path: Path) -> None:
    with memory(tmp_path) as run:
        rows = [row(str(n), n, digest=b"d" * 200) for n in range(2000)]
        many, few = add_file(run.store, rows[100:]), add_file(run.store, rows[:100])
        run.store.index()
        run.commit()
    before = (tmp_path / NAME).stat().st_size
    with memory(tmp_path) as run:
        run.store.remove_files([many])
        run.commit()
    assert (tmp_path / NAME).stat().st_size < before / 4
    with memory(tmp_path) as run:
        assert told(run) == ""
        assert [stored.row for stored in run.store.records_of(few)] == rows[:100]
