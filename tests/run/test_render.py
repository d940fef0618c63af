"""The files of stale feeds: rendered items, in every format and at every path."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from lxml import etree

from feedpub.config import CATALOGUE_NAMES, Config
from feedpub.errors import ChangedError
from feedpub.model import Record
from feedpub.output.tree import STAGING, OutputTree
from feedpub.run.files import ToRead
from feedpub.run.parse import FileReader, pack
from feedpub.run.render import Publisher, render_catalogues
from feedpub.run.report import Watch
from feedpub.run.rules import FileRules

from .helpers import CONFIG, Planned, config, planned, record

A = record(body="Some text.", link="https://example.org/a/", topics=("X",))
TEXT = "---\nid: a\ntitle: From disk\ndate: 2026-01-02\ntopics: [X]\n---\nText.\n"


def publish(
    site: Config,
    plans: Planned,
    kept: Sequence[Record] = (),
    aliases: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, bytes]:
    """The staged files, by path; `kept` are the records that need not be read again."""
    tree = OutputTree(site.output, "feeds")
    reader = FileReader(FileRules.of(site), plans.selection)
    items = plans.planner.items
    publisher = Publisher(site.root, 1, plans.store, reader, items, aliases or {}, {})
    packed = {(n, None): pack(record) for n, record in enumerate(kept, start=1)}
    staged = publisher.write(iter(plans.jobs.values()), packed, tree, Watch())
    return {file.path: (site.output / STAGING / file.name).read_bytes() for _, file in staged}


def titles(data: bytes) -> list[str]:
    return [str(item.findtext("title")) for item in etree.fromstring(data).iter("item")]


def test_each_feed_has_a_file_in_each_format(tmp_path: Path) -> None:
    site = config(tmp_path, CONFIG + "feeds: {formats: [rss, json]}")
    files = publish(site, planned(site, A), [A])
    assert sorted(files) == ["feed.json", "rss.xml", "topics/x/feed.json", "topics/x/rss.xml"]
    assert titles(files["rss.xml"]) == titles(files["topics/x/rss.xml"]) == ["A"]
    [item] = json.loads(files["topics/x/feed.json"])["items"]
    assert (item["title"], item["url"]) == ("A", "https://example.org/a/")


def test_the_newest_item_comes_first(tmp_path: Path) -> None:
    site = config(tmp_path)
    later = A._replace(path="records/b.md", id="b", title="B", published=A.published.replace(day=3))
    assert titles(publish(site, planned(site, A, later), [A, later])["rss.xml"]) == ["B", "A"]


def test_an_alias_has_the_same_bytes(tmp_path: Path) -> None:
    site = config(tmp_path)
    aliases = {"topics/x/rss.xml": ["old/rss.xml"]}
    files = publish(site, planned(site, A, aliases=aliases), [A], aliases)
    assert files["old/rss.xml"] == files["topics/x/rss.xml"]


def test_an_item_has_the_id_of_the_store_because_the_ledger_may_have_changed_it(
    tmp_path: Path,
) -> None:
    site = config(tmp_path)
    plans = planned(site, A._replace(id="tag:kept"))
    [item] = json.loads(publish(site, plans, [A])["feed.json"])["items"]
    assert item["id"] == "tag:kept"


def test_a_record_that_was_not_kept_is_read_again(tmp_path: Path) -> None:
    site = config(tmp_path, records__a_md=TEXT)
    files = publish(site, planned(site, A, digest=digest_of(site)))
    assert titles(files["rss.xml"]) == ["From disk"]


@pytest.mark.parametrize("text", [None, TEXT + "More.\n"], ids=["gone", "changed"])
def test_a_record_that_changed_during_the_run_stops_it(tmp_path: Path, text: str | None) -> None:
    site = config(tmp_path, records__a_md=TEXT)
    plans = planned(site, A, digest=digest_of(site))
    file = site.root / "records/a.md"
    file.unlink()
    if text:
        file.write_text(text)
    with pytest.raises(ChangedError):
        publish(site, plans)


def digest_of(site: Config) -> bytes:
    """The digest that a run stores for records/a.md."""
    plans = planned(site, A)
    path = str(site.root / "records/a.md")
    reader = FileReader(FileRules.of(site), plans.selection)
    [result] = reader.read([ToRead(1, 0, path, "records/a.md", "a.md", b"")], keep=False)
    return result.digest


def test_the_catalogues_list_all_feeds(tmp_path: Path) -> None:
    site = config(tmp_path)
    rows = [job.row for job in planned(site, A).jobs.values()]
    files = render_catalogues("Our feeds", "https://example.org/", rows)
    assert sorted(files) == sorted(CATALOGUE_NAMES)
    opml = etree.fromstring(files["feeds.opml"])
    assert opml.findtext("head/title") == "Our feeds"
    found = {outline.get("xmlUrl") for outline in opml.iter("outline")}
    assert "https://feeds.example.org/topics/x/rss.xml" in found
    listed = json.loads(files["feeds.json"])["feeds"]
    assert [feed["path"] for feed in listed] == ["", "topics/x"]
