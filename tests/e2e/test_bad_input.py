"""Whatever comes in as a record: it is named or mended, counted, and stops nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from .harness import GOOD, Run, Site, front, new_site, record, strict_json

Attempt = Future[tuple[Site, Run]]

DATE = "date: 2020-01-02T03:04:05Z"
BOMB = "\n".join(
    ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
)
DIGITS = "9" * 5000  # more than int() takes


@dataclass(frozen=True)
class Bad:
    """One bad file beside a good record, and what the user should be told of it."""

    name: str
    content: str | bytes
    line: int | None  # None: there is no line to name
    key: str
    what: str  # pattern of what is wrong
    remedy: str  # pattern of what to do
    file: str = "bad.md"
    titles: tuple[str, ...] = ()  # what of the file reaches the feed all the same
    problems: int = 1  # records that cannot be used

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        return f"records/{self.file}"


def assert_told(run: Run, path: str, line: int | None, key: str, what: str, remedy: str) -> None:
    """One line of the messages is `path:line: key: what; what to do`."""
    # In a list, the record's number may stand behind the path.
    place = re.escape(path) + r"(#\d+)?" + (f":{line}" if line else "")
    key = re.escape(key) + ": " if key else ""
    wanted = rf"^{place}: {key}.*(?:{what}).*; .*(?:{remedy})"
    assert re.search(wanted, run.text, re.MULTILINE), f"no line like {wanted!r} in:\n{run.text}"


UNUSABLE = [
    Bad("no front matter", "Just text.\n", 1, "", "no front matter", "---"),
    Bad("unclosed front matter", f"---\ntitle: A\n{DATE}\n\nText.\n", 1, "", "not closed", "---"),
    Bad("tab in YAML", front("title: A", "\tx: 1", DATE), 3, "", "", "tabs.*spaces"),
    Bad("tab before a key", front("\ttitle: A", DATE), 2, "", "", "tabs.*spaces"),
    Bad("binary file", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff", None, "", "binary", "remove it"),
    Bad("NUL in a text", GOOD.replace("Some", "So\0me"), None, "", "binary", "remove it"),
    Bad("empty file", "", 1, "", "empty", "write a record|delete"),
    Bad("space alone", " \n\n", 1, "", "empty", "write a record|delete"),
    Bad("empty front matter", front(), 2, "", "nothing", "key: value"),
    Bad("list in front matter", front("- a", "- b"), 2, "", "a list", "key: value"),
    Bad("scalar in front matter", front("a text"), 2, "", "a text", "key: value"),
    Bad("scalar in YAML", "a text\n", 1, "", "a text", "key: value", "bad.yaml"),
    Bad("scalar in JSON", '"a text"', 1, "", "a text", "key: value", "bad.json"),
    Bad("missing title", front(DATE), 2, "title", "no title", "add title"),
    Bad("title of nothing", front("title:", DATE), 2, "title", "no title", "title"),
    Bad("title of tags", front("title: <b></b>", DATE), 2, "title", "no title", "title"),
    Bad("title a mapping", front(DATE, "title: {a: b}"), 3, "title", "a mapping", "text"),
    Bad("missing date", front("title: A"), 2, "date", "no date", "add date"),
    Bad("no such date", front("title: A", "date: 2020-13-45"), 3, "date", "2020-13-45", "Z"),
    Bad("date in words", front("title: A", "date: soon"), 3, "date", "'soon'", "Z"),
    Bad("date a list", front("title: A", "date: [2020-01-01]"), 3, "date", "date|list", "Z"),
    Bad("year 0", front("title: A", "date: 0000-01-01"), 3, "date", "year 0000", "2026-"),
    Bad("year 9999", front("title: A", "date: 9999-12-31"), 3, "date", "year 9999", "2026-"),
    Bad("before year 1", front("title: A", "date: 0001-01-01"), 3, "date", "0001", "2026"),
    Bad(
        "zone of 99 hours",
        front("title: A", "date: Mon, 06 Jan 2020 10:00:00 +9900"),
        3, "date", "99", "2026-",
    ),
    Bad(
        "year of 5,000 digits",
        front("title: A", f"date: Mon, 06 Jan {DIGITS} 10:00:00 +0000"),
        3, "date", "date", "2026-",
    ),
    Bad(
        "not UTF-8",
        front("title: A", DATE, "x: caf\u00e9").encode("latin-1"),
        4, "", "not UTF-8", "save it as UTF-8",
    ),
    Bad("UTF-16", record("A").encode("utf-16"), 1, "", "not UTF-8", "as UTF-8"),
    Bad("50 MB", front("title: A", DATE, body="x" * 50_000_000), None, "", "MiB.*16", "smaller"),
    Bad("alias bomb", front("title: A", DATE, BOMB), 4, "", "alias", "write"),
    Bad(
        "100,000 brackets in YAML",
        front("title: A", DATE, "x: " + "[" * 100_000 + "]" * 100_000),
        4, "", "deep|nest", "nesting",
    ),
    Bad(
        "10,000 lists in lists in YAML",
        front("title: A", DATE, "x:", "- " * 10_000 + "y"),
        5, "", "deep|nest", "nesting",
    ),
    Bad("100,000 brackets in JSON", "[" * 100_000, 1, "", "deep|nest", "nesting", "bad.json"),
    Bad(
        "Python in YAML",
        front(DATE, 'title: !!python/object/apply:os.system ["touch pwned"]'),
        3, "title", "a list", "text",
    ),
    Bad("unquoted colon", front("title: A: b", DATE), 2, "", "", "quotes"),
    Bad("undefined alias", front("title: *a", DATE), 2, "", "alias", "quotes"),
    Bad("two documents", f"title: A\n---\n{DATE}\n", 2, "", "", "one document", "bad.yaml"),
    Bad(
        "trailing comma",
        '{"title": "A",\n "date": "2020-01-01",}\n',
        2, "", "JSON", "correct", "bad.json",
    ),
    Bad(
        "several lists",
        '{"a": [{"title": "A"}], "b": [{"title": "B"}]}',
        1, "", "several lists.*a, b", "one list", "bad.json",
    ),
    Bad(
        "several lists named by lone surrogates",
        r'{"a\ud800": [{"title": "A"}], "b\udfff": [{"title": "B"}]}',
        1, "", "several lists", "one list", "bad.json",
    ),
    Bad(
        "one bad line of three",
        '{"title": "A", "date": "2020-01-02"}\n{"title": \n{"title": "C", "date": "2020-01-01"}\n',
        2, "", "JSON", "correct", "bad.jsonl", ("A", "C"),
    ),
    Bad(
        "one bad record of three",
        '[{"title": "A", "date": "2020-01-02"},\n{"title": "B",\n"date": "x"},\n"text"]',
        3, "date", "'x'", "2026-", "bad.json", ("A",), 2,
    ),
]  # fmt: skip


def tried(root: Path, bad: Bad) -> tuple[Site, Run]:
    site = new_site(root)
    site.write(bad.path, bad.content)
    return site, site.generate()


@pytest.fixture(scope="module")
def attempts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Attempt]]:
    """A run of each case, on as many processors as there are."""
    root = tmp_path_factory.mktemp("bad")
    pool = ThreadPoolExecutor(os.cpu_count())
    yield {
        bad.name: pool.submit(tried, root / f"{n}", bad)
        for n, bad in enumerate((*UNUSABLE, *MENDED))
    }
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("bad", UNUSABLE, ids=str)
def test_a_record_that_cannot_be_used_is_named_and_the_others_go_on(
    attempts: dict[str, Attempt], bad: Bad
) -> None:
    site, run = attempts[bad.name].result()
    assert_told(run, bad.path, bad.line, bad.key, bad.what, bad.remedy)
    usable = 1 + len(bad.titles)
    assert site.counts() == (usable + bad.problems, usable, 0, 0, bad.problems)
    assert sorted(site.titles()) == sorted(("Good one", *bad.titles))
    assert not (site.root / "pwned").exists()


# What is wrong with a part of a record; the record is used, its title is A.
MENDED = [
    Bad("provider a number", record("A", "provider: 3"), 4, "provider", "'3'", "name"),
    Bad("provider a list", record("A", "provider: [a]"), 4, "provider", "a list", "name"),
    Bad("provider without name", record("A", "provider: {x: y}"), 4, "provider", "no name", "name"),
    Bad("images a word", record("A", 'images: "x"'), 4, "images", "'x'", "address|url"),
    Bad(
        "width a word",
        record("A", "images:", "- url: https://example.org/a.png", "  width: wide"),
        6, "images[0].width", "'wide'", "digits",
    ),
    Bad("image without url", record("A", "images: [{width: 1}]"), 4, "images[0]", "url", "url"),
    Bad("URL without scheme", record("A", "url: example.org/a"), 4, "url", "no scheme", "https://"),
    Bad("javascript: URL", record("A", "url: javascript:alert(1)"), 4, "url", "javascript", "http"),
    Bad(
        "hidden javascript: URL",
        record("A", 'url: "java\\tscript:alert(1)"'),
        4, "url", "script", "https://",
    ),
    Bad("data: image", record("A", "image: data:image/png;base64,AA=="), 4, "image", "data:", ""),
    Bad("HTML in a title", front("title: <i>A</i>", DATE), 2, "title", "HTML", "plain text"),
    Bad("duplicate keys", front("title: B", "title: A", DATE), 3, "title", "twice.*2", "one of"),
    Bad("length in words", record("A", "length: soon"), 4, "length", "'soon'", "PT15M"),
    Bad("huge length", record("A", f"length: {DIGITS}"), 4, "length", "99", "PT15M"),
    Bad("huge ISO length", record("A", f"length: PT{DIGITS}H"), 4, "length", "99", "PT15M"),
    Bad("huge integer", record("A", f"quality: {DIGITS}"), 4, "quality", "99", "number"),
    Bad("no number", record("A", "quality: high"), 4, "quality", "'high'", "number"),
    Bad("language in words", record("A", "language: english!!"), 4, "language", "english!!", "en"),
    Bad("author without name", record("A", "author: {url: x.html}"), 4, "author", "name", "name"),
    Bad("draft in words", record("A", "draft: perhaps"), 4, "draft", "'perhaps'", "true or false"),
    Bad("raw control character", record("A\x07"), 2, "", r"0007", "remove it"),
    Bad("escaped control character", record(r'"A\x07"'), 2, "title", "control", "remove it"),
    Bad("escaped NUL", record(r'"A\0"'), 2, "title", "control", "remove it"),
    Bad(
        "lone surrogate",
        r'{"title": "A\ud800", "date": "2020-01-01"}',
        1, "title", "surrogate", "remove it", "bad.json",
    ),
    Bad(
        "key twice in JSON",
        '{"x": 1, "x": 2, "title": "A", "date": "2020-01-01"}',
        None, "x", "twice", "one of", "bad.json",
    ),
    Bad(
        "key twice that cannot be printed",
        r'{"x\ud800": 1, "x\ud800": 2, "title": "A", "date": "2020-01-01"}',
        None, "", "twice", "one of", "bad.json",
    ),
    Bad(
        "updated is no date", record("A", "updated: yesterday"), 4, "updated", "'yesterday'", "Z"
    ),
    Bad("related is no story", record("A", "related: [[x]]"), 4, "related[0]", "article", "url"),
    Bad("topic a list", record("A", "topics: [[x]]"), 4, "topics[0]", "name", "text"),
    Bad("file without url", record("A", "audio: {type: x}"), 4, "audio", "url", "url"),
]  # fmt: skip


@pytest.mark.parametrize("bad", MENDED, ids=str)
def test_a_bad_part_of_a_record_is_named_and_left_out(
    attempts: dict[str, Attempt], bad: Bad
) -> None:
    site, run = attempts[bad.name].result()
    assert_told(run, bad.path, bad.line, bad.key, bad.what, bad.remedy)
    assert site.counts() == (2, 2, 0, 0, 0)
    assert sorted(site.titles()) == ["A", "Good one"]
    whole = b"".join(site.tree().values())
    for never in (b"javascript:", b"script:alert", b"data:image", b"Infinity"):
        assert never not in whole


def only_item(site: Site, content: str | bytes, file: str = "good.md") -> dict:
    """The item of a site whose one record is this."""
    (site.root / "records/good.md").unlink()
    site.write(f"records/{file}", content)
    site.generate("-q")
    assert site.counts() == (1, 1, 0, 0, 0)
    [item] = site.items()
    return item


def test_a_date_without_zone_is_in_the_zone_of_the_site(site: Site) -> None:
    item = only_item(site, record("A", date="2020-07-01 12:00"))
    assert item["date_published"] == "2020-07-01T10:00:00Z"  # Europe/Berlin, in summer
    assert b"Wed, 01 Jul 2020 10:00:00 +0000" in site.tree()["rss.xml"]


def test_a_bare_date_is_midnight_in_the_zone_of_the_site(site: Site) -> None:
    item = only_item(site, record("A", date="2020-01-01"))
    assert item["date_published"] == "2019-12-31T23:00:00Z"


def test_an_address_is_mended_to_what_it_means(site: Site) -> None:
    addresses = {
        "https://example.org/a b/c": "https://example.org/a%20b/c",
        "https://example.org/ü?q=ö x": "https://example.org/%C3%BC?q=%C3%B6%20x",
        "https://exämple.org/": "https://xn--exmple-cua.org/",
        "HTTPS://EXAMPLE.org/A": "https://example.org/A",
        "https://example.org/100%": "https://example.org/100%25",
        "https://example.org/a%20b?x=1&y=2#z": "https://example.org/a%20b?x=1&y=2#z",
        "/posts/ä.html": "https://example.org/posts/%C3%A4.html",
    }
    for n, written in enumerate(addresses):
        site.write(f"records/{n}.md", record(str(n), f'url: "{written}"'))
    assert site.generate("-q").text == ""
    held = {item["title"]: item["url"] for item in site.items()}
    assert {written: held[str(n)] for n, written in enumerate(addresses)} == addresses


def test_a_title_is_what_was_meant(site: Site) -> None:
    titles = {
        "title: !mine A": "A",
        "title: !!int B": "B",
        "title: 'Tom &amp; Jerry'": "Tom & Jerry",
        "title: a < b & c > d": "a < b & c > d",
        "title: ']]>'": "]]>",
        "title: 💡": "💡",
        "title: 2020-01-01": "2020-01-01",
        "title: No": "No",
        "name: A name": "A name",
        "excerpt: An excerpt alone": "An excerpt alone",
    }
    for n, written in enumerate(titles):
        site.write(f"records/{n}.md", front(written, DATE, f"id: {n}"))
    assert site.generate("-q").text == ""
    held = {item["id"]: item["title"] for item in site.items()}
    prefix = "tag:example.org,2026:feeds"
    assert {written: held[f"{prefix}/{n}"] for n, written in enumerate(titles)} == titles


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("a.json", r'{"title": "A\ud800", "date": "2020-01-01", "topics": ["B\udfff"]}'),
        ("a.json", r'{"title": "A\u0000\u0007", "date": "2020-01-01", "body": "\u0000"}'),
        ("a.json", r'{"title": "A", "date": "2020-01-01", "url": "https://x.org/\ud800"}'),
        ("a.json", r'{"title": "A", "date": "2020-01-01", "id": "\ud800x", "content": "\ud800"}'),
        ("a.json", r'{"title": "A", "date": "2020-01-01", "author": "\ud800B <b@example.org>"}'),
        ("a.json", r'{"title": "A", "date": "2020-01-01", "slug": "\ud800"}'),
        ("a.yaml", b"\xef\xbb\xbftitle: A\r\ndate: 2020-01-01\r\n"),
        ("a.md", b"---\rtitle: A\rdate: 2020-01-01\r---\rText\r"),
        ("ü \u2028 'x' & <b>.md", record("A")),
        (os.fsdecode(b"\xff.md"), record("A")),
    ],
    ids=str,
)
def test_text_that_no_feed_can_carry_stops_nothing(
    site: Site, file: str, content: str | bytes
) -> None:
    assert only_item(site, content, file)["title"] == "A"


def test_a_slug_with_a_lone_surrogate_in_a_link_pattern(site: Site) -> None:
    site.configure("[records]", '[{path: records, link: "/{year}/{slug}/"}]')
    only_item(site, r'{"title": "A", "date": "2020-01-01", "slug": "x\ud800"}', "a.json")


def test_topics_never_share_a_feed_or_leave_the_folder(site: Site) -> None:
    names = ["..", ".", "con", "C", "C#", "C++", "日本", "💡", "/etc", "a/b", "x" * 300, "NUL"]
    for n, name in enumerate(names):
        site.write(f"records/{n}.md", record(f"Of {n}", f"topics: ['{name}']"))
    site.generate("-q")
    folders = {path.parent for path in site.feeds.rglob("feed.json")} - {site.feeds}
    topics = {path for path in folders if path.parent == site.feeds / "topics"}
    assert len(topics) == len(names) + 1  # and News, of the good record
    assert all(len(site.items(f"topics/{path.name}")) == 1 for path in topics)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._~-]{0,99}", path.name) for path in topics)
    assert not {"con", "nul"} & {path.name for path in topics}
    beside = {path.name for path in site.root.iterdir()}
    assert beside - {".feedpub"} == {"config.yaml", "records", "feeds", "report.json"}


def test_of_two_files_with_one_id_the_newer_is_the_item(site: Site) -> None:
    site.write("records/a.md", record("Old", "id: same"))
    site.write("records/b.md", record("New", "id: same", date="2021-01-01"))
    site.generate()
    assert site.counts() == (3, 2, 0, 1, 0)
    assert site.titles() == ["New", "Good one"]
    assert "records/b.md" in site.run("explain", "records/a.md").out


def test_records_held_back_are_counted_by_reason(site: Site) -> None:
    for n, line in enumerate(("published: false", "draft: true", "removed: true")):
        site.write(f"records/{n}.md", record("Held back", line))
    site.write("records/future.md", record("Future", date="2400-01-01"))
    run = site.generate()
    assert site.counts() == (5, 1, 4, 0, 0)
    assert site.report()["left_out"] == dict.fromkeys(
        ("unpublished", "draft", "removed", "future"), 1
    )
    assert "--unpublished" in run.out
    site.generate("--unpublished")
    assert site.counts() == (5, 3, 2, 0, 0)


def test_a_file_that_vanishes_while_it_is_read(site: Site) -> None:
    bad = site.write("records/bad.md", record("Bad"))
    # The interpreter tells of every open() before it happens: the deleter always wins the race.
    site.hook = (
        "import os, sys\n"
        "def hook(event, args):\n"
        f"    if event == 'open' and str(args[0]) == {str(bad)!r}: os.unlink(args[0])\n"
        "sys.addaudithook(hook)\n"
    )
    run = site.generate()
    assert not bad.exists()
    assert_told(run, "records/bad.md", None, "", "no longer exists", "run again")
    assert site.counts() == (2, 1, 0, 0, 1)


def test_a_dangling_link(site: Site) -> None:
    (site.root / "records/bad.md").symlink_to("nowhere.md")
    assert_told(site.generate(), "records/bad.md", None, "", "no longer exists", "link")
    assert site.counts() == (2, 1, 0, 0, 1)


def test_a_file_that_links_to_itself(site: Site) -> None:
    (site.root / "records/bad.md").symlink_to("bad.md")
    assert_told(site.generate(), "records/bad.md", None, "", "links", "link|remove it")
    assert site.counts() == (2, 1, 0, 0, 1)


def test_a_folder_that_links_to_its_parent(site: Site) -> None:
    (site.root / "records/deep").mkdir()
    (site.root / "records/deep/loop").symlink_to("..")
    assert_told(
        site.generate(), "records/deep/loop", None, "", "link to a folder", "delete the link"
    )
    assert site.counts() == (2, 1, 0, 0, 1)


def test_a_pipe_is_not_waited_for(site: Site) -> None:
    os.mkfifo(site.root / "records/bad.md")
    assert_told(site.generate(), "records/bad.md", None, "", "not a regular file", "remove it")
    assert site.counts() == (2, 1, 0, 0, 1)


@pytest.mark.parametrize("name", ["bad.md", "folder"])
def test_what_may_not_be_read(site: Site, unprivileged: list[str], name: str) -> None:
    site.write("records/folder/a.md" if name == "folder" else "records/bad.md", record("Bad"))
    path = site.root / "records" / name
    path.chmod(0)
    try:
        run = site.generate(prefix=unprivileged)
    finally:
        path.chmod(0o755)
    assert_told(run, f"records/{name}", None, "", "cannot be read", "permissions")
    assert site.counts() == (2, 1, 0, 0, 1)


def test_strict_ends_with_3_and_writes_the_feeds_of_the_others(site: Site) -> None:
    site.write("records/bad.md", front("title: A"))
    site.generate("--strict", code=3)
    assert site.titles() == ["Good one"]


def test_strict_is_content_with_what_was_mended(site: Site) -> None:
    site.write("records/a.md", record("A", "provider: 3"))
    site.generate("--strict")


@pytest.fixture
def all_bad(site: Site) -> Site:
    """Every bad file at once but the largest, each under a name of its own."""
    for n, bad in enumerate((*UNUSABLE, *MENDED)):
        if len(bad.content) < 1_000_000:
            site.write(f"records/{n:03}{Path(bad.file).suffix}", bad.content)
    return site


def test_all_at_once_are_each_counted(all_bad: Site) -> None:
    all_bad.generate()
    report = all_bad.report()
    assert report["records"]["problems"] == sum(bad.problems for bad in UNUSABLE) - 1  # the 50 MB
    assert "Good one" in [
        item["title"] for item in strict_json(all_bad.tree()["feed.json"])["items"]
    ]
    fatal = [problem["path"].partition("#")[0] for problem in report["problems"]]
    assert len(set(fatal)) == len(UNUSABLE) - 1
    assert all(problem["what"] and problem["remedy"] for problem in report["problems"])


def test_check_names_them_all_and_writes_nothing(all_bad: Site) -> None:
    run = all_bad.run("check")
    assert run.code == 3
    assert not all_bad.feeds.exists()
    lines = run.out.splitlines()
    told = [re.fullmatch(r"records/(\d+)\.\w+(?::\d+)?: .+; .+", line) for line in lines]
    assert None not in told, lines
    named = {match[1] for match in told if match}
    assert len(named) == len(UNUSABLE) + len(MENDED) - 1


def test_check_of_one_file_names_its_problems_alone(site: Site) -> None:
    site.write("records/a.md", front("title: A"))
    site.write("records/b.md", front("title: B"))
    run = site.run("check", "records/a.md")
    assert run.code == 3
    assert [line.partition(":")[0] for line in run.out.splitlines()] == ["records/a.md"]
    assert site.run("check", "records/good.md").code == 0


def test_nothing_hostile_in_a_body_reaches_a_feed(site: Site) -> None:
    body = """<p onclick="x()">Hello<script>evil()</script><img src="javascript:evil()">
<a href="data:text/html,evil">a</a><iframe src="https://evil.example/"></iframe>
<img src="https://example.org/p.gif" width="1" height="1"><style>evil{}</style>
<form action="https://evil.example/"><input></form><a href=" java&#10;script:evil()">b</a></p>"""
    item = only_item(site, record("A", body=body))
    assert "Hello" in item["content_html"]
    whole = b"".join(site.tree().values())
    assert not [word for word in (b"evil", b"onclick", b"<form", b"p.gif") if word in whole]
