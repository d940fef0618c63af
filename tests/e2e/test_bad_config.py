"""A wrong configuration or command line ends with 2, names the mistake, and starts nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from .harness import CONFIG, GOOD, Run, Site, new_site, record, tree_of

Attempt = Future[tuple[Run, bool]]

RECORDS = "records: [records]\n"
URL = "  url: https://feeds.example.org/\n"


@dataclass(frozen=True)
class Bad:
    """A mistake in config.yaml, and what the user should be told of it."""

    name: str
    config: str | bytes
    line: int | None
    key: str
    what: str  # pattern of what is wrong
    remedy: str  # pattern of what to do

    def __str__(self) -> str:
        return self.name


def more(lines: str) -> str:
    """The good configuration with more lines; they begin at line 8."""
    return CONFIG + lines + "\n"


def instead(old: str, new: str) -> str:
    """The good configuration with a part of it replaced."""
    assert old in CONFIG
    return CONFIG.replace(old, new)


def assert_told(run: Run, line: int | None, key: str, what: str, remedy: str) -> None:
    """One line of the messages is `config.yaml:line: key: what; what to do`."""
    place = r"config\.yaml" + (f":{line}" if line else "")
    key = re.escape(key) + ": " if key else ""
    wanted = rf"^{place}: {key}.*(?:{what}).*; .*(?:{remedy})"
    assert re.search(wanted, run.err, re.MULTILINE), f"no line like {wanted!r} in:\n{run.text}"


BAD = [
    Bad("unknown key", more("outptu: x"), 8, "outptu", "unknown", "output"),
    Bad(
        "unknown nested key",
        instead("  title: Test site", "  titel: Test site"),
        2, "site.titel", "unknown", "title",
    ),
    Bad("unknown key in a list", more("feeds:\n  custom: [{slgu: a}]"), 9,
        "feeds.custom[0].slgu", "unknown", "slug"),
    Bad("key twice", more("output: a\noutput: b"), 9, "output", "twice", "one"),
    Bad("mapping for a text", more("output: {a: b}"), 8, "output", "a mapping", "write"),
    Bad("text for a mapping", more("feeds: many"), 8, "feeds", "'many'", "key: value"),
    Bad("word for a number", more("feeds: {items: many}"), 8, "feeds.items", "'many'", "digits"),
    Bad("zero items", more("feeds: {items: 0}"), 8, "feeds.items", "small", "1 or more"),
    Bad("huge number", more(f"feeds: {{items: {'9' * 5000}}}"), 8, "feeds.items", "99", ""),
    Bad("word for a truth", more("select: {future: soon}"), 8, "select.future", "'soon'", "true"),
    Bad("no time", more("feeds: {window: long}"), 8, "feeds.window", "'long'", "h, d"),
    Bad("no format", more("feeds: {formats: [rsss]}"), 8, "feeds.formats[0]", "'rsss'", "'rss'"),
    Bad("no e-mail", instead(URL, URL + "  author: {name: A, email: a}\n"), 4,
        "site.author.email", "'a'", "e-mail"),
    Bad("no language", instead(URL, URL + "  language: english!!\n"), 4,
        "site.language", "english!!", "en"),
    Bad("empty", "", None, "", "empty", "feedpub init"),
    Bad("comments alone", "# nothing\n", None, "", "empty", "feedpub init"),
    Bad("not YAML", "site: [\n", 2, "", "not YAML", "fix"),
    Bad("tab", instead("  title", "\ttitle"), 2, "", "not YAML", "spaces"),
    Bad("unquoted colon", instead("Test site", "Test: site"), 2, "", "not YAML", "quotes"),
    Bad("a list", "- a\n- b\n", 1, "", "a list", "key: value"),
    Bad("a text", "hello\n", 1, "", "'hello'", "key: value"),
    Bad("not UTF-8", CONFIG.replace("Test", "T\u00e9st").encode("latin-1"), 2, "", "not UTF-8",
        "save it as UTF-8"),
    Bad("UTF-16", CONFIG.encode("utf-16"), 1, "", "not UTF-8", "save it as UTF-8"),
    Bad("10,000 brackets", "site: " + "[" * 10_000 + "]" * 10_000, 1, "", "deep|nest", "nesting"),
    Bad("a key that is a list", more("? [a, b]\n: c"), 8, "", "key", "write"),
    Bad("missing site", RECORDS, 1, "site", "missing", "add it"),
    Bad("missing site.url", instead(URL, ""), 2, "site.url", "missing", "add it"),
    Bad("missing records", instead(RECORDS, ""), 1, "records", "missing", "add it"),
    Bad("no records", instead("[records]", "[]"), 7, "records", "no source", "folder"),
    Bad("ftp: url", instead("https://feeds", "ftp://feeds"), 3, "site.url", "ftp:", "https://"),
    Bad("url without scheme", instead("https://feeds", "feeds"), 3, "site.url", "http", "https://"),
    Bad("url of nothing", instead("https://feeds.example.org/", "https://"), 3, "site.url",
        "https://", "https://"),
    Bad("port of words", instead("org/\n  id", "org:http/\n  id"), 3, "site.url", "http", "https:"),
    Bad("url with a query", instead("org/\n  id", "org/?a=b\n  id"), 3, "site.url", r"\?", "part"),
    Bad("bad timezone", instead("Europe/Berlin", "Europe/Brelin"), 6, "site.timezone",
        "Europe/Brelin", "Europe/Berlin"),
    Bad("timezone a folder", instead("Europe/Berlin", "Europe"), 6, "site.timezone", "'Europe'",
        "IANA"),
    Bad("timezone a path", instead("Europe/Berlin", "../../x"), 6, "site.timezone", "x", "IANA"),
    Bad("bad link variable", instead("[records]", '[{path: records, link: "/{yaer}/"}]'), 7,
        "records[0].link", "{yaer}", "{year}"),
    Bad("link half open", instead("[records]", '[{path: records, link: "/{year/"}]'), 7,
        "records[0].link", "{", "{year}"),
    Bad("bad title variable", more('feeds: {topics: {title: "{topic}"}}'), 8,
        "feeds.topics.title", "{topic}", "{name}"),
    Bad("output inside records", more("output: records/feeds"), 7, "records[0].path",
        "inside the records", "name another folder"),
    Bad("records inside output", instead("[records]", "[feeds/records]") + "output: feeds\n", 7,
        "records[0].path", "inside the output", "move"),
    Bad("output the config's folder", more("output: ."), 8, "output", "config.yaml", "like feeds"),
    Bad("output above the config", more("output: .."), 7, "records[0].path",
        "inside the output", "move"),
    Bad("output a file", more("output: config.yaml"), 8, "output", "not a folder", "folder"),
    Bad("records missing", instead("[records]", "[recodrs]"), 7, "records[0].path", "recodrs",
        "correct the path.*disk"),
    Bad("unset variable", instead("Test site", "${FEEDPUB_UNSET}"), 2, "site.title",
        "FEEDPUB_UNSET", "set it"),
    Bad("unset variable in a list", more('websub: {hubs: ["${FEEDPUB_UNSET}"]}'), 8,
        "websub.hubs[0]", "FEEDPUB_UNSET", "set it"),
    Bad("one slug twice", more("feeds:\n  custom:\n  - slug: best\n  - slug: BEST"), 11,
        "feeds.custom[1].slug", "'BEST'", "different"),
    Bad("slug that leaves", more('feeds: {custom: [{slug: "../x"}]}'), 8, "feeds.custom[0].slug",
        r"\.\./x", "letters"),
    Bad("file name twice", more("feeds: {filenames: {rss: atom.xml}}"), 8, "feeds.filenames",
        "same", "different"),
    Bad("file name of the manifest", more("feeds: {filenames: {rss: feeds.opml}}"), 8,
        "feeds.filenames", "feeds.opml", "name|own"),
    Bad("file name that leaves", more('feeds: {filenames: {rss: "../rss.xml"}}'), 8,
        "feeds.filenames.rss", r"\.\./rss.xml", "letters"),
    Bad("also_at that leaves", more('feeds: {also_at: {"../x.xml": rss.xml}}'), 8,
        "feeds.also_at", r"\.\./x.xml", "letters"),
    Bad("archives", more("feeds: {archives: week}"), 8, "feeds.archives", "'week'",
        "false"),
    Bad("path without variable", more("feeds: {topics: {path: topics}}"), 8, "feeds.topics.path",
        "'topics'", "{slug}"),
    Bad("topics and providers at one path",
        more('feeds: {topics: {path: "x/{slug}"}, providers: {path: "x/{slug}"}}'), 8,
        "feeds.providers.path", "x/{slug}", "different"),
    Bad("taxonomy missing", more("taxonomy: {topics: topcis}"), 8, "taxonomy.topics", "topcis",
        "create it|remove"),
]  # fmt: skip


def tried(root: Path, bad: Bad) -> tuple[Run, bool]:
    site = new_site(root)
    site.write("feeds/records/a.md", GOOD)  # for records inside output
    site.write("config.yaml", bad.config)
    before = tree_of(root)
    run = site.run("generate")
    return run, tree_of(root) == before


@pytest.fixture(scope="module")
def attempts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Attempt]]:
    """A run with each mistake, on as many processors as there are."""
    root = tmp_path_factory.mktemp("bad")
    pool = ThreadPoolExecutor(os.cpu_count())
    yield {bad.name: pool.submit(tried, root / f"{n}", bad) for n, bad in enumerate(BAD)}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_mistake_in_the_configuration_is_named_and_nothing_is_started(
    attempts: dict[str, Attempt], bad: Bad
) -> None:
    run, untouched = attempts[bad.name].result()
    assert run.code == 2, run.text
    assert_told(run, bad.line, bad.key, bad.what, bad.remedy)
    assert run.out == ""
    assert untouched
    assert len(run.err) < 2000  # nobody reads a screen of digits


def test_every_mistake_is_named_at_once(site: Site) -> None:
    site.write("config.yaml", more("outptu: x\nselect: {future: soon}\nfeeds: {items: many}"))
    run = site.run("generate")
    assert run.code == 2
    assert [line.split(":")[1] for line in run.err.splitlines()] == ["8", "9", "10"]


def test_no_configuration_anywhere(tmp_path: Path) -> None:
    run = Site(tmp_path).run("generate")
    assert run.code == 2
    assert_told(run, None, "", "not found", "feedpub init.*--config")


@pytest.mark.parametrize("name", ["nowhere.yaml", "records"])
def test_a_configuration_that_is_no_file(site: Site, name: str) -> None:
    run = site.run("generate", "--config", name)
    assert run.code == 2
    assert re.match(
        rf"{name}: .*(no such file|not found|cannot be read|does not exist).*; .+", run.err
    )


def test_a_configuration_that_may_not_be_read(site: Site, unprivileged: list[str]) -> None:
    (site.root / "config.yaml").chmod(0)
    run = site.run("generate", prefix=unprivileged)
    assert run.code == 2
    assert_told(run, None, "", "cannot be read", "fix")


def test_a_secret_from_the_environment_need_not_be_in_the_file(site: Site) -> None:
    site.write("config.yaml", instead("Test site", "${TITLE} of ${WHOM:-nobody}"))
    site.generate("-q", env={"TITLE": "Site"})
    assert b"<title>Site of nobody</title>" in site.tree()["rss.xml"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["genrate"], "genrate.*generate"),
        (["generate", "--dryrun"], "--dryrun.*--dry-run"),
        (["generate", "--nonsense"], "--nonsense"),
        (["generate", "extra"], "extra"),
        (["generate", "--as-of", "nonsense"], "--as-of.*nonsense.*2026-01-31T09:30:00Z"),
        (["generate", "--as-of", "2020-13-45"], "--as-of.*2020-13-45.*2026-01-31T09:30:00Z"),
        (["generate", "--report"], "--report"),
        (["generate", "--log-format", "xml"], "xml.*text.*json"),
        (["list"], "topics.*providers.*feeds.*records"),
        (["list", "nonsense"], "nonsense.*topics"),
        (["schema", "feed"], "feed.*config.*record"),
        (["explain"], "RECORD"),
        (["explain", "records/nowhere.md"], "nowhere.md.*list records"),
        (["check", "records/nowhere.md"], "nowhere.md"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line(site: Site, args: list[str], told: str) -> None:
    run = site.run(*args)
    assert run.code == 2, run.text
    assert re.search(told, run.err, re.DOTALL), run.err
    assert run.out == ""
    assert not site.feeds.exists()


@pytest.mark.parametrize("epoch", ["nonsense", "1e9", "9" * 30])
def test_a_clock_that_is_none(site: Site, epoch: str) -> None:
    run = site.run("generate", env={"SOURCE_DATE_EPOCH": epoch})
    assert run.code == 2
    assert re.search("SOURCE_DATE_EPOCH.*seconds.*set", run.err)
    assert not site.feeds.exists()


def test_as_of_goes_before_the_clock_of_the_environment(site: Site) -> None:
    site.write("records/later.md", record("Later", date="2021-01-01"))
    site.generate("--as-of", "2020-12-31", env={"SOURCE_DATE_EPOCH": "4000000000"})
    assert site.counts() == (2, 1, 1, 0, 0)
    site.generate(env={"SOURCE_DATE_EPOCH": "1600000000"})
    assert site.counts() == (2, 1, 1, 0, 0)
