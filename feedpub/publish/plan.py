"""What is to be done to a target: values in, a plan out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from feedpub.config import SCHEMA_NAME
from feedpub.config.push import Limit
from feedpub.publish.remote import ManifestEntry, RemoteManifest, RemoteState
from feedpub.publish.serving.encodings import ENDINGS
from feedpub.publish.serving.headers import ORDER, is_hashed
from feedpub.publish.types import (
    BYTES,
    FORCED,
    GONE,
    HEADERS,
    NEW,
    SAME,
    Action,
    LocalFile,
    Plan,
    folders_of,
)


class PushPolicy(NamedTuple):
    """What a push may do."""

    limit: Limit = Limit()
    delete: bool = True
    force: bool = False
    grace: timedelta = timedelta(days=7)


def make_plan(
    tree: Sequence[LocalFile],
    items: int,
    there: RemoteState,
    wishes: PushPolicy,
    takes_headers: bool,
    now: datetime,
    site: str = "",
) -> Plan:
    """Compares the tree with a target; `items` and `site` are for its manifest.

    Headers are remembered for targets that do not take them, too: there is one kind of manifest.
    """
    known = there.remote.files if there.remote else {}
    locals_ = {local.path: local for local in tree}
    reasons = {path: _reason(local, there, takes_headers) for path, local in locals_.items()}
    foreign = () if wishes.force else _foreign(reasons, there)
    came = _came(locals_, reasons, there)
    if wishes.force:
        reasons = {path: FORCED if reason == SAME else reason for path, reason in reasons.items()}
    puts = [
        Action("put", path, reason, locals_[path].kind, locals_[path].size)
        for path, reason in reasons.items()
        if reason != SAME
    ]
    puts.sort(key=lambda action: (ORDER.index(action.kind), action.path))

    stay, going, refused = _leaving(locals_, there, wishes, now)
    blocking = _blocking(going, coming := {action.path for action in puts})

    after = {
        path: ManifestEntry(local.sha256, local.headers) for path, local in locals_.items()
    } | stay
    between = {path: known[path] for path in going} | {
        path: known.get(path, ManifestEntry())._replace(next=(entry.sha256, entry.headers))
        if path in coming
        else entry
        for path, entry in after.items()
    }
    final = RemoteManifest(after, items, site=site).to_bytes()
    return Plan(
        clearing=tuple(Action("delete", path, GONE) for path in going if path in blocking),
        puts=tuple(puts),
        deletes=tuple(Action("delete", path, GONE) for path in going if path not in blocking),
        came=tuple(came),
        same=len(reasons) - len(puts),
        kept=tuple(sorted(stay.keys() - set(refused))),
        refused=tuple(refused),
        foreign=tuple(foreign),
        interim=RemoteManifest(between, items, sure=False, site=site).to_bytes(),
        final=final,
        stale=final != there.manifest,
    )


def _leaving(
    tree: Mapping[str, LocalFile], there: RemoteState, wishes: PushPolicy, now: datetime
) -> tuple[dict[str, ManifestEntry], list[str], list[str]]:
    """Of what is no longer in the tree: what stays, what goes, what would but may not."""
    known = there.remote.files if there.remote else {}
    stay: dict[str, ManifestEntry] = {}
    going: list[str] = []
    stale: list[str] = []
    for path in sorted(known.keys() - tree.keys()):
        if not _is_there(path, there):
            continue
        entry = _settled(known[path])
        if _is_compressed(path, tree):
            stale.append(path)  # whatever the wishes are
        elif not wishes.delete:
            stay[path] = entry
        elif is_hashed(path) and not _over(entry.gone, wishes.grace, now):
            stay[path] = entry._replace(gone=entry.gone or _iso(now))
        else:
            going.append(path)
    if wishes.limit.allows(len(going), len(known)):
        return stay, going + stale, []
    stay |= {path: _settled(known[path]) for path in going}
    return stay, stale, going


def _reason(local: LocalFile, there: RemoteState, takes_headers: bool) -> str:
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


def _foreign(reasons: Mapping[str, str], there: RemoteState) -> list[str]:
    """Files in the way that feedpub did not put there.

    Without a manifest, one file that is there byte for byte shows that the tree was there
    before, and that the manifest was lost.
    """
    if there.listed is None or (there.remote is None and _proves(there.equal)):
        return []
    known = there.remote.files if there.remote else {}
    return [
        path
        for path, reason in reasons.items()
        if reason == BYTES and not (path in known and (known[path].sha256 or path in there.brought))
    ]


def _proves(equal: Collection[str]) -> bool:
    """Whether files that are equal show whose they are: some are the same at every site."""
    return any(not is_hashed(path) and path != SCHEMA_NAME for path in equal)


def _settled(known: ManifestEntry) -> ManifestEntry:
    """A file that nothing is about to change; one that a cut push brought is what it brought."""
    if known.next and not known.sha256:
        return ManifestEntry(*known.next)
    return known._replace(next=None)


def _is_there(path: str, there: RemoteState) -> bool:
    """Whether a file that the manifest names is there, and feedpub's.

    Of one that a push was about to bring when it was cut, somebody else may have the place.
    """
    if there.listed is None or there.remote is None:
        return True
    known = there.remote.files[path]
    return path in there.listed and bool(known.sha256 or path in there.brought)


def _is_compressed(path: str, tree: Collection[str]) -> bool:
    """Whether it is a file of the tree, compressed, as servers would still serve it."""
    return any(path.endswith(end) and path.removesuffix(end) in tree for end in ENDINGS.values())


def _blocking(going: Sequence[str], coming: Set[str]) -> set[str]:
    """Files that go and are where a folder must be, or in a folder where a file must be."""
    folders = {folder for path in coming for folder in folders_of(path)}
    return {path for path in going if path in folders or not coming.isdisjoint(folders_of(path))}


def _came(
    tree: Mapping[str, LocalFile], reasons: Mapping[str, str], there: RemoteState
) -> list[Action]:
    """What pushes that were cut have done already of what is wanted."""
    if there.listed is None or there.remote is None:
        return []
    came = []
    for path, known in there.remote.files.items():
        if path not in tree:
            if path not in there.listed:
                came.append(Action("delete", path, GONE))
        elif known.next and reasons[path] in {SAME, HEADERS} and known.sha256 != tree[path].sha256:
            reason = BYTES if known.sha256 else NEW
            came.append(Action("put", path, reason, tree[path].kind, tree[path].size))
    return came


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
