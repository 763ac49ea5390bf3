"""A service whose list changes while it is walked: between two requests, and during one. It knows the truth. No HTTP."""

import asyncio
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import NamedTuple

from attrs import evolve

from voicedrop_async.errors import ConnectionLost
from voicedrop_async.models import Page
from voicedrop_async.pages import Fetched, PageStream, Source, Span

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SECONDS = 8
"""The range of time that is cut into slices. Rows lie on its seconds, on its ends as well, and half-way between."""

ENDLESS = 10_000
"""Requests after which a walk is taken for endless."""


class Row(NamedTuple):
    """What the list is made of."""

    id: int
    moment: datetime


class Slices(NamedTuple):
    """How the range of time is cut."""

    step: int
    """Seconds."""
    most: int
    """Rows above which a slice is cut in two."""
    overlap: int
    """Seconds by which a slice is asked for from before its start."""


class Answer(NamedTuple):
    """What was asked, and what the list was then."""

    span: Span | None
    number: int
    version: int
    ids: tuple[int, ...]
    """Of all rows of the slice, in the order of the list."""


class Changing:
    """Answers from the list as it is at the moment of the answer, and remembers all it was."""

    def __init__(self, halves: list[int], *, includes: tuple[bool, bool], turns: list[int]) -> None:
        """Begin with a row for each of ``halves``, the half seconds after noon.

        Args:
            halves: Moments of the first rows.
            includes: Whether a row on the start of a slice belongs to it, and one on its end.
            turns: Turns of the loop that the requests take, in the order in which they are asked; over and over. As many
                are taken by one that is cancelled.
        """
        self.rows = [Row(number, _moment(half)) for number, half in enumerate(halves)]
        self.ever = list(self.rows)
        """Rows that were in the list at any time, by id. An id is not used again."""
        self.includes = includes
        self.turns: Iterator[int] = cycle(turns)
        self.version = 0
        self.rising = 0
        """Failures that the next answers are replaced by."""
        self.later: list[tuple[int, Callable[[], None]]] = []
        """Changes to come, each with the answers until then."""
        self.under_way = 0
        self.watch()

    def watch(self) -> None:
        """Begin to note what happens."""
        self.changes: Counter[str] = Counter()
        self.always = {row.id for row in self.rows}
        """Rows that were there all the time."""
        self.longest = len(self.rows)
        self.answers: list[Answer] = []
        self.asked = 0
        self.failed = 0
        self.most_under_way = 0
        self.held: list[weakref.ref[Page[Row]]] = []
        """Pages that somebody still holds."""
        self.most_held = 0

    # --- what happens ------------------------------------------------------------------------------------------------

    def happens(self, answers: int, change: Callable[[], None]) -> None:
        """Change at once, or just before so many answers from now."""
        if answers:
            self.later.append((answers, change))
        else:
            change()

    def change(self, kind: str, which: int, where: int, half: int) -> None:
        """Change the list in a way that bears a name, or fail the answer that comes next."""
        match kind:
            case "insert":
                self._insert(where, half)
            case "delete":
                self._delete(which)
            case "replace":  # so that no count tells
                self._delete(which)
                self._insert(where, half)
            case "move":
                self._move(which, where)
            case "fail":
                self.rising += 1

    def _insert(self, where: int, half: int) -> None:
        row = Row(len(self.ever), _moment(half))
        self.ever.append(row)
        self.rows.insert(where % (len(self.rows) + 1), row)
        self._changed("insert")

    def _delete(self, which: int) -> None:
        if self.rows:
            self.always.discard(self.rows.pop(which % len(self.rows)).id)
            self._changed("delete")

    def _move(self, which: int, where: int) -> None:
        if len(self.rows) > 1:
            row = self.rows.pop(which % len(self.rows))
            self.rows.insert(where % (len(self.rows) + 1), row)
            self._changed("move")

    def _changed(self, kind: str) -> None:
        self.version += 1
        self.changes[kind] += 1
        self.longest = max(self.longest, len(self.rows))

    # --- what is asked -----------------------------------------------------------------------------------------------

    def stream(self, *, slices: Slices | None, late: bool, **options) -> PageStream[Row]:
        """Return a stream; one that is ``late`` keeps pages unread until their turn."""
        source = Source(fetch=self.fetch, ask=self.ask if late else None, keys=_keys, query="of a machine")
        if slices is not None:
            seconds = Span(NOON, NOON + SECONDS * SECOND)
            source = evolve(source, range=seconds, step=slices.step * SECOND, most=slices.most, overlap=slices.overlap * SECOND)
        return PageStream(source, **options)

    def within(self, span: Span | None) -> tuple[int, ...]:
        """Return the ids of the rows of a slice, in the order of the list."""
        return tuple(row.id for row in self.rows if self.holds(span, row))

    def holds(self, span: Span | None, row: Row) -> bool:
        """Whether the row lies in the slice."""
        starts, ends = self.includes
        if span is None or span.start < row.moment < span.end:
            return True
        return (starts and row.moment == span.start) or (ends and row.moment == span.end)

    async def fetch(self, span: Span | None, number: int, size: int) -> Fetched[Row]:
        self.asked += 1
        assert self.asked < ENDLESS
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self._some_turns()
        except asyncio.CancelledError:
            self.under_way -= 1
            await self._some_turns()  # as a connection that is being closed
            raise
        self.under_way -= 1
        self._go_on()
        if self.rising:
            self.rising -= 1
            self.failed += 1
            raise ConnectionLost(summary="cut", request="POST /voice/tracking")
        return self._answer(span, number, size)

    async def _some_turns(self) -> None:
        for _ in range(next(self.turns)):
            await asyncio.sleep(0)

    async def ask(self, span: Span | None, number: int, size: int) -> Callable[[], Fetched[Row]]:
        fetched = await self.fetch(span, number, size)
        return lambda: fetched

    def _go_on(self) -> None:
        due = [change for answers, change in self.later if answers <= 1]
        self.later = [(answers - 1, change) for answers, change in self.later if answers > 1]
        for change in due:
            change()

    def _answer(self, span: Span | None, number: int, size: int) -> Fetched[Row]:
        ids = self.within(span)
        self.answers.append(Answer(span, number, self.version, ids))
        by_id = {row.id: row for row in self.rows}
        items = tuple(by_id[each] for each in ids[number * size : (number + 1) * size])
        count = -(-len(ids) // size)
        last = number + 1 >= count
        page = Page(items=items, number=number, size=size, total_pages=count, total_items=len(ids), is_last=last)
        self.held = [each for each in self.held if each() is not None] + [weakref.ref(page)]
        self.most_held = max(self.most_held, len(self.held))
        return Fetched(page=page, last=last, total_pages=count)


def _keys(rows: Sequence[Row]) -> list[int]:
    return [row.id for row in rows]


def _moment(half: int) -> datetime:
    return NOON + half * SECOND / 2
