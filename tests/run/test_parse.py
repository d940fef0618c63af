"""Files → rows for the store."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from feedpub.config import Config
from feedpub.grouping.terms import Taxonomies, Terms
from feedpub.model import Problem, Record
from feedpub.run.files import FileNotes, FileRead, ToRead
from feedpub.run.parse import FileReader, pack, unpack
from feedpub.run.report import RunOptions
from feedpub.run.rules import FileRules, Selection, SelectionRules

from .helpers import CONFIG, RECORDS, config, record, write

POST = "---\ntitle: A\ndate: 2026-01-02\ntopics: [News]\n---\nText.\n"
LIST = '{"title": "B", "date": "2026-01-02", "id": "b"}\n{"title": "bad"}\n' + (
    '{"title": "C", "date": "2026-01-03", "id": "c", "draft": true}\n'
)


def reader(config: Config) -> FileReader:
    return FileReader(
        FileRules.of(config),
        Selection(
            SelectionRules.of(config, RunOptions(None)),
            None,
            Taxonomies(Terms([], []), Terms([], [])),
        ),
    )


def asked(config: Config, name: str = "a.md", **fields: Any) -> ToRead:
    file = ToRead(1, 0, str(config.root / "records" / name), f"records/{name}", name, b"")
    return file._replace(**fields)


def read(config: Config, file: ToRead, keep: bool = True) -> FileRead:
    [found] = reader(config).read([file], keep)
    return found


@pytest.fixture
def site(tmp_path: Path) -> Config:
    return config(tmp_path, records__a_md=POST, records__b_jsonl=LIST)


def test_a_record_is_selected_and_placed(site: Config) -> None:
    found = read(site, asked(site))
    [(row, feeds)] = found.rows or []
    assert (row.topics, row.reason, row.part) == ("News", "", None)
    assert feeds == [("", "all"), ("topics/news", "topic")]
    assert [unpack(blob).title for blob in found.records or []] == ["A"]
    assert found.notes is None


def test_each_record_of_a_list_has_its_part(site: Config) -> None:
    found = read(site, asked(site, "b.jsonl"), keep=False)
    assert [(row.part, row.guid, row.reason) for row, _ in found.rows or []] == [
        (0, "tag:feeds.example.org,2026:feeds/b", ""),
        (2, "tag:feeds.example.org,2026:feeds/c", "draft"),
    ]
    assert found.records is None
    notes = FileNotes.of(found.notes or "")
    assert (notes.unusable, notes.problems[0].record) == (1, "records/b.jsonl#2")
    records = reader(site).records(asked(site, "b.jsonl", known=found.digest))
    assert {part: record.title for part, record in records.items()} == {0: "B", 2: "C"}


def test_a_changed_file_gives_no_records(site: Config) -> None:
    known = read(site, asked(site, "b.jsonl"), keep=False).digest
    path = site.root / "records/b.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    assert reader(site).records(asked(site, "b.jsonl", known=known)) == {}


def test_an_unchanged_file_gives_no_rows(site: Config) -> None:
    first = read(site, asked(site))
    again = read(site, asked(site, known=first.digest))
    assert again == FileRead(1, first.digest, first.content)


def test_a_record_that_moved_in_its_list_is_the_same(site: Config) -> None:
    before = [row.digest for row, _ in read(site, asked(site, "b.jsonl")).rows or []]
    write(site.root / "records/b.jsonl", "\n".join(reversed(LIST.splitlines())))
    assert [row.digest for row, _ in read(site, asked(site, "b.jsonl")).rows or []] == before[::-1]


def test_a_digest_depends_on_content_names_and_settings_of_the_source(site: Config) -> None:
    digests = [
        read(site, asked(site)).digest,
        read(site, asked(site, shown="other/a.md")).digest,
        read(site, asked(site, below="deep/a.md")).digest,
    ]
    for more in ("fields: {title: name}", "select: {types: [x]}"):
        other = config(site.root, CONFIG + more)
        digests.append(read(other, asked(other)).digest)
    typed = config(site.root, CONFIG.replace("[records]", "[{path: records, type: video}]"))
    digests.append(read(typed, asked(typed)).digest)
    write(site.root / "records/a.md", POST + "More.\n")
    digests.append(read(site, asked(site)).digest)
    assert digests.pop(4) == digests[0]  # what is selected is no matter of reading
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("what", ["gone", "folder", "pipe", "loop"])
def test_a_file_that_cannot_be_read_is_one_unusable_record(site: Config, what: str) -> None:
    path = site.root / "records/a.md"
    path.unlink()
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path)
    found = read(site, asked(site, known=b"digest"))
    assert (found.digest, found.rows) == (b"", [])
    notes = FileNotes.of(found.notes or "")
    assert notes.unusable == 1
    assert [problem.path for problem in notes.problems] == ["records/a.md"]
    assert reader(site).records(asked(site)) == {}


def test_notes_survive_as_json() -> None:
    assert FileNotes([], [], 0).to_json() is None
    notes = FileNotes([Problem("a", 1, "k", "what", "remedy", False, "a#1")], [], 1)
    assert FileNotes.of(notes.to_json() or "") == notes


# Records as bytes


@given(RECORDS)
@settings(deadline=None)
def test_a_packed_record_is_restored(given_record: Record) -> None:
    """With its types: a provider is a `Provider` again, a date is in UTC."""
    found = unpack(pack(given_record))
    assert found == given_record
    assert repr(found) == repr(given_record)


@given(RECORDS)
@settings(deadline=None)
def test_equal_records_have_equal_bytes(given_record: Record) -> None:
    """Digests are made of these bytes."""
    other = pickle.loads(pickle.dumps(given_record))  # noqa: S301 - parts that are no longer shared
    assert pack(other) == pack(given_record) == pack(unpack(pack(given_record)))


def test_shared_strings_are_packed_like_separate_ones() -> None:
    apart = "".join(["free ", "of charge"])
    assert pack(record(price=apart, type="free of charge")) == pack(record(price=apart, type=apart))
