"""The figures to reach, and what was measured of them."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

SIZES = (20, 100, 1000)
"""Messages a page."""
MIB = 2**20


@dataclass(frozen=True)
class Goal:
    """A figure, and what it must not pass."""

    name: str
    what: str
    limit: float
    least: bool = False
    """Whether it must not be below its limit, rather than above."""
    sure: bool = False
    """Whether no noise is in it: the command fails if it is missed."""
    noise: float = 0
    """By how much it differs from one run to the next, where that is no share of it."""
    clock: bool = False
    """Whether it is a time, or how much fits into one: another machine has another one. A ratio or a count compares everywhere."""

    def held(self, figure: float) -> bool:
        """Return whether a figure reaches it."""
        return figure >= self.limit if self.least else figure <= self.limit


def _walks(name: str, what: str, limits: dict[int, float], *, least: bool = True) -> list[Goal]:
    return [Goal(f"{name} {size}", f"{what}, pages of {size:,}", limit, least) for size, limit in limits.items()]


GOALS: Sequence[Goal] = (
    Goal("D1", "page of 100 decoded, CPU over orjson.loads", 1.8),
    Goal("D1 instructions", "the same, instructions", 1.55),
    Goal("D2/D1", "each message with two new keys and a new status, CPU over D1", 1.5),
    Goal("D2", "the same over orjson.loads of the page of D1", 2.7),
    *_walks("W1", "typed walk over dictionaries, both 8 at once, wall", {20: 1.35, 100: 1.5, 1000: 1.0}, least=False),
    *_walks("W2", "openai over ours, 8 ahead, wall", {20: 5.0, 100: 3.3, 1000: 4.0}),
    *_walks("W3", "best peer over ours, 8 ahead, wall", {20: 2.4, 100: 2.8, 1000: 3.5}),
    *_walks("W3 sequential", "the same, ours sequential too", {20: 1.6, 100: 2.2, 1000: 3.0}),
    *_walks("W4", "aiohttp, orjson and cattrs by hand over ours, 8 ahead, wall", {100: 2.8, 1000: 4.0}),
    Goal("L1 100 ms", "1,000 pages of 100, 32 ahead, wall over latency alone", 1.05),
    Goal("L1 20 ms", "the same at 20 ms", 1.12),
    Goal("L2", "100 pages of 1,000 at 100 ms, 32 ahead, wall over latency alone", 1.2),
    Goal("S1 0 ms", "worst stall of the loop, pages of 1,000, 32 ahead, ms", 20, clock=True),
    Goal("S1 20 ms", "the same at a latency of 20 ms, ms", 30, clock=True),
    Goal("M1 growth", "peak memory at 1e6 messages over 1e5, 32 ahead", 1.15),
    Goal("M1 above", "peak above start and the pages ahead, MiB", 10),
    Goal("M1 id", "kept for each item by the default dedupe, bytes", 160),
    Goal("M2", "retained a message when collected, over dictionaries", 0.45),
    Goal("M3", "100,000 collected into a list, wall over dictionaries", 0.7),
    Goal("I1", "import above aiohttp, cattrs, attrs and msgspec, ms", 15, clock=True),
    Goal("I2", "voicedrop --help above a Python that imports the package, ms", 150, clock=True),
    Goal("R1 parts", "token, slot, rate and retry loop, CPU us a request", 2, clock=True),
    Goal("R1 whole", "the whole pipeline over plain aiohttp, CPU us a request", 45, clock=True),
    Goal("items", "an item handed out, over a bare generator", 2),
    Goal("E1 jsonl", "1,000,000 messages into JSON lines, messages a second over the bare walk", 0.6, least=True),
    Goal("E1 csv", "the same, CSV", 0.4, least=True),
    Goal("E1 parquet", "the same, Parquet", 0.6, least=True),
    *(
        Goal(f"E2 {name}", f"MiB by which its peak above the walk's exceeds that of a fifth, {name}", 16, noise=5)
        for name in ("jsonl", "csv", "parquet")
    ),
    Goal("E3 stream", "what a report takes above the bare walk, over that of a fifth of the messages", 1.3),
    *(Goal(f"E3 {name}", f"peak memory of a report over that of a fifth, {name}", 1.3) for name in ("jsonl", "parquet")),
    Goal("E3 page", "its page, MiB", 6),
    Goal("C1 memory", "callbacks answered 200 for each second of the processor, aiohttp.web", 5000, least=True, clock=True),
    Goal("C1 durable", "the same, each on the disk before its answer", 5000, least=True, clock=True),
    Goal("C2", "99 of 100 answers whatever the handler does, the worst, ms", 1000, clock=True),
    Goal("C3", "answered 200 and not handed on, also after kill -9", 0, sure=True),
    Goal("X1", "requests beyond the pages of a list that does not change", 0, sure=True),
)
"""In the order they are printed."""


@dataclass(frozen=True)
class Spread:
    """Measurements of one thing: their median, the least and the most."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1])

    @classmethod
    def over(cls, above: Iterable[float], below: Iterable[float]) -> "Spread":
        """Return the ratio of two things that were measured in turns, round by round."""
        return cls.of(one / other for one, other in zip(above, below, strict=True))

    def apart(self, other: "Spread") -> bool:
        """Return whether each median lies outside the other's range."""
        return not (self.low <= other.middle <= self.high or other.low <= self.middle <= other.high)

    def __str__(self) -> str:
        if self.low == self.high:
            return _short(self.middle)
        return f"{_short(self.middle)} ({_short(self.low)}-{_short(self.high)})"


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 or number == int(number) else f"{number:.2f}"


@dataclass
class Results:
    """What was measured, by name: the figures that have a goal, and everything else."""

    figures: dict[str, Spread] = field(default_factory=dict)

    def put(self, name: str, measured: Spread) -> None:
        """Keep a figure, print nothing."""
        assert any(goal.name == name for goal in GOALS), name
        self.figures[name] = measured

    def note(self, name: str, measured: Spread) -> None:
        """Keep what has no goal."""
        self.figures[name] = measured

    def missed(self) -> list[Goal]:
        """Return the goals that were measured and not reached."""
        return [goal for goal in GOALS if goal.name in self.figures and not goal.held(self.figures[goal.name].middle)]
