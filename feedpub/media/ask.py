"""One request for a media file, and its result as a value.

First HEAD, which is cheap and shows whether the file changed; then, if necessary, the first bytes
(RFC 9110, 14 Range Requests). The size of every response is limited, and headers only count as far
as the bytes confirm them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urljoin

import requests
import urllib3.exceptions

from feedpub.errors import FeedpubError
from feedpub.media.connections import Deadline
from feedpub.media.facts import HEAD, VAGUE, Facts, facts_of_partial_file
from feedpub.media.guard import RefusedError
from feedpub.media.partial_file import PartialFile
from feedpub.media.types import registered_type, type_of
from feedpub.web import failure

_MOVED = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 503})
_MEDIA = ("image/", "audio/", "video/")
_MAX_LENGTH = 1 << 50
_PIECES = 3  # further parts to fetch, each of at most HEAD bytes
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)


class Asked(NamedTuple):
    """A file to ask for: `address` is the URL in the record, `url` that after redirects."""

    address: str
    url: str
    etag: str = ""
    last_modified: str = ""
    known: Facts = Facts()
    without_head: bool = False  # once HEAD has failed


class Answer(NamedTuple):
    """The result of a request; at most one of `facts`, `moved` and `error` is set."""

    facts: Facts | None = None
    etag: str = ""
    last_modified: str = ""
    is_unchanged: bool = False
    moved: str = ""  # the target of a redirect
    error: str = ""
    is_false: bool = False  # another file is there: old facts are wrong
    is_transient: bool = False  # a retry may succeed
    is_host: bool = False  # other URLs of this host would fail, too
    wait: str | None = None  # Retry-After of a busy host, "" without one


class _Range(NamedTuple):
    """A part of a file, in bytes."""

    first: int
    size: int
    total: int  # the file's length; 0: unknown


class _Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes  # up to the cap
    is_whole: bool

    def header(self, name: str) -> str:
        return self.headers.get(name, "").strip()

    @property
    def length(self) -> int:
        """Content-Length where it is one, and that of the file (RFC 9110, 8.6); else 0."""
        text = self.header("Content-Length")
        if self.header("Content-Encoding").lower() not in {"", "identity"}:
            return 0  # of the encoded form
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            return 0
        return int(text) if int(text) <= _MAX_LENGTH else 0

    @property
    def range(self) -> _Range | None:
        """The part of the file in the body, None if the header is missing or invalid."""
        found = _RANGE.fullmatch(self.header("Content-Range"))
        if self.status != 206 or not found:
            return None
        first, last = int(found[1]), int(found[2])
        total = 0 if found[3] == "*" else int(found[3])
        if last < first or (total and last >= total) or total > _MAX_LENGTH:
            return None
        return _Range(first, last - first + 1, total)


class _FinalAnswerError(FeedpubError):
    """Ends a request with an answer; `Asker` handles it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Asker(NamedTuple):
    """How hosts are asked; `connect` and `read` are in seconds."""

    session: requests.Session
    line: Deadline
    connect: float = 10
    read: float = 20

    def ask(self, asked: Asked) -> Answer:
        """Asks for facts about a file; errors are in the answer."""
        try:
            return self._ask(asked)
        except _FinalAnswerError as stop:
            return stop.answer
        except RefusedError as error:
            return Answer(error=str(error))
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
            return self.failure(error)

    def fetch(self, url: str, cap: int) -> tuple[Answer, bytes]:
        """Downloads at most `cap` bytes; errors are in the answer."""
        try:
            return Answer(), self._fetch(url, cap)
        except _FinalAnswerError as stop:
            return stop.answer, b""
        except RefusedError as error:
            return Answer(error=str(error)), b""
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
            return self.failure(error), b""

    def _fetch(self, url: str, cap: int) -> bytes:
        with self.send("GET", url, {}) as answer:
            reply = _Reply(answer.status_code, answer.headers, b"", False)
            if reply.status != 200:
                raise _FinalAnswerError(_not_there(url, reply))
            data = b"".join(pieces(answer, cap + 1))
            if self.line.is_cut:
                raise TimeoutError
        body, is_all = decoded(data, reply.header("Content-Encoding").lower(), cap)
        if not is_all or len(data) > cap:
            raise _FinalAnswerError(Answer(error=f"it has more than {cap} bytes"))
        return body

    def _ask(self, asked: Asked) -> Answer:
        since = {
            name: value
            for name, value in (
                ("If-None-Match", asked.etag),
                ("If-Modified-Since", asked.last_modified),
            )
            if value
        }
        told: _Reply | None = None
        if not asked.without_head:
            reply = self._request("HEAD", asked.url, since)
            if reply.status == 200:
                told = reply
                if (done := _told_by_head(asked, reply)) is not None:
                    return done
            elif reply.status == 304 or reply.status in _MOVED | _BUSY:
                _expect(asked, reply, bool(since))
        return self._look(asked, told, since if told is None else {})

    def _look(self, asked: Asked, told: _Reply | None, since: Mapping[str, str]) -> Answer:
        """Fetches the first bytes and a few others, and reads the facts from them."""
        reply = self._request("GET", asked.url, {**since, "Range": f"bytes=0-{HEAD - 1}"})
        if reply.status == 416 or (
            reply.status == 206 and (reply.range is None or reply.range.first)
        ):
            reply = self._request("GET", asked.url, since)  # it can't do ranges
        _expect(asked, reply, bool(since))
        head, length = _body(reply)
        if not length and told is not None:
            length = told.length
        if not head and reply.is_whole and "Content-Encoding" not in reply.headers:
            return Answer(error="the file is empty", is_false=True)
        declared = reply.header("Content-Type") or (told.header("Content-Type") if told else "")
        parts = {0: head}
        facts = Facts()
        for _ in range(_PIECES + 1):
            source = PartialFile.of_parts(parts, length)
            facts = facts_of_partial_file(source, asked.address, declared)
            place = source.missed
            if place < 0 or reply.status != 206 or not length or not facts.type.startswith(_MEDIA):
                break
            piece = self._piece(asked.url, place, reply)
            if not piece:
                break
            parts[place] = piece
        return _judged(asked, facts, declared, reply)

    def _piece(self, url: str, place: int, first: _Reply) -> bytes:
        """A part of the same file from a place on; nothing if it is no longer the same."""
        headers = {"Range": f"bytes={place}-{place + HEAD - 1}"}
        etag = first.header("ETag")
        if etag.startswith('"'):
            headers["If-Range"] = etag  # RFC 9110, 13.1.5
        try:
            reply = self._request("GET", url, headers)
        except (OSError, urllib3.exceptions.HTTPError):
            return b""  # the stored facts are still valid
        found, before = reply.range, first.range
        is_same = found and before and found.first == place and found.total == before.total
        return reply.body if is_same else b""

    def _request(self, method: str, url: str, headers: Mapping[str, str]) -> _Reply:
        with self.send(method, url, headers) as answer:
            reply = _Reply(answer.status_code, answer.headers, b"", False)
            wanted = 0 if method == "HEAD" or reply.status not in {200, 206} else HEAD
            if reply.range is not None:  # its length may be no number, or the file's
                wanted = min(wanted, reply.range.size)
            body = b"".join(pieces(answer, wanted))
            if self.line.is_cut:
                raise TimeoutError
            return reply._replace(body=body, is_whole=len(body) < wanted)

    def send(self, method: str, url: str, headers: Mapping[str, str]) -> requests.Response:
        """One request, without following redirects; its answer is not read yet."""
        timeout = (min(self.connect, self.line.left), min(self.read, self.line.left))
        return self.session.request(
            method, url, headers=dict(headers), stream=True, allow_redirects=False, timeout=timeout
        )

    def failure(self, error: Exception) -> Answer:
        """Turns a network error into an answer."""
        if self.line.is_cut:
            return Answer(error=f"it takes longer than {self.line.seconds:.0f} s", is_host=True)
        what, is_transient, is_host = failure(error)
        return Answer(error=what, is_transient=is_transient, is_host=is_host)


