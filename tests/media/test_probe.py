"""Asking hosts that are slow, broken, hostile or merely busy, on loopback."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.media.ask import decoded, moved_to
from feedpub.media.facts import HEAD, Facts
from feedpub.media.probe import DAY, HOUR, ProbeCounts, ProbeRecord, due, next_time, probe
from feedpub.media.scheduler import RequestSettings
from feedpub.web import retry_after
from tests.media import samples
from tests.media.server import (
    Request,
    Route,
    Server,
    dripping,
    endless,
    file,
    first_then,
    missing,
    moved,
    reply,
    reset,
    silent,
    status,
)

NOW = 1_700_000_000
SETTINGS = RequestSettings(
    allow=("127.0.0.0/8", "::1"), connect=2, read=2, total=5, budget=20, backoff=0.05
)
PATIENT = SETTINGS._replace(read=15, total=15)
JPEG = samples.picture()
MP3 = samples.mp3(3000)
LONG = samples.movie(
    samples.track(b"vide", 640, 360), samples.track(b"soun"), is_last=True, body=300_000
)
PAGE = b"<!doctype html><title>Not found</title>"


@pytest.fixture(autouse=True)
def no_threads_are_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    end = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left


def ask_all(
    *urls: str,
    settings: RequestSettings = SETTINGS,
    known: dict[str, ProbeRecord] | None = None,
    tally: ProbeCounts | None = None,
) -> dict[str, ProbeRecord]:
    return dict(probe(urls, known or {}, settings, lambda: NOW, tally))


def ask(route: Route, name: str = "/a.jpg", **kwargs: Any) -> ProbeRecord:
    with Server({name: route}) as server:
        url = server.url(name)
        return ask_all(url, **kwargs)[url]


GOOD = {
    "/a.jpg": (file(JPEG, "image/jpeg"), Facts("image/jpeg", len(JPEG), 40, 30)),
    "/a.mp3": (file(MP3, "audio/mpeg"), Facts("audio/mpeg", len(MP3), 0, 0, 78)),
    "/no-ranges.mp3": (file(MP3, ranges=False), Facts("audio/mpeg", len(MP3), 0, 0, 78)),
    "/chapters.mp3": (
        file(samples.mp3(3000, tag=200_000)),
        Facts("audio/mpeg", len(MP3) + 200_010, 0, 0, 78),
    ),
    "/last.mp4": (file(LONG, "video/mp4"), Facts("video/mp4", len(LONG), 640, 360, 90)),
    "/long.opus": (
        file(samples.opus(75, 20), "audio/ogg"),
        Facts("audio/ogg", len(samples.opus(75, 20)), 0, 0, 75),
    ),
    "/a.pdf": (file(b"%PDF-1.4", "application/pdf"), Facts("application/pdf", 8)),
    "/a.zip": (file(b"PK\3\4" + bytes(99)), Facts("application/zip", 103)),
    "/head-405.jpg": (file(JPEG, head=405), Facts("image/jpeg", len(JPEG), 40, 30)),
    "/head-501.jpg": (file(JPEG, head=501), Facts("image/jpeg", len(JPEG), 40, 30)),
    "/head-403.jpg": (file(JPEG, head=403), Facts("image/jpeg", len(JPEG), 40, 30)),
    "/head-404.jpg": (file(JPEG, head=404), Facts("image/jpeg", len(JPEG), 40, 30)),
    "/lies-of-type.jpg": (file(JPEG, "text/html"), Facts("image/jpeg", len(JPEG), 40, 30)),
    "/really-png.jpg": (
        file(samples.picture("PNG"), "image/jpeg"),
        Facts("image/png", len(samples.picture("PNG")), 40, 30),
    ),
    "/no-name": (file(JPEG, "binary/octet-stream"), Facts("image/jpeg", len(JPEG), 40, 30)),
    "/page": (file(PAGE, "text/html; charset=utf-8"), Facts("text/html", len(PAGE))),
    "/notes.txt": (file(b"Hello", "text/plain"), Facts("text/plain", 5)),
    "/captions.vtt": (file(b"WEBVTT\n", "text/vtt"), Facts("text/vtt", 7)),
}


def test_good_hosts_are_believed() -> None:
    with Server({name: route for name, (route, _) in GOOD.items()}) as server:
        found = ask_all(*map(server.url, GOOD))
        for name, (_, facts) in GOOD.items():
            assert found[server.url(name)] == ProbeRecord(facts, "", "", NOW, NOW), name
        assert server.methods("/a.pdf") == ["HEAD"]  # it says all there is to say
        assert server.methods("/a.jpg") == ["HEAD", "GET"]
        assert server.methods("/last.mp4") == ["HEAD", "GET", "GET"]
        ranges = [request.headers.get("range") for request in server.requests]
        assert f"bytes=0-{HEAD - 1}" in ranges
        assert all(
            sent <= 3 * HEAD for name, sent in server.sent.items() if "no-ranges" not in name
        )


BAD = {
    "/gone.jpg": (missing, "its host answers 404 Not Found"),
    "/odd.jpg": (status(799), "its host answers 799"),
    "/secret.jpg": (status(401), "its host answers 401 Unauthorized"),
    "/page.jpg": (file(PAGE, "text/html"), "a web page is there, and nothing of type image/jpeg"),
    "/page.mp3": (file(PAGE, "audio/mpeg"), "a web page is there, and nothing of type audio/mpeg"),
    "/page.pdf": (file(PAGE), "a web page is there, and nothing of type application/pdf"),
    "/error.mp3": (file(b'{"error": 1}'), "text/plain is there, and nothing of type audio/mpeg"),
    "/noise.jpg": (file(bytes(99)), "something unknown is there, and nothing of type image/jpeg"),
    "/empty.jpg": (file(b""), "the file is empty"),
    "/no-place.jpg": (status(302), "its host sends it elsewhere, and doesn't say where"),
    "/to-a-file.jpg": (moved("file:///etc/passwd"), "only http and https addresses are asked"),
    "/to-a-user.jpg": (
        moved("http://me:secret@127.0.0.1/"),
        "an address that holds a user or a password is not asked",
    ),
    "/to-me.jpg": (moved("/to-me.jpg"), "its redirects go in a circle"),
    "/circle-1.jpg": (moved("circle-2.jpg"), "its redirects go in a circle"),
    "/circle-2.jpg": (moved("/circle-1.jpg", 307), "its redirects go in a circle"),
    "/garbage.jpg": (
        lambda server, request, conn: bool(conn.sendall(b"\0\1\2\3\r\n\r\n")),
        "the connection was broken off",
    ),
    "/nothing.jpg": (lambda server, request, conn: False, "the connection was broken off"),
    "/early.jpg": (file(JPEG, ranges=False, length=10**6), "the connection was broken off"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_answers_are_named_and_give_no_facts(name: str) -> None:
    with Server({name: route for name, (route, _) in BAD.items()}) as server:
        found = ask_all(server.url(name))[server.url(name)]
    assert found == ProbeRecord(asked=NOW, failures=1, error=BAD[name][1])


def test_redirects_are_followed_and_counted() -> None:
    routes: dict[str, Route] = {f"/{n}.jpg": moved(f"/{n - 1}.jpg?x={n}#y") for n in range(1, 8)}
    routes |= {f"/{n}.jpg?x={n + 1}": moved(f"/{n - 1}.jpg?x={n}") for n in range(1, 8)}
    routes["/0.jpg?x=1"] = file(JPEG)
    with Server(routes) as server:
        found = ask_all(server.url("/5.jpg"), server.url("/6.jpg"))
        assert found[server.url("/5.jpg")].facts.type == "image/jpeg"
        assert found[server.url("/6.jpg")].error == "it is redirected more than 5 times"


def test_a_redirect_to_a_private_network_is_refused() -> None:
    with Server({"/": file(JPEG)}, "127.0.0.2") as inner:
        route = moved(inner.url("/"))
        found = ask(route, settings=SETTINGS._replace(allow=("127.0.0.1",)))
        assert "private network" in found.error
        assert not inner.requests


def test_without_leave_no_loopback_is_asked() -> None:
    with Server({"/a.jpg": file(JPEG)}) as server:
        found = ask_all(server.url("/a.jpg"), settings=SETTINGS._replace(allow=()))
        assert "private network" in found[server.url("/a.jpg")].error
        assert not server.requests


def test_a_file_of_10_gb_is_cut_at_the_cap() -> None:
    with Server({"/a.mp3": endless(samples.FRAME * 200, 10 * 2**30)}) as server:
        start = time.monotonic()
        found = ask_all(server.url("/a.mp3"))[server.url("/a.mp3")]
        assert found.facts[:2] == ("audio/mpeg", 10 * 2**30)
        assert time.monotonic() - start < 5
        time.sleep(0.1)
        assert server.sent["/a.mp3"] < 20_000_000  # what fits into sockets' buffers


@pytest.mark.parametrize("length", ["abc", "-5", "1" * 30, " "])
@pytest.mark.parametrize("ranges", [True, False])
def test_a_nonsense_length_is_not_believed(length: str, ranges: bool) -> None:
    found = ask(file(JPEG, "image/jpeg", length=length, ranges=ranges))
    if length.isdigit() and not ranges:  # so many bytes never came
        assert found.error == "the connection was broken off"
    else:
        assert found.facts == Facts("image/jpeg", len(JPEG), 40, 30)


def test_two_lengths_are_not_understood() -> None:
    found = ask(file(JPEG, "image/jpeg", length="5, 7"))
    assert found.error == "its host's answer is not understood"


def test_a_length_that_head_and_get_disagree_on_is_that_of_get() -> None:
    assert ask(first_then(file(b"x" * 5, "image/jpeg"), file(JPEG))).facts.length == len(JPEG)


def test_a_range_that_was_not_asked_for_is_not_believed() -> None:
    def wrong(server: Server, request: Request, conn: socket.socket) -> bool:
        if "range" not in request.headers:
            return file(JPEG)(server, request, conn)
        headers = {"Content-Range": "bytes 5-9/7777", "Content-Length": 5}
        return reply(conn, 206, headers, JPEG[5:10])

    assert ask(wrong).facts == Facts("image/jpeg", len(JPEG), 40, 30)


def test_a_chunked_answer_has_no_length_but_a_width() -> None:
    def chunked(server: Server, request: Request, conn: socket.socket) -> bool:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        if request.method == "HEAD":
            conn.sendall(head)
            return True
        large = JPEG + bytes(100_000)
        conn.sendall(head + b"%x\r\n" % len(large) + large + b"\r\n0\r\n\r\n")
        return True

    assert ask(chunked).facts == Facts("image/jpeg", 0, 40, 30)


def test_the_length_of_a_compressed_answer_is_not_the_file_s() -> None:
    svg = b"<svg width='20' height='30'>" + b" " * 500 + b"</svg>"
    packed = gzip.compress(svg)
    found = ask(file(packed, "image/svg+xml", encoding="gzip", ranges=False), "/a.svg")
    assert found.facts == Facts("image/svg+xml", len(svg), 20, 30)
    bomb = gzip.compress(svg + b" " * 50_000_000)
    found = ask(file(bomb, "image/svg+xml", encoding="gzip"), "/a.svg")
    assert found.facts[:2] == ("image/svg+xml", 0)
    found = ask(file(b"anything", "image/svg+xml", encoding="br"), "/a.svg")
    assert found.facts[:2] == ("image/svg+xml", 0)


def test_what_has_not_changed_is_not_fetched_again() -> None:
    routes = {
        "/etag.jpg": file(JPEG, etag='"1"'),
        "/date.jpg": file(JPEG, modified="Mon, 01 Jan 2024 00:00:00 GMT"),
        "/head-405.jpg": file(JPEG, etag='"1"', head=405),
        "/same-etag.jpg": status(200, ETag='W/"1"', Content_Length=5),
    }
    facts = Facts("image/jpeg", len(JPEG), 40, 30)
    with Server(routes) as server:
        urls = [server.url(path) for path in routes]
        first = ask_all(*urls[:3])
        assert first[urls[0]].etag == '"1"'
        first[urls[3]] = ProbeRecord(facts, '"1"', "", NOW, NOW)
        server.requests.clear()
        server.sent.clear()
        later = dict(probe(urls, first, SETTINGS, lambda: NOW + DAY))
        for url in urls:
            assert later[url][0] == facts
            assert (later[url].asked, later[url].since) == (NOW + DAY, NOW)
        assert server.sent.total() == 0
        assert server.methods("/etag.jpg") == ["HEAD"]


def test_what_has_changed_is_fetched_again() -> None:
    with Server({"/a.jpg": file(JPEG, etag='"2"')}) as server:
        url = server.url("/a.jpg")
        known = {url: ProbeRecord(Facts("image/jpeg", 7, 1, 1), '"1"', "", NOW - DAY, NOW - DAY)}
        assert ask_all(url, known=known)[url] == ProbeRecord(
            Facts("image/jpeg", len(JPEG), 40, 30), '"2"', "", NOW, NOW
        )


def test_what_fails_for_now_keeps_what_is_known_and_what_is_false_does_not() -> None:
    facts = Facts("image/jpeg", 7, 1, 1)
    before = ProbeRecord(facts, '"1"', "", NOW - DAY, NOW - 5 * DAY, 2, "x")
    with Server({"/a.jpg": missing, "/b.jpg": file(PAGE)}) as server:
        urls = [server.url("/a.jpg"), server.url("/b.jpg")]
        found = ask_all(*urls, known=dict.fromkeys(urls, before))
        assert found[urls[0]] == before._replace(
            asked=NOW, failures=3, error="its host answers 404 Not Found"
        )
        assert found[urls[1]].facts == Facts()
        assert found[urls[1]].failures == 3


def test_what_may_pass_is_tried_again() -> None:
    good = file(JPEG)
    routes = {
        "/500.jpg": first_then(status(500), status(500), good),  # HEAD, then GET, then again
        "/reset.jpg": first_then(reset, reset, good),
        "/429.jpg": first_then(status(429, Retry_After=1), good),
        "/503.jpg": first_then(status(503), good),
        "/always-500.jpg": status(500),
    }
    with Server(routes) as server:
        start = time.monotonic()
        found = ask_all(*map(server.url, routes))
        assert 0.9 < time.monotonic() - start < 10
        for path in list(routes)[:-1]:
            assert found[server.url(path)].facts.width == 40, path
        last = found[server.url("/always-500.jpg")]
        assert (last.failures, last.error) == (1, "its host answers 500 Internal Server Error")
        assert len(server.methods("/always-500.jpg")) == 4  # HEAD and GET, and two retries


def test_a_host_that_wants_to_be_let_be_is_let_be() -> None:
    """Nothing else is asked of it, and what it says is remembered; other hosts go on."""
    routes = {f"/{n}.jpg": file(JPEG) for n in range(5)}
    routes["/busy.jpg"] = status(429, Retry_After=7200)
    tally = ProbeCounts()
    one_by_one = SETTINGS._replace(per_host=1)
    with Server(routes) as server, Server(routes, "127.0.0.2") as other:
        urls = [server.url("/busy.jpg"), *(server.url(f"/{n}.jpg") for n in range(5))]
        good = other.url("/1.jpg")
        old = ProbeRecord(Facts("image/jpeg", 7), "", "", NOW - 99 * DAY, NOW - 99 * DAY)
        found = ask_all(*urls, good, settings=one_by_one, known={urls[1]: old}, tally=tally)
        assert len(server.requests) == 1
        assert found[good].facts.width == 40
        busy = found[urls[0]]
        assert (busy.failures, busy.error) == (1, "its host answers 429 Too Many Requests")
        assert busy.not_before == NOW + 7200
        assert found[urls[1]][:-1] == old[:-1]
        for url in urls:
            assert not due(found[url], NOW + 7190)
            assert due(found[url], NOW + 7210)
    assert tally == ProbeCounts(learnt=1, failed=1, put_off=5)


def test_slow_hosts_end_in_their_time() -> None:
    ways: dict[str, Route] = {
        "/silent.jpg": silent,
        "/headers.jpg": dripping(b"HTTP/1.1 200 OK\r\nX: "),
        "/continue.jpg": dripping(b"HTTP/1.1 100 Continue\r\n\r\n"),
        "/body.jpg": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
        "/open.jpg": dripping(b"HTTP/1.1 200 OK\r\n\r\n\xff\xd8\xff"),
    }
    settings = SETTINGS._replace(read=1, total=1.5, per_host=5)
    with Server(ways) as server:
        start = time.monotonic()
        found = ask_all(*map(server.url, ways), settings=settings)
        assert time.monotonic() - start < 6
        assert {known.error for known in found.values()} <= {
            "it takes longer than 2 s", "its host doesn't answer in time"
        }  # fmt: skip
        assert len(found) == 5


def test_slow_hosts_do_not_slow_the_others() -> None:
    """More of them than are asked at once, each with many addresses, and before the others."""
    settings = SETTINGS._replace(hosts=2, read=0.3)
    names = [f"/{n}.jpg" for n in range(9)]
    with (
        Server(dict.fromkeys(names, silent), "127.0.0.1") as one,
        Server(dict.fromkeys(names, silent), "127.0.0.2") as two,
        Server(dict.fromkeys(names, silent), "127.0.0.3") as three,
        Server(dict.fromkeys(names, file(JPEG)), "127.0.0.4") as good,
    ):
        urls = [server.url(name) for server in (one, two, three, good) for name in names]
        start = time.monotonic()
        found, when = {}, {}
        for url, known in probe(urls, {}, settings, lambda: NOW):
            found[url], when[url] = known, time.monotonic() - start
    assert len(found) == 36
    assert all(found[url].facts.width == 40 for url in urls[27:])
    assert max(when[url] for url in urls[27:]) < max(when.values())


def test_a_host_that_fails_again_and_again_is_given_up() -> None:
    with Server({}) as server:
        port = server.port
    urls = [f"http://127.0.0.1:{port}/{n}.jpg" for n in range(200)]  # nobody listens there
    start = time.monotonic()
    found = ask_all(*urls)
    assert time.monotonic() - start < 5
    assert {known.error for known in found.values()} == {"its host refuses the connection"}
    assert {known.failures for known in found.values()} == {1}


def test_a_host_that_nobody_knows() -> None:
    found = ask_all("http://no-such-host.invalid/a.jpg")
    assert found["http://no-such-host.invalid/a.jpg"].error == "its host is not known"


def test_so_many_requests_a_host_and_no_more() -> None:
    def slowly(server: Server, request: Request, conn: socket.socket) -> bool:
        server.sleep(0.03)
        return file(JPEG)(server, request, conn)

    names = [f"/{n}.jpg" for n in range(12)]
    with Server(dict.fromkeys(names, slowly)) as server:
        ask_all(*map(server.url, names), settings=SETTINGS._replace(per_host=3))
        assert server.most_at_once == 3


def test_so_many_hosts_at_once_and_no_more() -> None:
    def slowly(server: Server, request: Request, conn: socket.socket) -> bool:
        server.sleep(0.03)
        return file(JPEG)(server, request, conn)

    with Server({"/a.jpg": slowly}, "0.0.0.0") as server:  # noqa: S104 - all of 127.0.1.0/24
        urls = [f"http://127.0.1.{n}:{server.port}/a.jpg" for n in range(1, 13)]
        found = ask_all(*urls, settings=SETTINGS._replace(hosts=4, per_host=1))
        assert len(found) == 12
        assert server.most_at_once == 4


def test_many_redirects_to_one_host_keep_its_limit() -> None:
    def slowly(server: Server, request: Request, conn: socket.socket) -> bool:
        server.sleep(0.03)
        return file(MP3)(server, request, conn)

    with Server({f"/{n}.mp3": slowly for n in range(6)}, "127.0.0.2") as target:
        routes = {f"/{n}.mp3": moved(target.url(f"/{n}.mp3")) for n in range(6)}
        with Server(routes) as one, Server(routes, "127.0.0.3") as two:
            urls = [one.url(f"/{n}.mp3") for n in range(3)]
            urls += [two.url(f"/{n}.mp3") for n in range(3, 6)]
            found = ask_all(*urls)
            assert all(known.facts.duration == 78 for known in found.values())
            assert target.most_at_once <= 2


def test_the_budget_ends_the_run_and_leaves_the_rest_as_it_was() -> None:
    tally = ProbeCounts()
    with Server({f"/{n}.jpg": silent for n in range(20)}) as server:
        urls = [server.url(f"/{n}.jpg") for n in range(20)]
        start = time.monotonic()
        found = ask_all(*urls, settings=PATIENT._replace(budget=0.7), tally=tally)
        assert time.monotonic() - start < 6
    assert found == {}
    assert tally == ProbeCounts(left=20)


def test_ending_it_early_ends_it_at_once() -> None:
    routes: dict[str, Route] = {f"/{n}.jpg": silent for n in range(5)}
    routes["/good.jpg"] = file(JPEG)
    settings = PATIENT._replace(per_host=6)
    with Server(routes) as server:
        start = time.monotonic()
        running = probe(map(server.url, routes), {}, settings, lambda: NOW)
        assert next(running)[0] == server.url("/good.jpg")
        running.close()
        assert time.monotonic() - start < 6


def test_an_interrupt_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server({"/a.jpg": silent}) as server:
        import queue

        def interrupted(*args: object, **kwargs: object) -> object:
            time.sleep(0.2)
            raise KeyboardInterrupt

        running = probe([server.url("/a.jpg")], {}, PATIENT, lambda: NOW)
        scheduler = running.gi_frame.f_locals["scheduler"]
        monkeypatch.setattr(
            scheduler, "_back", type("Q", (queue.SimpleQueue,), {"get": interrupted})()
        )
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            next(running)
        assert time.monotonic() - start < 6


def test_connections_are_used_again() -> None:
    ports = set()

    def noted(server: Server, request: Request, conn: socket.socket) -> bool:
        ports.add(conn.getpeername())
        return file(JPEG)(server, request, conn)

    names = [f"/{n}.jpg" for n in range(6)]
    with Server(dict.fromkeys(names, noted)) as server:
        ask_all(*map(server.url, names), settings=SETTINGS._replace(per_host=1))
    assert len(ports) == 1


def test_nothing_that_is_secret_gets_into_an_error() -> None:
    for route in (missing, reset, moved("ftp://me:hunter2@127.0.0.1/"), moved("/b?hunter2")):
        assert "hunter2" not in ask(route, "/a.jpg?token=hunter2").error


def test_mistakes_in_what_is_allowed_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="neither"):
        probe([], {}, SETTINGS._replace(allow=("a b",)))


def test_what_is_learnt_is_asked_again_later_and_later() -> None:
    assert due(None, NOW)
    assert due(ProbeRecord(), NOW)
    fresh = ProbeRecord(Facts("image/jpeg"), "", "", NOW, NOW)
    waits = []
    known = fresh
    for _ in range(7):
        waits.append((next_time(known) - known.asked) / DAY)
        known = known._replace(asked=next_time(known))
    assert waits == [30, 30, 60, 120, 240, 360, 360]
    assert due(fresh._replace(asked=NOW + 40 * DAY), NOW)  # a clock that was set back


def test_what_fails_is_asked_again_less_and_less_often() -> None:
    waits = [next_time(ProbeRecord(asked=NOW, failures=n)) - NOW for n in range(1, 12)]
    assert waits[:5] == [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR]
    assert waits[-1] == 30 * DAY
    assert next_time(ProbeRecord(asked=NOW, failures=10**6)) == NOW + 30 * DAY
    assert (
        next_time(ProbeRecord(asked=NOW, failures=1, not_before=NOW + 9 * HOUR)) == NOW + 9 * HOUR
    )


@settings(max_examples=50, deadline=2000)
@given(st.text(max_size=40), st.sampled_from([0.0, float(NOW)]))
def test_any_retry_after_is_a_number_of_seconds(text: str, now: float) -> None:
    assert retry_after(text, now) >= 0


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after("120", NOW) == 120
    assert retry_after("Tue, 14 Nov 2023 22:23:20 GMT", NOW) == 600
    assert retry_after("Tue, 14 Nov 2000 22:23:20 GMT", NOW) == 0
    assert retry_after("soon", NOW) == 0


@settings(max_examples=50, deadline=2000)
@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "deflate", "br", "x"]))
def test_any_body_is_decoded_within_the_cap(data: bytes, encoding: str) -> None:
    assert len(decoded(data, encoding, 50)[0]) <= 50


@settings(max_examples=50, deadline=2000)
@given(st.text(st.characters(max_codepoint=255)))
def test_any_place_gives_an_address_or_none(place: str) -> None:
    moved_to("http://example.org/a/b", {"Location": place})
