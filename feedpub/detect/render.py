"""`Detected` → the text of config.yaml, using the templates in this folder.

Values from the site are written by PyYAML, or are comments.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib import resources
from string import Template
from urllib.parse import urlsplit

import yaml

from feedpub.detect.types import Detected, ProposedSource, one_line

_COLUMN = 42  # of comments after values
_WIDTH = 98
ONCE = "CHANGE THIS before you first publish, then never again"


def sample_record(today: date) -> str:
    """The sample record for an empty folder."""
    return _filled("hello.md", today=today.isoformat())


def config_text(detected: Detected | None, year: int, prefix: str = "") -> str:
    """The whole file. `prefix` is the path from its folder to that of the records, or ""."""
    head = _head(detected, year, prefix) if detected else _empty(year, prefix)
    topics = _topics(detected.not_topics if detected else ())
    return f"{head}\n\n{_filled('feeds.yaml', topics=topics)}"


def _filled(name: str, **values: str) -> str:
    template = resources.files("feedpub.detect") / "templates" / name
    return Template(template.read_text("utf-8")).substitute(values)


def _empty(year: int, prefix: str) -> str:
    """The configuration of an empty folder."""
    output = scalar(_joined(prefix, "feeds"))
    return _filled(
        "config.yaml",
        year=f"{year}",
        records=scalar(_joined(prefix, "records")),
        output=_commented(f"output: {output}", "put this folder on any static host"),
        kept="".join(f"{line}\n" for line in _kept(prefix)),
    ).rstrip()


def _head(detected: Detected, year: int, prefix: str) -> str:
    lines = [
        *_comment(f"Written by `feedpub init` for {detected.name}."),
        *_comment("Paths are relative to this file. `feedpub check` reports every mistake in it."),
        "",
        *_site(detected, year),
        "",
        *_comment("Where records are: files, folders or globs of .md .html .yaml .json .jsonl"),
        *_comment("Drafts (`draft: true`, `published: false`) are left out of the feeds."),
        "records:",
        *(line for source in detected.sources for line in _source(source, prefix)),
        "",
        *(line for text in detected.serving for line in _comment(text)),
        f"output: {scalar(_joined(prefix, detected.output))}",
        *_kept(prefix),
        *_mapping("fields", detected.fields, "feedpub's key: the key that is used here"),
        *_mapping("taxonomy", {k: _joined(prefix, at) for k, at in detected.taxonomy.items()}, ""),
    ]
    return "\n".join(lines)


def scalar(value: str, in_braces: bool = False) -> str:
    """A text as a YAML scalar on one line, quoted if necessary."""
    text = value if value.isprintable() else one_line(value, len(value))
    dumped: str = yaml.safe_dump(
        [text], default_flow_style=in_braces, allow_unicode=True, width=float("inf")
    )
    return dumped.strip()[1:-1] if in_braces else dumped[2:-1]


def _joined(prefix: str, path: str) -> str:
    return posixpath.normpath(f"{prefix}/{path}") if prefix else path


def _comment(text: str, indent: str = "") -> Iterator[str]:
    """A comment, wrapped to several lines."""
    line = f"{indent}#"
    for word in one_line(text, 1000).split(" "):
        if len(line) + 1 + len(word) > _WIDTH and line != f"{indent}#":
            yield line
            line = f"{indent}#"
        line += f" {word}"
    yield line


def _entry(key: str, value: str, comment: str = "") -> str:
    return _commented(f"  {key}: {value}", comment)


def _commented(line: str, comment: str) -> str:
    return f"{line.ljust(_COLUMN - 1)} # {comment}" if comment else line


def _site(detected: Detected, year: int) -> Iterator[str]:
    about = detected.about
    home = about.home or "https://example.org/"
    url = f"{home}{detected.served_at}" if detected.served_at else "https://feeds.example.org/"
    host = urlsplit(home).hostname or "example.org"
    change = "" if about.home else "CHANGE THIS: "
    yield "site:"
    yield _entry("title", scalar(about.title or "My site"))
    yield _entry("url", scalar(url), f"{change}where the output folder will be served")
    tag = scalar(f"tag:{host},{year}:feeds")
    known = "begins the ids of feeds and items: never change it"
    yield _entry("id", tag, known if about.home else ONCE)
    yield _entry("home", scalar(home), f"{change}the site that the feeds belong to")
    if about.description:
        yield _entry("description", scalar(about.description))
    else:
        yield "  # description: What I write about"
    yield _entry("language", scalar(about.language or "en"))
    yield _entry("timezone", scalar(about.timezone or "UTC"), "of dates without a time zone")
    if about.author:
        yield _entry("author", _braces(about.author))
    else:
        yield "  # author: {name: My name}             # and email:, url:"


def _source(source: ProposedSource, prefix: str) -> Iterator[str]:
    for note in source.notes:
        yield from _comment(note, "  ")
    path = scalar(_joined(prefix, source.path))
    if not source.link:
        yield f"  - {path}"
        return
    yield f"  - path: {path}"
    yield f"    link: {scalar(source.link)}"


def _kept(prefix: str) -> list[str]:
    """Settings that keep the state and the ledger in the folder of the records."""
    if not prefix:
        return []
    ledger = {"ledger": _joined(prefix, "ids.jsonl")}
    return [f"state: {scalar(_joined(prefix, '.feedpub'))}", f"ids: {_braces(ledger)}"]


def _mapping(key: str, values: Mapping[str, str], comment: str) -> Iterator[str]:
    if not values:
        return
    yield ""
    yield from _comment(comment) if comment else ()
    yield f"{key}: {_braces(values)}"


def _braces(values: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{name}: {scalar(value, True)}' for name, value in values.items())}}}"


def _topics(without: Sequence[str]) -> str:
    if not without:
        return _entry("topics", "true", "a feed for each topic")
    names = ", ".join(scalar(name, True) for name in without)
    return _entry("topics", f"{{exclude: [{names}]}}", "a feed for each other topic")
