"""Counts by time: bins of equal width, which are merged into wider ones when there would be too many.

A single moment of 1970, as a service writes that has none, would make one bar of a whole morning: what lies far from the rest is apart.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from attrs import define, field, frozen

MOST_BINS: Final = 96
"""Of those that are drawn, from the first to the last, the empty ones between included."""
_MOST_HELD: Final = 1_000
"""Bins with anything in them, before it is known which lie far from the rest."""
_FEW: Final = 20
"""What lies far from the rest is at most one of so many,"""
_FAR: Final = 32
"""and at least so many times as far from it as it is long,"""
_NEAR: Final = timedelta(days=1)
"""and at least so far."""
_EPOCH: Final = datetime(1969, 12, 29, tzinfo=UTC)
"""A Monday: so weeks begin on Mondays, and days at midnight UTC."""
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_WIDTHS: Final = [
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15)),
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12, 24)),
    *(timedelta(weeks=weeks) for weeks in (1, 4, 52, 520, 5_200, 52_000)),
]
"""Each divides the next, so that bins can be merged; the last holds all the time that a datetime can tell."""


@frozen(kw_only=True)
class Spread:
    """Counts by time as they are drawn."""

    width: timedelta
    """Of one bin."""
    bins: list[tuple[datetime, Counter[str]]]
    """Those that hold anything, each with its beginning, in order of time."""
    before: Counter[str]
    """What came long before them, by kind."""
    after: Counter[str]
    """What came long after them, likewise."""


@define
class Timeline:
    """How many messages of each kind there are in each bin of time."""

    counts: dict[int, Counter[str]] = field(factory=dict, init=False)
    """By number of the bin, and by kind."""
    undated: Counter[str] = field(factory=Counter, init=False)
    """Those without a moment, by kind."""
    _step: int = field(default=0, init=False)

    def places(self, moments: Iterable[datetime | None]) -> list[int | None]:
        """Return the number of the bin of each moment, as wide as bins are now."""
        epoch, width = _EPOCH, _WIDTHS[self._step]
        return [None if moment is None else (moment - epoch) // width for moment in moments]

    def add(self, counted: Mapping[tuple[int | None, str], int]) -> None:
        """Add numbers of messages by bin and kind, and widen the bins while there are too many."""
        for (place, kind), count in counted.items():
            kinds = self.undated if place is None else self.counts.setdefault(place, Counter())
            kinds[kind] += count
        while len(self.counts) > _MOST_HELD:
            self._step += 1
            self.counts = _merged(self.counts, _WIDTHS[self._step] // _WIDTHS[self._step - 1])

    def spread(self) -> Spread:
        """Return what is drawn, in bins as narrow as they can be, and what lies too far from that."""
        near, step = _near(self.counts, _WIDTHS[self._step]), self._step
        before = [self.counts[place] for place in self.counts if place < min(near)]
        after = [self.counts[place] for place in self.counts if place > max(near)]
        counts = {place: self.counts[place] for place in near}
        while counts and max(counts) - min(counts) >= MOST_BINS:
            step += 1
            counts = _merged(counts, _WIDTHS[step] // _WIDTHS[step - 1])
        bins = [(_start(place, _WIDTHS[step]), counts[place]) for place in sorted(counts)]
        return Spread(width=_WIDTHS[step], bins=bins, before=sum(before, Counter()), after=sum(after, Counter()))


def _merged(counts: Mapping[int, Counter[str]], factor: int) -> dict[int, Counter[str]]:
    """Return the same in bins that are wider by that factor."""
    wider: dict[int, Counter[str]] = {}
    for place, kinds in counts.items():
        wider.setdefault(place // factor, Counter()).update(kinds)
    return wider


def _near(counts: Mapping[int, Counter[str]], width: timedelta) -> list[int]:
    """Return the bins that lie together: few beyond the widest gap are left out, as long as it is wide enough."""
    places = sorted(counts)
    while len(places) > 1:
        gap, cut = max((after - before, place) for place, (before, after) in enumerate(pairwise(places), 1))
        few, rest = sorted((places[:cut], places[cut:]), key=lambda side: _sum(counts, side))
        length = rest[-1] - rest[0] + 1
        if gap < _FAR * length or gap * width < _NEAR or _sum(counts, few) * _FEW > _sum(counts, places):
            break
        places = rest
    return places


def _sum(counts: Mapping[int, Counter[str]], places: Iterable[int]) -> int:
    return sum(counts[place].total() for place in places)


def _start(place: int, width: timedelta) -> datetime:
    try:
        return max(_EPOCH + place * width, _FIRST)
    except OverflowError:  # a wide bin may begin before all datetimes
        return _FIRST
