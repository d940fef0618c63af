"""Items of several languages in one site, and a feed for each."""

from __future__ import annotations

import json

import feedparser
import pytest
from lxml import etree

from .harness import Site, new_site, record

TITLES = {
    "en": "Bread",
    "de": "Brot für alle",
    "de-AT": "Semmeln",
    "ar": "خبز (bread) للجميع",
    "he": "לחם & מים",
    "ja": "パン",
}
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = new_site(tmp_path_factory.mktemp("site"))
    (site.root / "records/good.md").unlink()
    custom = ", ".join(f"{{slug: {lang}, where: {{languages: [{lang}]}}}}" for lang in ("de", "ar"))
    site.configure("records:", f"feeds: {{custom: [{custom}]}}\nrecords:")
    for n, (language, title) in enumerate(TITLES.items()):
        lines = [f"language: {language}"] if language != "en" else []
        quoted = json.dumps(title, ensure_ascii=False)
        text = record(quoted, *lines, "topics: [Food]", date=f"2020-01-0{n + 1}", body=f"{title}.")
        site.write(f"records/{n}.md", text)
    site.generate()
    return site


def test_each_item_says_its_language_where_it_is_not_the_feeds(site: Site) -> None:
    atom = etree.parse(site.feeds / "atom.xml").getroot()
    assert atom.get(LANG) == "en"
    said = {e.findtext("{*}title"): e.get(LANG, "en") for e in atom.iterfind("{*}entry")}
    assert said == {title: language for language, title in TITLES.items()}
    items = json.loads((site.feeds / "feed.json").read_bytes())["items"]
    assert {item["title"]: item.get("language", "en") for item in items} == said
    rss = feedparser.parse((site.feeds / "rss.xml").read_bytes())
    assert {entry.title: entry.get("language", "en") for entry in rss.entries} == said


@pytest.mark.parametrize(("language", "held"), [("de", ["de-AT", "de"]), ("ar", ["ar"])])
def test_a_feed_of_one_language_says_so(site: Site, language: str, held: list[str]) -> None:
    folder = site.feeds / "custom" / language
    for name in ("rss.xml", "atom.xml"):
        feed = feedparser.parse((folder / name).read_bytes())
        assert feed.feed.language == language
        assert [entry.title for entry in feed.entries] == [TITLES[code] for code in held]
    assert json.loads((folder / "feed.json").read_bytes())["language"] == language


def test_an_item_is_the_same_in_feeds_of_different_languages(site: Site) -> None:
    """The language is the item's own: in a feed of that language, too, it is said."""
    items = {
        path: {item["id"]: item for item in json.loads(path.read_bytes())["items"]}
        for path in site.feeds.rglob("feed.json")
    }
    everything = items[site.feeds / "feed.json"]
    for held in items.values():
        for id, item in held.items():
            assert item == everything[id]


@pytest.mark.parametrize("language", ["ar", "he"])
def test_a_text_from_right_to_left_is_as_it_was_written(site: Site, language: str) -> None:
    for name in ("rss.xml", "atom.xml"):
        feed = feedparser.parse((site.feeds / name).read_bytes())
        entry = next(entry for entry in feed.entries if TITLES[language] in entry.title)
        assert entry.title == TITLES[language]
