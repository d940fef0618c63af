"""`sftp://user@host/path`, by asyncssh: one connection, many files at once on it.

Host keys are always checked. Each file is written under another name and renamed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import asyncssh

from feedpub.durable import TEMPORARY_PREFIX, temporary_beside
from feedpub.publish.body import Body
from feedpub.publish.errors import AlreadyExistsError, FileError, TargetError, TransientError
from feedpub.publish.targets import TargetContext
from feedpub.publish.targets.base import UNKNOWN_HOST, put_after_compare
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Target, Upload

T = TypeVar("T")
JOBS = 16
PIECE = 256_000  # bytes that are read or written at once
TIMEOUT = 120  # seconds in which nothing comes or goes: no piece of a file, no folder
_CONNECT = 20  # seconds
_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)
# The host has no SFTP, or not for this user; it will not have it in a moment.
_NO_SFTP = frozenset(
    {
        asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED,
        asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE,
        asyncssh.OPEN_REQUEST_SESSION_FAILED,
    }
)


def connect(place: TargetContext) -> Sftp:
    """Connects, and makes sure that the folder is there, or the one above it."""
    address, settings = place.address, place.settings
    how: dict[str, Any] = {"connect_timeout": _CONNECT, "login_timeout": _CONNECT}
    if address.port:
        how["port"] = address.port
    if address.user:
        how["username"] = address.user
    if address.password:
        how["password"] = address.password
    if key := _file(place, settings.key):
        how["client_keys"] = [key]
    if known := _file(place, settings.known_hosts):
        how["known_hosts"] = known
    target = Sftp(address.host, how, _root(address.path), settings.jobs or JOBS)
    try:
        target.begin()
    except BaseException:
        target.close()
        raise
    return target


def _root(path: str) -> str:
    """The folder as the host knows it; /~/ is the home folder, where a session begins."""
    if f"{path}/".startswith("/~/"):
        return path.removeprefix("/~").strip("/") or "."
    return path.rstrip("/") or "/"


def _file(place: TargetContext, setting: str) -> str:
    """A file that is named; asyncssh's word on one that is missing reads like the host's."""
    path = place.path(setting)
    if path and not os.access(path, os.R_OK):
        raise TargetError(f"{path} cannot be read; is it there?")
    return str(path or "")


class SftpConnection(NamedTuple):
    """A connection, and the time in which something must happen on it."""

    connection: asyncssh.SSHClientConnection
    client: asyncssh.SFTPClient
    idle: asyncio.Timeout

    def goes_on(self) -> None:
        """Something has happened."""
        self.idle.reschedule(asyncio.get_running_loop().time() + TIMEOUT)


class RemoteFolder(NamedTuple):
    """A folder there, with a slash at its end, and where the links lead that it is behind."""

    path: str
    links: frozenset[str]


class Sftp(Target):
    """A folder on a host."""

    def __init__(self, host: str, how: dict[str, Any], root: str, jobs: int) -> None:
        self.can = Capabilities(jobs=jobs)
        self.root = root
        self._host = host
        self._how = how
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connecting = asyncio.Lock()
        self._open: tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient] | None = None
        self._left: set[str] = set()  # temporary files of pushes that were cut, and its own

    def begin(self) -> None:
        """Makes sure that the folder can be used: it is there, or can be made by the first file."""

        async def begin(line: SftpConnection) -> None:
            client = line.client
            above = self.root.rpartition("/")[0] or ("/" if self.root.startswith("/") else ".")
            if await client.isdir(self.root):
                return
            if await client.lexists(self.root):
                raise TargetError(f"{self.root} is no folder")
            if not await client.isdir(above):
                raise TargetError(f"there is no folder {self.root}, and none above it")

        self._do_or_end("the folder", begin)

    def read(self, path: str) -> RemoteFile | None:
        async def read(line: SftpConnection) -> bytes | None:
            pieces = [b""]
            try:
                async with line.client.open(self._place(path), "rb") as file:
                    while len(pieces) == 1 or pieces[-1]:
                        piece: bytes = await file.read(PIECE)
                        pieces.append(piece)
                        line.goes_on()
            except _MISSING:
                return None
            return b"".join(pieces)

        data = self._do_or_end(path, read)
        return None if data is None else RemoteFile(data, hashlib.sha256(data).hexdigest())

    def _place(self, path: str) -> str:
        return f"{self.root}/{path}".rstrip("/") or "/"

    def list(self) -> dict[str, ListedFile]:
        found: dict[str, ListedFile] = {}

        async def walk(line: SftpConnection) -> None:
            folders = [RemoteFolder("", frozenset({await line.client.realpath(self.root)}))]
            while folders:
                folders += await self._scan(line, folders.pop(), found)
                line.goes_on()

        self._do_or_end("the folder", walk)
        return found

    async def _scan(
        self, line: SftpConnection, folder: RemoteFolder, found: dict[str, ListedFile]
    ) -> tuple[RemoteFolder, ...]:
        """Puts the files of one folder into `found`; returns the folders that are in it."""
        folders = []
        with _naming(self._place(folder.path)):
            async for entry in line.client.scandir(self._place(folder.path)):
                name = str(entry.filename)
                path, kind, size = f"{folder.path}{name}", entry.attrs.type, entry.attrs.size
                if name in {".", ".."}:
                    continue
                if name.startswith(TEMPORARY_PREFIX):
                    self._left.add(path)
                elif kind == asyncssh.FILEXFER_TYPE_DIRECTORY:
                    folders.append(RemoteFolder(f"{path}/", folder.links))
                elif kind == asyncssh.FILEXFER_TYPE_SYMLINK and (
                    goal := await self._folder_behind(line.client, path)
                ):
                    if goal not in folder.links:
                        folders.append(RemoteFolder(f"{path}/", folder.links | {goal}))
                else:
                    found[path] = ListedFile(-1 if size is None else size)
                line.goes_on()
        return tuple(folders)

    async def _folder_behind(self, client: asyncssh.SFTPClient, path: str) -> str:
        """The folder that a link leads to, "" if it leads to a file, or nowhere."""
        with contextlib.suppress(asyncssh.SFTPError):
            if await client.isdir(self._place(path)):
                return str(await client.realpath(self._place(path)))
        return ""

    def put(self, upload: Upload) -> None:
        self._do(lambda line: self._put(line, upload))

    async def _put(self, line: SftpConnection, upload: Upload) -> None:
        fresh = self._beside(upload.path)
        place, temporary = self._place(upload.path), self._place(fresh)
        try:
            try:
                await self._write(line, temporary, upload.body)
            except _MISSING:
                await line.client.makedirs(place.rpartition("/")[0], exist_ok=True)
                await self._write(line, temporary, upload.body)
            if upload.new:
                await self._into_free_place(line.client, temporary, place)
            else:
                await self._over(line.client, temporary, upload.path)
        except (asyncssh.SFTPError, FileError):
            # It may be there in part, or not at all, and the connection may be gone.
            with contextlib.suppress(asyncssh.SFTPError):
                await line.client.remove(temporary)
                self._left.discard(fresh)
            raise
        self._left.discard(fresh)

    def _beside(self, path: str) -> str:
        """A free path beside that of a file; `commit` clears it unless it is off `_left`."""
        free = temporary_beside(path)
        self._left.add(free)
        return free

    async def _write(self, line: SftpConnection, place: str, body: Body) -> None:
        with body.open() as source:
            async with line.client.open(place, "wb") as file:
                while piece := _read(source.read):
                    await file.write(piece)
                    line.goes_on()

    async def _into_free_place(self, client: asyncssh.SFTPClient, fresh: str, place: str) -> None:
        """Version 3 of the protocol renames to a free name only (draft-ietf-secsh-filexfer-02)."""
        if await client.lexists(place):
            raise AlreadyExistsError
        await client.rename(fresh, place)

    async def _over(self, client: asyncssh.SFTPClient, fresh: str, path: str) -> None:
        """In one step where the server can (posix-rename@openssh.com)."""
        place = self._place(path)
        try:
            await client.posix_rename(fresh, place)
        except asyncssh.SFTPOpUnsupported:
            if await client.isdir(place):
                raise FileError("a folder is in its place") from None
            if await client.lexists(place):
                await self._in_its_place(client, fresh, path)
            else:
                await client.rename(fresh, place)

    async def _in_its_place(self, client: asyncssh.SFTPClient, fresh: str, path: str) -> None:
        """Takes the place of a file, which is moved aside, and comes back if that fails."""
        place, aside = self._place(path), self._beside(path)
        await client.rename(place, self._place(aside))
        try:
            await client.rename(fresh, place)
        except asyncssh.SFTPError:
            await client.rename(self._place(aside), place)
            self._left.discard(aside)
            raise
        with contextlib.suppress(asyncssh.SFTPError):  # `commit` tries again
            await client.remove(self._place(aside))
            self._left.discard(aside)

    def put_if_match(self, upload: Upload, version: str) -> str:
        return put_after_compare(self, upload, version)

    def delete(self, path: str) -> None:
        self._do(lambda line: self._delete(line.client, path))

    async def _delete(self, client: asyncssh.SFTPClient, path: str) -> None:
        with contextlib.suppress(*_MISSING):
            await client.remove(self._place(path))
        folder = path.rpartition("/")[0]
        with contextlib.suppress(asyncssh.SFTPError):  # something else is in it
            while folder:
                await client.rmdir(self._place(folder))
                folder = folder.rpartition("/")[0]

    def commit(self, message: str) -> None:
        for path in sorted(self._left):
            with contextlib.suppress(FileError):
                self.delete(path)
        self._left.clear()

    def close(self) -> None:
        async def close() -> None:
            if self._open:
                connection, client = self._open
                client.exit()
                connection.close()
                await connection.wait_closed()

        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _connected(self) -> tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient]:
        """The connection, made anew if it was lost."""
        async with self._connecting:
            if self._open is None:
                connection = await asyncssh.connect(self._host, **self._how)
                try:
                    async with asyncio.timeout(_CONNECT):
                        # Others may have names there that are not UTF-8.
                        client = await connection.start_sftp_client(path_errors="surrogateescape")
                except BaseException:
                    connection.abort()
                    raise
                self._open = connection, client
            return self._open

    async def _run(self, work: Callable[[SftpConnection], Awaitable[T]]) -> T:
        """Does work on the connection, and ends the one that failed."""
        there = await self._connected()
        try:
            async with asyncio.timeout(TIMEOUT) as idle:
                return await work(SftpConnection(*there, idle))
        except (*_LOST, asyncssh.DisconnectError, asyncssh.ChannelOpenError, OSError):
            there[0].abort()
            if self._open is there:  # and not one that was made since
                self._open = None
            raise

    def _do(self, work: Callable[[SftpConnection], Awaitable[T]]) -> T:
        """Waits for work on the connection; says what its failure means."""
        future = asyncio.run_coroutine_threadsafe(self._run(work), self._loop)
        try:
            return future.result()
        except (asyncssh.Error, OSError, ValueError) as error:
            raise _meaning(error) from None

    def _do_or_end(self, what: str, work: Callable[[SftpConnection], Awaitable[T]]) -> T:
        """The same of what the whole push depends on: nothing is the fault of one file."""
        try:
            return self._do(work)
        except FileError as error:
            raise TargetError(f"{what}: {error}") from None


@contextlib.contextmanager
def _naming(folder: str) -> Iterator[None]:
    """Around the listing of a folder, which nothing may have made so far, or which has just gone.

    Raises `TargetError` if the host refuses it: what is there is not known then.
    """
    try:
        yield
    except _MISSING:
        return
    except _LOST:
        raise
    except asyncssh.SFTPError as error:
        raise TargetError(f"{folder} cannot be listed ({error.reason})") from None


def _read(read: Callable[[int], bytes]) -> bytes:
    """A piece of a file on this machine; its faults are not those of the connection."""
    try:
        return read(PIECE)
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror})") from None


def _meaning(error: Exception) -> Exception:
    """What a failure means for a push: all that asyncssh raises is one of these."""
    match error:
        case asyncssh.SFTPError():
            return _refusal(error)
        case asyncssh.HostKeyNotVerifiable():
            return TargetError(UNKNOWN_HOST)
        case asyncssh.PermissionDenied():
            return TargetError("user, key or password are refused")
        case asyncssh.KeyExchangeFailed() | asyncssh.ProtocolNotSupported():
            return TargetError(f"it and the host have no SSH in common ({error.reason})")
        case asyncssh.IllegalUserName():
            return TargetError(f"the user cannot be used ({error.reason})")
        case asyncssh.ChannelOpenError() if error.code in _NO_SFTP:
            return TargetError(f"the host gives no SFTP ({error.reason})")
        case asyncssh.DisconnectError() | asyncssh.ChannelOpenError():
            return TransientError(f"the connection was lost ({error.reason})")
        case asyncssh.KeyImportError() | asyncssh.KeyEncryptionError():
            return TargetError(f"the key cannot be used ({error})")
        case asyncssh.ConfigParseError():
            return TargetError(f"the configuration of ssh cannot be understood ({error})")
        case TimeoutError():
            return TransientError("it does not answer in time")
        case OSError():
            return TransientError(f"it does not answer ({error.strerror or error})")
    return TargetError(f"it cannot be used ({error})")


def _refusal(error: asyncssh.SFTPError) -> Exception:
    """What it means that the host does not do what it is asked for."""
    if isinstance(error, _LOST):
        return TransientError(f"the connection was lost ({error.reason})")
    if isinstance(error, asyncssh.SFTPPermissionDenied):
        return FileError("permission is denied there")
    return FileError(f"the host refuses it ({error.reason})")
