"""Feeds read back by a reader that is not ours: all feeds that hold an item agree on it."""

from __future__ import annotations

import html
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree

from .harness import CONFIG, Site, new_site, record

SAMPLE = Path(__file__).parents[2] / "feeds"
SHOW = "bench-talk"  # the sample's podcast
RTL = "\u0645\u0631\u062d\u0628\u0627 (RSS) \u200f\u0628\u0627\u0644\u0639\u0627\u0644\u0645"
TITLES = {
    "plain": "Plain",
    "ampersand": "Fish & chips < peas > beans",
    "entity": "Caf&eacute; &amp; bar",
    "escaped": "How &lt;canvas&gt; works",
    "quotes": "\u201cQuotes\u201d, 'single' and \"double\"",
    "cdata": "An end ]]> in the middle",
    "emoji": "Flags \U0001f1e9\U0001f1ea and families \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "arabic": RTL,
    "hebrew": "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd!",
    "combining": "A\u030angstro\u0308m",
    "template": "{{ title }} {% raw %} ${x} %s",
    "code": "std::vector<bool> and Map<String, List<T>>",
    "spaces": "  Many   spaces\tand a tab ",
    "long": "Long " * 200,
}


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@pytest.fixture(scope="module")
def worst(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The feeds of texts that other publishers get wrong, in many feeds."""
    site: Site = new_site(tmp_path_factory.mktemp("worst") / "site")
    site.write(
        "config.yaml",
        CONFIG + "feeds:\n  items: 6\n  topic_providers: true\n"
        "  custom:\n    - {slug: arabic, where: {languages: [ar]}}\n"
        "    - {slug: both, where: {languages: [ar, he]}}\n",
    )
    for n, (name, title) in enumerate(TITLES.items()):
        lines = [
            f"topics: [A{n % 2}, B{n % 3}]",
            f"provider: {{name: P{n % 2}, domain: p{n % 2}.example.org}}",
            f"excerpt: {quoted(title + ' in short')}",
            f"url: https://example.org/{name}/?a=1&b=2",
            f"originalUrl: https://p{n % 2}.example.org/{name}",
            f"images: [{{url: 'https://example.org/{name}.jpg', width: 600, height: 400}}]",
        ]
        if n % 3 == 0:
            lines.append("authors: [Somebody, {name: Other, email: o@example.org}]")
        if n % 4 == 0:
            lines.append("audio: {url: https://example.org/a.mp3, length: 12, type: audio/mpeg}")
        if name in {"arabic", "hebrew"}:
            lines.append(f"language: {name[:2]}")
        date = f"2020-01-{n + 1:02}T03:04:05Z"
        body = f"<p>{html.escape(title)} <a href='/x?a=1&b'>link</a><p>unclosed <b>bold"
        site.write(f"records/{name}.md", record(quoted(title), *lines, date=date, body=body))
    (site.root / "records/good.md").unlink()
    site.generate("-q")
    return site.feeds


@pytest.fixture(params=["worst", "sample"])
def feeds(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue("worst") if request.param == "worst" else SAMPLE
    return found


def parsed(folder: Path, name: str) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.rglob(name)):
        found = feedparser.parse(
            path.read_bytes(), sanitize_html=False, resolve_relative_uris=False
        )
        assert not found.bozo, (path, found.get("bozo_exception"))
        assert found.entries
        yield path.relative_to(folder).parent.as_posix(), found


def written(moment: time.struct_time) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)


def of_entry(entry: Any) -> dict[str, Any]:
    """What RSS and Atom, as feedparser reads them, say of an item that JSON Feed says, too."""
    return {
        "id": entry.id,
        "title": entry.title,
        "url": entry.get("link"),
        "date_published": written(entry.published_parsed),
        "tags": [tag.term for tag in entry.get("tags", ())],
    }


def of_item(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": item["id"],
        "title": item["title"],
        "url": item.get("url"),
        "date_published": item["date_published"],
        "tags": item.get("tags", []),
    }


@pytest.mark.parametrize("name", ["rss.xml", "atom.xml"])
def test_xml_says_what_json_says_in_the_same_order(feeds: Path, name: str) -> None:
    count = 0
    for path, found in parsed(feeds, name):
        items = json.loads((feeds / path / "feed.json").read_bytes())["items"]
        theirs = [of_entry(entry) for entry in found.entries]
        ours = [of_item(item) for item in items]
        for mine, other in zip(ours, theirs, strict=True):
            if mine["url"] is None:
                other["url"] = None  # feedparser takes the id for it
            assert other == mine, path
            count += 1
        for mine_item, entry in zip(items, found.entries, strict=True):
            # RSS: of an item without a summary, the description is the content.
            content = entry.content[0].value if "content" in entry else entry.get("summary", "")
            assert content == mine_item.get("content_html", content), path
            if "summary" in mine_item and name == "atom.xml":
                assert entry.summary == mine_item["summary"], path
            if "summary" in mine_item and name == "rss.xml":
                assert html.unescape(entry.summary) == mine_item["summary"], path
            lengths = {e.href: int(e.get("length") or 0) for e in entry.get("enclosures", ())}
            attachments = mine_item.get("attachments", [])
            known = {a["url"]: a.get("size_in_bytes", 0) for a in attachments}
            assert lengths.items() <= known.items()
            assert name == "rss.xml" or lengths == known
    assert count > 20


def test_all_feeds_that_hold_an_item_agree_on_it(feeds: Path) -> None:
    """To the letter, for a reader that has several of them must not see it change."""
    said: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    held: dict[tuple[str, str], int] = defaultdict(int)
    for path in feeds.rglob("*.*ml"):
        if path.name not in {"rss.xml", "atom.xml"} or path.parent.name == SHOW:
            continue
        root = etree.parse(path).getroot()
        for item in root.iter("item", "{http://www.w3.org/2005/Atom}entry"):
            key = item.findtext("guid") or item.findtext("{http://www.w3.org/2005/Atom}id")
            item.tail = None
            said[path.name, key].add(etree.tostring(item, method="c14n"))
            held[path.name, key] += 1
    for path in feeds.rglob("feed.json"):
        if path.parent.name == SHOW:
            continue
        for item in json.loads(path.read_bytes())["items"]:
            said["feed.json", item["id"]].add(json.dumps(item).encode())
            held["feed.json", item["id"]] += 1
    assert max(held.values()) > 2
    assert {key: len(texts) for key, texts in said.items() if len(texts) > 1} == {}


def test_an_episode_of_a_podcast_is_the_same_item_elsewhere() -> None:
    """A podcast says more of it, and names of its files what can be played."""
    others = {i["id"]: i for i in json.loads((SAMPLE / "feed.json").read_bytes())["items"]}
    held = json.loads((SAMPLE / f"custom/{SHOW}/feed.json").read_bytes())["items"]
    common = [item for item in held if item["id"] in others]
    assert common
    for item in common:
        other = others[item["id"]]
        episode = item["_feedpub"].pop("episode")
        assert episode["number"]
        played = [a for a in other.pop("attachments") if not a["mime_type"].startswith("image")]
        assert item.pop("attachments") == played
        assert item == other


def test_a_feed_of_one_language_says_so(worst: Path) -> None:
    for slug, language in (("arabic", "ar"), ("both", "en")):
        rss = etree.parse(worst / f"custom/{slug}/rss.xml")
        assert rss.findtext("channel/language") == language
        assert json.loads((worst / f"custom/{slug}/feed.json").read_bytes())["language"] == language
        atom = etree.parse(worst / f"custom/{slug}/atom.xml").getroot()
        assert atom.get("{http://www.w3.org/XML/1998/namespace}lang") == language
    [item] = json.loads((worst / "custom/arabic/feed.json").read_bytes())["items"]
    assert (item["title"], item["language"]) == (RTL, "ar")


def test_titles_come_back_as_they_were_meant(worst: Path) -> None:
    meant = {
        **{name: " ".join(title.split()) for name, title in TITLES.items()},
        "entity": "Caf\u00e9 & bar",
        "escaped": "How <canvas> works",
    }
    read = {}
    for name in ("rss.xml", "atom.xml"):
        for _, found in parsed(worst, name):
            for entry in found.entries:
                read[entry.link.split("/")[3], name] = entry.title
    assert {key: title for key, title in read.items() if title != meant[key[0]]} == {}
    assert {slug for slug, _ in read} == set(TITLES)
