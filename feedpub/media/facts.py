"""Detects the type, length, dimensions and duration of a media file from its first bytes.

The content takes precedence over names and headers: a file that begins like a web page is one,
whatever its name. Hostile content neither raises errors nor is read without limit.

Images are read by imagesize (MIT) and audio by tinytag (MIT). mutagen knows more tags, which
feeds do not need, but its license (GPL-2.0-or-later) would apply to every installed feedpub,
which is MIT.
"""

from __future__ import annotations

import contextlib
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import quote

from feedpub.media.partial_file import ExhaustedError, PartialFile
from feedpub.media.types import UNKNOWN, registered_type, type_of

if TYPE_CHECKING:
    from typing import BinaryIO

HEAD = 65_536  # bytes, enough for nearly every header
_MAX_LENGTH = 1 << 50
_MAX_SIDE = 1_000_000  # pixels
_MAX_DURATION = 1_000_000  # seconds


class Facts(NamedTuple):
    """The metadata of a media file.

    `type` is a registered media type, "" if unknown. `length` is in bytes, `width` and `height`
    in pixels as displayed, `duration` in seconds; each is 0 if unknown.
    """

    type: str = ""
    length: int = 0
    width: int = 0
    height: int = 0
    duration: int = 0


def facts_of_bytes(head: bytes, total: int, name: str, declared: str = "") -> Facts:
    """The facts from the first bytes of a file of `total` bytes (0 if unknown).

    `name` is a file name or a URL; `declared` is the type in a server's response. If the content
    does not determine the type, `declared` does, then `name`, unless the content contradicts.
    """
    length = max(total, len(head)) if 0 < total <= _MAX_LENGTH else 0
    return facts_of_partial_file(PartialFile.of_parts({0: head}, length), name, declared)


def facts_of_file(path: Path) -> Facts:
    """The facts of a local file. Raises `OSError`."""
    with path.open("rb", buffering=0) as file:
        return facts_of_partial_file(PartialFile.of_file(cast("BinaryIO", file)), quote(path.name))


def facts_of_partial_file(file: PartialFile, name: str, declared: str = "") -> Facts:
    """The facts from the loaded parts of a file. Raises only what reading the file raises."""
    head = file.at(0, HEAD)
    file.missed = -1  # a short file is complete
    kind = _sniff(head)
    claims = [registered_type(declared), type_of(name if "/" in name else f"./{name}")]
    if not kind:
        kind = next((c for c in claims if c and not _contradicts(head, c)), "")
        return Facts(kind, file.length)
    named = next((c for c in claims if c not in VAGUE), "")
    facts = Facts(kind, file.length)
    with contextlib.suppress(ExhaustedError):
        facts = _with_details(file, facts, named)
    if not (0 < facts.width <= _MAX_SIDE and 0 < facts.height <= _MAX_SIDE):
        facts = facts._replace(width=0, height=0)
    return facts


def _with_details(file: PartialFile, facts: Facts, named: str) -> Facts:
    group = facts.type.partition("/")[0]
    if facts.type in {"video/mp4", "video/quicktime", "video/3gpp", "audio/mp4"}:
        return _of_movie(file, facts, named)
    if facts.type in {"video/webm", "video/matroska"}:
        return _of_matroska(file, facts)
    if facts.type == "video/ogg":
        return _of_ogg(file, facts, named)
    if facts.type == "application/zip":
        return facts._replace(type=named if named in _ZIPPED else facts.type)
    if facts.type == "text/plain":
        return facts._replace(type=named if _is_text(named) else facts.type)
    if facts.type == "text/html":
        return facts._replace(type=named if named == "text/markdown" else facts.type)
    if facts.type == "application/xml":
        return facts._replace(type=named if named.endswith(("+xml", "/html")) else facts.type)
    if facts.type == "audio/flac":
        from feedpub.media.containers import flac_duration

        return facts._replace(duration=_seconds(flac_duration(file)))
    if group == "audio":
        return facts._replace(duration=_sound_duration(file, facts.type))
    if group == "image":
        width, height = _picture_size(file, facts.type)
        return facts._replace(width=width, height=height)
    return facts


