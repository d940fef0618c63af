"""Pictures of other hosts that are served with the feeds: fetched once, and politely."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from feedpub.config import load_config
from feedpub.media.mirror import Mirror
from feedpub.store.media import MediaStore

from . import samples
from .server import Route, Server, file, first_then, moved, status

pytest.importorskip("PIL")

CONFIG = """\
site: {title: Test, url: https://example.org/feeds/}
records: [records]
images: {mirror: true, sizes: [30], allow: [127.0.0.1], budget: 1m}
"""
NOW = 1_700_000_000.0
PICTURE = file(samples.picture(), "image/jpeg")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MediaStore]:
    made = MediaStore(tmp_path / "state", keep=True)
    yield made
    made.close()


def mirror(tmp_path: Path, store: MediaStore) -> Mirror:
    """The mirror of one run."""
    (tmp_path / "records").mkdir(exist_ok=True)
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return Mirror(load_config(tmp_path / "config.yaml"), store, tmp_path / "mirror")


def test_a_picture_is_fetched_through_redirects_and_kept(tmp_path: Path, store: MediaStore) -> None:
    with Server({"/a.jpg": moved("/b.jpg"), "/b.jpg": PICTURE}) as server:
        url = server.url("/a.jpg")
        assert list(mirror(tmp_path, store).fetch([url], False, NOW)) == [url]
        made = mirror(tmp_path, store)
        assert list(made.fetch([url], False, NOW)) == []
        (picture,) = made.made(url)
        assert (tmp_path / "mirror" / picture.name).is_file()
        assert server.methods("/b.jpg") == ["GET"]


def test_a_host_that_asks_to_wait_is_not_asked_before(tmp_path: Path, store: MediaStore) -> None:
    routes: dict[str, Route] = {f"/{n}.jpg": PICTURE for n in range(6)}
    routes["/0.jpg"] = status(503, Retry_After=7200)
    with Server(routes) as server:
        urls = [server.url(path) for path in routes]
        first = mirror(tmp_path, store)
        made = list(first.fetch(urls, False, NOW))
        assert len(made) < len(urls)
        assert urls[0] in first.failed
        asked = len(server.requests)
        left = [url for url in urls if url not in made]
        assert list(mirror(tmp_path, store).fetch(left, False, NOW + 7000)) == []
        assert len(server.requests) == asked
        server.routes = dict.fromkeys(routes, PICTURE)
        assert set(mirror(tmp_path, store).fetch(left, False, NOW + 7300)) == set(left)


def test_what_may_work_in_a_moment_is_tried_again(tmp_path: Path, store: MediaStore) -> None:
    with Server({"/a.jpg": first_then(status(500), PICTURE)}) as server:
        made = mirror(tmp_path, store)
        assert list(made.fetch([server.url("/a.jpg")], False, NOW)) == [server.url("/a.jpg")]
        assert made.failed == {}


def test_a_host_gets_two_requests_at_once(tmp_path: Path, store: MediaStore) -> None:
    routes: dict[str, Route] = {f"/{n}.jpg": PICTURE for n in range(12)}
    with Server(routes) as server:
        urls = [server.url(path) for path in routes]
        assert set(mirror(tmp_path, store).fetch(urls, False, NOW)) == set(urls)
        assert server.most_at_once <= 2
