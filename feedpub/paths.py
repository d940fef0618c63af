"""Names that are safe as parts of paths, on every file system and every host."""

from __future__ import annotations

import re

_SEGMENT = re.compile(r"[A-Za-z0-9_~][A-Za-z0-9._~-]*")
MAX_SEGMENT = 100

# Names that Windows gives to devices, with any ending.
DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "clock$"}
    | {f"{device}{n}" for device in ("com", "lpt") for n in range(10)}
)


def is_portable(segment: str) -> bool:
    """Whether a name can be a file's or a folder's anywhere."""
    return (
        bool(_SEGMENT.fullmatch(segment))
        and len(segment) <= MAX_SEGMENT
        and not segment.endswith(".")
        and segment.partition(".")[0].lower() not in DEVICES
    )


def portable_name(name: str) -> str:
    """A file's name as it can be anywhere, with its ending, as much alike as may be."""
    stem, dot, ending = name.rpartition(".")
    stem = re.sub(r"[^A-Za-z0-9_]+", "-", stem if dot else name).strip("-")[:60] or "file"
    ending = re.sub(r"[^a-z0-9]", "", ending.lower())[:10] if dot else ""
    made = f"{stem}.{ending}" if ending else stem
    return made if is_portable(made) else f"file-{made}"


def printable_path(path: str) -> str:
    """A path that can be printed: bytes that are no UTF-8 are shown as escapes."""
    return path if path.isprintable() else path.encode("utf-8", "backslashreplace").decode()
