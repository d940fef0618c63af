"""`rsync://host/module/path` and `rsync+ssh://host/path`, by the rsync command.

One process a group of files, not one a file: `put` and `delete` gather, `flush` brings. Only
files that are named are ever sent or deleted, so that nothing else in the folder is touched.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from feedpub.publish.errors import AlreadyExistsError, FileError, TargetError, TransientError
from feedpub.publish.serving.encodings import ENDINGS
from feedpub.publish.targets import TargetContext
from feedpub.publish.targets.address import ParsedAddress
from feedpub.publish.targets.base import UNKNOWN_HOST, put_after_compare, ssh_command
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Target, Upload

TIMEOUT = 120  # seconds without any data
_CONNECT = 20  # seconds
_DELAYED = ".~tmp~"  # the folder in which --delay-updates collects files
_IN_PART = (0, 23, 24)  # exit codes: done, or done except for some files
_TRANSIENT = frozenset({10, 12, 20, 30, 35, 255})  # sockets, the stream, signals, time, ssh
_NO_CHECKSUM = 4  # exit code: option not supported
_FORMAT = "feedpub %i %l %n"
_HASHES = "feedpub %i %C %n"
_ENTRY = re.compile(rb"feedpub (.{11}) (\S*) (.*)")
_SEND = (
    "--checksum",  # times of files differ after a fresh checkout
    "--times",
    "--delay-updates",
    # For new files; existing files keep their modes.
    "--chmod=D755,F644",
)
_ABSENT = re.compile(r"(?:change_dir|link_stat)\S* .* failed: No such file or directory")
# Output → message; a retry does not help.
_MEANINGS = (
    (re.compile(r"auth failed on module"), "the user or the password is refused"),
    (re.compile(r"Unknown module"), "the host has no such module"),
    (re.compile(r"Host key verification failed"), UNKNOWN_HOST),
    (re.compile(r"Identity file .* not accessible"), "the key file does not exist"),
    (re.compile(r"Permission denied \([a-z]"), "ssh: the user or the key is refused"),
    (
        re.compile(r"mkdir\S* .* failed: No such file or directory"),
        "the parent folder does not exist; create it first",
    ),
    (
        re.compile(r"unknown option|unrecognized option"),
        "rsync is too old, here or there; 3.1 or newer is needed",
    ),
    (
        re.compile(r"rsync: (?:command )?not found|rsync: No such file"),
        "rsync is not installed there",
    ),
)
_TOLD = re.compile(r"@?ERROR: |ssh: |rsync: ")
_ECHO = re.compile(r"unexpectedly closed|read error|safe_write")  # consequences of another error
_BUSY = re.compile(r"max connections|try again later")


Done = subprocess.CompletedProcess[bytes]


class ListedItem(NamedTuple):
    """A file in the output of rsync."""

    path: str
    flags: str  # %i of rsync(1)
    fact: str  # size or hash


def connect(place: TargetContext) -> Rsync:
    """Checks that rsync is installed; does not connect yet."""
    if not shutil.which("rsync"):
        raise TargetError("rsync is not installed; install it (Debian, Ubuntu: apt install rsync)")
    address = place.address
    options = ["--no-human-readable", f"--timeout={TIMEOUT}"]
    env = {**os.environ, "LC_ALL": "C"}
    if address.scheme == "rsync":
        options += ["--no-motd", f"--contimeout={_CONNECT}"]
        # Also set if empty, or rsync asks on the terminal.
        env["RSYNC_PASSWORD"] = address.password or env.get("RSYNC_PASSWORD", "")
    else:
        port = [f"-oPort={address.port}"] if address.port else []
        env.setdefault("RSYNC_RSH", ssh_command(place, f"-oConnectTimeout={_CONNECT}", *port))
        if re.search(r"[^\w./~@%+:,=-]", address.path, re.ASCII):
            # The shell on the server would split it.
            options.append("--protect-args")
    return Rsync(Tool(_remote(address), options, env), place.output)


def _remote(address: ParsedAddress) -> str:
    """The folder in the syntax of rsync; it ends with a slash."""
    user = f"{address.user}@" if address.user else ""
    path = address.path.rstrip("/") + "/"
    if address.scheme == "rsync":
        return f"rsync://{user}{address.netloc}{path}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    # Relative to the home folder, with ./ in case it starts with a colon.
    path = f"./{path.removeprefix('/~/')}" if path.startswith("/~/") else path
    return f"{user}{host}:{path}"


class Tool:
    """The rsync command for one remote folder."""

    def __init__(self, remote: str, options: list[str], env: dict[str, str]) -> None:
        self.remote = remote
        daemon = re.fullmatch(r"(rsync://[^/]+/[^/]+/)(.*)", remote)
        self._module = (daemon[1], daemon[2]) if daemon else (remote, "")
        self._options = options
        self._env = env

    def run(
        self,
        *options: str,
        source: str,
        to: str,
        paths: Iterable[str] | None = None,
        md5: bool = False,
    ) -> Done:
        """Copies the files of `paths`, or all if it is None; ignores the exit code.

        `md5` makes MD5 the checksum, which is else the fastest that both sides know.
        """
        names = b""
        command = ["rsync", *self._options, "--out-format", _FORMAT, *options]
        if paths is not None:
            # Without implied folders, rsync does not change or replace existing ones.
            command += ["--from0", "--files-from=-", "--no-implied-dirs"]
            names = b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths)
        try:
            return subprocess.run(  # noqa: S603 - no shell, and arguments of our own
                [*command, "--", source, to],
                # Since 3.2.0 both sides negotiate; older versions only have MD5.
                env=self._env | ({"RSYNC_CHECKSUM_LIST": "md5"} if md5 else {}),
                input=names,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise TargetError(f"rsync cannot be run ({error.strerror})") from None

    def send(self, folder: Path, paths: Iterable[str], *options: str) -> Done:
        """Uploads files of a folder; raises `TransientError` or `TargetError`."""
        return _checked(self.run(*options, source=f"{folder}/", to=self.remote, paths=paths))

    def look(
        self, nothing: Path, paths: Iterable[str] | None, *options: str
    ) -> list[ListedItem] | None:
        """Lists all files, or those of `paths`; None if the folder does not exist.

        `nothing` is an empty folder. Raises `TransientError` or `TargetError`.
        """
        done = self.run("--dry-run", *options, source=self.remote, to=f"{nothing}/", paths=paths)
        entries = _entries(done)
        if not entries and _is_absent(done):
            return None
        # Folders without read permission, for example, are skipped.
        _checked(done, _IN_PART if entries else (0,))
        return entries

    def hashes(self, nothing: Path, paths: Iterable[str]) -> list[ListedItem]:
        """MD5 of remote files, without a download; none if rsync was built without MD5."""
        options = ("--dry-run", "--checksum", "--ignore-missing-args", "--out-format", _HASHES)
        done = self.run(*options, source=self.remote, to=f"{nothing}/", paths=paths, md5=True)
        return _entries(_checked(done, (*_IN_PART, _NO_CHECKSUM)))

    def get(self, path: str, folder: Path) -> bytes | None:
        """Downloads one file by way of an empty folder, None if it does not exist.

        Raises `TransientError` or `TargetError`.
        """
        # From the module: daemons of rsync 3.5.0 that do not use chroot take what --files-from
        # names below one of its folders for gone. And by --files-from: rrsync refuses to look
        # for a file that is not there.
        source, inner = self._module
        options = ("--ignore-missing-args", "--chmod=F600")
        done = self.run(*options, source=source, to=f"{folder}/", paths=[f"{inner}{path}"])
        if _is_absent(done):
            return None
        _checked(done, (0,))
        try:
            return (folder / inner / path).read_bytes()
        except (FileNotFoundError, IsADirectoryError):
            return None


class Rsync(Target):
    """A folder on a server."""

    def __init__(self, tool: Tool, output: Path) -> None:
        self.can = Capabilities(hash="md5", gathers=True)
        self.output = output
        self._tool = tool
        self._temporary = tempfile.TemporaryDirectory(prefix="feedpub-", ignore_cleanup_errors=True)
        self._made = self._folder("made")  # generated files
        self._none = self._folder("none")  # always empty
        # Local folder, and whether files must not exist yet → paths
        self._puts: dict[tuple[Path, bool], dict[str, None]] = {}
        self._deletes: dict[str, None] = {}
        self._faults: dict[str, FileError] = {}
        # Temporary files of interrupted pushes, only for paths of the tree: others may use rsync
        # for their files, too.
        self._left: list[str] = []

    def _folder(self, name: str) -> Path:
        folder = Path(self._temporary.name, name)
        folder.mkdir()
        return folder

    def read(self, path: str) -> RemoteFile | None:
        with tempfile.TemporaryDirectory(dir=self._temporary.name) as name:
            data = self._tool.get(path, Path(name))
        return None if data is None else RemoteFile(data, hashlib.sha256(data).hexdigest())

    def list(self) -> dict[str, ListedFile]:
        entries = self._tool.look(self._none, None, "--recursive", "--links") or ()
        found: dict[str, ListedFile] = {}
        for entry in entries:
            path = entry.path.rstrip("/")
            goal = _goal(path)
            if PurePosixPath(path).name == _DELAYED or (goal and (self.output / goal).is_file()):
                self._left.append(path)
            elif entry.flags[1] != "d":
                is_file = entry.flags[1] == "f"
                found[path] = ListedFile(int(entry.fact) if is_file else -1)
        return found | self._hashed(found)

    def _hashed(self, found: Mapping[str, ListedFile]) -> dict[str, ListedFile]:
        """Files that may be equal to the tree's, with hashes that the server computes."""
        paths = [path for path, stored in found.items() if self._may_be_equal(path, stored)]
        if not paths:
            return {}
        hashes = {entry.path: entry.fact for entry in self._tool.hashes(self._none, paths)}
        return {path: found[path]._replace(hash=hashes.get(path, "")) for path in paths}

    def _may_be_equal(self, path: str, stored: ListedFile) -> bool:
        place = self.output / path
        if place.suffix in ENDINGS.values() and place.with_suffix("").is_file():
            return True  # a compressed copy
        try:
            return stored.size == place.stat().st_size
        except OSError:
            return False

    def put(self, upload: Upload) -> None:
        folder = self.output
        if upload.made:
            folder = self._made
            (folder / upload.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / upload.path).write_bytes(upload.body.data)
        self._puts.setdefault((folder, upload.new), {})[upload.path] = None

    def put_if_match(self, upload: Upload, version: str) -> str:
        fresh = put_after_compare(self, upload._replace(made=True), version)
        for path, error in self.flush().items():
            raise TargetError(f"{path}: {error}")
        return fresh

    def delete(self, path: str) -> None:
        self._deletes[path] = None

    def flush(self) -> Mapping[str, FileError]:
        for (folder, new), paths in list(self._puts.items()):
            self._faults |= self._send(folder, [*paths], new)
            del self._puts[folder, new]
        if self._deletes:
            self._faults |= self._remove([*self._deletes])
            self._deletes.clear()
        faults, self._faults = self._faults, {}
        return faults

    def _send(self, folder: Path, paths: Collection[str], new: bool) -> dict[str, FileError]:
        """Uploads files; returns those that failed, and why."""
        done = self._tool.send(folder, paths, *_SEND, *(["--ignore-existing"] if new else []))
        uploaded = {entry.path for entry in _entries(done)}
        if done.returncode:
            unsure = [*paths]
        else:
            unsure = [path for path in paths if path not in uploaded] if new else []
        if not unsure:
            return {}
        # An existing file with the same content is no conflict: an earlier attempt may have
        # uploaded it.
        compared = self._tool.send(folder, unsure, *_SEND, "--dry-run", "-ii")
        there = {entry.path: entry for entry in _entries(compared)}
        faults: dict[str, FileError] = {}
        for path in unsure:
            flags = there[path].flags if path in there else "?"
            if flags.startswith("."):
                continue
            in_the_way = not done.returncode or (path in there and "+" not in flags)
            if new and in_the_way:
                faults[path] = AlreadyExistsError()
            else:
                faults[path] = FileError(_reason(done, path))
        return faults

    def _remove(self, paths: Collection[str]) -> dict[str, FileError]:
        """Deletes files and then-empty folders; returns those that failed, and why."""
        faults: dict[str, FileError] = {}
        done = self._delete(paths)
        if done.returncode:
            still = self._tool.look(self._none, paths, "--ignore-missing-args", "--links") or ()
            faults = {entry.path: FileError(_reason(done, entry.path)) for entry in still}
        folders = {
            str(folder)
            for path in paths
            for folder in list(PurePosixPath(path).parents)[:-1]
            if not (self.output / folder).is_dir()  # else it contains files of the tree
        }
        deepest_first = sorted(folders, key=_depth, reverse=True)
        for _, same in itertools.groupby(deepest_first, _depth):
            self._delete([*same])
        return faults

    def _delete(self, paths: Collection[str]) -> Done:
        """Makes rsync delete files, as files to upload that do not exist. Full folders stay."""
        with tempfile.TemporaryDirectory(dir=self._temporary.name) as name:
            for path in paths:
                Path(name, path).parent.mkdir(parents=True, exist_ok=True)
            return self._tool.send(Path(name), paths, "--delete-missing-args")

    def commit(self, message: str) -> None:
        if self._left:
            self._remove(self._left)
            self._left.clear()

    def close(self) -> None:
        self._temporary.cleanup()


