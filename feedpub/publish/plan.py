"""What is to be done to a target: values in, a plan out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from feedpub.config.push import Limit
from feedpub.publish.headers import ORDER
from feedpub.publish.manifest import Known, Remote
from feedpub.publish.types import (
    BYTES,
    FORCED,
    GONE,
    HEADERS,
    NEW,
    SAME,
    Action,
    Local,
    Plan,
    Stored,
)


class Wishes(NamedTuple):
    """What a push may do."""

    limit: Limit = Limit()
    delete: bool = True
    force: bool = False
    grace: timedelta = timedelta(days=7)


class There(NamedTuple):
    """What a target has: as feedpub remembers it, and as the target lists it where that is needed.

    `equal` are the files of the tree that were found there byte for byte.
    """

    remote: Remote | None = None
    manifest: bytes = b""  # what `remote` was read from
    listed: Mapping[str, Stored] | None = None
    equal: Collection[str] = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether the manifest alone tells what is there."""
        return self.remote is not None and self.remote.sure


def make_plan(
    tree: Sequence[Local],
    items: int,
    there: There,
    wishes: Wishes,
    takes_headers: bool,
    now: datetime,
) -> Plan:
    """Compares the tree with a target; `items` is for its manifest.

    Headers are remembered for targets that do not take them, too: they tell which files are kept
    for a while.
    """
    known = there.remote.files if there.remote else {}
    locals_ = {local.path: local for local in tree}
    reasons = {path: _reason(local, there, takes_headers) for path, local in locals_.items()}
    foreign = () if wishes.force else _foreign(reasons, there)
    if wishes.force:
        reasons = {path: NEW if reason == NEW else FORCED for path, reason in reasons.items()}
    puts = [
        Action("put", path, reason, locals_[path].kind, locals_[path].size)
        for path, reason in reasons.items()
        if reason != SAME
    ]
    puts.sort(key=lambda action: (ORDER.index(action.kind), action.path))

    stay: dict[str, Known] = {}
    going: list[str] = []
    for path in sorted(known.keys() - locals_.keys()):
        if there.listed is not None and path not in there.listed:
            continue
        entry = known[path]._replace(next=None)
        if not wishes.delete:
            stay[path] = entry
        elif _is_hashed(entry) and not _over(entry.gone, wishes.grace, now):
            stay[path] = entry._replace(gone=entry.gone or _iso(now))
        else:
            going.append(path)
    refused: list[str] = []
    if not wishes.limit.allows(len(going), len(known)):
        refused, going = going, []
        stay |= {path: known[path]._replace(next=None) for path in refused}

    after = {path: Known(local.sha256, local.headers) for path, local in locals_.items()} | stay
    coming = {action.path for action in puts}
    between = {path: known[path] for path in going} | {
        path: known.get(path, Known())._replace(next=(entry.sha256, entry.headers))
        if path in coming
        else entry
        for path, entry in after.items()
    }
    final = Remote(after, items).to_bytes()
    return Plan(
        actions=(*puts, *(Action("delete", path, GONE) for path in going)),
        same=len(reasons) - len(puts),
        kept=tuple(path for path in stay if path not in refused),
        refused=tuple(refused),
        foreign=tuple(foreign),
        interim=Remote(between, items, sure=False).to_bytes(),
        final=final,
        stale=final != there.manifest,
    )


def _reason(local: Local, there: There, takes_headers: bool) -> str:
    """Why a file must be brought there, `SAME` if it need not."""
    known = there.remote.files.get(local.path) if there.remote else None
    if there.listed is None:
        if known is None:
            return NEW
        if known.sha256 != local.sha256:
            return BYTES
        return SAME if not takes_headers or known.headers == local.headers else HEADERS
    if local.path not in there.listed:
        return NEW
    if local.path not in there.equal:
        return BYTES
    if not takes_headers or known is None:
        return SAME  # whoever lost the manifest has not lost the headers
    if known.next is None:
        return SAME if known.headers == local.headers else HEADERS
    # A push was cut. New bytes came with their headers; with the old bytes, nobody knows.
    came = known.sha256 != local.sha256 and known.next == (local.sha256, local.headers)
    return SAME if came else HEADERS


def _foreign(reasons: Mapping[str, str], there: There) -> list[str]:
    """Files in the way that feedpub did not put there.

    Without a manifest, one file that is there byte for byte shows that the tree was there
    before, and that the manifest was lost.
    """
    if there.listed is None or (there.remote is None and there.equal):
        return []
    known = there.remote.files if there.remote else {}
    return [path for path, reason in reasons.items() if reason == BYTES and path not in known]


def _is_hashed(known: Known) -> bool:
    return "immutable" in known.headers.get("Cache-Control", "")


def _over(gone: str, grace: timedelta, now: datetime) -> bool:
    """Whether something that nothing refers to since `gone` has been kept long enough."""
    if not grace:
        return True
    try:
        return bool(gone) and now - datetime.fromisoformat(gone) >= grace
    except (ValueError, TypeError):
        return False


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
