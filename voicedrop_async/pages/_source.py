"""Where pages come from: one list, or one for each slice of a range of time."""

from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from attrs import define, evolve, field, frozen

from voicedrop_async.models import Page

T = TypeVar("T")

_SECOND: Final = timedelta(seconds=1)


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


def in_utc(start: datetime, end: datetime) -> Span:
    """Return the range in UTC, where steps do not trip over daylight saving."""
    return Span(start.astimezone(UTC), end.astimezone(UTC))
