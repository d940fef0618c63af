"""Reads the ids and URLs of the items in an RSS, Atom or JSON feed of another tool."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

from lxml import etree

from feedpub.errors import RunError

_ATOM = "{http://www.w3.org/2005/Atom}"
_ORIGIN = "{http://rssnamespace.org/feedburner/ext/1.0}origLink"
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_BASE = "{http://www.w3.org/XML/1998/namespace}base"


class Published(NamedTuple):
    """An item of the feed: its id and its URLs."""

    id: str
    addresses: tuple[str, ...]


class OtherFeed(NamedTuple):
    """The items of a feed, and the URL of its next page (RFC 5005; JSON Feed's next_url)."""

    items: list[Published]
    next: str = ""


def read_feed(data: bytes, name: str, base: str = "") -> OtherFeed:
    """Parses a feed; `base` is its own URL. Raises `RunError` if it is not a feed."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _read_json(data, name, base)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        root = None
    kind = _local(root) if root is not None else ""
    if kind == "feed":
        return _read_atom(root, base)
    if kind in {"rss", "RDF"}:
        return _read_rss(root, base)
    raise RunError(
        f"{name}: this is not an RSS, Atom or JSON feed; name the feed itself, not a page"
    )


def page_key(url: str) -> str:
    """A key for comparing URLs, without scheme, www, trailing slash and utm parameters."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    port = f":{parts.port}" if parts.port and parts.port not in {80, 443} else ""
    path = quote(unquote(parts.path), safe="/~").removesuffix("index.html").rstrip("/")
    kept = [
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if not key.lower().startswith("utm_")
    ]
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{host}{port}{path}{query}"


def _read_json(data: bytes, name: str, base: str) -> OtherFeed:
    try:
        feed = json.loads(data)
        items = [
            Published(
                _id(item["id"]),
                tuple(
                    urljoin(base, item[key])
                    for key in ("url", "external_url")
                    if isinstance(item.get(key), str)
                ),
            )
            for item in feed["items"]
            if item.get("id") not in (None, "")
        ]
        next_url = feed.get("next_url")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RunError(f"{name}: this is JSON, but not a JSON Feed with items") from None
    return OtherFeed(items, urljoin(base, next_url) if isinstance(next_url, str) else "")


def _id(value: Any) -> str:
    """An id as text. JSON Feed 1.1: numbers are converted to strings."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _read_atom(root: Any, base: str) -> OtherFeed:
    items = []
    for entry in root.iterchildren():
        if _local(entry) != "entry":
            continue
        entry_base = _base(entry, base)
        own = ""
        addresses = []
        for child in entry.iterchildren():
            text = (child.text or "").strip() if isinstance(child.tag, str) else ""
            if _local(child) == "id":
                own = text
            elif _local(child) == "link" and child.get("rel", "alternate") == "alternate":
                addresses.append(urljoin(_base(child, base), (child.get("href") or "").strip()))
            elif child.tag == _ORIGIN:
                addresses.append(urljoin(entry_base, text))
        if own:
            items.append(Published(own, tuple(addresses)))
    return OtherFeed(items, _next_page(root.iterchildren(), base))


def _read_rss(root: Any, base: str) -> OtherFeed:
    """RSS 0.9x, 1.0 and 2.0. Feed readers identify an item without a guid by its link."""
    items = []
    for item in root.iter():
        if _local(item) != "item":
            continue
        own, link = (item.get(_ABOUT) or "").strip(), ""
        addresses = []
        for child in item.iterchildren():
            text = (child.text or "").strip() if isinstance(child.tag, str) else ""
            name = _local(child)
            if name == "guid" and text:
                own = text
                if (child.get("isPermaLink") or "true").strip().lower() == "true":
                    addresses.append(text)
            elif name == "link" and child.tag.startswith(_ATOM):
                if child.get("rel", "alternate") == "alternate":
                    addresses.append(urljoin(base, (child.get("href") or "").strip()))
            elif name == "link" and text:
                link = urljoin(base, text)
                addresses.append(link)
            elif child.tag == _ORIGIN:
                addresses.append(urljoin(base, text))
        if own or link:
            items.append(Published(own or link, tuple(addresses)))
    channel = next((child for child in root.iterchildren() if _local(child) == "channel"), root)
    return OtherFeed(items, _next_page(channel.iterchildren(), base))


def _next_page(elements: Any, base: str) -> str:
    for element in elements:
        if element.tag == f"{_ATOM}link" and element.get("rel") in {"next", "prev-archive"}:
            return urljoin(_base(element, base), str(element.get("href") or "").strip())
    return ""


def _base(element: Any, base: str) -> str:
    """The base URL of an element: all xml:base attributes, outermost first (RFC 4287, 2)."""
    chain = [e.get(_BASE) for e in (*reversed(list(element.iterancestors())), element)]
    for own in filter(None, chain):
        base = urljoin(base, own)
    return base


def _local(element: Any) -> str:
    """The local name of an element; "" for comments and processing instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
