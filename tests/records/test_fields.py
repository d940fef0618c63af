"""Every key of a record, under every name that it may have, and what becomes of it."""

from __future__ import annotations

import pytest

from feedpub.config import SourceSpec
from feedpub.model import Enclosure, Person, Provider, Related

from .helpers import bare, front, only, parse, problem, record, rules

URL = "https://example.org/a"
JPG = "https://example.org/a.jpg"
MP3 = "https://example.org/a.mp3"
DATE = "2026-01-02T03:04:05+00:00"


# --- one key, one field -------------------------------------------------------


@pytest.mark.parametrize("key", ["title", "name"])
def test_title(key: str) -> None:
    assert bare(f"{key}: Salt &amp; Pepper\ndate: 2026-01-02").title == "Salt & Pepper"


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("2020-01-01", "2020-01-01"),
        ("Yes", "Yes"),
        ("3.10", "3.10"),
        ("1:30", "1:30"),
        ("0", "0"),
        ("'# 1'", "# 1"),
        ('"a\\nb"', "a b"),
        ("|\n  a\n  b", "a b"),
        ("😀 日本", "😀 日本"),
    ],
)
def test_a_title_is_the_text_that_was_written(written: str, title: str) -> None:
    assert bare(f"title: {written}\ndate: 2026-01-02").title == title


def test_html_in_a_title_is_taken_out_and_named() -> None:
    parsed = parse("---\ntitle: A <b>bold</b> title\ndate: 2026-01-02\n---\n")
    assert parsed.records[0].title == "A bold title"
    assert (problem(parsed).key, problem(parsed).line, problem(parsed).fatal) == ("title", 2, False)


@pytest.mark.parametrize("key", ["excerpt", "summary", "description"])
def test_summary(key: str) -> None:
    assert record(f"{key}: a &lt; <i>b</i>").summary == "a < b"
    assert bare(f"{key}: an excerpt alone\ndate: 2026-01-02").title == "an excerpt alone"


def test_a_title_made_from_an_excerpt_is_short() -> None:
    title = bare(f"excerpt: {'word ' * 100}\ndate: 2026-01-02").title
    assert len(title) <= 80
    assert title.endswith("word…")


@pytest.mark.parametrize("key", ["content", "featuredContent"])
def test_content(key: str) -> None:
    made = record(f"{key}: <p>a</p>")
    assert "<p>a</p>" in (made.body, made.featured)


def test_a_body_goes_before_content() -> None:
    assert record("content: <p>a</p>", "<p>b</p>").body == "<p>b</p>"


@pytest.mark.parametrize("key", ["publishedDateTime", "date", "published_at", "pubDate"])
@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-01-02T03:04:05Z", DATE),
        ("2026-01-02 04:04:05", DATE),
        ("2026-01-02 04:04:05 +01:00", DATE),
        ("Fri, 02 Jan 2026 03:04:05 GMT", DATE),
        ("2026-01-02", "2026-01-01T23:00:00+00:00"),
    ],
)
def test_published(key: str, written: str, utc: str) -> None:
    assert bare(f"title: a\n{key}: {written}").published.isoformat() == utc


@pytest.mark.parametrize("key", ["updatedDateTime", "updated", "lastmod", "modified"])
def test_updated(key: str) -> None:
    assert record(f"{key}: 2026-02-03T00:00:00Z").updated.isoformat() == "2026-02-03T00:00:00+00:00"


def test_updated_is_never_before_published() -> None:
    assert record().updated.isoformat() == DATE
    assert record("updated: 2020-01-01").updated.isoformat() == DATE
    assert record("updated:").updated.isoformat() == DATE


def test_an_updated_that_is_no_date_is_named_and_left_out() -> None:
    parsed = parse(front("updated: soon"))
    assert parsed.records[0].updated.isoformat() == DATE
    assert (problem(parsed).key, problem(parsed).line, problem(parsed).fatal) == (
        "updated",
        4,
        False,
    )


def test_a_post_without_a_title_is_called_what_its_file_is() -> None:
    for text in ("---\nlayout: post\n---\n", "---\n---\nText"):
        made = only(parse(text, "_posts/2024-03-06-my-great-day.md"))
        assert made.title == "My Great Day"
        assert "/2024-03-06/" in made.id


