"""The same cases for every kind of target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feedpub.config.push import Limit
from feedpub.output.manifest import MANIFEST_NAME

from .bucket_hosts import AzureServer
from .hosts import BUCKETS, KINDS, PASSWORD, S3, Broken, Host, NetlifyServer
from .making import FEEDS, GONE, PICTURE, QUICK, Site, Spy

# What a command's target has is remembered by the last push alone: it cannot be looked at.
LISTED = [kind for kind in KINDS if kind != "command"]
SECRETS = (
    PASSWORD,
    "wrong/pass",
    "wrong%2Fpass",
    NetlifyServer.TOKEN,
    "wr0ng",
    "s3cr3t/key",
    AzureServer.KEY,
)


def manifest(host: Host) -> dict[str, object]:
    content: dict[str, object] = json.loads(host.files()[MANIFEST_NAME])
    return content


def holds(host: Host, site: Site, **more: bytes) -> None:
    """The host has the tree, a manifest that says so, and what else is named."""
    there = host.files()
    if type(host).__name__ != "Command":
        told = json.loads(there.pop(MANIFEST_NAME))
        assert told["push"] == "done"
        assert site.tree.files.keys() <= told["files"].keys()
    assert there == site.tree.files | more


def test_first_push_then_nothing(host: Host, site: Site, spy: Spy) -> None:
    first = site.push()
    assert not first.error
    assert {action.reason for action in first.plan.actions} == {"new"}
    holds(host, site)
    spy.clear()
    again = site.push()
    assert not again.error
    assert again.plan.same == first.plan.same + len(first.plan.actions)
    assert spy.writes == 0
    assert spy.calls == [("read", MANIFEST_NAME)]


def test_one_feed_changed(host: Host, site: Site, spy: Spy) -> None:
    site.push()
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    spy.clear()
    result = site.push()
    assert not result.error
    assert [(a.do, a.path, a.reason) for a in result.plan.actions] == [
        ("put", "rss.xml", "changed: bytes")
    ]
    assert spy.paths("put") == ["rss.xml"]
    assert len(spy.paths("put_if_match")) == (1 if host.atomic else 2)
    holds(host, site)


def test_removal_leaves_what_others_put_there(host: Host, site: Site, spy: Spy) -> None:
    host.write("CNAME", b"feeds.example.org\n")
    site.push()
    site.tree.remove(*GONE)
    site.tree.save()
    spy.clear()
    result = site.push()
    assert not result.error
    assert spy.paths("delete") == sorted(GONE)
    holds(host, site, CNAME=b"feeds.example.org\n")


def test_too_many_deletes_are_refused(host: Host, site: Site) -> None:
    site.push()
    site.tree.remove(*GONE)
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    result = site.push(limit=Limit(1, 0))
    assert set(result.plan.refused) == set(GONE)
    assert "2 of" in result.error
    assert "--max-delete" in result.remedy
    there = host.files()
    assert there["rss.xml"] == b"new\n"
    assert set(GONE) <= there.keys()
    assert not site.push(limit=Limit(2, 0)).error
    holds(host, site)


def test_no_delete(host: Host, site: Site) -> None:
    site.push()
    site.tree.remove(*GONE)
    site.tree.save()
    result = site.push(delete=False)
    assert not result.error
    assert set(result.plan.kept) == set(GONE)
    assert set(GONE) <= host.files().keys()
    assert not site.push().error
    holds(host, site)


def test_cut_in_the_middle_then_completed(host: Host, site: Site, spy: Spy) -> None:
    site.push()
    for path in (*FEEDS, "feeds.json"):
        site.tree.put(path, f"new {path}\n")
    site.tree.put("topics/new/rss.xml", "quite new\n")
    site.tree.remove(*GONE)
    site.tree.save()
    before = host.files()
    spy.clear()
    spy.cut_after(3)
    result = site.push()
    assert "cut" in result.error
    came = 0 if host.atomic or host.gathers else 3
    assert len(result.done.actions) == came
    if host.atomic:
        assert host.files() == before
    else:
        named = manifest(host)["files"]
        assert isinstance(named, dict)
        assert manifest(host)["push"] == "interim"
        assert host.files().keys() - {MANIFEST_NAME} <= named.keys()
        assert set(GONE) <= host.files().keys()
        assert host.files()["feeds.json"] == before["feeds.json"]
    spy.clear()
    result = site.push()
    assert not result.error
    if not host.atomic:
        assert len(spy.paths("put")) == 7 - came
    holds(host, site)


def test_a_failed_file_stops_catalogues_deletes_and_the_manifest_only(
    host: Host, site: Site, spy: Spy
) -> None:
    from feedpub.publish.errors import FileError

    site.push()
    for path in (*FEEDS, "feeds.json"):
        site.tree.put(path, f"new {path}\n")
    site.tree.remove(*GONE)
    site.tree.save()
    before = host.files()
    spy.clear()

    def before_(what: str, path: str) -> None:
        if (what, path) == ("put", "atom.xml"):
            raise FileError("no")

    spy.before = before_
    result = site.push()
    assert [failure.path for failure in result.done.failures] == ["atom.xml"]
    assert "1 file" in result.error
    assert set(result.done.waiting) == {"feeds.json", *GONE}
    there = host.files()
    if host.atomic:
        assert there == before
    else:
        assert there["rss.xml"] == site.tree.files["rss.xml"]
        assert there["feeds.json"] == before["feeds.json"]
        assert set(GONE) <= there.keys()
    spy.clear()
    assert not site.push().error
    holds(host, site)


@pytest.mark.parametrize("host", LISTED, indirect=True)
def test_lost_manifest(host: Host, site: Site, spy: Spy) -> None:
    """What is there is compared, and not sent again."""
    site.push()
    host.remove(MANIFEST_NAME)
    site.tree.put("rss.xml", "x" * len(site.tree.files["rss.xml"]))
    site.tree.save()
    spy.clear()
    result = site.push()
    assert not result.error
    assert spy.paths("put") == ["rss.xml"]
    if host.knows_hashes:
        assert spy.paths("read").count(MANIFEST_NAME) == len(spy.paths("read"))
    holds(host, site)


@pytest.mark.parametrize("host", LISTED, indirect=True)
def test_what_is_in_the_way_is_not_overwritten(host: Host, site: Site) -> None:
    host.write("rss.xml", b"another's\n")
    result = site.push()
    assert "rss.xml" in result.error
    assert "--force" in result.remedy
    assert host.files() == {"rss.xml": b"another's\n"}
    assert not site.push(force=True).error
    holds(host, site)
    host.write("topics/new/rss.xml", b"another's\n")
    site.tree.put("topics/new/rss.xml", "quite new\n")
    site.tree.save()
    result = site.push()
    assert [failure.path for failure in result.done.failures] == ["topics/new/rss.xml"]
    assert host.files()["topics/new/rss.xml"] == b"another's\n"


def test_dry_run_writes_nothing(host: Host, site: Site, spy: Spy) -> None:
    result = site.push(dry_run=True)
    assert not result.error
    assert len(result.plan.actions) >= len(site.tree.files)
    assert spy.writes == 0
    assert host.files() == {}


@pytest.mark.parametrize("host", BUCKETS, indirect=True)
def test_headers_as_stored(host: Host, site: Site, spy: Spy) -> None:
    site.push()
    assert host.headers("rss.xml")["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert host.headers("atom.xml")["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert host.headers("feed.json")["Content-Type"] == "application/feed+json"
    assert host.headers("rss.xml")["Cache-Control"] == "public, max-age=300"
    assert host.headers(PICTURE)["Content-Type"] == "image/png"
    assert host.headers(PICTURE)["Cache-Control"].endswith("immutable")
    site.targets["there"]["cache"] = {"feeds": "public, max-age=60"}
    spy.clear()
    result = site.push()
    assert {action.reason for action in result.plan.actions} == {"changed: headers"}
    assert spy.paths("put") == sorted({*FEEDS, *GONE})
    assert host.headers("rss.xml")["Cache-Control"] == "public, max-age=60"


def test_hashed_pictures_stay_for_a_while(host: Host, site: Site) -> None:
    site.push()
    site.tree.remove(PICTURE)
    site.tree.save()
    result = site.push()
    assert not result.error
    assert result.plan.kept == (PICTURE,)
    assert PICTURE in host.files()
    again = site.push()
    assert not again.plan.manifest_changed
    site.targets["there"]["grace"] = "0m"
    assert not site.push().error
    holds(host, site)


def test_what_is_wrong_is_said(host: Host, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = host.broken()
    assert cases
    for case in cases:
        _fails(case, site, monkeypatch)


def _fails(case: Broken, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        for name, value in case.env.items():
            patch.setenv(name, value)
        site.targets["there"] = case.settings
        result = site.push(retry=QUICK)
    assert case.word in result.error, result.error
    text = f"{result.error} {result.to} {result.done.failures}"
    assert not [secret for secret in SECRETS if secret in text]


def test_large_files(host: Host, site: Site, spy: Spy) -> None:
    """They are not held in memory, and not sent again because a manifest was lost."""
    episode = "media/00112233445566aa/talk.mp3"
    site.tree.put(episode, "0123456789" * 150_000)
    site.tree.put("media/00112233445566bb/again.mp3", "0123456789" * 150_000)
    site.tree.save()
    assert not site.push().error
    holds(host, site)
    assert not site.push(force=True).error
    holds(host, site)
    if type(host).__name__ == "Command":
        return
    host.remove(MANIFEST_NAME)
    spy.clear()
    assert not site.push().error
    assert spy.paths("put") == []
    assert episode not in spy.paths("read")
    holds(host, site)


@pytest.mark.parametrize("host", ["s3", "seaweed", "azure"], indirect=True)
def test_very_large_files_are_sent_in_parts(
    host: Host, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from feedpub.publish.targets import objects

    monkeypatch.setattr(objects, "_WHOLE", 1_000_000)
    site.tree.put("media/00112233445566aa/talk.mp3", "0123456789" * 600_000)
    site.tree.save()
    host.write("media/00112233445566aa/talk.mp3", b"another's")
    result = site.push()
    assert "media/00112233445566aa/talk.mp3" in result.error
    host.remove("media/00112233445566aa/talk.mp3")
    assert not site.push().error
    holds(host, site)
    assert host.headers("media/00112233445566aa/talk.mp3")["Content-Type"] == "audio/mpeg"


@pytest.mark.parametrize("host", LISTED, indirect=True)
def test_two_pushes_at_once(host: Host, site: Site, spy: Spy, tmp_path: Path) -> None:
    """Whatever the order, no file is lost, and one more push sets all right."""
    site.push()
    other = Site(tmp_path / "other", there=host.settings)
    other.tree.put("topics/other/rss.xml", "of the other\n")
    other.tree.save()
    for path in FEEDS:
        site.tree.put(path, f"new {path}\n")
    site.tree.save()
    spy.clear()
    pushed = []

    def before(what: str, path: str) -> None:
        if what == "put" and not pushed:
            pushed.append(path)
            pushed.append(other.push())

    spy.before = before
    result = site.push()
    assert not pushed[1].error
    if host.atomic:
        assert not result.error  # planned anew on what the other left
    else:
        assert "another push" in result.error
        assert "topics/other/rss.xml" in host.files()
    spy.clear()
    assert not other.push(limit=Limit(9, 0)).error
    holds(host, other)  # whatever the slower one brought after the end of the faster
    assert not site.push(limit=Limit(9, 0)).error
    holds(host, site)


@pytest.mark.parametrize("host", ["s3"], indirect=True)
def test_pushes_that_fail_for_a_moment_are_tried_again(site: Site, host: Host) -> None:
    assert isinstance(host, S3)
    host.server.busy = 1
    assert not site.push().error
    holds(host, site)
