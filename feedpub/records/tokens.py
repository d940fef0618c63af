"""HTML → its tags and its texts, as the standard's tokenizer finds them (HTML, 13.2.5).

One pass that never goes back, so cost is in proportion to length: the quantifiers of the
expressions here are possessive, and what is left open (a comment, a tag) ends with the text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cache
from html.entities import html5

TEXT, START, END = range(3)

# What kind it is; the name in lower case, or a text with its character references; what a start tag
# has behind its name.
Token = tuple[int, str, str]

_NAME = r"[^ \t\n\f/>][^ \t\n\f/>=]*+"
_EQUALS = r"[ \t\n\f]*+=[ \t\n\f]*+"
_BARE = r"(?![\"'])[^ \t\n\f>]*+"
_VALUE = rf"""(?:"[^"]*+"|'[^']*+'|{_BARE})"""
_TAG = re.compile(
    rf"<(/?)([a-zA-Z][^ \t\n\f/>]*+)((?:[ \t\n\f/]++|{_NAME}(?:{_EQUALS}{_VALUE})?+)*+)>"
)
_ATTRIBUTE = re.compile(rf"""({_NAME})(?:{_EQUALS}(?:"([^"]*+)"|'([^']*+)'|({_BARE})))?+""")
_COMMENT_END = re.compile(r"--!?>")
_REFERENCE = re.compile(r"&(?:#(?:[0-9]++|[xX][0-9a-fA-F]++);?|[a-zA-Z][a-zA-Z0-9]*+(=|;)?)")
_LONG_NUMBER = re.compile(r"&#(?:0*+[0-9]{8,}+|0{999,}+[0-9]*+);?")

# Elements whose content is raw text that is not shown (13.2.6.4.4, 13.2.6.4.7).
_RAW = frozenset("iframe noembed noframes noscript script style textarea title xmp".split())
_FOREIGN = frozenset({"svg", "math"})


def tokens(markup: str) -> Iterator[Token]:
    """The tags and texts of some HTML, without comments and the content of raw text elements."""
    at = drawings = 0  # drawings: how many of `svg` and `math` are open
    find, match = markup.find, _TAG.match
    while (start := find("<", at)) >= 0:
        if start > at:
            yield TEXT, markup[at:start], ""
        if tag := match(markup, start):
            closing, name, rest = tag.groups()
            name, at = name.lower(), tag.end()
            drawings = _drawings(drawings, closing, rest) if name in _FOREIGN else drawings
            if closing:
                yield END, name, ""
                continue
            yield START, name, rest
            # In a drawing, `<title/>` and `<style/>` are empty elements (13.2.6.5).
            if name in _RAW and not (drawings and rest.endswith("/")):
                end = _raw_end(name).search(markup, at)
                at = end.start() if end else len(markup)
            elif name == "plaintext":
                break
            elif name in {"pre", "listing"} and markup.startswith("\n", at):
                at += 1  # 13.2.6.4.7: no part of the text
            continue
        following = markup[start + 1 : start + 2]
        if following == "!" and markup.startswith("--", start + 2):
            at = _after_comment(markup, start + 4)
        elif following in {"!", "?"} or (following == "/" and start + 2 < len(markup)):
            at = find(">", start) + 1 or len(markup)
        elif following.isascii() and following.isalpha():
            return  # a tag without an end
        else:
            yield TEXT, "<", ""
            at = start + 1
    if at < len(markup):
        yield TEXT, markup[at:], ""


def sanitized_tokens(content: str) -> Iterator[Token]:
    """Like `tokens`, for the output of nh3: each `<` begins a tag, and the next `>` ends it."""
    first, *pieces = content.split("<")
    if first:
        yield TEXT, first, ""
    for piece in pieces:
        tag, _, text = piece.partition(">")
        if tag[:1] == "/":
            yield END, tag[1:], ""
        else:
            name, _, rest = tag.partition(" ")
            yield START, name, rest
        if text:
            yield TEXT, text, ""


def _drawings(count: int, closing: str, rest: str) -> int:
    """How many drawings are open after a tag of one, if there were `count` before it."""
    if closing:
        return max(0, count - 1)
    return count + (not rest.endswith("/"))


def _after_comment(markup: str, at: int) -> int:
    for end in (">", "->"):  # 13.2.5.43: a comment that is closed as it begins
        if markup.startswith(end, at):
            return at + len(end)
    found = _COMMENT_END.search(markup, at)
    return found.end() if found else len(markup)


@cache
def _raw_end(name: str) -> re.Pattern[str]:
    return re.compile(rf"</{name}(?=[ \t\n\f/>])", re.IGNORECASE)


def attributes(rest: str) -> dict[str, str]:
    """The attributes of a start tag; of two with one name the first counts."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(rest):
        value = double or single or bare
        found.setdefault(name.lower(), _decoded_value(value) if "&" in value else value)
    return found


def decoded(text: str) -> str:
    """A text with its character references replaced."""
    if "&" not in text:
        return text
    if "&#" in text:
        text = _LONG_NUMBER.sub("\ufffd", text)
    return html.unescape(text)


def _decoded_value(value: str) -> str:
    """An attribute's value, where `&copy=1` is no character reference (13.2.5.73)."""
    return _REFERENCE.sub(_character, value)


def _character(reference: re.Match[str]) -> str:
    written, ending = reference[0], reference[1]
    if written[1] == "#":
        return decoded(written)
    return written if ending == "=" else html5.get(written[1:], written)
