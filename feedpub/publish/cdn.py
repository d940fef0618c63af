"""CloudFront: invalidates changed files in the cache of a distribution.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation.html
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from feedpub.config import Config
from feedpub.installation import missing
from feedpub.publish.history import read_state, write_state
from feedpub.publish.push import Result
from feedpub.publish.types import NEW

PENDING = "_cloudfront.json"  # paths of failed invalidations, by target
# Amazon charges by path, and a wildcard counts as one: hundreds of pushes a month stay free.
MAX_PATHS = 15


class PurgeResult(NamedTuple):
    """The result of all invalidations; `failed` maps targets to reasons."""

    paths: int = 0
    failed: tuple[tuple[str, str], ...] = ()


def purge(config: Config, results: Sequence[Result]) -> PurgeResult:
    """Invalidates what complete pushes changed, and repeats failed invalidations."""
    targets = config.settings.push
    behind = [result for result in results if targets[result.name].cloudfront]
    if not behind:
        return PurgeResult()
    remembered = read_state(config, PENDING)
    pending: dict[str, Any] = remembered if isinstance(remembered, dict) else {}
    told, failed = 0, []
    left: dict[str, list[str]] = {name: pending[name] for name in pending if name in targets}
    for result in behind:
        changed = [a.path for a in result.changes if a.reason != NEW]
        missed = {path for path in left.pop(result.name, ()) if isinstance(path, str)}
        files = sorted(missed.union(changed))
        if not files:
            continue
        paths = collapsed(files, urlsplit(config.site.url).path)
        if error := _invalidate(targets[result.name].cloudfront, paths):
            failed.append((result.name, error))
            left[result.name] = files
        else:
            told += len(paths)
    if left != pending:
        write_state(config, PENDING, left)
    return PurgeResult(told, tuple(failed))


def collapsed(files: Iterable[str], prefix: str) -> list[str]:
    """URL paths of files below `prefix` (with / at both ends); many are merged to folders."""
    known = paths = sorted(files)
    for depth in range(max((path.count("/") for path in known), default=0), -1, -1):
        if len(paths) <= MAX_PATHS:
            break
        paths = sorted({_at(path, depth) for path in known})
    return [prefix + quote(path, safe="/~*") for path in paths]


def _at(path: str, depth: int) -> str:
    """A path, or a wildcard for its folder at this depth if it is deeper."""
    parts = path.split("/")
    return "/".join([*parts[:depth], "*"]) if len(parts) > depth else path


def _invalidate(distribution: str, paths: Sequence[str]) -> str:
    """Invalidates paths; returns the error, "" on success."""
    try:
        import botocore.exceptions
        import botocore.session
    except ImportError:
        return missing("botocore", "cloudfront")
    batch = {
        "Paths": {"Quantity": len(paths), "Items": list(paths)},
        "CallerReference": os.urandom(16).hex(),
    }
    try:
        client = botocore.session.get_session().create_client("cloudfront", "us-east-1")
        client.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
    except botocore.exceptions.ClientError as error:
        return str(error.response.get("Error", {}).get("Message") or "it was refused")
    except botocore.exceptions.BotoCoreError as error:
        return str(error)
    return ""
