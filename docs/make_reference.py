"""Writes docs/cli.md and docs/config.md from the code; with --check, says whether they are fresh.

What the code itself says (help texts, option tables) is said there alone, so
the reference cannot lag behind it.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from feedpub.cli import COMMANDS, cli
from feedpub.config.options import Settings
from feedpub.config.podcasts import Podcast
from feedpub.config.readers import Choice, Either, ListOf, MapOf, Section

DOCS = Path(__file__).parent
NOTE = "<!-- written by docs/make_reference.py: run ./run.sh docs -->\n\n"


EXIT_CODES = """| exit code | means |
| --- | --- |
| 0 | done; records left out are reported, and are no failure |
| 1 | the run could not finish, or no record is usable any more; what was published stands |
| 2 | usage or configuration: nothing was started |
| 3 | faults, under `generate --strict` or found by `check` |
| 4 | a push is incomplete on at least one target; the next completes it |
| 75 | another run works on this output |
| 130, 143 | interrupted, terminated; what was published stands |

"""


def cli_reference() -> str:
    """Every command with its help, as `--help` prints it."""
    text = f"# Commands\n\n{NOTE}{EXIT_CODES}"
    context = click.Context(cli, info_name="feedpub", terminal_width=80, **cli.context_settings)
    pages = [("feedpub", cli.get_help(context))]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is None:
            raise LookupError(f"COMMANDS names {name}, and there is no such command")
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
    """Every key with its meaning and its default."""
    text = f"# config.yaml\n\n{NOTE}"
    text += (
        "Paths are relative to the file. Unknown keys are errors. `${NAME}` and\n"
        "`${NAME:-default}` take environment variables in texts. `feedpub schema config`\n"
        "prints a JSON Schema.\n\n"
        "| key | meaning | default |\n| --- | --- | --- |\n"
    )
    for key, doc, default in _rows(Settings, ""):
        text += f"| `{key}` | {doc} | {default} |\n"
    return text


def _rows(cls: type[Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    for field in dataclasses.fields(cls):
        if "reader" not in field.metadata:
            continue
        key = prefix + field.name
        section, suffix = _section(field.metadata["reader"])
        default = "required" if field.metadata["required"] else _shown(field)
        doc = field.metadata["doc"] + _words(field.metadata["reader"])
        yield key + suffix, doc.replace("|", "\\|"), "" if section else default
        if section and not (section is Podcast and prefix):  # long, and told at the top
            yield from _rows(section, f"{key}{suffix}.")


def _words(reader: Any) -> str:
    """The words that a key takes, where they are few and not said yet."""
    if isinstance(reader, Choice) and 1 < len(reader.words) < 5:
        return f" ({', '.join(reader.words)})"
    return ""


def _section(reader: Any) -> tuple[type[Any] | None, str]:
    if isinstance(reader, ListOf):
        section, _ = _section(reader.item)
        return section, "[]" if section else ""
    if isinstance(reader, MapOf):
        section, _ = _section(reader.value)
        return section, ".…" if section else ""
    if isinstance(reader, Either):
        return _section(reader.second)
    return (reader.cls, "") if isinstance(reader, Section) else (None, "")


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
        return f"`{value.total_seconds() / 60:g}m`"
    return f"`{value}`" if isinstance(value, str | int | float) else ""


def main() -> int:
    """Writes, or with --check compares; the exit code says whether all is fresh."""
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
        print(f"stale: {', '.join(stale)}; run ./run.sh docs", file=sys.stderr)
    return bool(stale) and check


if __name__ == "__main__":
    sys.exit(main())
