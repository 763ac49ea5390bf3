"""Counts by time: bins of equal width, which are merged into wider ones when there would be too many."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import define, field

MOST_BINS: Final = 96
"""From the first bin to the last, the empty ones between included."""
_EPOCH: Final = datetime(1969, 12, 29, tzinfo=UTC)
"""A Monday: so weeks begin on Mondays, and days at midnight UTC."""
_WIDTHS: Final = [
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15)),
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12, 24)),
    *(timedelta(weeks=weeks) for weeks in (1, 4, 52, 520, 5_200, 52_000)),
]
"""Each divides the next, so that bins can be merged; the last holds all the time that a datetime can tell."""


@define
class Timeline:
    """How many messages of each kind there are in each bin of time."""

    counts: dict[int, Counter[str]] = field(factory=dict, init=False)
    """By number of the bin, and by kind."""
    undated: Counter[str] = field(factory=Counter, init=False)
    """Those without a moment, by kind."""
    _step: int = field(default=0, init=False)

    @property
    def width(self) -> timedelta:
        """Of one bin."""
        return _WIDTHS[self._step]

    def places(self, moments: Iterable[datetime | None]) -> list[int | None]:
        """Return the number of the bin of each moment, as wide as bins are now."""
        epoch, width = _EPOCH, self.width
        return [None if moment is None else (moment - epoch) // width for moment in moments]

    def add(self, counted: Mapping[tuple[int | None, str], int]) -> None:
        """Add numbers of messages by bin and kind, and widen the bins until they fit."""
        for (place, kind), count in counted.items():
            kinds = self.undated if place is None else self.counts.setdefault(place, Counter())
            kinds[kind] += count
        while self.counts and max(self.counts) - min(self.counts) >= MOST_BINS:
            self._widen()

    def bins(self) -> list[tuple[datetime, Counter[str]]]:
        """Return the bins that hold anything, each with its beginning, in order of time."""
        first = datetime.min.replace(tzinfo=UTC)  # a wide bin may begin before all datetimes
        return [(max(first, _start(place, self.width)), self.counts[place]) for place in sorted(self.counts)]

    def _widen(self) -> None:
        factor = _WIDTHS[self._step + 1] // self.width
        finer, self.counts = self.counts, {}
        self._step += 1
        for place, kinds in finer.items():
            self.counts.setdefault(place // factor, Counter()).update(kinds)


def _start(place: int, width: timedelta) -> datetime:
    try:
        return _EPOCH + place * width
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
