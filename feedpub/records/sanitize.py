"""Any HTML → a fragment that is safe in any reader, with absolute addresses.

The markup is read once (`feedpub.records.tokens`), and what may stay is built anew
(`feedpub.records.markup`). nh3 (ammonia, html5ever) comes last, with the same lists and nothing
behind it: whatever the steps before it do, no more gets out than nh3 lets through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from feedpub.records.limits import MAX_CONTENT
from feedpub.records.markup import UNWRAPPED_BLOCKS, VOID, Builder, start_tag
from feedpub.records.text import strip_unprintable
from feedpub.records.tokens import END, TEXT, attributes, tokens
from feedpub.urls import WEB_SCHEMES, UrlError, absolute_url

if TYPE_CHECKING:
    import nh3

# Players that readers know, by host and by how the paths of their players begin: on some of these
# hosts anybody may publish pages. All other frames are taken out. They get no `sandbox`: a player
# needs scripts and its own origin (HTML, 4.8.5), which is all that it has in a page of another
# origin, and readers that want more set their own.
FRAMES: Mapping[str, tuple[str, ...]] = {
    "archive.org": ("/embed/",),
    "bandcamp.com": ("/EmbeddedPlayer",),
    "embed.podcasts.apple.com": ("/",),
    "open.spotify.com": ("/embed/", "/embed-podcast/"),
    "player.twitch.tv": ("/",),
    "player.vimeo.com": ("/video/", "/playlist/"),
    "rumble.com": ("/embed/",),
    "w.soundcloud.com": ("/player",),
    "www.dailymotion.com": ("/embed/",),
    "www.loom.com": ("/embed/",),
    "www.youtube-nocookie.com": ("/embed/",),
    "www.youtube.com": ("/embed/",),
    "youtube.com": ("/embed/",),
}
# Tracking pixels: invisible images that report readers to a third party.
_TRACKERS = tuple(
    f".{host}"
    for host in """doubleclick.net google-analytics.com list-manage.com pixel.wp.com
    stats.wordpress.com scorecardresearch.com quantserve.com feedburner.com feedsportal.com
    sendgrid.net mandrillapp.com rs6.net""".split()
)
_TRACKER_PATHS = re.compile(
    r"/(?:track/open|wf/open|open\.aspx|open\.php|pixel(?:\.gif|\.png)?|beacon(?:\.gif)?|~r/)",
    re.IGNORECASE,
)
TAGS = frozenset(
    """a abbr acronym article aside audio b bdi bdo blockquote br caption center cite code col
    colgroup dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr
    i iframe img ins kbd li main mark nav ol p picture pre q rp rt ruby s samp section small source
    span strike strong sub summary sup table tbody td tfoot th thead time tr track tt u ul var
    video wbr""".split()
)
# Elements that are removed with their text.
DROPPED = frozenset(
    """script style title template noscript noframes noembed object embed applet svg math select
    textarea button head frameset xmp""".split()
)
# Those that hold nothing here: the tokenizer leaves out their text, or other rules do.
_EMPTY = frozenset(
    "embed frameset head noembed noframes noscript script style textarea title xmp".split()
)
# Elements of a drawing that contain HTML (HTML, 13.2.6: integration points).
_INTEGRATION = frozenset("foreignobject desc annotation-xml".split())
ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href", "hreflang"},
    "abbr": {"title"},
    "audio": {"src", "controls", "preload"},
    "blockquote": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"cite", "datetime"},
    "details": {"open"},
    "iframe": {"src", "width", "height", "allowfullscreen"},
    "img": {"src", "srcset", "sizes", "alt", "width", "height"},
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "q": {"cite"},
    "source": {"src", "srcset", "sizes", "type", "media"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "time": {"datetime"},
    "track": {"src", "kind", "srclang", "label"},
    "video": {"src", "poster", "controls", "width", "height", "preload"},
}
_ALLOWED = {tag: ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set()) for tag in TAGS}
_ELEMENTS = TAGS - VOID - {"iframe"}
_CONTACT_SCHEMES = frozenset({"mailto", "tel"})  # of links: a person, not a page
SCHEMES = WEB_SCHEMES | _CONTACT_SCHEMES
_ADDRESSES = frozenset({"href", "src", "poster", "cite"})
_MENDED = _ADDRESSES | {"srcset", "align", "width", "height"}
_ALIGNMENTS = frozenset({"left", "right", "center", "justify"})
_HIDDEN = re.compile(r"display\s*+:\s*+none|mso-hide\s*+:\s*+all")
_DOCUMENT = re.compile(r"<!doctype\b|<html\b|<head\b|<body\b", re.IGNORECASE)
_DESCRIPTOR = re.compile(r"(?:[0-9.]+x|[0-9]+w(?: [0-9]+h)?)?")
MAX_VALUE = 16_384  # characters of an attribute; the time of nh3 grows with the square of this
_SIZE = re.compile(r"\d{1,5}%?")


def clean_html(markup: str, base: str, published: Mapping[str, str] | None = None) -> str:
    """Any HTML → a sanitized fragment, its addresses made absolute against `base`.

    `published` says by which address a file is published, where that is another. Raises
    `ContentSizeError`.
    """
    markup = strip_unprintable(markup)
    if "\r" in markup:
        markup = markup.replace("\r\n", "\n").replace("\r", "\n")
    return _cleaner().clean(_Reader(base, published or {}, is_document(markup)).read(markup))


def is_document(markup: str) -> bool:
    """Whether a text is a whole page, whatever comments and declarations stand before it."""
    at = 0
    while True:
        at += len(markup[at : at + 1000]) - len(markup[at : at + 1000].lstrip())
        if markup.startswith("<!--", at):
            end = markup.find("-->", at)
        elif markup.startswith("<?", at):
            end = markup.find(">", at) - 2
        else:
            return bool(_DOCUMENT.match(markup, at))
        if end < at:
            return False
        at = end + 3


@cache
def _cleaner() -> nh3.Cleaner:
    """Without callbacks, so threads can share it."""
    import nh3

    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=set(DROPPED),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(SCHEMES),
        link_rel=None,
    )


class _Reader:
    """Sanitizes one text."""

    def __init__(self, base: str, published: Mapping[str, str], has_base: bool) -> None:
        self._base = base
        self._published = published
        self._has_base = has_base  # the first `base` is still to count
        self._builder = Builder(MAX_CONTENT)

    def read(self, markup: str) -> str:
        """The rebuilt markup."""
        builder = self._builder
        text, start, end = builder.text, self._start, builder.end
        for kind, name, rest in tokens(markup):
            if kind == TEXT:
                text(name)
            elif kind == END:
                end(name)
            else:
                start(name, rest)
        return builder.result()

    def _start(self, name: str, rest: str) -> None:
        builder = self._builder
        if builder.is_cut:
            builder.break_out(name)
        given = attributes(rest) if rest else {}
        is_hidden = bool(given) and _is_hidden(given)
        if name in _ELEMENTS and not is_hidden:
            builder.start(name, start_tag(name, self._kept(name, given)))
        elif name in VOID or name in {"iframe", "image"}:
            if name == "base" and self._has_base:
                self._take_base(given.get("href", ""))
            elif not is_hidden:
                self._void("img" if name == "image" else name, given)
        elif name not in _EMPTY:
            self._left_out(name, rest, is_hidden)

    def _left_out(self, name: str, rest: str, is_hidden: bool) -> None:
        """An element that is hidden or not allowed."""
        is_closed = rest.endswith("/")
        if is_hidden and name not in {"html", "body"}:
            self._builder.start(name, f"<{name}>", cut=True)
        elif name in DROPPED:
            if not (is_closed and name in {"svg", "math"}):
                self._builder.start(name, f"<{name}>", cut=True)
        elif name in UNWRAPPED_BLOCKS:
            self._builder.start(name, "")
        elif self._builder.is_cut and not is_closed:
            self._builder.start(name, "<>" if name in _INTEGRATION else "")

    def _take_base(self, href: str) -> None:
        try:
            self._base = absolute_url(href, self._base)
        except UrlError:
            return
        self._has_base = False

    def _void(self, name: str, given: dict[str, str]) -> None:
        if name not in TAGS:
            return
        kept = self._kept(name, given) if given else given
        if name == "img":
            if "src" not in kept and "srcset" not in kept:
                return
            if {kept.get("width"), kept.get("height")} & {"0", "1", "0%"}:
                return  # invisible: a tracking pixel
            kept.setdefault("alt", "")
        elif name in {"source", "track"} and "src" not in kept and "srcset" not in kept:
            return
        elif name == "iframe":
            if "src" in kept:
                self._builder.void(name, f"{start_tag(name, kept)}</iframe>")
            return
        self._builder.void(name, start_tag(name, kept))

    def _kept(self, tag: str, given: dict[str, str]) -> dict[str, str]:
        """The allowed attributes, with their new values."""
        if not given:
            return given
        allowed, kept = _ALLOWED[tag], {}
        for name, value in given.items():
            if name in allowed:
                if not value.isprintable():
                    value = strip_unprintable(value).replace("\r", "\n")
                said = value if name not in _MENDED else self._value(tag, name, value)
                if said is not None and len(said) <= MAX_VALUE:
                    kept[name] = said
        return kept

    def _value(self, tag: str, name: str, value: str) -> str | None:
        if name in _ADDRESSES:
            url = _address(tag, value, self._base)
            return self._published.get(url, url) if name == "src" and url else url
        if name == "srcset":
            return _srcset(value, self._base)
        if name == "align":
            return value.lower() if value.lower() in _ALIGNMENTS else None
        size = value.strip().removesuffix("px")
        return size if _SIZE.fullmatch(size) else None


def _is_hidden(given: dict[str, str]) -> bool:
    if "hidden" in given:
        return True
    style = given.get("style", "").lower()
    # A search for a fixed word takes a tenth of the time of the pattern.
    return ("display" in style or "mso-hide" in style) and _HIDDEN.search(style) is not None


def _address(tag: str, value: str, base: str) -> str | None:
    if tag == "a" and ":" in value and value.partition(":")[0].strip().lower() in _CONTACT_SCHEMES:
        return quote(value.strip(), safe="!#$%&'()*+,/:;=?@~")
    try:
        url = absolute_url(value, base)
    except UrlError:
        if ":" in value.partition("/")[0]:
            return None
        try:  # example.org/x without a scheme: in content, browsers take it as a place below
            url = absolute_url("./" + value.strip(), base)
        except UrlError:
            return None
    if tag == "iframe":
        return _frame(url)
    if tag == "img":
        host, slash, path = url.partition("://")[2].partition("/")
        if f".{host.partition(':')[0]}".endswith(_TRACKERS):
            return None
        return None if _TRACKER_PATHS.search(slash + path.partition("?")[0]) else url
    return url


def _frame(url: str) -> str | None:
    """The address of a player that may be shown in a frame, over https."""
    parts = urlsplit(url)
    players = FRAMES.get(parts.hostname or "")
    # A browser takes `/embed/../` for `/`: no step upwards, written out or not.
    climbs = "/." in parts.path.lower().replace("%2e", ".")
    if not players or not parts.path.startswith(players) or climbs:
        return None
    if parts.port not in {None, 443 if parts.scheme == "https" else 80}:
        return None
    return urlunsplit(("https", parts.hostname, *parts[2:])) if parts.scheme == "http" else url


def _srcset(value: str, base: str) -> str | None:
    """Each candidate's address made absolute (HTML, 4.8.4.2.1: address, space, descriptor)."""
    candidates = []
    for address, descriptor in _candidates(value):
        try:
            url = absolute_url(address, base).replace(",", "%2C")
        except UrlError:
            continue
        if _DESCRIPTOR.fullmatch(descriptor):
            candidates.append(f"{url} {descriptor}".strip())
    return ", ".join(candidates) or None


_CANDIDATE = re.compile(r"[\s,]*+(\S++)")
_DESCRIBED = re.compile(r"(?:[^,()]++|\([^()]*+\)?+|\))*+")


def _candidates(value: str) -> Iterator[tuple[str, str]]:
    """The candidates of a `srcset` as the standard splits them: address, descriptor."""
    at = 0
    while found := _CANDIDATE.match(value, at):
        address, at = found[1], found.end()
        descriptor = ""
        if not address.endswith(",") and (described := _DESCRIBED.match(value, at)):
            descriptor, at = described[0].strip(), described.end()
        yield address.rstrip(","), descriptor