def pieces(answer: requests.Response, cap: int) -> Iterator[bytes]:
    """The body as sent, up to `cap` bytes; the rest is not read."""
    if not cap and (answer.request.method == "HEAD" or answer.status_code == 304):
        answer.raw.read(1)  # there is none, and the connection may be used again
    left = cap
    while left > 0:
        data = answer.raw.read(min(left, 16_384), decode_content=False)
        if not data:
            return
        left -= len(data)
        yield data


def decoded(data: bytes, encoding: str, cap: int) -> tuple[bytes, bool]:
    """The first `cap` bytes of the decoded body, and whether that is all of it.

    For hosts that compress against the request. Unknown encodings give no bytes.
    """
    if encoding in {"", "identity"}:
        return data[:cap], len(data) <= cap
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        return b"", False
    for bits in (47, -15):  # with a header of zlib or gzip; deflate is also sent without
        decoder = zlib.decompressobj(bits)
        try:
            body = decoder.decompress(data, cap)
        except zlib.error:
            continue
        return body, decoder.eof and not decoder.unconsumed_tail
    return b"", False


def moved_to(url: str, reply_headers: Mapping[str, str]) -> str:
    """The address that a redirect names, "" if it names none."""
    place = reply_headers.get("Location", "").strip()
    try:
        # Headers are Latin-1 to http.client, and UTF-8 to those who put more than ASCII there.
        place = place.encode("latin-1").decode("utf-8", "replace")
        return urljoin(url, place).partition("#")[0] if place else ""
    except ValueError:
        return ""


