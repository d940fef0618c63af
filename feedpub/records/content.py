"""The raw content of a record → sanitized HTML with absolute URLs, and its plain text."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from feedpub.model import Record
from feedpub.records.limits import MAX_CONTENT
from feedpub.records.markup import ContentSizeError
from feedpub.records.sanitize import clean_html, is_document
from feedpub.records.tokens import END, START, TEXT, attributes, decoded, sanitized_tokens

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# Liquid's marks around text that Jekyll must not expand
_RAW = re.compile(r"\{%-?\s*+(?:end)?raw\s*+-?%\}")
_BLOCK = re.compile(
    r"<(?:p|div|h[1-6]|ul|ol|table|blockquote|section|article|figure|pre|iframe|br|img|center|hr|dl|main|header"
    r"|details|video|audio)\b",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(
    r"^(?: {0,3}(?:#{1,6} |[-*+] |\d{1,3}[.)] |> |```|~~~)|[ \t]*+\|.*\|[ \t]*+$|(?:---+|\*\*\*+)$)"
    r"|\[[^\[\]\n]++\]\([^)\[\n]++\)|\*\*[^*\n]++\*\*|(?<!\w)__[^_\n]++__|`[^`\n]++`",
    re.MULTILINE,
)
_HTML_SIGN = re.compile(r"</(?:p|div|ul|ol|table|h[1-6])>|<br\s*+/?>", re.IGNORECASE)
_NAME = re.compile(r"(pre|code|script|style)\b", re.IGNORECASE)
_CLOSING = re.compile(r"/(pre|code|script|style)\s*+>", re.IGNORECASE)
# In one paragraph, where the time of some rules grows with the square of these.
_MAX_BRACKETS = 500  # unclosed
_MAX_DELIMITERS = 5_000  # * _ ~

# Plain text
_NEW_PARAGRAPH = frozenset(
    """p div h1 h2 h3 h4 h5 h6 ul ol dl table blockquote section article figure header footer main
    nav aside details center hr""".split()
)
_NEW_LINE = frozenset("li tr dt dd caption figcaption summary".split())  # at their end tags
_BULLET = re.compile(r"^-\n+", re.MULTILINE)  # of a list item with paragraphs
_BLANK_LINES = re.compile(r"\n(?:[ \t]*+\n)++")


def content_html(record: Record, home: str, published: Mapping[str, str] | None = None) -> str:
    """The sanitized content of a record: embedded media, then the body; "" if it has none.

    Relative URLs are resolved against the link of the record, or `home` if it has no link.
    `published` maps URLs of images to those by which they are published. The content is "" as
    well if it is larger than `MAX_CONTENT`, which is a problem of the record (`exceeds`).
    """
    base = record.link or home
    try:
        parts = [clean_html(record.featured, base, published)] if record.featured.strip() else []
        if record.body.strip():
            parts.append(clean_html(_to_html(record.body, record.body_type), base, published))
    except ContentSizeError:
        return ""
    content = "\n".join(part for part in parts if part)
    if content and record.summary and not _has_text(content):
        # Only a player or a picture: add a text for readers that show neither.
        content += f"\n<p>{html.escape(record.summary, quote=False)}</p>"
    return content


def exceeds(featured: str, body: str, body_type: str, base: str) -> bool:
    """Whether the content would be larger than `MAX_CONTENT` as HTML."""
    try:
        size = len(clean_html(featured, base)) + len(clean_html(_to_html(body, body_type), base))
    except ContentSizeError:
        return True
    return size > MAX_CONTENT


def _has_text(content: str) -> bool:
    """Whether sanitized HTML contains text."""
    return any(kind == TEXT and not text.isspace() for kind, text, _ in sanitized_tokens(content))


def content_text(content: str) -> str:
    """Sanitized HTML → plain text in paragraphs, with the alt texts of images."""
    parts: list[str] = []
    current: list[str] = []  # of the part that is not complete
    pre = fallback = 0  # open pre elements; open players, whose content browsers never show
    for kind, name, rest in sanitized_tokens(content):
        if kind == TEXT:
            if not fallback:
                current.append(name)
        elif name in {"video", "audio"}:
            fallback += 1 if kind == START else -1
        elif name == "pre" and not fallback:
            outer, pre = pre, pre + (1 if kind == START else -1)
            if not (outer and pre):
                parts.append("".join(current) if outer else _running(current))
                current = []
        elif not pre and not fallback:
            current.append(_of_tag(kind, name, rest))
    parts.append(_running(current))
    return _BLANK_LINES.sub("\n\n", decoded("\n\n".join(parts))).strip()


def _of_tag(kind: int, name: str, rest: str) -> str:
    """The text for a tag: a line break is \x00."""
    if name in _NEW_PARAGRAPH:
        return "\x00\x00"
    if kind == END:
        return "\x00" if name in _NEW_LINE else " " if name in {"td", "th"} else ""
    if name == "li":
        return "" if rest else "- "
    if name == "img" and rest:
        return html.escape(attributes(rest).get("alt", ""), quote=False)
    return "\x00" if name == "br" else ""


def _running(parts: list[str]) -> str:
    """The lines of running text, in which \x00 is a line break that a tag makes."""
    text = "".join(parts).replace("\t", " ").replace("\n", " ")
    while "  " in text:  # a pass halves each run; an expression would stop at every space
        text = text.replace("  ", " ")
    text = text.replace("\x00", "\n").replace(" \n", "\n").replace("\n ", "\n")
    return _BULLET.sub("- ", text) if "-\n" in text else text


def is_html(text: str) -> bool:
    """Whether a body is HTML. With the syntax of both it is Markdown, which may contain HTML."""
    if is_document(text):
        return True
    start = text.lstrip()[:200]
    if _BLOCK.match(start) and all(line.lstrip()[:1] in "<" for line in text.split("\n")):
        return True
    if not _BLOCK.search(text) or _MARKDOWN.search(_outside_tags(text)):
        return False
    return bool(_BLOCK.match(start) or _HTML_SIGN.search(text))


def _outside_tags(text: str) -> str:
    """The text without its tags, and without the content of code and script elements."""
    first, *pieces = text.split("<")
    ends: dict[str, int] = {}  # name → index of its last end tag
    for n, piece in enumerate(pieces):
        if piece[:1] == "/" and (closing := _CLOSING.match(piece)):
            ends[closing[1].lower()] = n
    outside, inside = [first], ""
    for n, piece in enumerate(pieces):
        _, end, after = piece.partition(">")
        if inside:
            if (closing := _CLOSING.match(piece)) and closing[1].lower() == inside:
                inside = ""
                outside.append(after)
        elif (opening := _NAME.match(piece)) and ends.get(opening[1].lower(), -1) > n:
            inside = opening[1].lower()
        else:
            outside.append(after if end else f"<{piece}")
    return "".join(outside)


def _to_html(body: str, body_type: str) -> str:
    if "{%" in body:
        body = _RAW.sub("", body)
    if body_type != "html" and not is_html(body):
        return _markdown.to_html(body)
    return body


class _Markdown(threading.local):
    """The parser of one thread: it keeps state while it works, so threads must not share it."""

    def to_html(self, markdown: str) -> str:
        """Markdown (CommonMark with tables and strikethrough) as HTML, not yet sanitized.

        Raises `ContentSizeError`.
        """
        env: dict[str, object] = {}
        parser = self._simple if _is_dense(markdown) else self._parser
        parsed = parser.parse(markdown, env)
        # One definition of a link may be used thousands of times.
        if _rendered_size(parsed) > MAX_CONTENT:
            raise ContentSizeError
        rendered: str = parser.renderer.render(parsed, parser.options, env)
        return rendered

    @cached_property
    def _parser(self) -> MarkdownIt:
        from markdown_it import MarkdownIt  # takes 50 ms, needed for Markdown only

        return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

    @cached_property
    def _simple(self) -> MarkdownIt:
        from markdown_it import MarkdownIt

        simple = MarkdownIt("commonmark", {"html": True}).enable(["table"])
        return simple.disable(["emphasis", "link", "image"])


def _is_dense(markdown: str) -> bool:
    """Whether a paragraph has so many brackets or delimiters that they are text."""
    return any(
        part.count("[") - part.count("]") > _MAX_BRACKETS
        or part.count("*") + part.count("_") + part.count("~") > _MAX_DELIMITERS
        for part in markdown.split("\n\n")
    )


def _rendered_size(parsed: list[Token]) -> int:
    """About how many characters of HTML the tokens render to."""
    size = 0
    for token in parsed:
        size += len(token.content) if token.children is None else _rendered_size(token.children)
        size += sum(len(str(value)) for value in token.attrs.values())
    return size


_markdown = _Markdown()
