"""What hosts without conditional writes do instead: look, then write."""

from __future__ import annotations

from feedpub.publish.errors import Conflict, FileError, TargetError
from feedpub.publish.types import Target, Upload


def swap_after_look(target: Target, upload: Upload, version: str) -> str:
    """`Target.swap`; between the look and the write, another push may still come."""
    found = target.read(upload.path)
    if (found.version if found else "") != version:
        raise Conflict
    try:
        target.put(upload)
    except FileError as error:
        raise TargetError(f"{upload.path}: {error}") from None
    return upload.body.hash("sha256")
