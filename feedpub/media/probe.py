"""Asking hosts about media files: many at once, politely, within a budget, come what may.

A run asks what is due, and remembers of each address what it learnt or how often it failed.
Hosts are asked side by side and each a few requests at once; one that is slow, down or
hostile costs its own addresses and nobody else's. Redirects are asked at the host that
they lead to, in its turn.
"""

from __future__ import annotations

import heapq
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from feedpub.media.facts import Facts
from feedpub.media.guard import Allowed, RefusedError, allowed, check_url, user_agent

if TYPE_CHECKING:
    import requests

    from feedpub.media.ask import Outcome
    from feedpub.media.connections import Deadline

HOUR, DAY = 3600, 86_400
MIN_AGE, MAX_AGE = 30 * DAY, 360 * DAY  # after which what is known is asked again
FIRST_WAIT, MAX_WAIT = HOUR, 30 * DAY  # after which what failed is asked again
_MAX_FAILURES = 4  # one after another, of a host itself: then it is let be for the run
_TURN = 10  # seconds that a host has while others wait for its place


class ProbeRecord(NamedTuple):
    """What is remembered of an address between runs; times are seconds since 1970."""

    facts: Facts = Facts()
    etag: str = ""
    last_modified: str = ""
    asked: int = 0  # 0: never
    since: int = 0  # when these facts were first learnt; 0: never
    failures: int = 0  # in a row
    error: str = ""  # of the last time, in few words; "" if it went well
    not_before: int = 0  # the host asks not to be asked before


