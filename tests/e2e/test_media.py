"""Pictures and files of items: beside records, and on hosts that are asked."""

from __future__ import annotations

import io
import json
import shutil
import struct
import wave
import zlib
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from media.server import Server, file, reset, status

from .harness import Site, new_site, record, stamps, tree_of

MEDIA = "{http://search.yahoo.com/mrss/}"
URL = "https://feeds.example.org/"


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width + 1) * height)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def wav(seconds: int) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\0" * 8000 * seconds)
    return data.getvalue()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = new_site(tmp_path)
    (tmp_path / "records/good.md").unlink()
    return site


def item(site: Site, n: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((site.feeds / "feed.json").read_bytes())["items"][n]
    return found


def enclosure(site: Site) -> dict[str, str]:
    element = etree.parse(site.feeds / "rss.xml").find(".//item/enclosure")
    assert element is not None
    return dict(element.attrib)


# Beside records


def test_a_file_beside_a_record_is_published_once(site: Site) -> None:
    site.write("records/a/My Cover.PNG", png(320, 200))
    site.write("records/a/index.md", record("A", "image: My Cover.PNG", "link: /a/"))
    site.write("records/b.md", record("B", "image: a/My Cover.PNG", date="2020-01-01"))
    site.generate()
    [path] = [path for path in tree_of(site.feeds) if path.startswith("media/")]
    assert path.endswith("/My-Cover.png")
    assert (site.feeds / path).read_bytes() == png(320, 200)
    size = str(len(png(320, 200)))
    assert enclosure(site) == {"url": URL + path, "length": size, "type": "image/png"}
    assert [item(site, n)["image"] for n in (0, 1)] == [URL + path] * 2
    content = etree.parse(site.feeds / "rss.xml").find(f".//{MEDIA}content")
    assert content is not None
    assert (content.get("width"), content.get("height")) == ("320", "200")
    assert path in json.loads((site.feeds / ".feedpub.json").read_bytes())["files"]


def test_sound_beside_a_record_has_its_length_and_duration(site: Site) -> None:
    site.write("records/a.wav", wav(3))
    site.write("records/a.md", record("A", "audio: a.wav"))
    site.generate()
    [attachment] = item(site)["attachments"]
    assert (attachment["mime_type"], attachment["duration_in_seconds"]) == ("audio/vnd.wave", 3)
    assert attachment["size_in_bytes"] == len(wav(3))


def test_what_the_record_says_counts_first(site: Site) -> None:
    site.write("records/a.png", png(320, 200))
    written = "image: {url: a.png, width: 5, height: 6, length: 7, type: image/webp}"
    site.write("records/a.md", record("A", written))
    site.generate()
    assert (enclosure(site)["length"], enclosure(site)["type"]) == ("7", "image/webp")
    assert item(site)["_feedpub"]["images"][0]["width"] == 5


def test_an_edit_and_an_end_of_the_file_change_what_a_full_run_would(site: Site) -> None:
    site.write("records/a.png", png(1, 2))
    site.write("records/a.md", record("A", "topics: [T]", "image: a.png"))
    site.write("records/b.md", record("B", "topics: [U]", "image: https://example.org/b.png"))
    site.generate()
    before = stamps(site.feeds)
    site.generate()
    assert stamps(site.feeds) == before
    for change in (
        lambda: site.write("records/a.png", png(3, 4)),
        lambda: (site.root / "records/a.png").unlink(),
        lambda: site.write("records/a.png", png(1, 2)),
    ):
        change()
        site.generate()
        after = tree_of(site.feeds)
        assert stamps(site.feeds)["topics/u/rss.xml"] == before["topics/u/rss.xml"]
        shutil.rmtree(site.root / ".feedpub")
        shutil.rmtree(site.feeds)
        site.generate()
        assert tree_of(site.feeds) == after
        before = stamps(site.feeds)
    assert [path for path in after if path.startswith("media/")]


def test_a_published_file_that_somebody_spoiled_is_mended(site: Site) -> None:
    site.write("records/a.png", png(1, 2))
    site.write("records/a.md", record("A", "image: a.png"))
    site.generate()
    before = tree_of(site.feeds)
    [path] = [path for path in before if path.startswith("media/")]
    (site.feeds / path).write_bytes(b"spoiled")
    site.generate()
    assert tree_of(site.feeds) == before


@pytest.mark.parametrize(
    "address",
    ["../config.png", "../../secret.png", "/etc/passwd.png", ".hidden/a.png", "link.png", "a.yaml"],
)
def test_nothing_else_of_the_machine_is_published(site: Site, address: str) -> None:
    outside = site.root.parent / "secret.png"
    outside.write_bytes(png(1, 1))
    site.write("config.png", png(1, 1))
    site.write("records/.hidden/a.png", png(1, 1))
    site.write("records/a.yaml", "title: A\ndate: 2020-01-01\n")
    (site.root / "records/link.png").symlink_to(outside)
    site.write("records/a.md", record("A", f"enclosures: [{address}]"))
    site.generate()
    assert [path for path in tree_of(site.feeds) if path.startswith("media/")] == []


def test_the_newest_items_files_alone_are_published(site: Site) -> None:
    site.configure("records:", "feeds: {items: 1}\nrecords:")
    for n in (1, 2):
        site.write(f"records/{n}.png", png(n, n))
        site.write(f"records/{n}.md", record(str(n), f"image: {n}.png", date=f"2020-01-0{n}"))
    site.generate()
    assert [path[-6:] for path in tree_of(site.feeds) if path.startswith("media/")] == ["/2.png"]


# Which picture


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("enclosure: first", "small"),
        ("enclosure: largest", "large"),
        ("min_size: 50", "large"),
        ("min_size: 2000", None),
        ("enclosure: none", None),
    ],
)
def test_a_picture_is_chosen(site: Site, settings: str, expected: str | None) -> None:
    site.configure("records:", f"images: {{{settings}}}\nrecords:")
    pictures = ", ".join(
        f"{{url: https://example.org/{name}.png, width: {width}, height: {width}}}"
        for name, width in (("small", 40), ("large", 900))
    )
    site.write("records/a.md", record("A", f"images: [{pictures}]"))
    site.generate()
    assert item(site).get("image") == (expected and f"https://example.org/{expected}.png")


