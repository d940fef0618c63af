"""`ftps://user@host/path`: FTP over explicit TLS (RFC 4217), by the standard library.

Each file is written under another name and renamed.
"""

from __future__ import annotations

import contextlib
import ftplib
import hashlib
import io
import re
import socket
import ssl
import threading
from collections.abc import Iterator

from feedpub.publish.errors import AlreadyExistsError, FileError, TargetError, TransientError
from feedpub.publish.targets import TargetContext
from feedpub.publish.targets.address import ParsedAddress
from feedpub.publish.targets.base import TemporaryPaths, all_or_nothing, put_after_compare
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Target, Upload

JOBS = 4  # hosts allow few connections
TIMEOUT = 30  # seconds


def connect(place: TargetContext) -> Ftp:
    """Connects, and checks that the folder or its parent exists."""
    context = None
    if place.address.scheme == "ftps":
        ca = place.path(place.settings.ca)
        try:
            context = ssl.create_default_context(cafile=str(ca) if ca else None)
        except (OSError, ssl.SSLError) as error:
            raise TargetError(f"{ca}: {error.strerror}") from None
    target = Ftp(place.address, context, place.settings.jobs or JOBS)
    try:
        target.begin()
    except BaseException:
        target.close()
        raise
    return target


class _Tls(ftplib.FTP_TLS):
    """FTP_TLS that reuses its TLS session for data connections, as many servers require."""

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
        return (
            self.context.wrap_socket(connection, server_hostname=self.host, session=session),
            size,
        )


