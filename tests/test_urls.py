"""Addresses as people write them, and as feeds may carry them."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.model import is_iri
from feedpub.urls import UrlError, absolute_url

BASE = "https://example.org/blog/post/"
quick = settings(deadline=None, max_examples=300)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://example.org/a", "https://example.org/a"),
        ("HTTPS://Example.ORG/A", "https://example.org/A"),
        ("  https://example.org/a\n", "https://example.org/a"),
        ("http://example.org:8080/", "http://example.org:8080/"),
        ("https://example.org/?q=a b&c=d#e f", "https://example.org/?q=a%20b&c=d#e%20f"),
        ("https://example.org/my file (1).mp3", "https://example.org/my%20file%20(1).mp3"),
        ("https://example.org/a%20b", "https://example.org/a%20b"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/café", "https://example.org/caf%C3%A9"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://example.org/?a=1&amp;b=2", "https://example.org/?a=1&b=2"),
        ("https://example.org/a\ud83d/b", "https://example.org/a/b"),
        # what is fetched stays the same: nothing is tidied up
        ("https://example.org//a/../b/./c", "https://example.org//a/../b/./c"),
        ("https://example.org/a?", "https://example.org/a?"),
        # below the base
        ("/a", "https://example.org/a"),
        ("a.jpg", "https://example.org/blog/post/a.jpg"),
        ("img/a.jpg", "https://example.org/blog/post/img/a.jpg"),
        ("../a", "https://example.org/blog/a"),
        ("?page=2", "https://example.org/blog/post/?page=2"),
        ("#notes", "https://example.org/blog/post/#notes"),
        ("//cdn.example.org/a.jpg", "https://cdn.example.org/a.jpg"),
    ],
)
def test_addresses_are_made_whole(written: str, url: str) -> None:
    assert absolute_url(written, BASE) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "javascript:1",
        "vbscript:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.org/a",
        "mailto:a@example.org",
        "https://",
        "https:///a",
        "http://[::1",
        "https://exa mple.org/",
        "https://example.org:port/",
        "https://example.org:99999/",
        "www.example.org",
        "example.org/a",
    ],
)
def test_what_has_no_place_in_a_feed_is_refused(text: str) -> None:
    with pytest.raises(UrlError) as caught:
        absolute_url(text, BASE)
    assert str(caught.value)


@pytest.mark.parametrize("text", ["/a", "a.jpg", "//example.org/a", "#a"])
def test_a_relative_address_needs_a_base(text: str) -> None:
    with pytest.raises(UrlError):
        absolute_url(text)


def test_passwords_are_not_published() -> None:
    assert absolute_url("https://user:secret@example.org/a") == "https://example.org/a"


_PARTS = "http https : // / example.org @ ? # % %41 é 日 [ ] :80 .. . javascript < > \" ' \\ & a"
_addresses = st.text() | st.lists(st.sampled_from([*_PARTS.split(), " ", "\n"]), max_size=12).map(
    "".join
)


@quick
@given(_addresses, st.sampled_from(["", BASE]))
def test_an_address_is_one_that_feeds_may_carry(text: str, base: str) -> None:
    with contextlib.suppress(UrlError):
        url = absolute_url(text, base)
        assert re.fullmatch(r"https?://[!#-;=?-Z_a-z~\[\]]+", url), url
        assert absolute_url(url) == url


@pytest.mark.parametrize(
    ("text", "iri"),
    [
        ("https://example.org/a", True),
        ("tag:example.org,2026:a/b", True),
        ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", True),
        ("https://example.org/日本", True),
        ("https://[2001:db8::1]:80/x", True),
        ("https://[x/y", False),
        ("http:x", False),
        ("HTTP://", False),
        ("https:///x", False),
        ("httpx:x", True),
        ("", False),
        ("a", False),
        ("/a", False),
        ("a b:c", False),
        ("tag:a b", False),
        ("1:2", False),
        ("tag:", False),
        ("tag:a\u200e", False),
    ],
)
def test_iris_are_told_from_other_ids(text: str, iri: bool) -> None:
    assert is_iri(text) is iri


def test_a_host_without_end_takes_no_time() -> None:
    host = "\u0660" * 16_000
    begun = time.monotonic()  # idna before 3.14: a minute
    with pytest.raises(UrlError):
        absolute_url(f"https://{host}.example.org/", BASE)
    assert time.monotonic() - begun < 5
