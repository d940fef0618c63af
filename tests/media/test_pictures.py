"""Pictures made smaller, and fetched through the guard."""

from __future__ import annotations

import hashlib
import io
import struct
import sys
import time
import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from feedpub.media.ask import Answer, Asker
from feedpub.media.pictures import Limits, Picture, PictureError, resize
from feedpub.media.scheduler import Request, RequestSettings, Scheduler
from tests.media import samples
from tests.media.server import Route, Server, dripping, endless, file, missing, moved, reset, silent


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    assert image.size == (picture.width, picture.height)
    assert Image.MIME[str(image.format)] == picture.type
    return image


def noisy(size: tuple[int, int] = (300, 200), mode: str = "RGB") -> Image.Image:
    return Image.effect_noise(size, 60).convert(mode)


def saved(image: Image.Image, form: str = "JPEG", **kwargs: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, form, **kwargs)
    return data.getvalue()


def test_a_picture_is_made_in_each_size() -> None:
    data = saved(noisy((300, 200)))
    big, small = resize(data, [150, 60])
    assert [(p.width, p.height, p.type) for p in (big, small)] == [
        (150, 100, "image/jpeg"), (60, 40, "image/jpeg")
    ]  # fmt: skip
    opened(big)
    opened(small)


def test_its_name_tells_its_content() -> None:
    (picture,) = resize(saved(noisy()), [100])
    digest = hashlib.sha256(picture.data).hexdigest()[:16]
    assert picture.name == f"{digest}-100.jpg"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize("wanted", ["jpeg", "webp"])
def test_same_input_same_bytes(form: str, wanted: Any) -> None:
    data = saved(noisy(), form)
    assert resize(data, [120, 40], None, wanted) == resize(data, [120, 40], None, wanted)
    assert {p.type for p in resize(data, [120], None, wanted)} == {f"image/{wanted}"}


@pytest.mark.parametrize("sizes", [[1000], [1000, 301], [300]])
def test_nothing_is_enlarged(sizes: Sequence[int]) -> None:
    assert {(p.width, p.height) for p in resize(saved(noisy()), sizes)} == {(300, 200)}


@pytest.mark.parametrize("size", [(1, 3000), (3000, 1)])
def test_a_line_stays_one(size: tuple[int, int]) -> None:
    (picture,) = resize(samples.picture(size=size), [100])
    assert sorted((picture.width, picture.height)) == [1, 100]


def test_a_turned_picture_is_turned() -> None:
    (picture,) = resize(samples.turned_jpeg((400, 300)), [100])
    assert (picture.width, picture.height) == (75, 100)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("wanted", ["jpeg", "webp"])
def test_nothing_but_the_picture_is_left(form: str, wanted: Any) -> None:
    exif = Image.Exif()
    exif[0x010F] = "secret maker"
    exif.get_ifd(0x8825)[1] = "N"  # where it was taken
    kwargs: dict[str, object] = {"exif": exif}
    if form == "JPEG":
        kwargs["comment"] = b"secret comment"
    if form == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_text("Author", "secret author")
        kwargs["pnginfo"] = info
    if form == "WEBP":
        kwargs["xmp"] = b"<x>secret</x>"
    data = saved(noisy(), form, **kwargs)
    assert b"secret" in data
    (picture,) = resize(data, [300], None, wanted)
    assert b"secret" not in picture.data
    image = opened(picture)
    assert not image.getexif()
    assert not {"icc_profile", "comment", "xmp", "exif"} & image.info.keys()


@pytest.mark.parametrize(
    ("form", "mode", "wanted", "kind"),
    [
        ("PNG", "RGBA", "jpeg", "image/png"),
        ("PNG", "LA", "jpeg", "image/png"),
        ("PNG", "RGBA", "webp", "image/webp"),
        ("WEBP", "RGBA", "jpeg", "image/webp"),
    ],
)
def test_what_shows_through_still_does(form: str, mode: str, wanted: Any, kind: str) -> None:
    image = noisy(mode="RGB").convert(mode)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    (picture,) = resize(saved(image, form), [60], None, wanted)
    assert picture.type == kind
    assert opened(picture).getchannel("A").getextrema()[0] < 50


def test_an_alpha_channel_that_hides_nothing_is_dropped() -> None:
    assert resize(saved(noisy(mode="RGBA"), "PNG"), [60])[0].type == "image/jpeg"


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "CMYK"])
def test_every_kind_of_pixel_is_taken(mode: str) -> None:
    if mode == "I;16":
        image = Image.new(mode, (50, 50), 0x8000)
    else:
        image = Image.new("L", (50, 50), 128).convert(mode)
    (picture,) = resize(saved(image, "JPEG" if mode == "CMYK" else "PNG"), [20])
    grey = opened(picture).convert("L").getpixel((10, 10))
    assert mode == "1" or abs(int(grey) - 128) < 12


