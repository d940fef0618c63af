"""Pictures for the feed's own host: fetched, checked to be pictures, made smaller.

Needs Pillow (the extra `media`), and imports it only when it is used. What comes out
holds the picture and nothing else: no place, camera, comment or thumbnail of before.
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

    from feedpub.media.probe import ProbeSettings

_MAX_PROFILE = 2_000_000  # bytes of a colour profile
_MAX_SIDE = 16_383  # pixels, of what WebP holds; JPEG holds more
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")  # that are opened: few decoders, few holes
_QUALITY = 82


class PictureError(FeedpubError):
    """What can't be had or used as a picture; the message says why, and holds no address."""


class Limits(NamedTuple):
    """What a picture may cost."""

    bytes: int = 20_000_000
    pixels: int = 50_000_000  # of one frame; a pixel takes four bytes of memory, and more


class Picture(NamedTuple):
    """A picture as it is published. `name` says what it holds: another content, another name."""

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
    """The picture in each of the sizes, in their order; raises `PictureError`.

    A size is the number of pixels that neither side exceeds; nothing is enlarged, so that
    two sizes may give the same. Of what moves, the first frame is taken. What is shown
    through is WebP where it was or where `form` says so, else PNG. Same data, sizes and
    version of Pillow: same bytes.
    """
    limits = limits or Limits()
    if len(data) > limits.bytes:
        raise PictureError(f"it has more than {limits.bytes} bytes")
    facts = facts_of_bytes(data[:HEAD], len(data), "")
    if not facts.type.startswith("image/"):
        raise PictureError("it is no picture" + (f", but {facts.type}" if facts.type else ""))
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
    except Exception as error:  # decoders raise whatever comes to hand
        raise PictureError(f"it can't be read as {facts.type}") from error
    is_clear = picture.mode == "RGBA"
    kind = "webp" if form == "webp" or (is_clear and is_webp) else "png" if is_clear else "jpeg"
    return [_made(picture, size, kind) for size in sizes]


def _too_large(limits: Limits) -> PictureError:
    return PictureError(f"it has more than {limits.pixels} pixels")


def _prepared(opened: Image, size: int, limits: Limits) -> Image:
    """The first frame as it is shown, in sRGB, RGBA only where something shows through."""
    from PIL import ImageOps

    opened.draft("RGB", (size, size))  # JPEG only: decodes no more than is needed
    opened.load()
    if opened.width * opened.height > limits.pixels:  # a frame larger than what holds it
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
    picture.info = {}  # what is there, Pillow writes: profiles, comments
    return picture


def _in_srgb(picture: Image, profile: object) -> Image:
    """Colours as they are meant, since the profile that tells them goes with the metadata."""
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


def fetch(url: str, settings: ProbeSettings, max_bytes: int = Limits().bytes) -> bytes:
    """What is at an address, through the same guard as probing; raises `PictureError`.

    Takes `settings.total` seconds at most, redirects included.
    """
    from feedpub.media.ask import Asker
    from feedpub.media.connections import Deadline, session
    from feedpub.media.guard import allowed, user_agent

    line = Deadline(settings.total)
    with session(allowed(settings.allow), user_agent(settings.contact)) as made, line:
        asker = Asker(made, line, settings.connect, settings.read)
        data, error = asker.whole(url, settings.redirects, max_bytes)
    if error:
        raise PictureError(error)
    return data