@pytest.mark.parametrize(
    ("fallback", "expected"),
    [
        ("[]", None),
        ("[provider, topic, site]", "https://example.org/p.png"),
        ("[topic, provider]", "https://example.org/t.png"),
        ("site", "https://example.org/icon.png"),
    ],
)
def test_an_item_without_a_picture_has_that_of_what_it_belongs_to(
    site: Site, fallback: str, expected: str | None
) -> None:
    site.configure("site:", "site:\n  icon: https://example.org/icon.png")
    site.configure(
        "records:", f"taxonomy: {{topics: topics}}\nimages: {{fallback: {fallback}}}\nrecords:"
    )
    site.write("topics/t.md", "---\nname: T\nimage: https://example.org/t.png\n---\n")
    provider = "provider: {name: P, images: [{url: https://example.org/p.png}]}"
    site.write("records/a.md", record("A", "topics: [S, T]", provider))
    site.generate()
    assert item(site).get("image") == expected
    site.write("topics/t.md", "---\nname: T\nimage: https://example.org/t2.png\n---\n")
    site.generate()
    changed = expected and expected.replace("/t.png", "/t2.png")
    assert item(site).get("image") == changed
    if expected:
        assert enclosure(site)["type"] == "image/png"


# On hosts


def ask(site: Site, server: Server, *more: str) -> dict[str, Any]:
    report = site.root / "report.json"
    site.generate("--report", str(report), *more)
    found: dict[str, Any] = json.loads(report.read_bytes())["media"]
    return found


def probing(site: Site, more: str = "") -> None:
    site.configure(
        "records:", f"images: {{probe: http, allow: [127.0.0.1], budget: 1m{more}}}\nrecords:"
    )


def test_hosts_are_asked_once_and_what_they_say_is_kept(site: Site) -> None:
    probing(site)
    with Server({"/a.png": file(png(64, 48), "image/png")}) as server:
        site.write("records/a.md", record("A", f"image: {server.url('/a.png')}"))
        assert ask(site, server)["asked"] == 1
        image = item(site)["_feedpub"]["images"][0]
        assert (image["width"], image["height"]) == (64, 48)
        assert enclosure(site)["length"] == str(len(png(64, 48)))
        tree, asked = tree_of(site.feeds), len(server.requests)
        assert ask(site, server)["asked"] == 0
        assert ask(site, server, "--full")["asked"] == 0
        assert (tree_of(site.feeds), len(server.requests)) == (tree, asked)
        assert ask(site, server, "--refresh-media")["asked"] == 1
        assert len(server.requests) > asked
    site.generate("--full")  # no server any more
    assert tree_of(site.feeds) == tree


def test_a_run_goes_on_whatever_hosts_do_and_names_them(site: Site) -> None:
    probing(site)
    routes = {
        "/gone.png": status(404),
        "/reset.png": reset,
        "/lie.png": file(b"<!doctype html><title>x</title>", "image/png"),
        "/good.png": file(png(8, 8), "image/png"),
    }
    with Server(routes) as server:
        pictures = [server.url(path) for path in routes]
        site.write("records/a.md", record("A", f"images: [{', '.join(pictures)}]"))
        site.write("records/b.md", record("B", "image: http://127.0.0.2:9/x.png"))
        report = ask(site, server)
    assert {address.rpartition("/")[2] for address in report["failed"]} == {
        "gone.png", "reset.png", "lie.png", "x.png"
    }  # fmt: skip
    assert "private network" in report["failed"]["http://127.0.0.2:9/x.png"]
    images = {i["url"].rpartition("/")[2]: i for i in item(site)["_feedpub"]["images"]}
    assert images["good.png"].get("width") == 8
    assert "width" not in images["lie.png"]


