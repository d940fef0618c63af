"""YAML, JSON and TOML keep the text as it was written."""

from __future__ import annotations

import contextlib
import itertools
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.records.values import MAX_VALUES, Document, ParseError, parse_json, parse_toml

quick = settings(deadline=None, max_examples=150)


def value(text: str) -> Any:
    return Document(text).value()


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01 10:00", "2020-01-01 10:00"),
        ("Yes", "Yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", "true"),
        ("3.10", "3.10"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0777", "0777"),
        ("0x10", "0x10"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("=", "="),
        ("'null'", "null"),
        ('"~"', "~"),
        ('""', ""),
        ("!!int 5", "5"),
        ("!!python/object/apply:os.system x", "x"),
        ("a # a comment", "a"),
        ("C#", "C#"),
        ("|\n    one\n    two", "one\ntwo\n"),
        (">-\n    one\n    two", "one two"),
        ('"caf\\u00e9"', "café"),
    ],
)
def test_a_scalar_is_the_text_that_was_written(written: str, text: str) -> None:
    assert value(f"title: {written}\n") == {"title": text}


@pytest.mark.parametrize("written", ["", "~", "null"])
def test_nothing_is_none(written: str) -> None:
    assert value(f"title: {written}\n") == {"title": None}


def test_lists_keep_their_texts() -> None:
    assert value("topics: [on, 2024, ~, 3.10]") == {"topics": ["on", "2024", None, "3.10"]}
    assert value("- no\n- 1\n") == ["no", "1"]


def test_keys_are_texts() -> None:
    assert value("on: a\n2024: b\n1.0: c\ntrue: d") == {
        "on": "a",
        "2024": "b",
        "1.0": "c",
        "true": "d",
    }


def test_an_empty_document_is_nothing() -> None:
    assert value("") is None
    assert value("# a comment\n") is None


def test_anchors_and_aliases() -> None:
    assert value("a: &x [1, 2]\nb: *x\nc: &y text\nd: *y") == {
        "a": ["1", "2"],
        "b": ["1", "2"],
        "c": "text",
        "d": "text",
    }


def test_merge_keys() -> None:
    text = "base: &b {lang: en, kind: a}\nmore: &m {kind: z, size: '3'}\n"
    assert value(text + "it:\n  kind: own\n  <<: *b")["it"] == {"lang": "en", "kind": "own"}
    assert value(text + "it:\n  <<: [*m, *b]")["it"] == {"lang": "en", "kind": "z", "size": "3"}
    assert value(text + "it:\n  '<<': x")["it"] == {"<<": "x"}


def test_the_last_of_a_key_twice_is_taken_and_both_are_named() -> None:
    document = Document("title: a\ndate: x\ntitle: b\n")
    assert document.value() == {"title": "b", "date": "x"}
    assert [(d.key, d.line, d.first_line) for d in document.duplicates] == [("title", 3, 1)]


def test_a_duplicate_behind_an_anchor_is_named_once() -> None:
    document = Document("a: &x {k: 1, k: 2}\nb: *x\nc: *x\n")
    document.value()
    assert [duplicate.key for duplicate in document.duplicates] == ["k"]


def test_a_merged_key_is_no_duplicate() -> None:
    document = Document("base: &b {k: 1}\nit:\n  <<: *b\n  k: 2\n")
    assert document.value()["it"] == {"k": "2"}
    assert document.duplicates == []


def test_lines_are_found() -> None:
    document = Document("title: a\nprovider:\n  name: b\n  images:\n    - url: c\n    - url: d\n")
    assert document.line_of(("title",)) == 1
    assert document.line_of(("provider", "name")) == 3
    assert document.line_of(("provider", "images", 1, "url")) == 6
    assert document.line_of(("provider", "images", 9)) == 4
    assert document.line_of(("nothing",)) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("title: a\n\tb: c", 2),
        ("title: a: b", 1),
        ("a: b\ntitle: 'it's'", 2),
        ("a: b\ntitle: *important*", 2),
        ("a: b\ntitle: @home", 2),
        ("a: b\ntitle: %d", 2),
        ("a: [1, 2\nb: c", 2),
        ('a: "\\d"', 1),
        ("a: 1\n---\nb: 2", 2),
        ("a: b\n[x]: c", 2),
    ],
)
def test_faults_name_their_line_and_a_remedy(text: str, line: int) -> None:
    with pytest.raises(ParseError) as caught:
        value(text)
    assert caught.value.line == line
    assert caught.value.what
    assert caught.value.remedy


_laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in itertools.pairwise("abcdefgh")
)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "&a {k: *a}",
        "[" * 5000,
        "a: " + "{b: " * 200,
        "- " * 3000,
        _laughs,
        "a: &a {x: 1}\nb: [" + "*a, " * (MAX_VALUES // 2) + "]",
        'a: "\\U00110000"',
        'a: "\ud800"',
        "a: \x01",
    ],
    ids=range(10),
)
def test_documents_out_of_measure_are_refused(text: str) -> None:
    with pytest.raises(ParseError):
        value(text)


