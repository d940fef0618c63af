"""Cuts items out of XML that feedgen rendered, and joins them. Only this module edits XML as text.

An item is cut from a whole document (a standalone element would get other namespace
prefixes), and inserted into the documents of its feeds. A test compares the result with
documents that feedgen renders as a whole.

Cutting is reliable: the serializer escapes every `<` in texts and attributes, and only items
are called `item` or `entry`, so these bytes always begin an item.
"""

from __future__ import annotations

from collections.abc import Sequence


def cut(document: bytes, tag: bytes, closing: bytes) -> list[bytes]:
    """The elements named `tag` of a document that ends with `closing`, with their indentation."""
    if not document.endswith(closing):
        raise ValueError("the document does not end as expected")
    opening = b"<" + tag
    starts = []
    at = document.find(opening)
    while at >= 0:
        # Include the indentation of the element.
        starts.append(document.rfind(b"\n", 0, at) + 1)
        at = document.find(opening, at + 1)
    if not starts:
        return []
    ends = [*starts[1:], len(document) - len(closing)]
    return [document[start:end] for start, end in zip(starts, ends, strict=True)]


def join(head: bytes, parts: Sequence[bytes], closing: bytes) -> bytes:
    """A document without items, with `parts` inserted before its end."""
    if not head.endswith(closing):
        raise ValueError("the document does not end as expected")
    return b"".join((head[: -len(closing)], *parts, closing))
