"""A store is used if it can be trusted. Otherwise a new one is created, with a message."""

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

from .helpers import MINE, add_file, open_session, row

RECORDS = [row(f"guid {n}", n, topics="word " * 9) for n in range(40)]
STAMP = "state.stamp"
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a second process")


def message_of(run: StoreSession) -> str:
    """The note or the warning of a session."""
    assert not (run.note and run.warning)
    return run.note or run.warning


def fill(folder: Path, word: str = "mine") -> Path:
    """Creates a store."""
    with open_session(folder, ignore=True) as run:
        run.store.set_fact("word", word)
        add_file(run.store, RECORDS)
        run.store.index()
        run.commit()
        assert message_of(run) == ""
    return folder


def reopen(folder: Path, **how: bool) -> tuple[object, str]:
    """The word in the store, and the message of the session."""
    with open_session(folder, **how) as run:
        return run.store.fact("word"), message_of(run)


def change(folder: Path, word: str) -> None:
    """A successful run."""
    with open_session(folder) as run:
        run.store.set_fact("word", word)
        run.commit()


def files(folder: Path) -> dict[str, bytes | None]:
    return {p.name: p.read_bytes() if p.is_file() else None for p in folder.iterdir()}


def elsewhere(work: Callable[[], object]) -> int:
    """Runs work in a child process; returns its exit status, -9 if it was killed."""
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
    """A folder with a store."""
    return fill(tmp_path / "state")


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and its log, because a run was killed in it; tests copy it."""
    folder = fill(tmp_path_factory.mktemp("pattern"))
    if hasattr(os, "fork"):
        assert elsewhere(lambda: killed_after_commit(folder)) == -signal.SIGKILL
    return folder


def killed_after_commit(folder: Path) -> None:
    run = open_session(folder)
    run.store.set_fact("word", "newer")
    run.store._db.execute("COMMIT")
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_first_run_creates_a_store(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    with open_session(folder) as run:
        assert run.store.is_new
        assert message_of(run) == ""
        run.commit()
    assert files(folder).keys() == {NAME, STAMP}
    with open_session(folder) as run:
        assert not run.store.is_new


def test_without_commit_nothing_changes(kept: Path) -> None:
    before = files(kept)
    for ignore in (False, True):
        with open_session(kept, ignore=ignore) as run:
            run.store.set_fact("word", "other")
        assert files(kept) == before
    assert reopen(kept) == ("mine", "")


def test_a_run_that_changed_nothing_writes_nothing(kept: Path) -> None:
    before = [(path, path.stat().st_mtime_ns) for path in sorted(kept.iterdir())]
    with open_session(kept) as run:
        run.commit()
    assert [(path, path.stat().st_mtime_ns) for path in sorted(kept.iterdir())] == before


def test_an_ignored_store_is_replaced(kept: Path) -> None:
    assert reopen(kept, ignore=True) == (None, "")
    fill(kept, "anew")
    assert reopen(kept) == ("anew", "")


@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize("there", [False, True])
def test_without_keep_nothing_is_written(tmp_path: Path, ignore: bool, there: bool) -> None:
    folder = fill(tmp_path / "state") if there else tmp_path
    before = files(folder)
    with open_session(folder, ignore=ignore, keep=False) as run:
        assert run.store.fact("word") == ("mine" if there and not ignore else None)
        run.store.set_fact("word", "other")
        assert run.store.fact("word") == "other"
        run.commit()
        assert message_of(run) == ""
    assert files(folder) == before


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (MINE._replace(configuration="another"), "another configuration"),
        (MINE._replace(program="another"), "another version"),
    ],
)
def test_a_store_of_another_owner_is_not_used(kept: Path, other: StoreOwner, why: str) -> None:
    with open_session(kept, other) as run:
        assert run.store.fact("word") is None
        assert why in message_of(run)
        run.commit()
    assert message_of(open_session(kept, other)) == ""


@pytest.mark.parametrize(
    ("version", "why"), [(VERSION + 1, "newer"), (VERSION - 1, "another feedpub"), (0, "another")]
)
def test_a_store_of_another_version_is_not_used(kept: Path, version: int, why: str) -> None:
    """Version 0: a database that feedpub did not create."""
    with open_session(kept) as run:
        run.store._db.execute(f"PRAGMA user_version = {version}")
        run.store.set_fact("word", "other")
        run.commit()
    word, note = reopen(kept)
    assert word is None
    assert why in note


@given(
    name=st.sampled_from([NAME, NAME, STAMP, f"{NAME}-wal", f"{NAME}-shm", f"{NAME}.new"]),
    place=st.floats(0, 1),
    data=st.binary(min_size=1, max_size=64),
    cut=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damage_is_reported_or_harmless(
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
    with open_session(folder) as run:
        if message_of(run):
            assert message_of(run).count(NAME) == 1
            assert message_of(run).endswith("all files are read again")
            assert run.store.is_new
            assert run.store.count_records() == (0, {})
        else:
            assert run.store.fact("word") in {"mine", "newer"}
            found = [stored.row for stored in run.store.records_after(0, 99)]
            assert found == RECORDS
        run.store.set_fact("word", "next")
        run.commit()
    assert reopen(folder) == ("next", "")
    shutil.rmtree(folder)


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0", b"no database\n" * 999])
def test_a_file_that_is_not_a_database_is_replaced(kept: Path, data: bytes) -> None:
    (kept / NAME).write_bytes(data)
    word, note = reopen(kept)
    assert (word, bool(note)) == (None, True)
    change(kept, "anew")
    assert reopen(kept) == ("anew", "")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff", b"[]", b"{}", b'{"signature": 1}', b"null",
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_an_invalid_stamp_is_ignored(kept: Path, data: bytes) -> None:
    (kept / STAMP).write_bytes(data)
    word, note = reopen(kept)
    assert (word, bool(note)) == (None, True)


def test_a_copied_store_with_its_stamp_is_used(kept: Path, tmp_path: Path) -> None:
    """As CI caches do: other times and inodes, the same bytes."""
    shutil.copytree(kept, tmp_path / "copy", copy_function=shutil.copyfile)
    assert reopen(tmp_path / "copy") == ("mine", "")


@pytest.mark.parametrize("name", [NAME, f"{NAME}.new", "."])
def test_files_that_block_the_store_are_not_touched(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "state"
    if name == ".":
        folder.write_text("mine")
    else:
        (folder / name).mkdir(parents=True)
        (folder / name / "mine.txt").write_text("mine")
    with open_session(folder) as run:
        run.store.set_fact("word", "anew")
        run.commit()
        assert "cannot be written" in run.warning
    [left] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left.read_text() == "mine"


@forks
def test_a_store_in_use_is_not_touched(kept: Path) -> None:
    begun, begin = os.pipe()
    end, ended = os.pipe()

    def other_run() -> None:
        with open_session(kept) as run:
            run.store.set_fact("word", "theirs")
            os.write(begin, b".")
            os.read(end, 1)
            run.commit()

    def this_run() -> None:
        os.read(begun, 1)
        with open_session(kept) as run:
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
    assert reopen(kept) == ("theirs", "")
    assert files(kept).keys() == {NAME, STAMP}


@pytest.mark.parametrize("first", [True, False])
def test_killed_between_commit_and_stamp(tmp_path: Path, first: bool) -> None:
    """The database is new, and the stamp is of the previous one."""
    fill(tmp_path)
    before = (tmp_path / STAMP).read_bytes()
    change(tmp_path, "newer")
    if first:
        (tmp_path / STAMP).unlink()
    else:
        (tmp_path / STAMP).write_bytes(before)
    word, note = reopen(tmp_path)
    assert word is None
    assert "was changed by another program" in note
    change(tmp_path, "newest")
    assert reopen(tmp_path) == ("newest", "")


@forks
def test_killed_before_the_log_is_in_the_database(kept: Path) -> None:
    assert elsewhere(lambda: killed_after_commit(kept)) == -signal.SIGKILL
    change(kept, "newest")
    assert reopen(kept) == ("newest", "")


@forks
@pytest.mark.parametrize("keep", [True, False])
def test_a_dry_run_after_a_kill_changes_nothing(kept: Path, keep: bool) -> None:
    assert elsewhere(lambda: killed_after_commit(kept)) == -signal.SIGKILL
    # A session without keep works on a copy, which is valid if it matches the stamp.
    assert reopen(kept, keep=keep) == ("newer" if keep else "mine", "")
    assert reopen(kept) == ("newer", "")


@forks
def test_a_dry_run_during_another_run_changes_nothing(kept: Path) -> None:
    """A dry run reads while another run commits."""
    begun, begin = os.pipe()
    end, ended = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ended)
            with open_session(kept, keep=False) as run:
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
    assert reopen(kept) == ("newer", "")


def test_two_new_stores_at_once_are_not_mixed(tmp_path: Path) -> None:
    """Two outputs can share a state folder; the lock of the state decides."""
    with open_session(tmp_path, ignore=True) as one, open_session(tmp_path, ignore=True) as other:
        one.store.set_fact("word", "one")
        other.store.set_fact("word", "other")
        assert "in use" in other.warning
        other.commit()
        one.commit()
    assert reopen(tmp_path) == ("one", "")


def test_a_store_shrinks_when_many_records_are_removed(tmp_path: Path) -> None:
    with open_session(tmp_path) as run:
        rows = [row(str(n), n, digest=b"d" * 200) for n in range(2000)]
        many, few = add_file(run.store, rows[100:]), add_file(run.store, rows[:100])
        run.store.index()
        run.commit()
    before = (tmp_path / NAME).stat().st_size
    with open_session(tmp_path) as run:
        run.store.remove_files([many])
        run.commit()
    assert (tmp_path / NAME).stat().st_size < before / 4
    with open_session(tmp_path) as run:
        assert message_of(run) == ""
        assert [stored.row for stored in run.store.records_of(few)] == rows[:100]
