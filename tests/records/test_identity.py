"""The URLs of a record and its id, which must not change with what may change."""

from __future__ import annotations

import pytest

from feedpub.config import SourceSpec

from .helpers import bare, front, only, parse, problem, record, rules

URL = "https://example.org/a"


@pytest.mark.parametrize("key", ["webUrl", "url", "link", "permalink"])
def test_link(key: str) -> None:
    made = record(f"{key}: {URL}")
    assert (made.link, made.external_url) == (URL, "")


def test_an_original_address_is_the_link_of_what_has_no_other() -> None:
    made = record(f"originalUrl: {URL}")
    assert (made.link, made.external_url) == (URL, "")


def test_an_original_address_is_the_external_one_where_they_differ() -> None:
    made = record(f"webUrl: https://example.org/b\noriginalUrl: {URL}")
    assert (made.link, made.external_url) == ("https://example.org/b", URL)
    made = record(f"webUrl: {URL}\noriginalUrl: {URL}")
    assert (made.link, made.external_url) == (URL, "")


def test_a_link_is_below_the_sites_home() -> None:
    assert record("link: /a").link == URL
    assert record("permalink: a/").link == "https://example.org/a/"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "www.example.org", "[a]", "{a: b}"])
def test_a_link_that_is_no_address_is_named_and_left_out(link: str) -> None:
    parsed = parse(front(f"link: {link}"))
    assert parsed.records[0].link == ""
    assert (problem(parsed).key, problem(parsed).line, problem(parsed).fatal) == ("link", 4, False)


def test_jekylls_permalink_pattern_gives_the_link_and_never_the_id() -> None:
    made = record("permalink: /:categories/:year/:title/\ncategories: [Dev Ops, x]")
    assert made.link == "https://example.org/dev-ops/x/2026/post/"
    assert made.id_from == "date and path"
    parsed = parse(front("permalink: /:collection/:title/"))
    assert problem(parsed).key == "permalink"
    assert only(parsed).link == ""


@pytest.mark.parametrize("key", ["id", "guid"])
@pytest.mark.parametrize("written", ["urn:x:1", "https://example.org/?p=1", "tag:a.example,2020:b"])
def test_an_id_of_its_own_is_taken_as_it_is(key: str, written: str) -> None:
    made = record(f"{key}: {written}\nurl: {URL}\noriginalUrl: {URL}")
    assert (made.id, made.id_from) == (written, "id")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("5", "5"), ("a b/c", "a%20b%2Fc"), ("2020-01-01", "2020-01-01"),
        ("日本", "%E6%97%A5%E6%9C%AC"), ("3F2504E0-4F89-11D3-9A0C", "3F2504E0-4F89-11D3-9A0C"),
    ],
)  # fmt: skip
def test_one_that_others_could_have_as_well_is_below_the_sites(written: str, expected: str) -> None:
    made = record(f"id: {written}\nurl: {URL}")
    assert (made.id, made.id_from) == (f"tag:example.org,2026:feeds/{expected}", "id below site.id")


def test_an_id_with_other_letters_is_in_ascii() -> None:
    assert record("id: 'urn:x:ü%20'").id == "urn:x:%C3%BC%20"


def test_else_the_original_address_else_the_link_is_the_id() -> None:
    made = record(f"webUrl: {URL}\noriginalUrl: {URL}/original")
    assert (made.id, made.id_from) == (f"{URL}/original", "originalUrl")
    made = record(f"webUrl: {URL}")
    assert (made.id, made.id_from) == (URL, "webUrl")


def test_else_the_id_is_made_of_date_and_path() -> None:
    made = record(path="records/deep/a b.md", below="deep/a b.md")
    assert made.id == "tag:example.org,2026:feeds/2026-01-02/deep/a%20b.md"


def test_an_id_does_not_change_with_what_may_change() -> None:
    """The site's home, zone and patterns, the title, the order of keys, where the source is."""
    changed = rules(home="https://new.example/", zone="Pacific/Auckland")
    pattern = SourceSpec(path="x", link="/{year}/{slug}/")
    for keys in ("", "link: /a", "link: a/b"):
        ids = {
            record(keys).id,
            record(keys, rules=changed).id,
            record(keys, source=pattern).id,
            record(f"{keys}\nsummary: new", "new body").id,
            record(keys, path="moved/post.md", below="post.md").id,
        }
        assert len(ids) == 1, ids


def test_an_id_of_a_bare_date_does_not_change_with_the_sites_zone() -> None:
    ids = {
        bare("title: a\ndate: 2026-01-02", rules=rules(zone=zone)).id
        for zone in ("Pacific/Auckland", "UTC", "America/Adak")
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("pattern", "link"),
    [
        ("/{year}/{month}/{day}/{slug}/", "https://example.org/2026/01/02/a-post/"),
        ("blog/{slug}.html", "https://example.org/blog/a-post.html"),
        ("/{path}/", "https://example.org/deep/a-post/"),
    ],
)
def test_link_patterns(pattern: str, link: str) -> None:
    place = {"path": "records/deep/a post.md", "below": "deep/a post.md"}
    assert record(source=SourceSpec(path="records", link=pattern), **place).link == link


def test_a_slug_of_its_own_fills_the_pattern() -> None:
    source = SourceSpec(path="records", link="/{slug}/")
    assert record("slug: other", source=source).link == "https://example.org/other/"


def test_a_pattern_is_below_the_home_even_where_that_is_a_folder() -> None:
    source = SourceSpec(path="records", link="/{slug}/")
    made = record(source=source, rules=rules(home="https://example.org/blog/"))
    assert made.link == "https://example.org/blog/post/"


def test_a_slug_does_not_lead_out_of_its_place() -> None:
    source = SourceSpec(path="records", link="/blog/{slug}/")
    link = record("slug: ../../admin", source=source).link
    assert link.startswith("https://example.org/blog/")
    assert ".." not in link.split("/")
