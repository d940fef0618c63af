"""Podcasts: which feeds are some, and what their settings make of a show and its episodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedpub.config import load_config
from feedpub.config.podcasts import PodcastSettings
from feedpub.grouping.podcast import guid_of, is_played, podcast_of, settings_of
from feedpub.model import Enclosure, Location, Person, Placement

SITE = "site: {title: A, url: https://feeds.example.org/}\nrecords: [records]\n"
SHOW = Placement("custom/show", "custom")


def settings(folder: Path, more: str) -> PodcastSettings | None:
    """The settings of the feed custom/show."""
    (folder / "records").mkdir()
    path = folder / "config.yaml"
    path.write_text(SITE + more, encoding="utf-8")
    return settings_of(load_config(path, {}), SHOW)


def test_a_feed_takes_what_it_does_not_say_from_the_site(tmp_path: Path) -> None:
    made = settings(
        tmp_path,
        "podcast: {type: serial, author: The site}\n"
        "feeds: {custom: [{slug: show, podcast: {author: The show}}]}\n",
    )
    assert made is not None
    assert (made.author, made.type) == ("The show", "serial")


def test_an_override_says_that_a_feed_is_none(tmp_path: Path) -> None:
    more = (
        "feeds:\n  custom: [{slug: show, podcast: true}]\n"
        "  overrides: {custom/show: {podcast: false}}\n"
    )
    assert settings(tmp_path, more) is None


def test_a_feed_is_none_unless_something_says_so(tmp_path: Path) -> None:
    assert settings(tmp_path, "feeds: {custom: [{slug: show}]}\n") is None


def test_the_owner_is_an_author_who_can_be_written_to() -> None:
    url, reachable = "https://feeds.example.org/rss.xml", Person("A", "a@example.org")
    assert podcast_of(PodcastSettings(), url, reachable, "").owner == reachable
    assert podcast_of(PodcastSettings(), url, Person("A"), "").owner is None


def test_countries_are_written_in_capitals() -> None:
    made = PodcastSettings(location=(Location("Berlin", country="de"),))
    show = podcast_of(made, "https://feeds.example.org/rss.xml", None, "")
    assert show.locations == (Location("Berlin", country="DE"),)


@pytest.mark.parametrize("url", ["https://podnews.net/rss", "http://podnews.net/rss/"])
def test_the_guid_is_that_of_the_standard(url: str) -> None:
    assert guid_of(url) == "9b024349-ccf0-5f69-a609-6b82873eab3c"


@pytest.mark.parametrize(
    ("media_type", "played"),
    [("audio/mpeg", True), ("video/mp4", True), ("application/pdf", True), ("image/png", False)],
)
def test_what_counts_as_an_episode(media_type: str, played: bool) -> None:
    assert is_played(Enclosure("https://example.org/a", media_type)) is played
