"""The kinds of targets: one row each, which says all that differs between them but their code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_HEADERS = ("cache", "gzip", "jobs")
_SSH = ("key", "known_hosts")
_OBJECTS = ("endpoint", "conditional", *_HEADERS)
_GIT = ("history", "author")
_FOLDER = ("password", "jobs", "precompress")


class TargetKind(NamedTuple):
    """What is known of a kind of target by the scheme of its addresses."""

    module: str  # in publish/targets
    keys: tuple[str, ...] = ()  # of its settings, besides those of all targets
    extra: str = ""  # the extra of the package that it needs
    has_host: bool = True
    is_bucket: bool = False  # what stands for the host is the name of a bucket
    encrypted: str = ""  # the scheme to use instead, if this one sends passwords in the clear
    http: str = ""  # the scheme of its requests, if it speaks HTTP
    uses_netrc: bool = False  # for the password, if there is none
    variable: str = ""  # environment variable that has the password, if the settings have none
    host_file: str = "none"  # the default of `host_file`


TARGET_KINDS: Mapping[str, TargetKind] = MappingProxyType(
    {
        "file": TargetKind("files", ("versions", "precompress"), has_host=False),
        "s3": TargetKind("objects", ("region", "cloudfront", *_OBJECTS), "s3", is_bucket=True),
        "gs": TargetKind("objects", _OBJECTS, "s3", is_bucket=True),
        "azure": TargetKind("objects", _OBJECTS, "s3", is_bucket=True),
        "git+file": TargetKind("git", _GIT, has_host=False),
        "git+https": TargetKind("git", (*_GIT, "password")),
        "git+ssh": TargetKind("git", (*_GIT, *_SSH)),
        "sftp": TargetKind("sftp", (*_SSH, *_FOLDER), "sftp", uses_netrc=True),
        "webdav": TargetKind(
            "webdav", ("insecure", *_FOLDER), encrypted="webdavs", http="http", uses_netrc=True
        ),
        "webdavs": TargetKind("webdav", _FOLDER, http="https", uses_netrc=True),
        "ftp": TargetKind("ftp", ("insecure", *_FOLDER), encrypted="ftps", uses_netrc=True),
        "ftps": TargetKind("ftp", (*_FOLDER, "ca"), uses_netrc=True),
        "rsync": TargetKind("rsync", ("password", "precompress"), uses_netrc=True),
        "rsync+ssh": TargetKind("rsync", (*_SSH, "precompress")),
        "netlify": TargetKind(
            "netlify",
            ("endpoint", "password", "cache", "jobs"),
            http="https",
            variable="NETLIFY_AUTH_TOKEN",
            host_file="_headers",
        ),
        "command": TargetKind("command", has_host=False),
    }
)
_PLUGIN = TargetKind("")


def target_kind(scheme: str) -> TargetKind:
    """The kind of target of a scheme; of another package's scheme, the defaults."""
    return TARGET_KINDS.get(scheme, _PLUGIN)
