"""`webdavs://host/path` (RFC 4918).

Files are put where they belong: Apache, nginx and Nextcloud write them to the side and rename
them. MOVE over a file would not do, for it deletes that first (9.9.3). The manifest is put with
If-Match: of two pushes at once, one gets a conflict.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from urllib.parse import quote, unquote, urljoin, urlsplit

from lxml import etree

from feedpub.config.target_kinds import target_kind
from feedpub.publish.errors import AlreadyExistsError, ConflictError, FileError, TargetError
from feedpub.publish.http import Client
from feedpub.publish.targets import TargetContext
from feedpub.publish.targets.base import all_or_nothing
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Target, Upload

JOBS = 8
_WANTED = (
    b'<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:"><d:prop>'
    b"<d:getcontentlength/><d:resourcetype/></d:prop></d:propfind>"
)


def connect(place: TargetContext) -> WebDav:
    """Checks that the folder or its parent exists."""
    address = place.address
    path = quote(address.path.rstrip("/"))
    auth = (address.user, address.password) if address.user else None
    # A compressed answer has another ETag than the file (RFC 9110, 8.8.3.3).
    client = Client(auth, {"Accept-Encoding": "identity"})
    base = f"{target_kind(address.scheme).http}://{address.netloc}{path}"
    target = WebDav(client, base, place.settings.jobs or JOBS)
    try:
        target.begin()
    except BaseException:
        target.close()
        raise
    return target


class WebDav(Target):
    """A collection on a host."""

    def __init__(self, client: Client, base: str, jobs: int) -> None:
        self.can = Capabilities(jobs=jobs)
        self._client = client
        self._base = base
        self._made: set[str] = set()  # existing folders; "": the target's own
        self._making = threading.Lock()

    def begin(self) -> None:
        """Checks that the folder exists, or that the first upload can create it."""
        above = urljoin(f"{self._base}/", "..")
        if self._is_there(f"{self._base}/"):
            self._made.add("")
        elif above == f"{self._base}/" or not self._is_there(above, (403, 405)):
            raise TargetError("neither the folder nor its parent exists")

    def _is_there(self, url: str, closed: tuple[int, ...] = ()) -> bool:
        """Whether a folder exists; a status in `closed` counts as yes."""
        with all_or_nothing(url):
            answer = self._client.ask(
                "PROPFIND", url, (404, 409, *closed), data=_WANTED, headers={"Depth": "0"}
            )
        return answer.status_code not in {404, 409}

    def _url(self, path: str) -> str:
        return f"{self._base}/{quote(path)}"

    def read(self, path: str) -> RemoteFile | None:
        with all_or_nothing(path):
            answer = self._client.ask("GET", self._url(path), (404,))
        if answer.status_code == 404:
            return None
        return RemoteFile(
            answer.content, self._version(answer.headers.get("ETag", ""), answer.content)
        )

    def _version(self, tag: str, data: bytes) -> str:
        """A strong ETag, else a hash of the content."""
        return tag if tag.startswith('"') else hashlib.sha256(data).hexdigest()

    def list(self) -> dict[str, ListedFile]:
        found: dict[str, ListedFile] = {}
        folders = [""]
        while folders:
            for path, size in self._members(folders.pop()):
                if size is None:
                    folders.append(path)
                else:
                    found[path] = ListedFile(size)
        return found

    def _members(self, folder: str) -> Iterator[tuple[str, int | None]]:
        """Entries of a folder with sizes; folders end with a slash and have None."""
        url = self._url(folder)
        with all_or_nothing(folder or "/"):
            answer = self._client.ask("PROPFIND", url, (404,), data=_WANTED, headers={"Depth": "1"})
        if answer.status_code == 404:
            return  # it does not exist
        above = unquote(urlsplit(self._base).path).rstrip("/") + "/"
        for response in _responses(answer.content):
            path = unquote(urlsplit(response.findtext("{DAV:}href") or "").path)
            if not path.startswith(above):
                continue
            path = path.removeprefix(above)
            if path.rstrip("/") == folder.rstrip("/"):
                continue
            if _is_folder(response):
                yield path.rstrip("/") + "/", None
            else:
                size = response.findtext(".//{DAV:}getcontentlength") or ""
                yield path, int(size) if size.isdigit() else -1

    def put(self, upload: Upload) -> None:
        self._make(upload.path.rpartition("/")[0])
        try:
            self._send(upload)
        except FileError:
            # An empty folder, as `delete` leaves them. Checking before each upload is too slow.
            if not (self._is_folder(upload.path) and self._is_empty(upload.path)):
                raise
            self._client.ask("DELETE", f"{self._url(upload.path)}/", (404,))
            self._send(upload)

    def _send(self, upload: Upload) -> None:
        headers = {"If-None-Match": "*"} if upload.new else {}
        url = self._url(upload.path)
        answer = self._client.send("PUT", url, upload.body, (412,), headers=headers)
        if answer.status_code == 412:
            raise AlreadyExistsError

    def _is_folder(self, path: str) -> bool | None:
        """None if nothing exists there."""
        url = self._url(path)
        answer = self._client.ask("PROPFIND", url, (404,), data=_WANTED, headers={"Depth": "0"})
        if answer.status_code == 404:
            return None
        return any(_is_folder(response) for response in _responses(answer.content))

    def _is_empty(self, folder: str) -> bool:
        """Whether a folder contains no files, at any depth."""
        return all(size is None and self._is_empty(path) for path, size in self._members(folder))

    def _make(self, folder: str) -> None:
        """Creates a folder and its parents (MKCOL creates only one: RFC 4918, 9.3)."""
        if folder in self._made:
            return
        if folder:
            self._make(folder.rpartition("/")[0])
        with self._making:
            if folder not in self._made:
                url = self._url(folder).rstrip("/") + "/"
                self._client.ask("MKCOL", url, (405,))
                self._made.add(folder)

    def put_if_match(self, upload: Upload, version: str) -> str:
        if version.startswith('"'):
            headers = {"If-Match": version}
        elif not version:
            headers = {"If-None-Match": "*"}
        else:
            headers = {}
            found = self.read(upload.path)
            if not found or found.version != version:
                raise ConflictError
        with all_or_nothing(upload.path):
            self._make("")
            url = self._url(upload.path)
            answer = self._client.send("PUT", url, upload.body, (412,), headers=headers)
            if answer.status_code == 412:
                raise ConflictError
            tag = answer.headers.get("ETag") or self._client.ask("HEAD", url).headers.get("ETag")
        return self._version(tag or "", upload.body.data)

    def delete(self, path: str) -> None:
        # DELETE of a collection deletes its content, too (RFC 4918, 9.6.1).
        is_folder = self._is_folder(path)
        if is_folder:
            raise FileError("there is a folder at its path")
        if is_folder is not None:
            self._client.ask("DELETE", self._url(path), (404,))

    def close(self) -> None:
        self._client.close()


def _responses(answer: bytes) -> list[etree._Element]:
    """The responses of a multistatus answer to PROPFIND."""
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        return list(etree.fromstring(answer, parser).iterfind("{DAV:}response"))
    except etree.XMLSyntaxError:
        raise TargetError("its answer to PROPFIND is no XML; is it a WebDAV server?") from None


def _is_folder(response: etree._Element) -> bool:
    return response.find(".//{DAV:}collection") is not None
