"""On a terminal a long run shows how far it is, and leaves nothing of that behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .harness import TIMEOUT, Site, new_site, record

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")
termios = pytest.importorskip("termios", reason="there are no terminals as POSIX has them")
fcntl = pytest.importorskip("fcntl", reason="there are no terminals as POSIX has them")

try:
    for opened in pty.openpty():
        os.close(opened)
except OSError as why:  # a container without /dev/pts
    pytest.skip(f"no pseudo-terminal can be opened here ({why})", allow_module_level=True)

COUNT = 3000
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b[=>78]|([\r\n\b])|([^\x1b\r\n\b]+)")


def write_records(site: Site, broken: bool = False) -> None:
    for n in range(COUNT):
        text = record(f"Title {n}", f"topics: [T{n % 300}]", f"id: {n}", "provider: P")
        site.write(f"records/{n}.md", "no record\n" if broken and n == COUNT // 2 else text)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site whose first run takes a while; written once for all tests."""
    site = new_site(tmp_path_factory.mktemp("large") / "site")
    write_records(site)
    return site


@pytest.fixture
def large(kept: Site) -> Iterator[Site]:
    """Such a site, of which nothing is generated yet."""
    yield kept
    for path in list(kept.root.iterdir()):
        if path.name not in {"records", "config.yaml"}:
            subprocess.run(["rm", "-rf", str(path)], check=True)


