"""A media file of which only some parts are loaded.

Libraries read it like a file. The first position that they need and that is not loaded is
remembered, so that this part can be fetched.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import BinaryIO

from feedpub.errors import FeedpubError

MAX_READS = 20_000
MAX_BYTES = 4_000_000  # read from one file in total
MAX_PIECE = 1_000_000
_ENDLESS = 1 << 62  # the end of a file of unknown length


class ExhaustedError(FeedpubError):
    """Reading a file exceeds the limits, so its facts remain unknown."""


class PartialFile:
    """Reads parts of a file, by position with `at`, or like a binary file.

    `length` is in bytes, 0 if unknown; `end` is the position after the last byte. `missed` is
    the first position that was read but is not loaded, -1 if there is none. From `blind` on,
    reading returns zeros and sets nothing as missed. Raises `ExhaustedError` beyond the limits.
    """

    def __init__(self, load: Callable[[int, int], bytes], length: int) -> None:
        self._load = load
        self.length = length
        self.missed = -1
        self.blind = _ENDLESS
        self.end = length or _ENDLESS
        self._place = 0
        self._reads = 0
        self._bytes = 0

    @classmethod
    def of_parts(cls, parts: Mapping[int, bytes], length: int) -> PartialFile:
        """A file with these parts, by position."""

        def load(place: int, size: int) -> bytes:
            for start, part in parts.items():
                if start <= place < start + len(part):
                    return part[place - start : place - start + size]
            return b""

        return cls(load, length)

    @classmethod
    def of_file(cls, file: BinaryIO) -> PartialFile:
        """A whole local file."""

        def load(place: int, size: int) -> bytes:
            file.seek(place)
            return file.read(size)

        return cls(load, file.seek(0, io.SEEK_END))

    def at(self, place: int, size: int) -> bytes:
        """Up to `size` bytes from a position; fewer at the end of the file or of a loaded part."""
        size = max(0, min(size, self.end - place, MAX_PIECE))
        self._reads += 1
        self._bytes += size
        if self._reads > MAX_READS or self._bytes > MAX_BYTES:
            raise ExhaustedError
        if not size or place < 0:
            return b""
        if place >= self.blind:
            return bytes(size)
        data = self._load(place, size)
        if len(data) < size and self.missed < 0:
            self.missed = place + len(data)
        return data

    def read(self, size: int = -1) -> bytes:
        """Like `read` of a file, but returns at most `MAX_PIECE` bytes."""
        data = self.at(self._place, MAX_PIECE if size < 0 else size)
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Like `seek` of a file."""
        base = {io.SEEK_CUR: self._place, io.SEEK_END: self.end}.get(whence, 0)
        if base + offset < 0:
            raise OSError("negative seek position")
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """Like `tell` of a file."""
        return self._place
