"""Writes docs/cli.md and docs/config.md from the code; --check fails if they are out of date.

Help texts and descriptions of options live in the code alone, so the reference
always agrees with it.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from feedpub.cli import COMMANDS, cli
from feedpub.config.options import AUTHOR, Newsletter, Settings, Where
from feedpub.config.podcasts import PodcastSettings
from feedpub.config.push import Limit
from feedpub.config.readers import Choice, Either, ListOf, MapOf, Number, Section

DOCS = Path(__file__).parent
NOTE = "<!-- written by docs/make_reference.py: run ./run.sh docs -->\n\n"
Row = tuple[str, str, str]  # a key, its meaning, its default


EXIT_CODES = """| exit code | meaning |
| --- | --- |
| 0 | done; records that are left out are reported, and are not a failure |
| 1 | the run could not finish, or no record is usable any more; the published feeds are intact |
| 2 | wrong usage or configuration; nothing was started |
| 3 | `generate --strict` or `check` found faults |
| 4 | a push is incomplete on at least one target; run it again |
| 75 | another run is using the same output |
| 130, 143 | interrupted or terminated; the published feeds are intact |

"""
CONFIG_INTRO = """A small configuration:

```yaml
site:
  title: My site
  url: https://feeds.example.org/       # where the feeds will be served
  home: https://example.org/            # the site that they belong to
records:
  - posts
feeds:
  items: 30
  custom:
    - {slug: best, title: The best, where: {min_quality: 80, types: [article, video]}}
```

- Paths are relative to the file.
- An unknown key is an error, which names the most similar key.
- `${NAME}` and `${NAME:-default}` insert environment variables into strings. For a preview,
  `url: ${SITE_URL:-https://feeds.example.org/}`.
- A single value can stand for a list of one.
- Durations are a number with `m`, `h`, `d` or `w`: `90m`, `48h`, `7d`, `2w`.
- `feedpub schema config` prints a JSON Schema for your editor.

"""
SHARED = {
    "where": (
        Section(Where),
        "The conditions of `select` and of every `where`. A record must meet all keys. "
        "For a list, one of its values is enough.",
    ),
    "newsletter": (
        Section(Newsletter),
        "The keys of every `newsletter` ([newsletters.md](newsletters.md)).",
    ),
    "author": (AUTHOR, "The keys of every `author` except that of `push`."),
}  # sections that stand in several places, each described once
SETTINGS = list(Section(Settings).options().values())


def cli_reference() -> str:
    """Every command with its help, as `--help` prints it."""
    text = f"# Commands\n\n{NOTE}{EXIT_CODES}"
    context = click.Context(cli, info_name="feedpub", terminal_width=80, **cli.context_settings)
    pages = [("feedpub", cli.get_help(context))]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is None:
            raise LookupError(f"COMMANDS names {name}, but there is no such command")
        pages += _pages(command, name, context)
    for title, page in pages:
        text += f"## {title}\n\n```text\n{page.strip()}\n```\n\n"
    return text.rstrip() + "\n"


def _pages(command: click.Command, name: str, parent: click.Context) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=name, parent=parent, terminal_width=80)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from _pages(command.commands[below], below, context)


def config_reference() -> str:
    """Every key with its meaning and its default: a table for each section."""
    text = f"# config.yaml\n\n{NOTE}{CONFIG_INTRO}## All sections\n\n"
    text += _table(_top_rows())
    for field in SETTINGS:
        rows = list(_rows(field, ""))[1:]
        if rows:
            text += f"\n## {field.name}\n\n{_table(rows)}"
    for name, (section, note) in SHARED.items():
        rows = [row for field in section.options().values() for row in _rows(field, "")]
        text += f"\n## {name}\n\n{note}\n\n{_table(rows)}"
    return text


def _table(rows: Iterable[Row]) -> str:
    lines = [f"| `{key}` | {doc} | {default} |\n" for key, doc, default in rows]
    return "| key | meaning | default |\n| --- | --- | --- |\n" + "".join(lines)


def _top_rows() -> Iterator[Row]:
    for field in SETTINGS:
        (key, doc, default), *below = _rows(field, "")
        yield key, f"{doc}: [keys](#{field.name})" if below else doc, default


def _rows(field: dataclasses.Field[Any], prefix: str) -> Iterator[Row]:
    """A key, and the keys below it, unless their section is described elsewhere."""
    key = prefix + field.name
    section, suffix = _section(field.metadata["reader"])
    default = "required" if field.metadata["required"] else _shown(field)
    doc = field.metadata["doc"] + _words(field.metadata["reader"], field.metadata["doc"])
    doc = re.sub(r"docs/([\w-]+\.md)", r"[\1](\1)", doc).replace("|", "\\|")
    shared = _shared(section) if section else ""
    if section and section.cls is PodcastSettings and prefix:
        shared = "podcast"
    if shared:
        yield key, f"{doc}: [keys](#{shared})", ""
        return
    yield key + suffix, doc, "" if section else default
    if section is None:
        return
    inherited = issubclass(section.cls, Where)
    if inherited:
        yield f"{key}.…", "any key of [where](#where)", ""
    for below in section.options().values():
        if not inherited or below.name not in Where.__dataclass_fields__:
            yield from _rows(below, f"{key}{suffix}.")


def _words(reader: Any, doc: str) -> str:
    """The words that a key takes, unless its description names them all."""
    if not isinstance(reader, Choice) or all(word in doc for word in reader.words):
        return ""
    return f" ({', '.join(reader.words)})"


def _shared(section: Section) -> str:
    """The heading under which a section is described once, "" if it is described in place."""
    mine = (section.cls, section.keys)
    return next((name for name, (s, _) in SHARED.items() if (s.cls, s.keys) == mine), "")


def _section(reader: Any) -> tuple[Section | None, str]:
    if isinstance(reader, ListOf):
        section, _ = _section(reader.item)
        return section, "[]" if section else ""
    if isinstance(reader, MapOf):
        section, _ = _section(reader.value)
        return section, ".…" if section else ""
    if isinstance(reader, Either):
        return _section(reader.second)
    return (reader, "") if isinstance(reader, Section) else (None, "")


def _shown(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if value is dataclasses.MISSING or value in ("", None, ()):
        value = field.default_factory() if callable(field.default_factory) else None
        return f"`{', '.join(f'{k}: {v}' for k, v in value.items())}`" if value else ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if type(value) is tuple:
        return f"`{', '.join(map(str, value))}`"
    if isinstance(value, timedelta):
        return f"`{_duration(value)}`"
    if isinstance(value, Limit):
        return f"`{value}`".replace(" or ", "` or `")
    reader = field.metadata["reader"]
    if isinstance(reader, Number) and reader.minimum is not None and value < reader.minimum:
        return ""  # it stands for "not set"
    return f"`{value}`" if isinstance(value, str | int | float) else ""


def _duration(value: timedelta) -> str:
    """A duration as config.yaml takes it, in the largest unit that fits."""
    minutes = int(value.total_seconds()) // 60
    for unit, size in (("d", 24 * 60), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def main() -> int:
    """Writes the files, or with --check compares them and returns 1 if one is out of date."""
    check = "--check" in sys.argv
    stale = []
    for name, text in (("cli.md", cli_reference()), ("config.md", config_reference())):
        path = DOCS / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, "utf-8")
    if stale and check:
        print(f"out of date: {', '.join(stale)}; run ./run.sh docs", file=sys.stderr)
    return bool(stale) and check


if __name__ == "__main__":
    sys.exit(main())
