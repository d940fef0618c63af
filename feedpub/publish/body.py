"""The content of an upload: in memory, or on disk if it is large."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import BinaryIO, NamedTuple

from feedpub.publish.errors import FileError

_PIECE = 1_000_000


class Body(NamedTuple):
    """Content of a file: `data`, or that of `file`."""

    data: bytes = b""
    file: Path | None = None
    length: int = -1  # bytes of `file`

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.length if self.file else len(self.data)

    def open(self) -> BinaryIO:
        """A stream from the beginning; close it. Raises `FileError` if the file is gone."""
        try:
            return self.file.open("rb") if self.file else io.BytesIO(self.data)
        except OSError as error:
            raise FileError(f"it cannot be read ({error.strerror})") from None

    def hash(self, kind: str) -> str:
        """The hash as hosts give it; `kind` is md5, sha1, sha256, or git (id of a blob)."""
        if kind == "git":  # gitformat-pack: the id of a blob
            digest = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        else:
            digest = hashlib.new(kind, usedforsecurity=False)
        with self.open() as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def is_equal(self, data: bytes) -> bool:
        """Whether its content is `data`."""
        return len(data) == self.size and Body(data).hash("sha256") == self.hash("sha256")
