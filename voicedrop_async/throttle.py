"""How many requests may be in flight, how fast they may start, and what follows a 429: a pause, and a lower rate.

Whoever waits stands in one line in front of the slots, and is let in in the order of arrival. Nobody polls: a slot that is
given back lets in the next, and one timer for the whole line wakes it when the pause is over or the rate allows.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from math import ceil, inf
from types import TracebackType
from typing import Final

from attrs import frozen

from voicedrop_async._checks import check_amount, check_count, check_kind
from voicedrop_async.calls import Kind
from voicedrop_async.errors import SessionClosed

_CUT: Final = 0.5
"""What is left of the rate after a 429."""
_LEAST: Final = 0.1
"""The lowest rate, as a part of the one that was set: however often it is cut, requests go on."""
_RECOVERY: Final = 0.01
"""What each second gives back to the rate, as a part of the one that was set."""
_LATENESS: Final = 0.5
"""How late a start may be and those behind it not later for that, as a part of the time between two; below 1, so that slow
starts stay apart."""
_LATE: Final = 0.01
"""The same in seconds, where that is more. Timers count whole milliseconds, and a busy loop comes round in a few: of many
starts a second, those whose turns came meanwhile start together."""
_MOST_PLACES: Final = 10_000
"""Starts that are remembered, so that a rate beyond all measure takes no memory beyond it."""


@frozen(kw_only=True)
class Limits:
    """What a session may ask of a service at once."""

    max_in_flight: int = 8
    """Requests in flight, from their first byte to the last byte of the answer."""
    rate: float | None = None
    """Requests started a second, evenly spread; never more within any one second. None for no limit. A 429 halves it, down to
    a tenth of what is set here at the lowest; each second then gives back a hundredth of it."""
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

    def slot(self, kind: Kind, owner: object = None) -> AbstractAsyncContextManager[int]:
        """Hold a slot while the block runs: entered when one is free, no pause is on and the rate allows.

        Entered in the order of asking, but that sending does not wait for a slot which reading may not have.

        Args:
            kind: What the request does.
            owner: On whose behalf it is asked for, for ``dismiss``.

        Yields:
            How often the rate had been lowered by then; ``slow_down`` takes it back.

        Raises:
            SessionClosed: The owner was dismissed meanwhile.
        """
        # Slots and waiters belong to one loop; pause and rate are the service's, and outlive it.
        loop, line = asyncio.get_running_loop(), self._line
        if line is None or line.loop is not loop:
            line = self._line = _Line(loop, self._limits, self._gate, self._clock)
        try:
            return line.slots[owner][kind]
        except KeyError:
            return line.admit(owner)[kind]

    def dismiss(self, owner: object) -> None:
        """Send away those who wait on behalf of ``owner``, with ``SessionClosed``: the others move up. Slots that are held stay so."""
        if self._line is not None and not self._line.loop.is_closed():
            self._line.dismiss(owner)

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
        self._latest = -inf  # The turn of the latest start, which may have been a little later.
        places = 1 if limit is None else min(ceil(limit), _MOST_PLACES)
        # The start so many places ago is at least so many seconds old: this is what holds in any one second, come what may.
        self._starts = deque([-inf] * places, maxlen=places)
        self._span = places / (limit or 1.0)

    def rate(self, now: float) -> float | None:
        """Return how many may start a second."""
        if self._limit is None or not self.lowered:
            return self._limit
        return min(self._limit, self._low + max(0.0, now - self._low_since) * self._limit * _RECOVERY)

    def opens_at(self, now: float, ahead: int = 0) -> float:
        """Return the moment at which the next may start, if so many ``ahead`` of it are about to."""
        if (rate := self.rate(now)) is None:
            return self.resume_at
        before = self._starts[ahead] if ahead < len(self._starts) else now
        return max(self.resume_at, self._turn(now, rate) + ahead / rate, before + self._span)

    def passes(self, now: float) -> bool:
        """Note that one starts now, if neither pause nor rate holds it back."""
        if self.resume_at > now:
            return False
        if (rate := self.rate(now) if self.lowered else self._limit) is not None:
            if self._latest + 1.0 / rate > now or self._starts[0] + self._span > now:
                return False
            self._latest = now
            self._starts.append(now)
        return True

    def start(self, now: float) -> None:
        """Note that one starts that waited: it was woken a little late, and the next need not be later for that."""
        if (rate := self.rate(now)) is not None:
            self._latest = self._turn(now, rate)
            self._starts.append(now)

    def forget(self, now: float) -> None:
        """Let turns that have passed be nobody's: they are not made good."""
        if (rate := self.rate(now)) is not None:
            self._latest = max(self._latest, now - 1.0 / rate)

    def _turn(self, now: float, rate: float) -> float:
        """Return the moment of the next turn; one that has passed counts from when quiet was over, and only so long ago."""
        return max(self._latest + 1.0 / rate, min(now, self.resume_at), now - max(_LATENESS / rate, _LATE))

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
        self.slots: dict[object, dict[Kind, _Slot]] = {}

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

    async def wait(self, slot: "_Slot") -> int:
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

    def admit(self, owner: object) -> "dict[Kind, _Slot]":
        """Return the slots that are asked for on behalf of ``owner``."""
        slots = self.slots[owner] = {kind: _Slot(self, reads=kind is Kind.READ) for kind in Kind}
        return slots

    def dismiss(self, owner: object) -> None:
        """Send those away who came through the slots of ``owner``."""
        for slot in self.slots.pop(owner, {}).values():
            slot.is_dismissed = True
        for line in (self._readers, self._senders):
            for turn in [turn for turn, (_, slot) in line.items() if slot.is_dismissed]:
                del line[turn]
                if not turn.done():
                    turn.set_exception(SessionClosed())

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


class _Slot:
    """Any slot of one owner, from the moment it is asked for; it knows nothing of who holds it, so one object serves all."""

    __slots__ = ("_line", "is_dismissed", "reads")

    def __init__(self, line: _Line, *, reads: bool) -> None:
        self._line = line
        self.reads = reads
        self.is_dismissed = False

    async def __aenter__(self) -> int:
        return self._line.gate.lowered if self._line.enters(self.reads) else await self._line.wait(self)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._line.leave(self.reads)


_Waiting = OrderedDict[asyncio.Future[int], tuple[int, _Slot]]
