"""Records as bytes, for the way between processes and until they are rendered.

pickle would do, at three times the cost: it asks each named tuple how it wants to be made again.
"""

from __future__ import annotations

import marshal
from datetime import UTC, datetime
from typing import Any

from feedpub.model import (
    Contributor,
    Enclosure,
    Episode,
    License,
    Location,
    Person,
    Provider,
    Record,
    Related,
    Transcript,
)

_FORMAT = 2  # later ones write equal values in several ways
_DATES = [Record._fields.index(name) for name in ("published", "updated")]
_PROVIDER = Record._fields.index("provider")
_EPISODE = Record._fields.index("episode")
_LISTS: list[tuple[int, Any]] = [
    (Record._fields.index(name), made_of)
    for name, made_of in (
        ("authors", Person),
        ("images", Enclosure),
        ("enclosures", Enclosure),
        ("related", Related),
    )
]


def pack(record: Record) -> bytes:
    """A record's bytes; they are for this very program alone."""
    values: list[Any] = list(record)
    for n in _DATES:
        values[n] = values[n].timestamp()
    if record.provider:
        values[_PROVIDER] = tuple(record.provider)
    for n, _ in _LISTS:
        if values[n]:
            values[n] = [tuple(part) for part in values[n]]
    if record.episode:
        values[_EPISODE] = _plain(record.episode)
    return marshal.dumps(values, _FORMAT)


def unpack(data: bytes) -> Record:
    """The record that `pack` was given."""
    values: list[Any] = marshal.loads(data)  # noqa: S302 - from this very program
    for n in _DATES:
        values[n] = datetime.fromtimestamp(values[n], UTC)
    if values[_PROVIDER]:
        values[_PROVIDER] = Provider(*values[_PROVIDER])
    for n, made_of in _LISTS:
        values[n] = tuple(made_of(*part) for part in values[n])
    if values[_EPISODE]:
        values[_EPISODE] = _episode(values[_EPISODE])
    return Record(*values)


def _plain(value: Any) -> Any:
    """Without the names of named tuples, however deep they are."""
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def _episode(values: Any) -> Episode:
    episode = Episode(*values)
    return episode._replace(
        transcripts=tuple(Transcript(*part) for part in episode.transcripts),
        people=tuple(Contributor(*part) for part in episode.people),
        locations=tuple(Location(*part) for part in episode.locations),
        license=episode.license and License(*episode.license),
    )
