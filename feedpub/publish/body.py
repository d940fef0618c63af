"""The bytes of a file on their way: at hand, or left on disk where they are many."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import BinaryIO, NamedTuple

from feedpub.publish.errors import FileError

_PIECE = 1_000_000


class Body(NamedTuple):
    """What a file is sent with; without `file`, `data` is all of it."""

    data: bytes = b""
    file: Path | None = None
    length: int = -1  # bytes of `file`

    @property
    def size(self) -> int:
        """Its bytes, counted."""
        return self.length if self.file else len(self.data)

    def open(self) -> BinaryIO:
        """To be read from its begin, and closed. Raises `FileError` if it is no longer there."""
        try:
            return self.file.open("rb") if self.file else io.BytesIO(self.data)
        except OSError as error:
            raise FileError(f"it cannot be read ({error.strerror})") from None

    def hash(self, kind: str) -> str:
        """The hash as a host would tell it; `kind` is md5, sha1, sha256 or git."""
        if kind == "git":  # gitformat-pack: the id of a blob
            digest = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        else:
            digest = hashlib.new(kind, usedforsecurity=False)
        with self.open() as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def is_equal(self, data: bytes) -> bool:
        """Whether these are its bytes."""
        return len(data) == self.size and Body(data).hash("sha256") == self.hash("sha256")
