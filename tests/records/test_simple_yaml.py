"""What is read without a YAML parser means what PyYAML says it means."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.records.simple_yaml import MAX_LENGTH, simple_mapping
from feedpub.records.values import Document

POST = r"""
# a post
title: "A \"title\" \\ with\nescapes: é"
slug: it-is
excerpt: 'It''s: # no comment'
date: 2020-01-02T03:04:05Z
link: https://example.org/a#b?c=d
quality: -1
empty:
none: ~
tags: [a b, "c: d", 'e', 3.10, null]
no_tags: []
provider:
  name: Médias & Co. (Köln)

  images:
    - url: /a.jpg
      width: 50
    # another
    - url: /b.jpg
topics:
- AI
-   "ML"
authors:
  - name: null
    links:
    - a
after: x
"""


def composed(text: str) -> Document:
    """The document as PyYAML reads it."""
    with patch("feedpub.records.values.simple_mapping", lambda text: None):
        return Document(text)


def assert_same(text: str) -> None:
    """What is taken is what PyYAML reads, in the same order, and has nothing to be named."""
    simple = simple_mapping(text)
    if simple is not None:
        document = composed(text)
        assert repr(simple) == repr(document.value())
        assert not document.duplicates


def test_what_posts_are_written_in_is_taken() -> None:
    assert simple_mapping(POST) == composed(POST).value()
    assert simple_mapping(POST)["authors"] == [{"name": None, "links": ["a"]}]  # type: ignore[index]


@pytest.mark.parametrize(
    "line",
    [
        "a: b: c",
        "a: b:",
        "a: b # c",
        "a: 'b' c",
        "a: b ",
        "a: |\n  b",
        "a: >-\n  b",
        "a: {b: c}",
        "a: [b, [c]]",
        "a: [b,]",
        "a: [b\n  , c]",
        "a: &b c",
        "a: *b",
        "a: !!str 5",
        "a: b\n  c",
        "a: b\n  c: d",
        "a: b\n- c",
        "a: 'b\n  c'",
        'a: "b\n  c"',
        'a: "\\x41"',
        "a:\n  b",
        "a:\n   b: c\n  d: e",
        "a:\n  - b\n c: d",
        "a:\n- b\n  - c",
        "a:\n- b\n  c: d",
        "a:\n  - - b",
        "a:\n  -\n    b: c",
        "a: - b",
        "a: @b",
        "a: b\ta",
        "a:\tb",
        "\ta: b",
        "a: \x01",
        "a: b\x85c",
        "a: b\u2028c",
        "\ufeffa: b",
        "a: 1\na: 2",
        "? a\n: b",
        "<<: b",
        "2024: b",
        "a:b",
        "a b: c",
        "- a",
        "a",
        "a: 1\n---\nb: 2",
        "a: 1\n...",
        "%YAML 1.1\n---\na: 1",
        "x" * 200 + ": a",
        "a: " + "b" * MAX_LENGTH,
    ],
)
def test_the_rest_is_left_to_pyyaml(line: str) -> None:
    assert simple_mapping(f"{line}\n") is None
    assert simple_mapping(f"first: 1\n{line}\nlast: 2\n") is None


def test_nothing_is_left_to_pyyaml() -> None:
    assert simple_mapping("") is None
    assert simple_mapping("# a comment\n\n") is None


def test_no_nesting_is_taken_that_is_out_of_measure() -> None:
    deep = "".join(f"{' ' * n}a:\n{' ' * n}- b: c\n" for n in range(0, 60, 2))
    lines = deep.splitlines()
    taken = [n for n in range(1, len(lines)) if simple_mapping("\n".join(lines[:n])) is not None]
    assert 10 < max(taken) < len(lines) - 1
    for n in taken:
        assert_same("\n".join(lines[:n]))


_leads = st.sampled_from(["", "", "", "  ", "  ", "    ", " ", "- ", "  - ", "  -  ", "-"])
_keys = st.sampled_from(["", "", "a: ", "b: ", "c:", "d:", "e-f: ", "G_1:  ", "null: "])
_PIECES = (
    r"""a b 1 - -1 -- --- ... ~ null : :: x:y # a#b "q" 'q' " ' '' \" \n \x & &a *a ! !t | > >-"""
    " ? % @ ` [ ] { } , [a,b] [] << = $ ( / + é 😀 \t \x01 \x7f \x85 \xa0 \u2028 \u3000 \ufeff"
).split(" ")
_pieces = st.sampled_from([*_PIECES, " ", ": ", " #", "[a, 'b']", "[ 1 , ~,a/b]", "\n"])
_plain_words = st.sampled_from(["a", "b c", "12:30", "http://a/b#c", "2020-01-01", "~", "-1"])
_mixed = st.lists(_pieces, max_size=3).map("".join)
_values = (
    st.just("") | _plain_words | _mixed | _mixed.map('"{}"'.format) | _mixed.map("'{}'".format)
)
_lines = st.tuples(_leads, _keys, _values).map("".join) | st.sampled_from(["", "  ", "  # c: d"])
_likely = st.tuples(
    st.sampled_from(["", "  ", "    ", "  - ", "- "]),
    st.sampled_from(["", "a: ", "b: ", "c:"]),
    st.just("") | _plain_words,
).map("".join)


@settings(deadline=None, max_examples=1000)
@given(st.lists(_likely | _lines, max_size=7).map("\n".join))
def test_any_lines_mean_the_same_or_are_left_to_pyyaml(text: str) -> None:
    assert_same(text)
    assert_same(f"z:\n{text}\n")


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(POST)), st.integers(0, 3), _pieces | st.characters(codec="utf-8"))
def test_a_post_that_was_edited_means_the_same(at: int, taken: int, put: str) -> None:
    assert_same(POST[:at] + put + POST[at + taken :])
