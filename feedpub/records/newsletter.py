"""An item → the same item with content that e-mail clients can show.

Mail clients show no frames, players, srcset or style sheets, and some read the width of an
image from its attribute only (https://www.caniemail.com/). docs/newsletters.md describes what
mailing services read from a feed.

The content was serialised by nh3 (`feedpub.records.content`): every `<` begins a tag, and
every tag has the same form, so it can be read tag by tag.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from feedpub.media.types import type_of
from feedpub.model import Enclosure, Item
from feedpub.records.content import content_text, without_empty
from feedpub.records.text import strip_unprintable, summary_of
from feedpub.urls import WEB_SCHEMES, absolute_url

Parameters = Sequence[tuple[str, str]]  # of the query of URLs: name, value
WIDTH = 600  # pixels: the usual width of an e-mail template

_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)((?: [a-z-]+=\"[^\"]*\")*)>")
_ATTRIBUTE = re.compile(r" ([a-z-]+)=\"([^\"]*)\"")
# Clients with CSS shrink it to the screen; Outlook on Windows reads the attributes only.
_FLUID = "max-width:100%;height:auto"
# For an image of unknown width: its own size, except in Outlook, where it could be too wide.
_FLUID_UNSIZED = f"width:auto;{_FLUID}"
_PLAY = "\u25b6"  # a play button, understood in every language

_PLAYED = frozenset({"iframe", "video", "audio"})
_VOID = frozenset({"br", "col", "hr", "wbr"})  # other elements without an end tag are replaced

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
        self._tags = list(_TAG.finditer(item.content_html))
        self._pictures = {picture.url: picture for picture in item.images}
        self._lead = item.image or next(iter(item.images), None)
        self._seen = {_attributes(tag).get("src") for tag in self._tags if tag[2] == "img"}
        self._open: list[str] = []  # the elements around the current tag

    def content(self) -> str:
        """The content or the summary, preceded by the lead image if it contains no image."""
        markup, parts, at = self._item.content_html, [], 0
        for n, tag in enumerate(self._tags):
            if tag.start() < at:  # part of a player that was replaced
                continue
            parts.append(markup[at : tag.start()])
            at = tag.end()
            if tag[2] in _PLAYED:
                if tag[1]:
                    continue
                end = self._end_of(n)
                if medium := self._medium(self._tags[n : end + 1]):
                    parts.append(medium)
                    at = self._tags[end].end()
            else:
                parts.append(self._tag(tag))
        content = without_empty("".join((*parts, markup[at:])))
        if not content and self._item.summary:
            content = f"<p>{_text(self._item.summary)}</p>"
        if self._lead and not any(tag[2] == "img" for tag in _TAG.finditer(content)):
            content = f"<p>{self._own_picture(self._lead)}</p>\n{content}".rstrip()
        return content

    def _tag(self, tag: re.Match[str]) -> str:
        closing, name = tag[1], tag[2]
        if name in {"picture", "source", "track"}:
            return ""
        if name == "img":
            return self._image(tag)
        if closing:
            self._open.pop()
        elif name not in _VOID:
            self._open.append(name)
        if name == "a" and not closing and self._parameters:
            attributes = _attributes(tag)
            href = attributes.get("href", "")
            if self._is_page(href):
                attributes["href"] = with_parameters(href, self._parameters)
                return _written("a", attributes)
        return tag[0]

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

    def _image(self, tag: re.Match[str]) -> str:
        attributes = _attributes(tag)
        if "style" in attributes:
            return tag[0]  # made here: sanitized content has no style
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

    def _end_of(self, n: int) -> int:
        """The index of the end tag for the nth tag, n itself if there is none."""
        name, depth = self._tags[n][2], 0
        for m in range(n, len(self._tags)):
            if self._tags[m][2] == name:
                depth += -1 if self._tags[m][1] else 1
                if not depth:
                    return m
        return n

    def _medium(self, tags: Sequence[re.Match[str]]) -> str:
        """A link to the media of a frame or player, with a still image if there is one.

        "" if it has no URL; then its fallback content is used.
        """
        attributes = _attributes(tags[0])
        name, title = tags[0][2], attributes.get("title", "")
        sources = [_attributes(tag).get("src", "") for tag in tags if tag[2] in {name, "source"}]
        url = next(filter(None, sources), "")
        if not url:
            return ""
        alt = title or self._item.title
        still = ""
        if name == "iframe":
            url = _page(url)
            title = title or (urlsplit(url).hostname or "").removeprefix("www.")
            if video := _YOUTUBE.fullmatch(url):
                # Every video has this one: https://developers.google.com/youtube/v3/docs/thumbnails
                address = f"https://i.ytimg.com/vi/{video[1]}/hqdefault.jpg"
                still = _picture(address, alt, 480, 360, {})
        elif poster := attributes.get("poster"):
            width, height = _pixels(attributes, "width"), _pixels(attributes, "height")
            still = _picture(poster, alt, width, height, {})
        if not still and name != "audio" and self._lead and self._lead.url not in self._seen:
            self._seen.add(self._lead.url)
            still = self._own_picture(self._lead, alt)
        title = title or strip_unprintable(unquote(urlsplit(url).path.rpartition("/")[2])) or url
        inside = f"{still}<br>{_PLAY} {_text(title)}" if still else f"{_PLAY} {_text(title)}"
        if "a" not in self._open:
            inside = f"{_written('a', {'href': url})}{inside}</a>"
        if self._open[-1:] == ["p"]:
            return f"</p><p>{inside}</p><p>"
        return inside if "p" in self._open else f"<p>{inside}</p>"


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
    return _written("img", attributes)


def _pixels(attributes: dict[str, str], name: str) -> int:
    """A size in pixels, 0 if there is none or it is in percent."""
    size = attributes.get(name, "")
    return int(size) if size.isdecimal() else 0


def _attributes(tag: re.Match[str]) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag[3])}


def _written(name: str, attributes: dict[str, str]) -> str:
    """A start tag as nh3 writes it."""
    written = (f' {key}="{_quoted(value)}"' for key, value in attributes.items())
    return f"<{name}{''.join(written)}>"


def _quoted(value: str) -> str:
    return _text(value).replace('"', "&quot;")


def _text(text: str) -> str:
    """A text as nh3 writes it."""
    return html.escape(text, quote=False).replace("\xa0", "&nbsp;")
