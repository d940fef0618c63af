"""States that a push must not leave, or must not be led by; and who is told of changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feedpub.config.push import Limit
from feedpub.output.manifest import MANIFEST_NAME
from feedpub.publish import history, status
from feedpub.publish import hubs as publishing_hubs
from feedpub.publish.errors import TargetError
from feedpub.publish.rollback import roll_back

from . import hosts
from .making import FEEDS, GONE, PICTURE, QUICK, Site, Spy


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site that is pushed to a folder."""
    (tmp_path / "host").mkdir()
    return Site(tmp_path / "site", there={"to": f"file://{tmp_path}/host/feeds"})


@pytest.fixture
def there(site: Site) -> hosts.Folder:
    return hosts.Folder(site.root.parent / "host" / "feeds")


def remote(there: hosts.Folder) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(there.files()[MANIFEST_NAME])
    return content


# --- What is somebody else's -------------------------------------------


def test_a_file_in_the_way_stays_at_the_second_push_too(site: Site, there: hosts.Folder) -> None:
    site.push()
    there.write("new.xml", b"another's\n")
    site.tree.put("new.xml", "of feedpub\n")
    site.tree.save()
    assert site.push().error
    assert "--force" in site.push().remedy
    assert there.files()["new.xml"] == b"another's\n"
    site.tree.remove("new.xml")
    site.tree.save()
    assert not site.push().error
    assert there.files()["new.xml"] == b"another's\n"
    assert "new.xml" not in remote(there)["files"]


@pytest.mark.parametrize("gzip", [False, True])
def test_what_a_cut_push_brought_is_its_own(
    tmp_path: Path, server: Callable[[str], tuple[Any, Path]], gzip: bool, spy: Spy
) -> None:
    host = hosts.S3(server("s3")[0])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in host.env.items():
            patch.setenv(name, value)
        site = Site(tmp_path / "site", there=host.settings | {"gzip": gzip})
        site.push()
        for name in ("new.xml", "newer.xml"):
            site.tree.put(name, f"of feedpub {name}\n" * 200)
        site.tree.save()
        spy.clear()

        def cut_before_the_end(what: str, path: str) -> None:
            if len(spy.paths("put_if_match")) == 2:
                raise TargetError("the line was cut")

        spy.before = cut_before_the_end
        assert "cut" in site.push().error
        assert {"new.xml", "newer.xml"} <= host.files().keys()
        site.tree.put("new.xml", "changed meanwhile\n" * 200)
        site.tree.remove("newer.xml")
        site.tree.save()
        spy.clear()
        assert not site.push().error
        assert spy.paths("put") == ["new.xml"]
        assert spy.paths("delete") == ["newer.xml"]


def test_another_site_is_not_overwritten_by_a_mistyped_address(
    site: Site, there: hosts.Folder, tmp_path: Path
) -> None:
    site.push()
    other = Site(tmp_path / "other", there=site.targets["there"])
    other.more = {"site": {"title": "B", "url": "https://b.example/", "id": "tag:b.example,2026:f"}}
    result = other.push()
    assert "another site" in result.error
    assert "tag:feeds.example.org" in result.error
    assert there.files().keys() - {MANIFEST_NAME} == site.tree.files.keys()
    assert not other.push(force=True).error
    assert remote(there)["site"] == "tag:b.example,2026:f"


def test_what_is_equal_at_every_site_shows_nothing(site: Site, there: hosts.Folder) -> None:
    site.tree.put("feedpub.schema.json", "{}\n")
    site.tree.save()
    there.write("feedpub.schema.json", b"{}\n")
    there.write(PICTURE, b"x" * len(site.tree.files[PICTURE]))
    there.write("rss.xml", b"another's\n")
    assert "rss.xml" in site.push().error
    assert there.files()["rss.xml"] == b"another's\n"


@pytest.mark.parametrize(
    "content",
    [
        b'{"feedpub": 1, "push": "done", "items": Infinity, "files": {}}',
        b'{"feedpub": 1, "files": ' + b"[" * 100_000,
        b'{"feedpub": 1, "push": "done", "items": 1, "files": {"\\ud800": {"sha256": "a"}}}',
        b'{"feedpub": 1, "push": "done", "items": 1, "files": {"a\\u001b]0;": {"sha256": "a"}}}',
        b'{"feedpub": 1, "push": "done", "items": 1, "files": {".feedpub.json": {"sha256": "a"}}}',
        b'{"feedpub": 1, "push": "done", "site": "\\u001b[", "items": 1, "files": {}}',
        b'{"feedpub": 1, "push": "done", "items": 1, "headers": [{"A\\n": "b"}],'
        b' "files": {"x": {"sha256": "a"}}}',
    ],
)
def test_a_hostile_manifest_is_refused(site: Site, there: hosts.Folder, content: bytes) -> None:
    there.write(MANIFEST_NAME, content)
    result = site.push()
    assert MANIFEST_NAME in result.error
    assert not result.trace
    assert result.error.isprintable()
    assert there.files() == {MANIFEST_NAME: content}


