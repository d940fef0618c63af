"""Hashes that hosts tell of files, made from the bytes."""

from __future__ import annotations

import hashlib


def hash_of(kind: str, data: bytes) -> str:
    """The hash of bytes as a host would tell it; `kind` is md5, sha1, sha256 or git."""
    if kind == "git":  # gitformat-pack: the id of a blob
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return hashlib.new(kind, data, usedforsecurity=False).hexdigest()
