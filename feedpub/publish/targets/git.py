"""`git+ssh://…#branch`: a branch that a host serves, as GitHub, GitLab and Codeberg Pages do.

Through the git command, in a bare repository of feedpub's own below the state folder; one
commit a push. What is on the branch and is not feedpub's (CNAME, a README) stays.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, NamedTuple

from feedpub.publish.body import Body
from feedpub.publish.errors import ConflictError, FileError, TargetError, TransientError
from feedpub.publish.targets import TargetContext
from feedpub.publish.targets.address import ParsedAddress
from feedpub.publish.targets.base import UNKNOWN_HOST, BatchTarget, ssh_command
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Upload, folders_of

TIMEOUT = 600  # seconds for one command
# git holds files below this size in memory, to compress them against each other.
_SETTINGS = ("-c", "gc.autoDetach=false", "-c", "core.bigFileThreshold=1m")
_PIECE = 1_000_000  # bytes
_NO_JEKYLL = ".nojekyll"  # GitHub Pages then serves all files unchanged
_JEKYLL = "_config.yml"  # a branch with this file is built by Jekyll
_TRANSIENT = re.compile(
    r"could not resolve|timed out|connection (?:reset|refused|closed)|early eof|hung up"
    r"|broken pipe|returned error: (?:429|5\d\d)|temporarily",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"permission denied|authentication failed|could not read (?:username|password)", re.IGNORECASE
)
_LOST_RACE = re.compile(
    r"stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref"
    r"|incorrect old value|reference already exists",
    re.IGNORECASE,
)


class TreeEntry(NamedTuple):
    """A file on the branch."""

    mode: str
    kind: str
    id: str


def connect(place: TargetContext) -> Branch:
    """Reads the branch, and fetches it if it has changed since the last push."""
    if not shutil.which("git"):
        raise TargetError("git is not installed; install it (Debian, Ubuntu: apt install git)")
    address = place.address
    scheme = address.scheme.removeprefix("git+")
    # Command lines are visible to all users, so the password is not in it: see `_login`.
    user = f"{address.user}@" if address.user and scheme != "https" else ""
    url = f"{scheme}://{user}{address.netloc}{address.path}"
    git = Git(place.state / f"{place.name}.git", url, _environment(place))
    return Branch(git, address.fragment, place)


def _environment(place: TargetContext) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_DIR")}
    env |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    env.setdefault("GIT_SSH_COMMAND", ssh_command(place))
    if place.address.scheme == "git+https":
        return env | _login(place.address, env)
    return env


def _login(address: ParsedAddress, env: Mapping[str, str]) -> dict[str, str]:
    """User and password, as git reads settings from its environment (git-config(1), 2.31)."""
    if address.password:
        # If the password is a token, hosts accept any user.
        pair = f"{address.user or 'git'}:{address.password}".encode()
        header = f"Authorization: Basic {b64encode(pair).decode()}"
        section, key, value = "http", "extraHeader", header
    elif address.user:
        # Credential helpers supply the password, or there is none: the user may be a token.
        section, key, value = "credential", "username", address.user
    else:
        return {}
    count = env.get("GIT_CONFIG_COUNT", "")
    n = int(count) if count.isdigit() else 0
    return {
        # A program that prints nothing: git then reports that the login failed.
        "GIT_ASKPASS": env.get("GIT_ASKPASS", "true"),
        "GIT_CONFIG_COUNT": str(n + 1),
        f"GIT_CONFIG_KEY_{n}": f"{section}.https://{address.netloc}/.{key}",
        f"GIT_CONFIG_VALUE_{n}": value,
    }


class Git:
    """The git command, in one bare repository."""

    def __init__(self, folder: Path, url: str, env: dict[str, str]) -> None:
        self.folder = folder
        self.url = url
        self._env = env

    def run(self, *args: str, stdin: IO[bytes] | None = None) -> bytes:
        """The output of a command; raises `TransientError` or `TargetError`."""
        done = self.try_(*args, stdin=stdin)
        if done.returncode:
            raise _fault(done.stderr)
        return done.stdout

    def try_(
        self, *args: str, stdin: IO[bytes] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs a command, and ignores its exit code."""
        command = ["git", "--git-dir", str(self.folder), *_SETTINGS, *args]
        try:
            return subprocess.run(  # noqa: S603 - no shell, and arguments of our own
                command,
                env=self._env,
                stdin=stdin or subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TransientError(f"git {args[0]} took more than {TIMEOUT} seconds") from None
        except OSError as error:
            raise TargetError(f"git cannot be run ({error.strerror})") from None

    def init(self) -> None:
        """Creates the repository if it does not exist."""
        if not (self.folder / "HEAD").exists():
            try:
                self.folder.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise TargetError(f"{error.filename}: {error.strerror}") from None
            self.run("init", "-q", "--bare", str(self.folder))


def _fault(stderr: bytes) -> TransientError | TargetError:
    text = stderr.decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("fatal:", "error:", "remote: error"))]
    if "Host key verification failed" in text:
        return TargetError(UNKNOWN_HOST)
    # After an error of ssh, git only adds that it "could not read from remote repository".
    reasons = [line for line in lines if _DENIED.search(line) or line.startswith("ssh: ")]
    line = next(iter(reasons or told or lines), "no message")[:300]
    line = re.sub(r"(://[^/@:\s]*):[^/@\s]*@", r"\1:…@", line)
    if _TRANSIENT.search(text) and not _DENIED.search(text):
        return TransientError(f"git: {line}")
    return TargetError(f"git: {line}")


