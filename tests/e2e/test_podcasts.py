"""Podcasts, as the software of others reads them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import feedparser
import podcastparser
import pytest
from lxml import etree

from .harness import Site, new_site, record

ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
PODCAST = "{https://podcastindex.org/namespace/1.0}"
MP3 = "https://media.example.org/1.mp3"
SHOW = "podcast: {category: Technology, image: https://example.org/art.jpg, prefix: https://op3.dev/e/}"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Two episodes and an article of one topic, and a feed of the episodes that is a podcast."""
    site = new_site(tmp_path)
    (tmp_path / "records/good.md").unlink()
    site.configure(
        "records:",
        "feeds: {items: 1, custom: [{slug: show, title: The Show, description: Talks,\n"
        f"  where: {{types: [episode]}}, {SHOW}}}]}}\nrecords:",
    )
    site.configure("items: 1, ", "")
    for number in (1, 2):
        site.write(f"records/{number}.md", episode(number))
    site.write("records/text.md", record("An article", "topics: [T]", date="2026-01-05"))
    site.generate()
    return site


def episode(number: int, *more: str) -> str:
    return record(
        f"Talk {number}",
        "topics: [T]",
        "type: episode",
        f"episode: {number}",
        "season: 3",
        "duration: 1:01:01",
        f"audio: {{url: {MP3.replace('1', str(number))}, length: 5650889}}",
        "image: {url: https://example.org/small.jpg, width: 640, height: 480}",
        *more,
        date=f"2026-01-0{number}",
    )


def show(site: Site, feed: str = "custom/show") -> bytes:
    return (site.feeds / feed / "rss.xml").read_bytes()


def test_podcastparser_reads_all_of_it(site: Site, tmp_path: Path) -> None:
    file = site.feeds / "custom/show/rss.xml"
    with file.open("rb") as stream:
        read = podcastparser.parse("https://feeds.example.org/custom/show/rss.xml", stream)
    assert (read["title"], read["description"]) == ("The Show", "Talks")
    assert (read["cover_url"], read["explicit"]) == ("https://example.org/art.jpg", False)
    assert [
        (e["title"], e["number"], e["total_time"], e["enclosures"]) for e in read["episodes"]
    ] == [
        (
            f"Talk {number}",
            number,
            3661,
            [
                {
                    "url": f"https://op3.dev/e/media.example.org/{number}.mp3",
                    "file_size": 5650889,
                    "mime_type": "audio/mpeg",
                }
            ],
        )
        for number in (2, 1)
    ]


def test_feedparser_reads_all_of_it(site: Site) -> None:
    read = feedparser.parse(show(site))
    assert not read.bozo
    assert read.feed.image.href == "https://example.org/art.jpg"
    assert [tag.term for tag in read.feed.tags] == ["Technology"]
    assert [(e.itunes_duration, e.itunes_season, e.itunes_episode) for e in read.entries] == [
        ("3661", "3", "2"),
        ("3661", "3", "1"),
    ]


def test_no_tag_of_apples_is_in_any_other_feed(site: Site) -> None:
    for file in site.feeds.rglob("*.xml"):
        assert (b"itunes" in file.read_bytes()) == ("show/rss.xml" in str(file)), file


def test_an_episode_is_played_in_other_feeds_too_and_counted_by_nobody(site: Site) -> None:
    feed = feedparser.parse((site.feeds / "topics/t/rss.xml").read_bytes())
    assert [e.enclosures[0].href for e in feed.entries if "audio" in str(e)] == [
        "https://media.example.org/2.mp3",
        MP3,
    ]
    ids = {e.title: e.id for e in feed.entries}
    assert all(e.id == ids[e.title] for e in feedparser.parse(show(site)).entries)


def test_a_podcast_holds_all_episodes_unless_told_otherwise(site: Site) -> None:
    for number in range(3, 30):
        site.write(f"records/{number}.md", record("E", "type: episode", date=f"2025-01-{number}"))
    site.generate()
    assert len(feedparser.parse(show(site)).entries) == 29
    assert len(feedparser.parse((site.feeds / "rss.xml").read_bytes()).entries) == 20
    site.configure("feeds: {", "feeds: {items: 5, ")
    site.generate()
    assert len(feedparser.parse(show(site)).entries) == 5


def test_a_shows_guid_is_made_of_its_address_or_pinned(site: Site) -> None:
    def guid() -> str | None:
        return etree.fromstring(show(site))[0].findtext(f"{PODCAST}guid")

    namespace = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
    assert guid() == str(uuid.uuid5(namespace, "feeds.example.org/custom/show/rss.xml"))
    pinned = "917393E3-1B1E-5CEF-ACE4-EDAA54E1F810"
    site.configure("category: Technology", f"category: Technology, guid: {pinned}")
    site.generate()
    assert guid() == pinned.lower()


