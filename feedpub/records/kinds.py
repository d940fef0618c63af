"""Which files hold records, by their file extensions, and how large they may be."""

from __future__ import annotations

LINES = (".jsonl", ".ndjson")
DATA = (".yaml", ".yml", ".json", *LINES)
SUFFIXES = (".md", ".markdown", ".html", ".htm", *DATA)

# Larger files are not records, and reading them could exhaust the memory.
MAX_BYTES = 16 * 1024 * 1024
MAX_LIST_BYTES = 64 * 1024 * 1024


def max_bytes(path: str) -> int:
    """The maximum size of a file with this name, in bytes."""
    return MAX_LIST_BYTES if path.endswith(DATA) else MAX_BYTES
