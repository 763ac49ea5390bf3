"""Many pages as one lazy stream. Knows no HTTP: a ``Source`` says how a page is fetched and how items are told apart.

A stream is one list after another (one for each slice of time, or a single one), each list page after page. The
services count their own pages, not always rightly; ``Course`` decides how far to believe them.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Iterator, Sequence
from enum import Enum
from operator import length_hint
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from attrs import define, evolve, field, frozen

from voicedrop_async._checks import check_count
from voicedrop_async.errors import ConfigError, PageLoop, WireError
from voicedrop_async.models import Page, WalkReport

T = TypeVar("T")

_BARREN_MOST: Final = 3
"""Pages in a row without an item not seen yet, beyond the end that was announced at first, after which a list ends."""
_BARREN_EVER: Final = 100
"""The same where more pages were announced: a service can announce any number of empty ones."""


@frozen(kw_only=True)
class Fetched(Generic[T]):
    """A page as it came, before anything is held back."""

    page: Page[T]
    last: bool | None
    """What the service says of being the last page of its list; None if nothing."""
    total_pages: int | None
    """Pages of its list; None if the service did not say so usably."""
    unreadable: int = 0
    skipped: int = 0


@frozen(kw_only=True)
class Source(Generic[T]):
    """Where the pages of a stream come from."""

    fetch: Callable[[int, int, int], Awaitable[Fetched[T]]]
    """Fetch one page: number of the list, number of the page in it, items a page."""
    keys: Callable[[Sequence[T]], Sequence[Hashable]]
    """What tells items apart."""
    lists: int = 1
    """How many lists the stream joins."""


class PageStream(Generic[T]):
    """A description of a walk over pages: building one sends nothing, each ``async for`` walks afresh."""

    def __init__(self, source: Source[T], *, page_size: int = 100, max_items: int | None = None) -> None:
        """Made by the sessions; see there."""
        check_count("page_size", page_size, 1)
        if max_items is not None:
            check_count("max_items", max_items, 0)
        self._source = source
        self._page_size = page_size
        self._max_items = max_items

    def __aiter__(self) -> AsyncIterator[T]:
        """Walk item by item, in page order, each item once."""
        return self.walk().__aiter__()

    def pages(self) -> AsyncGenerator[Page[T]]:
        """Walk a page at a time; the fast path."""
        return self.walk().pages()

    def walk(self) -> "Walk[T]":
        """Return a walk in the hand: ``async with stream.walk() as walk``, then iterate it and read ``walk.report``."""
        return Walk(self._source, page_size=self._page_size, max_items=self._max_items)

    async def collect(self, max_items: int | None = None) -> list[T]:
        """Walk to the end, or to ``max_items``, and return the items as a list.

        Raises:
            RequestError: A page failed for good.
            WalkError: The walk cannot go on.
        """
        most = self._max_items
        if max_items is not None:
            check_count("max_items", max_items, 0)
            most = max_items if most is None else min(most, max_items)
        return [item async for item in Walk(self._source, page_size=self._page_size, max_items=most)]

    async def first(self) -> T | None:
        """Return the first item, or None if there is none; asks for a page of one."""
        return next(iter(await PageStream(self._source, page_size=1, max_items=self._max_items).collect(1)), None)

    async def count(self) -> int:
        """Return how many items the service counts; one request for a page of one, and one more for each further slice.

        ``max_items`` plays no part in it.

        Raises:
            WireError: The service did not say.
        """
        total = 0
        for number in range(self._source.lists):
            fetched = await self._source.fetch(number, 0, 1)
            counted = len(fetched.page.items) if fetched.last and fetched.page.total_items is None else fetched.page.total_items
            if counted is None:
                raise WireError(summary="the answer does not count its items", path="totalElements")
            total += counted
        return total


class Walk(Generic[T]):
    """One walk over a stream, item by item or page by page; ``report`` may be read at any moment."""

    def __init__(self, source: Source[T], *, page_size: int, max_items: int | None) -> None:
        """Made by ``PageStream.walk``."""
        self._source = source
        self._page_size = page_size
        self._left = max_items
        self._over = False
        self._list = 0
        self._number = 0
        self._course = Course()
        self._keys: set[Hashable] = set()
        self._keys_before: set[Hashable] = set()
        self._page: Page[T] | None = None
        self._waiting: Iterator[T] = iter(())
        self._tally = Tally()

    async def __aenter__(self) -> Self:
        """Begin; nothing is sent before the first item is asked for."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the walk: no further page is asked for."""
        self._over = True

    @property
    def report(self) -> WalkReport:
        """What the walk has seen so far."""
        return self._tally.report(waiting=length_hint(self._waiting))

    async def __aiter__(self) -> AsyncGenerator[T]:
        """Hand out items in page order, each once; a loop that was left is taken up where it stood."""
        while True:
            for item in self._waiting:
                yield item
            page = await self._next()
            if page is None:
                return
            self._waiting = iter(page.items)

    async def pages(self) -> AsyncGenerator[Page[T]]:
        """Hand out pages, without the items that were handed out before."""
        rest = tuple(self._waiting)
        if self._page is not None and rest:
            yield evolve(self._page, items=rest)
        while (page := await self._next()) is not None:
            yield page

    async def _next(self) -> Page[T] | None:
        """Fetch and take the next page; None at the end. If the fetch fails, the walk stands where it stood."""
        if self._over:
            raise ConfigError("walk: was left; what is handed out after that would be a part without a word of the rest")
        if self._left == 0 or self._list == self._source.lists:
            return None
        fetched = await self._source.fetch(self._list, self._number, self._page_size)
        keys = self._source.keys(fetched.page.items)
        fresh = self._unseen(fetched.page.items, keys)
        self._tally.take(fetched, first=self._number == 0, fresh=len(fresh))
        self._move(fetched, keys, fresh=bool(fresh))
        if self._left is not None:
            self._tally.cut = len(fresh) > self._left
            fresh = fresh[: self._left]
            self._left -= len(fresh)
        self._tally.items += len(fresh)
        self._page = fetched.page if len(fresh) == len(fetched.page.items) else evolve(fetched.page, items=fresh)
        return self._page

    def _unseen(self, items: tuple[T, ...], keys: Sequence[Hashable]) -> tuple[T, ...]:
        """Return the items not handed out yet, and remember the keys of all."""
        known = len(self._keys)
        if self._keys.isdisjoint(keys) and self._keys_before.isdisjoint(keys):
            self._keys.update(keys)
            if len(self._keys) == known + len(keys):
                return items
            self._keys.difference_update(keys)  # the page repeats itself
        fresh: list[T] = []
        for item, key in zip(items, keys, strict=True):
            if key not in self._keys:
                self._keys.add(key)
                if key not in self._keys_before:
                    fresh.append(item)
        return tuple(fresh)

    def _move(self, fetched: Fetched[T], keys: Sequence[Hashable], *, fresh: bool) -> None:
        """Go to the place of the next page."""
        match self._course.after(self._number, fetched, hash(tuple(keys)), fresh=fresh):
            case Turn.LOOP:
                raise PageLoop(summary=f"page {self._number} repeats an earlier one, and the list did not grow", report=self.report)
            case Turn.PAGE:
                self._number += 1
            case Turn.END:
                self._tally.close(distinct=len(self._keys), doubtful=self._course.doubtful)
                self._list += 1
                self._number = 0
                self._course = Course()
                # An edge between slices can repeat an item in the next one, never in one beyond it.
                self._keys_before, self._keys = self._keys, set()
        self._tally.ended = self._list == self._source.lists


