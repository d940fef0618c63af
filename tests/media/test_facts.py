"""What a media file says of itself."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedpub.media.facts import HEAD, Facts, facts_of_bytes, facts_of_file, facts_of_partial_file
from feedpub.media.partial_file import PartialFile
from tests.media import samples

VIDEO = samples.track(b"vide", 640, 360)
SOUND = samples.track(b"soun")

FILES = {
    "a.jpg": (samples.picture(), Facts("image/jpeg", 0, 40, 30)),
    "turned.jpg": (samples.turned_jpeg(), Facts("image/jpeg", 0, 30, 40)),
    "a.png": (samples.picture("PNG"), Facts("image/png", 0, 40, 30)),
    "a.gif": (samples.picture("GIF"), Facts("image/gif", 0, 40, 30)),
    "a.webp": (samples.picture("WEBP"), Facts("image/webp", 0, 40, 30)),
    "a.bmp": (samples.picture("BMP"), Facts("image/bmp", 0, 40, 30)),
    "a.tif": (samples.picture("TIFF"), Facts("image/tiff", 0, 40, 30)),
    "a.ico": (samples.picture("ICO", (256, 256)), Facts("image/vnd.microsoft.icon", 0, 256, 256)),
    "a.svg": (b"<?xml version='1.0'?>\n<!-- x --><svg width='20' height='30px'/>",
              Facts("image/svg+xml", 0, 20, 30)),
    "no-size.svg": (b"<svg viewBox='0 0 1 1'/>", Facts("image/svg+xml")),
    "a.wav": (samples.wav(10), Facts("audio/vnd.wave", 0, 0, 0, 10)),
    "a.mp3": (samples.mp3(2297), Facts("audio/mpeg", 0, 0, 0, 60)),
    "cover.mp3": (samples.mp3(2297, tag=50_000), Facts("audio/mpeg", 0, 0, 0, 60)),
    "vbr.mp3": (samples.xing_mp3(2297, 400_000), Facts("audio/mpeg", 0, 0, 0, 60)),
    "a.m4a": (samples.movie(SOUND, brand=b"M4A "), Facts("audio/mp4", 0, 0, 0, 90)),
    "sound.mp4": (samples.movie(SOUND), Facts("audio/mp4", 0, 0, 0, 90)),
    "a.mp4": (samples.movie(SOUND, VIDEO), Facts("video/mp4", 0, 640, 360, 90)),
    "long.mp4": (samples.movie(SOUND, VIDEO, version=1), Facts("video/mp4", 0, 640, 360, 90)),
    "last.mp4": (samples.movie(SOUND, VIDEO, is_last=True, body=200_000),
                 Facts("video/mp4", 0, 640, 360, 90)),
    "turned.mp4": (samples.movie(samples.track(b"vide", 640, 360, is_turned=True)),
                   Facts("video/mp4", 0, 360, 640, 90)),
    "a.mov": (samples.movie(VIDEO, brand=b"qt  "), Facts("video/quicktime", 0, 640, 360, 90)),
    "a.webm": (samples.matroska(b"webm", samples.entry(1, 640, 360), samples.entry(2)),
               Facts("video/webm", 0, 640, 360, 61)),
    "a.weba": (samples.matroska(b"webm", samples.entry(2)), Facts("audio/webm", 0, 0, 0, 61)),
    "a.mkv": (samples.matroska(b"matroska", samples.entry(1, 640, 360)),
              Facts("video/matroska", 0, 640, 360, 61)),
    "a.opus": (samples.opus(75), Facts("audio/ogg", 0, 0, 0, 75)),
    "long.opus": (samples.opus(75, body=20), Facts("audio/ogg", 0, 0, 0, 75)),
    "a.ogv": (samples.theora() + samples.vorbis(), Facts("video/ogg", 0, 640, 480)),
    "a.flac": (samples.flac(83), Facts("audio/flac", 0, 0, 0, 83)),
    "a.pdf": (b"%PDF-1.7\n" + bytes(30), Facts("application/pdf")),
    "a.zip": (b"PK\3\4" + bytes(30), Facts("application/zip")),
    "a.epub": (b"PK\3\4" + bytes(30), Facts("application/epub+zip")),
    "a.vtt": (b"WEBVTT\n\n", Facts("text/vtt")),
    "a.srt": (b"1\n00:00:01,000 --> 00:00:02,000\nHi\n", Facts("application/x-subrip")),
    "a.md": (b"<p align=center>\n# Hi", Facts("text/markdown")),
    "a.json": (b'{"chapters": []}', Facts("application/json")),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_tells_what_it_is(name: str, tmp_path: Path) -> None:
    data, facts = FILES[name]
    path = tmp_path / name
    path.write_bytes(data)
    assert facts_of_file(path) == facts._replace(length=len(data))


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"last.mp4", "long.opus"}))
def test_its_first_bytes_tell_the_same(name: str) -> None:
    data, facts = FILES[name]
    assert facts_of_bytes(data[:HEAD], len(data), name) == facts._replace(length=len(data))


@pytest.mark.parametrize("name", ["last.mp4", "long.opus", "cover.mp3"])
def test_what_stands_further_on_is_asked_for_by_place(name: str) -> None:
    """One more piece, from the place where it was missed, tells the rest."""
    data, facts = FILES[name]
    parts = {0: data[:30_000]}
    source = PartialFile.of_parts(parts, len(data))
    assert facts_of_partial_file(source, name).duration == 0
    assert source.missed >= 30_000
    parts[source.missed] = data[source.missed : source.missed + HEAD]
    source = PartialFile.of_parts(parts, len(data))
    assert facts_of_partial_file(source, name) == facts._replace(length=len(data))


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.jpg", samples.picture("PNG"), "image/png"),
        ("a.mp3", b"<!DOCTYPE html><title>Not found</title>", "text/html"),
        ("a.jpg", b"\xef\xbb\xbf \n<!-- x -->\n<HTML lang=en>", "text/html"),
        ("a.jpg", b'{"error": "gone"}', "text/plain"),
        ("a.jpg", b"\0\1\2\3 no picture", ""),
        ("a.txt", b"\0\1\2\3 no text", ""),
        ("a.mp3", b"\0" * 100, "audio/mpeg"),  # some begin with padding
        ("a.mp4", samples.opus(3), "audio/ogg"),
        ("a", b"<?xml version='1.0'?><rss>", "application/xml"),
        ("a", "\N{BYTE ORDER MARK}text".encode("utf-16-le"), "text/plain"),
        ("a.jpg", b"", "image/jpeg"),
        ("a.unknown", b"", ""),
        ("https://example.org/a.mp3?x=1", b"", "audio/mpeg"),
        ("https://example.org", b"", ""),
    ],
)
def test_content_beats_the_name(name: str, data: bytes, kind: str) -> None:
    assert facts_of_bytes(data, len(data), name).type == kind


@pytest.mark.parametrize(
    ("declared", "data", "kind"),
    [
        ("image/png", samples.picture(), "image/jpeg"),
        ("text/html; charset=utf-8", samples.mp3(9), "audio/mpeg"),
        ("application/octet-stream", b"\0\1", "audio/mpeg"),
        ("audio/x-m4a", b"\0\1", "audio/mpeg"),  # an m4a begins otherwise
        ("application/vnd.thing", b"\0\1", "application/vnd.thing"),
        ("text/html", b"\0\1", "audio/mpeg"),
        ("audio/mp4", samples.movie(SOUND), "audio/mp4"),
    ],
)
def test_content_beats_what_a_server_says(declared: str, data: bytes, kind: str) -> None:
    assert facts_of_bytes(data, len(data), "a.mp3", declared).type == kind


def test_an_unknown_length_gives_no_guessed_duration() -> None:
    assert facts_of_bytes(samples.mp3(20), 0, "a.mp3") == Facts("audio/mpeg")
    assert facts_of_bytes(samples.xing_mp3(2297, 9_000), 0, "a.mp3").duration == 60


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.mp3", samples.xing_mp3(10**8, 10**6)[:5000]),
        ("a.mp4", samples.movie(VIDEO, seconds=4_000_000)),
        ("a.webm", samples.matroska(b"webm", samples.entry(2), seconds=float("inf"))),
        ("a.webm", samples.matroska(b"webm", samples.entry(2), seconds=float("nan"))),
        ("a.webm", samples.matroska(b"webm", samples.entry(2), seconds=-5.0)),
    ],
)
def test_a_duration_that_cannot_be_is_unknown(name: str, data: bytes) -> None:
    assert facts_of_bytes(data, len(data), name).duration == 0


def test_a_wav_that_was_written_to_a_pipe_has_the_duration_of_its_bytes() -> None:
    data = samples.wav(10)
    data = data[:40] + b"\xff\xff\xff\xff" + data[44:]
    assert facts_of_bytes(data, len(data), "a.wav").duration == pytest.approx(10, abs=1)


def test_a_picture_that_claims_an_absurd_size_has_none() -> None:
    data = bytearray(samples.picture("PNG"))
    data[16:24] = b"\x7f\xff\xff\xff" * 2
    assert facts_of_bytes(bytes(data), len(data), "a.png")[2:4] == (0, 0)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        facts_of_file(tmp_path / "a.jpg")


def test_a_large_file_is_read_in_its_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "a#1?.mp3"
    with path.open("wb") as file:
        file.write(samples.mp3(200))
        file.truncate(10 * 2**30)
    start = time.monotonic()
    facts = facts_of_file(path)
    assert (facts.type, facts.length) == ("audio/mpeg", 10 * 2**30)
    assert time.monotonic() - start < 5


_HEADS = sorted({data[:300] for data, _ in FILES.values()})


@settings(max_examples=150, deadline=5000)
@given(
    head=st.sampled_from(_HEADS) | st.binary(max_size=12),
    cuts=st.lists(st.tuples(st.integers(0, 299), st.binary(max_size=9)), max_size=4),
    tail=st.binary(max_size=100),
    total=st.sampled_from([0, 1, 300, 10**6, 2**62, 10**30]),
    name=st.sampled_from(sorted(FILES)),
)
def test_hostile_bytes_neither_raise_nor_hang(
    head: bytes, cuts: list[tuple[int, bytes]], tail: bytes, total: int, name: str
) -> None:
    data = bytearray(head)
    for place, patch in cuts:
        data[place : place + len(patch)] = patch
    facts = facts_of_bytes(bytes(data) + tail, total, name)
    assert 0 <= facts.width <= 1_000_000
    assert 0 <= facts.height <= 1_000_000
    assert 0 <= facts.duration <= 1_000_000
    assert 0 <= facts.length <= 2**50


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfb\x90\x64" + b"\xff" * HEAD,
        b"ID3\4\0\0" + b"\x7f" * HEAD,
        b"RIFF\0\0\0\0WAVE" + b"fact\0\0\0\0" * 8000,
        samples.box(b"ftyp", b"isom", bytes(4)) + samples.box(b"moov") * 8000,
        samples.box(b"ftyp", b"isom", bytes(4)) + samples.box(b"moov", samples.box(b"trak") * 8000),
        b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\xff" + b"\xae\x80" * 30_000,
        b"\xff\xd8" + b"\xff\xe1\0\2" * 16_000,
        b"II*\0\x08\0\0\0\xff\xff" + bytes(65_000),
        b"<!--" * 16_000,
        b" " * HEAD,
        b"<svg " + b"width='" * 9_000,
        b"OggS\0" * 13_000,
        b"\0\0\1\0\xff\xff\0\0\0\0" + bytes(65_000),
    ],
)
def test_files_made_to_keep_a_reader_busy_do_not(data: bytes) -> None:
    start = time.monotonic()
    facts_of_bytes(data, 2**40, "a.mp3")
    assert time.monotonic() - start < 3


def test_locations_without_end_in_a_heif_picture_are_not_counted() -> None:
    """8,000 items of 65,535 extents of no bytes each: half a billion of them."""
    item = b"\0\1\0\0\xff\xff"
    iloc = samples.box(b"iloc", b"\0\0\0\0\0\0" + (8000).to_bytes(2, "big") + item * 8000)
    data = samples.box(b"ftyp", b"heic", bytes(4), b"heic") + samples.box(b"meta", bytes(4), iloc)
    start = time.monotonic()
    assert facts_of_bytes(data, len(data), "a.heic") == Facts("image/heic", len(data))
    assert time.monotonic() - start < 3
