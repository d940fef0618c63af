"""Plain text, without markup, entities, and characters that XML does not allow."""

from __future__ import annotations

import html
import re
from html.entities import html5

# XML 1.0, 2.2: characters that are not allowed, which feed readers reject, and "discouraged" ones
# (C1 controls, noncharacters), which validators report.
_BAD = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef" + "".join(
    f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17)
)
UNPRINTABLE = re.compile(f"[{_BAD}]")

SUMMARY_LENGTH = 300  # characters of a summary that is made from the content

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")
_SPACE = re.compile(r"[\s\u00a0]+")
_INLINE = (
    "a|abbr|acronym|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|"
    "strong|sub|sup|time|tt|u|var|wbr"
)
_BLOCK = (
    "article|aside|audio|blockquote|body|br|center|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|head|"
    "header|hr|html|iframe|img|li|main|nav|ol|p|picture|pre|section|source|svg|table|tbody|td|tfoot|th|"
    "thead|tr|ul|video"
)
_TAG = re.compile(rf"</?(?:(?P<inline>{_INLINE})|{_BLOCK})(?:\s[^<>]*)?/?>", re.IGNORECASE)
# Start and end of parts that are never shown.
_UNSEEN = tuple(
    (re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (
        (r"<!--", r"-->"),
        (r"<script\b[^<>]*>", r"</script\s*>"),
        (r"<style\b[^<>]*>", r"</style\s*>"),
    )
)

# Bytes that no unprintable character has as its first one in UTF-8.
_HARMLESS = bytes(
    byte
    for byte in range(256)
    if byte in b"\t\n\r" or (0x20 <= byte != 0x7F and byte not in (0xC2, 0xEF) and byte < 0xF0)
)


def strip_unprintable(text: str) -> str:
    """The text without the characters that are not allowed in feeds."""
    if text.isprintable():
        return text
    try:
        if not text.encode().translate(None, _HARMLESS):
            return text  # it contains newlines or tabs only
    except UnicodeEncodeError:
        pass  # a lone surrogate
    return UNPRINTABLE.sub("", text)


def first_unprintable(text: str, data: bytes) -> re.Match[str] | None:
    """The first character that is not allowed. `data` is the text in UTF-8, for a fast check."""
    return UNPRINTABLE.search(text) if data.translate(None, _HARMLESS) else None


def is_plain(text: str) -> bool:
    """Whether a text is plain text already, except for surrounding space. Most are."""
    return "<" not in text and "&" not in text and text.isprintable() and "  " not in text


def has_markup(text: str) -> bool:
    """Whether a text contains HTML tags."""
    return "<" in text and bool(_TAG.search(text) or without_unseen(text) != text)


def plain_text(text: str) -> str:
    """HTML or text → one line of plain text, with tags removed and entities decoded once.

    Only known HTML tags are removed: `a < b` and `Vec<T>` stay. Entities are decoded after
    that, so `&lt;canvas&gt;` becomes `<canvas>`.
    """
    if is_plain(text):
        return text.strip()
    if "<" in text:
        # Inline tags may be inside a word (H<sub>2</sub>O); block tags separate words.
        text = _TAG.sub(lambda m: "" if m["inline"] else " ", without_unseen(text))
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    text = UNPRINTABLE.sub("", text).replace("\ufeff", "")
    # U+200B separates words in some languages; at the ends of a text it is useless.
    return _SPACE.sub(" ", text).strip(" \u200b")


def _character(entity: re.Match[str]) -> str:
    """The character of an entity. `html.unescape` would also decode prefixes of unknown names."""
    if entity[1]:
        return html5.get(f"{entity[1]};", entity[0])
    return html.unescape(entity[0])


def without_unseen(text: str) -> str:
    """The text without comments, scripts and styles, in linear time even if some are unclosed."""
    for opening, closing in _UNSEEN:
        parts, at = [], 0
        while (start := opening.search(text, at)) and (end := closing.search(text, start.end())):
            parts.append(text[at : start.start()])
            at = end.end()
        text = "".join((*parts, text[at:])) if parts else text
    return text


def shorten(text: str, limit: int) -> str:
    """The text, cut to at most `limit` characters with an ellipsis, between words if possible."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    words = cut.rpartition(" ")[0]
    # Some languages have no spaces between words: do not cut at a space far from the limit.
    return (words if len(words) > limit // 2 else cut).rstrip(" ,;:.") + "…"


def summary_of(text: str) -> str:
    """The beginning of a text, on one line, as a summary."""
    return shorten(" ".join(text.split()), SUMMARY_LENGTH)
