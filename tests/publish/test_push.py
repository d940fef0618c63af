"""The commands, the hubs, and what only one kind of target does."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e.harness import Site as Command
from e2e.harness import new_site

from feedpub.output.manifest import MANIFEST_NAME
from feedpub.publish import hubs as publishing_hubs
from feedpub.publish.errors import GaveUpError, StoppedError, TransientError
from feedpub.publish.retry import RetryPolicy, attempt

from . import bucket_hosts, hosts, ssh_hosts
from .making import FEEDS, GONE, PICTURE, QUICK, Site, Spy

Server = Callable[[str], tuple[Any, Path]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """A site whose feeds are pushed to a folder."""
    (tmp_path / "host").mkdir()
    site = new_site(tmp_path / "site")
    config = (site.root / "config.yaml").read_text()
    site.write("config.yaml", f"{config}push:\n  here: file://{tmp_path}/host/feeds\n")
    return site


def pushed(site: Command) -> Path:
    return site.root.parent / "host" / "feeds"


def test_generate_and_push(command: Command) -> None:
    run = command.run("generate", "--push")
    assert run.code == 0, run.text
    assert "here" in run.out
    there = {p.relative_to(pushed(command)).as_posix() for p in pushed(command).rglob("*.xml")}
    assert there == {path for path in command.tree() if path.endswith(".xml")}
    quiet = command.run("generate", "-q", "--push")
    assert quiet.text == ""


def test_push_says_what_it_would_do(command: Command) -> None:
    command.generate()
    run = command.run("push", "--dry-run")
    assert run.code == 0
    assert [line.split() for line in run.out.splitlines() if "topics/news/rss.xml" in line] == [
        ["put", "topics/news/rss.xml", "new"]
    ]
    assert not pushed(command).exists()
    plan = json.loads(command.run("push", "--dry-run", "--json").out)["targets"][0]
    assert {action["reason"] for action in plan["plan"]} == {"new"}
    done = json.loads(command.run("push", "--json").out)["targets"][0]
    assert done["complete"]
    assert sorted(a["path"] for a in done["done"]) == sorted(a["path"] for a in plan["plan"])


def test_an_incomplete_push_ends_with_4(command: Command) -> None:
    command.run("generate", "--push")
    (pushed(command) / "rss.xml").unlink()
    (pushed(command) / "rss.xml").mkdir()
    command.write("records/more.md", "---\ntitle: More\ndate: 2021-01-01\n---\nText.\n")
    run = command.run("generate", "-q", "--push")
    assert run.code == 4
    assert "here: rss.xml: Is a directory" in run.err
    assert "the push is incomplete: here" in run.err
    status = command.run("status")
    assert "failed   rss.xml" in status.out
    assert json.loads(command.run("status", "--json").out)["targets"][0]["failed"] == ["rss.xml"]
    (pushed(command) / "rss.xml").rmdir()
    assert command.run("push").code == 0
    assert "up to date" in command.run("status").out


def test_status_names_what_differs(command: Command) -> None:
    assert "never pushed" in command.run("status").out
    command.run("generate", "--push")
    command.write("records/more.md", "---\ntitle: More\ndate: 2021-01-01\n---\nText.\n")
    command.generate()
    told = json.loads(command.run("status", "--json").out)["targets"][0]
    assert "rss.xml" in told["changed"]
    assert (told["new"], told["gone"]) == ([], [])


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["push", "other"], "there is no target 'other'"),
        (["push", "--max-delete", "many"], "is not a number or a share"),
        (["push", "--rollback"], "keeps no versions"),
    ],
)
def test_mistakes_end_with_2(command: Command, args: list[str], word: str) -> None:
    run = command.run(*args)
    assert run.code == 2
    assert word in run.err


def test_what_may_not_be_deleted_is_listed(command: Command) -> None:
    for n in range(20):
        topics = f"topics: [Passing {n}]"
        text = f"---\ntitle: {n}\ndate: 2021-01-01\n{topics}\n---\nText.\n"
        command.write(f"records/{n}.md", text)
    command.run("generate", "-q", "--push")
    before = {p.relative_to(pushed(command)).as_posix() for p in pushed(command).rglob("*.*")}
    for n in range(20):
        (command.root / f"records/{n}.md").unlink()
    command.generate()
    run = command.run("push", "-q")
    assert run.code == 4
    gone = {path for path in before if "/passing-" in path}
    assert len(gone) > 50
    listed = {
        line.split()[1] for line in run.err.splitlines() if line.endswith(" would be deleted")
    }
    assert listed == gone
    assert gone <= {p.relative_to(pushed(command)).as_posix() for p in pushed(command).rglob("*.*")}
    assert command.run("push", "-q", "--max-delete", str(len(gone))).code == 0
    assert not list(pushed(command).rglob("passing-*"))


def test_without_a_target(tmp_path: Path) -> None:
    site = new_site(tmp_path)
    for args in (["push"], ["generate", "--push"]):
        run = site.run(*args)
        assert run.code == 2
        assert "there is no target to push to" in run.err
    assert not site.feeds.exists()


def test_a_tree_that_is_not_there(command: Command) -> None:
    run = command.run("push")
    assert run.code == 1
    assert "feedpub generate" in run.err


def test_ctrl_c_leaves_the_target_consistent(command: Command) -> None:
    command.generate()
    script = command.root / "slow.py"
    begun = command.root / "begun"
    script.write_text(f"import time; open({str(begun)!r}, 'w').close(); time.sleep(60)")
    command.configure(f"file://{pushed(command)}", f"command:{sys.executable} {script}")
    process = command.start("push")
    started = time.monotonic()
    while not begun.exists():
        assert time.monotonic() - started < 30
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    assert process.wait(30) == 130
    assert time.monotonic() - started < 30
    assert command.run("status").code == 0


def test_two_targets_at_once_and_one_fails(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    site = Site(
        tmp_path / "site",
        good={"to": f"file://{tmp_path}/host/feeds"},
        bad={"to": f"file://{tmp_path}/not/there"},
    )
    good, bad = site.push_all()
    assert not good.error
    assert "unmounted" in bad.error
    assert (tmp_path / "host" / "feeds" / "rss.xml").exists()


@pytest.mark.parametrize("host", ["versions"], indirect=True)
def test_versions_and_back(host: hosts.Versions, site: Site) -> None:
    from feedpub.publish.push import chosen
    from feedpub.publish.rollback import roll_back

    for text in ("one", "two", "three", "four", "five"):
        site.tree.put("rss.xml", text)
        site.tree.save()
        assert not site.push().error
    versions = sorted(path.name for path in host.root.with_name("feeds.versions").iterdir())
    assert versions == ["000003", "000004", "000005"]
    config = site.config
    assert roll_back(config, chosen(config, ())) == {"there": "000004"}
    assert (host.root / "rss.xml").read_text() == "four"
    assert not site.push().error
    assert (host.root / "rss.xml").read_text() == "five"


@pytest.mark.parametrize("host", ["git", "git-ssh"], indirect=True)
def test_commits(host: hosts.Git, site: Site) -> None:
    site.push()
    site.push()
    assert host.git("rev-list", "--count", "pages").strip() == b"1"
    assert host.git("cat-file", "blob", "pages:.nojekyll") == b""
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    site.targets["there"]["author"] = {"name": "A. Writer", "email": "a@example.org"}
    site.push()
    told = host.git("log", "-1", "--format=%an <%ae> %s", "pages").decode().strip()
    assert told == "A. Writer <a@example.org> Publish feeds: 1 written, 0 removed"
    assert host.git("rev-list", "--count", "pages").strip() == b"2"
    host.write("CNAME", b"feeds.example.org\n")
    site.targets["there"]["history"] = False
    site.tree.put("rss.xml", "newer\n")
    site.tree.save()
    assert not site.push().error
    assert host.git("rev-list", "--count", "pages").strip() == b"1"
    assert host.files()["CNAME"] == b"feeds.example.org\n"
    assert host.files()["rss.xml"] == b"newer\n"


@pytest.mark.parametrize("host", ["netlify"], indirect=True)
def test_only_what_the_host_asks_for_is_sent(host: hosts.Netlify, site: Site) -> None:
    site.tree.put("topics/twin/rss.xml", site.tree.files["rss.xml"].decode())
    site.tree.save()
    host.server.uploads.clear()
    assert not site.push().error
    assert len(host.server.uploads) == len(site.tree.files) + 1  # twins once; manifest, _headers
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    host.server.uploads.clear()
    assert not site.push().error
    assert sorted(host.server.uploads) == [MANIFEST_NAME, "rss.xml"]


@pytest.mark.parametrize("host", ["netlify"], indirect=True)
def test_old_addresses_are_redirected_where_the_host_can(host: hosts.Netlify, site: Site) -> None:
    site.more = {"feeds": {"also_at": {"topics/b": "topics/a", "feed.xml": "rss.xml"}}}
    site.tree.put("feed.xml", "a copy\n")
    site.tree.save()
    assert not site.push().error
    there = host.files()
    told = there["_redirects"].decode().splitlines()[1:]
    assert told == [
        f"/{old} https://feeds.example.org/{new} 301"
        for old, new in [
            ("feed.xml", "rss.xml"),
            ("topics/b/feed.json", "topics/a/feed.json"),
            ("topics/b/rss.xml", "topics/a/rss.xml"),
        ]
    ]
    assert not {"feed.xml", *GONE} & there.keys()
    from feedpub.publish import history, status

    history.remember(site.config, site.push_all())
    (target,) = status.look(site.config).targets
    assert (target.new, target.changed, target.gone) == ((), (), ())
    host.write("_redirects", b"/mine /yours\n")
    host.remove(MANIFEST_NAME)
    assert not site.push().error
    assert host.files()["_redirects"] == b"/mine /yours\n"
    assert {"feed.xml", *GONE} <= host.files().keys()  # then they are copies


@pytest.mark.parametrize("host", ["netlify"], indirect=True)
def test_a_users_own_headers_file_stays(host: hosts.Netlify, site: Site) -> None:
    host.write("_headers", b"/*\n  X-Mine: 1\n")
    assert not site.push().error
    blobs, files = host.server.blobs[host.site], host.server.sites[host.site]
    assert blobs[files["_headers"]] == b"/*\n  X-Mine: 1\n"
    assert site.push().plan.actions == ()


@pytest.mark.parametrize("host", ["folder", "sftp"], indirect=True)
def test_compressed_files_beside_the_others(host: hosts.Folder, site: Site, spy: Spy) -> None:
    import gzip

    import brotli

    site.targets["there"]["precompress"] = ["gzip", "br"]
    assert not site.push().error
    there = host.files()
    texts = [path for path in site.tree.files if path != PICTURE]
    assert there.keys() == {
        *site.tree.files,
        MANIFEST_NAME,
        *(f"{path}.{ending}" for path in texts for ending in ("gz", "br")),
    }
    assert gzip.decompress(there["rss.xml.gz"]) == there["rss.xml"]
    assert brotli.decompress(there["rss.xml.br"]) == there["rss.xml"]
    site.tree.put("rss.xml", "new text\n" * 200)
    site.tree.put("atom.xml", "short\n")
    site.tree.save()
    spy.clear()
    assert not site.push().error
    assert spy.paths("put") == ["atom.xml", "rss.xml", "rss.xml.br", "rss.xml.gz"]
    assert spy.paths("delete") == ["atom.xml.br", "atom.xml.gz"]
    host.remove(MANIFEST_NAME)
    spy.clear()
    assert not site.push().error
    assert spy.paths("put") == []
    del site.targets["there"]["precompress"]
    assert not site.push().error
    assert host.files().keys() == {*site.tree.files, MANIFEST_NAME}


@pytest.mark.parametrize("host", hosts.BUCKETS, indirect=True)
def test_gzip_is_stored_and_compared(host: hosts.Host, site: Site, spy: Spy) -> None:
    import gzip

    site.targets["there"]["gzip"] = True
    assert not site.push().error
    assert host.headers("rss.xml")["Content-Encoding"] == "gzip"
    assert gzip.decompress(host.files()["rss.xml"]) == site.tree.files["rss.xml"]
    host.remove(MANIFEST_NAME)
    spy.clear()
    assert not site.push().error
    assert spy.paths("put") == []


@pytest.mark.parametrize("host", ["s3"], indirect=True)
def test_ten_thousand_unchanged_files_take_one_request(host: hosts.S3, site: Site) -> None:
    """And as many as a listing needs, where the manifest is lost."""
    for n in range(10_000):
        site.tree.put(f"topics/t{n}/rss.xml", f"of {n}")
        host.write(f"topics/t{n}/rss.xml", b"of %d" % n)
    site.tree.save()
    assert len(site.push().done.actions) == 10
    host.server.requests.clear()
    assert not site.push().error
    assert len(host.server.requests) == 1
    host.remove(MANIFEST_NAME)
    host.server.requests.clear()
    assert not site.push().error
    listing = 11  # 10,010 files, 1,000 a page
    methods = [request.split()[0] for request in host.server.requests]
    assert methods == ["GET"] * (1 + listing) + ["PUT"]


@pytest.mark.parametrize("host", ["azure"], indirect=True)
def test_azure_with_a_token(
    host: bucket_hosts.Azure, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    token = host.server.container_token
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", token)
    assert not site.push().error
    site.tree.remove(*GONE)
    site.tree.save()
    assert not site.push().error
    assert not set(GONE) & host.files().keys()
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", token.replace("sig=", "sig=00"))
    error = site.push().error
    assert "credentials" in error
    assert "sig=" not in error


class Reader(threading.Thread):
    """Reads what a catalogue names, over and over, while files are pushed."""

    def __init__(self, host: hosts.Host, whole: set[bytes]) -> None:
        super().__init__(daemon=True)
        self.host = host
        self.whole = whole
        self.reads = 0
        self.seen: set[bytes] = set()
        self.wrong: list[str] = []
        self.end = threading.Event()

    def run(self) -> None:
        order = random.Random(1)  # noqa: S311 - no secret: in which order it reads
        while not self.end.wait(0.05):  # the push is to be the faster of the two
            names = self._named()
            order.shuffle(names)
            for name in names[:100]:
                self._look(name)

    def _named(self) -> list[str]:
        return (self.host.peek("feeds.json") or b"").decode().splitlines()

    def _look(self, name: str) -> None:
        data = self.host.peek(name)
        self.reads += 1
        if data is None and name in self._named():
            self.wrong.append(f"{name} is named and not there")
        elif data is not None and data not in self.whole:
            self.wrong.append(f"{name} in part")
        elif data is not None:
            self.seen.add(data)


@pytest.mark.parametrize("host", ["folder", "openssh", "seaweed"], indirect=True)
def test_readers_see_old_or_new_and_no_name_without_a_file(host: hosts.Host, site: Site) -> None:
    """5,000 files, most of which change, while some come and some go.

    Over the wire it takes half a minute: fewer, but where FEEDPUB_SOAK asks for all.
    """
    count = 5000 if type(host) is hosts.Folder or os.environ.get("FEEDPUB_SOAK") else 1500
    old, new = ((f"{word} " * 2000).encode() for word in ("old", "new"))

    def fill(text: bytes, topics: range) -> None:
        names = [f"topics/t{n}/rss.xml" for n in topics]
        for path in (*FEEDS, *names):
            site.tree.put(path, text.decode())
        site.tree.put("feeds.json", "\n".join(names))
        site.tree.remove(*(path for path in site.tree.files if "/t" in path and path not in names))
        site.tree.save()

    fill(old, range(count - 100))
    if isinstance(host, ssh_hosts.OpenSsh):
        # How they came there is another test's affair; this is quicker.
        site.targets["there"] = {"to": f"file://{host.root}"}
    assert not site.push().error
    site.targets["there"] = host.settings
    fill(new, range(100, count))
    reader = Reader(host, {old, new})
    reader.start()
    result = site.push()
    reader.end.set()
    reader.join()
    assert not result.error
    assert len(result.done.actions) > count
    assert reader.wrong == []
    assert reader.seen == {old, new}
    assert reader.reads > 50


def ping(site: Site) -> publishing_hubs.PingResult:
    config = site.config
    from feedpub.publish import history

    results = site.push_all()
    history.remember(config, results)
    return publishing_hubs.tell(config, results, QUICK)


def test_hubs_are_told_of_what_has_changed(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    site = Site(tmp_path / "site", here={"to": f"file://{tmp_path}/host/feeds"})
    with hosts.hub() as (url, told, codes):
        site.more = {"websub": {"hubs": [url]}, "feeds": {"also_at": {"topics/b": "topics/a"}}}
        assert ping(site).told == len(FEEDS)
        told.clear()
        assert ping(site) == publishing_hubs.PingResult()
        site.tree.put("rss.xml", "new\n")
        site.tree.put("feeds.json", "new\n")
        site.tree.save()
        codes[:] = [503]
        assert ping(site).told == 1
        assert [form["hub.url"] for form in told] == [["https://feeds.example.org/rss.xml"]]
        assert told[0]["hub.mode"] == ["publish"]
        told.clear()
        site.tree.put("rss.xml", "newer\n")
        site.tree.save()
        codes[:] = [500, 500]
        assert [failed.hub for failed in ping(site).failed] == [url]
        assert told == []
        assert ping(site).told == 1  # though nothing has changed since
        assert ping(site).told == 0


def test_a_target_that_is_not_public_tells_no_hub(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    site = Site(tmp_path / "site", here={"to": f"file://{tmp_path}/host/feeds", "ping": False})
    with hosts.hub() as (url, told, _):
        site.more = {"websub": {"hubs": [url]}}
        assert ping(site).told == 0
        assert told == []


def test_attempts() -> None:
    tries: list[int] = []

    def fail(tried: int) -> None:
        tries.append(tried)
        raise TransientError("busy")

    with pytest.raises(GaveUpError, match="busy; tried 3 times"):
        attempt(fail, RetryPolicy(3, 0.001, 0.002), threading.Event())
    assert tries == [0, 1, 2]

    def ask_for_long(tried: int) -> None:
        raise TransientError("busy", 1000)

    with pytest.raises(GaveUpError, match="1,000 seconds"):
        attempt(ask_for_long, RetryPolicy(), threading.Event())
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        attempt(fail, RetryPolicy(), stop)


def test_nothing_of_pushing_is_loaded_for_those_who_do_not(command: Command) -> None:
    script = (
        "import os, runpy, sys\n"
        "os._exit = sys.exit\n"
        "try: runpy.run_module('feedpub', run_name='__main__', alter_sys=True)\n"
        "except SystemExit: pass\n"
        "print(*sorted(name for name in sys.modules if 'publish' in name or name in "
        "{'requests', 'obstore', 'asyncssh'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "generate", "-q"],
        cwd=command.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
