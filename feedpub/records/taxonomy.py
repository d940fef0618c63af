"""Reads taxonomy files, which describe topics and providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedpub.errors import RunError
from feedpub.model import Problem, TermFile
from feedpub.paths import is_portable
from feedpub.records.field_reader import scalar
from feedpub.records.rules import TaxonomyRules
from feedpub.records.scan import UnreadableError, read_bytes
from feedpub.records.text import plain_text
from feedpub.records.values import Document, ParseError, parse_json, split_front_matter
from feedpub.urls import UrlError, absolute_url

_COMPLETE = "write a complete URL like https://example.org/a"


@dataclass(slots=True, eq=False, repr=False)
class TermFiles:
    """The taxonomy files of topics and providers, sorted by path."""

    topics: list[TermFile] = field(default_factory=list)
    providers: list[TermFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_taxonomy(rules: TaxonomyRules) -> TermFiles:
    """Reads all taxonomy files. Mistakes in them are noted as problems.

    Raises `RunError` if a file cannot be read: feeds would move to other URLs without it.
    """
    files = TermFiles()
    for paths, terms in ((rules.topics, files.topics), (rules.providers, files.providers)):
        for path, shown in paths:
            try:
                term = _term(Path(path), shown, rules.home, files.problems)
            except UnreadableError as error:
                if error.may_pass:
                    raise RunError(f"{shown}: {error.what}; {error.remedy}") from error
                problem = Problem(shown, 0, "", error.what, error.remedy, fatal=False)
            except UnicodeDecodeError as error:
                what = f"the text is not UTF-8 ({error.reason})"
                problem = Problem(shown, 1, "", what, "save it as UTF-8", fatal=False)
            except ParseError as error:
                problem = Problem(shown, error.line or 1, "", error.what, error.remedy, fatal=False)
            except Exception as error:
                what = f"internal error ({type(error).__name__}: {error})"[:300]
                problem = Problem(shown, 0, "", what, "report it, with the file", fatal=False)
            else:
                if term:
                    terms.append(term)
                continue
            files.problems.append(problem)
    return files


def _term(path: Path, shown: str, home: str, problems: list[Problem]) -> TermFile | None:
    text = read_bytes(str(path)).decode("utf-8-sig").replace("\r\n", "\n")
    body = ""
    document: Document | None = None
    if path.suffix.lower() == ".json":
        values = parse_json(text)[0]
    else:
        if text.startswith("---\n"):
            text, body = split_front_matter(text[4:], "---") if "\n---" in text[4:] else (text, "")
        document = Document(text)
        values = document.value()
    if not isinstance(values, dict):
        raise ParseError("expected a mapping", "write key: value lines", 1)

    def note(key: str, what: str, remedy: str) -> None:
        problems.append(
            Problem(
                shown, document.line_of((key,)) if document else 1, key, what, remedy, fatal=False
            )
        )

    def text_of(*keys: str) -> str:
        return next((plain_text(t) for key in keys if (t := scalar(values.get(key) or ""))), "")

    name = text_of("name", "title")
    if not name:
        note("name", "the topic or provider has no name", "add name: …; the file was ignored")
        return None
    written = text_of("_id", "id", "slug")
    slug = written.casefold()
    if slug and not is_portable(slug):
        remedy = "write letters, digits and -; it was ignored"
        note("_id", f"{written[:40]!r} is not a slug", remedy)
        slug = ""
    return TermFile(
        path=shown,
        name=name,
        id=slug,
        other_names=_names(values.get("otherNames") or values.get("aliases")),
        parent=text_of("parent"),
        description=text_of("description", "excerpt", "summary") or plain_text(body),
        domain=text_of("domain").lower(),
        url=_url(values.get("url"), home, lambda what: note("url", what, _COMPLETE)),
        image=_image(values, home, lambda what: note("images", what, _COMPLETE)),
    )


def _names(value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value] if value else []
    return tuple(plain_text(scalar(name)) for name in names if isinstance(name, str))


def _url(value: Any, home: str, note: Any) -> str:
    if not isinstance(value, str) or not value:
        return ""
    try:
        # Only a path that starts with / or . is relative to the site; example.org is not.
        return absolute_url(value, home if value.startswith(("/", ".")) else "")
    except UrlError as error:
        note(str(error))
        return ""


def _image(values: Mapping[str, Any], home: str, note: Any) -> str:
    """The URL of the widest image."""
    pictures = values.get("images") or values.get("image") or []
    best, widest = "", -1
    for entry in pictures if isinstance(pictures, list) else [pictures]:
        entry = entry if isinstance(entry, dict) else {"url": entry}
        width = scalar(entry.get("width") or "0")
        size = int(width) if width.isdecimal() and len(width) < 10 else 0
        if size > widest and (url := _url(entry.get("url"), home, note)):
            best, widest = url, size
    return best
