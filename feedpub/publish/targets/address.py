"""Parsing the address of a target."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from feedpub.config.target_kinds import target_kind


class ParsedAddress(NamedTuple):
    """A parsed address, with the password from it, the configuration or ~/.netrc."""

    scheme: str
    host: str  # or the bucket, site, account; for command:, the command
    port: int  # 0: the default
    path: str
    user: str = ""
    password: str = ""
    fragment: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that no message may contain."""
        secret = self.password
        if not secret and self.scheme == "git+https":
            secret = self.user  # it may be a token
        return tuple({secret, quote(secret, safe="")}) if secret else ()

    @property
    def netloc(self) -> str:
        """Host and port, without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


def read_address(text: str, password: str = "") -> ParsedAddress:
    """Parses an address that the configuration has validated."""
    scheme, _, rest = text.partition(":")
    if scheme == "command":
        return ParsedAddress(scheme, rest.strip(), 0, "")
    parts = urlsplit(text)
    kind = target_kind(scheme)
    host = parts.netloc.rpartition("@")[2] if kind.is_bucket else parts.hostname
    user = unquote(parts.username or "")
    found = password or unquote(parts.password or "")
    if not found and kind.variable:
        found = os.environ.get(kind.variable, "")
    if not found and kind.uses_netrc:
        user, found = _from_netrc(parts.hostname or "", user)
    port = 0 if kind.is_bucket else parts.port or 0
    return ParsedAddress(scheme, host or "", port, unquote(parts.path), user, found, parts.fragment)


def _from_netrc(host: str, user: str) -> tuple[str, str]:
    """User and password from ~/.netrc for a host (and for this user, if there is one)."""
    import netrc

    try:
        login = netrc.netrc().authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return user, ""
    if not login or (user and login[0] != user):
        return user, ""
    return login[0], login[2] or ""
