"""Server programs of others: started on free ports of loopback, waited for, ended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_TRIES = 3  # another program may take a free port before it is used
_PATIENCE = 60.0  # seconds until a program must answer


class Program:
    """A program that runs."""

    def __init__(
        self, command: Sequence[str], ports: list[int], folder: Path, env: Mapping[str, str]
    ) -> None:
        self.ports = ports
        self.log = folder / f"log-{ports[0]}"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """At once: what it holds is not needed, and SeaweedFS would take its time."""
        self._process.kill()
        self._process.wait(10)


def start(
    command: Callable[[list[int]], Sequence[str]],
    ports: int,
    folder: Path,
    answers: Callable[[list[int]], bool],
    env: Mapping[str, str] | None = None,
) -> Program:
    """Starts what `command` says of some free ports; back when it answers."""
    for _ in range(_TRIES):
        free = _free_ports(ports)
        program = Program(command(free), free, folder, env or {})
        end = time.monotonic() + _PATIENCE
        while program.runs and time.monotonic() < end:
            if answers(free):
                return program
            time.sleep(0.1)
        program.stop()
    raise AssertionError(f"it does not start: {program.log.read_text(errors='replace')[-2000:]}")


def listens(ports: list[int]) -> bool:
    """Whether somebody listens on the first port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", ports[0]), 1):
        return True
    return False


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
