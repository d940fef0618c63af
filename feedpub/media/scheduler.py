"""Many HTTP requests in parallel: a few for each host, within a time budget.

Hosts take turns, so a slow or broken host delays only its own requests. A redirect is queued at
the host that it leads to. Retry-After is respected, and transient failures are retried.
"""

from __future__ import annotations

import heapq
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from feedpub.media.guard import RefusedError, allowed, check_url

if TYPE_CHECKING:
    import requests

    from feedpub.media.ask import Answer, Asker
    from feedpub.media.connections import Deadline

T = TypeVar("T")

MAX_WAIT = 30 * 86_400  # seconds: the longest Retry-After that is respected
_MAX_FAILURES = 4  # in a row, after which a host is given up for this run
_TURN = 10  # seconds of a host while others wait


class RequestSettings(NamedTuple):
    """Limits of requests; all times are in seconds."""

    allow: tuple[str, ...] = ()  # private hosts and networks that are allowed
    contact: str = ""  # the URL of the site, for the User-Agent
    hosts: int = 8  # in parallel
    per_host: int = 2  # parallel requests
    connect: float = 10
    read: float = 20  # timeout between two pieces of a response
    total: float = 60  # for one URL, without waiting
    budget: float = 300  # for a run
    redirects: int = 5
    retries: int = 2  # of transient failures: broken connections, 5xx, busy hosts
    backoff: float = 1  # before the first retry; twice as long before each further one


@dataclass
class Request:
    """A URL to request."""

    address: str
    url: str  # after redirects
    seen: set[str] = field(default_factory=set)  # all URLs so far
    tries: int = 0
    spent: float = 0  # seconds


class Finished(NamedTuple, Generic[T]):
    """The final answer for a URL, and the value that `work` made of it."""

    address: str
    answer: Answer
    value: T | None = None
    wait: float = 0  # seconds, from Retry-After
    was_asked: bool = True  # False: Retry-After is later than the end of the run


@dataclass
class _Host:
    name: str
    waiting: deque[Request] = field(default_factory=deque)
    active: int = 0
    since: float = 0  # start of its turn; monotonic, like not_before
    not_before: float = 0
    failures: int = 0
    error: str = ""  # set when it is given up
    session: requests.Session | None = None


Work = Callable[["Asker", Request], "tuple[Answer, T | None]"]


