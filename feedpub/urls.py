"""URLs as people write them → absolute, percent-encoded URLs for feeds (RFC 3986)."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from feedpub.errors import FeedpubError

WEB_SCHEMES = frozenset({"http", "https"})
# Most URLs need no change; one match finds those.
_CLEAN = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?:[/?][!$&-;=?-Z_a-z~]*+)?")
_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SAFE = "!$%&'()*+,/:;=?@~-._"


class UrlError(FeedpubError):
    """A text is not a URL that can be published. The message says why."""


def absolute_url(text: str, base: str = "") -> str:
    """An absolute http or https URL, percent-encoded, with the host in ASCII.

    A relative URL is resolved against `base`. The URL still names the same resource: spaces
    and non-ASCII characters are encoded, double slashes and dots are kept. Control characters
    and lone surrogates are removed. Raises `UrlError`.
    """
    if "&amp;" in text:  # escaped for HTML by mistake
        text = text.replace("&amp;", "&")
    if _CLEAN.fullmatch(text):
        return text
    text = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "", text.strip())
    if not text:
        raise UrlError("it is empty")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):(?!\d)", text)
    if scheme and scheme[1].lower() not in WEB_SCHEMES:
        raise UrlError(f"a {scheme[1][:20]}: address cannot be published")
    if not scheme:
        if not base:
            raise UrlError(f"{text[:60]!r} has no scheme")
        if not text.startswith(("/", "?", "#", ".")) and _looks_like_host(text):
            raise UrlError(f"{text[:60]!r} has no scheme")
    try:
        parts = urlsplit(text if scheme else urljoin(base, text))
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            import idna  # rarely needed; Python's own codec implements IDNA 2003 only

            host = idna.encode(host, uts46=True).decode("ascii")
    except (ValueError, UnicodeError):
        raise UrlError(f"{text[:60]!r} is not an address") from None
    if not host or not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host):
        raise UrlError(f"{text[:60]!r} names no host")
    if ":" in host:
        host = f"[{host}]"
    netloc = host if port is None else f"{host}:{port}"
    return urlunsplit(
        (
            parts.scheme.lower(),
            netloc,
            _encode(parts.path),
            _encode(parts.query),
            _encode(parts.fragment),
        )
    )


def has_scheme(text: str) -> bool:
    """Whether an address begins with a scheme, as `https://example.org/` and `mailto:a@b` do."""
    return bool(_SCHEME.match(text))


def _looks_like_host(text: str) -> bool:
    """Whether a text lacks only its scheme, as `example.org/x` does and `pics/a.jpg` does not."""
    first, slash, _ = text.partition("/")
    if not slash:
        return first.lower().startswith("www.")
    return bool(re.fullmatch(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?::\d+)?", first))


def _encode(part: str) -> str:
    return quote(_BAD_PERCENT.sub("%25", part), safe=_SAFE)
