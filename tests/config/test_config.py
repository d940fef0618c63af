"""config.yaml: every key that is promised is read, every mistake is named."""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.config import Config, config_schema, find_config, load_config
from feedpub.errors import ConfigError
from feedpub.model import Problem

ROOT = Path(__file__).parents[2]
LEAST = """\
site: {title: "A site", url: https://feeds.example.org/}
records: [records]
"""
# INTERFACE's sample, with what this version has of it.
FULL = """\
site:
  title: Everyday AI
  url: https://feeds.example.org/
  id: tag:example.org,2026:feeds
  home: https://example.org/
  description: All about it
  language: en
  timezone: Europe/Berlin
  author: {name: Jane, email: jane@example.org, url: https://example.org/jane}
  copyright: © Jane
  icon: https://example.org/icon.png
  logo: https://example.org/logo.png
records:
  - records
  - path: _posts
    link: "/{year}/{month}/{day}/{slug}/"
    provider: My blog
    topics: [Blog]
taxonomy: {topics: topics, providers: organizations}
output: feeds
state: .feedpub
fields: {title: headline}
select: {unpublished: false, future: false, types: [article], languages: [en, de], min_quality: 0}
feeds:
  formats: [rss, atom, json]
  items: 20
  window: 48h
  filenames: {rss: index.xml, atom: atom.xml, json: feed.json}
  also_at: {"feed.xml": "index.xml", "topics/old-name": "topics/new-name"}
  content: full
  archives: false
  all: true
  topics: {path: "by/{slug}", title: "{name} at {site}", items: all, min_items: 2,
    include: [AI], exclude: [Bees], where: {types: [article]}}
  providers: true
  topic_providers: false
  custom:
    - {slug: best, title: Best of, where: {min_quality: 80, types: [article]}}
    - {slug: mail, newsletter: {parameters: {utm_source: newsletter, utm_medium: email}}}
  overrides: {"by/ai-ethics": {title: Ethics, description: d, image: https://example.org/i.png,
    newsletter: true}}
images: {enclosure: first, probe: local, mirror: false}
websub: {hubs: [https://hub.example/]}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for folder in ("records", "_posts", "topics", "organizations"):
        (tmp_path / folder).mkdir()
    return tmp_path


def load(site: Path, text: str | bytes, environ: dict[str, str] | None = None) -> Config:
    path = site / "config.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_config(path, environ or {})


def problems(site: Path, text: str | bytes) -> list[Problem]:
    """Every mistake that is named."""
    with pytest.raises(ConfigError) as caught:
        load(site, text)
    found = list(caught.value.problems)
    assert all(p.what and p.remedy and p.path.endswith("config.yaml") for p in found)
    return found


def test_every_promised_key_is_read(site: Path) -> None:
    config = load(site, FULL)
    assert config.site.title == "Everyday AI"
    assert config.site.id == "tag:example.org,2026:feeds"
    assert config.site.author
    assert config.site.author.email == "jane@example.org"
    assert config.zone.key == "Europe/Berlin"
    posts = config.settings.records[1]
    assert (posts.path, posts.provider, posts.topics) == ("_posts", "My blog", ("Blog",))
    assert config.topics_folder == site / "topics"
    assert config.output == site / "feeds"
    assert config.settings.fields == {"title": "headline"}
    assert (config.select.types, config.select.min_quality) == (("article",), 0)
    feeds = config.feeds
    assert (feeds.items, feeds.window) == (20, timedelta(hours=48))
    assert feeds.filenames["rss"] == "index.xml"
    assert feeds.also_at["feed.xml"] == "index.xml"
    assert (feeds.topics.items, feeds.topics.min_items, feeds.topics.path) == (0, 2, "by/{slug}")
    assert feeds.topics.where
    assert feeds.topics.where.types == ("article",)
    assert feeds.custom[0].where.min_quality == 80
    assert config.overrides["by/ai-ethics"].title == "Ethics"
    mail, ethics = feeds.custom[1].newsletter, config.overrides["by/ai-ethics"].newsletter
    assert mail
    assert ethics
    assert list(mail.parameters.items()) == [("utm_source", "newsletter"), ("utm_medium", "email")]
    assert (mail.enabled, ethics.enabled, dict(ethics.parameters)) == (True, True, {})
    assert config.settings.websub.hubs == ("https://hub.example/",)


def test_the_least_configuration_has_the_promised_defaults(site: Path) -> None:
    config = load(site, LEAST)
    assert config.site.home == config.site.url == "https://feeds.example.org/"
    assert config.site.id.startswith("tag:feeds.example.org,")
    assert (config.site.language, config.zone.key) == ("en", "UTC")
    assert config.output == site / "feeds"
    assert config.settings.state == ".feedpub"
    assert (config.feeds.formats, config.feeds.items) == (("rss", "atom", "json"), None)
    assert dict(config.feeds.filenames) == {
        "rss": "rss.xml",
        "atom": "atom.xml",
        "json": "feed.json",
    }
    assert (config.feeds.content, config.feeds.window) == ("full", None)
    assert config.feeds.all.enabled
    assert config.feeds.topics.enabled
    assert config.feeds.providers.enabled
    assert not config.feeds.topic_providers.enabled
    assert (config.select.unpublished, config.select.future) == (False, False)
    assert config.settings.images.enclosure == "first"


@pytest.mark.parametrize(
    ("written", "is_on"),
    [("true", True), ("false", False), ("yes", True), ("off", False), ("{items: 5}", True)],
)
def test_a_group_is_on_or_off_or_described(site: Path, written: str, is_on: bool) -> None:
    config = load(site, f"{LEAST}feeds: {{topics: {written}}}")
    assert config.feeds.topics.enabled is is_on


@pytest.mark.parametrize(
    ("written", "span"),
    [("off", None), ("48h", 48), ("2d", 48), ("120m", 2), ("1w", 168), ("false", None)],
)
def test_windows(site: Path, written: str, span: int | None) -> None:
    wanted = None if span is None else timedelta(hours=span)
    assert load(site, f"{LEAST}feeds: {{window: {written}}}").feeds.window == wanted


def test_one_value_is_a_list_of_one(site: Path) -> None:
    config = load(site, LEAST.replace("[records]", "records") + "feeds: {formats: rss}")
    assert [source.path for source in config.settings.records] == ["records"]
    assert config.feeds.formats == ("rss",)


def test_addresses_are_written_as_feeds_may_carry_them(site: Path) -> None:
    home = "home: https://bücher.example/ü/"
    config = load(site, LEAST.replace("example.org/}", f"example.org/, {home}}}"))
    assert config.site.home == "https://xn--bcher-kva.example/%C3%BC/"


def test_urls_of_folders_end_with_a_slash(site: Path) -> None:
    config = load(
        site, LEAST.replace("example.org/}", "EXAMPLE.org/blog, home: https://a.example}")
    )
    assert config.site.url == "https://feeds.example.org/blog/"
    assert config.site.home == "https://a.example/"


@pytest.mark.parametrize("written", ["", " ~", " null"])
def test_a_key_with_nothing_behind_it_is_as_good_as_none(site: Path, written: str) -> None:
    keys = ("taxonomy", "fields", "select", "images")
    config = load(site, LEAST + "".join(f"{key}:{written}\n" for key in keys))
    assert config.settings.images.enclosure == "first"
    config = load(site, LEAST + f"feeds:\n  custom:{written}\n  items: 5\n  window:{written}\n")
    assert (config.feeds.items, config.feeds.custom) == (5, ())


def test_the_environment_fills_in(site: Path) -> None:
    text = LEAST.replace("A site", "${NAME} of ${PLACE:-here}")
    assert load(site, text, {"NAME": "News"}).site.title == "News of here"
    assert load(site, text, {"NAME": "News", "PLACE": "Rome"}).site.title == "News of Rome"
    found = problems(site, text)
    assert [(p.key, p.line) for p in found] == [("site.title", 1)]
    assert "NAME" in found[0].what


def test_what_the_environment_says_is_a_text_and_no_yaml(site: Path) -> None:
    text = LEAST.replace("A site", "${NAME}")
    assert load(site, text, {"NAME": "a: [b]\n# c ${X}"}).site.title == "a: [b]\n# c ${X}"


# --- mistakes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "key", "hint"),
    [
        ("outptu: feeds", "outptu", "output"),
        ("feeds: {topcs: true}", "feeds.topcs", "topics"),
        ("feeds: {topics: {titel: x}}", "feeds.topics.titel", "title"),
        ("feeds: {custom: [{slgu: x}]}", "feeds.custom[0].slgu", "slug"),
        ("feeds: {overrides: {topics/a: {imgae: x}}}", "feeds.overrides.topics/a.imgae", "image"),
        ("feeds: {filenames: {rs: a.xml}}", "feeds.filenames", "rss"),
        ("select: {min_qualty: 1}", "select.min_qualty", "min_quality"),
        ("fields: {titel: headline}", "fields", "title"),
        ("feeds: {formats: [rss, jsn]}", "feeds.formats[1]", "json"),
        ("feeds: {content: ful}", "feeds.content", "full"),
        ("images: {enclosure: frist}", "images.enclosure", "first"),
    ],
)
def test_a_misspelt_word_is_named_with_the_nearest_known(
    site: Path, line: str, key: str, hint: str
) -> None:
    found = problems(site, f"{LEAST}\n{line}\n")[0]
    assert (found.key, found.line) == (key, 4)
    assert hint in found.remedy


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("feeds: {items: many}", "feeds.items"),
        ("feeds: {items: 0}", "feeds.items"),
        ("feeds: {items: -1}", "feeds.items"),
        ("feeds: {items: 2.5}", "feeds.items"),
        ("feeds: {items: [1]}", "feeds.items"),
        ("feeds: {window: soon}", "feeds.window"),
        ("feeds: {window: 48}", "feeds.window"),
        ("feeds: {formats: []}", "feeds.formats"),
        ("feeds: {topics: maybe}", "feeds.topics"),
        ("feeds: {topics: {path: topics}}", "feeds.topics.path"),
        ("feeds: {topics: {path: '../{slug}'}}", "feeds.topics.path"),
        ("feeds: {topics: {path: '{slug}/{slug}'}}", "feeds.topics.path"),
        ("feeds: {topics: {path: '{topic}'}}", "feeds.topics.path"),
        ("feeds: {topics: {title: '{nmae}'}}", "feeds.topics.title"),
        ("feeds: {topics: {path: '{slug}'}, providers: {path: '{slug}'}}", "feeds.providers.path"),
        ("feeds: {providers: {path: 'topics/{slug}'}}", "feeds.providers.path"),
        ("feeds: {archives: year, topics: {path: 'archive/{slug}'}}", "feeds.topics.path"),
        ("feeds: {custom: [{title: x}]}", "feeds.custom[0].slug"),
        ("feeds: {custom: [{slug: a}, {slug: A}]}", "feeds.custom[1].slug"),
        ("feeds: {custom: [{slug: ../a}]}", "feeds.custom[0].slug"),
        ("feeds: {custom: [{slug: con}]}", "feeds.custom[0].slug"),
        ("feeds: {custom: [{slug: best.}]}", "feeds.custom[0].slug"),
        ("feeds: {filenames: {rss: a/b.xml}}", "feeds.filenames.rss"),
        ("feeds: {filenames: {rss: atom.xml}}", "feeds.filenames"),
        ("feeds: {filenames: {rss: feeds.json}}", "feeds.filenames"),
        ("feeds: {filenames: {rss: index.html}}", "feeds.filenames"),
        ("feeds: {filenames: {rss: .feedpub.json}}", "feeds.filenames.rss"),
        ("feeds: {also_at: {../a: rss.xml}}", "feeds.also_at"),
        ("feeds: {also_at: {a: /etc/passwd}}", "feeds.also_at.a"),
        ("feeds: {also_at: {feeds.opml: rss.xml}}", "feeds.also_at.feeds.opml"),
        ("feeds: {also_at: {a: a}}", "feeds.also_at.a"),
        ("feeds: {overrides: [a]}", "feeds.overrides"),
        ("feeds: {archives: week}", "feeds.archives"),
        ("feeds: {archives: year, also_at: {archive/2020: rss.xml}}", "feeds.also_at.archive/2020"),
        ("feeds: {all: {newsletter: perhaps}}", "feeds.all.newsletter"),
        ("feeds: {all: {newsletter: {parameter: {a: b}}}}", "feeds.all.newsletter.parameter"),
        ("feeds: {all: {newsletter: {parameters: {a b: c}}}}", "feeds.all.newsletter.parameters"),
        ("feeds: {all: {newsletter: {parameters: {a: ''}}}}", "feeds.all.newsletter.parameters.a"),
        ("feeds: topics", "feeds"),
        ("select: {future: perhaps}", "select.future"),
        ("select: {min_quality: high}", "select.min_quality"),
        ("select: {min_quality: nan}", "select.min_quality"),
        ("websub: {hubs: [hub.example]}", "websub.hubs[0]"),
        ("taxonomy: {topics: nowhere}", "taxonomy.topics"),
        ("output: records", "records[0].path"),
        ("output: records/feeds", "records[0].path"),
        ("output: .", "output"),
        ("state: feeds", "state"),
        ("ids: {ledger: feeds/ids.jsonl}", "ids.ledger"),
        ("ids: {ledger: records}", "ids.ledger"),
        ("ids: {record: some}", "ids.record"),
        ("state: feeds/.state", "state"),
        ("output: config.yaml", "output"),
    ],
)
def test_a_value_that_cannot_be_is_named(site: Path, line: str, key: str) -> None:
    found = problems(site, f"{LEAST}\n{line}\n")
    assert key in [p.key for p in found], found
    assert all(p.line in {2, 4} for p in found)


@pytest.mark.parametrize(
    ("site_keys", "key"),
    [
        ("url: https://x.example/", "site.title"),
        ("title: A", "site.url"),
        ("title: A, url: x.example", "site.url"),
        ("title: A, url: 'ftp://x.example/'", "site.url"),
        ("title: A, url: 'https://x.example/?a'", "site.url"),
        ("title: A, url: 'https://x.example:port/'", "site.url"),
        ("title: [A], url: https://x.example/", "site.title"),
        ("title: , url: https://x.example/", "site.title"),
        ("title: A, url: https://x.example/, id: feeds", "site.id"),
        ("title: A, url: https://x.example/, language: English please", "site.language"),
        ("title: A, url: https://x.example/, timezone: Europe/Atlantis", "site.timezone"),
        ("title: A, url: https://x.example/, timezone: ../../etc/passwd", "site.timezone"),
        ("title: A, url: https://x.example/, author: {email: a}", "site.author.email"),
    ],
)
def test_a_site_that_cannot_be_is_named(site: Path, site_keys: str, key: str) -> None:
    found = problems(site, f"site: {{{site_keys}}}\nrecords: [records]\n")
    assert [(p.key, p.line) for p in found] == [(key, 1)]


@pytest.mark.parametrize(
    ("records", "key"),
    [
        ("[]", "records"),
        ("[nowhere]", "records[0].path"),
        ("['nowhere/*.md']", "records[0].path"),
        ("[{link: /a}]", "records[0].path"),
        ("[{path: records, link: '/{yaer}/'}]", "records[0].link"),
        ("[{path: records, lnik: /a}]", "records[0].lnik"),
        ("[{path: records, language: English please}]", "records[0].language"),
    ],
)
def test_a_source_that_cannot_be_is_named(site: Path, records: str, key: str) -> None:
    found = problems(site, LEAST.replace("[records]", records))
    assert [(p.key, p.line) for p in found] == [(key, 2)]


def test_records_inside_the_output_are_refused(site: Path) -> None:
    (site / "feeds/records").mkdir(parents=True)
    (found,) = problems(site, LEAST.replace("[records]", "[feeds/records]"))
    assert found.key == "records[0].path"


def test_every_mistake_is_named_at_once(site: Path) -> None:
    text = "site: {title: A, url: x}\nrecords: records\noutptu: a\nfeeds:\n  items: 0\n  topcs: 1\n"
    assert [(p.line, p.key) for p in problems(site, text)] == [
        (1, "site.url"),
        (3, "outptu"),
        (5, "feeds.items"),
        (6, "feeds.topcs"),
    ]


def test_keys_that_are_there_twice_are_named(site: Path) -> None:
    (found,) = problems(site, LEAST + "output: a\noutput: b\n")
    assert (found.key, found.line) == ("output", 4)
    (found,) = problems(site, LEAST + "feeds: {also_at: {a: b, a: c}}\n")
    assert found.line == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        ("# nothing\n", 0),
        ("site:\n\ttitle: a\n", 2),
        ("site: a: b\n", 1),
        ("site: {title: *x}\n", 1),
        (b"site:\n  title: caf\xe9\n", 2),
        ("- a\n", 1),
        ("text\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
        ("? [a]\n: b\n", 1),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(
    site: Path, text: str | bytes, line: int
) -> None:
    assert problems(site, text)[0].line == line


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(site: Path) -> None:
    assert load(site, b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode()).site.title == "A site"


def test_a_file_that_is_not_there_says_how_to_make_one(site: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(site / "other.yaml", {})
    assert "feedpub init" in str(caught.value)


def test_the_nearest_configuration_above_is_found(site: Path) -> None:
    (site / "config.yaml").write_text(LEAST, encoding="utf-8")
    deep = site / "records/deep"
    deep.mkdir()
    assert find_config(deep) == site / "config.yaml"
    (site / "feedpub.yaml").touch()  # the other is a site generator's
    assert find_config(deep) == site / "feedpub.yaml"
    if not any((folder / "config.yaml").exists() for folder in site.parents):
        with pytest.raises(ConfigError) as caught:
            find_config(site.parent)
        assert "feedpub init" in str(caught.value)


def test_paths_are_relative_to_the_file_and_shown_so(site: Path) -> None:
    before = Path.cwd()
    try:
        os.chdir(site / "records")
        config = load(site, LEAST)
    finally:
        os.chdir(before)
    assert config.output == site / "feeds"
    assert config.shown(site / "records/a.md") == "records/a.md"


_SCALARS = st.sampled_from(
    "true 5 -1 all a https://x.example/ {slug} ${X} ~ '' ../a [a] *x nan 1e999 1_0 '\\'".split()
) | st.sampled_from(["{a: b}", "{slug: a}", "&x [*x]", "!t a"])
_KEYS = sorted(
    "site title url id home author records path link taxonomy topics providers output state fields"
    " select types min_quality feeds formats items window filenames rss also_at custom slug where"
    " overrides images enclosure websub hubs language timezone include".split()
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(_KEYS), st.tuples(st.sampled_from(_KEYS), _SCALARS)))
def test_any_file_is_a_configuration_or_a_config_error(rows: dict[str, tuple[str, str]]) -> None:
    text = "".join(f"{key}: {{{inner}: {value}}}\n" for key, (inner, value) in rows.items())
    with TemporaryDirectory() as folder:
        (Path(folder) / "records").mkdir()
        for whole in (text, LEAST + text, LEAST.replace("A site", "a") + text):
            with contextlib.suppress(ConfigError):
                load(Path(folder), whole)


# --- the schema ---------------------------------------------------------------------------


def accepts(document: Any) -> bool:
    """Whether an editor that knows the schema finds no fault."""
    validator = jsonschema.Draft202012Validator(config_schema())
    return not list(validator.iter_errors(document))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(config_schema())


@pytest.mark.parametrize(
    "text",
    [LEAST, FULL, (ROOT / "config.yaml").read_text(encoding="utf-8")],
    ids=["least", "full", "sample"],
)
def test_the_schema_accepts_what_feedpub_accepts(text: str) -> None:
    assert accepts(yaml.safe_load(text))


def test_the_projects_own_configuration_loads() -> None:
    assert load_config(ROOT / "config.yaml", {}).site.title


@pytest.mark.parametrize(
    "more",
    [
        "outptu: feeds",
        "feeds: {topcs: true}",
        "feeds: {topics: {titel: x}}",
        "feeds: {custom: [{slug: a, whree: {}}]}",
        "feeds: {custom: [{slug: a, where: {tpes: [a]}}]}",
        "feeds: {overrides: {topics/a: {imgae: x}}}",
        "feeds: {filenames: {rs: a.xml}}",
        "feeds: {formats: [rss, jsn]}",
        "feeds: {items: many}",
        "feeds: {window: soon}",
        "fields: {titel: headline}",
        "select: {min_qualty: 1}",
        "taxonomy: {topcs: a}",
        "images: {probe: maybe}",
    ],
)
def test_the_schema_refuses_what_feedpub_refuses(site: Path, more: str) -> None:
    assert problems(site, LEAST + more)
    assert not accepts(yaml.safe_load(LEAST + more))


@pytest.mark.parametrize("key", ["site", "records"])
def test_the_schema_wants_what_must_be_there(key: str) -> None:
    document = yaml.safe_load(LEAST)
    del document[key]
    assert not accepts(document)
