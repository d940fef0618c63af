"""Records as the store keeps them: what selection, placing and windows need, and no more."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from feedpub.model import Placement, Provider, Record, RecordHead
from feedpub.store.rows import RecordRow

Feeds = Sequence[tuple[str, str]]  # the feeds that a record belongs to: path and kind


def seconds(moment: datetime) -> int:
    """A moment as the store keeps it."""
    return int(moment.timestamp())


def row_of(
    record: Record, part: int | None, digest: bytes, reason: str, media: str = ""
) -> RecordRow:
    """A record's row: its head, its id, and where it is."""
    head = record.head
    provider = head.provider
    return RecordRow(
        part=part,
        line=record.line,
        guid=record.id,
        guid_from=record.id_from,
        published=seconds(head.published),
        updated=seconds(head.updated),
        digest=digest,
        status=head.status,
        topics="\n".join(head.topics),
        provider=provider.name if provider else None,
        domain=provider.domain if provider else None,
        provider_url=provider.url if provider else None,
        image=provider.image if provider else None,
        language=head.language,
        type=head.type,
        category=head.category,
        price=head.price,
        quality=head.quality,
        heat=head.heat,
        reason=reason,
        feeds=b"",
        guid_key=guid_key(record.id),
        derived=record.derived,
        media=media,
    )


def guid_key(guid: str) -> int:
    """64 bits that nearly always tell one guid from another."""
    key = hashlib.blake2b(guid.encode(), digest_size=8).digest()
    return int.from_bytes(key, "big", signed=True)


def name_of(file: str, part: int | None) -> str:
    """A record as messages name it; `part` counts from 0 what they count from 1."""
    return file if part is None else f"{file}#{part + 1}"


def named(row: RecordRow, guid: str, derived: str) -> RecordRow:
    """A row under another guid; `derived` is what its record's own rules give."""
    return row._replace(
        guid=guid, guid_key=guid_key(guid), derived="" if guid == derived else derived
    )


def feeds_of(placements: Sequence[Placement]) -> Feeds:
    """Placements as the store takes them."""
    return [placement[:2] for placement in placements]


def topics_of(text: str) -> tuple[str, ...]:
    """Topics as the store keeps them."""
    return tuple(text.split("\n")) if text else ()


def head_of(row: RecordRow) -> RecordHead:
    """The head of a stored record; of a new one, `Record.head` gives the same."""
    provider = None
    if row.provider is not None:
        provider = Provider(row.provider, row.domain or "", row.provider_url or "", row.image or "")
    return RecordHead(
        published=datetime.fromtimestamp(row.published, UTC),
        updated=datetime.fromtimestamp(row.updated, UTC),
        provider=provider,
        topics=topics_of(row.topics),
        language=row.language,
        type=row.type,
        category=row.category,
        price=row.price,
        quality=row.quality,
        heat=row.heat,
        status=row.status,
    )
