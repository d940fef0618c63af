"""The raw content of a record → sanitized HTML with absolute URLs.

All markup is parsed and serialised by nh3 (ammonia, html5ever), so the result is always
well-formed HTML.
"""

from __future__ import annotations

import html
import re
import threading
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from feedpub.model import Record
from feedpub.records.text import plain_text, strip_unprintable, without_unseen
from feedpub.urls import WEB_SCHEMES, UrlError, absolute_url

if TYPE_CHECKING:
    import nh3
    from lxml import html as lxml_html
    from markdown_it import MarkdownIt

# Hosts whose players may be embedded. All other frames are removed.
EMBED_HOSTS = frozenset(
    {
        "archive.org",
        "bandcamp.com",
        "embed.podcasts.apple.com",
        "open.spotify.com",
        "player.twitch.tv",
        "player.vimeo.com",
        "rumble.com",
        "w.soundcloud.com",
        "www.dailymotion.com",
        "www.loom.com",
        "www.youtube-nocookie.com",
        "www.youtube.com",
        "youtube.com",
    }
)
# Hosts of tracking pixels, which tell a third party who reads an item.
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

_TAGS = frozenset(
    """a abbr acronym article aside audio b bdi bdo blockquote br caption center cite code col
    colgroup dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr
    i iframe img ins kbd li main mark nav ol p picture pre q rp rt ruby s samp section small source
    span strike strong sub summary sup table tbody td tfoot th thead time tr track tt u ul var
    video wbr""".split()
)
# Elements that are removed together with their text.
_DROPPED = frozenset(
    """script style title template noscript noframes noembed object embed applet svg math select
    textarea button head frameset xmp""".split()
)
_ATTRIBUTES = {
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
_CONTACT_SCHEMES = frozenset({"mailto", "tel"})  # of links to a person
_ADDRESSES = frozenset({"href", "src", "poster", "cite"})
_ALIGNMENTS = frozenset({"left", "right", "center", "justify"})
_UNSEEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_HIDDEN = re.compile(r"<[a-z]+\s[^<>]*\bhidden\b", re.IGNORECASE)
_DECLARATION = re.compile(r"\s*<\?[^<>]*>")  # lxml rejects it in a str
# Liquid's marks around text that Jekyll must not expand
_RAW = re.compile(r"\{%-?\s*(?:end)?raw\s*-?%\}")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_DESCRIPTOR = re.compile(r"(?:[0-9.]+x|[0-9]+w(?: [0-9]+h)?)?")
_SIZE = re.compile(r"\d{1,5}%?")

# nh3 writes every attribute as name="value" with quotes escaped, so these always match.
_IMAGE = re.compile(r"<img((?: [a-z-]+=\"[^\"]*\")*)>")
_FRAME = re.compile(r"<iframe((?: [a-z-]+=\"[^\"]*\")*)>.*?</iframe>", re.DOTALL)
_SOURCE = re.compile(r"<(?:source|track)((?: [a-z-]+=\"[^\"]*\")*)>")
_WRITTEN_TAG = re.compile(r"</?[a-z][a-z0-9]*(?: [a-z-]+=\"[^\"]*\")*>")
# Fallback content, which browsers never show.
_INSTEAD = re.compile(r"<(video|audio)\b[^>]*>.*?</\1>", re.DOTALL)
_PREFORMATTED = re.compile(r"<pre(?: [^>]*)?>(.*?)</pre>", re.DOTALL)
_PARAGRAPH = re.compile(
    r"</?(?:p|div|h[1-6]|ul|ol|dl|table|blockquote|section|article|figure|header|footer|main|nav"
    r"|aside|details|center|hr)(?: [a-z-]+=\"[^\"]*\")*>"
)
_LINE_END = re.compile(r"<br>|</(?:li|tr|dt|dd|caption|figcaption|summary)>")
_SPACE = re.compile(r"[ \t\n]+")
_CELL_END = re.compile(r"</t[dh]>")
_SPACES = re.compile(r"  +")
_AT_LINE_END = re.compile(r" *\n *")
_BULLET = re.compile(r"^-\n+", re.MULTILINE)  # of a list item with paragraphs
_MEDIA = re.compile(r"<(img|iframe|source|track)\b")
_ATTRIBUTE = re.compile(r" ([a-z-]+)=\"([^\"]*)\"")
_TEXT = re.compile(r"(?:^|>)[^<]*[^\s<]")
_EMPTY = re.compile(r"<(p|div|span|figure|a|picture|center|li|section)>\s*</\1>")

_BLOCK = re.compile(
    r"<(?:p|div|h[1-6]|ul|ol|table|blockquote|section|article|figure|pre|iframe|br|img|center|hr|dl|main|header"
    r"|details|video|audio)\b",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(
    r"^(?: {0,3}(?:#{1,6} |[-*+] |\d{1,3}[.)] |> |```|~~~)|\s*\|.*\|\s*$|(?:---+|\*\*\*+)$)"
    r"|\[[^\]\n]+\]\([^)\n]+\)|\*\*[^*\n]+\*\*|(?<!\w)__[^_\n]+__|`[^`\n]+`",
    re.MULTILINE,
)
_HTML_SIGN = re.compile(r"</(?:p|div|ul|ol|table|h[1-6])>|<br\s*/?>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]*)[^<>]*>")
# Elements without an end tag, or with an optional one.
_NEVER_NESTED = frozenset(
    """area base br col embed hr img input link meta source track wbr p li dt dd option tr td th
    tbody thead tfoot""".split()
)
MAX_DEPTH = 300
MAX_SELF_CLOSED = 10_000  # unknown elements such as <path/>
_MAX_BRACKETS = 500  # unclosed in one paragraph
_PRE = re.compile(r"(<pre(?: [^<>]*)?>)\n")
_DOCUMENT = re.compile(r"<!doctype\b|<html\b|<head\b|<body\b", re.IGNORECASE)
_INSIDE_TAGS = re.compile(
    r"<(pre|code|script|style)\b.*?</\1\s*>|<[^<>]*>", re.IGNORECASE | re.DOTALL
)


def content_html(record: Record, home: str) -> str:
    """The sanitized content of a record: embedded media, then the body; "" if it has none.

    Relative URLs are resolved against the link of the record, or `home` if it has no link.
    """
    base = record.link or home
    parts = [clean_html(record.featured, base)] if record.featured.strip() else []
    if record.body.strip():
        parts.append(clean_html(_to_html(record), base))
    content = "\n".join(part for part in parts if part)
    if content and record.summary and not _TEXT.search(content):
        # Only a player or a picture: add a text for readers that show neither.
        content += f"\n<p>{html.escape(record.summary, quote=False)}</p>"
    return content


def content_text(content: str) -> str:
    """Sanitized HTML → plain text in paragraphs, with the alt texts of images."""
    if "<video" in content or "<audio" in content:
        content = _INSTEAD.sub("", content)
    parts = _PREFORMATTED.split(content) if "<pre" in content else [content]
    for n, part in enumerate(parts):
        if n % 2 == 0:
            part = _SPACE.sub(" ", part)
            if "<img" in part:
                part = _IMAGE.sub(_alt, part)
            part = _LINE_END.sub("\n", _PARAGRAPH.sub("\n\n", part.replace("<li>", "- ")))
            part = _WRITTEN_TAG.sub("", _CELL_END.sub(" ", part))
            parts[n] = _BULLET.sub("- ", _AT_LINE_END.sub("\n", _SPACES.sub(" ", part)))
        else:
            parts[n] = _WRITTEN_TAG.sub("", part)
    return _BLANK_LINES.sub("\n\n", html.unescape("\n\n".join(parts))).strip()


def _alt(image: re.Match[str]) -> str:
    attributes: dict[str, str] = dict(_ATTRIBUTE.findall(image[1]))
    return attributes.get("alt", "")


def is_html(text: str) -> bool:
    """Whether a body is HTML. With the syntax of both it is Markdown, which may contain HTML."""
    if _is_document(text):
        return True
    start = text.lstrip()[:200]
    if _BLOCK.match(start) and all(line.lstrip()[:1] in "<" for line in text.split("\n")):
        return True
    if not _BLOCK.search(text) or _MARKDOWN.search(_INSIDE_TAGS.sub("", text)):
        return False
    return bool(_BLOCK.match(start) or _HTML_SIGN.search(text))


def _is_document(text: str) -> bool:
    """Whether a text is a whole HTML page, possibly after comments and declarations."""
    at = 0
    while True:
        at += len(text[at : at + 1000]) - len(text[at : at + 1000].lstrip())
        if text.startswith("<!--", at):
            end = text.find("-->", at)
        elif text.startswith("<?", at):
            end = text.find(">", at) - 2
        else:
            return bool(_DOCUMENT.match(text, at))
        if end < at:
            return False
        at = end + 3


def _too_deep(markup: str) -> bool:
    """Whether elements are nested too deeply: parsing takes time in the square of the depth."""
    if markup.count("<") < MAX_DEPTH:
        return False
    depth = self_closed = 0
    for tag in _ANY_TAG.finditer(without_unseen(markup)):
        name = tag[2].lower()
        if name in _NEVER_NESTED:
            continue
        if name not in _TAGS and tag[0].endswith("/>"):  # of SVG, or of a word processor
            self_closed += 1
            if self_closed > MAX_SELF_CLOSED:
                return True
            continue
        depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > MAX_DEPTH:
            return True
    return False


def _hides(markup: str) -> bool:
    """Whether there may be hidden elements."""
    # A search for a fixed word takes a tenth of the time of the pattern.
    lower = markup.lower()
    return bool(
        (("display" in lower or "mso-hide" in lower) and _UNSEEN.search(markup))
        or ("hidden" in lower and _HIDDEN.search(markup))
    )


def clean_html(markup: str, base: str) -> str:
    """Any HTML → a sanitized fragment, with URLs made absolute against `base`."""
    markup = strip_unprintable(markup)
    if _too_deep(markup):
        return f"<p>{html.escape(plain_text(_ANY_TAG.sub(' ', markup)), quote=False)}</p>"
    if _is_document(markup) or _hides(markup):
        markup, base = _seen(markup, base)
    cleaned = strip_unprintable(_parsers.clean(markup, base))
    media = set(_MEDIA.findall(cleaned))
    if "img" in media:
        cleaned = _IMAGE.sub(_keep_image, cleaned)
    if "iframe" in media:
        # The content of an iframe is ignored by HTML parsers, but not by simpler ones: remove it.
        cleaned = _FRAME.sub(
            lambda m: f"<iframe{m[1]}></iframe>" if ' src="' in m[1] else "", cleaned
        )
    if "source" in media or "track" in media:
        cleaned = _SOURCE.sub(lambda m: m[0] if "src" in m[1] else "", cleaned)
    cleaned = without_empty(cleaned)
    if "<pre" not in cleaned:
        return _BLANK_LINES.sub("\n", cleaned).strip()
    # HTML parsers drop a newline at the start of a pre, so write it twice.
    return _PRE.sub(r"\1\n\n", cleaned).strip()


def without_empty(cleaned: str) -> str:
    """Sanitized HTML without empty elements, which would show as a gap."""
    while (fewer := _EMPTY.sub("", cleaned)) != cleaned:
        cleaned = fewer
    return cleaned


def _to_html(record: Record) -> str:
    body = _RAW.sub("", record.body) if "{%" in record.body else record.body
    if record.body_type != "html" and not is_html(body):
        if any(part.count("[") - part.count("]") > _MAX_BRACKETS for part in body.split("\n\n")):
            body = body.replace(
                "[", "&#91;"
            )  # the time for links grows with the square of the unclosed brackets
        return _parsers.to_html(body)
    return body


class _Parsers(threading.local):
    """The parsers of one thread, each made when it is first needed.

    Both keep state while they work, so no two threads may share them.
    """

    def to_html(self, markdown: str) -> str:
        """Markdown (CommonMark with tables and strikethrough) as HTML, not yet sanitized."""
        rendered: str = self._markdown.render(markdown)
        return rendered

    def clean(self, markup: str, base: str) -> str:
        """The markup without disallowed parts, with URLs made absolute against `base`."""
        self._base = base
        cleaned: str = self._cleaner.clean(markup)
        return cleaned

    @cached_property
    def _markdown(self) -> MarkdownIt:
        from markdown_it import MarkdownIt  # takes 50 ms, needed for Markdown only

        return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

    @cached_property
    def _cleaner(self) -> nh3.Cleaner:
        import nh3

        return nh3.Cleaner(
            tags=set(_TAGS),
            clean_content_tags=set(_DROPPED),
            attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
            attribute_filter=self._attribute,
            url_schemes={*WEB_SCHEMES, *_CONTACT_SCHEMES},
            link_rel=None,
        )

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        if name in _ADDRESSES:
            return _address(tag, value, self._base)
        if name == "srcset":
            return _srcset(value, self._base)
        if name == "align":
            return value.lower() if value.lower() in _ALIGNMENTS else None
        if name in {"width", "height"}:
            size = value.strip().removesuffix("px")
            return size if _SIZE.fullmatch(size) else None
        return value


_parsers = _Parsers()


def _address(tag: str, value: str, base: str) -> str | None:
    scheme, colon, _ = value.strip().lower().partition(":")
    if tag == "a" and colon and scheme in _CONTACT_SCHEMES:
        return quote(value.strip(), safe="!#$%&'()*+,/:;=?@~")
    try:
        url = absolute_url(value, base)
    except UrlError:
        if ":" in value.partition("/")[0]:
            return None
        try:  # example.org/x without a scheme: browsers treat it as a relative URL
            url = absolute_url("./" + value.strip(), base)
        except UrlError:
            return None
    if tag not in {"iframe", "img"}:
        return url
    parts = urlsplit(url)
    host = parts.hostname or ""
    if tag == "iframe":
        return url if host in EMBED_HOSTS else None
    tracks = f".{host}".endswith(_TRACKERS) or _TRACKER_PATHS.search(parts.path)
    return None if tracks else url


def _srcset(value: str, base: str) -> str | None:
    """A srcset with absolute URLs (HTML, 4.8.4.2.1: URL, space, descriptor)."""
    candidates = []
    for match in re.finditer(r"\s*([^\s,]\S*[^\s,]|[^\s,])\s*((?:\s[^,()]*)?)(?:,|$)", value):
        try:
            url = absolute_url(match[1], base).replace(",", "%2C")
        except UrlError:
            continue
        descriptor = match[2].strip()
        if _DESCRIPTOR.fullmatch(descriptor):
            candidates.append(f"{url} {descriptor}".strip())
    return ", ".join(candidates) or None


def _keep_image(match: re.Match[str]) -> str:
    """The image tag, with an alt; "" if it has no URL, or is a pixel in size."""
    attributes = dict(_ATTRIBUTE.findall(match[1]))
    if "src" not in attributes and "srcset" not in attributes:
        return ""
    sizes = {attributes.get("width", ""), attributes.get("height", "")}
    if sizes & {"0", "1", "0%"}:
        return ""
    return match[0] if "alt" in attributes else f'<img{match[1]} alt="">'


def _seen(markup: str, base: str) -> tuple[str, str]:
    """The visible part of a page or a fragment, and the base URL of the page."""
    from lxml import etree
    from lxml import html as lxml_html

    try:
        root: lxml_html.HtmlElement = lxml_html.document_fromstring(_DECLARATION.sub("", markup))
    except (etree.ParserError, ValueError):
        return markup, base
    for element in root.iter("base"):
        try:
            base = absolute_url(element.get("href") or "", base)
        except UrlError:
            continue
        break
    body = root.find("body")
    if body is None:
        return markup, base
    for element in list(body.iter()):
        if not isinstance(element.tag, str) or element is body:
            continue
        if element.get("hidden") is not None or _UNSEEN.search(element.get("style") or ""):
            element.drop_tree()
    inner = html.escape(body.text or "", quote=False)
    for child in body:
        inner += lxml_html.tostring(child, encoding="unicode")
    return inner, base
