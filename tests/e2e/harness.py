"""A site in a temporary folder, and the real command run on it as a user would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from .warm import run_warm

CONFIG = """\
site:
  title: Test site
  url: https://feeds.example.org/
  id: tag:example.org,2026:feeds
  home: https://example.org/
  timezone: Europe/Berlin
records: [records]
"""
TIMEOUT = 60  # seconds: nothing that came in may make a run hang
_BYTECODE = tempfile.TemporaryDirectory(prefix="feedpub-e2e-")  # compile once, not in each run
_START = "import runpy; runpy.run_module('feedpub', run_name='__main__', alter_sys=True)"
_NOT_OURS = {"SOURCE_DATE_EPOCH", "TZ", "PYTHONDONTWRITEBYTECODE"}
# What Python takes from the environment at its start, if not before.
_AT_START = ("PYTHON", "LC_", "LANG", "LD_")


def front(*lines: str, body: str = "Some text.\n") -> str:
    """A record: front matter of these lines, and a body."""
    return "\n".join(("---", *lines, "---", body))


def record(title: str, *lines: str, date: str = "2020-01-02T03:04:05Z", body: str = "Text.") -> str:
    """A record that is as it should be, with further lines."""
    return front(f"title: {title}", f"date: {date}", *lines, body=body)


GOOD = record("Good one", "url: https://example.org/good/", "topics: [News]", "provider: Someone")


def _hear_signals() -> None:
    """A command in a shell's background ignores Ctrl-C, one under nohup SIGHUP; ours must not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@dataclass(frozen=True)
class Run:
    """What a command left on the screen."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


class Site:
    """A folder with config.yaml and records, and what users do in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.feeds = root / "feeds"
        self.hook = ""  # Python that comes before the command: to be at the right place in time

    def write(self, name: str, content: str | bytes) -> Path:
        """A file below the site."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def command(self, *args: str) -> list[str]:
        """The command line."""
        start = ["-c", f"{self.hook}\n{_START}"] if self.hook else ["-m", "feedpub"]
        return [sys.executable, *start, *args]

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """This process's, without what feedpub would take from it."""
        ours = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
        return ours | {"PYTHONPYCACHEPREFIX": _BYTECODE.name} | dict(env or {})

    def run(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        prefix: Sequence[str] = (),
        die_at: int = 0,
        delay: float | None = None,
    ) -> Run:
        """Runs `feedpub ARGS`; whatever happens, nobody wants to see a traceback.

        `die_at` and `delay` say when it is killed, as in `run_warm`.
        """
        cwd = cwd or self.root
        environment = self.environment(env)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            if prefix or any(name.startswith(_AT_START) for name in env or ()):
                assert not die_at
                assert delay is None
                code = subprocess.run(
                    [*prefix, *self.command(*args)],
                    cwd=cwd,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    timeout=TIMEOUT,
                    check=False,
                ).returncode
            else:
                code = run_warm(args, cwd, environment, out, err, TIMEOUT, self.hook, die_at, delay)
            out.seek(0)
            err.seek(0)
            run = Run(code, out.read().decode(), err.read().decode())
        assert "Traceback" not in run.text
        assert "internal error (" not in run.text, run.text
        return run

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Starts `feedpub ARGS` and does not wait for it."""
        return subprocess.Popen(
            self.command(*args),
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that a signal for it and its helpers spares the tests
            preexec_fn=_hear_signals,
        )

    def copy(self, root: Path, *without: str) -> Site:
        """A copy of the site in another folder, without some of what is in it."""
        shutil.copytree(self.root, root, symlinks=True, ignore=shutil.ignore_patterns(*without))
        return Site(root)

    def configure(self, old: str, new: str) -> None:
        """Replaces a part of config.yaml."""
        config = (self.root / "config.yaml").read_text()
        assert old in config
        self.write("config.yaml", config.replace(old, new))

    def generate(self, *args: str, code: int = 0, **how: Any) -> Run:
        """`feedpub generate ARGS --report report.json`, with the exit code that is due."""
        (self.root / "report.json").unlink(missing_ok=True)
        run = self.run("generate", *args, "--report", "report.json", **how)
        assert run.code == code, run.text
        return run

    def report(self) -> dict[str, Any]:
        """The report of the last `generate`; in every one, the sum is right."""
        report: dict[str, Any] = json.loads((self.root / "report.json").read_bytes())
        counts = report["records"]
        parts = ("items", "left_out", "duplicates", "problems")
        assert counts["read"] == sum(counts[part] for part in parts)
        assert counts["left_out"] == sum(report["left_out"].values())
        return report

    def counts(self) -> tuple[int, int, int, int, int]:
        """read, items, left out, duplicates, problems: of the last `generate`."""
        counts = self.report()["records"]
        return tuple(counts[k] for k in ("read", "items", "left_out", "duplicates", "problems"))

    def tree(self) -> dict[str, bytes]:
        """Every file of the output, by its path."""
        return tree_of(self.feeds)

    def items(self, feed: str = "") -> list[dict[str, Any]]:
        """The items of a feed, after a look at whether all three of its formats agree."""
        folder = self.feeds / feed
        items: list[dict[str, Any]] = strict_json((folder / "feed.json").read_bytes())["items"]
        rss = etree.parse(folder / "rss.xml")
        atom = etree.parse(folder / "atom.xml")
        assert [e.text for e in rss.iterfind("channel/item/title")] == titles_of(items)
        assert [e.text for e in atom.iterfind("{*}entry/{*}title")] == titles_of(items)
        return items

    def titles(self, feed: str = "") -> list[str]:
        """The titles of a feed's items."""
        return titles_of(self.items(feed))


def new_site(root: Path) -> Site:
    """A site with one good record."""
    site = Site(root)
    site.write("config.yaml", CONFIG)
    site.write("records/good.md", GOOD)
    return site


def titles_of(items: list[dict[str, Any]]) -> list[str]:
    return [item["title"] for item in items]


def tree_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def stamps(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder: when it was changed, and what it holds."""
    return {
        name: ((folder / name).stat().st_mtime_ns, data) for name, data in tree_of(folder).items()
    }


def strict_json(data: bytes) -> Any:
    """JSON as RFC 8259 has it: no NaN, no Infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(data.decode("utf-8"), parse_constant=refuse)
