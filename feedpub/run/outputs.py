"""The output tree as the last run left it: what of it still stands, and where feeds live in it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from feedpub.config import CATALOGUE_NAMES, Config
from feedpub.durable import Root
from feedpub.formats import in_order
from feedpub.records.scan import Clock, Signature
from feedpub.store.rows import OutputRow, Unit


@dataclass(slots=True, eq=False, repr=False)
class Standing:
    """What was found of the files that the store knows of."""

    sure: dict[str, OutputRow] = field(default_factory=dict)
    broken: dict[str, OutputRow] = field(default_factory=dict)  # changed by somebody, or gone
    seen: dict[str, OutputRow] = field(default_factory=dict)  # as they were, under a new signature


def look(output: Path, rows: Mapping[str, OutputRow], clock: Clock) -> Standing:
    """Compares the tree with what the store knows of it: by signatures, by content in doubt."""
    standing = Standing()
    top, root = str(output), Root(output)
    real = {"": True}

    def is_real(folder: str) -> bool:
        """Whether a folder is reached without links, which an output tree does not have."""
        if folder not in real:
            is_link = os.path.islink(f"{top}/{folder}")  # noqa: PTH114 - many of them
            real[folder] = not is_link and is_real(folder.rpartition("/")[0])
        return real[folder]

    for path, row in rows.items():
        file = f"{top}/{path}"
        try:
            signature = Signature.of(os.lstat(file))
        except OSError:
            standing.broken[path] = row
            continue
        if not is_real(path.rpartition("/")[0]):
            standing.broken[path] = row
        elif signature == row[1:5]:
            standing.sure[path] = row
        elif root.digest(path) == row.digest:
            standing.sure[path] = row
            standing.seen[path] = stamped(row.unit, signature, row.digest, clock)
        else:
            standing.broken[path] = row
    return standing


def stamped(unit: Unit, signature: Signature, digest: str, clock: Clock) -> OutputRow:
    """The row of a file; one that was written just now is to be looked into at the next run."""
    mtime = signature.mtime if clock.is_sure(signature) else -1
    looks = (signature.size, mtime, signature.ctime, signature.inode)
    return OutputRow(unit.feed, *looks, digest, unit.period)


def files_of(config: Config, path: str) -> list[str]:
    """The files of a feed, one for each format."""
    prefix = f"{path}/" if path else ""
    names = config.feeds.filenames
    return [prefix + names[name] for name in in_order(config.feeds.formats)]


def aliases(config: Config, feeds: Iterable[str], notes: list[str]) -> dict[str, list[str]]:
    """Addresses that must go on working: file of the tree → where it is to be found as well."""
    if not config.feeds.also_at:
        return {}
    found: dict[str, list[str]] = {}
    paths = [file for path in feeds for file in files_of(config, path)] + [*CATALOGUE_NAMES]
    taken = set(paths)
    for old, new in config.feeds.also_at.items():
        targets = [path for path in paths if path == new or path.startswith(f"{new}/")]
        if not targets:
            notes.append(f"feeds.also_at.{old}: there is no {new} at present")
        for target in targets:
            alias = old + target[len(new) :]
            if alias in taken:
                notes.append(f"feeds.also_at.{old}: {alias} is the address of a feed itself")
                continue
            taken.add(alias)
            found.setdefault(target, []).append(alias)
    return found


def unmatched(config: Config, feeds: Collection[str]) -> list[str]:
    """Overrides of feeds that there are none of: a typing mistake, or a topic gone quiet."""
    return [
        f"feeds.overrides.{path}: there is no such feed at present"
        for path in config.overrides
        if path not in feeds
    ]