def test_a_record_is_in_the_language_of_its_site() -> None:
    assert record("").language == rules().language


def test_keys_may_begin_with_a_capital() -> None:
    made = bare("Title: A\nDate: 2026-01-02\nTags: b")
    assert (made.title, made.topics) == ("A", ("b",))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (f"{URL}#comments", f"{URL}#comments"),
        ("/a/#talk", "https://example.org/a/#talk"),
        ("true", ""),  # as Jekyll has it
        ("12", ""),
        ("[a]", ""),
        ("closed", ""),
    ],
)
def test_where_a_record_is_talked_about(written: str, expected: str) -> None:
    assert record(f"comments: {written}").comments == expected


@pytest.mark.parametrize("key", ["ampWebUrl", "cdnAmpWebUrl"])
def test_an_amp_address_is_never_the_link(key: str) -> None:
    made = record(f"{key}: {URL}/amp")
    assert (made.link, made.amp_url) == ("", f"{URL}/amp")


@pytest.mark.parametrize(
    ("written", "provider"),
    [
        ("Acme &amp; Sons", Provider("Acme & Sons")),
        ("{name: Acme}", Provider("Acme")),
        ("{domain: Acme.example}", Provider("acme.example", "acme.example")),
        (
            f"{{name: Acme, domain: acme.example, url: {URL}, images: [{{url: {JPG}}}]}}",
            Provider("Acme", "acme.example", URL, JPG),
        ),
    ],
)
def test_provider(written: str, provider: Provider) -> None:
    assert record(f"provider: {written}").provider == provider


@pytest.mark.parametrize("written", ["5", "[a]", "{url: https://example.org/}"])
def test_what_is_no_provider_is_named(written: str) -> None:
    parsed = parse(front(f"provider: {written}"))
    assert parsed.records[0].provider is None
    assert problem(parsed).key == "provider"


@pytest.mark.parametrize("key", ["author", "authors"])
@pytest.mark.parametrize(
    ("written", "authors"),
    [
        ("Jane Doe", (Person("Jane Doe"),)),
        ("Jane Doe <jane@example.org>", (Person("Jane Doe", "jane@example.org"),)),
        ("'\"Doe, Jane\" <jane@example.org>'", (Person("Doe, Jane", "jane@example.org"),)),
        ("jane@example.org (Jane Doe)", (Person("Jane Doe", "jane@example.org"),)),
        ("[Jane, Joe]", (Person("Jane"), Person("Joe"))),
        (
            f"{{name: Jane, email: jane@example.org, url: {URL}}}",
            (Person("Jane", "jane@example.org", URL),),
        ),
        (f"[{{name: Jane, uri: {URL}}}, Joe]", (Person("Jane", "", URL), Person("Joe"))),
        ("{email: jane@example.org}", (Person("jane", "jane@example.org"),)),
        ("{name: Jane, email: no address}", (Person("Jane"),)),
    ],
)
def test_authors(key: str, written: str, authors: tuple[Person, ...]) -> None:
    assert record(f"{key}: {written}").authors == authors


def test_an_author_who_is_named_twice_is_one() -> None:
    assert record("authors: [Ann, Bob, Ann]").authors == (Person("Ann"), Person("Bob"))


def test_a_list_of_no_authors_leaves_the_word_to_the_other_key() -> None:
    assert record("authors: []\nauthor: Jane").authors == (Person("Jane"),)


def test_a_providers_authors_are_those_of_what_names_none() -> None:
    provider = "provider: {name: Acme, authors: [{name: Jane}]}"
    assert record(provider).authors == (Person("Jane"),)
    assert record(f"{provider}\nauthor: Joe").authors == (Person("Joe"),)


