"""config.yaml → `Config`: found, read, and every mistake in it named at once."""

from __future__ import annotations

import contextlib
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from feedpub import plugins
from feedpub.config.options import (
    FILENAMES,
    Custom,
    FeedSettings,
    Images,
    Override,
    Select,
    Settings,
    Site,
    SourceSpec,
    Taxonomy,
    Where,
)
from feedpub.config.push import PushTarget
from feedpub.config.readers import Context, InvalidError, Section
from feedpub.errors import ConfigError, PluginError
from feedpub.model import Problem
from feedpub.yaml_errors import explain

__all__ = [
    "Config",
    "Custom",
    "FeedSettings",
    "Images",
    "Override",
    "PushTarget",
    "Select",
    "Site",
    "SourceSpec",
    "Taxonomy",
    "Where",
    "config_schema",
    "find_config",
    "load_config",
]

CONFIG_NAME = "config.yaml"
_SETTINGS = Section(Settings)
SCHEMA_NAME = "feedpub.schema.json"
ARCHIVE_FOLDER = "archive"  # of a feed, below its own
_IN_ARCHIVE = re.compile(rf"(?:^|/){ARCHIVE_FOLDER}/\d{{4}}(?:-\d\d)?(?:/|$)")
CATALOGUE_NAMES = ("feeds.opml", "feeds.json", SCHEMA_NAME)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings with their defaults filled in and their paths made absolute."""

    path: Path  # of config.yaml itself
    root: Path  # the folder that its paths are relative to
    settings: Settings
    site: Site
    zone: zoneinfo.ZoneInfo
    output: Path
    state: Path
    ledger: Path
    topics_folder: Path | None
    providers_folder: Path | None
    overrides: Mapping[str, Override]
    has_podcasts: bool = False  # whether any feed may be one

    @property
    def feeds(self) -> FeedSettings:
        """Which feeds there are."""
        return self.settings.feeds

    @property
    def select(self) -> Select:
        """Which records may be in feeds."""
        return self.settings.select

    def shown(self, path: Path) -> str:
        """A path as messages name it: below the configuration's folder where it is there."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()


def find_config(start: Path) -> Path:
    """The configuration in a folder or the nearest one above it.

    Where a site generator has a config.yaml of its own, feedpub's is feedpub.yaml, and goes first.
    Raises `ConfigError` if there is none.
    """
    for folder in (start, *start.parents):
        for name in ("feedpub.yaml", CONFIG_NAME):
            if (folder / name).is_file():
                return folder / name
    raise ConfigError(
        [
            Problem(
                CONFIG_NAME,
                0,
                "",
                f"there is none in {start.name or start} or a folder above it",
                "make one with `feedpub init`, or name one with --config FILE",
            )
        ]
    )


def load_config(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Reads a configuration; raises `ConfigError` with every mistake that is in it."""
    root = path.absolute().parent
    shown = path.as_posix()
    context = Context(shown) if environ is None else Context(shown, environ)
    node = _compose(path, context)
    settings: Settings | None = None
    with contextlib.suppress(InvalidError):
        settings = _SETTINGS.read(node, "", context)
    if settings is None or context.problems:
        raise ConfigError(context.problems)
    config = _finish(path.absolute(), root, settings, node, context)
    if context.problems:
        raise ConfigError(context.problems)
    return config


def config_schema() -> dict[str, Any]:
    """JSON Schema of config.yaml, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "feedpub configuration",
    } | _SETTINGS.schema()


def _compose(path: Path, context: Context) -> yaml.Node:
    def fault(what: str, remedy: str, line: int = 0) -> ConfigError:
        return ConfigError([Problem(context.path, line, "", what, remedy)])

    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        remedy = "make one with `feedpub init`, or name another with --config FILE"
        raise fault("there is no such file", remedy) from None
    except OSError as error:
        raise fault(f"it cannot be read ({error.strerror})", "mend that") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise fault("it is not UTF-8", "save it as UTF-8", line) from None
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        what, remedy, line = explain(error, text)
        raise fault(f"it is not YAML ({what})", remedy, line) from None
    if node is None:
        raise fault("it is empty", "write at least site: and records:; see `feedpub init`")
    return node


def _at(node: yaml.Node, *keys: str | int) -> yaml.Node:
    """The node at a place, or the nearest one around it that was written."""
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            found = [child for name, child in node.value if name.value == str(key)]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            found = node.value[key : key + 1]
        else:
            found = []
        if not found:
            return node
        node = found[0]
    return node


