"""File names that are valid on every file system and host."""

from __future__ import annotations

import re

_SEGMENT = re.compile(r"[A-Za-z0-9_~][A-Za-z0-9._~-]*")
MAX_SEGMENT = 100

# Device names on Windows, reserved with any extension.
DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "clock$"}
    | {f"{device}{n}" for device in ("com", "lpt") for n in range(10)}
)


def is_portable(segment: str) -> bool:
    """Whether a file or a folder can have this name on every file system."""
    return (
        bool(_SEGMENT.fullmatch(segment))
        and len(segment) <= MAX_SEGMENT
        and not segment.endswith(".")
        and segment.partition(".")[0].lower() not in DEVICES
    )


def portable_name(name: str) -> str:
    """A similar file name that is valid on every file system, with the same extension."""
    stem, dot, ending = name.rpartition(".")
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", stem if dot else name).strip("-")[:60] or "file"
    ending = re.sub(r"[^a-z0-9]", "", ending.lower())[:10] if dot else ""
    made = f"{stem}.{ending}" if ending else stem
    return made if is_portable(made) else f"file-{made}"


def printable_path(path: str) -> str:
    """A path with its unprintable characters and invalid UTF-8 escaped."""
    return path if path.isprintable() else path.encode("utf-8", "backslashreplace").decode()
