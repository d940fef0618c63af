"""Registered media types by file extension.

Python's `mimetypes` is not used: it reads /etc/mime.types, so its results differ between
machines, and it contains unregistered types. The registry of IANA is at
https://www.iana.org/assignments/media-types.
"""

from __future__ import annotations

import re

from feedpub.urls import WEB_SCHEMES

TYPES = {
    # pictures
    "apng": "image/apng",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "heic": "image/heic",
    "ico": "image/vnd.microsoft.icon",
    "jfif": "image/jpeg",
    "jpe": "image/jpeg",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "jxl": "image/jxl",
    "png": "image/png",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
    # sound
    "aac": "audio/aac",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "m4b": "audio/mp4",
    "mid": "audio/midi",
    "mp3": "audio/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/vnd.wave",
    "weba": "audio/webm",
    # moving pictures
    "3gp": "video/3gpp",
    "m3u8": "application/vnd.apple.mpegurl",
    "m4v": "video/mp4",
    "mkv": "video/matroska",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "ogv": "video/ogg",
    "webm": "video/webm",
    # documents and archives
    "7z": "application/x-7z-compressed",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
    "gz": "application/gzip",
    "htm": "text/html",
    "html": "text/html",
    "ics": "text/calendar",
    "json": "application/json",
    "md": "text/markdown",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rtf": "application/rtf",
    "stl": "model/stl",
    "srt": "application/x-subrip",
    "tar": "application/x-tar",
    "txt": "text/plain",
    "vtt": "text/vtt",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}
UNKNOWN = "application/octet-stream"
_SCHEMES = frozenset(f"{scheme}:/" for scheme in WEB_SCHEMES)

# Common other names of registered types.
_ALIASES = {
    "audio/m4a": "audio/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/mpeg3": "audio/mpeg",
    "audio/wav": "audio/vnd.wave",
    "audio/x-m4a": "audio/mp4",
    "audio/x-mp3": "audio/mpeg",
    "audio/x-wav": "audio/vnd.wave",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/svg": "image/svg+xml",
    "image/x-icon": "image/vnd.microsoft.icon",
    "video/x-m4v": "video/mp4",
}
_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+_-]*")


def type_of(url: str) -> str:
    """The media type for the file extension of a URL, "" if unknown."""
    before, slash, name = url.partition("#")[0].partition("?")[0].rpartition("/")
    if not slash or before in _SCHEMES:
        return ""  # not a URL, or a URL without a path
    _, dot, ending = name.rpartition(".")
    return TYPES.get(ending.lower(), "") if dot else ""


def registered_type(written: str) -> str:
    """The registered form of a media type, "" if the text is not a media type."""
    text = written.partition(";")[0].strip().lower()
    text = _ALIASES.get(text, text)
    return text if _TYPE.fullmatch(text) else ""
