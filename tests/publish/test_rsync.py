"""What only rsync does: groups at once, its own leftovers, what it says of single files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from feedpub.config import load_config
from feedpub.errors import ConfigError
from feedpub.output.manifest import MANIFEST_NAME
from feedpub.publish.errors import TargetError, TransientError
from feedpub.publish.targets import rsync

from .making import GONE, PICTURE, Site
from .rsync_hosts import Rsync

pytestmark = pytest.mark.parametrize("host", ["rsync"], indirect=True)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are run."""
    commands: list[list[str]] = []
    run = subprocess.run

    def watched(command: list[str], **how: Any) -> Any:
        commands.append(command)
        return run(command, **how)

    monkeypatch.setattr(rsync.subprocess, "run", watched)
    return commands


def holds(host: Rsync, site: Site, **more: bytes) -> bool:
    """Whether the host has the tree and what else is named, its manifest aside."""
    return host.files() == site.tree.files | more | {MANIFEST_NAME: host.files()[MANIFEST_NAME]}


def test_one_process_a_group(host: Rsync, site: Site, started: list[list[str]]) -> None:
    for n in range(40):
        site.tree.put(f"topics/t{n}/rss.xml", f"of {n}")
    site.tree.save()
    assert not site.push().error
    first = len(started)
    assert first <= 12
    started.clear()
    assert not site.push().error
    assert len(started) == 1
    assert not [word for command in started for word in command if "sesame" in word]


def test_web_servers_can_read_what_is_new(host: Rsync, site: Site) -> None:
    for path in site.tree.folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    umask = os.umask(0)
    os.umask(umask)
    assert not site.push().error
    assert (host.root / "topics/a/rss.xml").stat().st_mode & 0o777 == 0o644 & ~umask
    assert (host.root / "topics/a").stat().st_mode & 0o777 == 0o777 & ~umask
    (host.root / "rss.xml").chmod(0o664)
    site.tree.put("rss.xml", "new\n")
    site.tree.save()
    assert not site.push().error
    assert (host.root / "rss.xml").stat().st_mode & 0o777 == 0o664


def test_same_size_and_same_time_is_not_taken_for_the_same(host: Rsync, site: Site) -> None:
    site.push()
    before = (site.tree.folder / "rss.xml").stat()
    site.tree.put("rss.xml", "x" * before.st_size)
    os.utime(site.tree.folder / "rss.xml", ns=(before.st_atime_ns, before.st_mtime_ns))
    site.tree.save()
    assert not site.push().error
    assert holds(host, site)


@pytest.mark.parametrize("name", ["ä b", "[x]*?", "-n", "a'b\"$(c);&"])
def test_names(host: Rsync, site: Site, name: str) -> None:
    path = f"topics/{name}/rss.xml"
    host.write(r"another's\#101", b"not of feedpub\n")
    site.tree.put(path, "odd\n")
    site.tree.save()
    assert not site.push().error
    host.remove(MANIFEST_NAME)
    assert site.push().plan.actions == ()
    site.tree.remove(path)
    (site.tree.folder / f"topics/{name}").rmdir()
    site.tree.save()
    assert not site.push().error
    assert holds(host, site, **{r"another's\#101": b"not of feedpub\n"})
    assert not (host.root / f"topics/{name}").exists()


def test_folders_go_when_they_are_empty(host: Rsync, site: Site) -> None:
    for path in ("topics/deep/er/rss.xml", "topics/mixed/rss.xml"):
        site.tree.put(path, "of a topic\n")
    site.tree.save()
    site.push()
    host.write("topics/mixed/notes.txt", b"another's\n")
    site.tree.remove(*GONE, "topics/deep/er/rss.xml", "topics/mixed/rss.xml")
    for folder in ("topics/b", "topics/deep/er", "topics/deep", "topics/mixed"):
        (site.tree.folder / folder).rmdir()
    site.tree.save()
    assert not site.push().error
    assert holds(host, site, **{"topics/mixed/notes.txt": b"another's\n"})
    assert sorted(path.name for path in (host.root / "topics").iterdir()) == ["a", "mixed"]


def test_what_a_cut_push_left_is_nobodys(host: Rsync, site: Site) -> None:
    site.push()
    for path in ("topics/a/.~tmp~/rss.xml", ".~tmp~/rss.xml", ".rss.xml.aB3dE9"):
        host.write(path, b"half")
    (host.root / "topics/b/.~tmp~").mkdir()
    others = {".htaccess.backup": b"another's", "blog/.~tmp~/rss.xml": b"on another's way"}
    for path, data in others.items():
        host.write(path, data)
    host.remove(MANIFEST_NAME)
    assert not site.push().error
    assert holds(host, site, **others)
    assert [path.parent.name for path in host.root.rglob(".~tmp~")] == ["blog"]


def test_a_file_that_cannot_be_brought(host: Rsync, site: Site) -> None:
    """The others come, and the rest waits."""
    site.push()
    (host.root / "rss.xml").unlink()
    host.write("rss.xml/notes.txt", b"another's\n")
    host.write("topics/new", b"another's\n")
    for path in ("rss.xml", "atom.xml", "topics/new/rss.xml", "feeds.json"):
        site.tree.put(path, "new\n")
    site.tree.remove(*GONE)
    site.tree.save()
    result = site.push()
    told = {failure.path: failure.what for failure in result.done.failures}
    assert told == {
        "rss.xml": "there is a folder at its path",
        "topics/new/rss.xml": "the host says: Not a directory",
    }
    assert [action.path for action in result.done.actions] == ["atom.xml"]
    assert set(result.done.waiting) == {"feeds.json", *GONE}
    assert result.done.size == len("new\n")
    assert host.files()["topics/new"] == b"another's\n"
    assert host.files()["atom.xml"] == b"new\n"
    for path in ("rss.xml/notes.txt", "topics/new"):
        host.remove(path)
    (host.root / "rss.xml").rmdir()
    assert not site.push().error
    assert holds(host, site)


