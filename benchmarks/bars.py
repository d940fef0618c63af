"""What feedpub is to reach: one table."""

from collections.abc import Callable
from dataclasses import dataclass

from measure import Results
from names import (
    ADDED,
    CHANGED,
    FULL,
    HUNDRED_THOUSAND,
    MILLION,
    NOTHING,
    START,
    STARTUP,
    TEN_THOUSAND,
    TENFOLD,
    TOPIC_UNCHANGED,
    UNCHANGED,
    VERSION,
    WALK,
)
from peers import PEERS

MB = 1_000_000


@dataclass(frozen=True)
class Bar:
    what: str
    limit: float
    figure: Callable[[Results], float]  # KeyError: not measured
    unit: str = "x"
    or_equal: bool = False

    def line(self, results: Results) -> tuple[str, str, str, str]:
        """What, the bar, the figure and whether it is met."""
        sign = "<=" if self.or_equal else "<"
        bar = f"{sign} {self.limit:.3g} {self.unit}".strip()
        try:
            figure = self.figure(results)
        except KeyError:
            return self.what, bar, "-", "not measured"
        met = figure <= self.limit if self.or_equal else figure < self.limit
        return self.what, bar, f"{figure:.3g} {self.unit}".strip(), "met" if met else "**NOT MET**"


def ratio(size: int, name: str, other: str) -> Callable[[Results], float]:
    return lambda results: results.ratio(size, name, other)


def peak(size: int, name: str) -> Callable[[Results], float]:
    return lambda results: results.peak(size, name) / MB


def later(name: str) -> Callable[[Results], float]:
    """Milliseconds more than a Python that does nothing."""
    return lambda results: 1000 * (results.median(STARTUP, name) - results.median(STARTUP, NOTHING))


def to_fastest_peer(size: int, name: str) -> Callable[[Results], float]:
    def figure(results: Results) -> float:
        measured = [peer for peer in PEERS if results.has(size, peer)]
        if not measured:
            raise KeyError(size)
        return results.ratio(size, name, min(measured, key=lambda p: results.median(size, p)))

    return figure


BARS = (
    Bar(
        "10,000: full / feedsmith (aim: 0.7)",
        1.0,
        ratio(TEN_THOUSAND, FULL, "feedsmith"),
        or_equal=True,
    ),
    Bar("10,000: full / feedgen", 0.5, ratio(TEN_THOUSAND, FULL, "feedgen")),
    Bar("10,000: full / hugo", 0.35, ratio(TEN_THOUSAND, FULL, "hugo")),
    Bar("10,000: unchanged / fastest peer", 1 / 8, to_fastest_peer(TEN_THOUSAND, UNCHANGED)),
    Bar("10,000: one changed / unchanged", 2, ratio(TEN_THOUSAND, CHANGED, UNCHANGED)),
    Bar("100,000: unchanged / walk", 3, ratio(HUNDRED_THOUSAND, UNCHANGED, WALK)),
    Bar("100,000: full / full of 10,000", 11, ratio(HUNDRED_THOUSAND, FULL, TENFOLD)),
    Bar("100,000: full, peak memory", 150, peak(HUNDRED_THOUSAND, FULL), "MB"),
    Bar("1,000,000: full, peak memory", 300, peak(MILLION, FULL), "MB"),
    Bar("1,000,000 in a topic: one added / unchanged", 2, ratio(MILLION, ADDED, TOPIC_UNCHANGED)),
    Bar("start - python -c pass", 110, later(START), "ms"),
    Bar("start: large libraries imported", 0, lambda results: results.noted[START], "", True),
    Bar("--version - python -c pass", 60, later(VERSION), "ms"),
)
