"""Who waits for a slot: one line, which is let in in the order of arrival.

Nobody polls: a slot that is given back lets in the next, and one timer for the whole line wakes it when the pause is over
or the rate allows.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from math import inf
from types import TracebackType

from voicedrop_async.calls import Kind
from voicedrop_async.errors import SessionClosed
from voicedrop_async.throttle._gate import Gate
from voicedrop_async.throttle._limits import Limits


class Line:
    """The slots of one loop, and those who wait for one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits, gate: Gate, clock: Callable[[], float]) -> None:
        self.loop = loop
        self.gate = gate
        self.in_flight = self._reading = self._arrivals = 0
        self._most = limits.max_in_flight
        self._most_readers = max(1, limits.max_in_flight - limits.send_reserve)
        self._clock = clock
        # Who waits, by the number of arrival, and through which slot. Two lines, since sending may go on where reading may not.
        self._readers: _Waiting = OrderedDict()
        self._senders: _Waiting = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = inf
        # With a rate, others are let in when those before have woken, for that is when they start: a loop that is held up
        # in between would else start them together. Counted are those let in and not awake.
        self._waking = 0
        # Whether the first in line only waits for its turn: what it then is late is made good, other time is not.
        self._is_due = False
        self.slots: dict[object, dict[Kind, Slot]] = {}

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._readers) + len(self._senders)

    def enters(self, reads: bool) -> bool:
        """Take a slot if nobody waits and nothing holds us back: the way of most requests, and so without a call of ``_has_room``."""
        if self.in_flight >= self._most or (reads and self._reading >= self._most_readers):
            return False
        if self._readers or self._senders or self._waking:
            return False
        if not self.gate.passes(self._clock()):
            return False
        self.in_flight += 1
        self._reading += reads
        return True

    async def wait(self, slot: "Slot") -> int:
        """Take a slot in turn; return how often the rate had been lowered when it was given."""
        turn: asyncio.Future[int] = self.loop.create_future()
        self._arrivals += 1
        (self._readers if slot.reads else self._senders)[turn] = self._arrivals, slot
        self._let_in()
        entered = False
        try:
            lowered = await turn
            if slot.is_dismissed:  # in the instant in which it was let in
                raise SessionClosed
            entered = True
        finally:
            if not entered:
                self._give_up(turn, slot.reads)
        if self._waking:
            self._waking -= 1
            self.gate.start(self._clock())
            self._let_in()
        return lowered

    def leave(self, reads: bool) -> None:
        """Give the slot back, to the next in line."""
        self.in_flight -= 1
        self._reading -= reads
        if self._readers or self._senders:
            self._let_in()

    def admit(self, owner: object) -> "dict[Kind, Slot]":
        """Return the slots that are asked for on behalf of ``owner``."""
        slots = self.slots[owner] = {kind: Slot(self, kind) for kind in Kind}
        return slots

    def dismiss(self, owner: object) -> None:
        """Send those away who came through the slots of ``owner``."""
        for slot in self.slots.pop(owner, {}).values():
            slot.is_dismissed = True
        self.send_away(lambda slot: slot.is_dismissed, SessionClosed)

    def send_away(self, whom: "Callable[[Slot], bool]", why: Callable[[], Exception]) -> None:
        """End the waiting of those who wait for such a slot, each with an error of its own."""
        for line in (self._readers, self._senders):
            for turn in [turn for turn, (_, slot) in line.items() if whom(slot)]:
                del line[turn]
                if not turn.done():
                    turn.set_exception(why())

    def _has_room(self, reads: bool) -> bool:
        return self.in_flight < self._most and not (reads and self._reading >= self._most_readers)

    def _let_in(self) -> None:
        """Let in who may start now, in the order they came; the timer is for those whom pause or rate holds back."""
        if self._waking:
            return
        now = self._clock()
        if not self._is_due:
            self.gate.forget(now)
        self._is_due = False
        while (line := self._foremost()) is not None:
            opens_at = self.gate.opens_at(now, self._waking)
            if opens_at > now:
                self._is_due = True
                self._wake_at(opens_at, opens_at - now)
                return
            turn, _ = line.popitem(last=False)
            if not turn.cancelled():
                self.in_flight += 1
                self._reading += line is self._readers
                self._waking += self.gate.is_timed
                # Not when it has woken: a 429 in between lowers the rate once, and this one may be refused for the old rate.
                turn.set_result(self.gate.lowered)

    def _foremost(self) -> "_Waiting | None":
        """Return the line whose first came first, of those for which there is a slot."""
        lines = [line for line, reads in ((self._readers, True), (self._senders, False)) if line and self._has_room(reads)]
        return min(lines, key=lambda line: next(iter(line.values()))[0], default=None)

    def _wake_at(self, moment: float, seconds: float) -> None:
        if self._timer is None or moment < self._wakes_at:
            self._sleep_on()
            self._timer, self._wakes_at = self.loop.call_later(seconds, self._wake), moment

    def _wake(self) -> None:
        self._timer = None
        self._let_in()

    def _sleep_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self, turn: asyncio.Future[int], reads: bool) -> None:
        """Leave no trace of a caller that was cancelled in line, or in the instant in which it was let in."""
        (self._readers if reads else self._senders).pop(turn, None)
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self._waking -= self.gate.is_timed
            self.leave(reads)
        elif not self.waiting:
            self._sleep_on()


class Slot:
    """Any slot of one owner, from the moment it is asked for; it knows nothing of who holds it, so one object serves all."""

    __slots__ = ("_line", "is_dismissed", "pays", "reads")

    def __init__(self, line: Line, kind: Kind) -> None:
        self._line = line
        self.reads = kind is Kind.READ
        self.pays = kind is Kind.PAID
        self.is_dismissed = False

    async def __aenter__(self) -> int:
        return self._line.gate.lowered if self._line.enters(self.reads) else await self._line.wait(self)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._line.leave(self.reads)


_Waiting = OrderedDict[asyncio.Future[int], tuple[int, Slot]]
