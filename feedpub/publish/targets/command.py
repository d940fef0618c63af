"""`command:./deploy.sh`: a command of the user's own, with the plan on its stdin as JSON.

What the target has is what the last plan that the command carried out left there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
from typing import Any

from feedpub.durable import write_atomic
from feedpub.output.manifest import MANIFEST_NAME
from feedpub.publish.body import Body
from feedpub.publish.errors import TargetError
from feedpub.publish.targets import TargetContext
from feedpub.publish.targets.base import BatchTarget
from feedpub.publish.types import Capabilities, ListedFile, RemoteFile, Upload

MAX_SHOWN = 500  # characters of what the command says


def connect(place: TargetContext) -> Command:
    """Looks whether the command can be understood."""
    try:
        words = shlex.split(place.address.host)
    except ValueError as error:
        raise TargetError(f"the command cannot be understood ({error})") from None
    return Command(words, place)


class Command(BatchTarget):
    """What is given to the command; nothing is sent before `commit`."""

    def __init__(self, words: list[str], place: TargetContext) -> None:
        super().__init__()
        self.can = Capabilities(atomic=True, jobs=1)
        self._words = words
        self._place = place
        # Another command brings the tree to another place.
        mark = hashlib.sha256(place.address.host.encode()).hexdigest()[:16]
        self._memory = place.state / f"{place.name}.{mark}.json"

    def read(self, path: str) -> RemoteFile | None:
        try:
            data = self._memory.read_bytes() if path == MANIFEST_NAME else b""
        except OSError:
            return None
        return RemoteFile(data, hashlib.sha256(data).hexdigest()) if data else None

    def list(self) -> dict[str, ListedFile]:
        return {}

    def has(self, path: str) -> bool:
        return False

    def put(self, upload: Upload) -> None:
        if not upload.made and upload.path != MANIFEST_NAME:
            # The command finds it in the output folder: its size is all that must be kept.
            body = Body(file=self._place.output / upload.path, length=upload.body.size)
            upload = upload._replace(body=body)
        super().put(upload)

    def commit(self, message: str) -> None:
        place = self._place
        manifest = self.puts.pop(MANIFEST_NAME).body.data
        plan = {
            "target": place.name,
            "message": message,
            "tree": str(place.output),
            "put": [_told(upload) for _, upload in sorted(self.puts.items())],
            "delete": sorted(self.deletes),
        }
        env = os.environ | {"FEEDPUB_TREE": str(place.output), "FEEDPUB_TARGET": place.name}
        try:
            done = subprocess.run(  # noqa: S603 - the user's own, from config.yaml
                self._words,
                cwd=place.root,
                env=env,
                input=json.dumps(plan, ensure_ascii=False).encode(),
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise TargetError(f"{self._words[0]} cannot be run ({error.strerror})") from None
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
            tail = f": {said[-MAX_SHOWN:]}" if said else ""
            raise TargetError(f"{self._words[0]} ended with {done.returncode}{tail}")
        self._remember(manifest)

    def _remember(self, manifest: bytes) -> None:
        try:
            write_atomic(self._memory, manifest)
        except OSError as error:
            raise TargetError(f"{self._memory}: {error.strerror}") from None


def _told(upload: Upload) -> dict[str, Any]:
    """A file as the plan has it; one that is not in the tree comes with its text."""
    told = {"path": upload.path, "bytes": upload.body.size, "headers": dict(upload.headers)}
    return told | ({"text": upload.body.data.decode()} if upload.made else {})
