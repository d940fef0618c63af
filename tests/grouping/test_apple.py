"""What Apple Podcasts requires: each fault is found, and a complete show has none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feedpub.grouping.apple import Fault, faults
from feedpub.model import Enclosure, Episode, Feed, FeedLink, Podcast, Record

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
RSS = FeedLink("rss", "application/rss+xml", "https://feeds.example.org/rss.xml", "rss.xml")
SHOW = Podcast(
    guid="9b024349-ccf0-5f69-a609-6b82873eab3c",
    author="A",
    explicit=False,
    categories=(("Technology", ""),),
    image="https://example.org/art.jpg",
)
FEED = Feed("", "all", "tag:a", "A", "A show", "https://example.org/", (RSS,), WHEN, WHEN, (), "en")
MP3 = Enclosure("https://example.org/1.mp3", "audio/mpeg", 1000)


def episode(path: str = "a.md", *files: Enclosure, about: Episode | None = None) -> Record:
    """A record with these media files."""
    return Record(
        path, 1, path, path, "id", "A", WHEN, WHEN, enclosures=files or (MP3,), episode=about
    )


def test_a_complete_show_has_no_faults() -> None:
    assert list(faults(FEED, SHOW, [episode()])) == []


@pytest.mark.parametrize(
    ("feed", "show", "key"),
    [
        (FEED._replace(links=(RSS._replace(format="atom"),)), SHOW, "feeds.formats"),
        (FEED, SHOW._replace(categories=()), "podcast.category"),
        (FEED, SHOW._replace(image=""), "podcast.image"),
        (FEED, SHOW._replace(image="https://example.org/art.webp"), "podcast.image"),
        (FEED._replace(language="gsw"), SHOW, "site.language"),
        (FEED._replace(description="ä" * 2001), SHOW, "description"),
    ],
)
def test_faults_of_a_show(feed: Feed, show: Podcast, key: str) -> None:
    (fault,) = faults(feed, show, [episode()])
    assert (fault.key, fault.record) == (key, None)


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (episode("a.md", Enclosure("https://example.org/a.png", "image/png", 1)), "enclosures"),
        (episode("a.md", Enclosure("https://example.org/a.ogg", "audio/ogg", 1)), "enclosures"),
        (episode("a.md", MP3._replace(length=0)), "enclosures"),
    ],
)
def test_faults_of_an_episode(made: Record, key: str) -> None:
    (fault,) = faults(FEED, SHOW, [made])
    assert (fault.key, fault.record) == (key, made)


def test_two_episodes_cannot_share_a_file() -> None:
    first, second = episode("a.md"), episode("b.md")
    (fault,) = faults(FEED, SHOW, [first, second])
    assert fault.record is second
    assert "a.md" in fault.what


def test_episodes_of_a_serial_show_need_numbers() -> None:
    serial = SHOW._replace(type="serial")
    bonus, numbered = Episode(type="bonus"), Episode(number="1")
    made: list[Fault] = []
    for n, about in enumerate([None, bonus, numbered]):
        file = MP3._replace(url=f"https://example.org/{n}.mp3")
        made += faults(FEED, serial, [episode("a.md", file, about=about)])
    assert [fault.key for fault in made] == ["episode"]
