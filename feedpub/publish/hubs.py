"""WebSub: hubs are told which feeds have changed (W3C WebSub, 6; the ping is the hubs' custom)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from feedpub.config import Config
from feedpub.publish.memory import PENDING, read_state, write_state
from feedpub.publish.push import Result
from feedpub.publish.retry import Retry, attempt
from feedpub.publish.types import FileError, TargetError

_JOBS = 4


class Failed(NamedTuple):
    """A hub that was not told of a topic."""

    hub: str
    topic: str
    what: str


class Pings(NamedTuple):
    """What came of telling the hubs; `told` counts topics."""

    told: int = 0
    failed: tuple[Failed, ...] = ()


def tell(config: Config, results: Sequence[Result], retry: Retry) -> Pings:
    """Tells each hub of each feed that complete pushes changed, and what it missed before."""
    hubs = config.settings.websub.hubs
    if not hubs:
        return Pings()
    topics = changed_topics(config, results)
    before = {(str(hub), str(topic)) for hub, topic in read_state(config, PENDING) or ()}
    if not topics and not (before and any(result.ping for result in results)):
        return Pings()
    todo = sorted({(hub, topic) for hub in hubs for topic in topics} | before)
    todo = [(hub, topic) for hub, topic in todo if hub in hubs]
    failed = tuple(_all(todo, retry))
    if failed or before:
        write_state(config, PENDING, [(failure.hub, failure.topic) for failure in failed])
    missed = {failure.topic for failure in failed}
    return Pings(len({topic for _, topic in todo} - missed), failed)


def changed_topics(config: Config, results: Iterable[Result]) -> list[str]:
    """The self addresses of feeds whose files complete pushes brought."""
    aliases = config.feeds.also_at
    paths = {
        action.path
        for result in results
        if result.ping and result.is_complete
        for action in result.done.actions
        if action.do == "put" and action.kind == "feeds" and action.path in result.tree
    }
    own = [path for path in paths if path not in aliases and path.rpartition("/")[0] not in aliases]
    return sorted(config.site.url + path for path in own)


def _all(todo: Sequence[tuple[str, str]], retry: Retry) -> Iterable[Failed]:
    if not todo:
        return []
    from feedpub.publish.http import Client

    client, stop = Client(), threading.Event()

    def ping(pair: tuple[str, str]) -> Failed | None:
        hub, topic = pair
        form = {"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}
        try:
            attempt(lambda _: client.ask("POST", hub, data=form), retry, stop)
        except (FileError, TargetError) as error:
            return Failed(hub, topic, str(error))
        return None

    try:
        with ThreadPoolExecutor(_JOBS, "hub") as pool:
            return [failed for failed in pool.map(ping, todo) if failed]
    finally:
        stop.set()
        client.close()
