"""YAML, JSON and TOML → plain values, with scalars as the text that was written.

YAML 1.1 guesses types (`Yes`, `3.10`, `2020-01-01`, `1:30`), but the keys of a record
determine the types of its values. So PyYAML's C parser composes nodes without resolving
tags, and every scalar becomes its text.

A value is None, a str, a bool (JSON and TOML only), a list, or a dict with string keys.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import yaml

from feedpub.errors import FeedpubError
from feedpub.yaml_errors import explain

# With aliases, a few lines can stand for 10^9 values ("billion laughs"). No real record
# reaches these limits.
MAX_VALUES = 50_000
MAX_DEPTH = 40

_MERGE = "<<"
# A TOML key of more than MAX_DEPTH parts. Possessive, so that it costs the same anywhere.
_SPACE = r"[ \t]{0,8}+"
_KEY_PART = r"""(?:[\w-]{1,64}+|"[^"\n]{0,64}+"|'[^'\n]{0,64}+')"""
_DEEP_KEY = re.compile(rf"(?:{_KEY_PART}{_SPACE}\.{_SPACE}){{{MAX_DEPTH}}}")
_NULLS = frozenset({"", "~", "null"})
# The parser only, since nothing is constructed; PyYAML may lack libyaml.
_PARSER: type[Any] = getattr(getattr(yaml, "cyaml", None), "CParser", yaml.SafeLoader)


class ParseError(FeedpubError):
    """A text has a syntax error. `line` is 1-based, 0 if unknown."""

    def __init__(self, what: str, remedy: str, line: int = 0) -> None:
        self.what, self.remedy, self.line = what, remedy, line
        super().__init__(what)


