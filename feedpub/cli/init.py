"""`feedpub init`: writes a commented configuration for an existing or a new folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feedpub.cli.common import Common, common_options
from feedpub.errors import RunError
from feedpub.paths import printable_path

if TYPE_CHECKING:
    from feedpub.detect.types import Detected

NAMES = ("config.yaml", "feedpub.yaml")  # the second if the first belongs to another tool
MAX_CONFIG = 4 * 1024 * 1024
STATE = ".feedpub/"


@click.command(
    "init",
    epilog="Examples:\n\n"
    "\b\n"
    "  feedpub init blog && cd blog && feedpub generate   # a new folder, with a sample record\n"
    "  cd my-jekyll-site && feedpub init                  # an existing site\n"
    "  feedpub init -c feeds.yaml && feedpub -c feeds.yaml generate\n",
)
@click.argument("folder", metavar="[DIR]", default=".")
@common_options
def command(common: Common, folder: str) -> None:
    """Write a commented configuration for the site in DIR (default: here).

    Detects Jekyll, Hugo, Hexo, Eleventy, Astro, Obsidian vaults and plain
    folders of records. Prints what it found, and writes matching sources and
    link patterns. If it finds none of these, it adds a sample record.

    The file is config.yaml, or feedpub.yaml if config.yaml belongs to another
    tool, or the FILE of --config. Existing files are never overwritten.
    """
    from feedpub.detect import detect

    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        detected = detect(target)
        config = _choose(common, target, detected)
        exists = _is_ours(config)
        if exists:
            common.say(f"{config}: already exists; not changed")
        else:
            _write(common, target, detected, config)
        _ignore(target / ".gitignore", STATE, common)
    except OSError as error:
        where = Path(error.filename).name if error.filename else folder
        raise RunError(f"{where} cannot be written ({error.strerror})") from None
    todo = "" if exists else f"{_todo(detected, common, config)}, then run "
    common.say(f"next: {todo}{_commands(common, folder, config)}")


def _write(common: Common, target: Path, detected: Detected | None, config: Path) -> None:
    """Writes the configuration and the folders that it needs."""
    from feedpub.detect.render import config_text, sample_record

    today = datetime.now(UTC).date()  # in UTC, so that the sample is in the future nowhere
    if detected:
        common.say(f"found {detected.name}: {detected.evidence}")
    _create(config, config_text(detected, today.year, _prefix(target, config)), common)
    if detected is None:
        _create(target / "records/hello.md", sample_record(today), common)
        return
    for source in detected.sources:
        path = target / source.path
        if not re.search(r"[*?\[]", source.path) and not path.exists():
            path.mkdir(parents=True)
            common.say(f"{path}: created")
    for line in (_unread(detected), detected.advice, _to_exclude(detected, target, config)):
        if line:
            common.say(line)


def _unread(detected: Detected) -> str:
    """A line about records whose dates feedpub cannot read, "" if there are none."""
    if not detected.unread_dates:
        return ""
    first, n = detected.unread_dates[0], len(detected.unread_dates)
    where = printable_path(f"{first.path}:{first.line}")
    have, such = ("1 page has", ":") if n == 1 else (f"{n} pages have", ", such as")
    return f"{have} a date that feedpub cannot read{such} {where}: {first.what}"


def _to_exclude(detected: Detected, target: Path, config: Path) -> str:
    """A line about new files that the site generator would publish, "" if there are none."""
    if not detected.excludes_in:
        return ""
    path = os.path.relpath(config.absolute(), target.absolute())
    names = [name for name in (path, "ids.jsonl") if not name.startswith("..")]
    names = [name for name in names if not any(fnmatchcase(name, at) for at in detected.excluded)]
    if not names:
        return ""
    them = "it" if len(names) == 1 else "them"
    return (
        f"Add {' and '.join(map(printable_path, names))} to `exclude:` in {detected.excludes_in}, "
        f"or Jekyll will publish {them}"
    )


def _choose(common: Common, target: Path, detected: Detected | None) -> Path:
    """The file to write: an existing configuration of feedpub, or the first free name."""
    if common.config:
        config = Path(common.config)
        if os.path.lexists(config) and not _is_ours(config):
            raise click.UsageError(
                f"{config}: already exists and is not a feedpub configuration; "
                "name another file with --config"
            )
        return config
    names = [name for name in NAMES if not detected or name not in detected.reserved_names]
    ours = [target / name for name in NAMES if _is_ours(target / name)]
    free = []
    for name in names:
        if not os.path.lexists(target / name):
            free.append(target / name)
        elif not ours:
            common.say(f"{target / name}: already exists and belongs to another tool; not changed")
    if not ours and not free:
        raise click.UsageError(f"{_other_tools(names)}; name another file with --config")
    return (ours + free)[0]


def _other_tools(names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} already exists and is not a feedpub configuration"
    return f"{' and '.join(names)} already exist and are not feedpub configurations"


def _is_ours(config: Path) -> bool:
    """Whether a file is a configuration of feedpub, even one with mistakes."""
    try:
        if not config.is_file() or config.stat().st_size > MAX_CONFIG:
            return False
        text = config.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return False
    start = r"[{,]\s*" if text.lstrip().startswith("{") else "^"  # a mapping in braces, or in lines
    keys = re.findall(rf"""{start}["']?(site|records)["']?:(?=\s|$)""", text, re.MULTILINE)
    return len(set(keys)) == 2


def _prefix(target: Path, config: Path) -> str:
    """The path from config.yaml to the site's folder, "" if they are the same."""
    from feedpub.detect.tree import is_literal

    config.parent.mkdir(parents=True, exist_ok=True)
    prefix = os.path.relpath(target.resolve(), config.parent.resolve()).replace(os.sep, "/")
    if not is_literal(prefix):
        raise click.UsageError(
            f"{config.name} cannot name the folder {target.name!r}; put the file into it"
        )
    return "" if prefix == "." else prefix


def _todo(detected: Detected | None, common: Common, config: Path) -> str:
    """What the configuration needs before the feeds can be published."""
    name = shlex.quote(common.config or config.name)
    if detected and detected.about.home:
        return f"review {name}"
    return f"set site.url, site.id and site.home in {name}"


def _commands(common: Common, folder: str, config: Path) -> str:
    """The command that generates the feeds, ready to paste into a shell."""
    program = _program()
    if common.config:
        return f"{program} -c {shlex.quote(common.config)} generate"
    path = f"./{folder}" if folder.startswith("-") else folder
    where = "" if folder == "." else f"cd {shlex.quote(path)} && "
    return f"{where}{program} generate"


def _program() -> str:
    """The command that starts this program from any folder."""
    if shutil.which("feedpub"):
        return "feedpub"
    called = Path(sys.argv[0]).absolute()
    if called.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m feedpub"
    return shlex.quote(str(called))


def _create(path: Path, text: str, common: Common) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        common.say(f"{path}: already exists; not changed")
        return
    common.say(f"{path}: created")


def _ignore(path: Path, line: str, common: Common) -> None:
    if path.is_symlink():  # it may belong to something else
        common.say(f"{path}: is a symbolic link; not changed; git should ignore {line}")
        return
    text = path.read_bytes() if path.exists() else b""
    if line.encode() in text.splitlines():
        return
    with path.open("ab") as file:
        file.write((b"" if not text or text.endswith(b"\n") else b"\n") + line.encode() + b"\n")
    common.say(f"{path}: {line} added")
