"""Records and configurations of a few words, for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from feedpub.config import Config, load_config
from feedpub.grouping.terms import Taxonomies, Terms
from feedpub.model import Problem, Provider, Record, TermFile

SITE = """
site: {title: A site, url: https://feeds.example.org/, home: https://example.org/,
  id: "tag:example.org,2026:feeds"}
records: [records]
"""


def config(more: str = "") -> Config:
    """A configuration; `more` are its further lines."""
    with TemporaryDirectory() as folder:
        Path(folder, "records").mkdir()
        path = Path(folder, "config.yaml")
        path.write_text(SITE + more, encoding="utf-8")
        return load_config(path, {})


def moment(day: int, hour: int = 0) -> datetime:
    """A day of January 2026, or one after it."""
    return datetime.fromtimestamp(1767225600 + (day - 1) * 86400 + hour * 3600, UTC)


def record(name: str = "a", day: int = 1, **fields: Any) -> Record:
    """A record that is called `name`, published on that day."""
    published = fields.pop("published", moment(day))
    fields.setdefault("updated", published)
    if isinstance(fields.get("provider"), str):
        fields["provider"] = Provider(fields["provider"])
    return Record(
        path=f"records/{name}.md",
        line=1,
        order=fields.pop("order", f"records/{name}.md"),
        id=fields.pop("id", name),
        id_from="id",
        title=name,
        published=published,
        **fields,
    )


def term(name: str, **fields: Any) -> TermFile:
    """A taxonomy file."""
    return TermFile(path=f"taxonomy/{name}.yaml", name=name, **fields)


def terms(*files: TermFile, problems: list[Problem] | None = None) -> Terms:
    """A taxonomy of these files."""
    return Terms(files, [] if problems is None else problems)


def taxonomies(topics: Terms | None = None, providers: Terms | None = None) -> Taxonomies:
    """Both taxonomies, empty where none is given."""
    return Taxonomies(topics or terms(), providers or terms())