def test_the_fault_of_one_target_is_not_that_of_others(
    site: Site, there: hosts.Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from feedpub.publish.targets import files

    site.targets["bad"] = {"to": f"file://{tmp_path}/host/bad"}
    read = files.FolderTarget.read

    def broken(self: files.FolderTarget, path: str) -> Any:
        if self.files.path.endswith("/bad"):
            raise ZeroDivisionError("no")
        return read(self, path)

    monkeypatch.setattr(files.FolderTarget, "read", broken)
    good, bad = site.push_all()
    assert not good.error
    assert there.files().keys() - {MANIFEST_NAME} == site.tree.files.keys()
    assert "ZeroDivisionError" in bad.error
    assert "broken" in bad.trace


# --- What changes its kind ---------------------------------------------


KINDS = [
    kind
    for kind in hosts.KINDS
    # A command's host is not looked at; SeaweedFS keeps empty folders: no object has their name;
    # ssh makes no difference here, and takes long.
    if kind not in {"command", "netlify", "seaweed", "seaweed-plain", "rsync-ssh", "git-ssh"}
]


@pytest.mark.parametrize("host", KINDS, indirect=True)
def test_a_file_becomes_a_folder_and_a_file_again(host: hosts.Host, tmp_path: Path) -> None:
    site = Site(tmp_path / "changing", there=host.settings)
    site.tree.put("old", "a file\n")
    site.tree.save()
    assert not site.push().error
    site.tree.remove("old")
    site.tree.put("old/rss.xml", "in a folder\n")
    site.tree.save()
    assert not site.push().error
    assert host.files()["old/rss.xml"] == b"in a folder\n"
    site.tree.remove("old/rss.xml")
    (site.tree.folder / "old").rmdir()
    site.tree.put("old", "a file again\n")
    site.tree.save()
    assert not site.push().error
    assert host.files()["old"] == b"a file again\n"


def test_hashed_names_have_their_grace_whatever_their_headers(site: Site) -> None:
    site.targets["there"] = {"to": site.targets["there"]["to"]}
    site.push()
    content = json.loads(Path(site.targets["there"]["to"][7:], MANIFEST_NAME).read_bytes())
    for table in content["headers"]:
        table.pop("Cache-Control", None)
    Path(site.targets["there"]["to"][7:], MANIFEST_NAME).write_text(json.dumps(content))
    site.tree.remove(PICTURE)
    site.tree.save()
    assert site.push().plan.kept == (PICTURE,)


def test_compressed_files_of_what_has_changed_always_go(site: Site, there: hosts.Folder) -> None:
    site.targets["there"]["precompress"] = ["gzip"]
    site.push()
    assert "rss.xml.gz" in there.files()
    del site.targets["there"]["precompress"]
    assert not site.push(delete=False, limit=Limit(0, 0)).error
    assert not [path for path in there.files() if path.endswith(".gz")]


def test_redirects_come_after_what_they_lead_to(site: Site, there: hosts.Folder, spy: Spy) -> None:
    site.more = {"feeds": {"also_at": {"topics/b": "topics/a"}}}
    site.targets["there"] |= {"host_file": "_headers", "precompress": ["gzip"]}
    site.push()
    puts = [path for call, path in spy.calls if call == "put"]
    assert puts.index("_redirects") > max(puts.index(path) for path in FEEDS)
    assert not [path for path in there.files() if path.startswith("topics/b/")]
    spy.clear()

    def before(what: str, path: str) -> None:
        if (what, path) == ("put", "topics/new/rss.xml"):
            raise TargetError("no")

    spy.before = before
    site.more["feeds"]["also_at"]["topics/old"] = "topics/new"
    for path in ("topics/new/rss.xml", "topics/old/rss.xml"):
        site.tree.put(path, "new\n")
    site.tree.save()
    assert site.push().error
    assert b"topics/old" not in there.files()["_redirects"]


# --- Who is told -------------------------------------------------------


@pytest.fixture
def told(site: Site) -> Any:
    """Pushes, and says which topics a hub was told of."""
    with hosts.hub() as (url, forms, _codes):
        site.more = {"websub": {"hubs": [url]}}

        def push(**options: Any) -> set[str]:
            forms.clear()
            config = site.config
            results = site.push_all(**options)
            history.remember(config, results)
            publishing_hubs.tell(config, results, QUICK)
            prefix = "https://feeds.example.org/"
            return {form["hub.url"][0].removeprefix(prefix) for form in forms}

        yield push


def test_hubs_are_told_of_what_a_cut_push_brought(
    site: Site, told: Callable[..., set[str]], spy: Spy
) -> None:
    told()
    for path in FEEDS:
        site.tree.put(path, f"new {path}\n")
    site.tree.save()
    spy.clear()
    spy.cut_after(3)
    assert told() == set()
    spy.clear()
    assert told() == set(FEEDS)
    assert told() == set()


def test_hubs_are_told_though_too_many_files_should_go(
    site: Site, told: Callable[..., set[str]]
) -> None:
    told()
    site.tree.remove(*GONE)
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    assert told(limit=Limit(1, 0)) == {"rss.xml"}
    assert told(limit=Limit(5, 0)) == set()


def test_hubs_are_told_of_nothing_that_is_the_same(
    site: Site, told: Callable[..., set[str]]
) -> None:
    told()
    assert told(force=True) == set()


def test_hubs_are_told_of_new_addresses_alone(site: Site, told: Callable[..., set[str]]) -> None:
    site.more["feeds"] = {"also_at": {"old": "topics"}}
    for path in ("old/a/rss.xml", "old/b/rss.xml"):
        site.tree.put(path, "a copy\n")
    site.tree.save()
    assert not [topic for topic in told() if topic.startswith("old/")]


def test_a_hub_that_is_down_is_not_asked_for_each_topic(site: Site) -> None:
    for n in range(40):
        site.tree.put(f"topics/t{n}/rss.xml", f"of {n}\n")
    site.tree.save()
    with hosts.hub() as (url, _forms, codes):
        codes[:] = [503] * 1000
        site.more = {"websub": {"hubs": [url]}}
        config = site.config
        pings = publishing_hubs.tell(config, site.push_all(), QUICK)
        assert len(pings.failed) == 40 + len(FEEDS) + len(GONE)
        assert 1000 - len(codes) < 20
        assert len(publishing_hubs.pending(config)) == len(pings.failed)
        (config.state / "push/_hubs.json").write_text('[1, ["a"], {"b": 2}]')
        assert publishing_hubs.pending(config) == []


# --- What is remembered ------------------------------------------------


def test_status_of_another_address_is_not_that_of_this(site: Site, tmp_path: Path) -> None:
    history.remember(site.config, site.push_all())
    (target,) = status.look(site.config).targets
    assert target.pushed.complete_at
    site.targets["there"]["to"] = f"file://{tmp_path}/host/elsewhere"
    (target,) = status.look(site.config).targets
    assert not target.pushed.when


@pytest.mark.parametrize("host", ["command"], indirect=True)
def test_another_command_brings_all_of_it(host: hosts.Command, tmp_path: Path) -> None:
    site = Site(tmp_path / "commanded", there=host.settings)
    assert site.push().plan.puts
    assert not site.push().plan.puts
    (tmp_path / "elsewhere").mkdir()
    to = site.targets["there"]["to"].replace(str(host.root), str(tmp_path / "elsewhere"))
    site.targets["there"]["to"] = to
    assert not site.push().error
    assert (tmp_path / "elsewhere/rss.xml").exists()


def test_status_after_a_rollback(site: Site) -> None:
    site.targets["there"]["versions"] = 3
    history.remember(site.config, site.push_all())
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    history.remember(site.config, site.push_all())
    config = site.config
    assert roll_back(config, config.settings.push) == {"there": "000001"}
    (target,) = status.look(config).targets
    assert "rolled back to version 000001" in target.pushed.error
    assert not target.pushed.complete_at


@pytest.mark.parametrize("host", ["versions", "git"], indirect=True)
def test_a_failed_push_of_what_is_seen_at_once_has_written_nothing(
    host: hosts.Host, tmp_path: Path, spy: Spy
) -> None:
    from feedpub.publish.errors import FileError

    site = Site(tmp_path / "failing", there=host.settings)

    def before(what: str, path: str) -> None:
        if (what, path) == ("put", "atom.xml"):
            raise FileError("no")

    spy.before = before
    result = site.push()
    assert [failure.path for failure in result.done.failures] == ["atom.xml"]
    assert (result.done.actions, result.done.size) == ((), 0)
