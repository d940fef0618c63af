"""config.yaml → `Config`: finds and reads the file, and reports all mistakes in it at once.

Here belongs every setting, with its description, default and check (`options.py`, `podcasts.py`,
`push.py`, and the readers they use). What a setting does belongs in the package that uses it; the
configuration knows no records, feeds or targets.
"""

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
from feedpub.paths import is_portable
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
ARCHIVE_FOLDER = "archive"  # of archives, below the folder of a feed
_IN_ARCHIVE = re.compile(rf"(?:^|/){ARCHIVE_FOLDER}/\d{{4}}(?:-\d\d)?(?:/|$)")
CATALOGUE_NAMES = ("feeds.opml", "feeds.json", SCHEMA_NAME)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings, with defaults and absolute paths."""

    path: Path  # of config.yaml itself
    root: Path  # base folder of relative paths
    settings: Settings
    site: Site
    zone: zoneinfo.ZoneInfo
    output: Path
    state: Path
    ledger: Path
    topics_folder: Path | None
    providers_folder: Path | None
    overrides: Mapping[str, Override]
    has_podcasts: bool = False  # whether any feed may be a podcast

    @property
    def feeds(self) -> FeedSettings:
        """The settings of feeds."""
        return self.settings.feeds

    @property
    def select(self) -> Select:
        """Which records may be in feeds."""
        return self.settings.select

    def shown(self, path: Path) -> str:
        """A path for messages, relative to the folder of the configuration if it is in it."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()


def find_config(start: Path) -> Path:
    """The path of the configuration in a folder, or in the nearest folder above.

    feedpub.yaml precedes config.yaml, which may be that of a site generator. Raises
    `ConfigError` if there is none.
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
                f"not found in {start.name or start} or a folder above it",
                "create one with `feedpub init`, or use --config FILE",
            )
        ]
    )


def load_config(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Reads a configuration. Raises `ConfigError` with every mistake in it."""
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
    """The JSON Schema of config.yaml, for editors."""
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
        remedy = "create one with `feedpub init`, or name another with --config FILE"
        raise fault("the file does not exist", remedy) from None
    except OSError as error:
        raise fault(f"it cannot be read ({error.strerror})", "fix its permissions") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise fault("it is not UTF-8", "save it as UTF-8", line) from None
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        what, remedy, line = explain(error, text)
        raise fault(f"it is not YAML ({what})", remedy, line) from None
    if node is None:
        raise fault("it is empty", "write at least site: and records:, or run `feedpub init`")
    return node


def _at(node: yaml.Node, *keys: str | int) -> yaml.Node:
    """The node at these keys, or the nearest one that contains it."""
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
    """Checks that involve several keys or the file system; then the configuration."""
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
            f"{site.timezone!r} is not a known time zone",
            "write an IANA name, like Europe/Berlin or UTC",
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
                    f"the folder {folder} does not exist",
                    "create it, or remove the key",
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
    """Checks that state and ledger are not in the output, which must be a folder of its own."""
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
            "name a separate folder, like feeds",
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
            f"{settings.ids.ledger} cannot be the ledger: it is a folder, or in the output folder",
            "name a file outside the output folder, like ids.jsonl",
        )


def _check_sources(
    root: Path, settings: Settings, output: Path, node: yaml.Node, context: Context
) -> None:
    """Checks that every source exists, and neither contains the output nor is inside it."""
    real_output = output.resolve()
    if not settings.records:
        context.fail(_at(node, "records"), "records", "there is no source", "name a folder")
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
                f"{source.path!r} does not exist",
                "correct the path (it is relative to config.yaml), or is a disk unmounted?",
            )
            continue
        if base != place:
            continue  # matches of a pattern in the output are ignored
        base = base.resolve()
        if base.is_dir() and (real_output == base or base in real_output.parents):
            context.fail(
                where,
                key,
                f"the output folder {settings.output} is inside the records",
                "name another folder, otherwise feeds would be read as records",
            )
        elif real_output in base.parents:
            context.fail(
                where,
                key,
                f"the records are inside the output folder {settings.output}",
                "move them elsewhere",
            )


def _check_feeds(feeds: FeedSettings, node: yaml.Node, context: Context) -> None:
    seen: dict[str, int] = {}
    for n, custom in enumerate(feeds.custom):
        slug = custom.slug.casefold()
        if slug in seen:
            context.fail(
                _at(node, "feeds", "custom", n, "slug"),
                f"feeds.custom[{n}].slug",
                f"feeds.custom[{seen[slug]}] has the slug {custom.slug!r}, too",
                "give each custom feed a different slug",
            )
        seen.setdefault(slug, n)
    if not feeds.formats:
        context.fail(
            _at(node, "feeds", "formats"), "feeds.formats", "there is no format", "write rss"
        )
    names = list(feeds.filenames.values())
    if len(set(map(str.casefold, names))) != len(names):
        context.fail(
            _at(node, "feeds", "filenames"),
            "feeds.filenames",
            "two formats have the same file name",
            "give each format a different name",
        )
    reserved = {*CATALOGUE_NAMES, "index.html"}
    if taken := reserved & {name.casefold() for name in names}:
        context.fail(
            _at(node, "feeds", "filenames"),
            "feeds.filenames",
            f"feedpub writes another file named {min(taken)}",
            "choose another name",
        )
    _check_paths(feeds, node, context)
    for alias, target in feeds.also_at.items():
        if feeds.archives != "false" and _IN_ARCHIVE.search(alias):
            context.fail(
                _at(node, "feeds", "also_at", alias),
                f"feeds.also_at.{alias}",
                "this could be the path of an archive (feeds.archives)",
                "choose another path, or turn archives off",
            )
        if alias == target or alias.split("/")[0] in reserved - {"index.html"}:
            context.fail(
                _at(node, "feeds", "also_at", alias),
                f"feeds.also_at.{alias}",
                "feedpub writes another file at this path",
                "write the old path on the left and the new one on the right",
            )


def _filenames(feeds: FeedSettings, node: yaml.Node, context: Context) -> dict[str, str]:
    """The file name of each format, including those of plugins."""
    names = dict(FILENAMES)
    for name in feeds.formats:
        if name in FILENAMES:
            continue
        what, remedy = "", "reinstall its package, or remove the format"
        try:
            names[name] = str(plugins.load(plugins.FORMATS, name).filename)
        except (PluginError, AttributeError) as error:
            what = str(error)
        else:
            if not is_portable(names[name]) and name not in feeds.filenames:
                origin = plugins.origin(plugins.FORMATS, name)
                what = f"the plugin {origin} has no valid file name, but {names[name][:80]!r}"
                remedy = f"set another one: feeds.filenames: {{{name}: feed.{name}}}"
        if what:
            context.fail(_at(node, "feeds", "formats"), "feeds.formats", what, remedy)
    return names | dict(feeds.filenames)


def _check_paths(feeds: FeedSettings, node: yaml.Node, context: Context) -> None:
    """Checks that feeds of two groups cannot have the same path."""
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
                f"{pattern} and {other_key} ({other}) could be the same path",
                "give each group a different folder",
            )


def _could_meet(one: str, other: str) -> bool:
    parts, others = one.split("/"), other.split("/")
    return len(parts) == len(others) and all(
        a == b or "{" in a + b for a, b in zip(parts, others, strict=True)
    )
