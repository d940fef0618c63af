"""What is known of media files on other hosts, and when to check them again.

A run checks the URLs that are due, and stores facts or the number of failures for each.
`scheduler.py` sends the requests.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from feedpub.media.facts import Facts
from feedpub.media.scheduler import MAX_WAIT, Finished, Request, RequestSettings, Scheduler

if TYPE_CHECKING:
    from feedpub.media.ask import Answer, Asker

HOUR, DAY = 3600, 86_400
MIN_AGE, MAX_AGE = 30 * DAY, 360 * DAY  # after which facts are checked again
FIRST_WAIT = HOUR  # after the first failure


class ProbeRecord(NamedTuple):
    """What is stored for a URL between runs; times are seconds since 1970."""

    facts: Facts = Facts()
    etag: str = ""
    last_modified: str = ""
    asked: int = 0  # last request; 0: never
    since: int = 0  # since when these facts are unchanged; 0: no facts
    failures: int = 0  # in a row
    error: str = ""  # of the last request, "" on success
    not_before: int = 0  # from Retry-After


def next_time(known: ProbeRecord) -> int:
    """When a URL is due: seconds since 1970, 0 if it was never requested.

    What is known, after as long as it has stayed the same, 30 days to 360. What failed,
    after an hour, and each further time after twice as long, up to 30 days. What the host
    asks for with Retry-After is granted, up to 30 days.
    """
    if known.failures:
        wait = min(FIRST_WAIT << min(known.failures - 1, 20), MAX_WAIT)
    elif known.asked:
        wait = min(max(known.asked - known.since, MIN_AGE), MAX_AGE)
    else:
        wait = 0
    return max(known.asked + wait, known.not_before)


def due(known: ProbeRecord | None, now: float) -> bool:
    """Whether a URL is due now; also after the clock was set back."""
    if known is None or known.asked > now + DAY or known.not_before > now + MAX_WAIT + DAY:
        return True
    return next_time(known) <= now


@dataclass
class ProbeCounts:
    """Numbers of a run; `left` are those that its budget did not reach."""

    learnt: int = 0
    unchanged: int = 0
    failed: int = 0
    put_off: int = 0  # not requested because of Retry-After
    left: int = 0


def probe(
    addresses: Iterable[str],
    known: Mapping[str, ProbeRecord],
    settings: RequestSettings,
    clock: Callable[[], float] = time.time,
    counts: ProbeCounts | None = None,
) -> Generator[tuple[str, ProbeRecord], None, None]:
    """Requests all of these URLs, due or not, and yields what to store for each.

    URLs that the budget does not reach are not yielded. Ending it early (`close`,
    KeyboardInterrupt) ends all requests at once. Raises `ValueError` for an entry of
    `settings.allow` that is neither host nor network.
    """

    def ask(asker: Asker, request: Request) -> tuple[Answer, None]:
        from feedpub.media.ask import Asked

        before = known.get(request.address, ProbeRecord())
        has_facts = bool(before.facts.type)
        asked = Asked(
            request.address,
            request.url,
            before.etag if has_facts else "",
            before.last_modified if has_facts else "",
            before.facts,
            without_head=request.tries > 0,
        )
        return asker.ask(asked), None

    scheduler: Scheduler[None] = Scheduler(settings, ask, clock)
    return _remembered(scheduler, dict.fromkeys(addresses), known, clock, counts or ProbeCounts())


def _remembered(
    scheduler: Scheduler[None],
    addresses: Collection[str],
    known: Mapping[str, ProbeRecord],
    clock: Callable[[], float],
    counts: ProbeCounts,
) -> Generator[tuple[str, ProbeRecord], None, None]:
    counts.left += len(addresses)
    with contextlib.closing(scheduler.run(addresses)) as results:
        for finished in results:
            before = known.get(finished.address, ProbeRecord())
            yield finished.address, _record(finished, before, clock(), counts)


def _record(
    finished: Finished[None], before: ProbeRecord, now: float, counts: ProbeCounts
) -> ProbeRecord:
    """What to store for a URL; updates `counts`."""
    answer, seconds = finished.answer, int(now)
    counts.left -= 1
    if not finished.was_asked:
        counts.put_off += 1
        return before._replace(not_before=int(now + finished.wait) + 1)
    if answer.error:
        counts.failed += 1
        known = ProbeRecord() if answer.is_false else before
        return known._replace(
            asked=seconds,
            failures=before.failures + 1,
            error=answer.error,
            not_before=seconds + int(finished.wait) if finished.wait else 0,
        )
    facts = answer.facts or Facts()
    is_same = answer.is_unchanged or facts == before.facts
    if is_same:
        counts.unchanged += 1
    else:
        counts.learnt += 1
    since = (before.since or seconds) if is_same else seconds
    return ProbeRecord(facts, answer.etag, answer.last_modified, seconds, since)
