"""A web server on loopback that behaves as badly as it is told to: plain sockets, no courtesy."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import BinaryIO, NamedTuple

import pytest


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]  # names in lower case


Route = Callable[["Server", Request, socket.socket], bool]  # whether the connection is kept


class Server:
    """Answers by its routes; remembers what it was asked, and how much at once."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        address: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.routes = routes
        self.requests: list[Request] = []
        self.at_once = 0
        self.most_at_once = 0
        self.sent: Counter[str] = Counter()  # bytes by path
        self.is_over = threading.Event()
        self._tls = tls
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            self._socket = socket.create_server((address, 0), family=family, backlog=128)
        except OSError:
            pytest.skip(f"this machine has no {address}")
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self.host = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def methods(self, path: str) -> list[str]:
        return [request.method for request in self.requests if request.path == path]

    def __enter__(self) -> Server:
        thread = threading.Thread(target=self._accept)
        self._threads.append(thread)
        thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes who accepts, on Linux
        with self._lock:
            for conn in self._open:
                with contextlib.suppress(OSError):
                    conn.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._socket.close()

    def _accept(self) -> None:
        while not self.is_over.is_set():
            try:
                conn, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            conn.settimeout(20)
            with self._lock:
                self._open.add(conn)
            thread = threading.Thread(target=self._serve, args=(conn,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, conn: socket.socket) -> None:
        raw = conn
        try:
            if self._tls:
                conn = self._tls.wrap_socket(conn, server_side=True)
            with conn, conn.makefile("rb") as lines:
                while self._answer(conn, lines):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(raw)
            raw.close()

    def _answer(self, conn: socket.socket, lines: BinaryIO) -> bool:
        first = lines.readline().decode("latin-1").split()
        if len(first) != 3:
            return False
        headers = {}
        while line := lines.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        request = Request(first[0], first[1], headers)
        with self._lock:
            self.requests.append(request)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self.routes.get(request.path, missing)(self, request, conn)
        finally:
            with self._lock:
                self.at_once -= 1

    def sleep(self, seconds: float) -> None:
        self.is_over.wait(seconds)


def reply(
    conn: socket.socket, status: int, headers: Mapping[str, object] | None = None, body: bytes = b""
) -> bool:
    lines = [f"HTTP/1.1 {status} Anything", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    conn.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
    return True


def missing(server: Server, request: Request, conn: socket.socket) -> bool:
    return status(404)(server, request, conn)


def status(code: int, **headers: object) -> Route:
    def route(server: Server, request: Request, conn: socket.socket) -> bool:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return reply(conn, code, {"Content-Length": 0, **named})

    return route


def file(
    data: bytes,
    kind: str = "",
    *,
    etag: str = "",
    modified: str = "",
    ranges: bool = True,
    head: int = 200,
    length: object = None,
    encoding: str = "",
) -> Route:
    """A file as a good server gives it, or one with the faults that are named."""

    def route(server: Server, request: Request, conn: socket.socket) -> bool:
        headers: dict[str, object] = {}
        if kind:
            headers["Content-Type"] = kind
        if etag:
            headers["ETag"] = etag
        if modified:
            headers["Last-Modified"] = modified
        if encoding:
            headers["Content-Encoding"] = encoding
        is_known = (etag and request.headers.get("if-none-match") == etag) or (
            modified and request.headers.get("if-modified-since") == modified
        )
        if is_known:
            return reply(conn, 304, headers)
        if request.method == "HEAD":
            if head != 200:
                return reply(conn, head, {"Content-Length": 0})
            return reply(conn, 200, {**headers, "Content-Length": length or len(data)})
        wanted = request.headers.get("range", "")
        if ranges and wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            if int(first) >= len(data):
                return reply(
                    conn, 416, {"Content-Range": f"bytes */{len(data)}", "Content-Length": 0}
                )
            part = data[int(first) : int(last) + 1]
            headers["Content-Range"] = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
            server.sent[request.path] += len(part)
            return reply(conn, 206, {**headers, "Content-Length": length or len(part)}, part)
        server.sent[request.path] += len(data)
        reply(conn, 200, {**headers, "Content-Length": length or len(data)}, data)
        return not length

    return route


def moved(place: str, code: int = 302) -> Route:
    return status(code, Location=place)


def reset(server: Server, request: Request, conn: socket.socket) -> bool:
    """Breaks the connection off in the middle of a header."""
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-")
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def silent(server: Server, request: Request, conn: socket.socket) -> bool:
    server.sleep(20)
    return False


def dripping(what: bytes, pause: float = 0.05) -> Route:
    """Sends a byte at a time, forever."""

    def route(server: Server, request: Request, conn: socket.socket) -> bool:
        conn.sendall(what)
        end = time.monotonic() + 20
        while time.monotonic() < end and not server.is_over.is_set():
            conn.sendall(b"x")
            server.sleep(pause)
        return False

    return route


def endless(head: bytes, length: int) -> Route:
    """Sends a file of `length` bytes, whatever is asked for, until nobody listens."""

    def route(server: Server, request: Request, conn: socket.socket) -> bool:
        reply(conn, 200, {"Content-Length": length, "Content-Type": "audio/mpeg"})
        if request.method == "HEAD":
            return True
        conn.sendall(head)
        for _ in range(length // 65_536):
            conn.sendall(bytes(65_536))
            server.sent[request.path] += 65_536
        return False

    return route


def first_then(*routes: Route) -> Route:
    """Another answer each time; the last one from then on."""
    left = list(routes)

    def route(server: Server, request: Request, conn: socket.socket) -> bool:
        return (left.pop(0) if len(left) > 1 else left[0])(server, request, conn)

    return route