class Branch(BatchTarget):
    """A branch of a remote repository."""

    def __init__(self, git: Git, branch: str, place: TargetContext) -> None:
        super().__init__()
        self.can = Capabilities(atomic=True, hash="git", jobs=1)
        self.git = git
        self.ref = f"refs/heads/{branch}"
        self._place = place
        git.init()
        found = git.run("ls-remote", git.url, self.ref).split()
        self.head = found[0].decode() if found else ""
        if self.head and git.try_("cat-file", "-e", f"{self.head}^{{tree}}").returncode:
            git.run(
                "fetch", "-q", "--depth=1", "--no-tags", git.url, f"+{self.ref}:refs/feedpub/at"
            )
        self.entries = self._entries()
        self._folders: dict[str, set[str]] = {}  # each folder → the files below it
        for path in self.entries:
            for folder in folders_of(path):
                self._folders.setdefault(folder, set()).add(path)

    def _entries(self) -> dict[str, TreeEntry]:
        if not self.head:
            return {}
        entries = {}
        for line in self.git.run("ls-tree", "-r", "-z", self.head).split(b"\0")[:-1]:
            facts, _, path = line.partition(b"\t")
            entries[path.decode("utf-8", "surrogateescape")] = TreeEntry(*facts.decode().split())
        return entries

    def read(self, path: str) -> RemoteFile | None:
        entry = self.entries.get(path)
        if entry is None or entry.kind != "blob":
            return None
        return RemoteFile(self.git.run("cat-file", "blob", entry.id), entry.id)

    def list(self) -> dict[str, ListedFile]:
        return {path: ListedFile(hash=entry.id) for path, entry in self.entries.items()}

    def has(self, path: str) -> bool:
        return path in self.entries

    def put(self, upload: Upload) -> None:
        if any(
            folder in self.entries and folder not in self.deletes
            for folder in folders_of(upload.path)
        ):
            raise FileError("there is a file at the path of its folder")
        inside = self._folders.get(upload.path, set())
        if not inside <= self.deletes:
            raise FileError("there is a folder at its path")
        super().put(upload)

    def delete(self, path: str) -> None:
        # git would delete a folder, or a submodule, with its content.
        entry = self.entries.get(path)
        if entry and entry.kind == "blob":
            super().delete(path)

    def commit(self, message: str) -> None:
        if _NO_JEKYLL not in self.entries and _JEKYLL not in self.entries:
            self.puts[_NO_JEKYLL] = Upload(_NO_JEKYLL, Body())
        self._commit(message)
        done = self.git.try_(
            "push",
            "--porcelain",
            f"--force-with-lease={self.ref}:{self.head}",  # it must be unchanged since it was read
            self.git.url,
            f"+refs/feedpub/new:{self.ref}",
        )
        if done.returncode:
            said = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
            refused = next((ln for ln in said.splitlines() if ln.startswith("!")), "")
            if _LOST_RACE.search(said):
                raise ConflictError("other pushes changed the branch each time")
            if refused:
                raise TargetError(f"git: the branch is refused: {refused.rpartition('[')[2]}")
            raise _fault(done.stderr)
        self.git.run("update-ref", "refs/feedpub/at", "refs/feedpub/new")
        self.git.try_("gc", "--auto", "--quiet")

    def _commit(self, message: str) -> None:
        """Makes one commit on top of the branch."""
        with tempfile.TemporaryFile(dir=self.git.folder) as commands:
            for part in self._commands(message):
                commands.write(part)
            commands.seek(0)
            self.git.run("fast-import", "--quiet", "--force", "--done", stdin=commands)

    def _commands(self, message: str) -> Iterator[bytes]:
        """The commit as input of git fast-import."""
        name, email = self._author()
        text = message.encode()
        who = f"{name} <{email}> {int(time.time())} +0000"
        goes_on = self.head and self._place.settings.history
        if not goes_on:
            yield b"reset refs/feedpub/new\n\n"
        yield f"commit refs/feedpub/new\ncommitter {who}\n".encode()
        yield b"data %d\n%s\n" % (len(text), text)
        if goes_on:
            yield f"from {self.head}\n".encode()
        elif self.head:
            tree = self.git.run("rev-parse", f"{self.head}^{{tree}}").decode().strip()
            yield f'M 040000 {tree} ""\n'.encode()
        for path in sorted(self.deletes):
            yield f"D {_quoted(path)}\n".encode()
        for path, upload in sorted(self.puts.items()):
            size = upload.body.size
            yield f"M 100644 inline {_quoted(path)}\ndata {size}\n".encode()
            with upload.body.open() as body:
                yield from iter(lambda: body.read(_PIECE), b"")
            yield b"\n"
        yield b"done\n"

    def _author(self) -> tuple[str, str]:
        """From the settings, else from git's; never derived from user and host name."""
        if author := self._place.settings.author:
            return author.name, author.email
        name = os.environ.get("GIT_COMMITTER_NAME") or self._setting("user.name")
        email = os.environ.get("GIT_COMMITTER_EMAIL") or self._setting("user.email")
        clean = re.compile(r"[<>\r\n]")
        return clean.sub("", name or "feedpub"), clean.sub("", email or "feedpub@localhost")

    def _setting(self, name: str) -> str:
        return self.git.try_("config", name).stdout.decode("utf-8", "replace").strip()


def _quoted(path: str) -> str:
    """A path in the syntax of git fast-import."""
    return '"{}"'.format(path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
