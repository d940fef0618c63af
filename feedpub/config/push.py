"""The keys of `push:`: where the output tree is published, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import yaml

from feedpub import plugins
from feedpub.config.readers import (
    Boolean,
    Choice,
    Context,
    ListOf,
    MapOf,
    Number,
    Schema,
    Section,
    Text,
    Url,
    nearest,
    option,
)
from feedpub.config.target_kinds import TARGET_KINDS, target_kind
from feedpub.errors import PluginError
from feedpub.model import Person

KINDS = ("feeds", "archives", "pages", "catalogues", "pictures", "hashed", "other")
MAX_JOBS = 64

_COMMON = ("to", "delete", "max_delete", "grace", "ping", "host_file")
HOST_FILES = ("none", "_headers", ".htaccess")
ENCODINGS = ("gzip", "br")


class Limit(NamedTuple):
    """How many files a push may delete: `files`, or `percent` of all, whichever is more."""

    files: int = 50
    percent: float = 20.0

    def allows(self, deletes: int, of: int) -> bool:
        """Whether `deletes` of `of` files may be deleted."""
        return deletes <= max(self.files, of * self.percent / 100)

    def __str__(self) -> str:
        parts = [f"{self.percent:g}%"] * bool(self.percent)
        return " or ".join(parts + [str(self.files)] * bool(self.files or not parts))


def parse_limit(text: str) -> Limit | None:
    """Parses `25%` or `50`; returns None for anything else."""
    match = re.fullmatch(r"(\d{1,9})(\.\d{1,9})?(%?)", text.strip())
    if not match or (match[2] and not match[3]):
        return None
    if match[3]:
        return Limit(0, float(match[1] + (match[2] or "")))
    return Limit(int(match[1]), 0.0)


def without_password(address: str) -> str:
    """An address without its secrets, for messages.

    The arguments of a command can be secrets, and the user of git+https can be a token.
    """
    if match := re.match(r"command:\s*(\S+)(\s+\S)?", address, re.IGNORECASE):
        return f"command:{match[1]}{' …' if match[2] else ''}"
    address = re.sub(r"^(git\+https://)[^/@:]+@", r"\1…@", address, flags=re.IGNORECASE)
    return re.sub(r"(://[^/@:]*):.*@", r"\1:…@", address)


class MaxDelete:
    """The limit of deletions: a number, or a share such as 20%."""

    def read(self, node: yaml.Node, key: str, context: Context) -> Limit:
        text = Text(meaning="a number or a percentage").read(node, key, context)
        limit = parse_limit(text)
        if limit is None:
            what = f"{text[:40]!r} is not a number or a percentage"
            raise context.fail(node, key, what, "write 50 or 20%")
        return limit

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "integer", "minimum": 0}, {"pattern": r"^\d+(\.\d+)?%?$"}]}


class Grace:
    """How long unused files are kept, such as 7d."""

    def read(self, node: yaml.Node, key: str, context: Context) -> timedelta:
        text = Text(meaning="a duration like 7d").read(node, key, context).lower()
        match = re.fullmatch(r"(\d{1,4})([mhdw])", text)
        if not match:
            what = f"{text[:40]!r} is not a duration like 7d"
            raise context.fail(node, key, what, "write a number and m, h, d or w")
        units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
        return timedelta(**{units[match[2]]: int(match[1])})

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^[0-9]+[mhdw]$"}


class TargetAddress:
    """The address of a target, such as `s3://bucket/prefix`."""

    def read(self, node: yaml.Node, key: str, context: Context) -> str:
        text = Text(meaning="an address like s3://bucket/prefix").read(node, key, context)
        scheme, colon, rest = text.partition(":")
        scheme = scheme.lower()
        shown = without_password(text)[:80]
        schemes = list(TARGET_KINDS)
        if scheme not in TARGET_KINDS:
            schemes += plugins.names(plugins.TARGETS)
        if not colon or (scheme not in schemes and "/" in scheme):
            remedy = "write it like file:///var/www/feeds or s3://bucket/prefix"
            raise context.fail(node, key, f"{shown!r} is not an address", remedy)
        if scheme not in schemes:
            what = f"there is no target of kind {scheme}:"
            raise context.fail(node, key, what, nearest(scheme, schemes))
        if scheme == "command":
            if not rest.strip():
                raise context.fail(node, key, "no command is named", "write command:./deploy.sh")
            return f"command:{rest}"
        fault = _address_fault(scheme, rest)
        if fault:
            raise context.fail(node, key, f"{shown!r} {fault[0]}", fault[1])
        return scheme + colon + rest

    def schema(self) -> Schema:
        schemes = [*TARGET_KINDS, *plugins.names(plugins.TARGETS)]
        names = "|".join(name.replace("+", r"\+") for name in schemes)
        return {"type": "string", "pattern": rf"^(({names}):|\$\{{)"}


Fault = tuple[str, str]  # what is wrong, and what to do


def _address_fault(scheme: str, rest: str) -> Fault | None:
    """What is wrong with an address after its scheme; None if nothing is."""
    if not rest.startswith("//"):
        return f"lacks the slashes after {scheme}:", f"write {scheme}://…"
    if "?" in rest.partition("#")[0]:
        return "has a ?", "write %3F for it in a path or a password, or leave it out"
    try:
        parts = urlsplit(f"{scheme}:{rest}")
        port = parts.port
    except ValueError:
        return "is no address", "write its port as a number, and no brackets"
    if port == 0:
        return "has no usable port", "write its port as a number, or leave it out"
    return _host_fault(scheme, parts) or _path_fault(scheme, parts)


def _host_fault(scheme: str, parts: SplitResult) -> Fault | None:
    if target_kind(scheme).has_host:
        if (parts.hostname or "-").startswith("-"):
            return "has no host or bucket", f"write {scheme}://name/…"
    elif not (parts.path.startswith("/") and len(parts.path) > 1):
        return "names no absolute path", f"write three slashes: {scheme}:///path"
    elif parts.netloc not in {"", "localhost"}:
        return "names a host", f"write three slashes: {scheme}:///path"
    return None


def _path_fault(scheme: str, parts: SplitResult) -> Fault | None:
    if scheme == "azure" and not parts.path.strip("/"):
        return "names no container", "write azure://account/container"
    if scheme == "rsync" and not parts.path.strip("/"):
        return "names no module", "write rsync://host/module/path"
    if scheme == "rsync+ssh" and not parts.path:
        return "names no folder", "write rsync+ssh://host/path"
    if target_kind(scheme).module == "rsync" and re.search(r"[*?\[\]\\]", unquote(parts.path)):
        return "has a character that rsync takes for a pattern", "name a folder without * ? [ ] \\"
    if parts.fragment and not scheme.startswith("git+"):
        return "has a #", "write %23 for it in a path, or leave it out"
    if scheme.startswith("git+") and not parts.fragment:
        return "names no branch", "write it at the end, like …/site.git#gh-pages"
    if ".." in parts.path.split("/"):
        return "has .. in its path", "write the whole path"
    return None


_AUTHOR = Section(
    Person,
    keys={
        "name": option(Text(), "the author's name"),
        "email": option(
            Text(r"[^@\s<>]+@[^@\s<>]+", "an e-mail address"), "the author's e-mail address"
        ),
    },
)


@dataclass(eq=False, repr=False)
class PushTarget:
    """One place to push the output tree to (docs/push.md)."""

    to: str = option(TargetAddress(), "address, such as s3://bucket/prefix")
    delete: bool = option(Boolean(), "delete remote files that are no longer in the tree", True)
    max_delete: Limit = option(
        MaxDelete(), "delete nothing if more than this would go: a number, or a percentage", Limit()
    )
    grace: timedelta = option(
        Grace(), "how long unused media files stay on the host, such as 7d", timedelta(days=7)
    )
    ping: bool = option(
        Boolean(), "notify the hubs of websub.hubs after a push to this target", True
    )
    cache: Mapping[str, str] = option(
        MapOf(Choice(KINDS), Text(r"[\x20-\x7e]+", "a Cache-Control header")),
        f"Cache-Control header by kind of file: {', '.join(KINDS)}",
        MappingProxyType({}),
    )
    host_file: str = option(
        Choice(("usual", *HOST_FILES)),
        "write this file with headers for the host; usual: _headers for Netlify, else none",
        "usual",
    )
    gzip: bool = option(
        Boolean(), "store text files compressed; every client then gets them compressed", False
    )
    precompress: tuple[str, ...] = option(
        ListOf(Choice(ENCODINGS)),
        f"write compressed copies of text files beside them: {', '.join(ENCODINGS)}",
        (),
    )
    jobs: int = option(
        Number(minimum=1), "number of parallel requests; default: by kind of target", 0
    )
    endpoint: str = option(Url(), "URL of the API, if it is not the provider's usual one", "")
    region: str = option(
        Text(r"[A-Za-z0-9-]+", "a region like eu-central-1"), "region of the S3 bucket", ""
    )
    conditional: bool = option(
        Boolean(), "false: the host does not support If-Match and If-None-Match", True
    )
    cloudfront: str = option(
        Text(r"[A-Z0-9]{5,40}", "a distribution like E2EXAMPLE"),
        "CloudFront distribution of the bucket; changed files are invalidated there",
        "",
    )
    versions: int = option(
        Number(minimum=0),
        "number of versions to keep, with the path as a link to the newest; 0: no versions",
        0,
    )
    history: bool = option(Boolean(), "false: the branch always has a single commit", True)
    author: Person | None = option(
        _AUTHOR, "author of commits; default: git's own configuration", None
    )
    key: str = option(Text(), "SSH key file; default: the agent's keys and those in ~/.ssh", "")
    known_hosts: str = option(Text(), "known hosts file; default: the one in ~/.ssh", "")
    password: str = option(Text(), "password; write ${NAME} to read it from the environment", "")
    ca: str = option(Text(), "file of trusted certificates to use instead of the system's", "")
    insecure: bool = option(
        Boolean(), "true: allow a connection without encryption, which exposes passwords", False
    )


def _own_keys(scheme: str, node: yaml.Node, key: str, context: Context) -> tuple[str, ...]:
    """The keys of a kind of target, besides those of all. A plugin lists its own."""
    if scheme in TARGET_KINDS:
        return TARGET_KINDS[scheme].keys
    try:
        return tuple(getattr(plugins.load(plugins.TARGETS, scheme), "keys", ()))
    except PluginError as error:
        remedy = "reinstall the package that has it, or remove the target"
        raise context.fail(node, f"{key}.to", str(error), remedy) from None


class _Target(Section):
    """A target; only the keys of its kind are allowed."""

    def read(self, node: yaml.Node, key: str, context: Context) -> Any:
        target = super().read(node, key, context)
        scheme = target.to.partition(":")[0]
        known = [*_COMMON, *_own_keys(scheme, node, key, context)]
        for name, child in node.value if isinstance(node, yaml.MappingNode) else ():
            if name.value not in known:
                context.fail(
                    name,
                    f"{key}.{name.value}",
                    f"a {scheme}: target does not have this key",
                    f"remove it; its keys are {', '.join(sorted(known))}",
                )
            elif name.value == "jobs" and target.jobs > MAX_JOBS:
                what = f"{target.jobs} requests at once are too many"
                context.fail(child, f"{key}.jobs", what, f"write {MAX_JOBS} or less")
        encrypted = target_kind(scheme).encrypted
        if encrypted and not target.insecure:
            context.fail(
                node,
                f"{key}.to",
                f"{scheme}: sends passwords without encryption",
                f"write {encrypted}:, or add insecure: true",
            )
        return target


PUSH = MapOf(
    Text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", "a name like production"),
    _Target(PushTarget, short=("to", TargetAddress())),
)
PUSH_DOC = "targets of `feedpub push`, by name: an address, or a mapping (docs/push.md)"
