"""What targets have in common that show all of a push in one step, at its end."""

from __future__ import annotations

import abc
import threading

from feedpub.publish.errors import InTheWay
from feedpub.publish.types import Target, Upload


class Gathering(Target):
    """Remembers what it is given; `finish` of those that build on it brings it there."""

    def __init__(self) -> None:
        self.puts: dict[str, Upload] = {}
        self.deletes: set[str] = set()
        self._gathering = threading.Lock()

    @abc.abstractmethod
    def has(self, path: str) -> bool:
        """Whether something has this place already."""

    def put(self, upload: Upload) -> None:
        if upload.new and self.has(upload.path):
            raise InTheWay
        with self._gathering:
            self.puts[upload.path] = upload

    def swap(self, upload: Upload, version: str) -> str:
        self.put(upload)
        return upload.body.hash("sha256")

    def delete(self, path: str) -> None:
        with self._gathering:
            self.deletes.add(path)
