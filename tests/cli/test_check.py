"""`feedpub check`."""

from __future__ import annotations

from tests.e2e.harness import Site, record


def test_a_problem_is_a_line_on_stdout_and_exit_code_3(busy: Site) -> None:
    run = busy.run("check")
    assert run.code == 3
    assert run.out.startswith("records/broken.md:3: date: ")
    assert run.out.count("\n") == 1
    assert "1 problem" in run.err


def test_quiet_prints_nothing_but_problems(busy: Site) -> None:
    assert busy.run("check", "-q").err == ""
    (busy.root / "records/broken.md").unlink()
    assert busy.run("check", "-q").text == ""


def test_only_the_records_at_the_paths_are_checked(busy: Site) -> None:
    assert busy.run("check", "records/good.md").code == 0
    run = busy.run("check", "records/good.md", "records/broken.md")
    assert (run.code, run.out.count("\n")) == (3, 1)
    assert "2 records checked" in run.err


def test_a_path_that_does_not_exist_is_a_mistake(busy: Site) -> None:
    run = busy.run("check", "records/missing.md")
    assert run.code == 2
    assert "missing.md: it does not exist" in run.err


def test_a_file_that_is_in_no_source_is_a_mistake(busy: Site) -> None:
    busy.write("notes.md", record("A note"))
    run = busy.run("check", "notes.md")
    assert run.code == 2
    assert "notes.md" in run.err
    assert "records:" in run.err


def test_nothing_is_written(busy: Site) -> None:
    busy.run("check")
    assert {path.name for path in busy.root.iterdir()} == {"config.yaml", "records"}
