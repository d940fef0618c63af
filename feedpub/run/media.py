"""What is known of the media files that feeds name: those beside records, and those of hosts.

Only what is in a window of some feed is looked at. What was learnt is remembered
(`feedpub.store.media`); the same facts give the same feeds.
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

FOLDER = "media"  # of the output
MIRRORED = "mirror:"  # before the address of a picture that is to be had here
LOCAL = "file:"  # before a path: an address of a file beside a record


class MediaFile(NamedTuple):
    """What is known of one address."""

    facts: Facts
    path: str = ""  # below the output, of a file that is published
    file: str = ""  # where that is now
    digest: str = ""  # of it
    small: MediaFile | None = None  # the same picture, smaller


def wanted(record: Record, asks_hosts: bool, mirrors: bool = False) -> str:
    """The addresses of a record of which there may be more to know, as the store keeps them."""
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


def completed(record: Record, found: Mapping[str, MediaFile], site_url: str) -> Record:
    """The record with what is known of its media besides; what it says itself counts first."""

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
    """A picture as it was made here: what is known of the original is no longer true."""
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
    """The addresses of a record's pictures that are published elsewhere: the old → the new."""
    pairs = zip(before.images, after.images, strict=True)
    return {old.url: new.url for old, new in pairs if old.url != new.url}


def local_file(config: Config, shown: str) -> Path | None:
    """The file beside a record that it may mean; None if there is none that may be published.

    Links must not lead out of the sources: records may be other people's.
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
    ours = real.is_relative_to(config.output.resolve()) or real.is_relative_to(config.state)
    return path if inside and not ours else None


def described(path: Path) -> MediaFile:
    """A local file, and where it is published; raises `OSError`."""
    from feedpub.media.facts import facts_of_file

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = f"{FOLDER}/{digest[:16]}/{portable_name(path.name)}"
    return MediaFile(facts_of_file(path), name, str(path), digest)


def check(config: Config) -> None:
    """Raises `ConfigError` for what `images` says and nobody could do."""
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
    """One run's knowledge of media; `found` holds what there is to know."""

    def __init__(
        self,
        config: Config,
        options: RunOptions,
        clock: RunClock,
        watch: Watch,
        report: MediaReport,
    ) -> None:
        self.found: dict[str, MediaFile] = {}
        self.began_as = self.generation = ""
        self.note = ""
        self._config = config
        self._options = options
        self._clock = clock
        self._watch = watch
        self._report = report
        self._asks_hosts = config.settings.images.probe == "http"
        self._mirrors = config.settings.images.mirror

    def refresh(self, addresses: Iterable[str]) -> set[str]:
        """Looks at these; returns those of which something else is known than before."""
        from feedpub.store.media import MediaStore  # few sites have any

        known = dict.fromkeys(addresses)
        store = MediaStore(self._config.state, keep=not self._options.dry_run)
        try:
            before = store.generation
            changed = {address for address in known if self._look(store, address)}
            if self._asks_hosts:
                changed |= self._ask(
                    store, [a for a in known if not a.startswith((LOCAL, MIRRORED))]
                )
            if self._mirrors:
                urls = [a.removeprefix(MIRRORED) for a in known if a.startswith(MIRRORED)]
                changed |= self._mirror(store, urls)
            store.keep_only(known)
            store.commit()
            self.began_as, self.generation = before, store.generation
            self.note = store.note
        finally:
            store.close()
        return changed

    def of(self, text: str) -> list[MediaFile | None]:
        """What is known of a record's media, `text` being what `wanted` gave."""
        known = (self.found.get(address) for address in text.split("\n"))
        return [(found and found._replace(file="")) for found in known]

    def paths(self) -> dict[str, MediaFile]:
        """The files that are to be published, by their paths below the output."""
        known = [*self.found.values()]
        known += [found.small for found in known if found.small]
        return {found.path: found for found in known if found.path}

    def _look(self, store: MediaStore, address: str) -> bool:
        from feedpub.media.facts import Facts

        remembered = store.get(address)
        if address.startswith(MIRRORED):
            return False
        if not address.startswith(LOCAL):
            if remembered:
                self.found[address] = MediaFile(Facts(*json.loads(remembered[0])))
            return False
        path = local_file(self._config, address.removeprefix(LOCAL))
        if path is None:
            return store.forget(address)
        try:
            signature = Signature.of(path.stat())
            if remembered and remembered[1] == json.dumps(signature):
                facts, *rest = json.loads(remembered[0])
                self.found[address] = MediaFile(Facts(*facts), rest[0], str(path), rest[1])
                return False
            found = described(path)
        except OSError as error:
            self._report.failed[address.removeprefix(LOCAL)] = error.strerror or str(error)
            return store.forget(address)
        self.found[address] = found
        facts_text = json.dumps([found.facts, found.path, found.digest])
        memory = json.dumps(signature) if self._clock.is_sure(signature) else ""
        store.put(address, facts_text, memory)
        return remembered is None or remembered[0] != facts_text

    def _ask(self, store: MediaStore, addresses: list[str]) -> set[str]:
        """Asks hosts for what is due; what was learnt is kept at once, come what may."""
        from feedpub.media.facts import Facts
        from feedpub.media.probe import ProbeCounts, ProbeRecord, due, probe
        from feedpub.media.scheduler import RequestSettings

        now = self._clock.seconds
        known: dict[str, ProbeRecord] = {}
        for address in addresses:
            if remembered := store.get(address):
                facts = Facts(*json.loads(remembered[0]))
                known[address] = ProbeRecord(facts, *json.loads(remembered[1]))
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
            self._watch.progress("asking hosts", count, len(asked))
        self._report.asked = len(asked) - counts.left - counts.put_off
        self._report.left = counts.left + counts.put_off
        return changed

    def _mirror(self, store: MediaStore, urls: list[str]) -> set[str]:
        """Has the pictures here that can be had; the others keep their addresses."""
        from feedpub.media.mirror import Mirror

        folder = self._config.state / FOLDER
        mirror = Mirror(self._config, store, folder)
        changed: set[str] = set()
        if not self._options.dry_run:
            now, again = self._clock.seconds, self._options.refresh_media
            for count, url in enumerate(mirror.fetch(urls, again, now), start=1):
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