@pytest.mark.parametrize("key", ["topics", "tags", "categories"])
@pytest.mark.parametrize(
    ("written", "topics"),
    [
        ("[a, b c]", ("a", "b c")),
        ("a", ("a",)),
        ("a b", ("a b",)),
        ("a, b", ("a", "b")),
        ("[on, 2024, 3.10, yes]", ("on", "2024", "3.10", "yes")),
        ("[C, C#, C++, 日本, 💡]", ("C", "C#", "C++", "日本", "💡")),
        ("[AI, ai, ' Ai ']", ("AI",)),
        ("[{name: a}, {title: b}]", ("a", "b")),
        ("[R&amp;D]", ("R&D",)),
        ("[a, ~, '', b]", ("a", "b")),
        ("[]", ()),
    ],
)
def test_topics(key: str, written: str, topics: tuple[str, ...]) -> None:
    assert record(f"{key}: {written}").topics == topics


def test_topics_tags_and_categories_are_all_topics() -> None:
    assert record("topics: a\ntags: [b, A]\ncategories: c\ncategory: d").topics == ("a", "b", "c")


def test_a_category_is_a_topic_where_there_is_none() -> None:
    made = record("category: news")
    assert (made.topics, made.category) == (("news",), "news")
    made = record("category: news\ntopics: [a]")
    assert (made.topics, made.category) == (("a",), "news")


@pytest.mark.parametrize("key", ["images", "image", "cover"])
@pytest.mark.parametrize(
    ("written", "image"),
    [
        (JPG, Enclosure(JPG, "image/jpeg")),
        ("/a.jpg", Enclosure(JPG, "image/jpeg")),
        (f"[{JPG}]", Enclosure(JPG, "image/jpeg")),
        (
            f"{{url: {JPG}, width: 600, height: 400, alt: a &amp; b, type: image/jpg, length: 9}}",
            Enclosure(JPG, "image/jpeg", 9, "a & b", 600, 400),
        ),
        (f"[{{url: {JPG}, width: 600px, title: t}}]", Enclosure(JPG, "image/jpeg", 0, "t", 600)),
        (f"{{url: '{URL}', type: text/html}}", Enclosure(URL)),
    ],
)
def test_images(key: str, written: str, image: Enclosure) -> None:
    assert record(f"{key}: {written}").images == (image,)


def test_the_same_image_is_one() -> None:
    made = record(f"images: [{{url: {JPG}}}, {{url: /b.png}}]\nimage: {JPG}\ncover: {{image: /c}}")
    assert [image.url.rpartition("/")[2] for image in made.images] == ["a.jpg", "b.png", "c"]


@pytest.mark.parametrize(
    ("written", "key", "left"),
    [
        ("image: true", "image", 0),
        ("image: {width: 5}", "image", 0),
        ("images: [{url: 'javascript:x'}]", "images[0].url", 0),
        (f"images: [{{url: {JPG}, width: wide}}]", "images[0].width", 1),
        (f"images: [[{JPG}]]", "images[0]", 0),
    ],
)
def test_what_is_no_image_is_named(written: str, key: str, left: int) -> None:
    parsed = parse(front(written))
    assert len(parsed.records[0].images) == left
    assert (problem(parsed).key, problem(parsed).line) == (key, 4)


@pytest.mark.parametrize("key", ["enclosures", "attachments", "audio", "video"])
@pytest.mark.parametrize(
    ("written", "media"),
    [
        (MP3, Enclosure(MP3, "audio/mpeg")),
        ("/a.mp3", Enclosure(MP3, "audio/mpeg")),
        (f"[{MP3}]", Enclosure(MP3, "audio/mpeg")),
        (
            f"[{{url: {MP3}, type: audio/mp3, length: 1234, duration: '1:02:03', title: t}}]",
            Enclosure(MP3, "audio/mpeg", 1234, "t", duration=3723),
        ),
        (
            f"{{url: {MP3}, mime_type: audio/ogg, size_in_bytes: 5, duration_in_seconds: 60}}",
            Enclosure(MP3, "audio/ogg", 5, duration=60),
        ),
        (f"{{href: {URL}}}", Enclosure(URL, "application/octet-stream")),
    ],
)
def test_enclosures(key: str, written: str, media: Enclosure) -> None:
    assert record(f"{key}: {written}").enclosures == (media,)


def test_actions_that_download_are_enclosures() -> None:
    actions = f"""actions:
  - {{type: download, url: {URL}/kit.zip, title: The kit, length: 7}}
  - {{type: Download, url: {MP3}}}
  - {{type: open, url: {URL}}}
  - {{url: {URL}}}"""
    assert record(actions).enclosures == (
        Enclosure(f"{URL}/kit.zip", "application/zip", 7, "The kit"),
        Enclosure(MP3, "audio/mpeg"),
    )