def _finish(
    path: Path, root: Path, settings: Settings, node: yaml.Node, context: Context
) -> Config:
    """Checks that need more than one key, or the disk."""
    site = settings.site
    host = urlsplit(site.url).hostname or "localhost"
    site = replace(
        site,
        id=(site.id or f"tag:{host},2026:feeds").rstrip("/"),
        home=site.home or site.url,
        language=site.language.replace("_", "-"),
    )
    try:
        zone = zoneinfo.ZoneInfo(site.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        context.fail(
            _at(node, "site", "timezone"),
            "site.timezone",
            f"{site.timezone!r} is not a time zone known here",
            "write a name of the IANA list, like Europe/Berlin or UTC",
        )
        zone = zoneinfo.ZoneInfo("UTC")
    output = root / Path(settings.output).expanduser()
    _check_folders(root, settings, output, node, context)
    _check_sources(root, settings, output, node, context)
    folders: dict[str, Path | None] = {"topics": None, "providers": None}
    for name in folders:
        folder = getattr(settings.taxonomy, name)
        if folder:
            folders[name] = root / Path(folder).expanduser()
            if not (root / folder).is_dir():
                context.fail(
                    _at(node, "taxonomy", name),
                    f"taxonomy.{name}",
                    f"there is no folder {folder}",
                    "make it, or leave the key out",
                )
    feeds = replace(settings.feeds, filenames=_filenames(settings.feeds, node, context))
    _check_feeds(feeds, node, context)
    return Config(
        path=path,
        root=root,
        settings=replace(settings, site=site, feeds=feeds),
        site=site,
        zone=zone,
        output=output,
        state=root / Path(settings.state).expanduser(),
        ledger=root / Path(settings.ids.ledger).expanduser(),
        topics_folder=folders["topics"],
        providers_folder=folders["providers"],
        overrides=feeds.overrides,
        has_podcasts=_has_podcasts(settings),
    )


def _has_podcasts(settings: Settings) -> bool:
    feeds = settings.feeds
    shows = [settings.podcast, feeds.all.podcast, feeds.topics.podcast, feeds.providers.podcast]
    shows.append(feeds.topic_providers.podcast)
    shows += [custom.podcast for custom in feeds.custom]
    shows += [override.podcast for override in feeds.overrides.values()]
    return any(show is not None and show.enabled for show in shows)


def _check_folders(
    root: Path, settings: Settings, output: Path, node: yaml.Node, context: Context
) -> None:
    """The output, the state and the ledger must not be in each other's way."""
    real_output = output.resolve()
    if output.exists() and not output.is_dir():
        context.fail(
            _at(node, "output"), "output", f"{settings.output} is not a folder", "name a folder"
        )
    if real_output == root.resolve():
        context.fail(
            _at(node, "output"),
            "output",
            "the output cannot be the folder of config.yaml itself",
            "name a folder of its own, like feeds",
        )
    state = (root / Path(settings.state).expanduser()).resolve()
    if real_output != root.resolve() and real_output in (state, *state.parents):
        context.fail(
            _at(node, "state"),
            "state",
            f"the state folder {settings.state} is inside the output folder {settings.output}",
            "name a folder that is not published, like .feedpub",
        )
    ledger = (root / Path(settings.ids.ledger).expanduser()).resolve()
    published = real_output != root.resolve() and real_output in (ledger, *ledger.parents)
    if published or ledger.is_dir():
        context.fail(
            _at(node, "ids", "ledger"),
            "ids.ledger",
            f"{settings.ids.ledger} is no place for the ledger: it is a folder, or is published",
            "name a file outside of the output, like ids.jsonl",
        )


def _check_sources(
    root: Path, settings: Settings, output: Path, node: yaml.Node, context: Context
) -> None:
    """Every source must exist, and neither hold the output nor be in it."""
    real_output = output.resolve()
    if not settings.records:
        context.fail(_at(node, "records"), "records", "no source is named", "name a folder")
    for n, source in enumerate(settings.records):
        where = _at(node, "records", n, "path")
        key = f"records[{n}].path"
        place = root / Path(source.path).expanduser()
        base = place
        if re.search(r"[*?\[]", source.path):
            while re.search(r"[*?\[]", base.as_posix()):
                base = base.parent
        if not base.exists():
            context.fail(
                where,
                key,
                f"there is no {source.path}",
                "mend the path (it is relative to config.yaml), or is a disk unmounted?",
            )
            continue
        if base != place:
            continue  # what a pattern finds in the output is passed over
        base = base.resolve()
        if base.is_dir() and (real_output == base or base in real_output.parents):
            context.fail(
                where,
                key,
                f"the output folder {settings.output} is inside the records",
                "put output: somewhere else, else feeds would be read as records",
            )
        elif real_output in base.parents:
            context.fail(
                where,
                key,
                f"the records are inside the output folder {settings.output}",
                "put them somewhere else",
            )


def _check_feeds(feeds: FeedSettings, node: yaml.Node, context: Context) -> None:
    seen: dict[str, int] = {}
    for n, custom in enumerate(feeds.custom):
        slug = custom.slug.casefold()
        if slug in seen:
            context.fail(
                _at(node, "feeds", "custom", n, "slug"),
                f"feeds.custom[{n}].slug",
                f"{custom.slug!r} is the slug of feeds.custom[{seen[slug]}] too",
                "give each custom feed its own",
            )
        seen.setdefault(slug, n)
    if not feeds.formats:
        context.fail(
            _at(node, "feeds", "formats"), "feeds.formats", "no format is named", "name rss"
        )
    names = list(feeds.filenames.values())
    if len(set(map(str.casefold, names))) != len(names):
        context.fail(
            _at(node, "feeds", "filenames"),
            "feeds.filenames",
            "two formats have the same file name",
            "give each its own",
        )
    reserved = {*CATALOGUE_NAMES, "index.html"}
    if taken := reserved & {name.casefold() for name in names}:
        context.fail(
            _at(node, "feeds", "filenames"),
            "feeds.filenames",
            f"{min(taken)} is the name of another file of feedpub's",
            "give the feeds another name",
        )
    _check_paths(feeds, node, context)
    for alias, target in feeds.also_at.items():
        if feeds.archives != "false" and _IN_ARCHIVE.search(alias):
            context.fail(
                _at(node, "feeds", "also_at", alias),
                f"feeds.also_at.{alias}",
                "this could be the address of an archive (feeds.archives)",
                "name another address, or do without archives",
            )
        if alias == target or alias.split("/")[0] in reserved - {"index.html"}:
            context.fail(
                _at(node, "feeds", "also_at", alias),
                f"feeds.also_at.{alias}",
                "this address is taken by what feedpub writes itself",
                "name the old address on the left and the new one on the right",
            )


def _filenames(feeds: FeedSettings, node: yaml.Node, context: Context) -> dict[str, str]:
    """The file name of each format; a plugin says the one of its own."""
    names = dict(FILENAMES)
    for name in feeds.formats:
        if name not in FILENAMES:
            try:
                names[name] = str(plugins.load(plugins.FORMATS, name).filename)
            except (PluginError, AttributeError) as error:
                remedy = "reinstall the package that has it, or take the format out"
                context.fail(_at(node, "feeds", "formats"), "feeds.formats", str(error), remedy)
    return names | dict(feeds.filenames)


def _check_paths(feeds: FeedSettings, node: yaml.Node, context: Context) -> None:
    """Two groups must not be able to put two feeds at one address."""
    patterns = [
        (f"feeds.{name}.path", getattr(feeds, name).path)
        for name in ("topics", "providers", "topic_providers")
        if getattr(feeds, name).enabled
    ]
    patterns += [
        (f"feeds.custom[{n}].slug", f"custom/{custom.slug}")
        for n, custom in enumerate(feeds.custom)
    ]
    pairs = [(*one, *other) for n, one in enumerate(patterns) for other in patterns[:n]]
    if feeds.archives != "false":
        archives = [
            (f"the archives of {owner}", f"{pattern}/{ARCHIVE_FOLDER}/{{period}}".lstrip("/"))
            for owner, pattern in [("feeds.all", ""), *patterns]
        ]
        pairs += [(*one, *archive) for one in patterns for archive in archives]
    for key, pattern, other_key, other in pairs:
        if "{" in pattern + other and _could_meet(pattern, other):
            context.fail(
                _at(node, *key.replace("[", ".").replace("]", "").split(".")),
                key,
                f"{pattern} and {other_key} ({other}) could be the same address",
                "give each group a folder of its own",
            )


def _could_meet(one: str, other: str) -> bool:
    parts, others = one.split("/"), other.split("/")
    return len(parts) == len(others) and all(
        a == b or "{" in a + b for a, b in zip(parts, others, strict=True)
    )
