"""Measure feedpub against tools that make the same feeds: python benchmarks/run.py

Whole processes, in turn (A B C A B C …), on records that make_records.py makes. For each number of
records:

- full         feedpub generate, with the output and all that is remembered moved aside
- unchanged    once more, nothing changed
- one changed  the newest record was given another title
- 1% changed   so was every hundredth
- walk         walk.py: a Python that lists the same tree and asks for each file's status
- the peers    tools that make feeds of the same records: see peers/

A ratio is the median of the ratios of wall times within each turn, so that a machine that slows
down between turns does not count; other figures are medians. CPU is user and system time, that of
worker processes included; peak memory is that of the largest single process, and never shows as
less than this script's own (some 20 MB: Linux counts what a process was before exec). feedpub must
be installed for the Python that runs this. POSIX only.

Peers are installed into a folder of the user's cache at the first run; one that cannot be had is
left out, and its row says why. The exit code tells whether this ran, not whether the bars are met.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from check import check
from measure import Process, Results
from names import (
    ADDED,
    CHANGED,
    FULL,
    HUNDRED_THOUSAND,
    MILLION,
    NOTHING,
    PERCENT,
    START,
    STARTUP,
    TEN_THOUSAND,
    TENFOLD,
    TOPIC_UNCHANGED,
    UNCHANGED,
    VERSION,
    WALK,
)
from peers import PEERS, MissingError, Peer
from picture import draw
from report import bar_table, progress, size_table
from workload import HERE, Feedpub, Workload, imported, python

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "feedpub-bench"
DOCS = HERE.parent / "docs"
MARKS = ("<!-- figures -->", "<!-- /figures -->")

START_RUNS = 20
LONGEST = 300.0  # seconds that a run of a peer may take, by what fewer records took
MOST_RUNS = {HUNDRED_THOUSAND: 3, MILLION: 2}  # from so many records on
SLOW_RUNS = 2
UNWANTED = "feedgen, lxml, markdown, markdown_it, requests"  # when nothing has changed

REMARKS = {
    FULL: "nothing remembered",
    UNCHANGED: "",
    CHANGED: "another title for the newest",
    PERCENT: "another title for every hundredth",
    WALK: "os.scandir and stat of each record",
}


class Benchmark:
    def __init__(self, runs: int, peers: Sequence[Peer], folder: Path) -> None:
        self.runs = runs
        self.results = Results()
        self.peers = peers
        self._folder = folder
        self._log = folder / "log"
        self._workloads: dict[int, Feedpub] = {}
        self._faults: list[str] = []  # of peers' feeds

    def measure(self, size: int) -> str:
        """Measure one number of records; return the table."""
        progress(f"measuring {size:,} records")
        workload = Workload(size, self._folder / str(size))
        feedpub = Feedpub(workload)
        runs = min([self.runs, *(most for least, most in MOST_RUNS.items() if size >= least)])
        processes = {FULL: feedpub.full()}
        remarks = {FULL: REMARKS[FULL]}
        for peer in self.peers:
            remarks[peer.name] = peer.what
            if peer.makes != Peer.makes:
                remarks[peer.name] += f"; {peer.makes} only"
            if why := self._not_for(peer, size):
                self.results.missing[size, peer.name] = why
            else:
                processes[peer.name] = self._peer(peer, workload, feedpub.output)
        if size == HUNDRED_THOUSAND and (smaller := self._workloads.get(TEN_THOUSAND)):
            processes[TENFOLD] = smaller.full()
            remarks[TENFOLD] = "in the same turns"
        processes |= {
            UNCHANGED: feedpub.unchanged(),
            CHANGED: feedpub.edited([workload.newest()]),
            PERCENT: feedpub.edited([*islice(workload.paths(), 50, None, 100)]),
            WALK: Process(lambda: python(HERE / "walk.py", workload.records)),
        }
        remarks |= {name: REMARKS[name] for name in processes if name in REMARKS}
        self._turns(size, processes, runs)
        self._workloads[size] = feedpub
        if size == MILLION:
            topic = Feedpub(workload, "-topic", "fields:\n  topics: category\n")
            processes = {
                TOPIC_UNCHANGED: topic.unchanged(),
                ADDED: topic.added(workload.newest()),
            }
            remarks |= {TOPIC_UNCHANGED: "all records in one topic", ADDED: ""}
            self._turns(size, processes, runs)
        faults = "".join(f"\nWRONG: {fault}\n" for fault in self._faults)
        self._faults.clear()
        return size_table(self.results, size, remarks) + faults

    def measure_start(self) -> str:
        """Measure how long it takes to do next to nothing; return a table."""
        workload = Workload(STARTUP, self._folder / "start")
        feedpub = Feedpub(workload)
        feedpub.settle()
        processes = {
            NOTHING: Process(lambda: python("-c", "pass")),
            VERSION: Process(lambda: python("-m", "feedpub", "--version")),
            START: Process(lambda: feedpub.command),
        }
        self._turns(STARTUP, processes, max(START_RUNS, self.runs))
        modules = imported(feedpub.command) & {*UNWANTED.split(", ")}
        self.results.noted[START] = len(modules)
        remarks = {
            NOTHING: "",
            VERSION: "",
            START: f"unchanged; imports {', '.join(modules) or f'none of {UNWANTED}'}",
        }
        return size_table(self.results, STARTUP, remarks)

    def _turns(self, size: int, processes: Mapping[str, Process], runs: int) -> None:
        self.results.turns(size, processes, runs, self._log, warm_up=size < HUNDRED_THOUSAND)
        for name in processes:
            if name not in PEERS and not self.results.has(size, name):
                sys.exit(f"feedpub: {name} failed at {size:,} records")

    def _not_for(self, peer: Peer, size: int) -> str | None:
        """Why the peer is not run with so many records."""
        if size >= MILLION:
            return "not run with a million records"
        if why := self.results.missing.get((0, peer.name)):
            return why
        smaller = [n for n, name in self.results.samples if name == peer.name and n < size]
        if smaller:
            takes = self.results.median(max(smaller), peer.name) * size / max(smaller)
            if takes > LONGEST:
                return f"not run: about {takes / 60:.0f} minutes, by {max(smaller):,} records"
        return None

    def _peer(self, peer: Peer, workload: Workload, feeds: Path) -> Process:
        """Write to a new folder each time; the first time look whether the feeds are right."""
        outputs: list[Path] = []
        slow = SLOW_RUNS if workload.size < HUNDRED_THOUSAND else 1
        records = workload.converted(peer.kind)

        def prepare() -> Sequence[str]:
            outputs.append(workload.folder / f"by-{peer.name}-{len(outputs) + 1}")
            return peer.command(records, outputs[-1])

        def output() -> Path:
            if len(outputs) == 1:
                for fault in check(peer, outputs[0], feeds):
                    self._faults.append(f"{peer.name}, {workload.size:,} records: {fault}")
            return outputs[-1]

        return Process(
            prepare,
            output,
            environment=peer.environment,
            folder=peer.folder,
            most_runs=slow if peer.slow else None,
            longest=LONGEST,
        )

    def install(self) -> None:
        for peer in self.peers:
            progress(f"installing {peer.name}, or finding it installed")
            try:
                peer.install()
            except MissingError as error:
                peer.what = ""
                self.results.missing[0, peer.name] = f"not to be had: {error}"

    def picture(self, sizes: Sequence[int], note: str) -> str:
        rows = {
            "feedpub, unchanged": UNCHANGED,
            "feedpub, one changed": CHANGED,
            "feedpub, full": FULL,
            **{name: name for name in PEERS},
        }
        times = {
            label: {
                size: self.results.median(size, name)
                for size in sizes
                if self.results.has(size, name)
            }
            for label, name in rows.items()
        }
        ours = [label for label in rows if label not in PEERS]
        return draw({label: line for label, line in times.items() if line}, sizes, ours, note)


def publish(text: str, picture: str) -> None:
    """Put the figures into docs/performance.md and the picture beside it."""
    (DOCS / "performance.svg").write_text(picture, encoding="utf-8")
    document = DOCS / "performance.md"
    before, _, rest = document.read_text(encoding="utf-8").partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    document.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{after}", encoding="utf-8")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure feedpub against its peers.")
    parser.add_argument(
        "--sizes", default="1000,10000,100000", help="numbers of records (%(default)s)"
    )
    parser.add_argument("--large", action="store_true", help="a million records, too")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (%(default)s)")
    parser.add_argument(
        "--peers", default=",".join(PEERS), help="which to run, or none (%(default)s)"
    )
    parser.add_argument(
        "--folder", type=Path, help="where to make the records (a temporary folder)"
    )
    parser.add_argument(
        "--publish", action="store_true", help="write the figures into docs/performance.md"
    )
    chosen = parser.parse_args()
    try:
        chosen.sizes = sorted({int(size) for size in chosen.sizes.split(",")})
    except ValueError:
        chosen.sizes = []
    if not chosen.sizes or chosen.sizes[0] < 100 or chosen.runs < 1:
        parser.error("--sizes takes numbers like 1000,10000, from 100 on, and --runs one from 1 on")
    if chosen.large:
        chosen.sizes = sorted({*chosen.sizes, MILLION})
    chosen.peers = [] if chosen.peers == "none" else chosen.peers.split(",")
    if unknown := set(chosen.peers) - set(PEERS):
        parser.error(f"there is no peer {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    return chosen


def main() -> None:
    chosen = options()
    machine = (
        f"Python {platform.python_version()}, {os.cpu_count()} cores,"
        f" {platform.system()} {platform.machine()}"
    )
    texts: list[str] = []

    def say(text: str) -> None:
        texts.append(text)
        print(f"{text}\n", flush=True)

    with tempfile.TemporaryDirectory(prefix="feedpub-bench-", dir=chosen.folder) as name:
        peers = [PEERS[peer](CACHE) for peer in chosen.peers]
        benchmark = Benchmark(chosen.runs, peers, Path(name))
        benchmark.install()
        say(f"{machine}; medians of {chosen.runs} runs.")
        say(benchmark.measure_start())
        for size in chosen.sizes:
            say(benchmark.measure(size))
        say(bar_table(benchmark.results))
        if chosen.publish:
            publish("\n".join(texts), benchmark.picture(chosen.sizes, machine))


if __name__ == "__main__":
    main()
