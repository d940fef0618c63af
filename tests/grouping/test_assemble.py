"""From records and windows to items and feeds, as the formats write them."""

from __future__ import annotations

from typing import Any

import pytest

from feedpub.config import Config
from feedpub.formats import load_formats
from feedpub.grouping.assemble import (
    FeedAssembler,
    FormatName,
    ItemAssembler,
    ItemRules,
    min_items,
    profile,
    window_rule,
)
from feedpub.grouping.place import Placer, PlacingRules
from feedpub.grouping.window import Windows
from feedpub.model import (
    Enclosure,
    Feed,
    Item,
    Person,
    Placement,
    Profile,
    Provider,
    Record,
    Related,
    Term,
)

from .helpers import config, moment, record, taxonomies, term, terms

TERMS = taxonomies(
    topics=terms(
        term("AI", id="ai", description="Machines that learn", image="https://i.example/ai.png"),
        term("LLM", parent="AI"),
    ),
    providers=terms(term("Acme", url="https://acme.example/", description="Makers")),
)


def assembled(settings: Config, *records: Record) -> dict[str, Feed]:
    """Every feed of the records, by path."""
    placer = Placer(PlacingRules.of(settings.feeds), TERMS)
    windows = Windows(lambda placement: window_rule(settings, placement))
    for made in records:
        windows.add(made, placer.place(made.head))
    formats = [FormatName(f.name, f.media_type) for f in load_formats(settings.feeds.formats)]
    maker = ItemAssembler(ItemRules.of(settings, formats), TERMS, windows.feeds)
    assembler = FeedAssembler(settings, TERMS, maker)
    items = {made.id: maker.item(made, made.body, "", "") for made in records}
    feeds = {}
    for path, window in windows.feeds.items():
        held = [entry.record for entry in window.entries]
        own = [items[made.id] for made in held]
        updated = max(made.updated for made in held)
        feeds[path] = assembler.feed(window.placement, held[0].head, updated, window.total, own)
    return feeds


def item(settings: str = "", **fields: Any) -> Item:
    """The item of one record."""
    return assembled(config(settings), record(**fields))[""].items[0]


def test_a_feed_has_its_words_from_taxonomy_group_and_override() -> None:
    made = record(topics=("LLM", "AI"), provider="Acme")
    feeds = assembled(config(), made)
    assert feeds[""].title == "A site"
    assert feeds["topics/ai"].title == "AI – A site"
    assert feeds["topics/ai"].description == "Machines that learn"
    assert feeds["topics/ai"].icon == "https://i.example/ai.png"
    assert feeds["providers/acme"].description == "Makers"
    assert feeds["topics/llm"].description == feeds["topics/llm"].title
    settings = """
feeds:
  topics: {title: "{name} at {site}", description: "All on {name}"}
  overrides: {topics/ai: {title: Learning}}
"""
    feeds = assembled(config(settings), made)
    assert feeds["topics/ai"].title == "Learning"
    assert feeds["topics/ai"].description == "All on AI"
    assert feeds["topics/llm"].title == "LLM at A site"


def test_ids_and_addresses_of_feeds() -> None:
    feeds = assembled(config(), record(topics=("LLM",)))
    assert feeds[""].id == "tag:example.org,2026:feeds"
    assert feeds["topics/llm"].id == "tag:example.org,2026:feeds/topics/llm"
    assert [link.url for link in feeds["topics/llm"].links] == [
        f"https://feeds.example.org/topics/llm/{name}"
        for name in ("rss.xml", "atom.xml", "feed.json")
    ]


def test_a_parent_is_named_where_it_has_a_feed() -> None:
    assert assembled(config(), record(topics=("LLM",)))["topics/llm"].parent == "topics/ai"
    settings = config("feeds: {topics: {exclude: [AI]}}")
    assert assembled(settings, record(topics=("LLM",)))["topics/llm"].parent == ""


def test_a_feed_is_as_new_as_the_newest_change_in_it() -> None:
    feed = assembled(config(), record("a", 5), record("b", 1, updated=moment(9)))[""]
    assert (feed.published, feed.updated) == (moment(5), moment(9))
    assert [made.title for made in feed.items] == ["a", "b"]


def test_kinds_of_feeds() -> None:
    settings = config("feeds: {topic_providers: true, custom: [{slug: best}]}")
    feeds = assembled(settings, record(topics=("LLM",), provider="Acme"))
    assert {path: feed.kind for path, feed in feeds.items()} == {
        "": "all",
        "topics/llm": "topic",
        "topics/ai": "topic",
        "providers/acme": "provider",
        "topics/llm/providers/acme": "topic_provider",
        "topics/ai/providers/acme": "topic_provider",
        "custom/best": "custom",
    }


def test_how_many_items_a_feed_holds() -> None:
    settings = config("""
feeds:
  items: 3
  window: 48h
  topics: {items: all, min_items: 2}
  custom: [{slug: best, items: 5}]
  overrides: {topics/ai: {items: 1}, custom/best: {items: 7}, "providers/x": {items: all}}
""")
    topic = Term("ai", "AI", "ai")
    assert window_rule(settings, Placement("", "all")).items == 3
    assert window_rule(settings, Placement("topics/bees", "topic", topic)).items == 0
    assert window_rule(settings, Placement("topics/ai", "topic", topic)).items == 1
    assert window_rule(settings, Placement("custom/best", "custom")).items == 7
    assert window_rule(settings, Placement("providers/x", "provider", None, topic)).items == 0
    assert window_rule(settings, Placement("providers/y", "provider", None, topic)).span == moment(
        3
    ) - moment(1)
    assert min_items(settings, Placement("topics/ai", "topic", topic)) == 2
    assert min_items(settings, Placement("", "all")) == 1


