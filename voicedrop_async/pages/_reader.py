"""Page after page, in order: what each brings that is new, what the service's counts say, and where the walk stands."""

from collections.abc import Callable, Coroutine, Hashable, Sequence, Set
from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeVar

from attrs import define, evolve, frozen

from voicedrop_async.errors import DriftDetected, PageLoop, WireError
from voicedrop_async.models import Page
from voicedrop_async.pages._ahead import Ahead
from voicedrop_async.pages._course import Course, Turn
from voicedrop_async.pages._cuts import Cuts
from voicedrop_async.pages._seen import Seen, sum_of
from voicedrop_async.pages._source import Fetched, Place, Source, Span
from voicedrop_async.pages._tally import Tally, shrank
from voicedrop_async.pages._tokens import Mark, micros

T = TypeVar("T")

OnDrift = Literal["dedupe", "repair", "raise", "ignore"]
"""What to do when a list changes while it is walked; see ``WalkOptions``."""

_ALL: Final = 1 << 62
_KNOWN: Final = 20_000
"""Keys of a list to know at most, where everything is handed out: drift moves items by a page or some, not farther."""


@frozen(kw_only=True)
class Options:
    """How a walk goes about it; see ``WalkOptions``."""

    page_size: int
    max_items: int | None
    prefetch: int
    on_drift: OnDrift
    max_passes: int
    query: int
    """The hash of the query, for tokens."""
    mark: Mark | None
    """Where to go on from."""


@define  # one is made for each page
class Sheet(Generic[T]):
    """A page that was read, and what of it is to be handed out."""

    page: Page[T]
    fresh: tuple[T, ...]
    begins: Mark
    """The place of the page, when it had been read."""
    keys: Callable[[Sequence[T]], Sequence[Hashable]]

    def mark(self, handed: int, *, doubtful: bool) -> Mark:
        """Return the place after so many of the fresh items, of which there are more.

        Args:
            handed: How many were handed out.
            doubtful: Whether anything speaks against the walk by now; this page may have told it.
        """
        following = self.fresh[handed]
        index = next(index for index, item in enumerate(self.page.items) if item is following)
        summed = None if self.begins.sum is None else self.begins.sum + sum_of(self.keys(self.fresh[:handed]))
        return evolve(self.begins, index=index, sum=summed, doubtful=doubtful)


