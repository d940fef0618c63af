"""From the bytes of a file to its records, in every shape that files come in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.config import SourceSpec

from .helpers import front, no_endless_time, only, parse, problem, record

POST = front("topics: [a]", "The body.\n")
ITEM = {"title": "A title", "date": "2026-01-02"}


@pytest.mark.parametrize("suffix", ["md", "markdown", "html", "htm", "MD"])
def test_front_matter_and_a_body(suffix: str) -> None:
    found = only(parse(POST, f"records/a.{suffix}"))
    assert (found.title, found.body.strip(), found.topics) == ("A title", "The body.", ("a",))


@pytest.mark.parametrize(
    "data",
    [
        POST.encode(),
        b"\xef\xbb\xbf" + POST.encode(),
        POST.replace("\n", "\r\n").encode(),
        POST.replace("\n", "\r").encode(),
        POST.replace("---\n", "---  \n").encode(),
        POST.replace("\n---\n", "\n...\n").encode(),
        POST.replace("\n---\n", "\n---\n\n\n").encode(),
    ],
    ids=["plain", "BOM", "CRLF", "CR", "spaces", "dots", "empty lines"],
)
def test_files_are_the_same_whatever_wrote_them(data: bytes) -> None:
    found = only(parse(data))
    assert (found.title, found.body.strip()) == ("A title", "The body.")


@pytest.mark.parametrize("fence", ["---", "..."])
def test_the_first_closing_line_ends_the_front_matter(fence: str) -> None:
    text = f"---\ntitle: a\ndate: 2026-01-02\n{fence}\nOne.\n\n---\n\nTwo.\n...\n"
    assert only(parse(text)).body == "One.\n\n---\n\nTwo.\n...\n"


def test_a_body_may_be_missing_and_the_last_line_unended() -> None:
    assert only(parse("---\ntitle: a\ndate: 2026-01-02\n---")).body == ""


def test_dashes_in_values_do_not_close_the_front_matter() -> None:
    text = "---\ntitle: a --- b\nexcerpt: |\n  ---\n  c\ndate: 2026-01-02\n---\n"
    assert only(parse(text)).summary == "--- c"


def test_toml_front_matter() -> None:
    text = '+++\ntitle = "A & B"\ndate = 2026-01-02T03:04:05+01:00\ntags = ["x"]\n+++\nBody.\n'
    found = only(parse(text))
    assert (found.title, found.topics, found.body) == ("A & B", ("x",), "Body.\n")
    assert found.published.isoformat() == "2026-01-02T02:04:05+00:00"


def test_a_toml_draft_is_a_draft() -> None:
    text = '+++\ntitle = "a"\ndate = 2026-01-02\ndraft = true\n+++\n'
    assert only(parse(text)).status == "draft"


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json"])
def test_a_whole_file_can_be_one_record(suffix: str) -> None:
    assert only(parse(json.dumps(ITEM), f"records/a.{suffix}")).title == "A title"


def test_yaml_with_document_marks() -> None:
    assert only(parse("---\ntitle: a\ndate: 2026-01-02\n", "records/a.yaml")).title == "a"
    assert only(parse("---\ntitle: a\ndate: 2026-01-02\n...\n", "records/a.yaml")).title == "a"


@pytest.mark.parametrize("suffix", ["yaml", "json"])
@pytest.mark.parametrize(
    "around", [lambda items: items, lambda items: {"status": "ok", "n": 2, "news": items}]
)
def test_a_file_can_hold_a_list(suffix: str, around: Callable[[list[Any]], Any]) -> None:
    text = json.dumps(around([ITEM, ITEM | {"title": "B"}]), indent=1)
    parsed = parse(text, f"records/list.{suffix}")
    assert [(r.title, r.path) for r in parsed.records] == [
        ("A title", f"records/list.{suffix}#1"),
        ("B", f"records/list.{suffix}#2"),
    ]


@pytest.mark.parametrize("text", ["[]", '{"news": []}'])
def test_a_list_can_be_empty(text: str) -> None:
    parsed = parse(text, "records/list.json")
    assert (parsed.read, parsed.problems) == (0, [])


@pytest.mark.parametrize(
    "around",
    [{"errors": [], "news": [ITEM]}, {"tags": ["a"], "news": [ITEM]}, {"news": ["a text", ITEM]}],
)
def test_the_list_that_holds_records_is_the_one(around: dict[str, Any]) -> None:
    """News APIs put other lists beside it, which are most often empty."""
    parsed = parse(json.dumps(around), "records/list.json")
    assert [made.title for made in parsed.records] == ["A title"]
    assert parsed.unusable == around["news"].count("a text")


def test_two_lists_in_a_file_are_a_problem() -> None:
    found = problem(parse(json.dumps({"a": [ITEM], "b": [ITEM]}), "records/list.json"))
    assert "a, b" in found.what


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson"])
def test_json_lines(suffix: str) -> None:
    lines = [json.dumps(ITEM), "", "{broken", json.dumps(ITEM | {"title": "B"})]
    parsed = parse("\n".join(lines), f"records/a.{suffix}")
    assert [r.title for r in parsed.records] == ["A title", "B"]
    assert parsed.unusable == 1
    assert problem(parsed).line == 3


def test_a_bad_one_in_a_list_does_not_stop_the_others() -> None:
    parsed = parse(json.dumps([ITEM, "text", None, [], {"title": "no date"}, ITEM]), "a/l.json")
    assert [r.path for r in parsed.records] == ["a/l.json#1", "a/l.json#6"]
    assert [p.record for p in parsed.problems] == [f"a/l.json#{n}" for n in (2, 3, 4, 5)]
    assert (parsed.unusable, parsed.read) == (4, 6)


@pytest.mark.parametrize(
    ("path", "below", "published", "slug"),
    [
        ("site/_posts/2026-01-02-a-post.md", "2026-01-02-a-post.md", "2026-01-01T23:00", "a-post"),
        ("site/_posts/2026-1-2-a.b.md", "2026-1-2-a.b.md", "2026-01-01T23:00", "a.b"),
    ],
)
def test_jekyll_has_date_and_slug_in_the_name(
    path: str, below: str, published: str, slug: str
) -> None:
    source = SourceSpec(path="_posts", link="/{year}/{month}/{day}/{slug}/")
    found = only(parse("---\ntitle: a\n---\n", path, below, source=source))
    assert found.published.isoformat().startswith(published)
    assert found.link == f"https://example.org/2026/01/02/{slug}/"


def test_a_date_of_its_own_goes_before_that_of_the_name() -> None:
    text = "---\ntitle: a\ndate: 2026-02-03\n---\n"
    assert only(parse(text, "site/_posts/2026-01-02-a.md")).published.month == 2


def test_a_date_in_a_name_that_is_none_is_no_date() -> None:
    assert problem(parse("---\ntitle: a\n---\n", "site/_posts/2026-13-02-a.md")).key == "date"


def test_jekyll_splits_a_text_of_tags_at_spaces() -> None:
    text = "---\ntitle: a\ntags: one two\ncategories: three four\n---\n"
    found = only(parse(text, "site/_posts/2026-01-02-a.md"))
    assert found.topics == ("one", "two", "three", "four")


def test_a_hugo_bundle_is_called_what_its_folder_is() -> None:
    source = SourceSpec(path="content", link="/{path}/x/{slug}/")
    found = only(
        parse(POST, "content/posts/a-post/index.md", "posts/a-post/index.md", source=source)
    )
    assert found.link == "https://example.org/posts/a-post/x/a-post/"


def test_hugos_section_pages_are_no_records() -> None:
    parsed = parse("---\ntitle: All posts\n---\n", "content/posts/_index.md")
    assert (parsed.skipped, parsed.read, parsed.problems) == (
        [("content/posts/_index.md", "section page")],
        0,
        [],
    )


def test_taxonomy_files_among_the_records_are_told_apart() -> None:
    parsed = parse("taxonomy: topic\nname: A\n", "records/a.yaml")
    assert parsed.skipped == [("records/a.yaml", "taxonomy file")]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"just text", "no front matter"),
        (b"---\ntitle: a\n", "not closed"),
        (b"---\n- a\n- b\n---\n", "a list"),
        (b"---\ntext\n---\n", "a text"),
        (b"---\n---\n", "nothing"),
        (b"---\ntitle: [a\n---\n", "YAML"),
        (b"+++\ntitle = \n+++\n", "TOML"),
        (b"---\ntitle: caf\xe9\n---\n", "UTF-8"),
        ("---\ntitle: a\n---\n".encode("utf-16"), "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "binary"),
        (b"---\ntitle: a\n---\n\0", "binary"),
    ],
)
def test_what_cannot_be_read_is_named_and_counted(data: bytes, what: str) -> None:
    parsed = parse(data)
    assert what in problem(parsed).what
    assert problem(parsed).remedy
    assert (parsed.records, parsed.unusable, parsed.read) == ([], 1, 1)


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("---\ntitle: a\ndate: soon\n---\n", "a.md", 3),
        ("---\ntitle: a\nexcerpt: b: c\n---\n", "a.md", 3),
        ("title: a\ndate: soon\n", "a.yaml", 2),
        ("- title: a\n  date: soon\n", "a.yaml", 2),
        ('[\n {"title": "a",\n  "date": "soon"}\n]', "a.json", 3),
        ('{"news": [\n\t{"title": "a",\n\t"date": "soon"}]}', "a.json", 3),
        ('[\n {"title": "\\ud83d\\ude00",\n  "date": "soon"}\n]', "a.json", 3),
        ('[\n {"title": "a", "date": "2026-01-01",\n  "url": "/a\\uD83D"}\n]', "a.json", 3),
        ('{"title": "a",\n "date" "soon"}', "a.json", 2),
        ('{"title": "a", "date": "2026-01-02"}\n{"title": "b", "date": "soon"}', "a.jsonl", 2),
        (b"---\ntitle: a\nx: \xff\n---\n", "a.md", 3),
    ],
)
def test_problems_name_their_line(text: str | bytes, path: str, line: int) -> None:
    assert problem(parse(text, f"records/{path}")).line == line


def test_a_key_that_is_there_twice_is_named_and_the_last_taken() -> None:
    parsed = parse("---\ntitle: a\ndate: 2026-01-02\ntitle: b\n---\n")
    assert parsed.records[0].title == "b"
    assert (problem(parsed).key, problem(parsed).line, problem(parsed).fatal) == ("title", 4, False)


def test_control_characters_are_named_and_taken_out() -> None:
    parsed = parse(front("excerpt: b", "a\x08b\n"))
    assert parsed.records[0].body == "ab\n"
    assert "U+0008" in problem(parsed).what
    assert (problem(parsed).line, problem(parsed).fatal) == (6, False)


def test_a_list_that_grows_at_its_head_keeps_its_ids() -> None:
    old = [{"title": t, "date": f"2026-01-0{n}"} for n, t in enumerate("abc", start=1)]
    new = [{"title": "new", "date": "2026-01-09"}, *old]
    for path in ("records/l.json", "records/l.jsonl"):
        dump = json.dumps if path.endswith("json") else _lines
        before = {r.title: r.id for r in parse(dump(old), path).records}
        after = {r.title: r.id for r in parse(dump(new), path).records}
        assert before.items() < after.items()
        assert len(set(after.values())) == 4


def test_a_list_gives_the_same_ids_as_the_same_list_in_an_object() -> None:
    plain = parse(json.dumps([ITEM]), "records/l.json").records
    held = parse(json.dumps({"news": [ITEM]}), "records/l.json").records
    assert [r.id for r in plain] == [r.id for r in held]


def _lines(items: list[dict[str, str]]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


_PARTS = r"""--- +++ ... title: date: 2026-01-02 url: /a https://example.org/ topics: [a] { } [ ] ,
 : - | " ' & &a *a << ! null true published: provider: images: related: authors: id: tags: length: 5
 \ \ud800 \u0000 \e <b> <script> # ="""
