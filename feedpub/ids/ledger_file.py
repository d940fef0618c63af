"""The ledger of ids: a text that is appended to and never rewritten, meant to be committed.

Each line is a JSON object. `id` is what an item is called for ever, `for` what its record's own
rules would have it called today; of several lines with one `for`, the last counts, and a line in
which both are the same takes back what was said before. `path`, `published` and `content` tell by
what the record may be known again when that changes once more.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from feedpub.errors import LedgerError
from feedpub.model import LedgerLine
from feedpub.records.text import strip_unprintable

_AT_ONCE = 1000  # lines
_MAX_LINE = 100_000  # bytes
_SURROGATE = re.compile("[\ud800-\udfff]")  # which no file and no message can hold


def read_ledger(path: Path, shown: str) -> Iterator[LedgerLine]:
    """The lines of a ledger, none if there is no such file; `shown` is how messages name it.

    Raises `LedgerError` for what is no line of a ledger: without it, ids would change. A last
    line that was not ended is one that a run was killed over, before it published anything.
    """
    try:
        if path.exists() and not path.is_file():
            raise LedgerError(shown, "is not a regular file; name another one in ids.ledger")
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    if line.strip():
                        yield _line(line)
                except ValueError as error:
                    if not line.endswith(b"\n"):
                        return
                    remedy = "take the line from a backup or the repository"
                    if line.startswith((b"<<<<<<<", b"=======", b">>>>>>>")):
                        remedy = "keep the lines of both sides, and delete this one"
                    raise LedgerError(f"{shown}:{number}", f"{error}; {remedy}") from None
    except FileNotFoundError:
        return
    except OSError as error:
        what = f"cannot be read ({error.strerror}); fix this, because ids would change without it"
        raise LedgerError(shown, what) from error


def append_lines(path: Path, shown: str, lines: Iterable[LedgerLine]) -> int:
    """Appends lines, and has them on the disk before it returns how many they were.

    Without any, the file is not touched. Raises `LedgerError`; the file is then what it was.
    """
    texts = (_text(line) for line in lines)
    parts = iter(lambda: list(itertools.islice(texts, _AT_ONCE)), [])
    part = next(parts, None)
    if part is None:
        return 0
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without a buffer: what it holds would be written once more after a fault.
        with path.open("r+b" if path.exists() else "x+b", buffering=0) as file:
            end = _end(file)
            file.seek(end)
            file.truncate()
            try:
                for some in itertools.chain([part], parts):
                    count += len(some)
                    data = memoryview(b"".join(some))
                    while data:
                        data = data[file.write(data) :]
                os.fsync(file.fileno())
            except BaseException:
                file.truncate(end)
                raise
    except OSError as error:
        what = (
            f"cannot be written ({error.strerror}), and without it ids would change; "
            "nothing was published. Make room or give it the rights, or name another file "
            "in ids.ledger"
        )
        raise LedgerError(shown, what) from error
    return count


def _end(file: Any) -> int:
    """Where the next line begins: after the last that is whole, ended if it was not."""
    size: int = file.seek(0, io.SEEK_END)
    start = max(0, size - _MAX_LINE)
    if not size:
        return 0
    file.seek(start)
    tail: bytes = file.read()
    if tail.endswith(b"\n"):
        return size
    last = tail[tail.rfind(b"\n") + 1 :]
    try:
        _line(last)
    except ValueError:
        return size - len(last)
    file.write(b"\n")
    return size + 1


def _line(data: bytes) -> LedgerLine:
    """One line; raises `ValueError` that says what is wrong with it."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("this is not a JSON object") from None
    if not isinstance(values, dict):
        raise ValueError("this is not a JSON object")
    texts = [values.get(key, "") for key in ("id", "for", "path", "content")]
    if not texts[0] or not all(isinstance(text, str) for text in texts):
        raise ValueError("a line needs an id; for, path and content must be strings")
    if texts[0] != strip_unprintable(texts[0]) or any(map(_SURROGATE.search, texts)):
        raise ValueError("it has characters that are not allowed in feeds")
    published = values.get("published", "1970-01-01T00:00:00Z")
    moment = _moment(published)
    if moment is None:
        raise ValueError("published is not a time like 2026-01-31T09:30:00Z")
    own, derived, path, content = texts
    return LedgerLine(own, derived, path, int(moment.timestamp()), content)


def _moment(published: Any) -> datetime | None:
    if not isinstance(published, str):
        return None
    try:
        # Of years before 1000, some systems wrote three digits here.
        moment = datetime.fromisoformat(published.zfill(len("2026-01-31T09:30:00Z")))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _time(seconds: int) -> str:
    # Not strftime: it writes the year 999 with three digits, which nothing reads.
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _text(line: LedgerLine) -> bytes:
    values = {"id": line.id, "for": line.derived, "path": line.path}
    if line.path:
        values["published"] = _time(line.published)
    values["content"] = line.content
    said = {key: value for key, value in values.items() if value}
    return json.dumps(said, ensure_ascii=False).encode() + b"\n"