def test_the_same_file_is_one_enclosure() -> None:
    made = record(f"enclosures: [{{url: {MP3}, length: 5}}]\naudio: {MP3}\nvideo: /v.mp4")
    assert [media.url for media in made.enclosures] == [MP3, "https://example.org/v.mp4"]
    assert made.enclosures[0].length == 5


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("audio: {title: a}", "audio"),
        ("audio: true", "audio"),
        ("enclosures: [5]", "enclosures[0]"),
        ("enclosures: [{url: 'file:///a.mp3'}]", "enclosures[0].url"),
        (f"enclosures: [{{url: {MP3}, length: 5 MB}}]", "enclosures[0].length"),
        (f"audio: {{url: {MP3}, duration: long}}", "audio.duration"),
    ],
)
def test_what_is_no_enclosure_is_named(written: str, key: str) -> None:
    assert problem(parse(front(written))).key == key


def test_what_a_record_names_is_beside_its_page_where_that_is_the_sites_own() -> None:
    made = record("link: /posts/a/\nimage: a.jpg\naudio: a.mp3")
    assert made.images[0].url == "https://example.org/posts/a/a.jpg"
    assert made.enclosures[0].url == "https://example.org/posts/a/a.mp3"
    made = record("link: https://elsewhere.example/posts/a/\nimage: a.jpg")
    assert made.images[0].url == JPG


@pytest.mark.parametrize("key", ["length", "duration"])
@pytest.mark.parametrize(("written", "seconds"), [("PT15M", 900), ("1:02:03", 3723), ("90", 90)])
def test_duration(key: str, written: str, seconds: int) -> None:
    assert record(f"{key}: {written}").duration == seconds


def test_what_is_told_to_select_by() -> None:
    made = record(
        "type: article\ncategory: news\nprice: free\nquality: 80\nheat: -1\nlanguage: pt_BR"
    )
    assert (made.type, made.category, made.price) == ("article", "news", "free")
    made = record("quality: 80\nheat: -1\nlanguage: pt_BR")
    assert (made.quality, made.heat, made.language) == (80, -1, "pt-BR")
    assert record("quality: 7.5\nprice: 0").quality == 7.5


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("quality: high", "quality"),
        ("language: klingon, I think", "language"),
        ("length: x", "length"),
    ],
)
def test_what_cannot_be_told_is_named_and_left_out(written: str, key: str) -> None:
    parsed = parse(front(written))
    assert len(parsed.records) == 1
    assert problem(parsed).key == key


def test_what_no_feed_can_carry_is_named_wherever_it_is() -> None:
    parsed = parse(
        '{"title": "A", "date": "2026-01-02", "author": {"name": "A\\u0007nn"},'
        ' "topics": ["x\\u0000y"],'
        ' "provider": "P\\ud800",'
        ' "images": [{"url": "https://e.example/a.png", "alt": "B\\u0001"}],'
        ' "related": [{"title": "C\\u0002", "url": "https://e.example/"}]}',
        path="r.jsonl",
    )
    made = only(parsed)
    assert made.provider is not None
    assert [
        made.authors[0].name,
        made.topics[0],
        made.provider.name,
        made.images[0].title,
        made.related[0].title,
    ] == ["Ann", "xy", "P", "B", "C"]
    assert [problem.key for problem in parsed.problems] == [
        "provider",
        "author.name",
        "images[0].alt",
        "topics[0]",
        "related[0].title",
    ]


def test_related() -> None:
    made = record(f"""related:
  - {{title: B &amp; C, webUrl: {URL}/b, provider: {{name: Acme}}, secured: x}}
  - {{title: D, originalUrl: {URL}/d, provider: Beta}}
  - {URL}/e
  - {{title: B again, url: {URL}/b}}
  - {{title: the story itself, url: {URL}}}
link: {URL}""")
    assert made.related == (
        Related("B & C", f"{URL}/b", "Acme"),
        Related("D", f"{URL}/d", "Beta"),
        Related(f"{URL}/e", f"{URL}/e"),
    )