def _of_movie(file: PartialFile, facts: Facts, named: str) -> Facts:
    from feedpub.media.containers import iso_tracks

    tracks = iso_tracks(file)
    if tracks.has_video:
        kind = "video/mp4" if facts.type == "audio/mp4" else facts.type
    elif facts.type == "audio/mp4" or (tracks.has_audio and file.missed < 0):
        kind = "audio/mp4"
    else:
        kind = named if named in {"audio/mp4", "video/mp4", "video/3gpp"} else facts.type
    return Facts(kind, facts.length, tracks.width, tracks.height, _seconds(tracks.duration))


def _of_matroska(file: PartialFile, facts: Facts) -> Facts:
    from feedpub.media.containers import matroska_tracks

    tracks = matroska_tracks(file)
    is_sound = tracks.has_audio and not tracks.has_video
    kind = facts.type.replace("video/", "audio/") if is_sound else facts.type
    return Facts(kind, facts.length, tracks.width, tracks.height, _seconds(tracks.duration))


def _of_ogg(file: PartialFile, facts: Facts, named: str) -> Facts:
    from feedpub.media.containers import ogg_tracks

    tracks = ogg_tracks(file)
    if tracks.has_audio or tracks.has_video:
        kind = "video/ogg" if tracks.has_video else "audio/ogg"
    else:
        kind = named if named in {"audio/ogg", "video/ogg"} else "application/ogg"
    return Facts(kind, facts.length, tracks.width, tracks.height, _seconds(tracks.duration))


def _seconds(duration: float) -> int:
    """Whole seconds, at least 1; 0 if the duration is implausible."""
    if not math.isfinite(duration) or not 0 < duration < _MAX_DURATION:
        return 0
    return max(1, math.floor(duration + 0.5))


def _sound_duration(file: PartialFile, kind: str) -> int:
    """The duration of an MP3 or WAV file, 0 if it contradicts the length of the file."""
    from tinytag import TinyTag, TinyTagException

    if kind not in {"audio/mpeg", "audio/vnd.wave"}:
        return 0
    if kind == "audio/mpeg":
        file.blind = file.end - 128  # ID3v1 tags: not worth a request
    try:
        tag = TinyTag.get(file_obj=cast("BinaryIO", file), tags=False)
    except (TinyTagException, ArithmeticError, LookupError, ValueError):
        return 0
    if kind == "audio/mpeg" and file.missed >= 0:
        return 0  # computed from the loaded part only
    duration = tag.duration or 0.0
    expected = duration * (tag.bitrate or 0) * 125  # bytes
    if file.length and expected > file.length * 1.1 + HEAD:
        return 0 if kind == "audio/mpeg" else _seconds(duration * file.length / expected)
    return _seconds(duration)


def _picture_size(file: PartialFile, kind: str) -> tuple[int, int]:
    """Width and height as displayed, after rotation."""
    if kind == "image/jxl":
        return 0, 0  # imagesize does not support it
    if kind == "image/vnd.microsoft.icon":
        return _icon_size(file)
    import imagesize

    # Do not read Exif of HEIF: a few bytes in it can make imagesize loop billions of times.
    is_heif = kind in {"image/avif", "image/heic", "image/heif"}
    try:
        width, height = imagesize.get(cast("BinaryIO", file), exif_rotation=not is_heif)
        width, height = int(width), int(height)
    except (ArithmeticError, ValueError, TypeError):
        return 0, 0
    if is_heif:
        from feedpub.media.containers import heif_is_turned

        if heif_is_turned(file):
            return height, width
    return width, height


def _icon_size(file: PartialFile) -> tuple[int, int]:
    """The largest image of an icon. A side of 0 means 256."""
    count = int.from_bytes(file.at(4, 2), "little")
    entries = file.at(6, 16 * min(count, 256))
    sizes = [(entries[n] or 256, entries[n + 1] or 256) for n in range(0, len(entries) - 15, 16)]
    return max(sizes, default=(0, 0))


