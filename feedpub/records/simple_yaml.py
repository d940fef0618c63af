"""The YAML that most records are, read without a YAML parser: a line a value, no more.

libyaml and PyYAML make an object of every key and every value, with marks of
where it begins and ends, and that is most of what reading a record costs.
Nearly all front matter is written in a small part of YAML that needs none of
it: block mappings and lists of plain or quoted scalars, each on one line, and
lists of words in brackets.

What is here may refuse anything, and then PyYAML reads it; what it takes must
mean what PyYAML says. `tests/records/test_simple_yaml.py` holds it to that.
"""

from __future__ import annotations

import re
from typing import Any

NULLS = frozenset({"", "~", "null"})
MAX_LENGTH = 50_000  # characters: fewer values than a document may have

# One line: a comment, or an indent (too little for nesting that is out of measure) with the dash
# of a list's entry, a key, a value; each may be missing. A plain scalar begins with no indicator of
# YAML's, and has neither `: ` nor ` #` in it nor anything like them.
_KEY = r"[A-Za-z_][A-Za-z0-9_-]{0,99}+"
_DOUBLE = r'"[^"\\\x00-\x1f\x7f]*+(?:\\["\\nrt][^"\\\x00-\x1f\x7f]*+)*+"'
_SINGLE = r"'[^'\x00-\x1f\x7f]*+(?:''[^'\x00-\x1f\x7f]*+)*+'"
_REST = r"[^:#\x00-\x1f\x7f]*+"
_PLAIN = (
    rf"(?:[^\x00-\x20\x7f!\"#%&'*,:>?@`{{|}}\[\]-]|-(?=[0-9])){_REST}"
    rf"(?:(?<! )[:#](?! |$){_REST})*+(?<! )"
)
_ITEM = r" *+(?:\"[^\"\\,\x00-\x1f\x7f]*+\"|'[^',\x00-\x1f\x7f]*+'|\w[\w ./+-]*+) *+"
_ITEMS = rf"\[(?:{_ITEM}(?:,{_ITEM})*+)?+\]"
_COMMENT = r" *+#[^\x00-\x1f\x7f]*+"
_LINE = re.compile(
    rf"^(?:{_COMMENT}|( {{0,16}}+(?:- ++)?+)(?:({_KEY}):(?: ++|$))?+"
    rf"({_DOUBLE}|{_SINGLE}|{_PLAIN}|{_ITEMS})?+)$",
    re.MULTILINE,
)
# Beyond ASCII: what YAML forbids, takes for a line end, or passes over.
_ODD = re.compile("[\x80-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_STYLES = frozenset({'"', "'", "["})
_ESCAPE = re.compile(r'\\(["\\nrt])')
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


def simple_mapping(text: str) -> dict[str, Any] | None:
    """The mapping that a text is, its scalars as they were written; None if PyYAML must read it."""
    if len(text) > MAX_LENGTH or (not text.isascii() and _ODD.search(text)):
        return None
    lines = _LINE.findall(text)
    if len(lines) <= text.count("\n"):
        return None  # some line is of another kind
    root: dict[str, Any] = {}
    inside: Any = root  # the mapping or list that a line at `column` adds to
    column = 0
    around: list[tuple[Any, int]] = []  # what that is in
    here: str | None = ""  # the indent of the mapping that lines now add to
    waiting = ""  # the key of the line before, if its value may follow below it
    for lead, key, value in lines:
        if not key and not value:
            if "-" in lead:
                return None
            continue
        if lead != here:
            at = lead.find("-")
            dash = at >= 0
            at = at if dash else len(lead)
            if waiting and (at > column or (dash and at == column)):
                around.append((inside, column))
                below: Any = [] if dash else {}
                inside[waiting] = below
                inside, column = below, at
            else:
                while at < column:
                    inside, column = around.pop()
                if inside.__class__ is list and not dash:  # its dashes were right below its key
                    inside, column = around.pop()
                if at != column or (dash and inside.__class__ is dict):
                    return None
            if dash and key:  # a mapping that begins behind the dash
                around.append((inside, column))
                entry: dict[str, Any] = {}
                inside.append(entry)
                inside, column = entry, len(lead)
            here = " " * column if inside.__class__ is dict else None
        scalar = _scalar(value)
        waiting = "" if value else key
        if key:
            if key in inside:
                return None  # twice: its lines are to be named
            inside[key] = scalar
        elif inside.__class__ is list:
            inside.append(scalar)
        else:
            return None  # it goes on with the line before
    return root or None


def _scalar(written: str) -> Any:
    """A scalar's text, or the texts of a list in brackets."""
    style = written[:1]
    if style not in _STYLES:
        return None if written in NULLS else written
    text = written[1:-1]
    if style == "[":
        return [_scalar(item.strip(" ")) for item in text.split(",")] if text else []
    if style == "'":
        return text.replace("''", "'")
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], text) if "\\" in text else text
