"""Planning a push: a pure function of what a target should have and what it has."""

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
    """What a push is allowed to do."""

    limit: Limit = Limit()
    delete: bool = True
    force: bool = False
    grace: timedelta = timedelta(days=7)


def make_plan(
    tree: Sequence[LocalFile],
    items: int,
    state: RemoteState,
    policy: PushPolicy,
    takes_headers: bool,
    now: datetime,
    site: str = "",
) -> Plan:
    """Compares the tree with a target; `items` and `site` are for the new manifest.

    The manifest has headers also for targets that do not store any.
    """
    known = state.remote.files if state.remote else {}
    locals_ = {local.path: local for local in tree}
    reasons = {path: _reason(local, state, takes_headers) for path, local in locals_.items()}
    foreign = () if policy.force else _foreign_files(reasons, state)
    done_before = _done_before(locals_, reasons, state)
    if policy.force:
        reasons = {path: FORCED if reason == SAME else reason for path, reason in reasons.items()}
    puts = [
        Action("put", path, reason, locals_[path].kind, locals_[path].size)
        for path, reason in reasons.items()
        if reason != SAME
    ]
    puts.sort(key=lambda action: (ORDER.index(action.kind), action.path))

    stay, going, refused = _leftovers(locals_, state, policy, now)
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
        done_before=tuple(done_before),
        same=len(reasons) - len(puts),
        kept=tuple(sorted(stay.keys() - set(refused))),
        refused=tuple(refused),
        foreign=tuple(foreign),
        interim=RemoteManifest(between, items, is_complete=False, site=site).to_bytes(),
        final=final,
        manifest_changed=final != state.manifest,
    )


def _leftovers(
    tree: Mapping[str, LocalFile], state: RemoteState, policy: PushPolicy, now: datetime
) -> tuple[dict[str, ManifestEntry], list[str], list[str]]:
    """Files that are no longer in the tree: kept, deleted, not deleted because of the limit."""
    known = state.remote.files if state.remote else {}
    stay: dict[str, ManifestEntry] = {}
    going: list[str] = []
    copies: list[str] = []
    for path in sorted(known.keys() - tree.keys()):
        if not _is_there(path, state):
            continue
        entry = _without_pending(known[path])
        if _is_compressed(path, tree):
            copies.append(path)  # deleted in any case
        elif not policy.delete:
            stay[path] = entry
        elif is_hashed(path) and not _is_grace_over(entry.gone, policy.grace, now):
            stay[path] = entry._replace(gone=entry.gone or _iso(now))
        else:
            going.append(path)
    if policy.limit.allows(len(going), len(known)):
        return stay, going + copies, []
    stay |= {path: _without_pending(known[path]) for path in going}
    return stay, copies, going


def _reason(local: LocalFile, state: RemoteState, takes_headers: bool) -> str:
    """Why a file must be uploaded, or `SAME`."""
    known = state.remote.files.get(local.path) if state.remote else None
    if state.listed is None:
        if known is None:
            return NEW
        if known.sha256 != local.sha256:
            return BYTES
        return SAME if not takes_headers or known.headers == local.headers else HEADERS
    if local.path not in state.listed:
        return NEW
    if local.path not in state.equal:
        return BYTES
    if not takes_headers or known is None:
        return SAME  # if only the manifest was lost, the headers are as before
    if known.next is None:
        return SAME if known.headers == local.headers else HEADERS
    # After an interrupted push: new content came with its headers; otherwise they are unknown.
    done_before = known.sha256 != local.sha256 and known.next == (local.sha256, local.headers)
    return SAME if done_before else HEADERS


def _foreign_files(reasons: Mapping[str, str], state: RemoteState) -> list[str]:
    """Files that would be overwritten though feedpub did not write them.

    Without a manifest, a file that is equal byte for byte proves that feedpub pushed here
    before, and only the manifest was lost.
    """
    if state.listed is None or (state.remote is None and _proves(state.equal)):
        return []
    known = state.remote.files if state.remote else {}
    return [
        path
        for path, reason in reasons.items()
        if reason == BYTES
        and not (path in known and (known[path].sha256 or path in state.uploaded))
    ]


def _proves(equal: Collection[str]) -> bool:
    """Whether equal files prove that feedpub wrote them: some are equal on every site."""
    return any(not is_hashed(path) and path != SCHEMA_NAME for path in equal)


def _without_pending(known: ManifestEntry) -> ManifestEntry:
    """An entry without a pending upload; of an upload that an interrupted push completed."""
    if known.next and not known.sha256:
        return ManifestEntry(*known.next)
    return known._replace(next=None)


def _is_there(path: str, state: RemoteState) -> bool:
    """Whether a file of the manifest exists and is feedpub's.

    A file that an interrupted push did not complete may be somebody else's.
    """
    if state.listed is None or state.remote is None:
        return True
    known = state.remote.files[path]
    return path in state.listed and bool(known.sha256 or path in state.uploaded)


def _is_compressed(path: str, tree: Collection[str]) -> bool:
    """Whether it is a compressed copy of a file of the tree, which a server would prefer."""
    return any(path.endswith(end) and path.removesuffix(end) in tree for end in ENDINGS.values())


def _blocking(going: Sequence[str], coming: Set[str]) -> set[str]:
    """Deleted files whose path must become a folder, or whose folder must become a file."""
    folders = {folder for path in coming for folder in folders_of(path)}
    return {path for path in going if path in folders or not coming.isdisjoint(folders_of(path))}


def _done_before(
    tree: Mapping[str, LocalFile], reasons: Mapping[str, str], state: RemoteState
) -> list[Action]:
    """What interrupted pushes have already done of this plan."""
    if state.listed is None or state.remote is None:
        return []
    done_before = []
    for path, known in state.remote.files.items():
        if path not in tree:
            if path not in state.listed:
                done_before.append(Action("delete", path, GONE))
        elif known.next and reasons[path] in {SAME, HEADERS} and known.sha256 != tree[path].sha256:
            reason = BYTES if known.sha256 else NEW
            done_before.append(Action("put", path, reason, tree[path].kind, tree[path].size))
    return done_before


def _is_grace_over(gone: str, grace: timedelta, now: datetime) -> bool:
    """Whether the grace period is over for a file that was dropped at `gone`."""
    if not grace:
        return True
    try:
        return bool(gone) and now - datetime.fromisoformat(gone) >= grace
    except (ValueError, TypeError):
        return False


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
