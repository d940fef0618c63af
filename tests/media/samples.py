"""Tiny media files, made by hand from the formats' specifications."""

from __future__ import annotations

import io
import struct
import wave
from typing import Any

from PIL import Image


def picture(form: str = "JPEG", size: tuple[int, int] = (40, 30), **kwargs: Any) -> bytes:
    mode = str(kwargs.pop("mode", "RGB"))
    data = io.BytesIO()
    Image.new(mode, size, kwargs.pop("color", 120)).save(data, form, **kwargs)
    return data.getvalue()


def turned_jpeg(size: tuple[int, int] = (40, 30)) -> bytes:
    """A JPEG that is to be shown turned by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "secret maker"
    return picture(size=size, exif=exif)


def wav(seconds: int = 10) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(8000 * seconds))
    return data.getvalue()


FRAME = b"\xff\xfb\x90\x64" + bytes(413)  # 128 kbit/s, 44,100 Hz: 1,152 samples in 417 bytes


def mp3(frames: int, tag: int = 0) -> bytes:
    return id3(tag) + FRAME * frames


def id3(size: int) -> bytes:
    if not size:
        return b""
    digits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + digits + bytes(size)


def xing_mp3(frames: int, size: int) -> bytes:
    """The first frame of one with a variable bit rate; the rest is zeros."""
    head = b"\xff\xfb\x90\x64" + bytes(32) + b"Xing" + struct.pack(">III", 3, frames, size)
    return head + bytes(size - len(head))


def box(name: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + name + data


def movie(
    *tracks: bytes,
    brand: bytes = b"isom",
    seconds: int = 90,
    is_last: bool = False,
    body: int = 100,
    version: int = 0,
) -> bytes:
    """An MP4; with `is_last` its movie box stands behind `body` bytes of media."""
    if version:
        header = struct.pack(">B3xQQIQ", 1, 0, 0, 1000, seconds * 1000) + bytes(80)
    else:
        header = struct.pack(">B3xIIII", 0, 0, 0, 1000, seconds * 1000) + bytes(80)
    moov = box(b"moov", box(b"mvhd", header), *tracks)
    media = box(b"mdat", bytes(body))
    return box(b"ftyp", brand, bytes(4), brand) + (media + moov if is_last else moov + media)


def track(kind: bytes, width: int = 0, height: int = 0, is_turned: bool = False) -> bytes:
    matrix = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    if not is_turned:
        matrix = (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    header = bytes(40) + struct.pack(">9i", *matrix)
    header += struct.pack(">II", width << 16, height << 16)
    handler = box(b"mdia", box(b"hdlr", bytes(8), kind, bytes(13)))
    return box(b"trak", box(b"tkhd", header), handler)


def element(name: str, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return bytes.fromhex(name) + struct.pack(">Q", len(data) | 1 << 56) + data


def matroska(doc_type: bytes, *tracks: bytes, seconds: float = 61.4) -> bytes:
    info = element(
        "1549A966",
        element("2AD7B1", (1_000_000).to_bytes(3, "big")),
        element("4489", struct.pack(">d", seconds * 1000)),
    )
    body = info + element("1654AE6B", *tracks) + element("1F43B675", bytes(50))
    return element("1A45DFA3", element("4282", doc_type)) + element("18538067", body)


def entry(kind: int, width: int = 0, height: int = 0) -> bytes:
    size = element("B0", width.to_bytes(2, "big")), element("BA", height.to_bytes(2, "big"))
    parts = [element("83", bytes([kind]))]
    if width:
        parts.append(element("E0", *size))
    return element("AE", *parts)


def page(packet: bytes, flags: int, samples: int, serial: int = 7) -> bytes:
    sizes = [255] * (len(packet) // 255) + [len(packet) % 255]
    head = b"OggS\0" + struct.pack("<BqIIIB", flags, samples, serial, 0, 0, len(sizes))
    return head + bytes(sizes) + packet


def opus(seconds: int, body: int = 3) -> bytes:
    """`body` is how many pages of 20,000 bytes there are."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 48000, 0, 0)
    pages = [page(head, 2, 0), page(b"OpusTags" + bytes(8), 0, 0)]
    pages += [page(bytes(20_000), 0, 48_000 * n) for n in range(1, body)]
    return b"".join(pages) + page(bytes(20_000), 4, 48_000 * seconds + 312)


def theora() -> bytes:
    head = b"\x80theora\3\2\1" + struct.pack(">HH", 40, 30)
    head += (640).to_bytes(3, "big") + (480).to_bytes(3, "big") + bytes(30)
    return page(head, 2, 0, serial=1)


def vorbis() -> bytes:
    return page(b"\x01vorbis" + struct.pack("<IBI", 0, 2, 44_100) + bytes(14), 2, 0)


def flac(seconds: int) -> bytes:
    bits = 44_100 << 44 | 1 << 41 | 15 << 36 | 44_100 * seconds
    info = bytes(10) + bits.to_bytes(8, "big") + bytes(16)
    picture_block = b"\x06" + (500_000).to_bytes(3, "big")
    return b"fLaC" + b"\0\0\0\x22" + info + picture_block + bytes(500_000)
