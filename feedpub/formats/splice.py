"""Joining parts of XML that feedgen rendered: the one place that touches XML as text.

An item is cut from a whole document of feedgen's (a standalone element would
get other namespace prefixes), and joined into the documents of its feeds. A
test holds the joined bytes to feedgen's own.

A cut is exact: the serializer escapes every `<` in texts and attributes, and
no element but an item is called `item` or `entry` here, so these bytes begin
an item and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence


def cut(document: bytes, tag: bytes, closing: bytes) -> list[bytes]:
    """The elements called `tag` of a document that ends with `closing`, with their indents."""
    if not document.endswith(closing):
        raise ValueError("the document does not end as expected")
    opening = b"<" + tag
    starts = []
    at = document.find(opening)
    while at >= 0:
        # An element's own indent belongs to it.
        starts.append(document.rfind(b"\n", 0, at) + 1)
        at = document.find(opening, at + 1)
    if not starts:
        return []
    ends = [*starts[1:], len(document) - len(closing)]
    return [document[start:end] for start, end in zip(starts, ends, strict=True)]


def join(head: bytes, parts: Sequence[bytes], closing: bytes) -> bytes:
    """A document without items, with parts put in before its end."""
    if not head.endswith(closing):
        raise ValueError("the document does not end as expected")
    return b"".join((head[: -len(closing)], *parts, closing))
