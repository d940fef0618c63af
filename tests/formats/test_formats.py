"""What was handed to a format is what readers get out of its documents, whatever the texts."""

from __future__ import annotations

import html
import json
import locale
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import feedparser
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from feedpub.formats import MEDIA_TYPES, Format, load_formats
from feedpub.model import Category, Enclosure, Feed, Person, Related, Source, Term

from .making import NASTY, feed, feeds, item, links, urls

# Without a search for the smallest of large documents, which would take minutes.
quick = settings(
    deadline=None, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
FORMATS = {form.name: form for form in load_formats(["rss", "atom", "json"])}
NAMES = {
    "a": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
}


def render(form: str, of: Feed) -> bytes:
    return FORMATS[form].render_feed(of, FORMATS[form].render_items(of.items))


def rss(of: Feed) -> Any:
    """The channel of the feed's RSS."""
    return etree.fromstring(render("rss", of)).find("channel")


def atom(of: Feed) -> Any:
    return etree.fromstring(render("atom", of))


def json_feed(of: Feed) -> Any:
    return json.loads(render("json", of))


def text(element: Any, path: str) -> str:
    """The text of the one element there, "" if there is none."""
    found = element.findall(path, NAMES)
    assert len(found) <= 1
    return (found[0].text or "") if found else ""


def all_of(element: Any, path: str, attribute: str = "") -> list[str]:
    """The texts (or an attribute) of all elements there."""
    found = element.findall(path, NAMES)
    return [e.get(attribute) if attribute else e.text for e in found]


def parsed(form: str, of: Feed) -> Any:
    """What feedparser makes of it."""
    return feedparser.parse(
        render(form, of), sanitize_html=False, resolve_relative_uris=False
    )  # fmt: skip


@quick
@given(feeds)
def test_rss_carries_every_text(of: Feed) -> None:
    channel = rss(of)
    assert text(channel, "title") == of.title
    assert text(channel, "description") == of.description
    assert text(channel, "copyright") == of.rights
    assert parsedate_to_datetime(text(channel, "lastBuildDate")) == of.updated
    assert text(channel, "ttl") == (str(of.ttl) if of.ttl else "")
    for element, held in zip(channel.findall("item"), of.items, strict=True):
        assert text(element, "title") == held.title
        assert text(element, "link") == held.link
        assert text(element, "guid") == held.id
        assert element.find("guid").get("isPermaLink") == str(held.id == held.link).lower()
        if held.summary:
            assert html.unescape(text(element, "description")) == held.summary
            assert text(element, "content:encoded") == held.content_html
        else:  # a description may be the whole story
            assert text(element, "description") == held.content_html
        assert parsedate_to_datetime(text(element, "pubDate")) == held.published
        assert all_of(element, "category") == [c.term for c in held.categories]
        assert text(element, "source") == (held.source.name if held.source else "")
        first = [(e.url, str(e.length), e.type) for e in held.enclosures[:1]]
        written = [
            (e.get("url"), e.get("length"), e.get("type")) for e in element.findall("enclosure")
        ]
        assert written == first


@quick
@given(feeds)
def test_atom_carries_every_text(of: Feed) -> None:
    document = atom(of)
    assert text(document, "a:id") == of.id
    assert text(document, "a:title") == of.title
    assert text(document, "a:subtitle") == of.description
    assert text(document, "a:rights") == of.rights
    assert datetime.fromisoformat(text(document, "a:updated")) == of.updated
    for entry, held in zip(document.findall("a:entry", NAMES), of.items, strict=True):
        assert text(entry, "a:id") == held.atom_id
        assert text(entry, "a:title") == held.title
        assert datetime.fromisoformat(text(entry, "a:updated")) == held.updated
        assert datetime.fromisoformat(text(entry, "a:published")) == held.published
        assert text(entry, "a:summary") == held.summary
        assert all_of(entry, "a:category", "term") == [c.term for c in held.categories]
        assert all_of(entry, "a:author/a:name") == [author.name for author in held.authors]
        enclosures = entry.findall("a:link[@rel='enclosure']", NAMES)
        assert [(e.get("href"), e.get("type")) for e in enclosures] == [
            (e.url, e.type) for e in held.enclosures
        ]
        related = entry.findall("a:link[@rel='related']", NAMES)
        assert [(r.get("href"), r.get("title")) for r in related] == [
            (r.url, r.title) for r in held.related
        ]
        if held.content_html:
            assert text(entry, "a:content") == held.content_html
            assert entry.find("a:content", NAMES).get("type") == "html"


@quick
@given(feeds)
def test_json_carries_every_text(of: Feed) -> None:
    document = json_feed(of)
    assert (document["title"], document["description"]) == (of.title, of.description)
    for element, held in zip(document["items"], of.items, strict=True):
        assert (element["id"], element["title"]) == (held.id, held.title)
        assert element.get("url", "") == held.link
        assert element.get("external_url", "") == held.external_url
        assert element.get("summary", "") == held.summary
        assert element.get("content_html", "") == held.content_html
        assert "content_text" in element or "content_html" in element
        if held.content_text:
            assert element["content_text"] == held.content_text
        assert datetime.fromisoformat(element["date_published"]) == held.published
        assert datetime.fromisoformat(element["date_modified"]) == held.updated
        assert element.get("tags", []) == [c.term for c in held.categories]
        assert [a["name"] for a in element.get("authors", [])] == [a.name for a in held.authors]
        attachments = [(a["url"], a["mime_type"]) for a in element.get("attachments", [])]
        assert attachments == [(e.url, e.type) for e in held.enclosures]
        assert "" not in element.values()


@quick
@given(feeds, st.sampled_from(["rss", "atom"]))
def test_readers_find_no_fault(of: Feed, form: str) -> None:
    found = parsed(form, of)
    assert found.bozo is False
    assert found.version == {"rss": "rss20", "atom": "atom10"}[form]
    assert found.encoding == "utf-8"
    assert len(found.entries) == len(of.items)
    for entry, held in zip(found.entries, of.items, strict=True):
        assert entry.get("link", "") == held.link or not held.link
        assert entry.published_parsed[:6] == held.published.timetuple()[:6]
        if held.enclosures:
            assert entry.enclosures[0].href == held.enclosures[0].url
            assert entry.enclosures[0].type == held.enclosures[0].type


@pytest.mark.parametrize("form", ["rss", "atom"])
@pytest.mark.parametrize("nasty", NASTY)
def test_each_nasty_text_reaches_the_reader(form: str, nasty: str) -> None:
    made = item(title=nasty, summary=nasty, content_html=f"<p>{html.escape(nasty)}</p>")
    found = parsed(form, feed(made, title=nasty))
    assert found.bozo is False
    content = found.entries[0].content[0].value
    assert content == f"<p>{html.escape(nasty)}</p>"
    if not set(nasty) & set("<&"):  # feedparser decodes the entities of a plain text once more
        assert found.feed.title == nasty
        assert found.entries[0].title == nasty


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_the_same_feed_gives_the_same_bytes(form: Format) -> None:
    of = feed(item(title="a"), item(id="b", title="b"))
    once = form.render_feed(of, form.render_items(of.items))
    apart = [part for held in of.items for part in form.render_items([held])]
    assert form.render_feed(of, apart) == once
    once.decode("utf-8")
    assert once.endswith(b"\n")
    assert form.media_type == MEDIA_TYPES[form.name]


@given(urls, urls)
@quick
def test_a_feed_names_itself_and_its_siblings(home: str, hub: str) -> None:
    of = feed(item(), home=home, hubs=(hub,))
    base = "https://feeds.example.org/"
    for form, found in (("rss", rss(of)), ("atom", atom(of))):
        pairs = {(e.get("rel"), e.get("href")) for e in found.findall("a:link", NAMES)}
        assert ("self", base + {"rss": "rss.xml", "atom": "atom.xml"}[form]) in pairs
        assert ("alternate", base + {"rss": "atom.xml", "atom": "rss.xml"}[form]) in pairs
        assert ("alternate", base + "feed.json") in pairs
        assert ("hub", hub) in pairs
    assert text(rss(of), "link") == home
    assert ("alternate", home) in {
        (e.get("rel"), e.get("href")) for e in atom(of).findall("a:link", NAMES)
    }
    document = json_feed(of)
    assert (document["feed_url"], document["home_page_url"]) == (base + "feed.json", home)
    assert document["hubs"] == [{"type": "WebSub", "url": hub}]
    alternates = {a["url"] for a in document["_feedpub"]["alternates"]}
    assert alternates == {base + "rss.xml", base + "atom.xml"}


def test_a_feed_of_one_format_has_no_siblings() -> None:
    of = feed(item(), links=links()[:1])
    assert len(rss(of).findall("a:link", NAMES)) == 1


def test_a_feed_says_what_it_is_about() -> None:
    of = feed(item(), topic=Term("r&d", "R&D", "r-d"))
    assert text(rss(of), "category") == "R&D"
    assert all_of(atom(of), "a:category", "term") == ["R&D"]
    assert json_feed(of)["_feedpub"]["topic"] == "R&D"


def test_language_picture_and_rights_of_a_feed() -> None:
    icon, logo = "https://i.example/icon", "https://i.example/logo"
    of = feed(item(), language="pt-BR", icon=icon, logo=logo, rights="© A")
    assert text(rss(of), "language") == "pt-BR"
    assert text(rss(of), "image/url") == icon
    assert text(rss(of), "image/title") == of.title
    assert text(rss(of), "image/link") == of.home
    assert atom(of).get("{http://www.w3.org/XML/1998/namespace}lang") == "pt-BR"
    assert (text(atom(of), "a:icon"), text(atom(of), "a:logo")) == (of.icon, of.logo)
    assert text(atom(of), "a:rights") == text(rss(of), "copyright") == "© A"
    assert json_feed(of)["icon"] == of.icon


AUTHORS = (Person("Jane <J>", "jane@example.org", "https://example.org/jane"), Person("Joe"))


def test_authors() -> None:
    of = feed(item(authors=AUTHORS))
    assert all_of(rss(of), "item/dc:creator") == ["Jane <J>", "Joe"]
    entry = atom(of).find("a:entry", NAMES)
    assert all_of(entry, "a:author/a:name") == ["Jane <J>", "Joe"]
    assert all_of(entry, "a:author/a:uri") == ["https://example.org/jane"]
    assert json_feed(of)["items"][0]["authors"] == [
        {"name": "Jane <J>", "url": "https://example.org/jane"},
        {"name": "Joe"},
    ]
    assert (
        text(rss(feed(item(authors=AUTHORS[:1]))), "item/author") == "jane@example.org (Jane <J>)"
    )
    names = {author.name for author in parsed("rss", of).entries[0].authors}
    assert names == {"Jane <J>", "Joe"}


@pytest.mark.parametrize("name", ["Ann :-) Bee", "Al (Bee)", "a\\b"])
def test_a_name_that_does_not_fit_into_author_is_a_creator(name: str) -> None:
    """`author` puts it in parentheses, and few readers know them escaped."""
    of = feed(item(authors=(Person(name, "a@example.org"),)), author=Person(name, "a@example.org"))
    assert all_of(rss(of), "item/dc:creator") == [name]
    assert all_of(rss(of), "item/author") == all_of(rss(of), "managingEditor") == []


def test_plain_texts_spell_out_what_html_would_take_for_markup() -> None:
    of = feed(item(title="R&D <b>"), title="Q&A", description="a<b", rights="A&B", icon="https://i")
    [form] = load_formats(["rss"])
    document = form.render_feed(of, form.render_items(of.items))
    for line in (
        "<title>R&#x26;D &#x3C;b&gt;</title>", "<title>Q&#x26;A</title>", "<copyright>A&#x26;B</",
        "<description>a&#x3C;b</description>",
    ):  # fmt: skip
        assert line.encode() in document
    assert b"&amp;" not in document
    assert text(rss(of), "item/title") == "R&D <b>"


def test_atoms_texts_say_that_they_are_texts() -> None:
    of = feed(item(summary="S", title="<b>"), rights="R")
    for path in ("a:title", "a:subtitle", "a:rights", "a:entry/a:title", "a:entry/a:summary"):
        assert all_of(atom(of), path, "type") == ["text"]


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_pictures_have_their_size_and_text_and_one_stands_for_the_item(form: str) -> None:
    picture = Enclosure("https://i.example/a.png", "image/png", 0, "A cat", 640, 480)
    other = Enclosure("https://i.example/b.png", "image/png")
    of = feed(item(image=picture, images=(picture, other), enclosures=(picture,)))
    [entry] = parsed(form, of).entries
    assert entry.media_thumbnail == [{"url": picture.url, "width": "640", "height": "480"}]
    assert [media["url"] for media in entry.media_content] == [picture.url, other.url]
    assert entry.media_content[0]["width"] == "640"


def test_media() -> None:
    audio = Enclosure("https://example.org/a.mp3", "audio/mpeg", 123, "The talk", duration=90)
    image = Enclosure("https://example.org/a.jpg", "image/jpeg", 0, "A <b>", 600, 400)
    of = feed(item(images=(image,), image=image, enclosures=(audio, image)))
    written = rss(of).find("item/enclosure")
    assert dict(written.attrib) == {"url": audio.url, "type": "audio/mpeg", "length": "123"}
    media = {e.get("url"): e for e in rss(of).findall("item/media:content", NAMES)}
    assert media[audio.url].get("medium") == "audio"
    assert media[audio.url].get("duration") == "90"
    assert (media[image.url].get("width"), media[image.url].get("height")) == ("600", "400")
    assert text(media[image.url], "media:title") == "A <b>"
    found = json_feed(of)["items"][0]
    assert found["image"] == image.url
    assert found["attachments"][0] == {
        "url": audio.url,
        "mime_type": "audio/mpeg",
        "title": "The talk",
        "size_in_bytes": 123,
        "duration_in_seconds": 90,
    }
    links_of = {e.href: e for e in parsed("atom", of).entries[0].enclosures}
    assert (links_of[audio.url].length, links_of[audio.url].type) == ("123", "audio/mpeg")


def test_an_item_with_a_title_alone_is_whole_in_every_format() -> None:
    of = feed(item(link="", id="x", atom_id="tag:example.org,2026:x"))
    assert {e.tag for e in rss(of).find("item")} == {"title", "guid", "pubDate"}
    assert rss(of).find("item/guid").get("isPermaLink") == "false"
    entry = atom(of).find("a:entry", NAMES)
    assert text(entry, "a:content") == "A title"  # RFC 4287, 4.1.2: it must, without a link
    assert json_feed(of)["items"][0]["content_text"] == "A title"


def test_external_addresses_sources_and_related_stories() -> None:
    source = Source(
        "Acme & Sons", "acme.example", "https://acme.example/", "tag:x,2026:p", links("p")
    )
    story = Related("B & C", "https://example.org/b", "Beta")
    of = feed(item(external_url="https://e.example/", source=source, related=(story,)))
    assert text(rss(of), "item/source") == "Acme & Sons"
    assert rss(of).find("item/source").get("url") == "https://feeds.example.org/p/rss.xml"
    entry = atom(of).find("a:entry", NAMES)
    assert text(entry, "a:source/a:title") == "Acme & Sons"
    assert text(entry, "a:source/a:id") == "tag:x,2026:p"
    assert entry.find("a:source/a:link[@rel='self']", NAMES).get("href").endswith("/p/atom.xml")
    assert entry.find("a:link[@rel='via']", NAMES).get("href") == "https://e.example/"
    found = json_feed(of)["items"][0]
    assert found["external_url"] == "https://e.example/"
    assert found["_feedpub"]["provider"]["feed_url"].endswith("/p/feed.json")
    assert found["_feedpub"]["related"] == [
        {"title": "B & C", "url": "https://example.org/b", "provider": "Beta"}
    ]


def test_each_entry_of_a_source_has_its_own_date_in_it() -> None:
    source = Source("Acme", "acme.example", "https://acme.example/")
    dates = [datetime(2026, 1, day, tzinfo=UTC) for day in (3, 2)]
    of = feed(*(item(id=f"{date}", updated=date, source=source) for date in dates))
    assert [e.text for e in atom(of).findall("a:entry/a:source/a:updated", NAMES)] == [
        "2026-01-03T00:00:00+00:00",
        "2026-01-02T00:00:00+00:00",
    ]


def test_a_source_without_a_feed_here_is_left_to_the_formats_that_can_say_it() -> None:
    of = feed(item(source=Source("Acme")))
    assert rss(of).find("item/source") is None
    assert atom(of).find("a:entry/a:source", NAMES) is None
    assert json_feed(of)["items"][0]["_feedpub"]["provider"] == {"name": "Acme"}


def test_categories_have_the_scheme_of_the_topics() -> None:
    of = feed(
        item(categories=(Category("C++", "https://f.example/topics/", "https://f.example/c"),))
    )
    assert all_of(rss(of), "item/category", "domain") == ["https://f.example/topics/"]
    assert all_of(atom(of), "a:entry/a:category", "scheme") == ["https://f.example/topics/"]
    assert json_feed(of)["items"][0]["_feedpub"]["topics"] == [
        {"name": "C++", "url": "https://f.example/c"}
    ]


def test_the_language_of_an_item() -> None:
    of = feed(item(language="de"), item(id="b"))
    assert all_of(rss(of), "item/dc:language") == ["de"]
    langs = [
        e.get("{http://www.w3.org/XML/1998/namespace}lang")
        for e in atom(of).findall("a:entry", NAMES)
    ]
    assert langs == ["de", None]
    assert [i.get("language") for i in json_feed(of)["items"]] == ["de", None]


@pytest.mark.parametrize("form", ["rss", "atom"])
@pytest.mark.parametrize(("summary", "content"), [("S", ""), ("", "<p>C</p>"), ("S", "<p>C</p>")])
def test_a_picture_s_text_is_not_taken_for_the_item_s(
    form: str, summary: str, content: str
) -> None:
    picture = Enclosure("https://i.example/a.png", "image/png", title="A red kite")
    of = feed(item(image=picture, images=(picture,), summary=summary, content_html=content))
    entry = feedparser.parse(render(form, of)).entries[0]
    said = [entry.get("summary"), *(part.value for part in entry.get("content", ()))]
    assert {"S", "<p>C</p>", None} >= set(said)
    assert entry.title == of.items[0].title


def test_whose_a_picture_is_and_which_is_a_banner() -> None:
    tall = Enclosure("https://i.example/t.png", "image/png", width=400, height=900, credit="A & B")
    wide = Enclosure("https://i.example/w.png", "image/png", width=900, height=400)
    of = feed(item(image=tall, images=(tall, wide)))
    for entry in (rss(of).find("item"), atom(of).find("a:entry", NAMES)):
        assert text(entry, "media:content/media:credit") == "A & B"
    found = json_feed(of)["items"][0]
    assert (found["image"], found["banner_image"]) == (tall.url, wide.url)
    assert "banner_image" not in json_feed(feed(item(images=(tall,))))["items"][0]


def test_where_an_item_is_talked_about() -> None:
    of = feed(item(comments="https://c.example/?a&b"))
    assert text(rss(of), "item/comments") == "https://c.example/?a&b"
    assert all_of(atom(of), "a:entry/a:link[@rel='replies']", "href") == ["https://c.example/?a&b"]


def test_what_is_told_of_an_item_goes_along() -> None:
    made = item(
        type="video",
        category="news",
        price="free",
        quality=0,
        duration=90,
        amp_url="https://a/",
        comments="https://c/",
    )
    assert json_feed(feed(made))["items"][0]["_feedpub"] == {
        "type": "video",
        "category": "news",
        "quality": 0,
        "price": "free",
        "duration": 90,
        "comments_url": "https://c/",
        "amp_url": "https://a/",
    }
    assert b"https://a/" not in render("rss", feed(made)) + render("atom", feed(made))


@pytest.mark.parametrize("year", [1000, 1850, 1999, 2026, 9998])
def test_dates_of_any_year(year: int) -> None:
    moment = datetime(year, 7, 4, 1, 2, 3, tzinfo=UTC)
    of = feed(item(published=moment, updated=moment), published=moment, updated=moment)
    assert text(rss(of), "item/pubDate").endswith(f", 04 Jul {year} 01:02:03 +0000")
    assert text(atom(of), "a:entry/a:updated") == f"{year}-07-04T01:02:03+00:00"
    assert json_feed(of)["items"][0]["date_published"] == f"{year}-07-04T01:02:03Z"


def test_dates_do_not_depend_on_the_locale() -> None:
    of = feed(item())
    before, own = render("rss", of), locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, "")
        assert render("rss", of) == before
    finally:
        locale.setlocale(locale.LC_ALL, own)
    assert b"Fri, 02 Jan 2026 03:04:05 +0000" in before


@quick
@given(feeds)
def test_formats_agree(of: Feed) -> None:
    """A reader that changes the format sees the same items in the same order."""
    titles = [held.title for held in of.items]
    assert all_of(rss(of), "item/title") == titles
    assert all_of(atom(of), "a:entry/a:title") == titles
    assert [element["title"] for element in json_feed(of)["items"]] == titles


def test_formats_are_loaded_by_name_in_one_order() -> None:
    assert [form.name for form in load_formats(["json", "rss"])] == ["rss", "json"]