def test_colours_are_those_of_the_profile() -> None:
    """It goes with the metadata, so what it means must be in the pixels: here, red is green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ").replace(b"____", b"gXYZ")
    red = Image.new("RGB", (50, 50), (220, 30, 30))
    pixels = [
        opened(resize(saved(red, icc_profile=icc), [20])[0]).getpixel((5, 5))
        for icc in (profile, swapped, b"no profile")
    ]
    assert [pixel.index(max(pixel)) for pixel in pixels] == [0, 1, 0]


def test_of_what_moves_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("red", "blue", "green")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    image = opened(resize(data, [20])[0])
    red, _, blue = image.getpixel((10, 10))
    assert red > 200 > blue


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size, of few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (png_of(30_000, 30_000), "more than 50000000 pixels"),
        (png_of(2**31 - 1, 2**31 - 1), "pixels|cannot be read"),
        (png_of(7000, 7000), "cannot be read"),  # truncated
        (bytes(20_000_001), "more than 20000000 bytes"),
        (b"<html>not found", "it is not an image, but text/html"),
        (samples.mp3(3), "it is not an image, but audio/mpeg"),
        (b"\0\1\2", "it is not an image"),
        (b"", "it is not an image"),
        (b"<svg width='9' height='9'/>", "cannot be read as image/svg"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "cannot be read as image/jpeg"),
        (samples.picture()[:-100], "cannot be read as image/jpeg"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is not an image"),
    ],
)
def test_what_is_no_usable_picture_is_refused(data: bytes, words: str) -> None:
    start = time.monotonic()
    with pytest.raises(PictureError, match=words):
        resize(data, [100])
    assert time.monotonic() - start < 5


def test_limits_are_the_caller_s() -> None:
    data = saved(noisy())
    with pytest.raises(PictureError, match="pixels"):
        resize(data, [100], Limits(pixels=59_999))
    with pytest.raises(PictureError, match="bytes"):
        resize(data, [100], Limits(bytes=100))
    assert resize(data, [100], Limits(pixels=60_000))


def test_without_pillow_it_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = samples.picture()
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(PictureError, match="Pillow is not installed; add it with: "):
        resize(data, [10])


_SEEDS = [saved(noisy((20, 20)), form) for form in ("JPEG", "PNG", "GIF", "WEBP", "AVIF")]


@settings(max_examples=150, deadline=5000)
@given(
    seed=st.sampled_from(_SEEDS),
    cuts=st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=6)), max_size=5),
    end=st.integers(10, 2000),
)
def test_hostile_pictures_are_pictures_or_refused(
    seed: bytes, cuts: list[tuple[int, bytes]], end: int
) -> None:
    data = bytearray(seed)
    for place, patch in cuts:
        data[place : place + len(patch)] = patch
    try:
        for picture in resize(bytes(data[:end]), [10], Limits(pixels=1_000_000)):
            opened(picture)
    except PictureError:
        pass


NET = RequestSettings(allow=("127.0.0.1",), connect=2, read=1, total=1.5, retries=0)


def fetched(route: Route, cap: int = 1_000_000, settings: RequestSettings = NET) -> bytes:
    """What a mirror gets from a host; raises `PictureError` with the reason if it gets nothing."""

    def get(asker: Asker, request: Request) -> tuple[Answer, bytes]:
        return asker.fetch(request.url, cap)

    with Server({"/a": route, "/b": file(b"picture")}) as server:
        (finished,) = Scheduler(settings, get).run([server.url("/a")])
    if finished.answer.error:
        raise PictureError(finished.answer.error)
    assert finished.value is not None
    return finished.value


@pytest.mark.parametrize("route", [file(b"picture"), moved("/b")])
def test_a_picture_is_fetched(route: Route) -> None:
    assert fetched(route) == b"picture"


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (missing, "404 Not Found"),
        (moved("/a"), "in a circle"),
        (moved("http://127.0.0.2/"), "private network"),
        (moved("file:///etc/passwd"), "only http"),
        (reset, "broken off"),
        (silent, "in time|longer than"),
        (dripping(b"HTTP/1.1 200 OK\r\n\r\n"), "takes longer than"),
        (endless(samples.picture(), 10 * 2**30), "more than 1000000 bytes"),
        (file(bytes(1_000_001)), "more than 1000000 bytes"),
        (file(b"not gzip", encoding="gzip"), "more than|not understood"),
    ],
)
def test_what_cannot_be_fetched_is_said(route: Route, words: str) -> None:
    start = time.monotonic()
    with pytest.raises(PictureError, match=words):
        fetched(route)
    assert time.monotonic() - start < 5


def test_the_cap_itself_is_no_more_than_the_cap() -> None:
    assert len(fetched(file(bytes(1000)), cap=1000)) == 1000


def test_without_leave_nothing_on_loopback_is_fetched() -> None:
    with pytest.raises(PictureError, match="private network"):
        fetched(file(b"picture"), settings=NET._replace(allow=()))
