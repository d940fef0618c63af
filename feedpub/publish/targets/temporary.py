"""Names under which files are written before they are renamed to their places."""

from __future__ import annotations

import secrets

PREFIX = ".feedpub-new-"


def fresh_name() -> str:
    """A name that nobody else chooses."""
    return f"{PREFIX}{secrets.token_hex(8)}"


def beside(path: str) -> str:
    """A free path in the folder of a file."""
    folder, slash, _ = path.rpartition("/")
    return f"{folder}{slash}{fresh_name()}"
