"""What was generated and pushed, and what has changed since. It contacts no target."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from feedpub.config import Config
from feedpub.config.push import without_password
from feedpub.durable import Root
from feedpub.output.manifest import MANIFEST_NAME, Manifest, ManifestError, read_manifest
from feedpub.publish.history import LastPush, recall
from feedpub.publish.hubs import pending


class TargetStatus(NamedTuple):
    """The differences between the tree and the last push to a target, as paths."""

    name: str
    to: str  # without a password
    pushed: LastPush
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class PushStatus(NamedTuple):
    """The tree and all targets."""

    files: int
    changed_at: str  # when the tree last changed (ISO 8601), "" if there is none
    damaged: tuple[str, ...]  # files that something else changed or removed
    targets: tuple[TargetStatus, ...]
    pings: int  # failed ones, which the next push repeats


def look(config: Config) -> PushStatus:
    """Compares the tree with the last pushes. A tree with a damaged manifest counts as none."""
    try:
        manifest = read_manifest(config.output) or Manifest()
    except ManifestError:
        manifest = Manifest()
    changed_at = ""
    if manifest.files:
        changed = (config.output / MANIFEST_NAME).stat().st_mtime
        changed_at = datetime.fromtimestamp(changed, UTC).isoformat(timespec="seconds")
    root = Root(config.output)
    damaged = [path for path, digest in manifest.files.items() if root.digest(path) != digest]
    return PushStatus(
        files=len(manifest.files),
        changed_at=changed_at,
        damaged=tuple(sorted(damaged)),
        targets=tuple(
            _compared(name, manifest, without_password(target.to), config)
            for name, target in config.settings.push.items()
        ),
        pings=len(pending(config)),
    )


def _compared(name: str, manifest: Manifest, to: str, config: Config) -> TargetStatus:
    pushed = recall(config, name, to)
    there, here = dict(pushed.files), manifest.files
    return TargetStatus(
        name,
        to,
        pushed,
        new=tuple(sorted(here.keys() - there.keys())),
        changed=tuple(sorted(p for p in here.keys() & there.keys() if here[p] != there[p])),
        gone=tuple(sorted(there.keys() - here.keys())),
    )