# libyaml and PyYAML's own parser break lines differently at NEL and at LS and PS.
_plain = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"), max_size=12
)
_traps = st.sampled_from(
    "Yes no ON off true null ~ 3.10 1:30 0o17 2020-01-01 << = .nan - ? : [] {} # &a *a %".split()
)
_texts = _plain | _traps | st.just("")
_structures = st.dictionaries(
    _texts,
    st.recursive(
        _texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


@quick
@given(_structures, st.booleans(), st.booleans())
def test_what_yaml_writes_is_read_as_texts(data: Any, block: bool, unicode: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=not block, allow_unicode=unicode)
    assert value(text) == yaml.BaseLoader(text).get_single_data() == data


_WORDS = (
    "a word|it's|C#|a:b|http://a/b#c|x  y|-|- a|a: b|a #b|#|[a]|{|&a|*|!t|%|@|`|,|é ü|日本|😀|"
    "\u00a0|~|null|Null|yes|No|true|0x1F|010|1_000|3.10|1e3|+5|1:30|.inf|2020-01-01|"
    "2001-12-14 21:59:43.10 -5|\\|\"|''"
).split("|")
# No two mean the same. None has one letter: PyYAML 6.0.4 tells merged keys apart by the identity of
# their texts, which such ones share, and then lets a merged key win over a mapping's own.
_KEYS = "aa bb title a-b on 2024 3.10 2020-01-01 éé".split()
_styles = {
    "plain": st.sampled_from(["word", "two words", *"it's C# a:b http://a/b#c é -1 ~".split()])
    | st.sampled_from([word for word in _WORDS if word[0].isalnum() and ": " not in word]),
    "single": st.sampled_from(_WORDS).map(lambda word: "'" + word.replace("'", "''") + "'"),
    "double": st.sampled_from(_WORDS).map(lambda word: json.dumps(word, ensure_ascii=False)),
    "escaped": st.sampled_from([r'"\x41\u00e9\t\U0001F600\_\N\e"', r'"a\\b\"c\/"', '""', "''"]),
    "tagged": st.sampled_from(["!!str 5", "!!str yes", "! 3.10"]),
    "nothing": st.sampled_from(["", "~", "null"]),
}
_flow_words = st.sampled_from(
    ["a", "two words", "3.10", "yes", "~", "'a, b'", '"]"', "''", "2020-01-01"]
)


class _Writer:
    """Writes a random document; mappings that have an anchor may be merged, anything aliased."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.count = 0
        self.anchors: list[str] = []
        self.mappings: list[str] = []

    def document(self) -> str:
        start = self.draw(st.sampled_from(["", "---\n", "# a comment\n\n", "%YAML 1.1\n---\n"]))
        end = self.draw(st.sampled_from(["", "\n", "...\n"]))
        return start + self.mapping("", 0) + end

    def mapping(self, indent: str, depth: int) -> str:
        keys = self.draw(st.lists(st.sampled_from(_KEYS), min_size=1, max_size=4, unique=True))
        known = list(self.mappings)
        lines = [f"{indent}{key}:{self.value(indent, depth)}" for key in keys]
        if known and self.draw(st.booleans()):
            # One alone: of several, YAML and PyYAML before 6.0.4 let the earlier win (see
            # test_merge_keys), and 6.0.4 the later.
            merged = f"*{self.draw(st.sampled_from(known))}"
            if self.draw(st.booleans()):
                merged = f"[{merged}]"
            lines.insert(self.draw(st.integers(0, len(lines))), f"{indent}<<: {merged}\n")
        return "".join(lines)

    def value(self, indent: str, depth: int) -> str:
        """What is behind a colon or a dash, to the end of its last line."""
        kinds = ["scalar", "lines", "flow"] + ["mapping", "list"] * (depth < 3)
        if self.anchors:
            kinds.append("alias")
        kind = self.draw(st.sampled_from(kinds))
        if kind == "alias":
            return f" *{self.draw(st.sampled_from(self.anchors))}\n"
        anchor = ""
        if self.draw(st.integers(0, 3)) == 0:
            self.count += 1
            name = f"n{self.count}"
            anchor = f" &{name}"
        written = getattr(self, f"_{kind}")(indent, depth)
        if anchor:  # known from here on
            self.anchors.append(name)
            if kind == "mapping":
                self.mappings.append(name)
        return anchor + written

    def _scalar(self, indent: str, depth: int) -> str:
        styles = st.sampled_from(sorted(_styles)).flatmap(lambda style: _styles[style])
        comment = self.draw(st.sampled_from(["", "", " # a comment", "\n\n  # another"]))
        return f" {self.draw(styles)}{comment}\n"

    def _lines(self, indent: str, depth: int) -> str:
        head = self.draw(st.sampled_from(["|", "|-", "|+", ">", ">-", ">+", "|2", "", "'", '"']))
        words = st.sampled_from(["a", "it is", "# no comment", "é", "", "  more"])
        if head in {"", "'", '"'}:
            words = st.sampled_from(["a", "it is", "é", "3.10", ""])
        lines = [self.draw(words) for _ in range(self.draw(st.integers(1, 3)))]
        block = "\n".join(f"{indent}  {line}".rstrip(" ") for line in ["first", *lines])
        if head in {"'", '"'}:
            return f" {head}{block.lstrip(' ')}{head}\n"
        return f" {head}\n{block}\n"

    def _flow(self, indent: str, depth: int) -> str:
        items = self.draw(st.lists(_flow_words, max_size=3))
        keys = self.draw(st.lists(st.sampled_from(_KEYS), unique=True, max_size=3))
        pairs = [f"{key}: {self.draw(_flow_words)}" for key in keys]
        line_end = f"\n{indent}  " if self.draw(st.booleans()) else ""
        if self.draw(st.booleans()):
            return f" {{{f', {line_end}'.join(pairs)}}}\n"
        nested = [f"{{{', '.join(pairs)}}}"] if pairs else []
        return f" [{f', {line_end}'.join([*items, *nested])}]\n"

    def _mapping(self, indent: str, depth: int) -> str:
        return "\n" + self.mapping(indent + self.draw(st.sampled_from(["  ", " "])), depth + 1)

    def _list(self, indent: str, depth: int) -> str:
        indent += self.draw(st.sampled_from(["  ", "" if depth == 0 else " "]))
        count = self.draw(st.integers(1, 3))
        return "\n" + "".join(f"{indent}-{self.value(indent, depth + 1)}" for _ in range(count))


documents = st.composite(lambda draw: _Writer(draw).document())()


def _means(text: str | None) -> Any:
    """What a full load makes of a plain scalar: PyYAML's own resolver and constructor."""
    loader = yaml.SafeLoader("")
    tag = loader.resolve(yaml.ScalarNode, text or "", (True, False))
    return loader.construct_object(yaml.ScalarNode(tag, text or ""))


def _assert_meaning(ours: Any, full: Any) -> None:
    """`ours` is `full` before its types were guessed; a text that had quotes was not guessed at."""
    if isinstance(ours, dict):
        assert isinstance(full, dict)
        left = dict(full)
        for key, value in ours.items():
            _assert_meaning(value, left.pop(_means(key)))
        assert not left
    elif isinstance(ours, list):
        assert isinstance(full, list)
        assert len(ours) == len(full)
        for one, other in zip(ours, full, strict=True):
            _assert_meaning(one, other)
    else:
        assert full == ours if isinstance(full, str) else repr(full) == repr(_means(ours))


@settings(deadline=None, max_examples=300)
@given(documents)
def test_a_full_load_gives_the_same_with_types_guessed(text: str) -> None:
    ours = value(text)
    _assert_meaning(ours, yaml.load(text, yaml.CSafeLoader))
    _assert_meaning(ours, yaml.load(text, yaml.SafeLoader))


_PARTS = "a b : [ ] { } , &x *x << ' \" | > ? ! !t !!str # % @ --- ... \\ \\x".split()
_yaml_like = st.lists(
    st.sampled_from([*_PARTS, ": ", "- ", " ", "\n", "\n  ", "\t"]), max_size=25
).map("".join)


@settings(deadline=None, max_examples=300)
@given(st.text() | _yaml_like)
def test_any_text_is_read_or_is_a_parse_error(text: str) -> None:
    with contextlib.suppress(ParseError):
        document = Document(text)
        document.value()
        assert document.line_of(("a", 0, "b")) >= 1


def test_json_numbers_keep_their_text() -> None:
    text = '{"a": 3.10, "b": 12345678901234567890123, "c": [1e400, true, null, "x"], "d": NaN}'
    assert parse_json(text)[0] == {
        "a": "3.10",
        "b": "12345678901234567890123",
        "c": ["1e400", True, None, "x"],
        "d": "NaN",
    }


def test_json_names_keys_that_are_there_twice() -> None:
    found, duplicates = parse_json('{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}')
    assert found == {"a": "3", "b": {"c": "2"}}
    assert sorted(duplicates) == ["a", "c"]


@pytest.mark.parametrize("text", ["", "{", '{"a": 1,}', "[" * 100_000, "{'a': 1}", "nul"])
def test_broken_json_is_a_parse_error(text: str) -> None:
    with pytest.raises(ParseError):
        parse_json(text)


def test_json_faults_name_their_line() -> None:
    with pytest.raises(ParseError) as caught:
        parse_json('{"a": 1,\n "b" 2}')
    assert caught.value.line == 2


def test_toml_keeps_its_texts() -> None:
    text = """
        title = "A & B"
        date = 2026-01-31T09:30:00+01:00
        day = 2026-01-31
        weight = 10
        quality = 3.10
        draft = false
        tags = ["a", "2024"]
        [params]
        x = 1
    """
    assert parse_toml(text) == {
        "title": "A & B",
        "date": "2026-01-31T09:30:00+01:00",
        "day": "2026-01-31",
        "weight": "10",
        "quality": "3.10",
        "draft": False,
        "tags": ["a", "2024"],
        "params": {"x": "1"},
    }


@quick
@given(st.text() | st.text("=\"[]{}.'\n#ab1 ,-:T", max_size=30))
def test_any_text_is_toml_or_a_parse_error(text: str) -> None:
    with contextlib.suppress(ParseError):
        assert isinstance(parse_toml(text), dict)
