"""Newsletter feeds: the same items, made to be mailed, beside feeds that are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree
from lxml import html as lxml_html

from .harness import Site, new_site, record, stamps

HOME = "https://example.org/"
ADDED = "utm_source=newsletter&utm_medium=email"
BODY = """\
A [page](/page/#part), [another site](https://other.example/) and a [file](/a.pdf).

<picture><source srcset="/wide.webp"><img class="wide" src="/wide.jpg" srcset="/wide-2x.jpg 2x"
  width="1200" height="630" loading="lazy"></picture>

<iframe src="https://www.youtube.com/embed/abcdefghijk" title="A talk"></iframe>
"""
NEWSLETTER = f"{{parameters: {{{ADDED.replace('=', ': ').replace('&', ', ')}}}}}"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Three records, each of them in feeds that are read and in one that is mailed."""
    site = new_site(tmp_path)
    (tmp_path / "records/good.md").unlink()
    write(site, "rich", BODY)
    write(site, "short", "", "excerpt: In short")
    write(site, "elsewhere", "Text.", "originalUrl: https://other.example/story?id=1")
    customs = f"[{{slug: mail, newsletter: {NEWSLETTER}}}, {{slug: plain}}]"
    site.configure("records:", f"feeds: {{custom: {customs}}}\nrecords:")
    site.generate()
    return site


def write(site: Site, name: str, body: str, *lines: str) -> None:
    image = "image: {url: /lead.jpg, width: 1800, height: 1200, alt: A lead}"
    url = () if any("originalUrl" in line for line in lines) else (f"url: {HOME}{name}/",)
    text = record(name, "topics: [News]", image, *url, *lines, body=body)
    site.write(f"records/{name}.md", text)


def item(site: Site, feed: str, title: str) -> dict[str, Any]:
    [found] = [item for item in site.items(feed) if item["title"] == title]
    return found


def entries(site: Site, feed: str, name: str) -> list[Any]:
    data = (site.feeds / feed / name).read_bytes()
    parsed = feedparser.parse(data, sanitize_html=False, resolve_relative_uris=False)
    assert not parsed.bozo
    return list(parsed.entries)


def same_from_nothing(site: Site) -> None:
    before = site.tree()
    site.generate("--full")
    assert site.tree() == before


def test_content_is_what_mail_clients_show(site: Site) -> None:
    root = lxml_html.fragment_fromstring(item(site, "custom/mail", "rich")["content_html"], "div")
    assert {str(e.tag) for e in root.iter()} == {"div", "p", "a", "img", "br"}
    assert [dict(image.attrib) for image in root.iter("img")] == [
        {
            "src": "https://example.org/wide.jpg",
            "alt": "",
            "width": "600",
            "height": "315",
            "style": "max-width:100%;height:auto",
        },
        {
            "src": "https://i.ytimg.com/vi/abcdefghijk/hqdefault.jpg",
            "alt": "A talk",
            "width": "480",
            "height": "360",
            "style": "max-width:100%;height:auto",
        },
    ]
    assert [link.get("href") for link in root.iter("a")] == [
        f"https://example.org/page/?{ADDED}#part",
        "https://other.example/",
        "https://example.org/a.pdf",
        "https://www.youtube.com/watch?v=abcdefghijk",
    ]
    short = item(site, "custom/mail", "short")
    assert short["content_html"].startswith('<p><img src="https://example.org/lead.jpg"')
    assert short["content_text"] == "A lead\n\nIn short"


def test_what_is_read_stays_as_it_was(site: Site) -> None:
    for feed in ("", "topics/news", "custom/plain"):
        read = item(site, feed, "rich")
        assert read["url"] == read["id"] == "https://example.org/rich/"
        assert "<iframe" in read["content_html"]
        assert "utm_" not in json.dumps(read)


@pytest.mark.parametrize("name", ["rss.xml", "atom.xml"])
def test_the_formats_agree_and_differ_from_what_is_read_in_content_alone(
    site: Site, name: str
) -> None:
    mailed, read = entries(site, "custom/mail", name), entries(site, "custom/plain", name)
    items = site.items("custom/mail")
    assert len(items) == 3
    for entry, plain, said in zip(mailed, read, items, strict=True):
        assert entry.id == plain.id == said["id"]
        assert "utm_" not in entry.id
        assert entry.link == said["url"]
        parameter = "&" if "?" in plain.link else "?"
        assert entry.link == f"{plain.link}{parameter}{ADDED}"
        assert entry.published_parsed == plain.published_parsed
        assert entry.get("enclosures") == plain.get("enclosures")
        assert entry.content[0].value == said["content_html"]
        assert entry.summary == said["summary"]


def test_a_guid_is_no_address_where_the_link_has_more(site: Site) -> None:
    def guids(feed: str) -> list[tuple[str, str]]:
        found = etree.parse(site.feeds / feed / "rss.xml").findall("channel/item/guid")
        return [(str(guid.text), str(guid.get("isPermaLink"))) for guid in found]

    ids = [said["id"] for said in site.items("custom/mail")]
    assert guids("custom/mail") == [(id, "false") for id in ids]
    assert guids("custom/plain") == [(id, "true") for id in ids]


def test_media_of_an_item_are_where_they_are(site: Site) -> None:
    for name in ("rss.xml", "atom.xml", "feed.json"):
        text = (site.feeds / "custom/mail" / name).read_text()
        assert "https://example.org/lead.jpg" in text
        assert "lead.jpg?" not in text


def test_an_edit_reaches_both_kinds_of_feed(site: Site) -> None:
    write(site, "rich", "Corrected.")
    site.generate()
    assert "Corrected" in item(site, "custom/mail", "rich")["content_html"]
    assert item(site, "custom/plain", "rich")["content_html"].endswith("<p>Corrected.</p>")
    same_from_nothing(site)


def test_the_setting_comes_changes_and_goes_without_a_full_run(site: Site) -> None:
    def changed(old: str, new: str) -> set[str]:
        before = stamps(site.feeds)
        site.configure(old, new)
        site.generate()
        after = stamps(site.feeds)
        same_from_nothing(site)
        feeds = {path.rpartition("/")[0] for path in after if after[path] != before.get(path)}
        return feeds - {""} if after["rss.xml"] == before["rss.xml"] else feeds

    assert changed("utm_medium: email", "utm_medium: mail") == {"custom/mail"}
    assert "utm_medium=mail" in item(site, "custom/mail", "rich")["url"]
    changed("feeds: {", 'feeds: {overrides: {"topics/news": {newsletter: true}}, ')
    news = item(site, "topics/news", "rich")
    assert news["url"] == "https://example.org/rich/"
    assert "<iframe" not in news["content_html"]
    changed('"topics/news": {newsletter: true}', '"custom/mail": {newsletter: false}')
    assert item(site, "custom/mail", "rich") == item(site, "topics/news", "rich")
    changed("feeds: {", "feeds: {all: {newsletter: true}, content: excerpt, ")
    assert item(site, "", "short")["content_text"] == "A lead\n\nIn short"


def test_archives_of_a_newsletter_are_made_alike(site: Site) -> None:
    site.configure("feeds: {", "feeds: {items: 1, archives: year, ")
    site.generate()
    archive = json.loads((site.feeds / "custom/mail/archive/2020/feed.json").read_bytes())
    assert all(ADDED in said["url"] for said in archive["items"])
    plain = (site.feeds / "custom/plain/archive/2020/feed.json").read_text()
    assert ADDED not in plain
    site.configure("utm_medium: email", "utm_medium: mail")
    site.generate()
    archive = json.loads((site.feeds / "custom/mail/archive/2020/feed.json").read_bytes())
    assert all("utm_medium=mail" in said["url"] for said in archive["items"])
    assert (site.feeds / "custom/plain/archive/2020/feed.json").read_text() == plain
    same_from_nothing(site)


def test_explain_says_so(site: Site) -> None:
    assert f"adapted to e-mail; links have {ADDED}" in site.run("explain", "custom/mail").out
    assert "newsletter" not in site.run("explain", "custom/plain").out
