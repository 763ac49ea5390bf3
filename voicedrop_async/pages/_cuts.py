"""Where a range of time is cut into slices, and where such a cut is worth it."""

from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from voicedrop_async.pages._source import Span

_SECOND: Final = timedelta(seconds=1)
_ALIKE: Final = 4
"""Slices in a row that show a range which is not heeded; three can hold the same items, if all of them lie on one edge."""


@define
class Cuts:
    """The slices of a range: steps of equal length, some cut further. A slice is known by its start."""

    range: Span | None
    step: timedelta
    further: dict[datetime, int | None] = field(factory=dict)
    """Cuts within a step, with the items the service had counted on both sides together."""
    counts: tuple[int, ...] = ()
    """Items of the slices opened last, by the service's count."""
    helpful: bool = True
    """Whether cutting makes lists shorter; not where the service does not look at the range."""

    def first(self) -> datetime | None:
        """Return the start of the first slice."""
        return None if self.range is None else self.range.start

    def span(self, start: datetime | None) -> Span | None:
        """Return the slice that begins at ``start``."""
        if self.range is None or start is None:
            return None
        step_ends = self.range.start + ((start - self.range.start) // self.step + 1) * self.step
        return Span(start, min([step_ends, self.range.end, *(cut for cut in self.further if cut > start)]))

    def asked(self, start: datetime | None, overlap: timedelta) -> Span | None:
        """Return what is asked for in order to have that slice whole, whoever its edges belong to."""
        span = self.span(start)
        if span is None or self.range is None or span.start == self.range.start:
            return span
        return Span(max(self.range.start, span.start - overlap), span.end)

    def before(self, start: datetime | None, overlap: timedelta) -> Span | None:
        """Return the stretch in front of a slice of which it may show items again; None in front of the first."""
        if start is None or self.range is None or start <= self.range.start:
            return None
        return Span(max(self.range.start, start - overlap - _SECOND), start)

    def after(self, start: datetime | None) -> datetime | None:
        """Return the start of the slice that follows; None after the last."""
        span = self.span(start)
        return None if span is None or self.range is None or span.end >= self.range.end else span.end

    def halve(self, start: datetime | None, counted: int | None) -> bool:
        """Cut the slice at ``start`` in two, on a whole second; False if it is too short for that."""
        span = self.span(start)
        if span is None or not self.helpful:
            return False
        middle = (span.start + (span.end - span.start) / 2).replace(microsecond=0)
        if middle <= span.start or span.end - span.start <= _SECOND:
            return False
        self.further[middle] = counted
        return True

    def opened(self, start: datetime | None, counted: int | None) -> None:
        """Look back at the cut that ``start`` is: does each of the last slices hold the whole again?"""
        self.counts = (*self.counts[1 - _ALIKE :], counted or 0)
        whole = self.further.get(start) if start is not None else None
        if whole and len(self.counts) == _ALIKE and all(whole <= count <= whole + whole // 2 for count in self.counts):
            self.helpful = False

    def pass_by(self, start: datetime | None) -> None:
        """Forget the cuts that lie behind."""
        if start is not None:
            self.further = {cut: counted for cut, counted in self.further.items() if cut >= start}
