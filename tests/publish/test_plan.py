"""What is planned for what there is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feedpub.config.push import Limit, parse_limit, without_password
from feedpub.publish.errors import TargetError
from feedpub.publish.plan import PushPolicy, make_plan
from feedpub.publish.remote import ManifestEntry, RemoteManifest, RemoteState, read_remote
from feedpub.publish.serving.headers import ServingRules, headers_of, kind_of, type_of
from feedpub.publish.serving.host_files import host_files
from feedpub.publish.types import ListedFile, LocalFile, Plan

RULES = ServingRules(
    {"rss.xml": "rss", "atom.xml": "atom", "feed.json": "json"},
    {"feed.xml": "rss.xml", "old/rss.xml": "new/rss.xml"},
)
NOW = datetime(2026, 3, 4, tzinfo=UTC)
PICTURE = "media/0123456789abcdef/cover.png"


def local(path: str, sha256: str = "a") -> LocalFile:
    return LocalFile(path, sha256, 10, kind_of(path, RULES), headers_of(path, 10, RULES))


def known(path: str, sha256: str = "a") -> ManifestEntry:
    return ManifestEntry(sha256, headers_of(path, 10, RULES))


def plan(
    tree: list[str],
    remote: dict[str, ManifestEntry] | None,
    listed: list[str] | None = None,
    **how: Any,
) -> Plan:
    is_complete = how.pop("is_complete", True)
    equal = how.pop("equal", ())
    there = RemoteState(
        None if remote is None else RemoteManifest(remote, 0, is_complete),
        b"",
        None if listed is None else {path: ListedFile() for path in listed},
        equal,
    )
    policy = PushPolicy(**how)
    return make_plan([local(path) for path in tree], 0, there, policy, True, NOW)


def told(made: Plan) -> list[tuple[str, str, str]]:
    return [(action.do, action.path, action.reason) for action in made.actions]


@pytest.mark.parametrize(
    ("path", "kind", "media_type"),
    [
        ("rss.xml", "feeds", "application/rss+xml; charset=utf-8"),
        ("topics/a/atom.xml", "feeds", "application/atom+xml; charset=utf-8"),
        ("feed.json", "feeds", "application/feed+json"),
        ("feed.xml", "feeds", "application/rss+xml; charset=utf-8"),
        ("old/rss.xml", "feeds", "application/rss+xml; charset=utf-8"),
        ("topics/a/archive/2024-01/rss.xml", "archives", "application/rss+xml; charset=utf-8"),
        ("index.html", "catalogues", "text/html; charset=utf-8"),
        ("topics/a/index.html", "pages", "text/html; charset=utf-8"),
        ("feeds.opml", "catalogues", "text/x-opml; charset=utf-8"),
        ("feeds.json", "catalogues", "application/json"),
        ("feedpub.schema.json", "catalogues", "application/schema+json"),
        (PICTURE, "hashed", "image/png"),
        ("media/cover.jpg", "pictures", "image/jpeg"),
        ("style.css", "other", "text/css; charset=utf-8"),
        ("what", "other", "application/octet-stream"),
    ],
)
def test_kinds_and_types(path: str, kind: str, media_type: str) -> None:
    assert kind_of(path, RULES) == kind
    assert type_of(path, RULES) == media_type


def test_gzip_is_for_texts_that_are_worth_it() -> None:
    rules = RULES._replace(gzip=True)
    assert headers_of("rss.xml", 5000, rules)["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in headers_of("rss.xml", 500, rules)
    assert "Content-Encoding" not in headers_of(PICTURE, 5000, rules)
    assert "Content-Encoding" not in headers_of("rss.xml", 5000, RULES)


def test_what_is_named_comes_before_what_names_it() -> None:
    tree = ["feeds.json", "topics/a/index.html", "rss.xml", PICTURE, "archive/2024/rss.xml"]
    paths = [action.path for action in plan(tree, {"topics/b/rss.xml": known("x")}).actions]
    assert paths == [
        PICTURE,
        "archive/2024/rss.xml",
        "rss.xml",
        "topics/a/index.html",
        "feeds.json",
        "topics/b/rss.xml",
    ]


def test_reasons() -> None:
    remote = {
        "rss.xml": known("rss.xml"),
        "atom.xml": known("atom.xml", "b"),
        "feed.json": ManifestEntry("a", {"Content-Type": "text/plain"}),
        "topics/b/rss.xml": known("topics/b/rss.xml"),
    }
    made = plan(["rss.xml", "atom.xml", "feed.json", "feeds.json"], remote)
    assert told(made) == [
        ("put", "atom.xml", "changed: bytes"),
        ("put", "feed.json", "changed: headers"),
        ("put", "feeds.json", "new"),
        ("delete", "topics/b/rss.xml", "gone"),
    ]
    assert made.same == 1


def test_the_interim_manifest_names_old_and_new() -> None:
    made = plan(["rss.xml", "new.xml"], {"rss.xml": known("x", "b"), "gone.xml": known("gone.xml")})
    between, after = read_remote(made.interim), read_remote(made.final)
    assert not between.is_complete
    assert after.is_complete
    assert between.files.keys() == {"rss.xml", "new.xml", "gone.xml"}
    assert between.files["rss.xml"].next == ("a", headers_of("rss.xml", 10, RULES))
    assert after.files.keys() == {"rss.xml", "new.xml"}


def test_after_a_cut_only_what_did_not_arrive_is_put() -> None:
    begun = plan(["rss.xml", "atom.xml", "feed.json"], {"rss.xml": known("rss.xml", "b")})
    remote = dict(read_remote(begun.interim).files)
    made = plan(
        ["rss.xml", "atom.xml", "feed.json"],
        remote,
        ["rss.xml", "atom.xml"],
        is_complete=False,
        equal={"atom.xml"},
    )
    assert told(made) == [("put", "feed.json", "new"), ("put", "rss.xml", "changed: bytes")]


def test_a_cut_change_of_headers_is_made_again() -> None:
    """The bytes are the same before and after: nobody knows which headers they have."""
    old = {"rss.xml": ManifestEntry("a", {"Content-Type": "text/plain"})}
    remote = dict(read_remote(plan(["rss.xml"], old).interim).files)
    made = plan(["rss.xml"], remote, ["rss.xml"], is_complete=False, equal={"rss.xml"})
    assert told(made) == [("put", "rss.xml", "changed: headers")]


def test_nothing_of_others_is_deleted() -> None:
    assert plan(["rss.xml"], None, ["CNAME", "other/index.html"]).deletes == ()


def test_what_is_in_the_way_without_a_manifest() -> None:
    tree = ["rss.xml", "atom.xml"]
    assert plan(tree, None, ["rss.xml"]).foreign == ("rss.xml",)
    assert plan(tree, None, ["rss.xml", "atom.xml"], equal={"atom.xml"}).foreign == ()
    forced = plan(tree, None, ["rss.xml"], force=True)
    assert forced.foreign == ()
    assert {reason for _, _, reason in told(forced)} == {"new", "changed: bytes"}


def test_deletes_beyond_the_limit_are_not_made() -> None:
    remote = {f"topics/{n}/rss.xml": known("topics/1/rss.xml") for n in range(300)}
    assert len(plan([], remote).refused) == 300
    assert len(plan([], remote, limit=Limit(0, 100)).deletes) == 300
    few = dict(list(remote.items())[:50])
    assert len(plan([], few).deletes) == 50
    kept = plan([], remote)
    assert read_remote(kept.final).files.keys() == remote.keys()


def test_hashed_pictures_have_a_grace_period() -> None:
    first = plan([], {PICTURE: known(PICTURE)})
    assert (first.deletes, first.kept) == ((), (PICTURE,))
    marked = read_remote(first.final).files
    assert marked[PICTURE].gone == NOW.isoformat()
    assert plan([], dict(marked)).final == first.final
    assert [a.path for a in plan([], dict(marked), grace=timedelta(0)).deletes] == [PICTURE]
    back = plan([PICTURE], dict(marked))
    assert back.actions == ()
    assert read_remote(back.final).files[PICTURE].gone == ""


def test_a_tree_that_somebody_copied_there_is_compared() -> None:
    copied = {"feedpub": 1, "items": 2, "files": {"rss.xml": {"sha256": "a"}}}
    assert not read_remote(json.dumps(copied).encode()).is_complete


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"feedpub": 2, "items": 0, "files": {}}',
        b'{"feedpub": 1, "items": 0, "files": {"../x": {"sha256": "a"}}}',
        b'{"feedpub": 1, "items": 0, "files": {"x": {"sha256": "a", "headers": 7}}}',
    ],
)
def test_manifests_that_cannot_be_trusted(data: bytes) -> None:
    with pytest.raises(TargetError, match=r"\.feedpub\.json"):
        read_remote(data)


def test_limits() -> None:
    assert parse_limit("20%") == Limit(0, 20)
    assert parse_limit("7") == Limit(7, 0)
    assert parse_limit("7.5") is None
    assert parse_limit("many") is None
    assert Limit().allows(50, 60)
    assert Limit().allows(200, 1000)
    assert not Limit().allows(201, 1000)
    assert str(Limit()) == "20% or 50"


def test_passwords_are_not_shown() -> None:
    assert without_password("sftp://me:p@ss/w@h/x") == "sftp://me:…@h/x"
    assert without_password("s3://bucket/x:y@z") == "s3://bucket/x:y@z"


def test_host_files() -> None:
    paths = ("rss.xml", "feed.json", "topics/a/rss.xml", "old/rss.xml", PICTURE)
    tree = [local(path) for path in paths]
    copies = {"old/rss.xml": "topics/a/rss.xml"}
    made = dict(host_files("_headers", tree, copies, "https://example.org/feeds/"))
    headers = made["_headers"].decode()
    assert "\n/rss.xml\n  Content-Type: application/rss+xml; charset=utf-8\n" in headers
    assert "\n/:folder0/:folder1/rss.xml\n" in headers
    assert "\n/media/*\n  Cache-Control: public, max-age=31536000, immutable\n" in headers
    assert headers.count("Access-Control-Allow-Origin: *") == 1
    assert made["_redirects"].decode().splitlines()[1:] == [
        "/old/rss.xml https://example.org/feeds/topics/a/rss.xml 301"
    ]
    ((name, data),) = host_files(".htaccess", tree, copies, "https://example.org/feeds/")
    assert name == ".htaccess"
    assert b'<FilesMatch "^rss\\.xml$">\n  ForceType "application/rss+xml; charset=utf-8"' in data
    assert b'301 "^/feeds/old/rss\\.xml$" "https://example.org/feeds/topics/a/rss.xml"\n' in data
    assert host_files("none", tree, copies, "https://example.org/") == []