def next_time(known: ProbeRecord) -> int:
    """When an address is to be asked (again): seconds since 1970, 0 if it never was.

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
    """Whether an address is to be asked now; a clock that was set back makes it so too."""
    if known is None or known.asked > now + DAY or known.not_before > now + MAX_WAIT + DAY:
        return True
    return next_time(known) <= now


class ProbeSettings(NamedTuple):
    """How hosts are asked; all times are in seconds."""

    allow: tuple[str, ...] = ()  # hosts and networks that may be asked though not public
    contact: str = ""  # the address of the site, for the User-Agent
    hosts: int = 8  # asked at once
    per_host: int = 2  # requests at once
    connect: float = 10
    read: float = 20  # between two pieces of an answer
    total: float = 60  # for one address, without what it waits
    budget: float = 300  # for a run
    redirects: int = 5
    retries: int = 2  # of what may pass: connections that break, 5xx, hosts that are busy
    backoff: float = 1  # before the first retry; twice as long before each further one


@dataclass
class ProbeCounts:
    """What a run came to; `left` are those that its budget did not reach, left as they were."""

    learnt: int = 0
    unchanged: int = 0
    failed: int = 0
    put_off: int = 0  # not asked, since their host wants to be let be
    left: int = 0


def probe(
    addresses: Iterable[str],
    known: Mapping[str, ProbeRecord],
    settings: ProbeSettings,
    clock: Callable[[], float] = time.time,
    tally: ProbeCounts | None = None,
) -> Generator[tuple[str, ProbeRecord], None, None]:
    """Asks for all the addresses, due or not, and gives what is to be remembered as it comes.

    Those that the budget does not reach are not given: nothing is to be remembered of
    them. Ending it early (`close`, KeyboardInterrupt) ends all requests at once. Raises
    `ValueError` for an entry of `settings.allow` that is none.
    """
    run = _Run(settings, allowed(settings.allow), clock, tally or ProbeCounts())
    return run.results(dict.fromkeys(addresses), known)


@dataclass
class _Job:
    address: str
    known: ProbeRecord
    url: str
    seen: set[str] = field(default_factory=set)  # where redirects led
    tries: int = 0
    spent: float = 0  # seconds


@dataclass
class _Host:
    name: str
    waiting: deque[_Job] = field(default_factory=deque)
    active: int = 0
    since: float = 0  # its turn began; monotonic, like not_before
    not_before: float = 0
    failures: int = 0
    error: str = ""  # it is let be for this run
    session: requests.Session | None = None


class _Run:
    """One run. All state is the consuming thread's own; the others ask and hand back."""

    def __init__(
        self,
        settings: ProbeSettings,
        exempt: Allowed,
        clock: Callable[[], float],
        tally: ProbeCounts,
    ) -> None:
        self._settings = settings
        self._exempt = exempt
        self._clock = clock
        self._tally = tally
        self._hosts: dict[str, _Host] = {}
        self._later: list[tuple[float, int, _Job]] = []  # a heap of what is tried again
        self._count = 0
        self._lines: dict[threading.Thread, Deadline] = {}
        self._back: queue.SimpleQueue[tuple[threading.Thread, _Host, _Job, float, Outcome]]
        self._back = queue.SimpleQueue()
        self._deadline = time.monotonic() + settings.budget

    def results(
        self, addresses: Iterable[str], known: Mapping[str, ProbeRecord]
    ) -> Generator[tuple[str, ProbeRecord], None, None]:
        self._deadline = time.monotonic() + self._settings.budget
        try:
            for address in addresses:
                self._tally.left += 1
                job = _Job(address, known.get(address, ProbeRecord()), address)
                yield from self._queue(job, address)
            while self._is_busy():
                now = time.monotonic()
                if now >= self._deadline:
                    break
                yield from self._start(now)
                try:
                    back = self._back.get(timeout=self._pause(time.monotonic()))
                except queue.Empty:
                    continue
                yield from self._settle(*back)
        finally:
            self._stop()

    def _is_busy(self) -> bool:
        return bool(
            self._lines or self._later or any(host.waiting for host in self._hosts.values())
        )

    def _pause(self, now: float) -> float:
        """Seconds until there is something to do besides taking an answer."""
        times = [self._deadline, now + 0.5]
        times += [host.not_before for host in self._hosts.values() if host.waiting]
        if self._later:
            times.append(self._later[0][0])
        return max(0.01, min(when for when in times if when > now or when == self._deadline) - now)

    def _queue(
        self, job: _Job, url: str, *, first: bool = False
    ) -> Iterator[tuple[str, ProbeRecord]]:
        """Lets a job wait for its turn at the host of an address."""
        try:
            name = check_url(url)
        except RefusedError as error:
            yield self._failed(job, str(error), is_false=False)
            return
        job.url = url
        job.seen.add(url)
        host = self._hosts.setdefault(name, _Host(name))
        if host.error:
            yield self._failed(job, host.error, is_false=False)
        elif first:
            host.waiting.appendleft(job)
        else:
            host.waiting.append(job)

    def _start(self, now: float) -> Iterator[tuple[str, ProbeRecord]]:
        """Starts what may be started: those that have their turn first, then new ones."""
        while self._later and self._later[0][0] <= now:
            _, _, job = heapq.heappop(self._later)
            yield from self._queue(job, job.url, first=True)
        ready = [h for h in self._hosts.values() if h.waiting and h.not_before <= now]
        outside = [host for host in ready if not host.active]
        active = sum(1 for host in self._hosts.values() if host.active)
        is_full = active >= self._settings.hosts
        for host in ready:
            if not host.active or (is_full and outside and now - host.since > _TURN):
                continue  # its turn is over once its requests are
            self._fill(host)
        for host in outside:
            if active >= self._settings.hosts:
                break
            active += 1
            host.since = now
            self._fill(host)
        for host in self._hosts.values():
            if host.session is not None and not host.active:
                host.session.close()
                host.session = None

    def _fill(self, host: _Host) -> None:
        from feedpub.media.connections import Deadline, session

        settings = self._settings
        while host.waiting and host.active < settings.per_host:
            job = host.waiting.popleft()
            if host.session is None:
                agent = user_agent(settings.contact)
                host.session = session(self._exempt, agent, settings.per_host)
            line = Deadline(max(1.0, settings.total - job.spent))
            thread = threading.Thread(
                target=self._work,
                args=(host, host.session, job, line),
                name="feedpub-probe",
                daemon=True,
            )
            try:
                thread.start()
            except RuntimeError:  # the system has none to give: later, then
                host.waiting.appendleft(job)
                return
            self._lines[thread] = line
            host.active += 1

    def _work(self, host: _Host, session: requests.Session, job: _Job, line: Deadline) -> None:
        """One request of another thread; whatever happens is handed back."""
        from feedpub.media.ask import Asked, Asker, Outcome

        start = time.monotonic()
        outcome = Outcome(error="it could not be asked")
        try:
            asker = Asker(session, line, self._settings.connect, self._settings.read)
            known = job.known
            asked = Asked(
                job.address,
                job.url,
                known.etag if known.facts.type else "",
                known.last_modified if known.facts.type else "",
                known.facts,
                without_head=job.tries > 0,
            )
            with line:
                outcome = asker.ask(asked)
        except Exception as error:
            outcome = Outcome(error=f"it could not be asked ({type(error).__name__})")
        finally:
            spent = time.monotonic() - start
            self._back.put((threading.current_thread(), host, job, spent, outcome))

    def _settle(
        self, thread: threading.Thread, host: _Host, job: _Job, spent: float, outcome: Outcome
    ) -> Iterator[tuple[str, ProbeRecord]]:
        thread.join()
        del self._lines[thread]
        host.active -= 1
        if not host.active:  # others that waited come before it
            self._hosts[host.name] = self._hosts.pop(host.name)
        job.spent += spent
        host.failures = host.failures + 1 if outcome.is_host else 0
        if outcome.moved:
            yield from self._follow(job, outcome.moved)
        elif outcome.facts is not None:
            yield self._learnt(job, outcome)
        elif not outcome.is_passing or not self._again(host, job, outcome):
            wait = self._wait(outcome)
            yield self._failed(job, outcome.error, outcome.is_false, wait)
        if host.failures >= _MAX_FAILURES and not host.error:
            yield from self._give_up(host, outcome.error)
        if host.not_before >= self._deadline:
            yield from self._put_off(host)

    def _follow(self, job: _Job, url: str) -> Iterator[tuple[str, ProbeRecord]]:
        if url in job.seen:
            yield self._failed(job, "its redirects go in a circle", is_false=False)
        elif len(job.seen) > self._settings.redirects:
            text = f"it is redirected more than {self._settings.redirects} times"
            yield self._failed(job, text, is_false=False)
        else:
            yield from self._queue(job, url, first=True)

    def _wait(self, outcome: Outcome) -> float:
        """Seconds that the host wants to be let be."""
        from feedpub.media.ask import retry_after

        return min(MAX_WAIT, retry_after(outcome.wait, self._clock())) if outcome.wait else 0

    def _again(self, host: _Host, job: _Job, outcome: Outcome) -> bool:
        """Whether a job is tried once more in this run, and if so, when."""
        wait = self._wait(outcome)
        if outcome.wait is not None:
            host.not_before = max(host.not_before, time.monotonic() + wait)
        delay = self._settings.backoff * 2**job.tries
        delay = max(wait, delay * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        when = time.monotonic() + delay
        if job.tries >= self._settings.retries or when >= self._deadline:
            return False
        job.tries += 1
        self._count += 1
        heapq.heappush(self._later, (when, self._count, job))
        return True

    def _give_up(self, host: _Host, error: str) -> Iterator[tuple[str, ProbeRecord]]:
        """What else waits for a host that can't be reached fails unasked."""
        host.error = error
        while host.waiting:
            yield self._failed(host.waiting.popleft(), error, is_false=False)

    def _put_off(self, host: _Host) -> Iterator[tuple[str, ProbeRecord]]:
        """What waits for a host that wants to be let be for longer than the run."""
        until = int(self._clock() + host.not_before - time.monotonic()) + 1
        while host.waiting:
            job = host.waiting.popleft()
            self._tally.put_off += 1
            self._tally.left -= 1
            yield job.address, job.known._replace(not_before=until)

    def _learnt(self, job: _Job, outcome: Outcome) -> tuple[str, ProbeRecord]:
        now = int(self._clock())
        facts = outcome.facts or Facts()
        is_same = outcome.is_unchanged or facts == job.known.facts
        self._tally.left -= 1
        if is_same:
            self._tally.unchanged += 1
        else:
            self._tally.learnt += 1
        since = (job.known.since or now) if is_same else now
        return job.address, ProbeRecord(facts, outcome.etag, outcome.last_modified, now, since)

    def _failed(
        self, job: _Job, error: str, is_false: bool, wait: float = 0
    ) -> tuple[str, ProbeRecord]:
        """A failure, which leaves what is known as it was, unless that is shown to be false."""
        now = int(self._clock())
        self._tally.left -= 1
        self._tally.failed += 1
        known = ProbeRecord() if is_false else job.known
        return job.address, known._replace(
            asked=now,
            failures=job.known.failures + 1,
            error=error,
            not_before=now + int(wait) if wait else 0,
        )

    def _stop(self) -> None:
        """Ends every request, and waits for the threads that made them."""
        for line in self._lines.values():
            line.cut()
        for thread in self._lines:
            thread.join(5)
        for host in self._hosts.values():
            if host.session is not None:
                host.session.close()
