"""Records as make_records.py makes them, rewritten for tools that want other front matter.

    python convert.py hugo|jekyll|pelican RECORDS FOLDER

Not part of what is measured.
"""

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Record:
    text: str  # all of the file
    title: str
    excerpt: str
    date: str  # like 2026-01-31T00:00:00Z
    link: str
    published: bool
    provider: str
    topics: list[str]
    image: str
    body: str


def read(text: str) -> Record:
    """Knows no YAML, only what make_records.py writes."""
    end = text.index("\n---\n", 4)
    front = text[: end + 1]

    def value(key: str) -> str:
        found = re.search(rf"^{key}: (.*)$", front, re.MULTILINE)
        if found is None:
            raise ValueError(f"a record has no {key}: was it made by make_records.py?")
        return str(json.loads(found[1])) if found[1].startswith('"') else found[1]

    topics = re.search(r"^topics:\n((?:  - .*\n)+)", front, re.MULTILINE)
    if topics is None:
        raise ValueError("a record has no topics: was it made by make_records.py?")
    return Record(
        text=text,
        title=value("title"),
        excerpt=value("excerpt"),
        date=value("publishedDateTime"),
        link=value("webUrl"),
        published=value("published") == "true",
        provider=value("  name"),
        topics=[line[4:] for line in topics[1].splitlines()],
        image=re.findall(r'^  - url: "(.*)"$', front, re.MULTILINE)[-1],
        body=text[end + 5 :],
    )


def hugo(record: Record) -> str:
    """Groups by a key's own values only, and takes `published` for a date."""
    flag = f"\npublished: {str(record.published).lower()}\n"
    return record.text.replace(flag, f"\ndraft: {str(not record.published).lower()}\n").replace(
        "\ntopics:\n", f"\nproviders:\n  - {record.provider}\n\ntopics:\n", 1
    )


def jekyll(record: Record) -> str:
    """jekyll-feed makes feeds for tags of letters, digits and underscores."""
    tags = [name.lower().replace(" ", "_") for name in (*record.topics, record.provider)]
    front = {
        "title": record.title,
        "date": record.date.replace("T", " ").replace("Z", " +0000"),
        "tags": tags,
        "description": record.excerpt,
        "author": record.provider,
        "image": record.image,
        "published": record.published,
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()]
    return "\n".join(("---", *lines, "---", record.body))


def pelican(record: Record) -> str:
    """Has a front matter of its own."""
    return "\n".join(
        (
            f"Title: {record.title}",
            f"Date: {record.date}",
            f"Category: {record.provider}",
            f"Tags: {', '.join(record.topics)}",
            f"Summary: {record.excerpt}",
            f"Link: {record.link}",
            f"Author: {record.provider}",
            f"Status: {'published' if record.published else 'draft'}",
            "",
            record.body,
        )
    )


KINDS: dict[str, Callable[[Record], str]] = {"hugo": hugo, "jekyll": jekyll, "pelican": pelican}


def convert(kind: str, records: Path, folder: Path) -> None:
    for parent, _, names in os.walk(records):
        target = folder / Path(parent).relative_to(records)
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            record = read(Path(parent, name).read_text(encoding="utf-8"))
            (target / name).write_text(KINDS[kind](record), encoding="utf-8")


if __name__ == "__main__":
    convert(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
