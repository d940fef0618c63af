"""`netlify://site`: deploys by digest; only files that Netlify lacks are uploaded.

https://docs.netlify.com/api-and-cli-guides/api-guides/get-started-with-api/#deploy-with-the-api
A deploy names all files of the site, so those that are not feedpub's are named again.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from feedpub.publish.errors import ConflictError, FileError, TargetError, TransientError
from feedpub.publish.http import Client
from feedpub.publish.targets import TargetContext
from feedpub.publish.targets.base import BatchTarget
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Upload

API = "https://api.netlify.com"
JOBS = 4
PATIENCE = 600  # seconds that a deploy may take
_PAUSE = 1.0  # seconds between two requests for its state
_PAGE = 1000
_RAW = "application/vnd.bitballoon.v1.raw"  # the media type to request the content of a file


def connect(place: TargetContext) -> Netlify:
    """Finds the site; the token is NETLIFY_AUTH_TOKEN or the target's password."""
    address = place.address
    if not address.password:
        raise TargetError("there is no token; set NETLIFY_AUTH_TOKEN, or password: ${NAME}")
    client = Client(headers={"Authorization": f"Bearer {address.password}"})
    api = f"{place.settings.endpoint.rstrip('/') or API}/api/v1"
    site = address.host
    if "." not in site and not re.fullmatch(r"[0-9a-f-]{36}", site):
        site = f"{site}.netlify.app"
    target = Netlify(client, api, site, place.settings.jobs or JOBS)
    try:
        target.begin()
    except BaseException:
        target.close()
        raise
    return target


class Netlify(BatchTarget):
    """A site. Changes become visible in `commit`."""

    def __init__(self, client: Client, api: str, site: str, jobs: int) -> None:
        super().__init__()
        self.can = Capabilities(atomic=True, hash="sha1", jobs=jobs)
        self._client = client
        self._api = api
        self._site = site
        self._deploy = ""  # the published one
        self._listed: dict[str, str] | None = None  # path → SHA-1
        self._lock = threading.Lock()

    def _ask(self, method: str, path: str, allow: tuple[int, ...] = (), **how: Any) -> Any:
        return self._client.ask(method, f"{self._api}{path}", allow, **how)

    def begin(self) -> None:
        """Checks that the site exists."""
        answer = self._ask("GET", f"/sites/{quote(self._site)}", (404,))
        if answer.status_code == 404:
            raise TargetError(f"there is no site {self._site}; create it, or correct the name")
        site = answer.json()
        self._site = site["id"]
        self._deploy = _deploy_of(site)

    def read(self, path: str) -> RemoteFile | None:
        url = f"/sites/{self._site}/files/{quote(path)}"
        # Netlify decides by the Content-Type of the request, though it has no body.
        raw = {"Accept": _RAW, "Content-Type": _RAW}
        answer = self._ask("GET", url, (404,), headers=raw)
        if answer.status_code == 404:
            return None
        return RemoteFile(answer.content, hashlib.sha256(answer.content).hexdigest())

    def list(self) -> dict[str, ListedFile]:
        return {path: ListedFile(hash=sha1) for path, sha1 in self._files().items()}

    def _files(self) -> dict[str, str]:
        """All files of the site, with their SHA-1."""
        with self._lock:
            if self._listed is None:
                self._listed = {}
                url = f"/sites/{self._site}/files?per_page={_PAGE}"
                while url:
                    answer = self._ask("GET", url)
                    for file in answer.json():
                        self._listed[file["path"].lstrip("/")] = file["sha"]
                    url = answer.links.get("next", {}).get("url", "").removeprefix(self._api)
            return self._listed

    def has(self, path: str) -> bool:
        return path in self._files()

    def commit(self, message: str) -> None:
        try:
            self._finish(message)
        except FileError as error:
            raise TargetError(str(error)) from None

    def _finish(self, message: str) -> None:
        files = {path: sha for path, sha in self._files().items() if path not in self.deletes}
        own = {upload.body.hash("sha1"): upload for upload in self.puts.values()}
        files |= {path: upload.body.hash("sha1") for path, upload in self.puts.items()}
        if _deploy_of(self._ask("GET", f"/sites/{self._site}").json()) != self._deploy:
            raise ConflictError("other deploys were published each time")
        order = {"files": {f"/{path}": sha for path, sha in files.items()}, "async": True}
        url = f"/sites/{self._site}/deploys"
        deploy = self._ask("POST", url, json=order, params={"title": message}).json()
        deploy = self._when(deploy["id"], {"prepared", "uploading", "uploaded", "ready"})
        wanted = deploy.get("required") or []
        if any(sha not in own for sha in wanted):
            raise TargetError("Netlify asks for a file that feedpub does not have")
        self._upload(deploy["id"], [own[sha] for sha in wanted])
        self._when(deploy["id"], {"ready"})

    def _upload(self, deploy: str, uploads: Iterable[Upload]) -> None:
        """Uploads files, several at once; raises the first error."""

        def send(upload: Upload) -> None:
            self._client.send(
                "PUT",
                f"{self._api}/deploys/{deploy}/files/{quote(upload.path)}",
                upload.body,
                headers={"Content-Type": "application/octet-stream"},
            )

        with ThreadPoolExecutor(self.can.jobs, "netlify") as pool:
            running = [pool.submit(send, upload) for upload in uploads]
            try:
                for future in running:
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)  # running uploads finish
                raise

    def _when(self, deploy: str, states: set[str]) -> dict[str, Any]:
        """Waits until the deploy has one of these states."""
        end = time.monotonic() + PATIENCE
        pause = 0.05
        while True:
            found: dict[str, Any] = self._ask("GET", f"/deploys/{deploy}").json()
            if found["state"] in states:
                return found
            if found["state"] == "error":
                raise TargetError(
                    f"the deploy failed ({found.get('error_message') or 'no reason'})"
                )
            if time.monotonic() > end:
                raise TransientError(f"the deploy is still {found['state']}")
            time.sleep(pause)
            pause = min(_PAUSE, pause * 2)

    def close(self) -> None:
        self._client.close()


def _deploy_of(site: dict[str, Any]) -> str:
    return str((site.get("published_deploy") or {}).get("id", ""))