_files = st.lists(
    st.sampled_from([*_PARTS.split(), " ", " ", "\n", "\n", "\n  ", "\r\n", "\t"]), max_size=40
).map("".join)
_json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.just("2026-01-02"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "title date url id provider name images authors topics related enclosures length"
                " published draft actions type width secured image language quality news".split()
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=15,
)
_data = (
    st.binary(max_size=60)
    | _files.map(str.encode)
    | _files.map(lambda keys: front(keys).encode())
    | _json_values.map(lambda value: json.dumps(value).encode())
    | _json_values.map(lambda value: json.dumps([value, {"title": "a"}], indent=1).encode())
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@settings(deadline=None, max_examples=400)
@given(_data, st.sampled_from(["md", "html", "yaml", "json", "jsonl"]))
def test_any_file_is_accounted_for(data: bytes, suffix: str) -> None:
    """Never an exception; every record is read, skipped or a problem; all can be printed."""
    parsed = parse(data, f"records/a.{suffix}")
    assert parsed.read == len(parsed.records) + len(parsed.skipped) + parsed.unusable
    fatal = {found.record or found.path for found in parsed.problems if found.fatal}
    assert len(fatal) == parsed.unusable
    for found in parsed.problems:
        assert str(found).encode().decode().isprintable()
        assert found.line >= 0
    for made in parsed.records:
        assert made.title
        assert made.id
        for text in (made.title, made.id, made.summary, made.link, made.external_url, *made.topics):
            assert not _NOT_XML.search(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"\\ud800": 1, "\\ud800": 2, "title": "a", "date": "2026-01-02"}', "records/a.json"),
        ('{"\\ud800": [{}], "b": [{}]}', "records/a.json"),
        ('"\\e[31m": 1\n"\\e[31m": 2\ntitle: a\ndate: 2026-01-02', "records/a.yaml"),
        ('---\ntitle: a\ndate: "\\e[31mred"\n---\n', "records/a.md"),
    ],
)
def test_what_a_problem_says_can_be_printed_on_any_terminal(text: str, path: str) -> None:
    said = str(problem(parse(text, path)))
    assert said.encode().decode().isprintable()


def test_a_large_list_is_read_in_reasonable_time() -> None:
    items = [ITEM | {"title": f"n{n}", "url": f"https://example.org/{n}"} for n in range(5000)]
    with no_endless_time():
        assert len(parse(json.dumps(items, indent=1), "records/l.json").records) == 5000


def test_secrets_do_not_leave_the_record() -> None:
    made = record("secured: c2VjcmV0\npassword: c2VjcmV0\nother: {deep: [c2VjcmV0]}")
    assert "c2VjcmV0" not in repr(made)


def test_json_front_matter_is_hugos_third() -> None:
    made = only(parse('{"title": "A", "date": "2026-01-02", "tags": ["b"]}\n\nText.'))
    assert (made.title, made.topics, made.body.strip()) == ("A", ("b",), "Text.")


@pytest.mark.parametrize(
    ("toml", "line"), [('title = "A"\ndate = "nope"', 3), ('title = "A"\ndate = = 1', 3)]
)
def test_a_problem_in_toml_has_its_line(toml: str, line: int) -> None:
    assert problem(parse(f"+++\n{toml}\n+++\n")).line == line
