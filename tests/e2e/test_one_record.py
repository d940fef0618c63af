"""One file of any kind never ends a run, never hangs it, and never leads out of its folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from .harness import CONFIG, GOOD, Site, front, record

DATE = "date: 2020-01-02"
DIGITS = "9" * 5000
TERMS = "taxonomy: {topics: topics}\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "site")
    site.write("records/good.md", GOOD)
    site.write("config.yaml", CONFIG)
    return site


def published(site: Site) -> list[str]:
    text = (site.feeds / "rss.xml").read_text()
    return [title for title in ("Good one", "Other") if f"<title>{title}</title>" in text]


@dataclass(frozen=True)
class Case:
    """A file beside a good record."""

    name: str
    content: str | Callable[[Path], object]
    said: str  # in the messages; "" for nothing
    used: bool = True  # whether the record is published all the same
    file: str = "records/other.md"
    more: str = ""  # of the configuration

    def __str__(self) -> str:
        return self.name


def toml(*lines: str) -> str:
    return "\n".join(("+++", 'title = "Other"', "date = 2020-01-02", *lines, "+++", "Text.\n"))


def zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def bind(path: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(os.path.relpath(path))  # whose path must be short


LINKS = [
    Case(f"{key}: {link}", front("title: Other", DATE, f'{key}: "{link}"'), key)
    for key in ("link", "permalink", "webUrl")
    for link in (
        "/:title/{x}",
        "mailto:/:title",
        "http://[/:title",
        "/:title:",
        "http://h:99999/:y",
    )
]
CASES = [
    *LINKS,
    Case("digits in TOML", toml(f"x = {DIGITS}"), "number", used=False),
    Case("hexadecimal digits in TOML", toml(f"x = 0x{'f' * 5000}"), "number", used=False),
    Case("a deep key in TOML", toml(".".join("a" * 16_000) + " = 1"), "deep", used=False),
    Case("a deep key of strings", toml('x = {' + '"a".' * 16_000 + "b = 1}"), "deep", used=False),
    Case(
        "JSON with an escaped emoji as YAML",
        '---\n{"title": "Other", "date": "2020-01-02", "x": "\\ud83d\\ude00"}\n---\nText.\n',
        "",
    ),
    Case("a FIFO", os.mkfifo, "not a regular file", used=False),
    Case("a socket", bind, "not a regular file", used=False),
    Case("a link to a device", zero, "leads out", used=False),
    Case("a FIFO as topic", os.mkfifo, "not a regular file", False, "topics/news.md", TERMS),
    Case("a device as topic", zero, "not a regular file", False, "topics/news.md", TERMS),
    Case("a socket as topic", bind, "not a regular file", False, "topics/news.md", TERMS),
    Case(
        "a wide picture of a topic",
        front("title: News", f"images: [{{url: https://example.org/a.png, width: {DIGITS}}}]"),
        "", False, "topics/news.md", TERMS,
    ),
    Case("digits of a topic", toml(f"x = {DIGITS}"), "topics/a.md", False, "topics/a.md", TERMS),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("command", ["generate", "check"])
def test_a_file_is_named_and_the_others_are_published(
    site: Site, case: Case, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.root)
    site.write("config.yaml", CONFIG + case.more)
    path = site.root / case.file
    path.parent.mkdir(exist_ok=True)
    if isinstance(case.content, str):
        path.write_text(case.content)
    else:
        case.content(path)
    run = site.run(command)
    assert run.code in ({0} if command == "generate" else {0, 3})
    assert case.said in run.text
    assert "internal error" not in run.text
    if command == "generate":
        assert published(site) == ["Good one", "Other"][: 1 + case.used]


LEDGERS = ["[" * 100_000, '{"id": "\\ud800"}', '{"id": "a\\u0000b"}', '{"id": "\\u001b[31m"}']


@pytest.mark.parametrize("line", LEDGERS, ids=["deep", "surrogate", "NUL", "escape sequence"])
def test_a_ledger_with_such_a_line_is_an_error_with_its_line(site: Site, line: str) -> None:
    """Without it ids would change, so the run ends: a person must mend it."""
    site.write("ids.jsonl", f"{line}\n")
    run = site.run("generate")
    assert run.code == 1
    assert "ids.jsonl:1: " in run.err


def out(site: Site) -> Path:
    """A record outside of the site's folder."""
    folder = site.root.parent / "elsewhere"
    folder.mkdir()
    (folder / "other.md").write_text(record("Other"))
    return folder


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("records", "file"),
        ("records", "folder"),
        ("records/*.md", "file"),
        ("records/**/*.md", "file"),
        ("records/**/*.md", "folder"),
    ],
)
def test_a_link_out_of_a_source_is_named_and_not_followed(
    site: Site, source: str, what: str
) -> None:
    folder = out(site)
    link = site.root / "records" / ("linked.md" if what == "file" else "linked")
    link.symlink_to(folder / "other.md" if what == "file" else folder)
    config = CONFIG.replace("[records]", f"[{{path: '{source}'}}]")
    site.write("config.yaml", config)
    run = site.run("generate")
    assert run.code == 0
    assert published(site) == ["Good one"]
    assert "leads out of the source" in run.err
    site.write("config.yaml", config.replace("}]", ", follow_links: true}]"))
    assert site.run("generate").code == 0
    assert published(site) == ["Good one", "Other"]


def test_a_link_inside_a_source_is_followed_and_the_source_may_be_one(site: Site) -> None:
    (site.root / "records").rename(site.root.parent / "real")
    (site.root / "records").symlink_to(site.root.parent / "real")
    (site.root.parent / "real/later").mkdir()
    (site.root.parent / "real/later/other.md").write_text(record("Other"))
    (site.root / "records/again").symlink_to("later")
    run = site.run("generate")
    assert (run.code, run.err) == (0, "")
    assert published(site) == ["Good one", "Other"]


def test_the_processes_folder_is_no_source(site: Site) -> None:
    (site.root / "records/self").symlink_to("/proc/self")
    run = site.run("generate")
    assert run.code == 0
    assert "leads out" in run.err


def test_a_record_of_thousands_of_topics_makes_a_hundred_feeds(site: Site) -> None:
    topics = ", ".join(f"topic {n}" for n in range(3000))
    site.write("records/other.md", front("title: Other", DATE, f"topics: [{topics}]"))
    run = site.run("generate")
    assert run.code == 0
    assert "topics: the record has 3000 topics; the limit is 100" in run.err
    assert len(list((site.feeds / "topics").iterdir())) == 101
    assert sum(path.stat().st_size for path in site.feeds.rglob("*.*")) < 12_000_000