class _Composer(_PARSER):  # type: ignore[misc]  # chosen at run time
    """The parser and composer of PyYAML, without its guessing of types."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> None:
        return None

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        return None

    def ascend_resolver(self) -> None:
        return None


@dataclass(slots=True, eq=False, repr=False)
class DuplicateKey:
    """A key that a mapping has twice. The last value counts."""

    key: str
    line: int
    first_line: int


class Document:
    """A YAML document, from which values and line numbers are computed on demand."""

    def __init__(self, text: str) -> None:
        """Parses the text. Raises `ParseError`."""
        self.duplicates: list[DuplicateKey] = []
        self._count = 0
        self._pairs: dict[int, dict[Any, Any]] = {}  # by the id of a mapping: key → its nodes
        try:
            loader = _Composer(text)
            try:
                self.root = loader.get_single_node()
            finally:
                loader.dispose()
        except yaml.YAMLError as error:
            what, remedy, line = explain(error, text)
            raise ParseError(f"the YAML cannot be read ({what})", remedy, line) from None
        except RecursionError:
            raise ParseError("the YAML is nested too deeply", "reduce the nesting") from None
        except ValueError:
            raise ParseError("the YAML has an invalid \\u escape", "remove that escape") from None

    def value(self) -> Any:
        """The document as plain values. Raises `ParseError` if it is too large."""
        return None if self.root is None else self._build(self.root, 0)

    def line_of(self, keys: tuple[str | int, ...]) -> int:
        """The 1-based line of the value at these keys, or of the nearest value that contains it."""
        node, line = self.root, 1
        for key in keys:
            if isinstance(node, yaml.MappingNode):
                pair = self._pairs_of(node).get(key)
                if pair is None:
                    break
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
                if key >= len(node.value):
                    break
                node = node.value[key]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def _pairs_of(self, node: yaml.MappingNode) -> dict[Any, Any]:
        """The pairs of a mapping by key, the last one of each."""
        if id(node) not in self._pairs:
            self._pairs[id(node)] = {
                pair[0].value: pair for pair in node.value if isinstance(pair[0].value, str)
            }
        return self._pairs[id(node)]

    def _build(self, node: yaml.Node, depth: int) -> Any:
        self._spend(1, depth, node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth + 1)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, depth + 1)
        return _scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _spend(self, count: int, depth: int, node: yaml.Node) -> None:
        self._count += count
        if self._count > MAX_VALUES or depth > MAX_DEPTH:
            raise ParseError(
                "the YAML expands to too many values (aliases of aliases?)",
                "write the values out, without anchors",
                node.start_mark.line + 1,
            )

    def _sequence(self, node: yaml.SequenceNode, depth: int) -> list[Any]:
        self._spend(len(node.value), depth, node)
        return [
            _scalar(child) if isinstance(child, yaml.ScalarNode) else self._build(child, depth)
            for child in node.value
        ]

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        self._spend(len(node.value), depth, node)
        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        repeated: dict[str, None] = {}
        for name_node, child in node.value:
            name = name_node.value
            if not isinstance(name, str):
                raise ParseError(
                    "a key is a list or a mapping", "write a word", name_node.start_mark.line + 1
                )
            if name == _MERGE and not name_node.style:
                # YAML 1.1 merge: keys of the mapping itself have priority, then earlier mappings.
                found = self._build(child, depth)
                for part in reversed(found if isinstance(found, list) else [found]):
                    merged |= part if isinstance(part, dict) else {}
                continue
            if name in values:
                repeated[name] = None
            values[name] = (
                _scalar(child) if isinstance(child, yaml.ScalarNode) else self._build(child, depth)
            )
        if repeated:
            self._note_duplicates(node, repeated)
        return merged | values if merged else values

    def _note_duplicates(self, node: yaml.MappingNode, names: Iterable[str]) -> None:
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        for key, _ in node.value:
            last[key.value] = key.start_mark.line + 1
            first.setdefault(key.value, last[key.value])
        noted = {twice.line for twice in self.duplicates}  # by another alias of the mapping
        for name in names:
            if last[name] not in noted:
                noted.add(last[name])
                self.duplicates.append(DuplicateKey(name, last[name], first[name]))


def _scalar(node: yaml.ScalarNode) -> str | None:
    text: str = node.value
    return None if not node.style and text in _NULLS else text


def split_front_matter(text: str, fence: str) -> tuple[str, str]:
    """The text after the opening fence → the front matter, and the text after the closing fence.

    YAML may also be closed with `...`. Raises `ParseError`.
    """
    start = _line_of(text, fence)
    front = text if start < 0 else text[:start]
    if fence == "---" and (dots := _line_of(front, "...")) >= 0:
        start, front = dots, text[:dots]
    if start < 0:
        raise ParseError("the front matter is not closed", f"end it with a line of {fence}", 1)
    return front, text[start:].partition("\n")[2]


def _line_of(text: str, line: str) -> int:
    """The index of the first line with this text, ignoring space at its end; -1 if none."""
    at = 0 if text.startswith(line) else text.find(f"\n{line}") + 1
    while at > 0 or text.startswith(line):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if text[at:end].rstrip(" \t") == line:
            return at
        at = text.find(f"\n{line}", end) + 1
        if at == 0:
            break
    return -1


def parse_json(text: str) -> tuple[Any, list[str]]:
    """JSON → values with numbers as text, and the keys that an object has twice.

    Raises `ParseError`.
    """
    duplicates: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(items)
        if len(values) != len(items):
            counts = Counter(name for name, _ in items)
            duplicates.extend(sorted(name for name, count in counts.items() if count > 1))
        return values

    try:
        value = json.loads(
            text, object_pairs_hook=pairs, parse_int=str, parse_float=str, parse_constant=str
        )
    except json.JSONDecodeError as error:
        what = f"the JSON cannot be read ({error.msg}, column {error.colno})"
        raise ParseError(what, "correct it", error.lineno) from None
    except RecursionError:
        raise ParseError("the JSON is nested too deeply", "reduce the nesting") from None
    return value, duplicates


def split_json_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """JSON front matter (Hugo), an object followed by the body. Raises `ParseError`."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    try:
        values, end = decoder.raw_decode(text)
    except json.JSONDecodeError as error:
        what = f"the JSON front matter cannot be read ({error.msg})"
        raise ParseError(what, "correct it", error.lineno) from None
    except RecursionError:
        raise ParseError("the JSON is nested too deeply", "reduce the nesting") from None
    return values, text[end:]


def parse_toml(text: str) -> dict[str, Any]:
    """TOML (front matter of Hugo) → values as text. Raises `ParseError`."""
    import tomllib  # rarely needed

    if _DEEP_KEY.search(text):  # each part of a key costs tomllib all parts before it
        raise ParseError("the TOML is nested too deeply", "reduce the nesting")
    try:
        values: dict[str, Any] = _texts(tomllib.loads(text, parse_float=str))
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).partition(" (at line ")
        line = int(place.partition(",")[0]) if place[:1].isdigit() else 0
        raise ParseError(f"the TOML cannot be read ({what})", "correct it", line) from None
    except RecursionError:
        raise ParseError("the TOML is nested too deeply", "reduce the nesting") from None
    except ValueError:  # Python converts no number of more than 4,300 digits
        raise ParseError("the TOML has a number that is too long", "quote it") from None
    return values


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _texts(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_texts(child) for child in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return value if isinstance(value, (str, bool)) else str(value)
