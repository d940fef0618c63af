"""Sessions of requests that only connect to allowed addresses, with a deadline.

Imported where a network is used, since it imports requests.

Proxies in the environment are ignored: behind a proxy, the address of the connection cannot be
checked.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, ClassVar

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from feedpub.media.guard import Allowed, targets

_here = threading.local()


class Deadline:
    """A time limit for everything that this thread requests; `cut` ends it from any thread.

    Timeouts of sockets don't do: they begin anew with each byte that drips in. While a
    line is entered, the connections that this thread uses belong to it.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.is_cut = False
        self._lock = threading.Lock()
        self._held: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self.cut)
        self._timer.daemon = True
        self._end = 0.0

    @property
    def left(self) -> float:
        """Remaining seconds, at least 0.05."""
        return max(0.05, self._end - time.monotonic())

    def __enter__(self) -> Deadline:
        self._end = time.monotonic() + self.seconds
        self._timer.start()
        _here.line = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _here.line = None
        self._timer.cancel()
        with self._lock:
            for handle in self._held:
                handle.close()
            self._held.clear()
        self._timer.join()

    def hold(self, sock: socket.socket) -> None:
        """Registers a socket for `cut`; raises `TimeoutError` after `cut`."""
        with self._lock:
            if self.is_cut:
                raise TimeoutError("cut off")
            # A handle of its own: TLS takes the socket away, and "close" closes it early.
            self._held.append(socket.fromfd(sock.fileno(), sock.family, sock.type))

    def cut(self) -> None:
        """Closes all registered sockets; pending reads and writes fail."""
        with self._lock:
            self.is_cut = True
            for handle in self._held:
                with contextlib.suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)


class _Checked(HTTPConnection):
    """A connection of urllib3 that checks the address just before it connects.

    Host, SNI and the check of the certificate stay by name.
    """

    exempt: ClassVar[Allowed]

    def _new_conn(self) -> socket.socket:
        line: Deadline = _here.line
        limit = self.timeout if isinstance(self.timeout, int | float) else line.left
        end = time.monotonic() + min(limit, line.left)
        try:
            seconds = end - time.monotonic()
            found = targets(self._dns_host, self.port, self.exempt, seconds, lambda: line.is_cut)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, str(error)) from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, str(error)) from error
        failure: OSError = OSError("the host has no address")
        for n, target in enumerate(found):
            # What is left is shared: a dead first address leaves time for the second.
            share = max(0.05, (end - time.monotonic()) / (len(found) - n))
            sock = socket.socket(target.family, socket.SOCK_STREAM)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                line.hold(sock)
                sock.settimeout(share)
                sock.connect(target.address)
                sock.settimeout(limit)
                return sock
            except OSError as error:
                failure = error
                sock.close()
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "no connection in time") from failure
        raise NewConnectionError(self, str(failure)) from failure

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # kept from an earlier request
            _here.line.hold(self.sock)
        super().putrequest(*args, **kwargs)


class _CheckedTLS(_Checked, HTTPSConnection):
    """The same with TLS."""


class _Adapter(HTTPAdapter):
    """An adapter for requests that uses these connections."""

    def __init__(self, exempt: Allowed, at_once: int) -> None:
        self._exempt = exempt
        super().__init__(pool_connections=4, pool_maxsize=at_once, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **kwargs: Any
    ) -> None:
        plain = type("Checked", (_Checked,), {"exempt": self._exempt})
        tls = type("CheckedTLS", (_CheckedTLS,), {"exempt": self._exempt})
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, **kwargs
        )
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("PoolTLS", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
        }


def session(exempt: Allowed, agent: str, at_once: int = 1) -> requests.Session:
    """A session without cookies, ~/.netrc and proxies.

    Of the environment it takes REQUESTS_CA_BUNDLE, as requests itself does: it says whom
    to trust, and is not sent.
    """
    made = requests.Session()
    made.trust_env = False
    made.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    made.headers.clear()
    # "identity", or a length is that of a compressed answer and not of the file
    made.headers.update({"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "identity"})
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.adapters.clear()
    adapter = _Adapter(exempt, at_once)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made
