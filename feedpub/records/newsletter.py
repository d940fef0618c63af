"""An item → the same item with content that e-mail clients can show.

Mail clients show no frames, players, srcset or style sheets, and some read the width of an
image from its attribute only (https://www.caniemail.com/). docs/newsletters.md describes what
mailing services read from a feed.

The content is read, written and sanitized in the same way as that of records
(`feedpub.records.sanitize`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from feedpub.media.types import type_of
from feedpub.model import Enclosure, Item
from feedpub.records.content import content_text
from feedpub.records.limits import MAX_CONTENT
from feedpub.records.markup import VOID, Builder, ContentSizeError, escaped, start_tag
from feedpub.records.sanitize import ATTRIBUTES, SCHEMES, TAGS
from feedpub.records.text import strip_unprintable, summary_of
from feedpub.records.tokens import END, START, TEXT, Token, attributes, tokens
from feedpub.urls import WEB_SCHEMES, absolute_url

if TYPE_CHECKING:
    import nh3

Parameters = Sequence[tuple[str, str]]  # of the query of URLs: name, value
WIDTH = 600  # pixels: the usual width of an e-mail template

# Clients with CSS shrink it to the screen; Outlook on Windows reads the attributes only.
_FLUID = "max-width:100%;height:auto"
# For an image of unknown width: its own size, except in Outlook, where it could be too wide.
_FLUID_UNSIZED = f"width:auto;{_FLUID}"
_STYLES = frozenset({_FLUID, _FLUID_UNSIZED})
_PLAY = "\u25b6"  # a play button, understood in every language

_PLAYED = frozenset({"iframe", "video", "audio"})
_UNWRAPPED = frozenset({"picture", "source", "track"})

# URLs of players → URLs of the pages that show the same media.
_PAGES = tuple(
    (re.compile(rf"https?://{player}"), page)
    for player, page in (
        (
            r"(?:www\.)?youtube(?:-nocookie)?\.com/embed/videoseries\?(?:.*&)?list=([\w-]+).*",
            r"https://www.youtube.com/playlist?list=\1",
        ),
        (
            r"(?:www\.)?youtube(?:-nocookie)?\.com/embed/(?!live_stream)([\w-]{11})(?![\w-]).*",
            r"https://www.youtube.com/watch?v=\1",
        ),
        (r"player\.vimeo\.com/video/(\d+)\?(?:.*&)?h=(\w+).*", r"https://vimeo.com/\1/\2"),
        (r"player\.vimeo\.com/video/(\d+).*", r"https://vimeo.com/\1"),
        (r"open\.spotify\.com/embed/(\w+/\w+).*", r"https://open.spotify.com/\1"),
        (r"www\.dailymotion\.com/embed/video/(\w+).*", r"https://www.dailymotion.com/video/\1"),
        (r"archive\.org/embed/([^/?#]+).*", r"https://archive.org/details/\1"),
        (r"www\.loom\.com/embed/(\w+).*", r"https://www.loom.com/share/\1"),
        (r"embed\.podcasts\.apple\.com/(.+)", r"https://podcasts.apple.com/\1"),
        (r"player\.twitch\.tv/\?(?:.*&)?video=v?(\d+).*", r"https://www.twitch.tv/videos/\1"),
        (r"player\.twitch\.tv/\?(?:.*&)?channel=(\w+).*", r"https://www.twitch.tv/\1"),
    )
)
_YOUTUBE = re.compile(r"https://www\.youtube\.com/watch\?v=([\w-]{11})")


def mailed(item: Item, parameters: Parameters, home: str) -> Item:
    """The item for a feed that is sent by e-mail; `home` is the base URL of the site.

    The id, the dates and the enclosures do not change. If the item has content or a summary,
    the result has both, because some services read only one of them.
    """
    item = item._replace(summary=item.summary or summary_of(item.content_text))
    content = _Mail(item, parameters, home).content()
    return item._replace(
        link=with_parameters(item.link, parameters) if item.link else "",
        summary=item.summary or (item.title if content else ""),
        content_html=content,
        content_text=content_text(content),
    )


def with_parameters(url: str, parameters: Parameters) -> str:
    """A URL with these query parameters added, except those that it already has."""
    before, mark, fragment = url.partition("#")
    address, _, query = before.partition("?")
    present = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    added = [f"{name}={quote(value, safe='')}" for name, value in parameters if name not in present]
    if not added:
        return url
    return f"{address}?{'&'.join([query, *added] if query else added)}{mark}{fragment}"


class _Mail:
    """Converts the content of one item."""

    def __init__(self, item: Item, parameters: Parameters, home: str) -> None:
        self._item = item
        self._parameters = parameters
        self._home = urlsplit(absolute_url(home))
        self._tokens = list(tokens(item.content_html))
        self._builder = Builder(2 * MAX_CONTENT)  # pictures get a style, and links parameters
        self._pictures = {picture.url: picture for picture in item.images}
        self._lead = item.image or next(iter(item.images), None)
        self._seen = {
            attributes(rest).get("src")
            for kind, name, rest in self._tokens
            if name == "img" and kind == START
        }
        self._has_picture = False

    def content(self) -> str:
        """The content or the summary, preceded by the lead image if it contains no image."""
        try:
            content = self._rewritten()
        except ContentSizeError:
            content = ""
        if not content and self._item.summary:
            content = f"<p>{escaped(self._item.summary)}</p>"
        if self._lead and not (content and self._has_picture):
            content = f"<p>{self._own_picture(self._lead)}</p>\n{content}".rstrip()
        return _cleaner().clean(content)

    def _rewritten(self) -> str:
        ends = _ends(self._tokens)
        at = 0  # index of the next token: those of a player that was replaced are skipped
        for n, (kind, name, rest) in enumerate(self._tokens):
            if n < at:
                continue
            if kind == TEXT:
                self._builder.text(name)
            elif name in _PLAYED:
                if kind == START and self._medium(n, ends.get(n, n)):
                    at = ends.get(n, n) + 1
            elif name in _UNWRAPPED:
                continue
            elif kind == END:
                self._builder.end(name)
            else:
                self._start(name, attributes(rest) if rest else {})
        return self._builder.result()

    def _start(self, name: str, given: dict[str, str]) -> None:
        if name == "img":
            if image := self._image(given):
                self._show(image)
            return
        href = given.get("href", "")
        if name == "a" and self._parameters and self._is_page(href):
            given["href"] = with_parameters(href, self._parameters)
        if name in VOID:
            self._builder.void(name, start_tag(name, given))
        else:
            self._builder.start(name, start_tag(name, given))

    def _show(self, image: str) -> None:
        self._builder.void("img", image)
        self._has_picture = True

    def _is_page(self, url: str) -> bool:
        """Whether a URL is that of a page of this site, not of another file."""
        parts, home = urlsplit(url), self._home
        return (
            parts.scheme in WEB_SCHEMES
            and parts.netloc == home.netloc
            and f"{parts.path}/".startswith(home.path)
            and type_of(url) in {"", "text/html"}
        )

    # Pictures

    def _image(self, attributes: dict[str, str]) -> str:
        if attributes.get("style") in _STYLES:
            return start_tag("img", attributes)  # made here: sanitized content has no style
        url = attributes.get("src") or _candidate(attributes.get("srcset", ""))
        if not url:
            return ""
        picture = self._pictures.get(url)
        alt = attributes.get("alt") or (picture.title if picture else "")
        width, height = _pixels(attributes, "width"), _pixels(attributes, "height")
        if picture and picture.width and picture.height:
            if not width:
                width, height = picture.width, picture.height
            elif not height:
                height = max(1, round(width * picture.height / picture.width))
        rest = {key: text for key, text in attributes.items() if key in {"title", "lang", "dir"}}
        return _picture(url, alt, width, height, rest)

    def _own_picture(self, picture: Enclosure, alt: str = "") -> str:
        return _picture(picture.url, picture.title or alt, picture.width, picture.height, {})

    # Players

    def _medium(self, start: int, end: int) -> bool:
        """Writes a link to the media of a frame or player, with a still image if there is one.

        False if it has no URL; then its fallback content is used.
        """
        name = self._tokens[start][1]
        given = attributes(self._tokens[start][2])
        title = given.get("title", "")
        sources = (
            attributes(rest).get("src", "")
            for kind, inner, rest in islice(self._tokens, start, end + 1)
            if kind == START and inner in {name, "source"}
        )
        url = next(filter(None, sources), "")
        if not url:
            return False
        alt = title or self._item.title
        still = ""
        if name == "iframe":
            url = _page(url)
            title = title or (urlsplit(url).hostname or "").removeprefix("www.")
            if video := _YOUTUBE.fullmatch(url):
                # Every video has this one: https://developers.google.com/youtube/v3/docs/thumbnails
                address = f"https://i.ytimg.com/vi/{video[1]}/hqdefault.jpg"
                still = _picture(address, alt, 480, 360, {})
        elif poster := given.get("poster"):
            width, height = _pixels(given, "width"), _pixels(given, "height")
            still = _picture(poster, alt, width, height, {})
        if not still and name != "audio" and self._lead and self._lead.url not in self._seen:
            self._seen.add(self._lead.url)
            still = self._own_picture(self._lead, alt)
        title = title or strip_unprintable(unquote(urlsplit(url).path.rpartition("/")[2])) or url
        self._link(url, still, title)
        return True

    def _link(self, url: str, still: str, title: str) -> None:
        """Writes a link in a paragraph of its own, unless it is in an inline element of another."""
        builder = self._builder
        in_paragraph, in_link = builder.innermost == "p", builder.is_open("a")
        is_apart = in_paragraph or not builder.is_open("p")
        if is_apart:
            builder.start("p", "<p>")
        if not in_link:
            builder.start("a", start_tag("a", {"href": url}))
        if still:
            self._show(still)
            builder.void("br", "<br>")
        builder.text(f"{_PLAY} {title}", is_decoded=True)
        if not in_link:
            builder.end("a")
        if is_apart:
            builder.end("p")
        if in_paragraph:
            builder.start("p", "<p>")


def _ends(read: Sequence[Token]) -> dict[int, int]:
    """Index of the start tag of each player → index of its end tag."""
    ends: dict[int, int] = {}
    begun: dict[str, list[int]] = {name: [] for name in _PLAYED}
    for n, (kind, name, _) in enumerate(read):
        if name in _PLAYED and kind == START:
            begun[name].append(n)
        elif name in _PLAYED and kind == END and begun[name]:
            ends[begun[name].pop()] = n
    return ends


@cache
def _cleaner() -> nh3.Cleaner:
    """Without callbacks, so threads can share it."""
    import nh3

    left = TAGS - _PLAYED - _UNWRAPPED
    allowed = {tag: set(names) for tag, names in ATTRIBUTES.items() if tag in left or tag == "*"}
    allowed["img"] = {"src", "alt", "width", "height"}
    return nh3.Cleaner(
        tags=set(left),
        attributes=allowed,
        tag_attribute_values={"img": {"style": set(_STYLES)}},
        url_schemes=set(SCHEMES),
        link_rel=None,
    )


def _page(url: str) -> str:
    """The URL of the page for a player, its own URL if none is known."""
    for player, page in _PAGES:
        if found := player.fullmatch(url):
            return found.expand(page)
    return url


def _candidate(srcset: str) -> str:
    """The smallest image of a srcset that fills the width of an e-mail, otherwise the largest."""
    candidates = [candidate.partition(" ")[::2] for candidate in srcset.split(", ")]
    widths = [
        (int(size[:-1]), url) for url, size in candidates if re.fullmatch(r"[0-9]{1,5}w", size)
    ]
    if not widths:
        return candidates[0][0]
    return min((width < WIDTH, abs(width - WIDTH), url) for width, url in widths)[2]


def _picture(url: str, alt: str, width: int, height: int, rest: dict[str, str]) -> str:
    """An image that is at most `WIDTH` wide in every client. An unknown width or height is 0."""
    if width > WIDTH:
        width, height = WIDTH, height and max(1, round(height * WIDTH / width))
    attributes = {"src": url, "alt": alt, **rest, "width": str(width or WIDTH)}
    if width and height:
        attributes["height"] = str(height)
    attributes["style"] = _FLUID if width else _FLUID_UNSIZED
    return start_tag("img", attributes)


def _pixels(attributes: dict[str, str], name: str) -> int:
    """A size in pixels, 0 if there is none or it is in percent."""
    size = attributes.get(name, "")
    return int(size) if size.isdecimal() else 0
