"""Names → slugs that are valid on every file system and host.

A slug depends on its name only. Two names have the same slug only if their keys are equal,
which means that they differ only in case or surrounding space. Letters and digits are kept, a
space becomes `-`, a hyphen `_`. A name with other characters gets `--` and a hash of the name
at its end; no other slug contains `--`.
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
    """The canonical form of a name (Unicode NFC), case folded, with single spaces."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return " ".join(folded.split())


def slugify(name: str, taken: frozenset[str] = frozenset()) -> str:
    """The slug of a name. `taken` are slugs that the user chose for other names."""
    key = name_key(name)
    if len(key) <= MAX_LENGTH and _PLAIN.fullmatch(key):
        slug = key.translate(_TRANSLATE)
        if slug not in DEVICES and slug not in taken:
            return slug
    # 50 bits: for a million names, the probability of a collision is 1 in 2,000.
    digest = b32encode(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest())[:10]
    ascii_key = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    readable = _NOT_PLAIN.sub("-", ascii_key)[:40].strip("-") or "x"
    return f"{readable}--{digest.decode().lower()}"
