"""Slugs: addresses that are safe everywhere, and that different names never share."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedpub.grouping.slugs import name_key, slugify
from feedpub.paths import DEVICES

quick = settings(deadline=None, max_examples=400)
_WORDS = """C C# C++ C-- c& .NET NET R&D R-D R_D R.D con CON.txt nul aux com1 lpt9 . .. ... / \\ ~
- -- _ __
日本 日 💡 💡💡 Ж é è e ß ss Straße Strasse ﬁ fi İ i ı ½ ² 2 a-b a--b a_b a__b a/b a.b %41 A%
x--haxyufxnri index.html rss.xml feeds.json"""
AWKWARD = [
    *_WORDS.split(),
    *("a b", "a  b-c", "a b c", "a-b c", "a b-c", "\x00", "a\nb c-", "\u202eabc", "a\u200bb", "á"),
    *("x" * 60, "x" * 61, "x" * 300, "y" * 300),
]
names = st.sampled_from(AWKWARD) | st.text() | st.text("aA bB-_.+#é1", max_size=8)


def is_safe(slug: str) -> bool:
    return bool(re.fullmatch(r"[a-z0-9][a-z0-9_-]*", slug)) and len(slug) <= 64


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Power Apps", "power-apps"),
        ("AI", "ai"),
        ("ai-ethics", "ai_ethics"),
        ("2024", "2024"),
        ("C", "c"),
    ],
)
def test_plain_names_read_well(name: str, slug: str) -> None:
    assert slugify(name) == slug


@pytest.mark.parametrize(
    ("name", "readable"), [("C++", "c--"), ("R&D", "r-d--"), ("Möbel", "mobel--"), ("日本", "x--")]
)
def test_other_names_begin_with_what_can_be_read(name: str, readable: str) -> None:
    assert re.fullmatch(re.escape(readable) + "[a-z2-7]{10}", slugify(name))


def test_awkward_names_all_differ() -> None:
    slugs = {name: slugify(name) for name in AWKWARD}
    for one, other in itertools.combinations(AWKWARD, 2):
        assert (slugs[one] == slugs[other]) == (name_key(one) == name_key(other)), (one, other)
    assert all(map(is_safe, slugs.values()))
    assert not DEVICES & set(slugs.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [("AI", "ai"), (" AI ", "AI"), ("a  b", "a b"), ("a\tb", "a b"), ("É", "é"), ("e\u0301", "é")],
)
def test_names_that_differ_in_case_or_space_alone_are_one(one: str, other: str) -> None:
    assert slugify(one) == slugify(other)


@quick
@given(names, names)
def test_a_slug_is_shared_by_equal_names_only(one: str, other: str) -> None:
    assert (slugify(one) == slugify(other)) == (name_key(one) == name_key(other))


@quick
@given(names)
def test_a_slug_is_safe_on_every_file_system_and_host(name: str) -> None:
    slug = slugify(name)
    assert is_safe(slug)
    assert slug not in DEVICES
    assert slug not in {"con", "prn", "aux", "nul", "com1", "lpt1"}


@quick
@given(names)
@example("ΐ")
@example("ŉ")
@example("İ")
def test_case_and_form_do_not_matter(name: str) -> None:
    same = {name_key(name), name_key(f"  {name}\n"), name_key(unicodedata.normalize("NFD", name))}
    assert same == {name_key(name.casefold())}
    assert name_key(name_key(name)) == name_key(name)


@quick
@given(names)
def test_a_slug_that_was_given_away_is_not_used(name: str) -> None:
    mine = slugify(name)
    other = slugify(name, frozenset({mine}))
    assert is_safe(other)
    if re.fullmatch("[a-z0-9-]*--[a-z2-7]{10}", mine):
        return  # of its own making: nobody gives such a slug by hand
    assert other != mine
