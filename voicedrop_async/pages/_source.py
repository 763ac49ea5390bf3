"""Where pages come from: one list, or one for each slice of a range of time."""

from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from attrs import define, evolve, field, frozen

from voicedrop_async.models import Page

T = TypeVar("T")

_SECOND: Final = timedelta(seconds=1)
_ALIKE: Final = 4
"""Slices in a row that show a range which is not heeded; three can hold the same items, if all of them lie on one edge."""


@frozen
class Span:
    """A stretch of time, its start included and its end excluded; both aware, in UTC."""

    start: datetime
    end: datetime


class Place(NamedTuple):
    """A page of a stream: the start of its slice (None where there are no slices), and its number in there."""

    start: datetime | None
    number: int


@define(kw_only=True)  # not frozen, as one is made for each page: that would take twice as long
class Fetched(Generic[T]):
    """A page as it came, before anything is held back."""

    page: Page[T]
    last: bool | None
    """What the service says of being the last page of its list; None if nothing."""
    total_pages: int | None
    """Pages of its list; None if the service did not say so usably."""
    unreadable: int = 0
    skipped: int = 0


Fetch: TypeAlias = Callable[[Span | None, int, int], Awaitable[Fetched[T]]]
"""Fetch one page: the slice, number of the page in it, items a page."""
Ask: TypeAlias = Callable[[Span | None, int, int], Coroutine[Any, Any, Callable[[], Fetched[T]]]]
"""Fetch one page, to be read when it is called. What goes wrong is raised when it is awaited, not at the call."""


@frozen(kw_only=True)
class Source(Generic[T]):
    """Where the pages of a stream come from."""

    fetch: "Fetch[T]"
    keys: Callable[[Sequence[T]], Sequence[Hashable]]
    """What tells items apart."""
    query: str = field(repr=False)
    """What is asked for, so that the token of one query is not taken for that of another. Only its hash is kept."""
    model: type[T] | None = None
    """The class of the items: what is made of a list has its columns, also of an empty one."""
    terms: str = field(default="", repr=False)
    """What is searched for in it: phone numbers, perhaps."""
    ask: "Ask[T] | None" = None
    """Fetch a page to be read when its turn comes: what waits then is bytes, not objects, and the requests behind it need
    not wait for the reading. One that raises ``WireError`` is fetched again."""
    range: Span | None = None
    """The time that is cut into slices; None for one list."""
    step: timedelta = _SECOND
    """Time covered by one slice."""
    overlap: timedelta = timedelta(0)
    """How much earlier than its start a slice is asked for, except the first: where nobody knows whether an edge belongs to
    the slice on its left, its right, both or neither, and items do not tell their moment."""
    most: int | None = None
    """Items above which a slice is cut in two."""
    sharing: "Callable[[], tuple[Fetch[T], Ask[T]]] | None" = None
    """Return another ``fetch`` and ``ask``, whose pages share the texts that most items repeat: for items that are all kept."""

    def kept(self) -> "Source[T]":
        """Return the same source, for whoever keeps all of its items."""
        if self.sharing is None:
            return self
        fetch, ask = self.sharing()
        return evolve(self, fetch=fetch, ask=ask)


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


def in_utc(start: datetime, end: datetime) -> Span:
    """Return the range in UTC, where steps do not trip over daylight saving."""
    return Span(start.astimezone(UTC), end.astimezone(UTC))
