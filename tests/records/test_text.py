"""Plain text: no markup, no entities, nothing that XML cannot carry."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.records.text import has_markup, plain_text, shorten, strip_unprintable

from .helpers import no_endless_time

quick = settings(deadline=None, max_examples=200)

# XML 1.0, 2.2: all that is not a Char.
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_PARTS = "<b> </b> < > &amp; &lt; &#0; &#x1f; &#xD800; &#1114112; <script> </script> <!-- --> x ]]>"
texts = st.text() | st.lists(
    st.sampled_from([*_PARTS.split(), " ", "\n", "\xa0", "\x00", "\ufffe"]), max_size=12
).map("".join)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Salt &amp; Pepper", "Salt & Pepper"),
        ("Caf&eacute; &#8211; caf&#xe9;", "Café – café"),
        ("a&nbsp;b", "a b"),
        # once, not twice: who writes of entities means them
        ("&amp;amp;", "&amp;"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("The &lt;canvas&gt; element", "The <canvas> element"),
        ("AT&T, R&D; Q&A", "AT&T, R&D; Q&A"),
        ("fish &chips", "fish &chips"),
        ("x&notify; &region; &not;", "x&notify; &region; ¬"),
        ("?a=1&copy=2", "?a=1&copy=2"),
        # tags
        ("A <b>bold</b> title", "A bold title"),
        ("one<br>two<br/>three", "one two three"),
        ('<a href="https://x.org/?a=1&b=2">link</a>', "link"),
        ("<p>one</p><p>two</p>", "one two"),
        ("say <!-- nothing --> more", "say more"),
        ("<script>alert(1)</script>Title", "Title"),
        ("<STYLE>p {}</STYLE>Title", "Title"),
        # and what only looks like them
        ("a < b", "a < b"),
        ("a < b and c > d", "a < b and c > d"),
        ("a<b", "a<b"),
        ("vector<bool> is odd", "vector<bool> is odd"),
        ("Vec<T> and Map<K, V>", "Vec<T> and Map<K, V>"),
        ("<3", "<3"),
        ("x <- y", "x <- y"),
        # space
        ("  a\r\n\tb \u2028 c ", "a b c"),
        ("\ufeffa\u200bb\ufeff", "a\u200bb"),
        ("\u200b ภาษา\u200bไทย \u200b", "ภาษา\u200bไทย"),
        ("", ""),
        (" \n", ""),
        ("a\x00b\x1bc\ufffe", "abc"),
        ("😀 日本 שלום", "😀 日本 שלום"),
    ],
)
def test_plain_text(written: str, plain: str) -> None:
    assert plain_text(written) == plain


@quick
@given(texts)
def test_plain_text_is_what_xml_can_carry(text: str) -> None:
    assert not NOT_XML.search(plain_text(text))
    assert not NOT_XML.search(strip_unprintable(text))


@quick
@given(texts)
def test_plain_text_is_one_line_without_space_around(text: str) -> None:
    plain = plain_text(text)
    assert plain == plain.strip()
    assert len(plain.splitlines()) <= 1
    assert "  " not in plain


@quick
@given(st.text(st.characters(exclude_characters="&<")))
def test_plain_text_leaves_plain_text_alone(text: str) -> None:
    """Without entities and tags, a second time changes nothing."""
    once = plain_text(text)
    assert plain_text(once) == once


@quick
@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="&<"), min_size=1))
def test_words_stay_as_they_are(word: str) -> None:
    assert plain_text(f" {word}\n{word} ") == f"{word} {word}"


@pytest.mark.parametrize(
    ("text", "markup"),
    [("a <b>b</b>", True), ("<br />", True), ("a < b", False), ("Vec<T>", False), ("plain", False)],
)
def test_markup_is_told_from_text(text: str, markup: bool) -> None:
    assert has_markup(text) is markup


@pytest.mark.parametrize("part", ["<!--", "<script>", "<b ", "<b>", "&amp;", "& ", "<", " "])
def test_a_hostile_text_takes_no_long_time(part: str) -> None:
    with no_endless_time():
        plain_text(part * (50_000 // len(part)))


def test_shorten_cuts_between_words() -> None:
    assert shorten("one two three", 13) == "one two three"
    assert shorten("one two three", 12) == "one two…"
    assert shorten("one, two three", 6) == "one…"


@quick
@given(st.text(min_size=1), st.integers(2, 50))
def test_shorten_keeps_to_its_limit_and_says_something(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert short == text or short.endswith("…")


def test_shorten_cuts_a_text_without_spaces_anywhere() -> None:
    assert shorten("日" * 100, 20) == "日" * 19 + "…"


def test_shorten_does_not_throw_most_away_for_a_space() -> None:
    """A language that writes without spaces may have one at the beginning."""
    assert len(shorten("第一章 " + "日" * 100, 20)) > 10