def test_a_feed_is_a_newsletter_if_its_override_its_own_setting_or_its_group_says_so() -> None:
    settings = config("""
feeds:
  topics: {newsletter: {parameters: {b: 2, a: 1}}}
  custom: [{slug: mail, newsletter: true}, {slug: read, newsletter: false}, {slug: best}]
  overrides:
    topics/ai: {newsletter: false}
    topics/bees: {title: B}
    providers/x: {newsletter: true}
""")
    topic = Term("ai", "AI", "ai")
    assert profile(settings, Placement("", "all")) is None
    assert profile(settings, Placement("topics/ai", "topic", topic)) is None
    bees = profile(settings, Placement("topics/bees", "topic", topic))
    assert bees == Profile((("b", "2"), ("a", "1")))
    assert profile(settings, Placement("custom/mail", "custom")) == Profile(())
    assert profile(settings, Placement("custom/read", "custom")) is None
    assert profile(settings, Placement("custom/best", "custom")) is None
    assert profile(settings, Placement("providers/x", "provider", None, topic)) == Profile(())
    assert profile(settings, Placement("providers/y", "provider", None, topic)) is None


def test_an_id_that_is_no_iri_gets_one_for_atom() -> None:
    assert item(id="https://example.org/a").atom_id == "https://example.org/a"
    assert item(id="https://example.org/ü?a=1%20#b").atom_id == (
        "https://example.org/%C3%BC?a=1%20#b"
    )
    assert item(id="a b/ü").atom_id == "tag:example.org,2026:feeds/a%20b%2F%C3%BC"
    assert item(id="a b/ü").id == "a b/ü"


def test_authors_are_else_the_provider() -> None:
    assert item(provider="Acme").authors == (Person("Acme", "", "https://acme.example/"),)
    assert item(provider="Acme", authors=(Person("Jane"),)).authors == (Person("Jane"),)
    assert item().authors == ()


def test_a_source_is_the_provider_with_its_feed_here() -> None:
    source = item(provider=Provider("acme", "acme.example")).source
    assert source
    assert (source.name, source.home) == ("Acme", "https://acme.example/")
    assert source.feed_id == "tag:example.org,2026:feeds/providers/acme"
    source = item("feeds: {providers: false}", provider=Provider("Beta", "beta.example")).source
    assert source
    assert (source.home, source.feed_id, source.feeds) == ("https://beta.example/", "", ())


def test_categories_are_called_what_the_taxonomy_calls_them() -> None:
    categories = item(topics=("ai", "Bees")).categories
    assert [(c.term, c.url) for c in categories] == [
        ("AI", "https://feeds.example.org/topics/ai/"),
        ("Bees", "https://feeds.example.org/topics/bees/"),
    ]


SMALL = Enclosure("https://example.org/s.jpg", "image/jpeg", width=10, height=10)
LARGE = Enclosure("https://example.org/l", "", width=99, height=99)
AUDIO = Enclosure("https://example.org/a.mp3", "audio/mpeg")
PDF = Enclosure("https://example.org/a.pdf", "application/pdf")


def test_what_is_to_be_played_is_the_first_enclosure_and_the_picture_the_last() -> None:
    made = item(images=(SMALL, LARGE), enclosures=(PDF, AUDIO))
    assert made.enclosures == (AUDIO, PDF, SMALL)
    assert made.image == SMALL


@pytest.mark.parametrize(
    ("choice", "url"), [("first", SMALL.url), ("largest", LARGE.url), ("none", "")]
)
def test_which_picture_stands_for_the_record(choice: str, url: str) -> None:
    made = item(f"images: {{enclosure: {choice}}}", images=(SMALL, LARGE))
    assert (made.image.url if made.image else "") == url
    assert all(enclosure.type for enclosure in made.enclosures)


def test_related_stories_are_a_list_below_the_content() -> None:
    story = Related('A <b> & "c"', "https://example.org/?a=1&b=2", "Acme & Sons")
    made = item(body="<p>x</p>", related=(story,))
    assert made.content_html == (
        '<p>x</p>\n<ul>\n<li><a href="https://example.org/?a=1&amp;b=2">'
        'A &lt;b&gt; &amp; "c"</a> (Acme &amp; Sons)</li>\n</ul>'
    )
    assert item(summary="s", related=(story,)).content_html.startswith("<p>s</p>\n<ul>")
    assert item(related=(story,)).content_html.startswith("<ul>")


def test_excerpts_have_no_content() -> None:
    made = item("feeds: {content: excerpt}", body="<p>x</p>", summary="s")
    assert (made.summary, made.content_html) == ("s", "")


def test_a_language_is_named_where_it_is_not_the_sites() -> None:
    assert item(language="en").language == ""
    assert item(language="de").language == "de"
