"""Run processes in turn and keep what each took."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Timer

RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in the unit of ru_maxrss
LOG_TAIL = 1000  # characters of what a process said that are shown when it fails


class FailedError(Exception):
    """A process ended with an exit code other than 0."""


class TooLongError(Exception):
    """A process was stopped, for it took too long."""


@dataclass(frozen=True)
class Sample:
    """What one process took."""

    wall: float  # seconds
    cpu: float  # seconds, user and system, children included
    rss: float  # bytes, of the largest single process
    files: int  # written


@dataclass(frozen=True)
class Process:
    """A command to measure; prepare is called before each run, not timed, and returns it."""

    prepare: Callable[[], Sequence[str]]
    output: Callable[[], Path | None] = lambda: None  # where it writes, asked after the run
    environment: Mapping[str, str] | None = None
    folder: Path = Path()  # where it runs
    most_runs: int | None = None  # further turns pass it over
    longest: float | None = None  # seconds after which it is stopped


def run(process: Process, log: Path) -> Sample:
    command = list(process.prepare())
    environment = {**os.environ, **(process.environment or {})}
    # posix_spawn and not subprocess: the less is between the clock and the process, the better.
    actions = [
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    with chdir(process.folder):
        began = time.time_ns()
        start = time.perf_counter()
        pid = os.posix_spawn(command[0], command, environment, file_actions=actions)
        stop = Timer(process.longest or 0, os.kill, (pid, signal.SIGKILL))
        if process.longest:
            stop.start()
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - start
        stop.cancel()
    if process.longest and wall > process.longest:
        raise TooLongError(f"stopped after {process.longest / 60:.0f} minutes")
    if code := os.waitstatus_to_exitcode(status):
        said = log.read_text(errors="replace")[-LOG_TAIL:].strip()
        raise FailedError(f"{' '.join(command)}: exit code {code}\n{said}")
    output = process.output()
    return Sample(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        rss=usage.ru_maxrss * RSS_UNIT,
        files=written(output, began) if output else 0,
    )


def written(folder: Path, since: int) -> int:
    """How many files below folder are no older than since, a time in ns.

    The system's clock for files lags behind by a tick, which is some milliseconds.
    """
    since -= 10_000_000
    return sum(
        Path(parent, name).stat().st_mtime_ns >= since
        for parent, _, names in os.walk(folder)
        for name in names
    )


@dataclass
class Results:
    """The samples of each (number of records, process), by turn."""

    samples: dict[tuple[int, str], dict[int, Sample]] = field(default_factory=dict)
    missing: dict[tuple[int, str], str] = field(default_factory=dict)  # why there are none
    noted: dict[str, float] = field(default_factory=dict)  # what was counted, not timed

    def turns(
        self, size: int, processes: Mapping[str, Process], runs: int, log: Path, warm_up: bool
    ) -> None:
        """Run A B C A B C …; what fails is left out from there on, with the reason."""
        first = -1 if warm_up else 0
        for turn in range(first, runs):
            for name, process in processes.items():
                most = runs if process.most_runs is None else process.most_runs
                if turn >= most or (turn < 0 and process.most_runs is not None):
                    continue
                if (size, name) in self.missing:
                    continue
                try:
                    sample = run(process, log)
                except TooLongError as error:
                    self.missing[size, name] = str(error)
                    self.samples.pop((size, name), None)
                    continue
                except FailedError as error:
                    self.missing[size, name] = "failed"
                    self.samples.pop((size, name), None)
                    print(error, file=sys.stderr, flush=True)
                    continue
                if turn >= 0:
                    self.samples.setdefault((size, name), {})[turn] = sample

    def has(self, size: int, name: str) -> bool:
        return (size, name) in self.samples

    def median(self, size: int, name: str, what: str = "wall") -> float:
        return median(getattr(sample, what) for sample in self.samples[size, name].values())

    def peak(self, size: int, name: str) -> float:
        """Bytes: the largest of all runs."""
        return max(sample.rss for sample in self.samples[size, name].values())

    def ratio(self, size: int, name: str, other: str) -> float:
        """The median of the ratios of wall times within each turn that has both."""
        samples, others = self.samples[size, name], self.samples[size, other]
        both = samples.keys() & others.keys()
        return median(samples[turn].wall / others[turn].wall for turn in both)