class Turn(Enum):
    """What follows a page."""

    PAGE = "the next page"
    END = "the end of the list"
    LOOP = "a page that was there before"


@define
class Course:
    """How one list goes on. The service says so twice, by ``last`` and by its number of pages; neither is believed alone."""

    announced: int | None = None
    """Pages of the list, as its first page said."""
    probing: bool = False
    """The two disagreed: the page under way is there to see who is right."""
    barren: int = 0
    """Pages in a row that brought nothing new."""
    doubtful: bool = False
    """Whether the end is one we decided on, or the service contradicted itself about."""
    marks: dict[int, int | None] = field(factory=dict)
    """A hash of each page's items, with the number of items the service counted then."""

    def after(self, number: int, fetched: Fetched[Any], mark: int, *, fresh: bool) -> Turn:
        """Return what follows the page ``number``, which brought a ``fresh`` item or none."""
        page = fetched.page
        if number == 0:
            self.announced = _announced(fetched)
        if self.probing and not fresh:
            return Turn.END
        if self._repeats(page, mark, fresh=fresh):
            return Turn.LOOP
        over = {fetched.last, None if fetched.total_pages is None else number + 1 >= fetched.total_pages} - {None}
        if over == {True}:
            return Turn.END
        self.probing = len(over) == 2
        self.doubtful |= self.probing
        self.barren = 0 if fresh else self.barren + 1
        if self.probing:
            return Turn.PAGE
        if fetched.total_pages is None and not page.items:
            self.doubtful |= fetched.last is False
            return Turn.END
        beyond = self.barren if self.announced is None else min(self.barren, number + 2 - self.announced)
        if beyond < _BARREN_MOST and self.barren < _BARREN_EVER:
            return Turn.PAGE
        self.doubtful = True
        return Turn.END

    def _repeats(self, page: Page[Any], mark: int, *, fresh: bool) -> bool:
        before = self.marks.get(mark)
        looped = bool(page.items) and not fresh and mark in self.marks and (page.total_items or 0) <= (before or 0)
        self.marks[mark] = page.total_items
        return looped


