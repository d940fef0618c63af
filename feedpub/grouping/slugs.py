"""Names → addresses that are safe on every file system and host, and never shared by accident.

A slug depends on its name alone. Two names give the same slug only if their
keys are equal, that is, if they differ in case or surrounding space alone:
letters and digits stand for themselves, one space gives `-`, one hyphen `_`,
and any name that holds more than these gets a hash of the whole behind `--`,
which no plain slug can hold.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from base64 import b32encode

from feedpub.paths import DEVICES

_PLAIN = re.compile(r"[a-z0-9]+(?:[ -][a-z0-9]+)*")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
_TRANSLATE = str.maketrans({" ": "-", "-": "_"})
MAX_LENGTH = 60


def name_key(name: str) -> str:
    """Equal for names that are one: Unicode's canonical form, case folded, space collapsed."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return " ".join(folded.split())


def slugify(name: str, taken: frozenset[str] = frozenset()) -> str:
    """The slug of a name; `taken` are slugs that were given to other names by hand."""
    key = name_key(name)
    if len(key) <= MAX_LENGTH and _PLAIN.fullmatch(key):
        slug = key.translate(_TRANSLATE)
        if slug not in DEVICES and slug not in taken:
            return slug
    # 50 bits: among a million names, a collision has a chance of one in two thousand.
    digest = b32encode(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest())[:10]
    ascii_key = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    readable = _NOT_PLAIN.sub("-", ascii_key)[:40].strip("-") or "x"
    return f"{readable}--{digest.decode().lower()}"