def status_error(status: int) -> str:
    """A status code with its standard phrase, not with the host's."""
    try:
        return f"its host answers {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"its host answers {status}"


def _told_by_head(asked: Asked, reply: _Reply) -> Answer | None:
    """The answer if HEAD is enough: the file is unchanged, or its type has no further facts."""
    etag = reply.header("ETag")
    if asked.known.type and etag and etag.removeprefix("W/") == asked.etag.removeprefix("W/"):
        return _unchanged(asked, reply)
    declared, named = registered_type(reply.header("Content-Type")), type_of(asked.address)
    if declared == "text/html" or declared in VAGUE:
        return None
    if not reply.length or declared.startswith(_MEDIA) or named not in {"", declared}:
        return None
    return _learnt(Facts(declared, reply.length), reply)


def _expect(asked: Asked, reply: _Reply, is_conditional: bool) -> None:
    """Returns if the response contains the file; raises `_FinalAnswerError` otherwise."""
    if reply.status in {200, 206}:
        return
    if reply.status == 304 and is_conditional:
        raise _FinalAnswerError(_unchanged(asked, reply))
    raise _FinalAnswerError(_not_there(asked.url, reply))


def _not_there(url: str, reply: _Reply) -> Answer:
    """The answer for a response without the file."""
    if reply.status in _MOVED:
        place = moved_to(url, reply.headers)
        error = "" if place else "its host sends it elsewhere, and doesn't say where"
        return Answer(moved=place, error=error)
    error = status_error(reply.status)
    if reply.status in _BUSY:
        return Answer(error=error, is_transient=True, wait=reply.header("Retry-After"))
    return Answer(error=error, is_transient=reply.status >= 500)


def _body(reply: _Reply) -> tuple[bytes, int]:
    """The first bytes of the file, and its length (0: unknown)."""
    encoding = reply.header("Content-Encoding").lower()
    if encoding not in {"", "identity"}:
        body, is_all = decoded(reply.body, encoding, HEAD)
        return body, len(body) if is_all and reply.is_whole and reply.status == 200 else 0
    if reply.range is not None:
        return reply.body, reply.range.total
    if reply.is_whole:
        return reply.body, len(reply.body)
    return reply.body, reply.length


def _judged(asked: Asked, facts: Facts, declared: str, reply: _Reply) -> Answer:
    """The facts, or an error if another kind of file came, such as a page that says "not found"."""
    named = type_of(asked.address)
    claims = [kind for kind in (named, registered_type(declared)) if kind.startswith(_MEDIA)]
    if claims and not facts.type.startswith((*_MEDIA, "application/ogg")):
        what = {"text/html": "a web page is", "": "something unknown is"}.get(
            facts.type, f"{facts.type} is"
        )
        return Answer(error=f"{what} there, and nothing of type {claims[0]}", is_false=True)
    if facts.type == "text/html" and named not in {"", "text/html"}:
        return Answer(error=f"a web page is there, and nothing of type {named}", is_false=True)
    return _learnt(facts, reply)


def _learnt(facts: Facts, reply: _Reply) -> Answer:
    return Answer(
        facts=facts,
        etag=_kept(reply.header("ETag")),
        last_modified=_kept(reply.header("Last-Modified")),
    )


def _unchanged(asked: Asked, reply: _Reply) -> Answer:
    etag, date = _kept(reply.header("ETag")), _kept(reply.header("Last-Modified"))
    return Answer(
        facts=asked.known,
        etag=etag or asked.etag,
        last_modified=date or asked.last_modified,
        is_unchanged=True,
    )


def _kept(value: str) -> str:
    """The value of a header if it is safe to send back, otherwise ""."""
    return value if len(value) <= 300 and value.isascii() and value.isprintable() else ""