def test_a_mistake_in_whom_to_ask_ends_with_2(site: Site) -> None:
    site.configure("records:", "images: {probe: http, allow: ['not a host']}\nrecords:")
    site.write("records/a.md", record("A", "image: https://example.org/a.png"))
    run = site.run("generate")
    assert (run.code, site.feeds.exists()) == (2, False)
    assert "config.yaml: images.allow:" in run.err


def test_a_file_that_cannot_be_read_is_named(site: Site) -> None:
    site.hook = (
        "import feedpub.media.facts as facts\n"
        "def broken(path): raise PermissionError(13, 'Permission denied')\n"
        "facts.facts_of_file = broken\n"
    )
    site.write("records/a.png", png(1, 2))
    site.write("records/a.md", record("A", "image: a.png"))
    run = site.generate()
    assert "records/a.png: its type and size are not known (Permission denied)" in run.text


def test_without_being_told_no_host_is_asked(site: Site) -> None:
    site.hook = (
        "import socket\n"
        "def forbidden(*args, **more): raise AssertionError('a socket')\n"
        "socket.socket = socket.create_connection = socket.getaddrinfo = forbidden\n"
    )
    site.write("records/a.md", record("A", "image: http://127.0.0.1:9/a.png"))
    site.generate()
    assert item(site)["image"] == "http://127.0.0.1:9/a.png"


def test_a_dry_run_asks_and_keeps_nothing(site: Site) -> None:
    site.write("records/a.png", png(1, 2))
    site.write("records/a.md", record("A", "image: a.png"))
    site.generate("--dry-run")
    assert not site.feeds.exists()
    assert not (site.root / ".feedpub").exists()


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_a_spoiled_memory_of_media_is_made_anew(site: Site, content: bytes) -> None:
    site.write("records/a.png", png(1, 2))
    site.write("records/a.md", record("A", "image: a.png"))
    site.generate()
    before = tree_of(site.feeds)
    site.write(".feedpub/media.sqlite3", content)
    run = site.generate()
    assert tree_of(site.feeds) == before
    assert ("media.sqlite3 cannot be used" in run.text) == bool(content)


# Mirrored


def mirroring(site: Site, more: str = "") -> None:
    site.configure(
        "records:", f"images: {{mirror: true, sizes: [60, 20], allow: [127.0.0.1]{more}}}\nrecords:"
    )


def test_a_picture_is_fetched_once_and_served_with_the_feeds(site: Site) -> None:
    mirroring(site)
    with Server({"/a.png": file(png(90, 45), "image/png")}) as server:
        url = server.url("/a.png")
        body = f'<p>Text <img src="{url}" alt="A"></p>'
        site.write("records/a.md", record("A", f"image: {{url: '{url}', alt: A}}", body=body))
        assert ask(site, server)["failed"] == {}
        asked = len(server.requests)
        tree = tree_of(site.feeds)
        assert ask(site, server, "--full")["failed"] == {}
        assert len(server.requests) == asked
    pictures = sorted(path for path in tree if path.startswith("media/"))
    assert sorted(path.rpartition("-")[2] for path in pictures) == ["20.jpg", "60.jpg"]
    large = next(path for path in pictures if path.endswith("-60.jpg"))
    small = next(path for path in pictures if path.endswith("-20.jpg"))
    assert tree[large].startswith(b"\xff\xd8\xff")
    assert item(site)["image"] == URL + large
    assert f'src="{URL}{large}"' in item(site)["content_html"]
    length = str(len(tree[large]))
    assert enclosure(site) == {"url": URL + large, "length": length, "type": "image/jpeg"}
    thumbnail = etree.parse(site.feeds / "rss.xml").find(f".//{MEDIA}thumbnail")
    assert thumbnail is not None
    assert dict(thumbnail.attrib) == {"url": URL + small, "width": "20", "height": "10"}
    assert url.encode() not in b"".join(tree.values())
    shutil.rmtree(site.feeds)  # no server any more, and none is needed
    site.generate()
    assert tree_of(site.feeds) == tree
    site.write("records/a.md", record("A"))
    site.generate()
    assert [path for path in tree_of(site.feeds) if path.startswith("media/")] == []


def test_what_cannot_be_had_keeps_its_address(site: Site) -> None:
    mirroring(site, ", min_size: 0")
    routes = {"/page.png": file(b"<!doctype html><p>no", "image/png"), "/gone.png": status(404)}
    with Server(routes) as server:
        pictures = [server.url(path) for path in routes]
        site.write("records/a.md", record("A", f"images: [{', '.join(pictures)}]"))
        assert set(ask(site, server)["failed"]) == set(pictures)
        assert [image["url"] for image in item(site)["_feedpub"]["images"]] == pictures
        asked = len(server.requests)
        assert ask(site, server)["failed"] == {}  # not asked again for an hour
        assert len(server.requests) == asked
        assert ask(site, server, "--refresh-media")["failed"]
