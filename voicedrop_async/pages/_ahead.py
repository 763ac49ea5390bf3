"""Requests ahead of the walk: under way before their turn, taken in order, and gone when the walk is left."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from voicedrop_async._tasks import begun, ended
from voicedrop_async.errors import WireError
from voicedrop_async.pages._cuts import Cuts
from voicedrop_async.pages._source import Fetched, Place

T = TypeVar("T")

_TURN: Final = 0.001
"""Seconds after which the loop gets a turn: pages that wait already are taken without one, and new requests would starve."""
_HOPS: Final = 3
"""Rounds of the loop in a turn. In the first we stand in line in front of the timers that are due; in the second these have
woken who sleeps; in the third those have run."""


class Ahead(Generic[T]):
    """Owns the tasks of the pages that were asked for before their turn; ``aclose`` leaves none."""

    def __init__(
        self,
        fetch: Callable[[Place], Awaitable[Fetched[T]]],
        ask: Callable[[Place], Coroutine[Any, Any, Callable[[], Fetched[T]]]],
        cuts: Cuts,
        *,
        most: int,
        over_lists: bool,
    ) -> None:
        """Begin with nothing under way.

        Args:
            fetch: Fetch the page at a place; for the first page of a slice, cut the slice before if it holds too much.
            ask: The same, to be read when it is called.
            cuts: The slices that follow each other.
            most: The most pages under way or waiting.
            over_lists: Whether to go on with the next list before the present one has ended.
        """
        self._fetch = fetch
        self._ask = ask
        self._cuts = cuts
        self._most = most
        self._over_lists = over_lists
        self._tasks: dict[Place, asyncio.Task[Callable[[], Fetched[T]]]] = {}
        self._gapless: Place | None = None
        """The place behind the last one of a list up to which, from where the walk stands, each page is under way or waiting."""
        self._given_up: set[asyncio.Task[Callable[[], Fetched[T]]]] = set()
        """Cancelled, and not at their end yet."""
        self._pages: dict[datetime | None, int] = {}
        """Pages of each list that is known, as far as the service told."""
        self._guess: int | None = None
        """Pages of the list that was opened last: what the next one is expected to have."""
        self._next = Place(None, 0)
        self._room = 0
        self._taken: Place | None = None
        """The place that was taken last: behind it, nothing is under way that was passed by."""
        self._turn = 0.0

    def plan(self, place: Place, room: int) -> None:
        """Ask for ``place`` and what follows it, as far as that is known; not for more than ``room`` pages."""
        self._next, self._room = place, room
        room, weight_left, begin = min(room, self._most), self._most, place
        if room <= 0:
            return
        if self._gapless is not None and self._gapless.start == place.start and place.start in self._pages:
            # Up to there, nothing is left to ask for.
            asked = self._gapless.number - place.number
            if asked > 0:
                room, weight_left, begin = room - asked, weight_left - asked, self._gapless
                if room <= 0 or weight_left <= 0:
                    return
        for each, weight in self._upcoming(begin, needed=begin is place):
            if each not in self._tasks:
                if len(self._tasks) >= self._most and each != place:
                    return  # lists opened ahead take the places until their turn comes
                self._tasks[each] = begun(self._opening(each) if each.number == 0 else self._ask(each))
            if each.start == place.start:
                self._gapless = Place(each.start, each.number + 1)
            room, weight_left = room - 1, weight_left - weight
            if room <= 0 or weight_left <= 0:
                return

    async def take(self, place: Place, room: int) -> tuple[Fetched[T], bool]:
        """Return the page at ``place``, and whether it was asked for before its turn; ``room`` as for ``plan``."""
        if self._taken != (place.start, place.number - 1):
            self._pass_by(place)
        self._taken = place
        early = place in self._tasks
        if not early:
            self._gapless = None
            # It failed or was given up: what stands behind it is older than it will be, and an item could fall between.
            for behind in [each for each in self._tasks if each.start == place.start]:
                self._give_up(behind)
            self.plan(place, room)
        task = self._tasks.get(place)
        try:
            fetched = await (self._fetch(place) if task is None else self._read(place, task, room))
        finally:
            self._tasks.pop(place, None)
            self._room = 0  # what arrives now waits for the next plan, which begins behind this place
        self._learn(place, fetched)
        return fetched, early

    def _pass_by(self, place: Place) -> None:
        """Give up what lies in front of ``place``, to which the walk did not come page by page."""
        for passed in [each for each in self._tasks if each < place]:
            self._give_up(passed)
        for start in [each for each in self._pages if Place(each, 0) < Place(place.start, 0)]:
            del self._pages[start]

    async def _read(self, place: Place, task: asyncio.Task[Callable[[], Fetched[T]]], room: int) -> Fetched[T]:
        read = await task
        following = Place(place.start, place.number + 1)
        if following.number < self._pages.get(place.start, 0):
            # The request that takes the place of this one is under way while this one is read.
            self._tasks.pop(place, None)
            self.plan(following, room - 1)
        await self._turn_of_the_loop()
        try:
            return read()
        except WireError:
            return await self._fetch(place)

    def forget(self) -> None:
        """Give up what is under way, and what is known of its lists."""
        for place in list(self._tasks):
            self._give_up(place)
        self._gapless = None
        self._pages.clear()

    async def aclose(self) -> None:
        """Give up what is under way, and see it end, though we be cancelled ourselves."""
        self._most = 0  # a reader that is in the middle of a page asks for nothing more
        self.forget()
        await ended(self._given_up)

    def _give_up(self, place: Place) -> None:
        task = self._tasks.pop(place)
        task.cancel()
        self._gapless = None
        self._given_up.add(task)
        task.add_done_callback(self._has_ended)

    def _has_ended(self, task: asyncio.Task[Callable[[], Fetched[T]]]) -> None:
        self._given_up.discard(task)
        if not task.cancelled():
            task.exception()  # nobody will ask for that page: what failed is nobody's business any more

    async def _turn_of_the_loop(self) -> None:
        if time.monotonic() - self._turn > _TURN:
            for _ in range(_HOPS):
                await asyncio.sleep(0)
            self._turn = time.monotonic()

    async def _opening(self, place: Place) -> Callable[[], Fetched[T]]:
        """Ask for the first page of a list, and then for those behind it."""
        read = await self._ask(place)
        if place in self._tasks:
            self._learn(place, read())
            self.plan(self._next, self._room)
        return read

    def _learn(self, place: Place, fetched: Fetched[T]) -> None:
        """Note how many pages the list has, by its count, or else by what the page says of being the last."""
        pages = fetched.total_pages
        self._pages[place.start] = pages if pages is not None else place.number + (1 if fetched.last or not fetched.page.items else 2)
        if place.number == 0:
            self._guess = max(1, self._pages[place.start])

    def _upcoming(self, place: Place, *, needed: bool) -> Iterator[tuple[Place, int]]:
        """The places from ``place`` on, each with the pages it stands for: a list not opened yet is a guess.

        If ``needed``, the first one is wanted in any case.
        """
        start, number = place
        while True:
            pages = self._pages.get(start)
            if pages is None:
                yield Place(start, number), self._guess or self._most
            else:
                for each in range(number, max(pages, number + 1) if needed else pages):
                    yield Place(start, each), 1
            following = self._cuts.after(start) if self._over_lists else None
            if following is None:
                return
            start, number, needed = following, 0, True
