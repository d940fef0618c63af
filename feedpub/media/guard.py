"""Which addresses feedpub may connect to: public ones, and those that the configuration allows.

A record may contain any URL, so an author of records could make feedpub request what only its
machine can reach: local services, routers, the metadata of a cloud. Checking host names is not
enough, because a name can resolve to any address, and to another one a moment later. Therefore
the address of each connection is checked when it is made (SSRF protection).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import NamedTuple
from urllib.parse import urlsplit

from feedpub.errors import FeedpubError
from feedpub.urls import WEB_SCHEMES

# The IANA registries of special-purpose addresses (RFC 6890), written out: what Python's
# is_global says of them changes with its version.
_PRIVATE_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # RFC 1918
        "100.64.0.0/10",  # shared, behind the provider's NAT (RFC 6598); Alibaba's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # services of Azure, at a formally public address
        "169.254.0.0/16",  # link-local (RFC 3927); the metadata of most clouds
        "172.16.0.0/12",  # RFC 1918
        "192.0.0.0/24",  # IETF protocol assignments; Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, deprecated
        "192.168.0.0/16",  # RFC 1918
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")  # all that is given out (RFC 4291, 2.4)
_PRIVATE_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside, by way of relays that are gone
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # an IPv4 address inside (RFC 6052, 2.1)


class RefusedError(FeedpubError):
    """A URL that may not be requested; the message gives the reason, but not the URL."""


class Allowed(NamedTuple):
    """Exceptions in the configuration: host names, with any address, and networks."""

    names: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()


def allowed(entries: Iterable[str]) -> Allowed:
    """Hosts (media.example), addresses (127.0.0.1, ::1) and networks (10.1.0.0/16) as written.

    Raises `ValueError` for anything else.
    """
    names, networks = set(), []
    for entry in entries:
        text = entry.strip().lower().rstrip(".")
        try:
            networks.append(ip_network(text.strip("[]"), strict=False))
            continue
        except ValueError:
            pass
        if not text.isascii():
            import idna  # rare

            try:
                text = idna.encode(text, uts46=True).decode("ascii")
            except idna.IDNAError:
                text = ""
        if not text or not text.replace("-", "").replace(".", "").replace("_", "").isalnum():
            raise ValueError(f"{entry!r} is neither a host nor a network")
        names.add(text)
    return Allowed(frozenset(names), tuple(networks))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is public; for IPv4 inside IPv6, whether the IPv4 address is."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None:
            return address in _GLOBAL_6 and not any(address in net for net in _PRIVATE_6)
        address = inner
    return not any(address in net for net in _PRIVATE_4)


def check_url(url: str) -> str:
    """The host of a URL, in lower case; raises `RefusedError` if the URL is not allowed."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise RefusedError("it is not an address") from None
    if parts.scheme.lower() not in WEB_SCHEMES:
        raise RefusedError("only http and https addresses are asked")
    if "@" in parts.netloc:
        raise RefusedError("an address that holds a user or a password is not asked")
    if not host or port == 0 or "%" in host:
        raise RefusedError("it has no host")
    return host.rstrip(".")


class SocketAddress(NamedTuple):
    """An address to connect to."""

    family: int
    address: tuple[str | int | bytes, ...]  # as sockets take it


def targets(
    host: str, port: int, exempt: Allowed, seconds: float, is_over: Callable[[], bool] = bool
) -> list[SocketAddress]:
    """Resolves a host to its allowed addresses, within `seconds` or until `is_over`.

    Raises `RefusedError` if it has none but those that may not, `TimeoutError` if the name
    isn't resolved in time, and what `getaddrinfo` raises.
    """
    found = [
        SocketAddress(family, address)
        for family, _, _, _, address in _resolved(host.strip("[]"), port, seconds, is_over)
        if family in {socket.AF_INET, socket.AF_INET6}
    ]
    if host.lower().rstrip(".") in exempt.names:
        return found
    good = [target for target in found if _may_be_asked(str(target.address[0]), exempt)]
    if found and not good:
        raise RefusedError("the host is in a private network, and the configuration allows none")
    return good


def _may_be_asked(text: str, exempt: Allowed) -> bool:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if any((inner or address) in net or address in net for net in exempt.networks):
        return True
    return is_public(address)


_Resolved = Sequence[tuple[int, int, int, str, tuple[str | int | bytes, ...]]]


def _resolved(host: str, port: int, seconds: float, is_over: Callable[[], bool]) -> _Resolved:
    """`getaddrinfo` with a timeout.

    It can't be stopped: where a resolver is silent, the thread outlives the wait until the
    system's own limit, and holds nothing back.
    """
    answer: list[_Resolved | Exception] = []

    def resolve() -> None:
        try:
            answer.append(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    thread = threading.Thread(target=resolve, name="feedpub-resolve", daemon=True)
    thread.start()
    end = time.monotonic() + max(seconds, 0.01)
    while thread.is_alive() and time.monotonic() < end and not is_over():
        thread.join(0.1)
    if not answer:
        raise TimeoutError("the name is not resolved in time")
    if isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0]
