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

from feedpub.publish.body import Body
from feedpub.publish.errors import AlreadyExistsError, FileError, TargetError, TransientError
from feedpub.publish.targets import TargetContext
from feedpub.publish.targets.base import UNKNOWN_HOST, TemporaryPaths, put_after_compare
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Target, Upload

T = TypeVar("T")
JOBS = 16
PIECE = 256_000  # bytes of a read or a write
TIMEOUT = 120  # seconds without any progress
_CONNECT = 20  # seconds
_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)
# The server has no SFTP, or not for this user; a retry does not help.
_NO_SFTP = frozenset(
    {
        asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED,
        asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE,
        asyncssh.OPEN_REQUEST_SESSION_FAILED,
    }
)


def connect(place: TargetContext) -> Sftp:
    """Connects, and checks that the folder or its parent exists."""
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
    """The path on the server; /~/ is the home folder, in which a session starts."""
    if f"{path}/".startswith("/~/"):
        return path.removeprefix("/~").strip("/") or "."
    return path.rstrip("/") or "/"


def _file(place: TargetContext, setting: str) -> str:
    """Checks that a configured file exists; asyncssh's error would look like the server's."""
    path = place.path(setting)
    if path and not os.access(path, os.R_OK):
        raise TargetError(f"{path} cannot be read; is it there?")
    return str(path or "")


class SftpConnection(NamedTuple):
    """A connection with a timeout for progress."""

    connection: asyncssh.SSHClientConnection
    client: asyncssh.SFTPClient
    idle: asyncio.Timeout

    def goes_on(self) -> None:
        """Notes progress."""
        self.idle.reschedule(asyncio.get_running_loop().time() + TIMEOUT)


class RemoteFolder(NamedTuple):
    """A folder (its path ends with a slash), and the targets of the links on the way to it."""

    path: str
    links: frozenset[str]


class Sftp(Target):
    """A folder on a server."""

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
        self._left = TemporaryPaths()

    def begin(self) -> None:
        """Checks that the folder exists, or that the first upload can create it."""

        async def begin(line: SftpConnection) -> None:
            client = line.client
            above = self.root.rpartition("/")[0] or ("/" if self.root.startswith("/") else ".")
            if await client.isdir(self.root):
                return
            if await client.lexists(self.root):
                raise TargetError(f"{self.root} is not a folder")
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
        """Adds the files of one folder to `found`; returns its folders."""
        folders = []
        with _naming(self._place(folder.path)):
            async for entry in line.client.scandir(self._place(folder.path)):
                name = str(entry.filename)
                path, kind, size = f"{folder.path}{name}", entry.attrs.type, entry.attrs.size
                if name in {".", ".."} or self._left.take(path):
                    continue
                if kind == asyncssh.FILEXFER_TYPE_DIRECTORY:
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
        """The folder that a link points to, "" if it points to a file or is broken."""
        with contextlib.suppress(asyncssh.SFTPError):
            if await client.isdir(self._place(path)):
                return str(await client.realpath(self._place(path)))
        return ""

    def put(self, upload: Upload) -> None:
        self._do(lambda line: self._put(line, upload))

    async def _put(self, line: SftpConnection, upload: Upload) -> None:
        fresh = self._left.beside(upload.path)
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
            # It may exist in part, or not at all, and the connection may be lost.
            with contextlib.suppress(asyncssh.SFTPError):
                await line.client.remove(temporary)
                self._left.discard(fresh)
            raise
        self._left.discard(fresh)

    async def _write(self, line: SftpConnection, place: str, body: Body) -> None:
        with body.open() as source:
            async with line.client.open(place, "wb") as file:
                while piece := _read(source.read):
                    await file.write(piece)
                    line.goes_on()

    async def _into_free_place(self, client: asyncssh.SFTPClient, fresh: str, place: str) -> None:
        """Rename in version 3 never replaces a file (draft-ietf-secsh-filexfer-02)."""
        if await client.lexists(place):
            raise AlreadyExistsError
        await client.rename(fresh, place)

    async def _over(self, client: asyncssh.SFTPClient, fresh: str, path: str) -> None:
        """Atomically, if the server supports posix-rename@openssh.com."""
        place = self._place(path)
        try:
            await client.posix_rename(fresh, place)
        except asyncssh.SFTPOpUnsupported:
            if await client.isdir(place):
                raise FileError("there is a folder at its path") from None
            if await client.lexists(place):
                await self._in_its_place(client, fresh, path)
            else:
                await client.rename(fresh, place)

    async def _in_its_place(self, client: asyncssh.SFTPClient, fresh: str, path: str) -> None:
        """Replaces a file: moves it aside first, and back if that fails."""
        place, aside = self._place(path), self._left.beside(path)
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
        with contextlib.suppress(asyncssh.SFTPError):  # it is not empty
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
        """The connection; a new one if it was lost."""
        async with self._connecting:
            if self._open is None:
                connection = await asyncssh.connect(self._host, **self._how)
                try:
                    async with asyncio.timeout(_CONNECT):
                        # Names of other files may not be UTF-8.
                        client = await connection.start_sftp_client(path_errors="surrogateescape")
                except BaseException:
                    connection.abort()
                    raise
                self._open = connection, client
            return self._open

    async def _run(self, work: Callable[[SftpConnection], Awaitable[T]]) -> T:
        """Runs a task on the connection; closes it if it failed."""
        there = await self._connected()
        try:
            async with asyncio.timeout(TIMEOUT) as idle:
                return await work(SftpConnection(*there, idle))
        except (*_LOST, asyncssh.DisconnectError, asyncssh.ChannelOpenError, OSError):
            there[0].abort()
            if self._open is there:  # not a newer one
                self._open = None
            raise

    def _do(self, work: Callable[[SftpConnection], Awaitable[T]]) -> T:
        """Waits for a task on the connection; translates its errors."""
        future = asyncio.run_coroutine_threadsafe(self._run(work), self._loop)
        try:
            return future.result()
        except (asyncssh.Error, OSError, ValueError) as error:
            raise _meaning(error) from None

    def _do_or_end(self, what: str, work: Callable[[SftpConnection], Awaitable[T]]) -> T:
        """The same for what the whole push depends on: a `FileError` becomes `TargetError`."""
        try:
            return self._do(work)
        except FileError as error:
            raise TargetError(f"{what}: {error}") from None