class Terminal:
    """What a command leaves on a terminal."""

    def __init__(self, columns: int = 80) -> None:
        self.columns = columns
        self.code = 0
        self.out = ""
        self.raw = ""

    def run(
        self,
        site: Site,
        *args: str,
        env: dict[str, str] | None = None,
        both: bool = False,
        during: Callable[[subprocess.Popen[bytes], str], None] | None = None,
    ) -> Terminal:
        """Runs `feedpub ARGS`, its stderr (and with `both` its stdout) on a terminal."""
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, self.columns, 0, 0))
        names = {"NO_COLOR", "COLUMNS", "LINES", "CI"}
        environment = {k: v for k, v in site.environment().items() if k not in names}
        process = subprocess.Popen(
            site.command(*args),
            cwd=site.root,
            env=environment | {"TERM": "xterm-256color"} | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=side if both else subprocess.PIPE,
            stderr=side,
            start_new_session=True,
        )
        os.close(side)
        pieces: list[bytes] = []
        out: list[bytes] = []
        sources = {main: pieces}
        if process.stdout:
            sources[process.stdout.fileno()] = out
        end = time.monotonic() + TIMEOUT
        while sources and time.monotonic() < end:
            for fd in select.select(list(sources), [], [], 0.1)[0]:
                data = b""
                with contextlib.suppress(OSError):  # how Linux says that nobody writes any more
                    data = os.read(fd, 65536)
                if data:
                    sources[fd].append(data)
                else:
                    del sources[fd]
            if during:
                during(process, b"".join(pieces).decode(errors="replace"))
        os.close(main)
        self.code = process.wait(TIMEOUT)
        if process.stdout:
            process.stdout.close()
        self.raw = b"".join(pieces).decode()
        self.out = b"".join(out).decode()
        return self

    @property
    def screen(self) -> list[str]:
        """The lines that are to be read when all is over, without empty ones at the end."""
        rows: list[list[str]] = [[]]
        row = column = 0
        assert "".join(match[0] for match in CONTROL.finditer(self.raw)) == self.raw
        for match in CONTROL.finditer(self.raw):
            numbers, letter, mark, text = match.groups()
            line = rows[row]
            if mark == "\r":
                column = 0
            elif mark == "\b":
                column = max(0, column - 1)
            elif mark == "\n":
                row += 1
                rows += [[]] if row == len(rows) else []
            elif text:
                for char in text:
                    line += [" "] * (column - len(line))
                    line[column : column + 1] = [char]
                    column += 1
            elif letter == "K":
                if numbers in {"", "0"}:
                    del line[column:]
                elif numbers == "2":
                    line.clear()
                else:
                    line[:column] = [" "] * column
            elif letter == "J":
                del line[column:]
                del rows[row + 1 :]
            elif letter == "A":
                row = max(0, row - int(numbers or 1))
            elif letter == "G":
                column = int(numbers or 1) - 1
            elif letter in {"C", "D"}:
                column = max(0, column + (1 if letter == "C" else -1) * int(numbers or 1))
            else:
                assert letter in {"m", "h", "l"}, match[0]
        lines = ["".join(line).rstrip() for line in rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def drawn(self) -> list[str]:
        """Every state of a line that was ever shown."""
        plain = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", self.raw)
        return [text.rstrip() for text in re.split(r"[\r\n]+", plain) if text.strip()]


def assert_no_bar_is_left(terminal: Terminal) -> None:
    assert terminal.screen == [], terminal.screen
    if "\x1b[?25l" in terminal.raw:  # a cursor that was hidden is shown again
        assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l")


def test_a_long_run_shows_how_far_it_is(large: Site) -> None:
    terminal = Terminal().run(large, "generate")
    assert terminal.code == 0
    assert "\r" in terminal.raw
    text = "\n".join(terminal.drawn)
    # How far each stage is shown depends on how fast the machine is.
    assert re.search(r"reading files|rendering items|writing feeds", text), text
    assert re.search(r"\d of [\d,]+|\d ?%", text), text  # out of how many, or how much of it
    for done, total in re.findall(r"reading files +[#.]+ ([\d,]+) of ([\d,]+)", text):
        assert total == f"{COUNT + 1:,}"
        assert int(done.replace(",", "")) <= COUNT + 1
    assert len(set(terminal.drawn)) >= 3
    assert_no_bar_is_left(terminal)
    assert terminal.out.startswith("Records read")
    assert "\x1b" not in terminal.out
    assert "\r" not in terminal.out


def test_the_terminal_holds_what_a_file_would(large: Site) -> None:
    terminal = Terminal().run(large, "generate", both=True)
    assert terminal.code == 0
    lines = large.generate("--full").out.splitlines()
    head = [line for line in lines if not re.match(r"  (written|unchanged)", line)]
    shown = [line for line in terminal.screen if not re.match(r"  (written|unchanged)", line)]
    assert shown == head


def test_problems_stand_on_lines_of_their_own(large: Site) -> None:
    bad = large.root / f"records/{COUNT // 2}.md"
    text = bad.read_text()
    bad.write_text("no record\n")
    try:
        terminal = Terminal(200).run(large, "generate")
    finally:
        bad.write_text(text)
    assert terminal.code == 0
    [line] = terminal.screen
    assert line.startswith(f"records/{COUNT // 2}.md:1: there is no front matter")


@pytest.mark.parametrize("columns", [10, 30, 200])
def test_no_line_is_wider_than_the_terminal(large: Site, columns: int) -> None:
    terminal = Terminal(columns).run(large, "generate")
    assert terminal.code == 0
    assert max(map(len, terminal.drawn), default=0) <= columns
    assert_no_bar_is_left(terminal)


def test_no_bar_in_a_file(large: Site) -> None:
    run = large.run("generate")
    assert (run.code, run.err) == (0, "")
    assert "\r" not in run.out
    assert "\x1b" not in run.out


@pytest.mark.parametrize("args", [("generate", "-q"), ("-q", "generate", "--dry-run")])
def test_no_bar_where_quiet_is_wanted(large: Site, args: tuple[str, ...]) -> None:
    terminal = Terminal().run(large, *args)
    assert (terminal.code, terminal.raw, terminal.out) == (0, "", "")


def test_no_colour_where_none_is_wanted(large: Site) -> None:
    terminal = Terminal().run(large, "generate", "-v", env={"NO_COLOR": "1"})
    assert terminal.code == 0
    assert COLOUR.findall(terminal.raw + terminal.out) == []


def test_a_terminal_that_can_do_nothing_gets_no_codes(large: Site) -> None:
    terminal = Terminal().run(large, "generate", env={"TERM": "dumb"})
    assert terminal.code == 0
    assert "\x1b" not in terminal.raw


def test_messages_as_json_are_not_disturbed(large: Site) -> None:
    terminal = Terminal().run(large, "generate", "-v", "--log-format", "json")
    assert terminal.code == 0
    messages = [json.loads(line) for line in terminal.raw.splitlines() if line.strip()]
    assert {message["level"] for message in messages} <= {"info", "warning"}


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_run_that_is_interrupted_leaves_no_bar(large: Site, jobs: str) -> None:
    sent: list[float] = []

    def interrupt(process: subprocess.Popen[bytes], shown: str) -> None:
        if not sent and "\r" in shown and process.poll() is None:
            sent.append(time.monotonic())
            os.killpg(process.pid, signal.SIGINT)

    large.hook = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    try:
        terminal = Terminal().run(large, "generate", "--jobs", jobs, during=interrupt)
    finally:
        large.hook = ""
    assert sent, "there was no bar"
    assert terminal.code == 130, terminal.raw
    shown = [line for line in terminal.screen if line]  # an empty line ends that with the ^C
    assert shown == ["interrupted; the published feeds are intact"]


def test_a_run_that_cannot_finish_leaves_no_bar(large: Site) -> None:
    large.write("feeds/rss.xml", "mine")
    terminal = Terminal(300).run(large, "generate")
    assert terminal.code == 1
    [line] = terminal.screen
    assert line.startswith("feedpub: feeds/rss.xml: ")


def test_a_run_with_nothing_to_do_leaves_no_bar(large: Site) -> None:
    large.generate("-q")
    terminal = Terminal().run(large, "generate")
    assert terminal.code == 0
    assert_no_bar_is_left(terminal)


def test_verbose_says_where_the_time_went(site: Site, tmp_path: Path) -> None:
    for _ in range(2):  # also where nothing changed
        run = site.run("generate", "-v")
        rows = re.findall(r"(?m)^(\w[\w ]*?) +(\d+\.\d+) s$", run.err)
        assert len(rows) >= 4, run.err
        *stages, (name, total) = rows
        assert name in {"all", "total"}
        assert abs(sum(float(seconds) for _, seconds in stages) - float(total)) < 0.02
        assert len({stage for stage, _ in stages}) == len(stages)
    assert not re.search(r"\d+\.\d+ s$", site.run("generate").err)
