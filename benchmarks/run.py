"""Measure feedpub: python benchmarks/run.py [--sizes 1000,10000] [--runs 5]

Times whole processes, in turn and after a warm-up each, on records that make_records.py makes:

- baseline   baseline.py: reads the records and parses their front matter, nothing else
- full       feedpub generate, with the output and all that is remembered removed before
- unchanged  feedpub generate once more, nothing changed

and how much longer `feedpub --version` takes than a Python that does nothing. Figures are medians;
a ratio is the median of the ratios of wall times within each turn, so that a machine that slows
down between turns does not count. CPU is user and system time, that of worker processes included;
peak memory is that of the largest single process, and never shows as less than this script's own
(some 15 MB: Linux counts what a process was before exec). feedpub must be installed for the Python
that runs this. POSIX only.

The exit code tells whether it ran, not whether the bars are met.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from make_records import make

BASELINE = Path(__file__).with_name("baseline.py")
VERSION_RUNS = 20
FULL_BAR = 2.0  # times the baseline
VERSION_BAR = 60.0  # ms more than a Python that does nothing
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in the unit of ru_maxrss


@dataclass(frozen=True)
class Sample:
    """What one process took."""

    wall: float  # seconds
    cpu: float  # seconds
    rss: float  # bytes


@dataclass(frozen=True)
class Process:
    """A command line of Python's to measure; prepare is called before each run and not timed."""

    arguments: Sequence[str]
    prepare: Callable[[], None] = lambda: None

    def run(self) -> Sample:
        self.prepare()
        quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        command = [sys.executable, *self.arguments]
        start = time.perf_counter()
        pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet)
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - start
        if code := os.waitstatus_to_exitcode(status):
            sys.exit(f"{' '.join(command)}: exit code {code}")
        return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * RSS_UNIT)


def in_turn(processes: Mapping[str, Process], runs: int) -> dict[str, list[Sample]]:
    """Run A B C A B C …; the first turn warms up and is not kept."""
    turns = [{name: process.run() for name, process in processes.items()} for _ in range(1 + runs)]
    return {name: [turn[name] for turn in turns[1:]] for name in processes}


def ratio(samples: Sequence[Sample], others: Sequence[Sample]) -> float:
    return median(a.wall / b.wall for a, b in zip(samples, others, strict=True))


def row(size: int, name: str, samples: Sequence[Sample], compared: str) -> str:
    wall = median(sample.wall for sample in samples)
    cpu = median(sample.cpu for sample in samples)
    rss = median(sample.rss for sample in samples)
    return (
        f"{size:>8,}  {name:<9} {wall:>8.3f} {cpu:>8.3f} {wall / size * 1e6:>10.0f}"
        f" {rss / 2**20:>8.0f}  {compared}"
    ).rstrip()


def bar(what: str, figure: str, met: bool) -> str:
    return f"{what:<50} {figure:>10}  {'met' if met else 'NOT MET'}"


def measure_size(size: int, runs: int) -> str:
    """Print the rows for one size; return the line about its bar."""
    with tempfile.TemporaryDirectory(prefix="feedpub-bench-") as name:
        folder = Path(name)
        make(size, folder)

        def forget() -> None:
            # Aside, not away: ext4 is slow to make files where many have just been removed.
            for made in ("feeds", ".feedpub"):
                if (folder / made).exists():
                    (folder / made).rename(folder / f"{made}-{time.monotonic_ns()}")

        generate = ("-m", "feedpub", "-c", str(folder / "config.yaml"), "generate", "-q")
        samples = in_turn(
            {
                "baseline": Process((str(BASELINE), str(folder / "records"))),
                "full": Process(generate, forget),
                "unchanged": Process(generate),
            },
            runs,
        )
    full = ratio(samples["full"], samples["baseline"])
    unchanged = ratio(samples["unchanged"], samples["full"])
    print(row(size, "baseline", samples["baseline"], ""))
    print(row(size, "full", samples["full"], f"{full:.2f} x baseline"))
    print(row(size, "unchanged", samples["unchanged"], f"{unchanged:.2f} x full"), flush=True)
    return bar(
        f"full < {FULL_BAR:g} x baseline, {size:,} records", f"{full:.2f} x", full < FULL_BAR
    )


def measure_version() -> str:
    """Return the line about the bar of `feedpub --version`."""
    samples = in_turn(
        {"python": Process(("-c", "pass")), "version": Process(("-m", "feedpub", "--version"))},
        VERSION_RUNS,
    )
    medians = {name: median(sample.wall for sample in samples[name]) for name in samples}
    more = 1000 * (medians["version"] - medians["python"])
    return bar(
        f"--version < {VERSION_BAR:g} ms more than python -c pass",
        f"{more:+.0f} ms",
        more < VERSION_BAR,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure feedpub against the least possible work.")
    parser.add_argument("--sizes", default="1000,10000", help="numbers of records (%(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (%(default)s)")
    arguments = parser.parse_args()
    try:
        sizes = [int(size) for size in arguments.sizes.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1 or arguments.runs < 1:
        parser.error("--sizes takes numbers like 1000,10000 and --runs a number, from 1 on")

    print(
        f"Python {platform.python_version()} ({platform.python_implementation()}), "
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}; "
        f"medians of {arguments.runs}\n"
    )
    print(" records  process     wall s    cpu s  us/record  peak MB  ratio")
    bars = [measure_size(size, arguments.runs) for size in sizes]
    bars.append(measure_version())
    print("", *bars, sep="\n")


if __name__ == "__main__":
    main()