class Reader(Generic[T]):
    """Reads the pages of one walk. If a page cannot be had, it stands where it stood."""

    def __init__(self, source: Source[T], options: Options) -> None:
        """Stand at the beginning, or at the mark of ``options``; nothing is sent yet."""
        self._source = source
        self._options = options
        self.cuts = Cuts(source.range, source.step)
        # Passes over one list must follow each other: what two of them agree on is the list.
        self.ahead = Ahead(self.fetch, self._ask, self.cuts, most=options.prefetch, over_lists=options.on_drift != "repair")
        self.tally = Tally()
        self._place: Place | None = Place(self.cuts.first(), 0)
        self._course = Course()
        self._seen = Seen(sum=0 if options.on_drift == "repair" else None, most=_KNOWN if options.on_drift == "ignore" else None)
        self._total_before: int | None = None
        """The service's count at the end of the pass before."""
        self._page_size = options.page_size
        """Items a page, as the service echoes it."""
        self._gap: str | None = None
        """Drift that shows only at the end of a list: raised when its last page has been handed out."""
        self._behind = 0
        """Items of the present list that an earlier walk saw; this one began behind them."""
        self._skip = 0
        """Items of the next page that an earlier walk handed out."""
        self._replayed: Mark | None = None
        """Of a repair that goes on: up to there, items were handed out by an earlier walk."""
        self._whole: Place | None = None
        """A slice that an earlier walk has begun is not cut any more."""
        self._edge: Span | None = None
        """What lies in front of the present slice, until it is known which of its items were handed out for it."""
        if options.mark is not None:
            self._return_to(options.mark)

    async def read(self, left: int | None) -> Sheet[T] | None:
        """Read the next page; None at the end. ``left`` items are still wanted.

        Raises:
            RequestError: The page failed for good.
            PageLoop: The service repeats itself.
            DriftDetected: The list changed, and that is to be raised.
        """
        if self._gap is not None:
            gap, self._gap = self._gap, None
            raise DriftDetected(summary=gap, report=self.tally.report(waiting=0))
        if self._place is None:
            return None
        if self._edge is not None:
            await self._look_at(self._edge)
        place = self._place
        fetched, early = await self.ahead.take(place, self._room(left))
        if early and place.number > 0 and shrank(self.tally.total, fetched.page.total_items):
            # Answered before the page in front of it: what moved between the two answers would be on neither.
            del fetched
            fetched = await self.fetch(place)
        sheet = self._taken(place, fetched)
        self._ask_ahead(None if left is None else left - len(sheet.fresh))
        return sheet

    def mark(self) -> Mark:
        """Return the place of the page to be read next."""
        return self._mark(self._place, self._skip, self.tally.total)

    def _mark(self, place: Place | None, index: int, total: int | None) -> Mark:
        doubtful, options = self.tally.doubts, self._options
        if self._replayed is not None:
            return evolve(self._replayed, doubtful=doubtful)
        if place is None:
            return Mark(query=options.query, page_size=options.page_size, ended=True, doubtful=doubtful)
        span = self.cuts.span(place.start)
        return Mark(
            query=options.query,
            page_size=options.page_size,
            start=None if span is None else micros(span.start),
            end=None if span is None else micros(span.end),
            number=place.number,
            index=index,
            seen=self._behind + self._seen.distinct + self.tally.skipped_here,
            total=total,
            passes=self._seen.passes,
            doubtful=doubtful,
            sum=self._seen.sum,
        )

    def keys(self) -> Set[Hashable]:
        """Return the keys of the list that ended last."""
        return self._seen.before

    def _return_to(self, mark: Mark) -> None:
        self.tally.doubtful = mark.doubtful
        if mark.ended:
            self._place, self.tally.ended = None, True
            return
        span, begun = mark.span, mark.number + mark.index > 0 or mark.passes > 1
        start = None if span is None else span.start
        self._place = Place(start, mark.number)
        if span is not None:
            self.cuts.further[span.end] = None
            self._edge = self.cuts.before(span.start, self._source.overlap)
        if not begun:
            return
        self._whole = Place(start, 0)
        if self._options.on_drift == "repair":
            # Passes are compared from their beginning: the list is read again, in silence up to the mark.
            self._place, self._replayed = self._whole, mark
        else:
            self._skip, self._behind, self.tally.total = mark.index, mark.seen, mark.total

    async def _look_at(self, edge: Span) -> None:
        """Learn which items were handed out in front of a slice by an earlier walk, and could come again in it."""
        source = evolve(self._source, range=edge, step=edge.end - edge.start, most=None)
        reader = Reader(source, evolve(self._options, mark=None, prefetch=0, on_drift="dedupe"))
        while await reader.read(None) is not None:
            pass
        self._seen.before, self._edge = {*self._seen.before, *reader.keys()}, None

    def _ask_ahead(self, left: int | None) -> None:
        if self._place is not None:
            self.ahead.plan(self._place, self._room(left))

    def _room(self, left: int | None) -> int:
        """Return how many pages can be used, if all of them are full."""
        return _ALL if left is None else -(-left // self._page_size)

    async def fetch(self, place: Place) -> Fetched[T]:
        """Fetch a page; if it opens a slice that holds too much, cut the slice and fetch the page that opens its first half."""
        opens = place.number == 0 and place != self._whole and self._seen.passes == 1
        while True:
            asked = self.cuts.asked(place.start, self._source.overlap)
            try:
                fetched = await self._source.fetch(asked, place.number, self._options.page_size)
            except WireError as error:
                if not (error.too_long and opens and self.cuts.halve(place.start, None)):
                    raise
            else:
                if not (opens and self._is_crowded(fetched) and self.cuts.halve(place.start, fetched.page.total_items)):
                    return fetched
                del fetched

    def _ask(self, place: Place) -> Coroutine[Any, Any, Callable[[], Fetched[T]]]:
        """Ask for a page that is read later; the one that opens a list is read at once, for what it says of the list."""
        ask = self._source.ask
        if place.number == 0 or ask is None:
            return self._read_at_once(place)
        return ask(self.cuts.asked(place.start, self._source.overlap), place.number, self._options.page_size)

    async def _read_at_once(self, place: Place) -> Callable[[], Fetched[T]]:
        fetched = await self.fetch(place)
        return lambda: fetched

    def _is_crowded(self, fetched: Fetched[T]) -> bool:
        return self._source.most is not None and (fetched.page.total_items or 0) > self._source.most

    def _taken(self, place: Place, fetched: Fetched[T]) -> Sheet[T]:
        """Take a page into account, and go to the place of the next one."""
        page, keys = fetched.page, self._source.keys(fetched.page.items)
        first_pass = self._seen.passes == 1
        if self._options.on_drift == "raise":
            self._refuse_drift(place, page, keys)
        skip, distinct = self._handed_out_before(place, page), self._seen.distinct
        begins = self._mark(place, 0, page.total_items)
        opens = first_pass and not self._course.begun
        self.tally.take(fetched, opens=opens, begins=place.number == 0 and not skip)
        if opens and (skip or place.number) and self._options.mark is not None:
            # What came in since the walk was left stands in front of its place.
            self.tally.doubtful_here |= page.total_items != self._options.mark.total
        if opens and place.number == 0:
            self._opened(place, fetched)
        later, later_keys = page.items, keys
        if skip:
            self._seen.take(page.items[:skip], keys[:skip])
            later, later_keys = page.items[skip:], keys[skip:]
        self._compare_replay(place)
        fresh, repeated = self._seen.take(later, later_keys)
        known = len(later) - len(fresh) - repeated if first_pass else 0
        self.tally.duplicates += repeated
        # An item that moved may have pulled another past us, and without a count nobody will miss that one.
        self.tally.doubtful_here |= repeated > 0 and page.total_items is None
        self.tally.known += known
        self._page_size = min(self._options.page_size, max(1, page.size))
        if self._options.on_drift == "ignore":
            before = self._seen.before
            fresh = tuple(item for item, key in zip(later, later_keys, strict=True) if key not in before) if known else later
        fingerprint = hash(tuple(keys))
        # What was forgotten is no sign that a page is new; the fingerprint of a page is never forgotten.
        new = self._seen.distinct > distinct and not (self._seen.forgotten and fingerprint in self._course.fingerprints)
        self._move(place, fetched, fingerprint, new=new)
        return Sheet(page, fresh, begins, self._source.keys)

    def _opened(self, place: Place, fetched: Fetched[T]) -> None:
        self.tally.crowded += self._is_crowded(fetched)
        self.cuts.opened(place.start, fetched.page.total_items)
        self.tally.doubtful |= not self.cuts.helpful

    def _handed_out_before(self, place: Place, page: Page[T]) -> int:
        """Return how many items of the page an earlier walk handed out."""
        skip, self._skip = self._skip, 0
        mark = self._replayed
        if mark is None:
            return skip
        if place.number == 0 and page.total_items != mark.total:
            self._replayed = None  # the list is another one now: rather an item twice than an item lost
            return 0
        if mark.passes > 1 or place.number < mark.number:
            return len(page.items)
        return mark.index  # it is the page of the mark; with it the replay ends

    def _compare_replay(self, place: Place) -> None:
        """At the mark, or where its list has ended: was what was passed by in silence what had been handed out?"""
        mark = self._replayed
        if mark is not None and mark.passes == 1 and place.number >= mark.number:
            self._end_replay(mark)

    def _end_replay(self, mark: Mark) -> None:
        self.tally.doubtful |= self._seen.sum != mark.sum
        self._replayed = None

    def _refuse_drift(self, place: Place, page: Page[T], keys: Sequence[Hashable]) -> None:
        goes_on = place.number > 0 or self._skip > 0
        if goes_on and page.total_items is not None and self.tally.total not in {None, page.total_items}:
            change = f"the list changed while it was walked: {page.total_items:,} items, {self.tally.total or 0:,} before"
            # Whoever goes on from here knows the count, and that something may have been pulled past it.
            self.tally.doubtful_here |= shrank(self.tally.total, page.total_items)
            self.tally.total = page.total_items
        elif self._seen.repeats(keys):
            change = f"the list changed while it was walked: page {place.number} repeats an item"
        else:
            return
        raise DriftDetected(summary=change, report=self.tally.report(waiting=0))

    def _move(self, place: Place, fetched: Fetched[T], fingerprint: int, *, new: bool) -> None:
        """Go to the place of the next page."""
        match self._course.after(place.number, fetched, fingerprint, fresh=new):
            case Turn.LOOP:
                summary = f"page {place.number} repeats an earlier one, and the list did not grow"
                raise PageLoop(summary=summary, report=self.tally.report(waiting=0))
            case Turn.PAGE:
                self._place = Place(place.start, place.number + 1)
            case Turn.END:
                self._end_list(place.start)

    def _end_list(self, start: datetime | None) -> None:
        """Read the list again, or go on to the next one."""
        repairs, total = self._options.on_drift == "repair", self.tally.total
        agreed = self._seen.agrees and total == self._total_before
        doubtful, self._course = self._course.doubtful, Course()
        if self._replayed is not None:
            self._end_replay(self._replayed)
        if repairs and not agreed and self._seen.passes < self._options.max_passes:
            self._place, self._total_before = Place(start, 0), total
            self._seen.read_again()
            self.tally.read_again()
            self.ahead.forget()
            return
        seen = self._behind + self._seen.shown
        if self._options.on_drift == "raise" and (gap := self.tally.missing_here(seen)):
            self._gap = f"the list changed while it was walked: the service counts {gap:,} more items than it showed"
        self.tally.close(seen=seen, seen_last=self._behind + self._seen.distinct, doubtful=doubtful or (repairs and not agreed))
        following = self.cuts.after(start)
        if self._behind:
            self._edge = self.cuts.before(following, self._source.overlap)
        self._seen, self._behind = self._seen.next_list(), 0
        self.cuts.pass_by(following)
        self._place = None if following is None else Place(following, 0)
        if following is None:
            self.tally.ended = True
            self.ahead.forget()
