"""How many requests may be in flight, how fast they may start, and what follows a 429: a pause, and a lower rate.

Whoever waits stands in one line in front of the slots, and is let in in the order of arrival. Nobody polls: a slot that is
given back lets in the next, and one timer for the whole line wakes it when the pause is over or the rate allows.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from math import inf
from types import TracebackType
from typing import Final

from attrs import frozen

from voicedrop_async._checks import check_amount, check_count, check_kind
from voicedrop_async.calls import Kind

_CUT: Final = 0.5
"""What is left of the rate after a 429."""
_LEAST: Final = 0.1
"""The lowest rate, as a part of the one that was set: however often it is cut, requests go on."""
_RECOVERY: Final = 0.01
"""What each second gives back to the rate, as a part of the one that was set."""
_LATENESS: Final = 0.5
"""How much of the time between two starts a late wake-up may be made good by; below 1, or a second could hold two too many."""


@frozen(kw_only=True)
class Limits:
    """What a session may ask of a service at once."""

    max_in_flight: int = 8
    """Requests in flight, from their first byte to the last byte of the answer."""
    rate: float | None = None
    """Requests started a second, evenly spread; None for no limit. A 429 halves it, down to a tenth of what is set here
    at the lowest; each second then gives back a hundredth of it."""
    send_reserve: int = 1
    """Slots that reading may not take from sending; never more than ``max_in_flight - 1``."""

    def __attrs_post_init__(self) -> None:
        check_count("max_in_flight", self.max_in_flight, 1)
        check_count("send_reserve", self.send_reserve, 0)
        if self.rate is not None:
            check_amount("rate", self.rate)


@frozen(kw_only=True)
class ThrottleSnapshot:
    """A throttle at one moment."""

    in_flight: int
    """Requests that hold a slot."""
    waiting: int
    """Calls in line for one."""
    rate: float | None
    """Requests a second that may start now: below ``rate_limit`` for a while after a 429; None for no limit."""
    rate_limit: float | None
    """Requests a second as set in ``Limits``."""
    paused_for: float
    """Seconds until requests may start again; 0 if there is no pause."""


class Throttle:
    """Slots, rate and pause, for one session or shared by several; usable in several loops, one after another."""

    def __init__(self, limits: Limits | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take ``limits``, or their defaults; a test hands in a ``clock`` of its own.

        Raises:
            ConfigError: ``limits`` are no ``Limits``.
        """
        check_kind("limits", limits, Limits)
        self._limits = limits or Limits()
        self._clock = clock
        self._gate = _Gate(self._limits.rate)
        self._line: _Line | None = None

    def slot(self, kind: Kind) -> AbstractAsyncContextManager[int]:
        """Hold a slot while the block runs: entered when one is free, no pause is on and the rate allows.

        Entered in the order of asking, but that sending does not wait for a slot which reading may not have.

        Yields:
            How often the rate had been lowered by then; ``slow_down`` takes it back.
        """
        # Slots and waiters belong to one loop; pause and rate are the service's, and outlive it.
        loop, line = asyncio.get_running_loop(), self._line
        if line is None or line.loop is not loop:
            line = self._line = _Line(loop, self._limits, self._gate, self._clock)
        return line.slots[kind]

    def pause(self, seconds: float) -> None:
        """Let no request start for so many seconds, whoever asks for it."""
        self._gate.pause(self._clock(), seconds)

    def slow_down(self, seconds: float, lowered: int) -> None:
        """Do what a 429 asks for: pause for so many seconds, and go on at a lower rate.

        Args:
            seconds: Until requests may start again.
            lowered: What the slot of the refused request gave. The requests of one burst are refused together, and
                lower the rate once: one that started before it was lowered tells nothing about the lower rate.
        """
        self._gate.pause(self._clock(), seconds)
        self._gate.lower(self._clock(), lowered)

    def snapshot(self) -> ThrottleSnapshot:
        """Return what is in flight and waiting, and what the service lets through, at this moment."""
        now, line, gate = self._clock(), self._line, self._gate
        return ThrottleSnapshot(
            in_flight=line.in_flight if line else 0,
            waiting=line.waiting if line else 0,
            rate=gate.rate(now),
            rate_limit=self._limits.rate,
            paused_for=max(0.0, gate.resume_at - now),
        )