class Ftp(Target):
    """A folder on a server. Each thread has its own connection."""

    def __init__(self, address: ParsedAddress, context: ssl.SSLContext | None, jobs: int) -> None:
        self.can = Capabilities(jobs=jobs)
        self._address = address
        self._context = context
        self._root = address.path.rstrip("/") or "/"
        self._mine = threading.local()
        self._all: list[ftplib.FTP] = []
        self._missing = False  # the folder does not exist yet
        self._left = TemporaryPaths()

    def begin(self) -> None:
        """Checks that the folder exists, or that the first upload can create it."""
        above = self._root.rpartition("/")[0] or "/"
        with all_or_nothing(), self._connection("the folder") as ftp:
            try:
                ftp.cwd(self._place(""))
            except ftplib.error_perm:
                self._missing = True
                try:
                    ftp.cwd(_wire(above))
                except ftplib.error_perm as error:
                    what = f"there is no folder {self._root}, and none above it"
                    raise TargetError(f"{what} (the host says {_message(error)})") from None

    def _connect(self) -> ftplib.FTP:
        address = self._address
        user, password = address.user or "anonymous", address.password or "anonymous@"
        if re.search(r"[\r\n]", user + password):
            raise TargetError("the user or the password contains a line break")
        ftp = _Tls(context=self._context) if self._context else ftplib.FTP()
        ftp.encoding = "latin-1"  # each byte as it is: see `_wire`
        ftp.connect(address.host, address.port or ftplib.FTP_PORT, timeout=TIMEOUT)
        try:
            ftp.login(_wire(user), _wire(password))
        except ftplib.error_perm as error:
            ftp.close()
            if str(error).startswith("530"):
                raise TargetError("the user or the password is refused") from None
            raise TargetError(f"the host refuses the login ({_message(error)})") from None
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        self._all.append(ftp)
        return ftp

    @contextlib.contextmanager
    def _connection(self, what: str) -> Iterator[ftplib.FTP]:
        """The connection of this thread; translates its errors."""
        ftp = getattr(self._mine, "ftp", None)
        try:
            if ftp is None:
                ftp = self._mine.ftp = self._connect()
            yield ftp
        except ftplib.error_temp as error:
            self._drop()
            raise TransientError(f"the host says {_message(error)}") from None
        except ftplib.error_perm as error:
            raise FileError(f"{what}: the host says {_message(error)}") from None
        except ssl.SSLCertVerificationError as error:
            self._drop()
            raise TargetError(f"its certificate is not trusted ({error.verify_message})") from None
        except (ftplib.Error, EOFError, OSError) as error:
            self._drop()
            raise TransientError(
                f"the connection failed ({error or type(error).__name__})"
            ) from None

    def _drop(self) -> None:
        ftp = getattr(self._mine, "ftp", None)
        self._mine.ftp = None
        if ftp:
            ftp.close()

    def _place(self, path: str) -> str:
        """The path on the server. Raises `FileError` if FTP cannot transmit it."""
        if re.search(r"[\r\n\0]", path):
            raise FileError("its name contains a line break, which FTP does not allow")
        return _wire(f"{self._root.rstrip('/')}/{path}".rstrip("/") or "/")

    def read(self, path: str) -> RemoteFile | None:
        data = io.BytesIO()
        with all_or_nothing(), self._connection(path) as ftp:
            try:
                ftp.retrbinary(f"RETR {self._place(path)}", data.write)
            except ftplib.error_perm as error:
                if str(error).startswith("550"):
                    return None
                raise
        return RemoteFile(data.getvalue(), hashlib.sha256(data.getvalue()).hexdigest())

    def list(self) -> dict[str, ListedFile]:
        found: dict[str, ListedFile] = {}
        folders = [] if self._missing else [""]
        with all_or_nothing():
            while folders:
                folder = folders.pop()
                with self._connection(f"{self._root}/{folder} cannot be listed") as ftp:
                    entries = _entries(ftp, self._place(folder))
                for name, facts in entries:
                    path = f"{folder}{name}"
                    if facts.get("type") == "dir":
                        folders.append(f"{path}/")
                    elif facts.get("type") not in {"cdir", "pdir"} and not self._left.take(path):
                        size = facts.get("size", "")
                        found[path] = ListedFile(int(size) if size.isdigit() else -1)
        return found

    def put(self, upload: Upload) -> None:
        place = self._place(upload.path)
        with self._connection(upload.path) as ftp:
            if upload.new and _is_there(ftp, place):
                raise AlreadyExistsError
            with self._temporary(ftp, upload.path) as fresh:
                self._store(ftp, upload, fresh)
                try:
                    ftp.rename(fresh, place)
                except ftplib.error_perm:
                    # Some servers do not rename over an existing file.
                    if not _is_there(ftp, place):
                        raise
                    self._in_its_place(ftp, fresh, upload.path)

    @contextlib.contextmanager
    def _temporary(self, ftp: ftplib.FTP, path: str) -> Iterator[str]:
        """A temporary path beside a file; on errors it is deleted, now or in `commit`."""
        fresh = self._left.beside(path)
        try:
            yield self._place(fresh)
        except BaseException:
            # It may exist in part, or not at all, and the connection may be lost.
            with contextlib.suppress(ftplib.Error, EOFError, OSError):
                ftp.delete(self._place(fresh))
                self._left.discard(fresh)
            raise
        self._left.discard(fresh)

    def _store(self, ftp: ftplib.FTP, upload: Upload, fresh: str) -> None:
        with upload.body.open() as body:
            try:
                ftp.storbinary(f"STOR {fresh}", body)
            except ftplib.error_perm:
                self._make(ftp, upload.path.rpartition("/")[0])
                body.seek(0)
                ftp.storbinary(f"STOR {fresh}", body)

    def _in_its_place(self, ftp: ftplib.FTP, fresh: str, path: str) -> None:
        """Replaces a file: moves it aside first, and back if that fails."""
        place, aside = self._place(path), self._left.beside(path)
        ftp.rename(place, self._place(aside))
        try:
            ftp.rename(fresh, place)
        except (ftplib.error_perm, ftplib.error_temp):
            ftp.rename(self._place(aside), place)
            self._left.discard(aside)
            raise
        with contextlib.suppress(ftplib.error_perm):  # `commit` tries again
            ftp.delete(self._place(aside))
            self._left.discard(aside)

    def _make(self, ftp: ftplib.FTP, folder: str) -> None:
        """Creates a folder and its parents, the target's own first."""
        parts = [part for part in folder.split("/") if part]
        for n in range(not self._missing, len(parts) + 1):
            with contextlib.suppress(ftplib.error_perm):  # it exists
                ftp.mkd(self._place("/".join(parts[:n])))
        self._missing = False

    def put_if_match(self, upload: Upload, version: str) -> str:
        return put_after_compare(self, upload, version)

    def delete(self, path: str) -> None:
        with self._connection(path) as ftp:
            if _is_there(ftp, self._place(path)):
                ftp.delete(self._place(path))
            folder = path.rpartition("/")[0]
            with contextlib.suppress(ftplib.error_perm):  # it is not empty
                while folder:
                    ftp.rmd(self._place(folder))
                    folder = folder.rpartition("/")[0]

    def commit(self, message: str) -> None:
        for path in sorted(self._left):
            with contextlib.suppress(FileError):
                self.delete(path)
        self._left.clear()

    def close(self) -> None:
        for ftp in self._all:
            with contextlib.suppress(ftplib.Error, OSError, EOFError, AttributeError):
                ftp.quit()


def _is_there(ftp: ftplib.FTP, place: str) -> bool:
    ftp.voidcmd("TYPE I")  # in text mode, many servers report no sizes
    try:
        ftp.size(place)
    except ftplib.error_perm:
        return False
    return True


def _entries(ftp: ftplib.FTP, place: str) -> list[tuple[str, dict[str, str]]]:
    """The entries of a folder, with type and size (RFC 3659, 7). Raises `TargetError`."""
    try:
        return [(_unwire(name), facts) for name, facts in ftp.mlsd(place, ["type", "size"])]
    except ftplib.error_perm as error:
        if str(error).startswith(("500", "502")):
            what = "the host cannot list folders for programs (MLSD); is there SFTP or WebDAV?"
            raise TargetError(what) from None
        raise


def _wire(text: str) -> str:
    """Text whose characters are the bytes of its UTF-8.

    ftplib encodes and decodes strictly, and others may have names there that are not UTF-8.
    """
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _unwire(text: str) -> str:
    """The reverse; bytes that are not UTF-8 become lone surrogates, and bytes again."""
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def _message(error: Exception) -> str:
    """The message of the server."""
    return str(error).encode("latin-1", "replace").decode("utf-8", "replace")
