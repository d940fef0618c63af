"""Facts about media files: which are needed, where they come from, and what they change."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedpub.config import Config
from feedpub.errors import ConfigError
from feedpub.media.facts import Facts
from feedpub.model import Enclosure, Record
from feedpub.run.media import (
    Media,
    MediaFile,
    check,
    local_file,
    media_addresses,
    moved_pictures,
    with_facts,
)
from feedpub.run.report import MediaReport, RunOptions, Watch

from .helpers import CONFIG, config, later, record, write

SITE = "https://feeds.example.org/"
URL = "https://media.example/a.png"
GIF = b"GIF89a\x03\x00\x02\x00\x80\x00\x00" + bytes(6) + b";"  # 3 x 2 pixels


def with_picture(**facts: object) -> Record:
    return record(images=(Enclosure(URL)._replace(**facts),))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, URL),
        ({"type": "image/png", "length": 9}, URL),  # without its size in pixels
        ({"type": "image/png", "length": 9, "width": 3, "height": 2}, ""),
    ],
)
def test_a_host_is_asked_only_for_missing_facts(facts: dict[str, object], expected: str) -> None:
    assert media_addresses(with_picture(**facts), asks_hosts=True) == expected
    assert media_addresses(with_picture(**facts), asks_hosts=False) == ""


def test_pictures_are_mirrored_and_other_media_are_not() -> None:
    both = with_picture()._replace(enclosures=(Enclosure("https://media.example/a.mp3"),))
    assert media_addresses(both, asks_hosts=False, mirrors=True) == f"mirror:{URL}"


def test_the_facts_of_a_record_take_precedence() -> None:
    found = {URL: MediaFile(Facts("image/gif", 50, 3, 2))}
    [picture] = with_facts(with_picture(length=9), found, SITE).images
    assert (picture.url, picture.type, picture.length) == (URL, "image/gif", 9)
    assert (picture.width, picture.height) == (3, 2)
    [sized] = with_facts(with_picture(width=30, height=20), found, SITE).images
    assert (sized.width, sized.height) == (30, 20)


def test_a_published_file_has_the_url_of_the_site_also_in_the_content() -> None:
    before = with_picture(file="records/a b.png")
    found = {"file:records/a b.png": MediaFile(Facts("image/png", 5), "media/0123/a b.png")}
    after = with_facts(before, found, SITE)
    assert moved_pictures(before, after) == {URL: f"{SITE}media/0123/a%20b.png"}
    assert moved_pictures(before, with_facts(before, {}, SITE)) == {}


def test_a_mirrored_picture_has_its_own_facts_and_a_thumbnail() -> None:
    small = MediaFile(Facts("image/jpeg", 10, 30, 20), "media/small.jpg")
    mirrored = MediaFile(Facts("image/jpeg", 90, 300, 200), "media/large.jpg", small=small)
    before = with_picture(length=5000, width=3000, height=2000, credit="Ada")
    [picture] = with_facts(before, {f"mirror:{URL}": mirrored}, SITE).images
    assert picture[:3] == (f"{SITE}media/large.jpg", "image/jpeg", 90)
    assert (picture.width, picture.height, picture.credit) == (300, 200, "Ada")
    assert picture.thumbnail
    assert picture.thumbnail.url == f"{SITE}media/small.jpg"


@pytest.fixture
def site(tmp_path: Path) -> Config:
    site = config(tmp_path / "site")
    write(site.root / "records/a.gif", GIF)
    return site


def test_a_file_beside_a_record_may_be_published(site: Config) -> None:
    assert local_file(site, "records/a.gif") == site.root / "records/a.gif"


@pytest.mark.parametrize(
    "path",
    ["records/missing.gif", "records", "records/.secret", "feeds/rss.xml",
     ".feedpub/state.sqlite3", "records/link.gif", "records/../../away.gif", "records/a\0.gif"],
)  # fmt: skip
def test_no_other_file_is_published(site: Config, path: str) -> None:
    away = write(site.root.parent / "away.gif", GIF)
    for name in ("records/.secret", "feeds/rss.xml", ".feedpub/state.sqlite3"):
        write(site.root / name, GIF)
    (site.root / "records/link.gif").symlink_to(away)
    assert local_file(site, path) is None


def refreshed(site: Config, *addresses: str) -> tuple[set[str], Media]:
    """One run's refresh, later than all files were written."""
    media = Media(site, RunOptions(None), later(), Watch(), MediaReport())
    return media.refresh(addresses), media


def test_local_facts_are_collected_once_and_again_when_the_file_changes(site: Config) -> None:
    address = "file:records/a.gif"
    changed, media = refreshed(site, address)
    assert changed == {address}
    facts = media.found[address].facts
    assert (facts.type, facts.length, facts.width, facts.height) == ("image/gif", len(GIF), 3, 2)
    assert list(media.paths()) == [media.found[address].path]

    changed, again = refreshed(site, address)
    assert (changed, again.found, again.generation) == (set(), media.found, media.generation)

    write(site.root / "records/a.gif", GIF + b"more")
    changed, after = refreshed(site, address)
    assert changed == {address}
    assert after.found[address].path != media.found[address].path
    assert after.generation != media.generation


def test_a_deleted_file_is_no_longer_known(site: Config) -> None:
    refreshed(site, "file:records/a.gif")
    (site.root / "records/a.gif").unlink()
    changed, media = refreshed(site, "file:records/a.gif")
    assert (changed, media.found) == ({"file:records/a.gif"}, {})


def test_a_dry_run_leaves_no_cache(site: Config) -> None:
    media = Media(site, RunOptions(None, dry_run=True), later(), Watch(), MediaReport())
    assert media.refresh(["file:records/a.gif"]) == {"file:records/a.gif"}
    assert not site.state.exists()


def test_a_host_that_cannot_be_allowed_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    check(config(tmp_path, CONFIG + "images: {allow: [media.example.org, 10.0.0.0/8]}"))
    with pytest.raises(ConfigError) as caught:
        check(config(tmp_path, CONFIG + "images: {allow: ['10.0.0.0/99']}"))
    [problem] = caught.value.problems
    assert problem.key == "images.allow"