class Scheduler(Generic[T]):
    """One run. All state belongs to the calling thread; worker threads only send requests."""

    def __init__(
        self, settings: RequestSettings, work: Work[T], clock: Callable[[], float] = time.time
    ) -> None:
        """`work` sends one request in a worker thread, and does not follow redirects.

        Raises `ValueError` for an entry of `settings.allow` that is neither host nor network.
        """
        self._settings = settings
        self._exempt = allowed(settings.allow)
        self._ask = work
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        self._later: list[tuple[float, int, Request]] = []  # a heap of retries
        self._count = 0
        self._running: dict[threading.Thread, Deadline] = {}
        self._back: queue.SimpleQueue[
            tuple[threading.Thread, _Host, Request, float, Answer, T | None]
        ] = queue.SimpleQueue()
        self._end = time.monotonic() + settings.budget

    def run(self, addresses: Iterable[str]) -> Generator[Finished[T], None, None]:
        """Requests all of these URLs, and yields the results in any order.

        URLs that the budget does not reach are not yielded. Ending it early (`close`,
        KeyboardInterrupt) ends all requests at once.
        """
        self._end = time.monotonic() + self._settings.budget
        try:
            for address in addresses:
                yield from self._queue(Request(address, address), address)
            while self._is_busy():
                now = time.monotonic()
                if now >= self._end:
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
            self._running or self._later or any(host.waiting for host in self._hosts.values())
        )

    def _pause(self, now: float) -> float:
        """Seconds until the next request may start."""
        times = [self._end, now + 0.5]
        times += [host.not_before for host in self._hosts.values() if host.waiting]
        if self._later:
            times.append(self._later[0][0])
        return max(0.01, min(when for when in times if when > now or when == self._end) - now)

    def _queue(self, request: Request, url: str, *, first: bool = False) -> Iterator[Finished[T]]:
        """Queues a request at the host of a URL."""
        try:
            name = check_url(url)
        except RefusedError as error:
            yield self._failed(request, str(error))
            return
        request.url = url
        request.seen.add(url)
        host = self._hosts.setdefault(name, _Host(name))
        if host.error:
            yield self._failed(request, host.error)
        elif first:
            host.waiting.appendleft(request)
        else:
            host.waiting.append(request)

    def _start(self, now: float) -> Iterator[Finished[T]]:
        """Starts requests: first of hosts whose turn it is, then of others."""
        while self._later and self._later[0][0] <= now:
            _, _, request = heapq.heappop(self._later)
            yield from self._queue(request, request.url, first=True)
        ready = [h for h in self._hosts.values() if h.waiting and h.not_before <= now]
        outside = [host for host in ready if not host.active]
        active = sum(1 for host in self._hosts.values() if host.active)
        is_full = active >= self._settings.hosts
        for host in ready:
            if not host.active or (is_full and outside and now - host.since > _TURN):
                continue  # its turn ends with its running requests
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
        from feedpub.web import user_agent

        settings = self._settings
        while host.waiting and host.active < settings.per_host:
            request = host.waiting.popleft()
            if host.session is None:
                agent = user_agent(settings.contact)
                host.session = session(self._exempt, agent, settings.per_host)
            deadline = Deadline(max(1.0, settings.total - request.spent))
            thread = threading.Thread(
                target=self._work,
                args=(host, host.session, request, deadline),
                name="feedpub-ask",
                daemon=True,
            )
            try:
                thread.start()
            except RuntimeError:  # no more threads: later
                host.waiting.appendleft(request)
                return
            self._running[thread] = deadline
            host.active += 1

    def _work(
        self, host: _Host, session: requests.Session, request: Request, deadline: Deadline
    ) -> None:
        """Runs in a worker thread; any result or error is put into the queue."""
        from feedpub.media.ask import Answer, Asker

        start = time.monotonic()
        answer, value = Answer(error="it could not be requested"), None
        try:
            asker = Asker(session, deadline, self._settings.connect, self._settings.read)
            with deadline:
                answer, value = self._ask(asker, request)
        except Exception as error:
            answer = Answer(error=f"it could not be requested ({type(error).__name__})")
        finally:
            spent = time.monotonic() - start
            self._back.put((threading.current_thread(), host, request, spent, answer, value))

    def _settle(
        self,
        thread: threading.Thread,
        host: _Host,
        request: Request,
        spent: float,
        answer: Answer,
        value: T | None,
    ) -> Iterator[Finished[T]]:
        thread.join()
        del self._running[thread]
        host.active -= 1
        if not host.active:  # it goes behind the hosts that wait
            self._hosts[host.name] = self._hosts.pop(host.name)
        request.spent += spent
        host.failures = host.failures + 1 if answer.is_host else 0
        if answer.moved:
            yield from self._follow(request, answer.moved)
        elif not answer.error:
            yield Finished(request.address, answer, value)
        elif not answer.is_transient or not self._again(host, request, answer):
            yield Finished(request.address, answer, wait=self._wait(answer))
        if host.failures >= _MAX_FAILURES and not host.error:
            yield from self._give_up(host, answer.error)
        if host.not_before >= self._end:
            yield from self._put_off(host)

    def _follow(self, request: Request, url: str) -> Iterator[Finished[T]]:
        if url in request.seen:
            yield self._failed(request, "its redirects go in a circle")
        elif len(request.seen) > self._settings.redirects:
            text = f"it is redirected more than {self._settings.redirects} times"
            yield self._failed(request, text)
        else:
            yield from self._queue(request, url, first=True)

    def _wait(self, answer: Answer) -> float:
        """Retry-After in seconds, 0 without one."""
        from feedpub.web import retry_after

        return min(MAX_WAIT, retry_after(answer.wait, self._clock())) if answer.wait else 0

    def _again(self, host: _Host, request: Request, answer: Answer) -> bool:
        """Schedules a retry, and returns whether there is one in this run."""
        wait = self._wait(answer)
        if answer.wait is not None:
            host.not_before = max(host.not_before, time.monotonic() + wait)
        delay = self._settings.backoff * 2**request.tries
        delay = max(wait, delay * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        when = time.monotonic() + delay
        if request.tries >= self._settings.retries or when >= self._end:
            return False
        request.tries += 1
        self._count += 1
        heapq.heappush(self._later, (when, self._count, request))
        return True

    def _give_up(self, host: _Host, error: str) -> Iterator[Finished[T]]:
        """Fails all waiting requests of a host that cannot be reached."""
        host.error = error
        while host.waiting:
            yield self._failed(host.waiting.popleft(), error)

    def _put_off(self, host: _Host) -> Iterator[Finished[T]]:
        """Returns the waiting requests of a host whose Retry-After is later than the run."""
        from feedpub.media.ask import Answer

        wait = host.not_before - time.monotonic()
        while host.waiting:
            address = host.waiting.popleft().address
            yield Finished(address, Answer(), wait=wait, was_asked=False)

    def _failed(self, request: Request, error: str) -> Finished[T]:
        from feedpub.media.ask import Answer

        return Finished(request.address, Answer(error=error))

    def _stop(self) -> None:
        """Ends all requests, and waits for their threads."""
        for deadline in self._running.values():
            deadline.cut()
        for thread in self._running:
            thread.join(5)
        for host in self._hosts.values():
            if host.session is not None:
                host.session.close()
