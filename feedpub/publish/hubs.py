"""WebSub: notifies hubs of changed feeds (W3C WebSub, 6; hubs define the form of the ping)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from feedpub.config import Config
from feedpub.publish.errors import FileError, TargetError
from feedpub.publish.history import PENDING, read_state, write_state
from feedpub.publish.push import Result
from feedpub.publish.retry import RetryPolicy, attempt
from feedpub.publish.tree import copies
from feedpub.publish.types import BYTES, NEW

_JOBS = 4
MAX_IN_A_ROW = 3  # failed pings, after which a hub counts as down


class FailedPing(NamedTuple):
    """A ping that failed."""

    hub: str
    topic: str
    what: str


class PingResult(NamedTuple):
    """The result of all pings; `told` is the number of topics that hubs were notified of."""

    told: int = 0
    failed: tuple[FailedPing, ...] = ()


def tell(config: Config, results: Sequence[Result], retry: RetryPolicy) -> PingResult:
    """Notifies each hub of all feeds that pushes changed, and repeats failed pings."""
    hubs = config.settings.websub.hubs
    if not hubs:
        return PingResult()
    topics = changed_topics(config, results)
    before = set(pending(config))
    if not topics and not (before and any(result.ping for result in results)):
        return PingResult()
    todo = sorted({(hub, topic) for hub in hubs for topic in topics} | before)
    todo = [(hub, topic) for hub, topic in todo if hub in hubs]
    write_state(config, PENDING, todo)  # if this is interrupted, the next push does it
    failed = tuple(_all(todo, retry))
    write_state(config, PENDING, [(failure.hub, failure.topic) for failure in failed])
    missed = {failure.topic for failure in failed}
    return PingResult(len({topic for _, topic in todo} - missed), failed)


def pending(config: Config) -> list[tuple[str, str]]:
    """Failed pings: hub and topic."""
    remembered = read_state(config, PENDING)
    return [
        (pair[0], pair[1])
        for pair in (remembered if isinstance(remembered, list) else ())
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)
    ]


def changed_topics(config: Config, results: Iterable[Result]) -> list[str]:
    """The self URLs of feeds that pushes have changed."""
    topics = set()
    for result in results:
        aliases = copies(config, result.tree.keys())
        topics |= {
            action.path
            for action in (result.changes if result.ping else ())
            if action.kind == "feeds"
            and action.reason in {NEW, BYTES}
            and action.path in result.tree.keys() - aliases.keys()
        }
    return sorted(config.site.url + path for path in topics)


def _all(todo: Sequence[tuple[str, str]], retry: RetryPolicy) -> Iterable[FailedPing]:
    if not todo:
        return []
    from feedpub.publish.http import Client

    client, stop = Client(), threading.Event()
    in_a_row: Counter[str] = Counter()  # failed pings of each hub

    def ping(pair: tuple[str, str]) -> FailedPing | None:
        hub, topic = pair
        if in_a_row[hub] >= MAX_IN_A_ROW:
            return FailedPing(hub, topic, "the hub does not answer, so it was not tried")
        form = {"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}
        try:
            attempt(lambda _: client.ask("POST", hub, data=form), retry, stop)
        except (FileError, TargetError) as error:
            in_a_row[hub] += 1
            return FailedPing(hub, topic, str(error))
        in_a_row[hub] = 0
        return None

    try:
        with ThreadPoolExecutor(_JOBS, "hub") as pool:
            return [failed for failed in pool.map(ping, todo) if failed]
    finally:
        stop.set()
        client.close()