def _announced(fetched: Fetched[Any]) -> int | None:
    """Return how many pages a first page promises; not more than its own count of items could fill."""
    if fetched.total_pages is None or fetched.page.total_items is None:
        return fetched.total_pages
    return min(fetched.total_pages, -(-fetched.page.total_items // max(1, fetched.page.size)))


@define
class Tally:
    """What ``WalkReport`` is made from. Totals are sums over the lists begun so far."""

    pages: int = 0
    items: int = 0
    duplicates: int = 0
    unreadable: int = 0
    skipped: int = 0
    missing: int = 0
    first: int | None = 0
    closed: int | None = 0
    """The service's counts of the lists that have ended."""
    total: int | None = 0
    """Its latest count of the present list."""
    total_pages: int | None = None
    skipped_here: int = 0
    drifted: bool = False
    doubtful: bool = False
    cut: bool = False
    ended: bool = False

    def take(self, fetched: Fetched[Any], *, first: bool, fresh: int) -> None:
        """Count a page."""
        total = fetched.page.total_items
        if first:
            self.first = _sum(self.first, total)
        else:
            # What was taken out may have pulled others over the edge of a page.
            self.drifted |= _shrank(self.total, total) or _shrank(self.total_pages, fetched.total_pages)
        self.total, self.total_pages = total, fetched.total_pages
        self.pages += 1
        self.duplicates += len(fetched.page.items) - fresh
        self.unreadable += fetched.unreadable
        self.skipped_here += fetched.skipped

    def close(self, *, distinct: int, doubtful: bool) -> None:
        """Count a list that has ended, of which ``distinct`` items were seen."""
        if self.total is not None:
            self.missing += max(0, self.total - distinct - self.skipped_here)
            self.doubtful |= self.total < distinct  # who cannot count may also have left something out
        self.closed, self.total = _sum(self.closed, self.total), 0
        self.skipped += self.skipped_here
        self.skipped_here = 0
        self.doubtful |= doubtful

    def report(self, *, waiting: int) -> WalkReport:
        """Return the report, with ``waiting`` items of the present page not handed out yet."""
        doubts = self.missing or self.skipped or self.drifted or self.doubtful or self.cut
        return WalkReport(
            pages=self.pages,
            items=self.items - waiting,
            duplicates=self.duplicates,
            unreadable=self.unreadable,
            total_first=self.first if self.pages else None,
            total_last=_sum(self.closed, self.total) if self.pages else None,
            suspected_missing=self.missing,
            complete=self.ended and not waiting and not doubts,
        )


def _sum(some: int | None, more: int | None) -> int | None:
    return None if some is None or more is None else some + more


def _shrank(before: int | None, now: int | None) -> bool:
    return before is not None and now is not None and now < before