def test_an_answer_that_was_lost(host: Rsync, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an attempt has brought is not in the way of the next."""
    send = rsync.Tool.send
    lost = []

    def lose(self: rsync.Tool, folder: Path, paths: list[str], *options: str) -> Any:
        done = send(self, folder, paths, *options)
        if "--ignore-existing" in options and options not in lost:
            lost.append(options)
            raise TransientError("the line was cut")
        return done

    monkeypatch.setattr(rsync.Tool, "send", lose)
    assert not site.push().error
    assert lost
    assert holds(host, site)


def test_a_file_for_the_host_alone(host: Rsync, site: Site) -> None:
    site.targets["there"]["host_file"] = ".htaccess"
    assert not site.push().error
    htaccess = host.files()[".htaccess"]
    assert b"ForceType" in htaccess
    assert site.push().plan.actions == ()
    host.remove(MANIFEST_NAME)
    assert site.push().plan.actions == ()
    assert holds(host, site, **{".htaccess": htaccess})


def test_compressed_files_are_compared_by_hash(
    host: Rsync, site: Site, started: list[list[str]]
) -> None:
    site.targets["there"]["precompress"] = ["gzip"]
    assert not site.push().error
    assert "rss.xml.gz" in host.files()
    host.remove(MANIFEST_NAME)
    started.clear()
    assert site.push().plan.actions == ()
    assert len(started) == 5  # manifest, list, hashes, and the manifest again


def test_what_was_done_when_the_line_is_cut(
    host: Rsync, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was brought, and not what was gathered."""
    send = rsync.Tool.send

    def cut(self: rsync.Tool, folder: Path, paths: list[str], *options: str) -> Any:
        if "rss.xml" in paths:
            raise TransientError("the line was cut")
        return send(self, folder, paths, *options)

    monkeypatch.setattr(rsync.Tool, "send", cut)
    result = site.push()
    assert "cut" in result.error
    assert [action.path for action in result.done.actions] == [PICTURE]
    assert result.done.size == len(site.tree.files[PICTURE])
    monkeypatch.undo()
    assert not site.push().error
    assert holds(host, site)


def test_rsync_must_be_there(host: Rsync, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "apt install rsync" in site.push().error


@pytest.mark.parametrize(
    ("code", "said", "passes", "word"),
    [
        (5, "@ERROR: max connections (4) reached -- try again later", True, "max connections"),
        (30, "[sender] io timeout after 120 seconds -- exiting", True, "io timeout"),
        (255, "ssh: connect to host h port 22: Connection refused", True, "refused"),
        (255, "me@h: Permission denied (publickey).", False, "the key is refused"),
        (255, "Host key verification failed.", False, "known hosts"),
        (12, "bash: line 1: rsync: command not found", False, "not installed there"),
        (1, "rsync: --delay-updates: unknown option", False, "3.1 or newer"),
        (11, 'rsync: [receiver] write failed on "x": No space left on device (28)', False, "space"),
        (14, "", False, "it ends with 14"),
    ],
)
def test_what_an_end_means(host: Rsync, code: int, said: str, passes: bool, word: str) -> None:
    closed = "rsync: connection unexpectedly closed (0 bytes received so far) [sender]\n"
    stderr = f"{said}\n{closed if said else ''}".encode()
    fault = rsync._fault(subprocess.CompletedProcess([], code, b"", stderr))
    assert isinstance(fault, TransientError if passes else TargetError)
    assert word in str(fault)


@pytest.mark.parametrize(
    ("to", "remote"),
    [
        ("rsync://me@h.example:8730/feeds/a%20b", "rsync://me@h.example:8730/feeds/a b/"),
        ("rsync://[::1]/feeds", "rsync://[::1]/feeds/"),
        ("rsync+ssh://me@h.example:2222/var/www/", "me@h.example:/var/www/"),
        ("rsync+ssh://h.example/~/www", "h.example:./www/"),
        ("rsync+ssh://[::1]/www", "[::1]:/www/"),
    ],
)
def test_addresses(host: Rsync, to: str, remote: str) -> None:
    from feedpub.publish.targets.address import read_address

    assert rsync._remote(read_address(to, "secret")) == remote


@pytest.mark.parametrize(
    ("target", "word"),
    [
        ({"to": "rsync://h.example"}, "names no module"),
        ({"to": "rsync+ssh://h.example"}, "names no folder"),
        ({"to": "rsync+ssh://-oProxyCommand=x/feeds"}, "has no host"),
        ({"to": "rsync://h.example/feeds/*"}, "takes for a pattern"),
        ({"to": "rsync://h.example/feeds", "jobs": 4}, "a rsync: target does not have this key"),
        (
            {"to": "rsync+ssh://h.example/feeds", "password": "x"},
            "a rsync.ssh: target does not have this key",
        ),
    ],
)
def test_mistakes_in_the_configuration(
    host: Rsync, tmp_path: Path, target: dict[str, Any], word: str
) -> None:
    site = Site(tmp_path / "other", there=target)
    with pytest.raises(ConfigError, match=word):
        load_config(site.config.path)
