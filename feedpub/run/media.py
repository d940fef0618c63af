"""Collects facts (type, size, duration…) about the media files in feeds, local and remote.

Only media of records in the window of a feed are checked. Facts are cached in
`feedpub.store.media`; the same facts give the same feeds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from feedpub.config import Config
from feedpub.errors import ConfigError
from feedpub.media.types import UNKNOWN, type_of
from feedpub.model import Enclosure, Problem, Record
from feedpub.paths import portable_name
from feedpub.records.scan import RunClock, Signature
from feedpub.run.report import MediaReport, RunOptions, Watch

if TYPE_CHECKING:
    from feedpub.media.facts import Facts
    from feedpub.store.media import MediaStore

FOLDER = "media"  # below the output
MIRRORED = "mirror:"  # prefix: the URL of a picture to mirror
LOCAL = "file:"  # prefix: the path of a file beside a record


class MediaFile(NamedTuple):
    """What is known about one address: a URL, or a path with a prefix."""

    facts: Facts
    path: str = ""  # below the output, if the file is published
    file: str = ""  # its source on disk
    digest: str = ""  # SHA-256 of the file
    small: MediaFile | None = None  # a smaller version of the picture


def media_addresses(record: Record, asks_hosts: bool, mirrors: bool = False) -> str:
    """The addresses of a record's media whose facts are needed, one per line."""
    lines = []
    for n, media in enumerate((*record.images, *record.enclosures)):
        if media.file:
            lines.append(f"{LOCAL}{media.file}")
        if mirrors and n < len(record.images):
            lines.append(f"{MIRRORED}{media.url}")
        if asks_hosts and _lacks(media, n < len(record.images)):
            lines.append(media.url)
    return "\n".join(dict.fromkeys(lines))


def _lacks(media: Enclosure, is_picture: bool) -> bool:
    if not media.length or media.type in {"", UNKNOWN}:
        return True
    if is_picture or media.medium == "image":
        return not (media.width and media.height)
    return media.medium in {"audio", "video"} and not media.duration


def with_facts(record: Record, found: Mapping[str, MediaFile], site_url: str) -> Record:
    """Adds known facts to the media of a record. Values in the record take precedence."""

    def known(media: Enclosure, is_picture: bool) -> Enclosure:
        local = found.get(f"{LOCAL}{media.file}") if media.file else None
        mirrored = found.get(f"{MIRRORED}{media.url}") if is_picture and not local else None
        if mirrored:
            return _as_published(media, mirrored, site_url)
        seen = local or found.get(media.url)
        if seen is None:
            return media
        facts = seen.facts
        kind = media.type
        if facts.type and kind in {"", UNKNOWN, type_of(media.url)}:
            kind = facts.type if facts.type.startswith("image/") or not is_picture else kind
        sized = bool(media.width and media.height)
        return media._replace(
            url=site_url + quote(local.path, safe="/~") if local else media.url,
            type=kind,
            length=media.length or facts.length,
            width=media.width if sized else facts.width or media.width,
            height=media.height if sized else facts.height or media.height,
            duration=media.duration or facts.duration,
        )

    return record._replace(
        images=tuple(known(picture, True) for picture in record.images),
        enclosures=tuple(known(enclosure, False) for enclosure in record.enclosures),
    )


def _as_published(media: Enclosure, found: MediaFile, site_url: str) -> Enclosure:
    """The enclosure of a mirrored picture. The facts of the original do not apply to it."""
    facts = found.facts
    made = Enclosure(
        site_url + quote(found.path, safe="/~"),
        facts.type,
        facts.length,
        media.title,
        facts.width,
        facts.height,
    )
    small = found.small and _as_published(media, found.small, site_url)
    return made._replace(thumbnail=small, credit=media.credit)


def moved_pictures(before: Record, after: Record) -> dict[str, str]:
    """The URLs of pictures that feedpub publishes itself: original → published."""
    pairs = zip(before.images, after.images, strict=True)
    return {old.url: new.url for old, new in pairs if old.url != new.url}


def local_file(config: Config, shown: str) -> Path | None:
    """The file beside a record; None if it is missing or must not be published.

    Symbolic links must not lead out of the sources, because records are not trusted.
    """
    path = config.root / shown
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return None
    parts = path.relative_to(config.root).parts if path.is_relative_to(config.root) else ()
    roots = [config.root.resolve(), *((config.root / s.path) for s in config.settings.records)]
    if any(part.startswith(".") for part in parts) or not real.is_file():
        return None
    inside = any(real.is_relative_to(root) for root in roots)
    own = real.is_relative_to(config.output.resolve()) or real.is_relative_to(config.state)
    return path if inside and not own else None


def describe_file(path: Path) -> MediaFile:
    """The facts of a local file, and its path in the output. Raises `OSError`."""
    from feedpub.media.facts import facts_of_file

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = f"{FOLDER}/{digest[:16]}/{portable_name(path.name)}"
    return MediaFile(facts_of_file(path), name, str(path), digest)


def check(config: Config) -> None:
    """Raises `ConfigError` if `images.allow` is not valid."""
    images = config.settings.images
    if not images.allow:
        return
    from feedpub.media.guard import allowed

    try:
        allowed(images.allow)
    except ValueError as error:
        remedy = "write a host like media.example.org, or a network like 10.0.0.0/8"
        shown = config.shown(config.path)
        raise ConfigError([Problem(shown, 0, "images.allow", str(error), remedy)]) from None