# First bytes → type (according to the specifications of the formats).
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\xff\x0a", "image/jxl"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"MThd\0\0\0\6", "audio/midi"),
    (b"OggS\0", "video/ogg"),
    (b"\0\0\1\xba", "video/mpeg"),
    (b"\0\0\1\xb3", "video/mpeg"),
    (b"%PDF-", "application/pdf"),
    (b"PK\3\4", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"WEBVTT", "text/vtt"),
    (b"{\\rtf", "text/rtf"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
# Types that _sniff always recognizes.
_CERTAIN = frozenset(
    "image/jpeg image/png image/apng image/gif image/webp image/avif image/heic image/tiff "
    "image/jxl image/svg+xml audio/flac audio/ogg audio/vnd.wave audio/webm audio/mp4 video/mp4 "
    "video/ogg video/webm video/matroska application/pdf application/epub+zip text/html "
    "application/gzip application/zip".split()
)
_ZIPPED = frozenset(
    "application/epub+zip application/vnd.oasis.opendocument.presentation "
    "application/vnd.oasis.opendocument.spreadsheet application/vnd.oasis.opendocument.text "
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document "
    "application/vnd.openxmlformats-officedocument.presentationml.presentation "
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".split()
)
# Types that servers send for unknown files.
VAGUE = frozenset({"", UNKNOWN, "binary/octet-stream", "application/x-download", "text/plain"})
_TEXTUAL = frozenset(
    "application/json application/xml application/x-subrip model/stl image/svg+xml".split()
)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:(?:<!--.{0,4096}?-->|<\?.{0,1024}?\?>)\s*)*+<", re.S)
_HTML = re.compile(
    rb"<(?:!doctype\s+html|(?:html|head|body|script|title|meta|style|div|h1|p)[\s>/])", re.I
)
_SVG = re.compile(rb"<(?:!doctype\s+svg|(?:\w+:)?svg[\s>/])", re.I)


def _sniff(head: bytes) -> str:
    """The type according to the first bytes, "" if unknown."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[4:8] == b"ftyp":
        return _brand_type(head)
    if head.startswith(b"RIFF"):
        return {b"WEBP": "image/webp", b"WAVE": "audio/vnd.wave"}.get(head[8:12], "")
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if head.startswith(b"\0\0\1\0") and head[4:6] != b"\0\0" and head[9:10] == b"\0":
        return "image/vnd.microsoft.icon"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        from feedpub.media.containers import ebml_type

        is_webm = ebml_type(PartialFile.of_parts({0: head}, len(head))) == "webm"
        return "video/webm" if is_webm else "video/matroska"
    if _is_frame(head):
        return "audio/aac" if head[1] & 6 == 0 else "audio/mpeg"
    return _text_type(head)


def _brand_type(head: bytes) -> str:
    """The type according to the brands of the file type box (ISO/IEC 14496-12, 4.3)."""
    size = min(int.from_bytes(head[:4], "big"), 256)
    brands = [head[8:12], *(head[n : n + 4] for n in range(16, size - 3, 4))]
    for brand in brands:
        if brand in _BRANDS:
            if brand == b"mif1" and b"avif" in brands:
                return "image/avif"
            return "image/heic" if brand == b"mif1" and b"heic" in brands else _BRANDS[brand]
    return "video/3gpp" if brands[0].startswith(b"3g") else "video/mp4"


def _is_frame(head: bytes) -> bool:
    """Whether the data begins with an MPEG audio frame (ISO/IEC 11172-3, 2.4.1.3) or ADTS.

    Layer I, which is unused in practice, is excluded, because UTF-16 text begins like it.
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if not layer:
        return head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13
    return version != 1 and layer != 3 and 0 < head[2] >> 4 < 15 and head[2] >> 2 & 3 != 3


def _text_type(head: bytes) -> str:
    if not _looks_like_text(head):
        return ""
    markup = _MARKUP.match(head, 0, 16_384)
    if not markup:
        return "text/plain"
    at = markup.end() - 1
    if _HTML.match(head, at):
        return "text/html"
    if _SVG.match(head, at):
        return "image/svg+xml"
    return "application/xml"


def _looks_like_text(head: bytes) -> bool:
    """Whether the data may be text, in UTF-8 or a similar encoding."""
    sample = head[:1024]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16
        return True
    return bool(sample) and not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", sample)


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in _TEXTUAL


def _contradicts(head: bytes, claimed: str) -> bool:
    """Whether content of unknown type cannot be of the claimed type, or the claim is vague."""
    return claimed in VAGUE or (bool(head) and (claimed in _CERTAIN or _is_text(claimed)))
