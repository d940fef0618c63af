"""Media types, the same on every machine."""

from __future__ import annotations

import mimetypes

import pytest

from feedpub.media.types import TYPES, registered_type, type_of


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://example.org/a.mp3", "audio/mpeg"),
        ("https://example.org/a.MP3", "audio/mpeg"),
        ("https://example.org/a.mp3?x=1.zip", "audio/mpeg"),
        ("https://example.org/a.mp3#t=1.5", "audio/mpeg"),
        ("https://example.org/a.tar.gz", "application/gzip"),
        ("https://example.org/a.m4a", "audio/mp4"),
        ("https://example.org/my%20file.jpeg", "image/jpeg"),
        ("https://example.org/a", ""),
        ("https://example.org/", ""),
        ("https://example.zip", ""),
        ("https://example.org/a.unknown", ""),
        ("https://example.org/v1.mp3/a", ""),
        ("https://example.org/mp3", ""),
        ("https://example.org/?file=a.mp3", ""),
    ],
)
def test_the_name_of_a_file_tells_its_type(url: str, kind: str) -> None:
    assert type_of(url) == kind


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("audio/mpeg", "audio/mpeg"),
        (" Audio/MPEG ", "audio/mpeg"),
        ("audio/mp3", "audio/mpeg"),
        ("audio/x-m4a", "audio/mp4"),
        ("image/jpg", "image/jpeg"),
        ("text/html; charset=utf-8", "text/html"),
        ("application/vnd.api+json", "application/vnd.api+json"),
        ("", ""),
        ("mp3", ""),
        ("audio", ""),
        ("audio/", ""),
        ("a b/c", ""),
        ('audio/mpeg"><script>', ""),
    ],
)
def test_written_types_are_given_their_registered_form(written: str, kind: str) -> None:
    assert registered_type(written) == kind


def test_types_do_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mimetypes.types_map, ".mp3", "audio/x-machine")
    mimetypes.add_type("audio/x-machine", ".mp3")
    assert type_of("https://example.org/a.mp3") == "audio/mpeg"


def test_every_type_of_the_table_is_in_registered_form() -> None:
    assert all(registered_type(kind) == kind for kind in TYPES.values())
    assert all(ending == ending.lower() and "." not in ending for ending in TYPES)
