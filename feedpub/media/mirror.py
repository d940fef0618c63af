"""Pictures of other hosts, served from the feeds' own: fetched once, checked, made smaller.

What was made is kept beside the state, so that a tree that is made anew needs no host.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from feedpub.config import Config
from feedpub.durable import write_atomic
from feedpub.errors import RunError
from feedpub.installation import missing
from feedpub.media.facts import Facts
from feedpub.media.guard import allowed
from feedpub.media.pictures import Picture, PictureError, fetch, resize
from feedpub.media.probe import ProbeRecord, ProbeSettings, due
from feedpub.store.media import MediaStore

AT_ONCE = 8  # pictures
PER_HOST = 2


class Made(NamedTuple):
    """A picture as it was made; `digest` is its SHA-256."""

    name: str
    facts: Facts
    digest: str


class Mirror:
    """One run's work on pictures; `failed` says which kept their addresses, and why."""

    def __init__(self, config: Config, store: MediaStore, folder: Path) -> None:
        """`folder` keeps what is made. Raises `RunError` without Pillow."""
        images = config.settings.images
        if not importlib.util.find_spec("PIL"):
            raise RunError(f"images.mirror: {missing('Pillow', 'media')}")
        allowed(images.allow)
        self.failed: dict[str, str] = {}
        self.left = 0  # not fetched yet: the time was up
        self._sizes = sorted(images.sizes, reverse=True)
        self._store = store
        self._folder = folder
        self._settings = ProbeSettings(allow=images.allow, contact=config.site.home, total=30)
        self._budget = images.budget.total_seconds() if images.budget else 0

    def made(self, url: str) -> list[Made]:
        """The pictures that were made of one, the largest first; none if it is to be fetched."""
        remembered = self._store.get(_key(url))
        if not remembered:
            return []
        sizes, *pictures = json.loads(remembered[0])
        made = [Made(name, Facts(*facts), digest) for name, facts, digest in pictures]
        if sizes != self._sizes or not all((self._folder / m.name).is_file() for m in made):
            return []
        return made

    def fetch(self, urls: Iterable[str], again: bool, now: float) -> Iterator[str]:
        """Fetches what is not here and may be asked for; gives each address that was made."""
        wanted = [url for url in urls if again or (not self.made(url) and self._is_due(url, now))]
        self.left = len(wanted)
        for url, pictures, error in _results(wanted, self._get, self._budget):
            self.left -= 1
            known = self._known(url)
            if error:
                self.failed[url] = error
                known = known._replace(asked=int(now), failures=known.failures + 1, error=error)
                facts = json.dumps([[]])
                if found := self._store.get(_key(url)):
                    facts = found[0]
            else:
                known = ProbeRecord(asked=int(now))
                facts = json.dumps([self._sizes, *map(self._keep, pictures)])
                yield url
            self._store.put(_key(url), facts, json.dumps(known[3:]))

    def clear(self, names: set[str]) -> None:
        """Takes away what no feed shows any more."""
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if path.name not in names:
                    path.unlink()

    def _known(self, url: str) -> ProbeRecord:
        found = self._store.get(_key(url))
        return ProbeRecord(Facts(), "", "", *json.loads(found[1])) if found else ProbeRecord()

    def _is_due(self, url: str, now: float) -> bool:
        known = self._known(url)
        return not known.failures or due(known, now)

    def _get(self, url: str) -> list[Picture]:
        return resize(fetch(url, self._settings), self._sizes)

    def _keep(self, picture: Picture) -> tuple[str, Facts, str]:
        write_atomic(self._folder / picture.name, picture.data)
        facts = Facts(picture.type, len(picture.data), picture.width, picture.height)
        return picture.name, facts, hashlib.sha256(picture.data).hexdigest()


def _key(url: str) -> str:
    return f"mirror:{url}"


Result = tuple[str, list[Picture], str]  # URL, pictures, why there are none


def _results(
    urls: list[str], get: Callable[[str], list[Picture]], budget: float
) -> Iterator[Result]:
    """What `get` gives for each address, or why it gave nothing, until the time is up.

    The threads are nobody's concern at the end: none holds anything that must be left whole.
    """
    waiting: dict[str, list[str]] = defaultdict(list)
    for url in reversed(urls):
        waiting[urlsplit(url).netloc].append(url)
    # Each host's in turn, and of none more at once than it has workers.
    hosts: queue.SimpleQueue[str] = queue.SimpleQueue()
    for _ in range(PER_HOST):
        for host in waiting:
            hosts.put(host)
    results: queue.SimpleQueue[Result] = queue.SimpleQueue()
    end = time.monotonic() + budget

    work = (waiting, hosts, get, results, end)
    threads = [
        threading.Thread(target=_fetch_all, args=work, daemon=True)
        for _ in range(min(AT_ONCE, len(urls)))
    ]
    for thread in threads:
        thread.start()
    left = len(urls)
    while left:
        try:
            yield results.get(timeout=0.2)
            left -= 1
        except queue.Empty:
            if time.monotonic() > end or not any(thread.is_alive() for thread in threads):
                break
    with contextlib.suppress(queue.Empty):
        while left:
            yield results.get_nowait()
            left -= 1


def _fetch_all(
    waiting: Mapping[str, list[str]],
    hosts: queue.SimpleQueue[str],
    get: Callable[[str], list[Picture]],
    results: queue.SimpleQueue[Result],
    end: float,
) -> None:
    """The work of a thread: takes a host, fetches one of its URLs, and puts the host back."""
    with contextlib.suppress(queue.Empty, IndexError):
        while time.monotonic() < end:
            host = hosts.get_nowait()
            try:
                url = waiting[host].pop()
            except IndexError:
                continue
            try:
                results.put((url, get(url), ""))
            except PictureError as error:
                results.put((url, [], str(error)))
            except Exception as error:  # without a result, the caller would wait for this thread
                results.put((url, [], f"it could not be made ({type(error).__name__})"))
            hosts.put(host)
