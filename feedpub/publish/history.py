"""The last push to each target, for `feedpub status`. A push does not depend on it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from feedpub.config import Config
from feedpub.durable import write_atomic
from feedpub.publish.push import Result

PENDING = "_hubs.json"  # pings to repeat; names of targets do not start with _
_FOLDER = "push"  # below the state folder


class LastPush(NamedTuple):
    """The last push to a target."""

    to: str = ""  # the address, without a password
    when: str = ""  # ISO 8601; "" if never
    complete_at: str = ""  # when the last complete push ended
    error: str = ""
    failed: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()  # path, SHA-256: the tree of the last complete push
    written: int = 0
    removed: int = 0
    size: int = 0  # bytes
    seconds: float = 0.0


def remember(config: Config, results: Sequence[Result]) -> None:
    """Saves the results of pushes. If that fails, `status` shows older ones."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for result in results:
        last = recall(config, result.name, result.to)
        puts = sum(action.do == "put" for action in result.done.actions)
        pushed = last._replace(
            to=result.to,
            when=now,
            error=result.error,
            failed=tuple(failure.path for failure in result.done.failures),
            written=puts,
            removed=len(result.done.actions) - puts,
            size=result.done.size,
            seconds=round(result.seconds, 3),
        )
        if result.is_complete:
            pushed = pushed._replace(complete_at=now, files=tuple(result.tree.items()))
        write_state(config, f"{result.name}.json", pushed._asdict())


def forget(config: Config, name: str, to: str, why: str) -> None:
    """Saves that a target is no longer as the last push left it."""
    last = recall(config, name, to)
    pushed = last._replace(error=why, complete_at="", files=(), failed=())
    write_state(config, f"{name}.json", pushed._asdict())


def recall(config: Config, name: str, to: str) -> LastPush:
    """The last push to a target at this address; empty if it is unknown."""
    content = read_state(config, f"{name}.json")
    try:
        facts = {key: value for key, value in content.items() if key in LastPush._fields}
        facts["files"] = tuple((str(path), str(sha256)) for path, sha256 in facts["files"])
        facts["failed"] = tuple(map(str, facts["failed"]))
        pushed = LastPush(**facts)
        return pushed if pushed.to == to else LastPush()
    except (AttributeError, KeyError, TypeError, ValueError):
        return LastPush()


def read_state(config: Config, name: str) -> Any:
    """Content of a JSON file in the state folder, None if it is missing or damaged."""
    try:
        return json.loads(_file(config, name).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def write_state(config: Config, name: str, content: Any) -> None:
    """Writes a JSON file in the state folder atomically; does nothing if that fails."""
    with contextlib.suppress(OSError):
        write_atomic(_file(config, name), json.dumps(content, ensure_ascii=False).encode())


def _file(config: Config, name: str) -> Path:
    return config.state / _FOLDER / name
