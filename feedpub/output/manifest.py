"""The manifest of the tree: the files that feedpub wrote, and may replace and remove."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from feedpub.durable import Root
from feedpub.errors import FeedpubError

MANIFEST_NAME = ".feedpub.json"
VERSION = 1
# Anybody may have edited the manifest: its paths must stay below the tree.
_NAME = r"(?!\.\.?(?:/|$))[^/\\\0\ud800-\udfff]+"
_SAFE_PATH = re.compile(f"{_NAME}(?:/{_NAME})*")


class ManifestError(FeedpubError):
    """The manifest exists and cannot be read."""


class Manifest(NamedTuple):
    """The SHA-256 of each file by path, and the number of items, after a run."""

    files: Mapping[str, str] = MappingProxyType({})
    items: int = 0

    def to_bytes(self) -> bytes:
        """Reproducible for the same tree."""
        content = {
            "feedpub": VERSION,
            "items": self.items,
            "files": {path: {"sha256": self.files[path]} for path in sorted(self.files)},
        }
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def read_manifest(output: Path) -> Manifest | None:
    """The tree's manifest, None if it has none; raises `ManifestError`."""
    try:
        content = json.loads(Root(output).read(MANIFEST_NAME))
        files = {path: str(facts["sha256"]) for path, facts in content["files"].items()}
        manifest = Manifest(files, int(content["items"]))
        version = content["feedpub"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise ManifestError(f"{type(error).__name__}: {error}") from None
    if version != VERSION:
        raise ManifestError(f"it has version {version!r}, this feedpub writes {VERSION}")
    if bad := [path for path in files if not is_safe(path)]:
        raise ManifestError(f"it names {bad[0]!r}, which is not below the output folder")
    return manifest


def is_safe(path: str) -> bool:
    """Whether a path stays below the folder that it is relative to."""
    return bool(_SAFE_PATH.fullmatch(path))
