"""HTTP requests of a push, and what an answer means for it."""

from __future__ import annotations

import threading
import time
from typing import Any

import requests

from feedpub import web
from feedpub.publish.body import Body
from feedpub.publish.errors import FileError, TargetError, TransientError

_AGAIN = frozenset({408, 423, 425, 429, 500, 502, 503, 504})
_NO_ACCESS = {401: "the user or the password is wrong", 403: "it is forbidden", 407: "a proxy asks"}


class Client:
    """Requests to one host. Each thread has its own connections."""

    def __init__(self, auth: Any = None, headers: dict[str, str] | None = None) -> None:
        self._auth = auth
        self._headers = headers
        self._mine = threading.local()
        self._sessions: list[requests.Session] = []

    def _session(self) -> requests.Session:
        session = getattr(self._mine, "session", None)
        if session is None:
            session = self._mine.session = web.session(self._headers, self._auth)
            self._sessions.append(session)
        return session

    def ask(
        self, method: str, url: str, allow: tuple[int, ...] = (), **how: Any
    ) -> requests.Response:
        """An answer with status 2xx, or one in `allow`.

        Raises `TransientError`, `TargetError` if access is denied, else `FileError`.
        """
        how.setdefault("timeout", web.TIMEOUT)
        how.setdefault("allow_redirects", False)
        try:
            answer = self._session().request(method, url, **how)
        except requests.exceptions.SSLError as error:
            raise TargetError(web.failure(error).what) from None
        except (requests.ConnectionError, requests.Timeout) as error:
            raise TransientError(web.failure(error).what) from None
        except requests.RequestException as error:
            raise FileError(f"{method} failed: {web.failure(error).what}") from None
        code = answer.status_code
        if code in allow or 200 <= code < 300:
            return answer
        what = f"{method}: the host answers {code} {answer.reason}"
        if code in _AGAIN:
            raise TransientError(
                what, web.retry_after(answer.headers.get("Retry-After", ""), time.time())
            )
        if code in _NO_ACCESS:
            raise TargetError(f"{what}: {_NO_ACCESS[code]}")
        if 300 <= code < 400:
            raise TargetError(f"{what}: it was moved; use the new address")
        raise FileError(what)

    def send(
        self, method: str, url: str, body: Body, allow: tuple[int, ...] = (), **how: Any
    ) -> requests.Response:
        """Like `ask`, with a body; a large one is streamed."""
        if body.file is None:
            return self.ask(method, url, allow, data=body.data, **how)
        with body.open() as file:
            return self.ask(method, url, allow, data=file, **how)

    def close(self) -> None:
        """Closes all connections."""
        for session in self._sessions:
            session.close()
