"""`command:./deploy.sh`: a command of yours, which gets the plan as JSON on its stdin.

The manifest of the last successful run is kept in the state folder.
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

MAX_SHOWN = 500  # characters of the command's output in a message


def connect(place: TargetContext) -> Command:
    """Parses the command line; raises `TargetError`."""
    try:
        words = shlex.split(place.address.host)
    except ValueError as error:
        raise TargetError(f"the command cannot be understood ({error})") from None
    return Command(words, place)


class Command(BatchTarget):
    """Runs the command in `commit`."""

    def __init__(self, words: list[str], place: TargetContext) -> None:
        super().__init__()
        self.can = Capabilities(atomic=True, jobs=1)
        self._words = words
        self._place = place
        # Another command may have another destination.
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
            # The command reads it from the output folder; only the size is needed.
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
            "put": [_described(upload) for _, upload in sorted(self.puts.items())],
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


def _described(upload: Upload) -> dict[str, Any]:
    """A file in the plan; a generated one includes its text."""
    described = {"path": upload.path, "bytes": upload.body.size, "headers": dict(upload.headers)}
    return described | ({"text": upload.body.data.decode()} if upload.made else {})