class _Gate:
    """When the next request may start, by pause and rate. Moments are handed in."""

    def __init__(self, limit: float | None) -> None:
        self.is_timed = limit is not None
        self.resume_at = -inf
        self.lowered = 0
        self._limit = limit
        self._low = limit or 0.0
        self._low_since = -inf
        self._latest = -inf

    def rate(self, now: float) -> float | None:
        """Return how many may start a second."""
        if self._limit is None or not self.lowered:
            return self._limit
        return min(self._limit, self._low + max(0.0, now - self._low_since) * self._limit * _RECOVERY)

    def opens_at(self, now: float) -> float:
        """Return the moment at which the next may start."""
        if (rate := self.rate(now)) is None:
            return self.resume_at
        return max(self.resume_at, self._latest + 1.0 / rate)

    def passes(self, now: float) -> bool:
        """Note that one starts now, if neither pause nor rate holds it back."""
        if self.resume_at > now:
            return False
        if (rate := self.rate(now)) is not None:
            if self._latest + 1.0 / rate > now:
                return False
            self._latest = now
        return True

    def start(self, now: float) -> None:
        """Note that one starts that waited: it was woken a little late, and the next need not be later for that."""
        if (rate := self.rate(now)) is not None:
            self._latest = max(self._latest + 1.0 / rate, now - _LATENESS / rate)

    def pause(self, now: float, seconds: float) -> None:
        """Let none start for so many seconds."""
        self.resume_at = max(self.resume_at, now + seconds)

    def lower(self, now: float, seen: int) -> None:
        """Cut the rate, unless that was done since its ``lowered`` was ``seen``; it recovers when the pause is over."""
        rate = self.rate(now)
        if self._limit is not None and rate is not None and seen == self.lowered:
            self.lowered += 1
            self._low = max(rate * _CUT, self._limit * _LEAST)
            self._low_since = max(now, self.resume_at)


class _Line:
    """The slots of one loop, and those who wait for one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits, gate: _Gate, clock: Callable[[], float]) -> None:
        self.loop = loop
        self.gate = gate
        self.in_flight = self._reading = self._arrivals = 0
        self._most = limits.max_in_flight
        self._most_readers = max(1, limits.max_in_flight - limits.send_reserve)
        self._clock = clock
        # Who waits, by the number of arrival. Two lines, since sending may go on where reading may not.
        self._readers: OrderedDict[asyncio.Future[int], int] = OrderedDict()
        self._senders: OrderedDict[asyncio.Future[int], int] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = inf
        # With a rate, the next is let in when the one before has woken, for that is when it starts: a loop that is held up
        # in between would else start them together.
        self._waking = False
        self.slots = {kind: _Slot(self, reads=kind is Kind.READ) for kind in Kind}

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._readers) + len(self._senders)

    def enters(self, reads: bool) -> bool:
        """Take a slot if nobody waits and nothing holds us back: the way of most requests."""
        if self._readers or self._senders or self._waking or not self._has_room(reads) or not self.gate.passes(self._clock()):
            return False
        self.in_flight += 1
        self._reading += reads
        return True

    async def wait(self, reads: bool) -> int:
        """Take a slot in turn; return how often the rate had been lowered when it was given."""
        turn: asyncio.Future[int] = self.loop.create_future()
        self._arrivals += 1
        (self._readers if reads else self._senders)[turn] = self._arrivals
        self._let_in()
        entered = False
        try:
            lowered = await turn
            entered = True
        finally:
            if not entered:
                self._give_up(turn, reads)
        if self._waking:
            self._waking = False
            self.gate.start(self._clock())
            self._let_in()
        return lowered

    def leave(self, reads: bool) -> None:
        """Give the slot back, to the next in line."""
        self.in_flight -= 1
        self._reading -= reads
        if self._readers or self._senders:
            self._let_in()

    def _has_room(self, reads: bool) -> bool:
        return self.in_flight < self._most and not (reads and self._reading >= self._most_readers)

    def _let_in(self) -> None:
        """Let in who may start now, in the order they came; the timer is for those whom pause or rate holds back."""
        now = self._clock()
        while not self._waking and (line := self._foremost()) is not None:
            opens_at = self.gate.opens_at(now)
            if opens_at > now:
                self._wake_at(opens_at, opens_at - now)
                return
            turn, _ = line.popitem(last=False)
            if not turn.cancelled():
                self.in_flight += 1
                self._reading += line is self._readers
                self._waking = self.gate.is_timed
                # Not when it has woken: a 429 in between lowers the rate once, and this one may be refused for the old rate.
                turn.set_result(self.gate.lowered)

    def _foremost(self) -> OrderedDict[asyncio.Future[int], int] | None:
        """Return the line whose first came first, of those for which there is a slot."""
        lines = [line for line, reads in ((self._readers, True), (self._senders, False)) if line and self._has_room(reads)]
        return min(lines, key=lambda line: next(iter(line.values())), default=None)

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
        if turn.done() and not turn.cancelled():
            self._waking = False
            self.leave(reads)
        elif not self.waiting:
            self._sleep_on()


class _Slot:
    """Any slot, from the moment it is asked for; it knows nothing of who holds it, so one object serves all."""

    __slots__ = ("_line", "_reads")

    def __init__(self, line: _Line, *, reads: bool) -> None:
        self._line = line
        self._reads = reads

    async def __aenter__(self) -> int:
        return self._line.gate.lowered if self._line.enters(self._reads) else await self._line.wait(self._reads)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._line.leave(self._reads)
