"""The command itself: help, mistakes, internal errors, and how messages are printed."""

from __future__ import annotations

import io
import json
import os
import re

import pytest

from feedpub.cli import COMMANDS
from feedpub.cli.common import fit, table
from tests.e2e.harness import Site

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")


def test_help_lists_every_command(site: Site) -> None:
    run = site.run("--help")
    assert run.code == 0
    assert [name for name in COMMANDS if not re.search(rf"^  {name} ", run.out, re.MULTILINE)] == []


def test_a_misspelt_command_gets_a_suggestion(site: Site) -> None:
    run = site.run("genrate")
    assert run.code == 2
    assert "did you mean 'generate'?" in run.err


def test_an_unrelated_word_gets_the_list_of_commands(site: Site) -> None:
    run = site.run("xyzzy")
    assert run.code == 2
    assert "did you mean" not in run.err
    assert "write one of: check, explain, generate" in run.err


def test_a_mistake_names_the_help_of_the_command(site: Site) -> None:
    run = site.run("list", "stars")
    assert run.code == 2
    assert "feedpub list --help" in run.err


def test_a_mistake_can_be_json(site: Site) -> None:
    run = site.run("generate", "--log-format=json", "--jobs", "many")
    assert run.code == 2
    message = json.loads(run.err)
    assert message["level"] == "error"
    assert "--jobs" in message["message"]


def test_no_configuration(site: Site) -> None:
    (site.root / "config.yaml").unlink()
    run = site.run("check")
    assert run.code == 2
    assert "feedpub init" in run.err


class _Terminal(io.StringIO):
    """A stream that is a terminal of 80 columns."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = pty.openpty()

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.ends[1]

    def close(self) -> None:
        for end in self.ends:
            os.close(end)
        super().close()


LONG = "config.yaml:3: feeds.itmes: this key is unknown; write one of: " + ", ".join(["items"] * 9)


def test_long_messages_are_wrapped_between_words_on_a_terminal() -> None:
    try:
        terminal = _Terminal()
    except OSError as why:  # a container without /dev/pts
        pytest.skip(f"no pseudo-terminal can be opened here ({why})")
    lines = fit(LONG, terminal).splitlines()
    terminal.close()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80
    assert " ".join(line.strip() for line in lines) == LONG


def test_long_messages_stay_on_one_line_elsewhere() -> None:
    assert fit(LONG, io.StringIO()) == LONG


def test_columns_of_a_table_are_aligned() -> None:
    rows = [("ITEMS", "PATH"), ("7", "topics/news"), ("120", "")]
    assert table(rows, right=(0,)) == ["ITEMS  PATH", "    7  topics/news", "  120"]