class Media:
    """The facts about media in one run, in `found` by address."""

    def __init__(
        self,
        config: Config,
        options: RunOptions,
        clock: RunClock,
        watch: Watch,
        report: MediaReport,
    ) -> None:
        self.found: dict[str, MediaFile] = {}
        self.old_generation = self.generation = ""
        self.note = ""
        self._config = config
        self._options = options
        self._clock = clock
        self._watch = watch
        self._report = report
        self._asks_hosts = config.settings.images.probe == "http"
        self._mirrors = config.settings.images.mirror

    def refresh(self, addresses: Iterable[str]) -> set[str]:
        """Refreshes the facts about these addresses; returns the addresses whose facts changed."""
        from feedpub.store.media import MediaStore  # few sites need it

        known = dict.fromkeys(addresses)
        store = MediaStore(self._config.state, keep=not self._options.dry_run)
        try:
            before = store.generation
            changed = {address for address in known if self._load(store, address)}
            if self._asks_hosts:
                changed |= self._ask(
                    store, [a for a in known if not a.startswith((LOCAL, MIRRORED))]
                )
            if self._mirrors:
                urls = [a.removeprefix(MIRRORED) for a in known if a.startswith(MIRRORED)]
                changed |= self._mirror(store, urls)
            store.keep_only(known)
            store.commit()
            self.old_generation, self.generation = before, store.generation
            self.note = store.note
        finally:
            store.close()
        return changed

    def facts_of(self, text: str) -> list[MediaFile | None]:
        """The facts about a record's media; `text` is the result of `media_addresses`."""
        known = (self.found.get(address) for address in text.split("\n"))
        return [(found and found._replace(file="")) for found in known]

    def paths(self) -> dict[str, MediaFile]:
        """The files to publish, by path below the output."""
        known = [*self.found.values()]
        known += [found.small for found in known if found.small]
        return {found.path: found for found in known if found.path}

    def _load(self, store: MediaStore, address: str) -> bool:
        """Takes the facts from the cache, or from a local file; whether they changed."""
        from feedpub.media.facts import Facts

        cached = store.get(address)
        if address.startswith(MIRRORED):
            return False
        if not address.startswith(LOCAL):
            if cached:
                self.found[address] = MediaFile(Facts(*json.loads(cached[0])))
            return False
        path = local_file(self._config, address.removeprefix(LOCAL))
        if path is None:
            return store.forget(address)
        try:
            signature = Signature.of(path.stat())
            if cached and cached[1] == json.dumps(signature):
                facts, *rest = json.loads(cached[0])
                self.found[address] = MediaFile(Facts(*facts), rest[0], str(path), rest[1])
                return False
            found = describe_file(path)
        except OSError as error:
            self._report.failed[address.removeprefix(LOCAL)] = error.strerror or str(error)
            return store.forget(address)
        self.found[address] = found
        facts_text = json.dumps([found.facts, found.path, found.digest])
        state = json.dumps(signature) if self._clock.is_sure(signature) else ""
        store.put(address, facts_text, state)
        return cached is None or cached[0] != facts_text

    def _ask(self, store: MediaStore, addresses: list[str]) -> set[str]:
        """Requests due URLs from their hosts. Answers are saved while it runs."""
        from feedpub.media.facts import Facts
        from feedpub.media.probe import ProbeCounts, ProbeRecord, due, probe
        from feedpub.media.scheduler import RequestSettings

        now = self._clock.seconds
        known: dict[str, ProbeRecord] = {}
        for address in addresses:
            if cached := store.get(address):
                facts = Facts(*json.loads(cached[0]))
                known[address] = ProbeRecord(facts, *json.loads(cached[1]))
        asked = [
            address
            for address in addresses
            if self._options.refresh_media or due(known.get(address), now)
        ]
        if not asked:
            return set()
        images, changed, counts = self._config.settings.images, set(), ProbeCounts()
        settings = RequestSettings(
            allow=images.allow,
            contact=self._config.site.home,
            budget=images.budget.total_seconds() if images.budget else 300,
        )
        answers = probe(asked, known, settings, counts=counts)
        for count, (address, answer) in enumerate(answers, start=1):
            before = known.get(address, ProbeRecord()).facts
            store.put(address, json.dumps(answer.facts), json.dumps(answer[1:]))
            self.found[address] = MediaFile(answer.facts)
            if answer.facts != before:
                changed.add(address)
            if answer.error:
                self._report.failed[address] = answer.error
            if count % 50 == 0:
                store.commit()
            self._watch.progress("probing media", count, len(asked))
        self._report.asked = len(asked) - counts.left - counts.put_off
        self._report.left = counts.left + counts.put_off
        return changed

    def _mirror(self, store: MediaStore, urls: list[str]) -> set[str]:
        """Mirrors pictures. Pictures that cannot be fetched keep their URLs."""
        from feedpub.media.mirror import Mirror

        folder = self._config.state / FOLDER
        mirror = Mirror(self._config, store, folder)
        changed: set[str] = set()
        if not self._options.dry_run:
            now, refresh = self._clock.seconds, self._options.refresh_media
            for count, url in enumerate(mirror.fetch(urls, refresh, now), start=1):
                changed.add(f"{MIRRORED}{url}")
                self._watch.progress("fetching pictures", count, len(urls))
        names = set()
        for url in urls:
            sizes = [
                MediaFile(made.facts, f"{FOLDER}/{made.name}", str(folder / made.name), made.digest)
                for made in mirror.made(url)
            ]
            if sizes:
                small = sizes[-1] if sizes[-1] != sizes[0] else None
                self.found[f"{MIRRORED}{url}"] = sizes[0]._replace(small=small)
            names |= {Path(size.file).name for size in sizes}
        if not self._options.dry_run:
            mirror.clear(names)
        self._report.failed |= mirror.failed
        self._report.left += mirror.left
        return changed
