"""`sftp://user@host/path`, by asyncssh: one connection, many files at once on it.

Host keys are always checked. Each file is written under another name and renamed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncssh

from feedpub.publish.body import Body
from feedpub.publish.targets import Place
from feedpub.publish.targets.comparing import swap_after_look
from feedpub.publish.targets.ssh import UNKNOWN_HOST
from feedpub.publish.types import (
    Capabilities,
    FileError,
    Found,
    InTheWay,
    Passing,
    Stored,
    Target,
    TargetError,
    Upload,
)

T = TypeVar("T")
JOBS = 16
PIECE = 1_000_000  # bytes that are read at once
TEMPORARY = ".feedpub-new-"
TIMEOUT = 120  # seconds for one file
_CONNECT = 20  # seconds


def connect(place: Place) -> Sftp:
    """Connects, and makes sure that the folder is there."""
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
    root = address.path.rstrip("/") or "/"
    target = Sftp(address.host, how, root.removeprefix("/~/"), settings.jobs or JOBS)
    try:
        target.begin()
    except BaseException:
        target.close()
        raise
    return target


def _file(place: Place, setting: str) -> str:
    """A file that is named; asyncssh's word on one that is missing reads like the host's."""
    path = place.path(setting)
    if path and not os.access(path, os.R_OK):
        raise TargetError(f"{path} cannot be read; is it there?")
    return str(path or "")


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
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None
        self._left: list[str] = []  # temporary files of pushes that were cut

    def begin(self) -> None:
        """Makes the folder, if only its last part is missing."""

        async def begin() -> None:
            client = await self._sftp()
            if not await client.isdir(self.root):
                try:
                    await client.mkdir(self.root)
                except asyncssh.SFTPError as error:
                    what = f"there is no folder {self.root}, and it cannot be made ({error.reason})"
                    raise TargetError(what) from None

        self._do(begin())

    def read(self, path: str) -> Found | None:
        data = self._do(self._read(path))
        return None if data is None else Found(data, hashlib.sha256(data).hexdigest())

    async def _read(self, path: str) -> bytes | None:
        client = await self._sftp()
        try:
            async with client.open(f"{self.root}/{path}", "rb") as file:
                data: bytes = await file.read()
                return data
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None

    def list(self) -> dict[str, Stored]:
        return self._do(self._list())

    async def _list(self) -> dict[str, Stored]:
        client = await self._sftp()
        found: dict[str, Stored] = {}
        folders = [""]
        while folders:
            folder = folders.pop()
            async for entry in client.scandir(f"{self.root}/{folder}".rstrip("/")):
                name = str(entry.filename)
                path = f"{folder}{name}"
                if name in {".", ".."}:
                    continue
                if entry.attrs.type == asyncssh.FILEXFER_TYPE_DIRECTORY:
                    folders.append(f"{path}/")
                elif name.startswith(TEMPORARY):
                    self._left.append(path)
                else:
                    size = entry.attrs.size
                    found[path] = Stored(-1 if size is None else size)
        return found

    def put(self, upload: Upload) -> None:
        self._do(self._put(upload))

    async def _put(self, upload: Upload) -> None:
        client = await self._sftp()
        place = f"{self.root}/{upload.path}"
        folder = place.rpartition("/")[0]
        fresh = f"{folder}/{TEMPORARY}{secrets.token_hex(8)}"
        try:
            try:
                await self._write(client, fresh, upload.body)
            except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                await client.makedirs(folder, exist_ok=True)
                await self._write(client, fresh, upload.body)
            if upload.new:
                await self._into_free_place(client, fresh, place)
            else:
                await self._over(client, fresh, place)
        except BaseException:
            with contextlib.suppress(asyncssh.Error, OSError):
                await client.remove(fresh)
            raise

    async def _write(self, client: asyncssh.SFTPClient, path: str, body: Body) -> None:
        with body.open() as source:
            async with client.open(path, "wb") as file:
                while piece := source.read(PIECE):
                    await file.write(piece)

    async def _into_free_place(self, client: asyncssh.SFTPClient, fresh: str, place: str) -> None:
        """Version 3 of the protocol renames to a free name only (draft-ietf-secsh-filexfer-02)."""
        if await client.lexists(place):
            raise InTheWay("a file that feedpub did not put there is in the way")
        await client.rename(fresh, place)

    async def _over(self, client: asyncssh.SFTPClient, fresh: str, place: str) -> None:
        """In one step where the server can (posix-rename@openssh.com), else in two."""
        try:
            await client.posix_rename(fresh, place)
        except asyncssh.SFTPOpUnsupported:
            with contextlib.suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                await client.remove(place)
            await client.rename(fresh, place)

    def swap(self, upload: Upload, version: str) -> str:
        return swap_after_look(self, upload, version)

    def delete(self, path: str) -> None:
        self._do(self._delete(path))

    async def _delete(self, path: str) -> None:
        client = await self._sftp()
        with contextlib.suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            await client.remove(f"{self.root}/{path}")
        folder = path.rpartition("/")[0]
        with contextlib.suppress(asyncssh.SFTPError):  # something else is in it
            while folder:
                await client.rmdir(f"{self.root}/{folder}")
                folder = folder.rpartition("/")[0]

    def finish(self, message: str) -> None:
        for path in self._left:
            with contextlib.suppress(FileError):
                self._do(self._delete(path))

    def close(self) -> None:
        async def close() -> None:
            if self._client:
                self._client.exit()
            if self._connection:
                self._connection.close()
                await self._connection.wait_closed()

        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _sftp(self) -> asyncssh.SFTPClient:
        """The connection, made anew if it was lost."""
        async with self._connecting:
            if self._client is None:
                self._connection = await asyncssh.connect(self._host, **self._how)
                self._client = await self._connection.start_sftp_client()
            return self._client

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for work on the connection; says what its failure means."""
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, TIMEOUT), self._loop)
        try:
            return future.result()
        except asyncssh.HostKeyNotVerifiable:
            raise TargetError(UNKNOWN_HOST) from None
        except asyncssh.PermissionDenied:
            raise TargetError("user, key or password are refused") from None
        except asyncssh.KeyImportError as error:
            raise TargetError(f"the key cannot be used ({error})") from None
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection) as error:
            self._client = None
            raise Passing(f"the connection was lost ({error.reason})") from None
        except asyncssh.SFTPPermissionDenied:
            raise FileError("permission is denied there") from None
        except asyncssh.SFTPError as error:
            raise FileError(f"the host refuses it ({error.reason})") from None
        except asyncssh.DisconnectError as error:
            self._client = None
            raise Passing(f"the connection was lost ({error.reason})") from None
        except TimeoutError:
            self._client = None
            raise Passing("it does not answer in time") from None
        except OSError as error:
            self._client = None
            raise Passing(f"it does not answer ({error.strerror or error})") from None
