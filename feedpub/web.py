"""HTTP requests: sessions, the meaning of errors, and Retry-After.

Sessions of requests are made here and in `media/connections.py`, whose connections refuse private
addresses and are for URLs that a record names. What belongs elsewhere: what an answer means for
a push (`publish/http.py`) or for what is known of a file (`media/ask.py`). Import it where a
network is used: requests takes long to import.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple

import requests
import urllib3.exceptions

from feedpub.errors import RunError
from feedpub.version import VERSION

TIMEOUT = (10, 30)  # seconds: to connect, and between two pieces of an answer
MAX_BYTES = 50_000_000


class Failure(NamedTuple):
    """The meaning of a network error."""

    what: str  # without URLs
    is_transient: bool = False  # a retry may succeed
    is_host: bool = True  # other requests to this host would fail, too


def user_agent(contact: str = "") -> str:
    """feedpub and its version, with the URL of the site that it runs for."""
    return f"feedpub/{VERSION} (+{contact})" if contact else f"feedpub/{VERSION}"


def session(headers: Mapping[str, str] | None = None, auth: Any = None) -> requests.Session:
    """A session without cookies, which only sends the credentials in `auth`."""
    made = requests.Session()
    # Without an `auth`, requests sends what ~/.netrc has, to any host.
    made.auth = auth or _unchanged
    made.headers.update({"User-Agent": user_agent(), **(headers or {})})
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return made


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def get(url: str) -> tuple[bytes, str]:
    """The content of a URL, and the URL after redirects. Raises `RunError`."""
    try:
        with (
            session({"Accept": "*/*"}) as made,
            made.get(url, timeout=TIMEOUT, stream=True) as answer,
        ):
            if not answer.ok:
                what = f"the host answers {answer.status_code} {answer.reason}"
                raise RunError(f"{url}: {what}; is the address right?")
            data = bytearray()
            for piece in answer.iter_content(65536):
                data += piece
                if len(data) > MAX_BYTES:
                    raise RunError(f"{url}: more than {MAX_BYTES // 10**6} MB; is it a feed?")
            return bytes(data), answer.url
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        what = f"it cannot be fetched ({failure(error).what})"
        raise RunError(f"{url}: {what}; is the address right, and the network up?") from error


def retry_after(text: str, now: float) -> float:
    """Retry-After in seconds from `now` (RFC 9110, 10.2.3), 0 if it says nothing usable."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0


def failure(error: BaseException) -> Failure:
    """The meaning of an error raised by requests, urllib3 or a socket."""
    causes = list(_causes(error))
    for kind, what, is_transient in (
        (urllib3.exceptions.NameResolutionError, "its host is not known", False),
        (ssl.SSLCertVerificationError, "its host's certificate is not valid", False),
        (ssl.SSLEOFError, "the connection was broken off", True),
        (ssl.SSLError, "TLS with its host failed", False),
        (ConnectionRefusedError, "its host refuses the connection", False),
        (requests.ConnectTimeout, "its host can't be reached in time", False),
        (requests.ReadTimeout, "its host doesn't answer in time", False),
        (TimeoutError, "its host doesn't answer in time", False),
        (urllib3.exceptions.ReadTimeoutError, "its host doesn't answer in time", False),
        (urllib3.exceptions.NewConnectionError, "its host can't be reached", True),
    ):
        if any(isinstance(cause, kind) for cause in causes):
            return Failure(what, is_transient)
    broken = (OSError, urllib3.exceptions.ProtocolError)
    if any(
        isinstance(cause, broken) and not isinstance(cause, requests.RequestException)
        for cause in causes
    ):
        return Failure("the connection was broken off", is_transient=True)
    return Failure("its host's answer is not understood", is_host=False)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and its causes, which requests and urllib3 wrap in several ways."""
    waiting, seen = [error], 0
    while waiting and seen < 20:
        one = waiting.pop()
        seen += 1
        yield one
        wrapped = [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
        waiting += [part for part in wrapped if isinstance(part, BaseException)]
