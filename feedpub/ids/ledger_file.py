"""The ledger of ids: an append-only text file, to be committed with the records.

Each line is a JSON object. `id` is the permanent id of an item, `for` the derived id: the one that
the rules give its record. Of several lines with the same `for`, the last one counts; a line in
which both are equal cancels earlier lines. `path`, `published` and `content` identify the record,
so that it is recognized if its derived id changes again.
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
_SURROGATE = re.compile("[\ud800-\udfff]")  # cannot be encoded as UTF-8


def read_ledger(path: Path, shown: str) -> Iterator[LedgerLine]:
    """Reads the lines of a ledger; none if the file is missing. `shown` is its name in messages.

    Raises `LedgerError` for an invalid line, because ids would change without it. Only an
    incomplete last line is ignored: a run was killed while writing it, and published nothing.
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
                    remedy = "restore the line from a backup or the repository"
                    if line.startswith((b"<<<<<<<", b"=======", b">>>>>>>")):
                        remedy = "keep the lines of both sides of the merge, and delete this line"
                    raise LedgerError(f"{shown}:{number}", f"{error}; {remedy}") from None
    except FileNotFoundError:
        return
    except OSError as error:
        what = f"cannot be read ({error.strerror}); fix this, because ids would change without it"
        raise LedgerError(shown, what) from error


def append_lines(path: Path, shown: str, lines: Iterable[LedgerLine]) -> int:
    """Appends lines and syncs them to disk; returns their number.

    Without lines, the file is not touched. Raises `LedgerError`; the file is then unchanged.
    """
    texts = (_text(line) for line in lines)
    parts = iter(lambda: list(itertools.islice(texts, _AT_ONCE)), [])
    part = next(parts, None)
    if part is None:
        return 0
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: after an error, closing the file would write the buffer again.
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
            f"cannot be written ({error.strerror}); nothing was published, because ids would "
            "change without it. Free some space, correct the permissions, or set another file "
            "in ids.ledger"
        )
        raise LedgerError(shown, what) from error
    return count


def _end(file: Any) -> int:
    """The offset of the next line. Completes a last line without newline; skips it if invalid."""
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
    """Parses a line. Raises `ValueError` with the reason if it is invalid."""
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
        # Some platforms wrote years before 1000 with three digits.
        moment = datetime.fromisoformat(published.zfill(len("2026-01-31T09:30:00Z")))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _time(seconds: int) -> str:
    # Not strftime: on some platforms it writes the year 999 with three digits.
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _text(line: LedgerLine) -> bytes:
    values = {"id": line.id, "for": line.derived, "path": line.path}
    if line.path:
        values["published"] = _time(line.published)
    values["content"] = line.content
    filled = {key: value for key, value in values.items() if value}
    return json.dumps(filled, ensure_ascii=False).encode() + b"\n"
