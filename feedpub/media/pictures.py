"""Fetches images, and makes smaller copies of them for the host of the feeds.

Needs Pillow (the extra `media`), which is imported on demand. The copies contain no metadata,
such as location, camera, comments or embedded thumbnails.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from feedpub.errors import FeedpubError
from feedpub.installation import missing
from feedpub.media.facts import HEAD, facts_of_bytes

if TYPE_CHECKING:
    from PIL.Image import Image


_MAX_PROFILE = 2_000_000  # bytes of a colour profile
_MAX_SIDE = 16_383  # pixels: the limit of WebP, lower than that of JPEG
_FORMATS = (
    "JPEG",
    "PNG",
    "GIF",
    "WEBP",
    "AVIF",
)  # that Pillow may open: fewer decoders have fewer vulnerabilities
_QUALITY = 82


class PictureError(FeedpubError):
    """An image cannot be fetched or used. The message says why, and contains no URL."""


class Limits(NamedTuple):
    """The limits for an image."""

    bytes: int = 20_000_000
    pixels: int = 50_000_000  # of one frame; each takes at least four bytes of memory


class Picture(NamedTuple):
    """An image as it is published. `name` depends on the content."""

    name: str  # <16 hex digits of its SHA-256>-<width>.jpg
    type: str
    width: int  # pixels
    height: int
    data: bytes


def resize(
    data: bytes,
    sizes: Sequence[int],
    limits: Limits | None = None,
    form: Literal["jpeg", "webp"] = "jpeg",
) -> list[Picture]:
    """The image in each of the sizes, in their order. Raises `PictureError`.

    A size is the maximum of width and height in pixels. Images are never enlarged, so two sizes
    may give the same result. Of an animation, the first frame is used. An image with
    transparency becomes WebP if it was WebP or `form` requires it, otherwise PNG. The result
    depends on the arguments and the version of Pillow only.
    """
    limits = limits or Limits()
    if len(data) > limits.bytes:
        raise PictureError(f"it has more than {limits.bytes} bytes")
    facts = facts_of_bytes(data[:HEAD], len(data), "")
    if not facts.type.startswith("image/"):
        raise PictureError("it is not an image" + (f", but {facts.type}" if facts.type else ""))
    if facts.width * facts.height > limits.pixels:
        raise _too_large(limits)
    try:
        from PIL import Image
    except ImportError as error:
        raise PictureError(missing("Pillow", "media")) from error
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > limits.pixels:
                raise _too_large(limits)
            is_webp = opened.format == "WEBP"
            picture = _prepared(opened, max(sizes), limits)
    except PictureError:
        raise
    except Exception as error:  # decoders raise various errors
        raise PictureError(f"it cannot be read as {facts.type}") from error
    is_clear = picture.mode == "RGBA"
    kind = "webp" if form == "webp" or (is_clear and is_webp) else "png" if is_clear else "jpeg"
    return [_made(picture, size, kind) for size in sizes]


def _too_large(limits: Limits) -> PictureError:
    return PictureError(f"it has more than {limits.pixels} pixels")


def _prepared(opened: Image, size: int, limits: Limits) -> Image:
    """The first frame as displayed, in sRGB, as RGBA only if it has transparent pixels."""
    from PIL import ImageOps

    opened.draft("RGB", (size, size))  # JPEG only: decodes at a lower resolution
    opened.load()
    if (
        opened.width * opened.height > limits.pixels
    ):  # a frame may be larger than its container says
        raise _too_large(limits)
    profile = opened.info.get("icc_profile")
    picture = _in_srgb(ImageOps.exif_transpose(opened), profile)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema() == (255, 255):
            picture = picture.convert("RGB")
    elif picture.mode != "RGB":
        if picture.mode.startswith("I"):  # 16 bits of grey
            picture = picture.convert("I").point(lambda value: value / 257).convert("L")
        picture = picture.convert("RGB")
    picture.info = {}  # otherwise Pillow would write profiles and comments
    return picture


def _in_srgb(picture: Image, profile: object) -> Image:
    """The image converted to sRGB, since its color profile is removed."""
    if not isinstance(profile, bytes) or not 0 < len(profile) <= _MAX_PROFILE:
        return picture
    if picture.mode not in {"RGB", "RGBA", "CMYK", "L"}:
        return picture
    from PIL import ImageCms

    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        made = ImageCms.profileToProfile(picture, source, target, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return made or picture


def _made(picture: Image, size: int, kind: str) -> Picture:
    from PIL.Image import Resampling

    factor = min(1.0, min(size, _MAX_SIDE) / max(picture.size))
    width, height = (max(1, round(side * factor)) for side in picture.size)
    if (width, height) != picture.size:
        picture = picture.resize((width, height), Resampling.LANCZOS, reducing_gap=3.0)
    made = io.BytesIO()
    if kind == "jpeg":
        picture.save(made, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    elif kind == "webp":
        picture.save(made, "WEBP", quality=_QUALITY, method=4)
    else:
        picture.save(made, "PNG", optimize=True)
    data = made.getvalue()
    digest = hashlib.sha256(data).hexdigest()[:16]
    ending = {"jpeg": "jpg"}.get(kind, kind)
    return Picture(f"{digest}-{width}.{ending}", f"image/{kind}", width, height, data)
