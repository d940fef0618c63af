"""`feedpub init`: a commented config.yaml, one sample record, a .gitignore line."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import click

from feedpub.cli.common import Common, common_options
from feedpub.errors import RunError


@click.command(
    "init", epilog="Example:\n\n\b\n  feedpub init blog && cd blog && feedpub generate\n"
)
@click.argument("folder", metavar="[DIR]", default=".")
@common_options
def command(common: Common, folder: str) -> None:
    """Make a commented config.yaml and a sample record in DIR (default: here).

    Never overwrites: what is there already stays as it is, and is named.
    """
    target = Path(folder)
    template = resources.files("feedpub.cli") / "templates"
    today = datetime.now(UTC).date()  # the template's zone: nowhere is it in the future
    config = (template / "config.yaml").read_text("utf-8").replace("YEAR", f"{today.year}")
    record = (template / "hello.md").read_text("utf-8").replace("TODAY", today.isoformat())
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in (("config.yaml", config), ("records/hello.md", record)):
            _create(target / name, text, common)
        _ignore(target / ".gitignore", ".feedpub/", common)
    except OSError as error:
        where = Path(error.filename).name if error.filename else folder
        raise RunError(f"{where} cannot be written ({error.strerror})") from None
    where = "" if folder == "." else f"cd {folder} && "
    common.say(f"next: edit config.yaml, then {where}feedpub generate")


def _create(path: Path, text: str, common: Common) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        common.say(f"{path}: is there already, left as it is")
        return
    common.say(f"{path}: made")


def _ignore(path: Path, line: str, common: Common) -> None:
    text = path.read_text("utf-8") if path.exists() else ""
    if line in text.splitlines():
        return
    with path.open("a", encoding="utf-8") as file:
        file.write(("" if not text or text.endswith("\n") else "\n") + line + "\n")
    common.say(f"{path}: {line} added")
