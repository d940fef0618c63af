"""A file of which parts are known: what is read of a media file, and how much at most.

Libraries read it like a file. What they ask for and nobody has is remembered,
so that one more piece can be fetched where it tells something.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import BinaryIO

from feedpub.errors import FeedpubError

MAX_READS = 20_000
MAX_BYTES = 4_000_000  # of one file, in all
MAX_PIECE = 1_000_000
_ENDLESS = 1 << 62  # where the length is unknown, no place is near the end


class ExhaustedError(FeedpubError):
    """A file makes its reader read without end; what it is remains unknown."""


class PartialFile:
    """Reads parts of a file: by place with `at`, or like a binary file.

    `length` is in bytes, 0 where unknown; `end` is the place behind the last byte. `missed`
    is the first place that was asked for and is not known, -1 if there was none; from
    `blind` on nothing is missed: it reads as zeros. Raises `ExhaustedError` beyond its limits.
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
        """What is known of a file, by place."""

        def load(place: int, size: int) -> bytes:
            for start, part in parts.items():
                if start <= place < start + len(part):
                    return part[place - start : place - start + size]
            return b""

        return cls(load, length)

    @classmethod
    def of_file(cls, file: BinaryIO) -> PartialFile:
        """An open file."""

        def load(place: int, size: int) -> bytes:
            file.seek(place)
            return file.read(size)

        return cls(load, file.seek(0, io.SEEK_END))

    def at(self, place: int, size: int) -> bytes:
        """Up to `size` bytes from a place on: fewer at the end of the file or of what is known."""
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
        """As of a file; never more than `MAX_PIECE` bytes."""
        data = self.at(self._place, MAX_PIECE if size < 0 else size)
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of a file."""
        base = {io.SEEK_CUR: self._place, io.SEEK_END: self.end}.get(whence, 0)
        if base + offset < 0:
            raise OSError("before the beginning")
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """As of a file."""
        return self._place
