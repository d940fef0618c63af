"""Feeds of other tools, as they come: ids and addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedpub.ids.feeds import Published, page_key, read_feed

ROOT = Path(__file__).parents[2]
A = "https://example.org/a/"


@pytest.mark.parametrize("name", ["rss.xml", "atom.xml", "feed.json"])
def test_feeds_of_feedpub_can_be_read(name: str) -> None:
    feed = read_feed((ROOT / "feeds" / name).read_bytes(), name)
    assert len(feed.items) == 20
    assert all(item.id and item.addresses for item in feed.items if "2026:" not in item.id)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (f"<guid>{A}</guid>", Published(A, (A,))),
        (f"<link>{A}</link>", Published(A, (A,))),
        (f'<guid isPermaLink="false">7</guid><link> {A} </link>', Published("7", (A,))),
        (f"<guid isPermaLink='FALSE'>7</guid><link>{A}</link>", Published("7", (A,))),
        ("<link>/a/</link>", Published(A, (A,))),
        (
            f"<guid>x</guid><o:origLink xmlns:o='http://rssnamespace.org/feedburner/ext/1.0'>{A}"
            "</o:origLink>",
            Published("x", ("x", A)),
        ),
        ("<title>Nothing to know it by</title>", None),
    ],
)
def test_an_item_of_rss(item: str, expected: Published | None) -> None:
    data = f"<rss><channel><item>{item}</item></channel></rss>".encode()
    assert read_feed(data, "x", "https://example.org/").items == [expected] * bool(expected)


def test_rss_1_0() -> None:
    data = f"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        xmlns="http://purl.org/rss/1.0/"><channel rdf:about="x"/>
        <item rdf:about="{A}"><link>{A}</link></item></rdf:RDF>""".encode()
    assert read_feed(data, "x").items == [Published(A, (A,))]


def test_urls_in_atom_are_resolved_against_xml_base() -> None:
    data = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.org/x/">
        <link rel="next" href="page2.xml"/>
        <entry xml:base="../a/"><id> urn:a </id><link href="b"/><link rel="self" href="c"/>
        <link rel="alternate" href="/d"/></entry></feed>"""
    feed = read_feed(data, "x", "https://other.example/")
    assert feed.items == [Published("urn:a", ("https://example.org/a/b", "https://example.org/d"))]
    assert feed.next == "https://example.org/x/page2.xml"


def test_a_broken_feed_is_read_up_to_the_error() -> None:
    data = f"<rss><channel><item><guid>{A}</guid></item><item><title>&nbsp; & <b>".encode()
    assert read_feed(data, "x").items[0] == Published(A, (A,))


def test_entities_are_not_resolved(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    data = f"""<!DOCTYPE rss [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>
        <rss><channel><item><guid>a&x;</guid></item></channel></rss>""".encode()
    assert "secret" not in str(read_feed(data, "x"))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a b/", "http://www.example.org/a%20b", "https://EXAMPLE.org:443/a%20b/",
        "https://example.org/a b/index.html", "https://example.org/a b?utm_source=x&UTM_medium=y",
        "https://example.org/a b/#part",
    ],
)  # fmt: skip
def test_urls_of_the_same_page_have_equal_keys(url: str) -> None:
    assert page_key(url) == "example.org/a%20b"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a", "https://example.org/A%20b", "https://blog.example.org/a%20b",
        "https://example.org/a%20b?p=1", "https://example.org:8080/a%20b",
    ],
)  # fmt: skip
def test_urls_of_different_pages_have_different_keys(url: str) -> None:
    assert page_key(url) != "example.org/a%20b"
