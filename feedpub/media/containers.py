"""Reads the kinds of tracks, dimensions and duration from the headers of media containers.

Supported are MP4 and QuickTime (ISO/IEC 14496-12), Matroska and WebM (RFC 9559), Ogg
(RFC 3533) and FLAC (RFC 9639). No library reads them from parts of a file. Every function
reads a limited number of small parts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from feedpub.media.partial_file import PartialFile

_MAX_PARTS = 500  # boxes or elements of a container; further ones are ignored
_OGG_PAGE = 65_307  # maximum size of a page in bytes (RFC 3533, 6)


class Tracks(NamedTuple):
    """The contents of a container. `duration` is in seconds, 0 if unknown."""

    has_video: bool = False
    has_audio: bool = False
    width: int = 0
    height: int = 0
    duration: float = 0


class _Box(NamedTuple):
    name: bytes
    start: int  # of its content
    end: int


def boxes(file: PartialFile, start: int, end: int) -> Iterator[_Box]:
    """The consecutive boxes (ISO/IEC 14496-12, 4.2), up to the first invalid one."""
    for _ in range(_MAX_PARTS):
        header = file.at(start, 16)
        if len(header) < 8:
            return
        size, name, head = int.from_bytes(header[:4], "big"), header[4:8], 8
        if size == 1:
            size, head = int.from_bytes(header[8:], "big"), 16
        stop = end if size == 0 else start + size
        if stop < start + head:
            return
        yield _Box(name, start + head, min(stop, end))
        start = stop
        if start >= end:
            return


def box_at(file: PartialFile, start: int, end: int, *path: bytes) -> _Box | None:
    """The first box at a path of nested boxes."""
    for box in boxes(file, start, end):
        if box.name == path[0]:
            return box_at(file, box.start, box.end, *path[1:]) if path[1:] else box
    return None


def iso_tracks(file: PartialFile) -> Tracks:
    """The tracks in the movie box (ISO/IEC 14496-12, 8.2 and 8.3)."""
    movie = box_at(file, 0, file.end, b"moov")
    found = Tracks()
    if movie is None:
        return found
    for box in boxes(file, movie.start, movie.end):
        if box.name == b"mvhd":
            found = found._replace(duration=_movie_duration(file.at(box.start, 32)))
        elif box.name == b"trak":
            found = _with_track(file, box, found)
            if found.has_video:
                break
    return found


def _movie_duration(data: bytes) -> float:
    if len(data) < 32:
        return 0
    if data[0] == 1:
        scale, length = struct.unpack_from(">IQ", data, 20)
        unknown = 0xFFFFFFFFFFFFFFFF
    else:
        scale, length = struct.unpack_from(">II", data, 12)
        unknown = 0xFFFFFFFF
    return length / scale if scale and length != unknown else 0


def _with_track(file: PartialFile, track: _Box, found: Tracks) -> Tracks:
    handler = box_at(file, track.start, track.end, b"mdia", b"hdlr")
    kind = file.at(handler.start + 8, 4) if handler else b""
    if kind == b"soun":
        return found._replace(has_audio=True)
    if kind != b"vide":
        return found
    found = found._replace(has_video=True)
    header = box_at(file, track.start, track.end, b"tkhd")
    data = file.at(header.start, 96) if header else b""
    place = 52 if data[:1] == b"\1" else 40  # of the matrix, after times of 8 or 4 bytes
    if len(data) < place + 44:
        return found
    turn = struct.unpack_from(">9i", data, place)
    width, height = (n >> 16 for n in struct.unpack_from(">II", data, place + 36))
    if not turn[0] and not turn[4] and turn[1]:  # rotated by 90°
        width, height = height, width
    return found._replace(width=width, height=height)


def heif_is_turned(file: PartialFile) -> bool:
    """Whether a HEIF image is displayed rotated by 90° (ISO/IEC 23008-12, 6.5.10)."""
    meta = box_at(file, 0, file.end, b"meta")
    turn = meta and box_at(file, meta.start + 4, meta.end, b"iprp", b"ipco", b"irot")
    return bool(turn and file.at(turn.start, 1)[:1] in {b"\1", b"\3"})


_EBML, _DOC_TYPE = 0x1A45DFA3, 0x4282
_SEGMENT, _CLUSTER, _INFO, _TRACKS = 0x18538067, 0x1F43B675, 0x1549A966, 0x1654AE6B
_SCALE, _DURATION, _TRACK, _TRACK_TYPE = 0x2AD7B1, 0x4489, 0xAE, 0x83
_VIDEO, _WIDTH, _HEIGHT = 0xE0, 0xB0, 0xBA


class _Element(NamedTuple):
    id: int
    start: int
    end: int


def _elements(file: PartialFile, start: int, end: int) -> Iterator[_Element]:
    """The consecutive elements (RFC 8794, 4 to 6)."""
    for _ in range(_MAX_PARTS):
        header = file.at(start, 12) if start < end else b""
        id_size = 9 - header[0].bit_length() if header and header[0] else 0
        if not 1 <= id_size <= 4 or len(header) <= id_size or not header[id_size]:
            return
        size_size = 9 - header[id_size].bit_length()
        head = id_size + size_size
        if len(header) < head:
            return
        size = int.from_bytes(header[id_size:head], "big") & ((1 << 7 * size_size) - 1)
        unknown = size == (1 << 7 * size_size) - 1
        begin = start + head
        stop = end if unknown else min(begin + size, end)
        yield _Element(int.from_bytes(header[:id_size], "big"), begin, stop)
        start = stop


def ebml_type(file: PartialFile) -> str:
    """The document type of an EBML file, "" if it has none."""
    for element in _elements(file, 0, 4096):
        if element.id != _EBML:
            break
        for part in _elements(file, element.start, element.end):
            if part.id == _DOC_TYPE:
                text = file.at(part.start, min(part.end - part.start, 16))
                return text.rstrip(b"\0").decode("ascii", "replace")
    return ""


def matroska_tracks(file: PartialFile) -> Tracks:
    """The tracks in Info and Tracks, if these precede the first Cluster (RFC 9559, 5.1)."""
    found, end = Tracks(), file.end
    for top in _elements(file, 0, end):
        if top.id != _SEGMENT:
            continue
        for part in _elements(file, top.start, top.end):
            if part.id == _CLUSTER:
                break
            if part.id == _INFO:
                found = found._replace(duration=_segment_duration(file, part))
            elif part.id == _TRACKS:
                for track in _elements(file, part.start, part.end):
                    if track.id == _TRACK:
                        found = _with_entry(file, track, found)
        break
    return found


def _number(file: PartialFile, element: _Element) -> int:
    return int.from_bytes(file.at(element.start, min(element.end - element.start, 8)), "big")


def _segment_duration(file: PartialFile, info: _Element) -> float:
    scale, ticks = 1_000_000, 0.0
    for part in _elements(file, info.start, info.end):
        if part.id == _SCALE:
            scale = _number(file, part)
        elif part.id == _DURATION:
            data = file.at(part.start, min(part.end - part.start, 8))
            form = {4: ">f", 8: ">d"}.get(len(data))
            ticks = struct.unpack(form, data)[0] if form else 0.0
    return ticks * scale / 1e9


def _with_entry(file: PartialFile, track: _Element, found: Tracks) -> Tracks:
    for part in _elements(file, track.start, track.end):
        if part.id == _TRACK_TYPE:
            kind = _number(file, part)
            found = found._replace(
                has_video=found.has_video or kind == 1, has_audio=found.has_audio or kind == 2
            )
        elif part.id == _VIDEO and not found.width:
            size = {p.id: _number(file, p) for p in _elements(file, part.start, part.end)}
            found = found._replace(width=size.get(_WIDTH, 0), height=size.get(_HEIGHT, 0))
    return found


def ogg_tracks(file: PartialFile) -> Tracks:
    """The streams that begin in the first pages, and the time of the last page (RFC 3533, 6).

    The time is in samples: 48,000 per second for Opus (RFC 7845, 4), else the stream's rate.
    """
    found, rate, skip, serial, place = Tracks(), 0, 0, b"", 0
    for _ in range(16):
        page = file.at(place, 27 + 255 + 255)
        if len(page) < 27 or not page.startswith(b"OggS\0"):
            break
        sizes = page[27 : 27 + page[26]]
        packet = page[27 + len(sizes) :]
        if not page[5] & 2:  # not the first page of a stream: all streams have begun
            break
        if packet.startswith(b"\x80theora") and len(packet) >= 20:
            width, height = (int.from_bytes(packet[n : n + 3], "big") for n in (14, 17))
            found = found._replace(has_video=True, width=width, height=height)
        elif not rate and (audio := _ogg_audio(packet)):
            rate, skip = audio
            serial = page[14:18]
            found = found._replace(has_audio=True)
        place += 27 + len(sizes) + sum(sizes)
    if not rate or not file.length:
        return found
    start = max(0, file.length - _OGG_PAGE)
    tail = file.at(start, _OGG_PAGE)
    at = tail.rfind(b"OggS\0")
    while at >= 0:
        page = tail[at : at + 18]
        samples = int.from_bytes(page[6:14], "little", signed=True)
        if page[14:18] == serial and samples > skip:
            return found._replace(duration=(samples - skip) / rate)
        at = tail.rfind(b"OggS\0", 0, at)
    return found


def _ogg_audio(packet: bytes) -> tuple[int, int] | None:
    """The sample rate, and the number of samples to skip at the start."""
    if packet.startswith(b"OpusHead") and len(packet) >= 12:
        return 48_000, int.from_bytes(packet[10:12], "little")
    if packet.startswith(b"\x01vorbis") and len(packet) >= 16:
        return int.from_bytes(packet[12:16], "little"), 0
    if packet.startswith(b"Speex   ") and len(packet) >= 40:
        return int.from_bytes(packet[36:40], "little"), 0
    if packet.startswith(b"\x7fFLAC") and len(packet) >= 31:
        return int.from_bytes(packet[27:30], "big") >> 4, 0
    return None


def flac_duration(file: PartialFile) -> float:
    """The duration in seconds, from the stream information (RFC 9639, 8.2)."""
    data = file.at(0, 26)
    if len(data) < 26 or data[4] & 0x7F:
        return 0
    bits = int.from_bytes(data[18:26], "big")
    rate, samples = bits >> 44, bits & ((1 << 36) - 1)
    return samples / rate if rate else 0