# --- what holds a record back ----------------------------------------------------


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("published: false", "unpublished"),
        ("published: no", "unpublished"),
        ("published: 'False'", "unpublished"),
        ("published: true", ""),
        ("published:", ""),
        ("draft: true", "draft"),
        ("draft: yes", "draft"),
        ("draft: false", ""),
        ("draft:", ""),
        ("removed: true", "removed"),
        ("removed: false", ""),
        ("published: false\nremoved: true\ndraft: true", "removed"),
        ("published: true\ndraft: true", "draft"),
        ("published: 2026-01-02", ""),
    ],
)
def test_status(written: str, status: str) -> None:
    assert record(written).status == status


def test_published_may_be_the_date() -> None:
    assert bare("title: a\npublished: 2026-01-02T03:04:05Z").published.isoformat() == DATE


@pytest.mark.parametrize("written", ["published: flase", "draft: ture", "removed: maybe"])
def test_a_misspelt_flag_is_named(written: str) -> None:
    """Else what was to be held back is published, and nobody is told."""
    assert problem(parse(front(written))).key == written.partition(":")[0]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("date: 2026-01-02", "title"),
        ("title: ''\ndate: 2026-01-02", "title"),
        ("title: <br>\ndate: 2026-01-02", "title"),
        ("title: a", "date"),
        ("title: a\ndate:", "date"),
        ("title: a\ndate: soon", "date"),
        ("title: a\npubDate: [1]", "pubDate"),
        ("title: a\npublished: soon", "published"),
    ],
)
def test_what_a_record_cannot_do_without(text: str, key: str) -> None:
    parsed = parse(f"---\n{text}\n---\n")
    assert (parsed.records, parsed.unusable) == ([], 1)
    assert key in [p.key for p in parsed.problems if p.fatal]
    assert all(p.remedy for p in parsed.problems)


def test_without_title_and_date_both_are_named() -> None:
    assert {p.key for p in parse("---\nurl: /a\n---\n").problems} == {"title", "date"}


def test_a_title_of_space_leaves_the_word_to_the_next_key() -> None:
    assert bare('title: " "\nname: A name\ndate: 2026-01-02').title == "A name"


def test_keys_of_nothing_are_as_good_as_none() -> None:
    keys = (
        "url:\nupdated: ~\nprovider: null\nauthor:\ntopics:\nimage: ''\nimages:\nrelated:\nlength:"
    )
    assert record(keys) == record("\n" * keys.count("\n"))


# --- what the configuration says ---------------------------------------------------


def test_what_a_source_says_holds_for_those_that_say_nothing() -> None:
    source = SourceSpec(
        path="records",
        link="/{year}/{month}/{day}/{slug}/",
        provider="Acme",
        topics=("a", "b"),
        language="pt_BR",
        type="article",
        author=Person("Jane", "jane@example.org"),
    )
    made = record(source=source)
    assert made.link == "https://example.org/2026/01/02/post/"
    assert (made.provider, made.topics) == (Provider("Acme"), ("a", "b"))
    assert (made.language, made.type) == ("pt-BR", "article")
    assert made.authors == (Person("Jane", "jane@example.org"),)
    own = f"link: {URL}\nprovider: Beta\ntopics: c\nlanguage: de\ntype: video\nauthor: Joe"
    made = record(own, source=source)
    assert (made.link, made.provider, made.topics) == (URL, Provider("Beta"), ("c",))
    assert (made.language, made.type, made.authors) == ("de", "video", (Person("Joe"),))


def test_fields_gives_our_keys_other_names() -> None:
    names = rules("fields: {title: headline, provider: meta.source.name, date: when}\n")
    text = "headline: H\nwhen: 2026-01-02T03:04:05Z\nmeta: {source: {name: Acme}}\n"
    made = bare(text, rules=names)
    assert (made.title, made.provider) == ("H", Provider("Acme"))
    assert made.published.isoformat() == DATE


def test_fields_leaves_our_own_keys_to_those_that_have_them() -> None:
    names = rules("fields: {title: headline}\n")
    assert record("", rules=names).title == "A title"
    assert record("headline: H", rules=names).title == "H"
