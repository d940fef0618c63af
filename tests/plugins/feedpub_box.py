"""A plugin as other packages have them: `box://NAME/` keeps files in a folder of that name."""

from __future__ import annotations

import hashlib
from pathlib import Path

from feedpub import (
    AlreadyExistsError,
    Capabilities,
    ConflictError,
    ListedFile,
    RemoteFile,
    Target,
    TargetContext,
    TargetError,
    Upload,
)


class Box(Target):
    """A folder beside config.yaml."""

    keys = ("password",)

    def __init__(self, context: TargetContext) -> None:
        if context.settings.password != "sesame":  # noqa: S105 - a test
            raise TargetError("the password is wrong")
        self.can = Capabilities(hash="sha256")
        address = context.address
        self.root = context.root / "boxes" / address.host / address.path.strip("/")

    def _path(self, path: str) -> Path:
        return self.root / path

    def read(self, path: str) -> RemoteFile | None:
        if not self._path(path).is_file():
            return None
        data = self._path(path).read_bytes()
        return RemoteFile(data, hashlib.sha256(data).hexdigest())

    def list(self) -> dict[str, ListedFile]:
        files = (path for path in self.root.rglob("*") if path.is_file())
        return {
            path.relative_to(self.root).as_posix(): ListedFile(path.stat().st_size)
            for path in files
        }

    def put(self, upload: Upload) -> None:
        path = self._path(upload.path)
        if upload.new and path.exists():
            raise AlreadyExistsError
        path.parent.mkdir(parents=True, exist_ok=True)
        with upload.body.open() as file:
            path.write_bytes(file.read())

    def put_if_match(self, upload: Upload, version: str) -> str:
        found = self.read(upload.path)
        if (found.version if found else "") != version:
            raise ConflictError
        self.put(upload)
        return upload.body.hash("sha256")

    def delete(self, path: str) -> None:
        self._path(path).unlink(missing_ok=True)


class Broken(Box):
    def __init__(self, context: TargetContext) -> None:
        raise RuntimeError("no idea")


class BrokenLater(Box):
    def list(self) -> dict[str, ListedFile]:
        raise KeyError("x")


class BrokenAtTheEnd(Box):
    def put(self, upload: Upload) -> None:
        raise SystemExit(0)