def test_a_picture_that_apple_would_not_take_is_left_out(site: Site) -> None:
    items = etree.fromstring(show(site)).findall(".//item")
    assert all(item.find(f"{ITUNES}image") is None for item in items)
    site.write(
        "records/1.md", episode(1).replace("width: 640, height: 480", "width: 1400, height: 1400")
    )
    site.generate()
    items = etree.fromstring(show(site)).findall(".//item")
    assert [item.find(f"{ITUNES}image") is None for item in items] == [True, False]


def test_a_site_of_podcasts_with_one_exception(site: Site) -> None:
    site.configure(
        "feeds: {",
        "podcast: {category: Arts > Books, explicit: true}\nfeeds: {topics: {podcast: false}, ",
    )
    site.generate()
    assert b"<itunes:explicit>true" in show(site, ".")
    assert b"itunes:" not in show(site, "topics/t")
    nearest = etree.fromstring(show(site))[0]
    (category,) = nearest.iterfind(f"{ITUNES}category")
    assert category.get("text") == "Technology"
    assert nearest.findtext(f"{ITUNES}explicit") == "true"


def test_an_old_address_says_where_the_podcast_has_moved(site: Site) -> None:
    site.configure("feeds: {", "feeds: {also_at: {old: custom/show, news: topics/t}, ")
    site.generate()
    new = b"<itunes:new-feed-url>https://feeds.example.org/custom/show/rss.xml<"
    assert new in show(site, "old")
    assert new not in show(site)
    lines = show(site, "old").splitlines()
    assert [line for line in lines if new not in line] == show(site).splitlines()
    assert b"itunes:new-feed-url" not in show(site, "news")


def test_turning_a_feed_into_a_podcast_reads_what_was_passed_over(site: Site) -> None:
    whole = show(site)
    site.configure(f", {SHOW}", "")
    site.generate()
    assert b"itunes" not in show(site)
    site.configure("where: {types: [episode]}", f"where: {{types: [episode]}}, {SHOW}")
    site.generate()
    assert show(site) == whole


def test_check_names_what_apple_wants(site: Site) -> None:
    assert site.run("check").code == 0
    site.write("records/3.md", record("No sound", "type: episode", date="2026-01-03"))
    site.write("records/4.md", episode(4).replace(", length: 5650889", ""))
    site.write("records/5.md", episode(5).replace("5.mp3", "5.ogg"))
    site.write("records/6.md", episode(6).replace("6.mp3", "5.ogg").replace("-06", "-05"))
    site.configure("category: Technology, image: https://example.org/art.jpg", "type: serial")
    said = site.run("check")
    assert said.code == 3
    for expected in (
        "config.yaml: podcast.category: custom/show: Apple requires a category",
        "config.yaml: podcast.image: custom/show: Apple requires artwork",
        "records/3.md:1: enclosures: Apple hides episodes without a media file",
        "records/3.md:1: episode: each episode of a serial show needs a number",
        "records/4.md:1: enclosures: Apple requires the size of the file",
        "records/5.md:1: enclosures: Apple does not play this audio/ogg file",
        "records/6.md:1: enclosures: records/5.md has the same file",
    ):
        assert expected in said.out, said.out


def test_a_file_beside_its_record_lacks_nothing(site: Site) -> None:
    site.write("records/7.m4a", b"\0\0\0\x14ftypM4A " + b"\0" * 100)
    site.write("records/7.md", record("Beside", "type: episode", "audio: 7.m4a"))
    assert site.run("check").code == 0
    site.generate()
    [item] = [i for i in etree.fromstring(show(site)).iter("item") if i[0].text == "Beside"]
    enclosure = item.find("enclosure")
    assert enclosure is not None
    assert (enclosure.get("type"), enclosure.get("length")) == ("audio/x-m4a", "112")
    assert str(enclosure.get("url")).startswith("https://op3.dev/e/feeds.example.org/media/")


def test_json_feed_says_what_apps_want(site: Site) -> None:
    feed = json.loads((site.feeds / "custom/show/feed.json").read_bytes())
    assert feed["_feedpub"]["podcast"]["categories"] == ["Technology"]
    assert feed["items"][0]["_feedpub"]["episode"] == {"season": 3, "number": 2}
    assert [a["mime_type"] for a in feed["items"][0]["attachments"]] == ["audio/mpeg"]