def _goal(path: str) -> str:
    """The destination of one of rsync's temporary files; "" for other names."""
    place = PurePosixPath(path)
    if place.parent.name == _DELAYED:
        return str(place.parent.parent / place.name)
    match = re.fullmatch(r"\.(.+)\.[A-Za-z0-9]{6}", place.name)
    return str(place.with_name(match[1])) if match else ""


def _depth(path: str) -> int:
    return path.count("/")


def _entries(done: Done) -> list[ListedItem]:
    """Parses lines written with --out-format; skips others."""
    entries = []
    for line in done.stdout.split(b"\n"):
        if match := _ENTRY.fullmatch(line):
            flags, fact, name = match.groups()
            # rsync(1) writes unprintable bytes as a backslash, # and three octal digits.
            name = re.sub(rb"\\#([0-7]{3})", lambda code: bytes([int(code[1], 8)]), name)
            path = name.decode("utf-8", "surrogateescape")
            entries.append(ListedItem(path, flags.decode(), fact.decode()))
    return entries


def _reason(done: Done, path: str) -> str:
    """Why a file was not uploaded or deleted."""
    folder, slash, name = path.rpartition("/")
    told = [
        line
        for line in _text(done.stderr + done.stdout).splitlines()
        if path in line or f"{folder}{slash}.{name}." in line
    ]
    if any("could not make way" in line for line in told):
        return "there is a folder at its path"
    for line in told:
        if match := re.search(r"failed(?: to [^:]*)?: (.*?) \(\d+\)", line):
            return f"the host says: {match[1]}"
    return f"rsync could not upload or delete it (exit code {done.returncode})"


def _is_absent(done: Done) -> bool:
    """Whether it failed because the remote files do not exist."""
    return bool(done.returncode and _ABSENT.search(_text(done.stderr)))


def _checked(done: Done, allowed: Collection[int] = _IN_PART) -> Done:
    """Raises `TransientError` or `TargetError` for other exit codes."""
    if done.returncode not in allowed:
        raise _fault(done)
    return done


def _fault(done: Done) -> TransientError | TargetError:
    """Translates an exit code and the messages of rsync."""
    text = _text(done.stderr)
    for pattern, what in _MEANINGS:
        if pattern.search(text):
            return TargetError(what)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if _TOLD.match(line) and not _ECHO.search(line)]
    line = next(iter(told or lines), f"it ends with {done.returncode}")[:300]
    what = "rsync: " + re.sub(r"^(?:@?ERROR: |rsync: (?:\[\w+\] )?)", "", line)
    if done.returncode in _TRANSIENT or done.returncode < 0 or _BUSY.search(text):
        return TransientError(what)
    return TargetError(what)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
