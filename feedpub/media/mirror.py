"""Copies of pictures from other hosts: fetched once, checked, and resized.

Copies are kept in the state folder, so a new tree needs no requests.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feedpub.config import Config
from feedpub.durable import write_atomic
from feedpub.errors import RunError
from feedpub.installation import missing
from feedpub.media.facts import Facts
from feedpub.media.guard import allowed
from feedpub.media.pictures import Limits, Picture, PictureError, resize
from feedpub.media.probe import ProbeRecord, due
from feedpub.media.scheduler import Finished, Request, RequestSettings, Scheduler
from feedpub.store.media import MediaStore

if TYPE_CHECKING:
    from feedpub.media.ask import Answer, Asker


class Made(NamedTuple):
    """A resized copy; `digest` is its SHA-256."""

    name: str
    facts: Facts
    digest: str


class Mirror:
    """The mirrored pictures of one run; `failed` maps URLs to errors."""

    def __init__(self, config: Config, store: MediaStore, folder: Path) -> None:
        """`folder` holds the copies. Raises `RunError` without Pillow."""
        images = config.settings.images
        if not importlib.util.find_spec("PIL"):
            raise RunError(f"images.mirror: {missing('Pillow', 'media')}")
        allowed(images.allow)
        self.failed: dict[str, str] = {}
        self.left = 0  # not fetched within the budget
        self._sizes = sorted(images.sizes, reverse=True)
        self._store = store
        self._folder = folder
        self._settings = RequestSettings(
            allow=images.allow,
            contact=config.site.home,
            hosts=4,  # two requests each: at most eight pictures in memory
            total=30,
            budget=images.budget.total_seconds() if images.budget else 0,
        )

    def made(self, url: str) -> list[Made]:
        """The copies of a picture, the largest first; none if it must be fetched."""
        remembered = self._store.get(_key(url))
        if not remembered:
            return []
        sizes, *pictures = json.loads(remembered[0])
        made = [Made(name, Facts(*facts), digest) for name, facts, digest in pictures]
        if sizes != self._sizes or not all((self._folder / m.name).is_file() for m in made):
            return []
        return made

    def fetch(self, urls: Iterable[str], again: bool, now: float) -> Iterator[str]:
        """Fetches missing pictures that are due; yields the URL of each new one."""
        wanted = [url for url in urls if again or (not self.made(url) and self._is_due(url, now))]
        self.left = len(wanted)
        scheduler = Scheduler(self._settings, self._get)
        with contextlib.closing(scheduler.run(wanted)) as results:
            for finished in results:
                self.left -= 1
                self._remember(finished, int(now))
                if finished.was_asked and not finished.answer.error:
                    yield finished.address

    def _remember(self, finished: Finished[list[Picture]], now: int) -> None:
        url, error = finished.address, finished.answer.error
        known = self._known(url)
        if finished.was_asked and not error:
            known = ProbeRecord(asked=now)
            facts = json.dumps([self._sizes, *map(self._keep, finished.value or ())])
        else:
            self.failed[url] = error or "its host asks feedpub to wait"
            found = self._store.get(_key(url))
            facts = found[0] if found else json.dumps([[]])
            if error:
                known = known._replace(asked=now, failures=known.failures + 1, error=error)
            if finished.wait:
                known = known._replace(not_before=now + int(finished.wait) + 1)
        self._store.put(_key(url), facts, json.dumps(known[3:]))

    def clear(self, names: set[str]) -> None:
        """Removes copies that no feed uses any more."""
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if path.name not in names:
                    path.unlink()

    def _known(self, url: str) -> ProbeRecord:
        found = self._store.get(_key(url))
        return ProbeRecord(Facts(), "", "", *json.loads(found[1])) if found else ProbeRecord()

    def _is_due(self, url: str, now: float) -> bool:
        known = self._known(url)
        return not (known.failures or known.not_before) or due(known, now)

    def _get(self, asker: Asker, request: Request) -> tuple[Answer, list[Picture]]:
        from feedpub.media.ask import Answer

        answer, data = asker.fetch(request.url, Limits().bytes)
        if answer.error or answer.moved:
            return answer, []
        try:
            return answer, resize(data, self._sizes)
        except PictureError as error:
            return Answer(error=str(error)), []

    def _keep(self, picture: Picture) -> tuple[str, Facts, str]:
        write_atomic(self._folder / picture.name, picture.data)
        facts = Facts(picture.type, len(picture.data), picture.width, picture.height)
        return picture.name, facts, hashlib.sha256(picture.data).hexdigest()


def _key(url: str) -> str:
    return f"mirror:{url}"
