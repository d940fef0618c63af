"""Which files hold records, by their endings, and how large they may be."""

from __future__ import annotations

LINES = (".jsonl", ".ndjson")
DATA = (".yaml", ".yml", ".json", *LINES)
SUFFIXES = (".md", ".markdown", ".html", ".htm", *DATA)

# Beyond these a file is no record that somebody wrote, and reading it could fill the memory.
MAX_BYTES = 16 * 1024 * 1024
MAX_LIST_BYTES = 64 * 1024 * 1024


def max_bytes(path: str) -> int:
    """How large a file of this name may be."""
    return MAX_LIST_BYTES if path.endswith(DATA) else MAX_BYTES
