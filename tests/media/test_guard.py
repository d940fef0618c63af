"""Which addresses are asked, and what a request holds."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from feedpub.media.connections import Deadline, session
from feedpub.media.guard import RefusedError, allowed, check_url, is_public, targets
from feedpub.version import VERSION
from feedpub.web import user_agent
from tests.media.server import Server, file, moved, status

PRIVATE = [
    "0.0.0.1", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.0.9",
    "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.31.255.255", "192.0.0.192",
    "192.0.2.1", "192.168.1.1", "198.19.0.1", "203.0.113.5", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1",
    "2001:0:1::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "100::1",
    "5f00::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "169.253.1.1", "2606:4700::1111",
    "2a00:1450::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_addresses_that_are_not_of_the_public_network(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_of_the_public_network(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_private(address: Any) -> None:
    if address.is_loopback or address.is_link_local or address.is_multicast:
        assert not is_public(address)
    if address.is_private and address.version == 4:
        assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/a", "gopher://example.org/", "//example.org/a",
        "http://user:secret@example.org/", "http://user@example.org/", "http:///a", "http://",
        "http://[::1", "http://example.org:0/", "http://example.org:99999/", "http://[fe80::1%25eth0]/",
        "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_addresses_that_are_not_asked(url: str) -> None:
    with pytest.raises(RefusedError) as error:
        check_url(url)
    assert "secret" not in str(error.value)


def test_hosts_are_compared_in_one_form() -> None:
    assert check_url("HTTPS://Media.Example.ORG.:8443/a") == "media.example.org"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "0"],
)
def test_loopback_is_refused_in_every_spelling(host: str) -> None:
    try:
        found = targets(host, 80, allowed(()), 5)
    except (RefusedError, socket.gaierror):
        return
    assert not found


@pytest.mark.parametrize(
    "entry", ["127.0.0.1", "127.0.0.0/8", "localhost", "LOCALHOST.", "127.9.9.9/8"]
)
def test_what_the_configuration_names_is_asked(entry: str) -> None:
    assert targets("localhost", 80, allowed([entry, "::1"]), 5)


def test_an_allowed_network_allows_its_addresses_inside_ipv6() -> None:
    assert targets("::ffff:127.0.0.1", 80, allowed(["127.0.0.0/8"]), 5)


@pytest.mark.parametrize("entry", ["", "http://example.org/", "10.0.0.0/99", "a b", "*"])
def test_what_is_no_host_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="neither a host nor a network"):
        allowed([entry])


def test_a_host_may_be_written_as_people_write_it() -> None:
    assert allowed(["Bücher.example"]).names == {"xn--bcher-kva.example"}


def test_a_silent_resolver_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: time.sleep(3))
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        targets("example.org", 80, allowed(()), 0.2)
    assert time.monotonic() - start < 2


def _get(url: str, *allow: str) -> requests.Response:
    with Deadline(10), session(allowed(allow), user_agent("https://feeds.example/")) as made:
        return made.get(url, timeout=5)


def test_a_name_that_resolves_to_loopback_is_refused_when_connecting() -> None:
    with Server({"/": status(200)}) as server, pytest.raises(RefusedError):
        _get(f"http://localhost:{server.port}/")
    assert not server.requests


def test_a_redirect_to_loopback_is_refused() -> None:
    """Even one that requests itself follows, from a host that is allowed."""
    routes = {"/a": status(200)}
    with Server(routes, "127.0.0.2") as inner:
        with Server({"/a": moved(inner.url("/a"))}) as server, pytest.raises(RefusedError):
            _get(server.url("/a"), "127.0.0.1")
        assert not inner.requests


def test_a_name_that_changes_its_mind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is looked at, loopback when it is connected to."""
    asked = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *args: Any) -> Any:
        if host != "rebind.example":
            return real(host, port, *args)
        asked.append(host)
        place = "8.8.8.8" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with Server({"/": status(200)}) as server:
        assert targets("rebind.example", server.port, allowed(()), 5)
        with pytest.raises(RefusedError):
            _get(f"http://rebind.example:{server.port}/")
        assert len(asked) == 2  # once for each use: what was checked is what is connected to
        assert not server.requests


def test_of_several_addresses_only_public_ones_are_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, 80))
        for place in ("127.0.0.1", "8.8.8.8")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: both)
    assert [target.address[0] for target in targets("both.example", 80, allowed(()), 5)] == [
        "8.8.8.8"
    ]


def test_nothing_of_the_machine_is_in_a_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9/")
    with Server({"/": status(200, Set_Cookie="a=1")}) as server:
        with (
            Deadline(10),
            session(allowed(["127.0.0.1"]), user_agent("https://feeds.example/")) as made,
        ):
            for _ in range(2):
                assert made.get(server.url("/"), timeout=5).status_code == 200
        for request in server.requests:
            assert request.headers == {
                "host": server.host,
                "user-agent": f"feedpub/{VERSION} (+https://feeds.example/)",
                "accept": "*/*",
                "accept-encoding": "identity",
            }


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2"]
    command += ["-subj", "/CN=media.example", "-addext", "subjectAltName=DNS:media.example"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("openssl makes no certificate here")
    return key, cert


@pytest.mark.parametrize(("host", "is_good"), [("media.example", True), ("other.example", False)])
def test_certificates_are_checked_by_name(
    host: str, is_good: bool, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    names: list[object] = []
    context.sni_callback = lambda _sock, name, _context: names.append(name)
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, port, *args: real("127.0.0.1", port, *args)
    )
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cert))
    with Server({"/": file(b"hi", "text/plain")}, tls=context) as server:
        url = f"https://{host}:{server.port}/"
        if is_good:
            assert _get(url, "127.0.0.1").content == b"hi"
            assert server.requests[0].headers["host"] == f"{host}:{server.port}"
        else:
            with pytest.raises(requests.exceptions.SSLError):
                _get(url, "127.0.0.1")
    assert names[0] == host
