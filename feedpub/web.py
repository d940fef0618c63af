"""What is asked of other hosts, through requests; nothing else in feedpub opens a connection."""

from __future__ import annotations

import re

import requests

from feedpub.errors import RunError
from feedpub.version import VERSION

TIMEOUT = (10, 30)  # seconds: to connect, and between two pieces of an answer
MAX_BYTES = 50_000_000
USER_AGENT = f"feedpub/{VERSION}"


def get(url: str) -> tuple[bytes, str]:
    """What is at an address, and the address that it was found at; raises `RunError`."""
    headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
    try:
        with requests.get(url, headers=headers, timeout=TIMEOUT, stream=True) as answer:
            if not answer.ok:
                what = f"the host answers {answer.status_code} {answer.reason}"
                raise RunError(f"{url}: {what}; is the address right?")
            data = b""
            for piece in answer.iter_content(65536):
                data += piece
                if len(data) > MAX_BYTES:
                    raise RunError(f"{url}: more than {MAX_BYTES // 10**6} MB; is it a feed?")
            return data, answer.url
    except requests.RequestException as error:
        what = f"cannot be fetched ({reason(error)})"
        raise RunError(f"{url}: {what}; is the address right, and the network up?") from error


def reason(error: Exception) -> str:
    """The innermost of the errors that requests and urllib3 wrap in each other."""
    inner: object = error
    while isinstance(inner, Exception):
        nested = getattr(inner, "reason", None) or next(
            (arg for arg in inner.args if isinstance(arg, Exception)), None
        )
        if not isinstance(nested, Exception):
            break
        inner = nested
    text = str(getattr(inner, "strerror", None) or inner)
    text = text.rpartition(": ")[2] if "object at 0x" in text else text
    return re.sub(r"^HTTPS?Connection(Pool)?\([^)]*\): |\[Errno -?\d+\] ", "", text)
