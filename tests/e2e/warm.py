"""Processes that have feedpub loaded, and fork for each command: starting Python costs more.

What a command does, leaves and ends with is the same; only the imports are done already. Tests of
the start itself (environment, permissions, terminals) start a process of their own.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

# Importing the first runs a command; the others start threads, which no fork survives.
_NOT_LOADED = ("feedpub.__main__", "feedpub.publish.targets.")
_CONFIG = "site: {title: Warm, url: 'https://feeds.example.org/'}\nrecords: [a.md]\n"
_RECORD = "---\ntitle: A\ndate: 2020-01-02\ntopics: [T]\nprovider: P\n---\nText.\n"


class _WarmProcess:
    """Runs commands one after another."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def run(self, order: Mapping[str, Any], files: Sequence[IO[bytes]], timeout: float) -> int:
        """What the command ends with; raises `TimeoutError`, after which nothing can be run."""
        data = json.dumps(order).encode()
        try:
            self._socket.settimeout(timeout)
            header = len(data).to_bytes(8, "big")
            socket.send_fds(self._socket, [header], [file.fileno() for file in files])
            self._socket.sendall(data)
            return int.from_bytes(_exactly(self._socket, 4), "big", signed=True)
        except TimeoutError:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends it, and what it runs."""
        self._socket.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


# Two at least, in turns: each has a hash seed of its own, so that an order that depends on it
# shows. More, where threads run commands at the same time.
_idle: list[_WarmProcess] = []


def run_warm(
    args: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    out: IO[bytes],
    err: IO[bytes],
    timeout: float,
    hook: str = "",
    die_at: int = 0,
    delay: float | None = None,
) -> int:
    """The exit code of `feedpub ARGS`, negative for a signal, as subprocess has it.

    `hook` is Python that is run before. The command is killed at its step `die_at`, or after
    `delay` seconds. Raises `TimeoutError`.
    """
    process = None
    if len(_idle) > 1:
        with contextlib.suppress(IndexError):  # another thread may have been faster
            process = _idle.pop(0)
    if process is None:
        process = _WarmProcess()
        atexit.register(process.stop)
    order = {
        "args": [*args],
        "cwd": str(cwd),
        "env": dict(env),
        "hook": hook,
        "die_at": die_at,
        "delay": delay,
    }
    code = process.run(order, [out, err], timeout)
    _idle.append(process)
    return code


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = line.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


# --- In the warm process ----------------------------------------------


class _DeathAt:
    """Kills the process before its Nth call that may change a file or the memory."""

    CALLS = frozenset(
        "open write fsync replace rename link unlink remove mkdir rmdir rmtree connect execute "
        "executemany executescript commit close __exit__ fetchone fetchall flock utime".split()
    )

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, frame: Any, event: str, arg: Any) -> None:
        if event not in {"call", "c_call"}:
            return
        name = arg.__name__ if event == "c_call" else frame.f_code.co_name
        if name in self.CALLS:
            self.left -= 1
            if self.left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def _serve(line: socket.socket) -> None:
    _load()
    while True:
        header, files, _, _ = socket.recv_fds(line, 8, 2)
        if not header:
            return
        order = json.loads(_exactly(line, int.from_bytes(header, "big")))
        child = os.fork()
        if not child:
            line.close()
            _become(order, files)
        for file in files:
            os.close(file)
        if order["delay"] is not None:
            time.sleep(order["delay"])
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        line.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))


def _load() -> None:
    """What a run loads, and what it makes once for all runs."""
    for module in pkgutil.walk_packages(importlib.import_module("feedpub").__path__, "feedpub."):
        if not module.name.startswith(_NOT_LOADED):
            importlib.import_module(module.name)
    from feedpub.cli import cli

    with tempfile.TemporaryDirectory(prefix="feedpub-warm-") as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(_CONFIG, "utf-8")
        (Path(folder) / "a.md").write_text(_RECORD, "utf-8")
        cli.main(
            ["-c", str(config), "generate", "-q", "--report", os.devnull], standalone_mode=False
        )
    gc.collect()
    gc.freeze()


def _become(order: Mapping[str, Any], files: Sequence[int]) -> NoReturn:
    """What a new process with this command line would be."""
    try:
        os.dup2(files[0], 1)
        os.dup2(files[1], 2)
        os.closerange(3, 256)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        time.tzset()
        tempfile.tempdir = None
        sys.argv = ["feedpub", *order["args"]]
        exec(order["hook"], {})  # noqa: S102 - Python of the tests' own
        if order["die_at"]:
            sys.setprofile(_DeathAt(order["die_at"]))
        runpy.run_module("feedpub", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