@contextlib.contextmanager
def _naming(folder: str) -> Iterator[None]:
    """Around the listing of a folder; it is no error if the folder does not exist.

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
    """A piece of a local file; its errors are not those of the connection."""
    try:
        return read(PIECE)
    except OSError as error:
        raise FileError(f"it cannot be read ({error.strerror})") from None


def _meaning(error: Exception) -> Exception:
    """Translates an error of asyncssh."""
    match error:
        case asyncssh.SFTPError():
            return _refusal(error)
        case asyncssh.HostKeyNotVerifiable():
            return TargetError(UNKNOWN_HOST)
        case asyncssh.PermissionDenied():
            return TargetError("user, key or password are refused")
        case asyncssh.KeyExchangeFailed() | asyncssh.ProtocolNotSupported():
            return TargetError(f"the server supports no common SSH algorithm ({error.reason})")
        case asyncssh.IllegalUserName():
            return TargetError(f"the user cannot be used ({error.reason})")
        case asyncssh.ChannelOpenError() if error.code in _NO_SFTP:
            return TargetError(f"the server offers no SFTP ({error.reason})")
        case asyncssh.DisconnectError() | asyncssh.ChannelOpenError():
            return TransientError(f"the connection was lost ({error.reason})")
        case asyncssh.KeyImportError() | asyncssh.KeyEncryptionError():
            return TargetError(f"the key cannot be used ({error})")
        case asyncssh.ConfigParseError():
            return TargetError(f"the ssh configuration is invalid ({error})")
        case TimeoutError():
            return TransientError("it does not answer in time")
        case OSError():
            return TransientError(f"it does not answer ({error.strerror or error})")
    return TargetError(f"it cannot be used ({error})")


def _refusal(error: asyncssh.SFTPError) -> Exception:
    """Translates an error of the SFTP protocol."""
    if isinstance(error, _LOST):
        return TransientError(f"the connection was lost ({error.reason})")
    if isinstance(error, asyncssh.SFTPPermissionDenied):
        return FileError("permission is denied there")
    return FileError(f"the host refuses it ({error.reason})")
