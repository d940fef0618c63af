"""The examples in README.md and docs/: configurations load, commands and options exist."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from feedpub import plugins
from feedpub.cli import COMMANDS, cli
from feedpub.config import load_config
from feedpub.config.options import Settings
from tests.plugins.install import install

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
KEYS = set(Settings.__dataclass_fields__)
NEEDED: dict[str, Any] = {
    "site": {"title": "A site", "url": "https://feeds.example.org/"},
    "records": ["records"],
}
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")


def _blocks(language: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in _FENCE.finditer(text):
            if match[1] == language:
                line = text.count("\n", 0, match.start()) + 2
                yield f"{page.relative_to(ROOT)}:{line}", match[2]


def _inline() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = _FENCE.sub(lambda match: "\n" * match[0].count("\n"), page.read_text("utf-8"))
        for match in _CODE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{page.relative_to(ROOT)}:{line}", match[1].replace("\\|", "|")


def _configs() -> Iterator[tuple[str, str]]:
    """Blocks of YAML that name no other file, and settings in the text: `feeds: {items: 5}`."""
    for place, text in _blocks("yaml"):
        if re.match(r"# \S+\.ya?ml\b(?<!config\.yaml)", text):
            continue
        if text.startswith(" "):  # the keys of a target
            to = "" if "to:" in text else "    to: s3://bucket\n"
            text = f"push:\n  production:\n{to}{text}"
        yield place, text
    for place, text in _inline():
        key, _, value = text.partition(": ")
        if key in KEYS and value.startswith("{"):
            yield place, text


@pytest.fixture
def _plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plugins of docs/plugins.md are installed."""
    install(tmp_path / "lib", plugins.FORMATS, "text", "feedpub_text:Text")
    install(tmp_path / "lib", plugins.TARGETS, "box", "feedpub_box:Box")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    plugins._found.cache_clear()
    yield
    plugins._found.cache_clear()


@pytest.mark.usefixtures("_plugins")
@pytest.mark.parametrize(("place", "text"), [pytest.param(*c, id=c[0]) for c in _configs()])
def test_configuration_examples_load(place: str, text: str, tmp_path: Path) -> None:
    found = yaml.safe_load(text)
    for key, section in NEEDED.items():
        if key not in found:
            text = f"{text}\n{yaml.safe_dump({key: section})}"
    sources = found.get("records", NEEDED["records"])
    folders = [source["path"] if isinstance(source, dict) else source for source in sources]
    for folder in [*folders, *found.get("taxonomy", {}).values()]:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    path = tmp_path / "config.yaml"
    path.write_text(text, "utf-8")
    load_config(path, environ=dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "x"))


def _commands() -> Iterator[tuple[str, str]]:
    lines = [
        (place, line.partition(" #")[0])
        for language in ("sh", "text", "ini")
        for place, text in _blocks(language)
        if not place.startswith("docs/cli.md")
        for line in text.splitlines()
    ]
    for place, line in [*lines, *_inline()]:
        for part in re.split(r"&&|\$\(|\bthen run\b", line):
            if match := re.match(r"\s*(?:\w+=)?(?:\S*/)?(feedpub \S.*)", part):
                yield place, match[1].rstrip(")")


def _check(text: str) -> None:
    """Parses a command line as feedpub would, but runs nothing."""
    words = shlex.split(text)[1:]
    words = words[: next((n for n, word in enumerate(words) if word in {">", "|"}), len(words))]
    context = cli.make_context("feedpub", words, resilient_parsing=False)
    rest = [*context._protected_args, *context.args]
    command: click.Command = cli
    while isinstance(command, click.Group) and rest:
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        with contextlib.suppress(click.MissingParameter):  # `feedpub explain`, named in the text
            context = command.make_context(name, list(rest), parent=context)
        rest = [*context._protected_args, *context.args]


@pytest.mark.parametrize(
    ("place", "text"), [pytest.param(*c, id=f"{c[0]} {c[1]}") for c in _commands()]
)
def test_commands_exist(place: str, text: str) -> None:
    _check(text)


def test_links_lead_somewhere() -> None:
    broken = []
    for page in [*PAGES, ROOT / "SECURITY.md", ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            name, _, anchor = target.partition("#")
            if ":" in name:
                continue
            file = page.parent / name if name else page
            if not file.exists() or (anchor and anchor not in _anchors(file)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


def test_every_command_is_described() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    missing = [name for name in COMMANDS if f"feedpub {name}" not in text]
    assert not missing
