"""One rate for several processes and machines: turns are given by Redis. Needs the extra ``redis``."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from logging import getLogger
from math import inf
from types import TracebackType
from typing import Any, Final, Self

from voicedrop_async._checks import check_amount, check_text
from voicedrop_async._redis import Database, RedisClient, reason
from voicedrop_async.errors import ConfigError, SessionClosed, ThrottleFailed
from voicedrop_async.throttle import _lua
from voicedrop_async.throttle._gate import Gate
from voicedrop_async.throttle._limits import Limits
from voicedrop_async.throttle._line import Line, Slot
from voicedrop_async.throttle._throttle import Throttle
from voicedrop_async.throttle._turns import Turns

_PATIENCE: Final = 1.0
"""Seconds for an answer of Redis."""
_AGAIN: Final = 1.0
"""Seconds until one that failed is asked again."""

_LOG: Final = getLogger("voicedrop_async")


class RedisThrottle(Throttle):
    """A throttle whose rate and pause are shared by all processes with the same database and prefix. Slots are each process's own.

    A request starts in a turn that Redis has given, by the clock of Redis; a process that comes too late for its turn gives it
    up, so no second has more starts than the rate and one. All are to give the same rate. A 429 that one of them is told
    pauses and slows down all: the others learn it with their next question, within a second or so.

    While Redis cannot be asked, or does not answer within a second, nothing is sent that costs money: ``ThrottleFailed``.
    Everything else goes on at ``local_rate``, a warning goes to the logger ``voicedrop_async``, and Redis is asked again once
    a second. What it holds need not outlive it: pauses are told anew, and who shared a rate that was lost waits for a second.

    Usable in several loops, one after another, if it was given a URL; close it in each.
    """

    def __init__(
        self,
        redis: str | RedisClient,
        limits: Limits,
        *,
        local_rate: float,
        prefix: str = "voicedrop:rate",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Name the database; nothing is sent to it before the first request.

        Args:
            redis: URL of a database, as in ``redis://localhost:6379/0``; or a ``redis.asyncio.Redis`` of yours, never closed by us.
            limits: ``rate`` is that of all together; the rest is of this process.
            local_rate: Requests a second that this process may start while Redis cannot be asked: its share.
            prefix: The key that holds the rate; one for each account.
            clock: A test hands in its own.

        Raises:
            ConfigError: The extra ``redis`` is not installed, ``redis`` is no URL and no client, or there is no rate to share.
        """
        super().__init__(limits, clock=clock)
        if self._limits.rate is None:
            raise ConfigError("limits: must have a rate, there is nothing else to share")
        check_amount("local_rate", local_rate)
        self._key = check_text("prefix", prefix)
        self._database = Database(redis, _PATIENCE)
        self._turns = self._gate = Turns(self._limits.rate)
        self._local = Gate(local_rate)
        self._shared: SharedLine | None = None

    async def __aenter__(self) -> Self:
        """Return the throttle."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close its connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless the client is yours. Again: does nothing. A throttle that is used again connects again."""
        if self._shared is not None and _is_running(self._shared.loop):
            await self._shared.aclose()
        await self._database.aclose()

    def pause(self, seconds: float) -> None:
        """Let no request start for so many seconds, whoever asks for it, in any process."""
        now = self._clock()
        for gate in (self._turns, self._local):
            gate.pause(now, seconds)
        self._tell()

    def slow_down(self, seconds: float, lowered: int) -> None:
        """Do what a 429 asks for, in all processes; see ``Throttle.slow_down``."""
        now = self._clock()
        for gate in (self._turns, self._local):
            gate.pause(now, seconds)
            gate.lower(now, lowered)
        self._tell()

    def _tell(self) -> None:
        if self._shared is not None and _is_running(self._shared.loop):
            self._shared.tell()

    def _new_line(self, loop: asyncio.AbstractEventLoop) -> Line:
        ask = partial(self._database.run, "EVAL", _lua.ASK, 1, self._key)
        self._shared = SharedLine(loop, self._limits, self._turns, self._local, self._clock, ask, self._database.failures)
        return self._shared


class SharedLine(Line):
    """A line that asks for a turn whenever somebody has a slot and no turn; one question at a time."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
        turns: Turns,
        local: Gate,
        clock: Callable[[], float],
        ask: Callable[..., Awaitable[Any]],
        failures: tuple[type[Exception], ...],
    ) -> None:
        super().__init__(loop, limits, turns, clock)
        self._turns = turns
        self._local = local
        self._ask = ask
        self._failures = failures
        self._asking: asyncio.Task[None] | None = None
        self._asks_at = -inf
        self._hoping = 0  # Who pays, and waits for what the question under way brings.

    @property
    def is_alone(self) -> bool:
        """Whether the latest question failed, so that the local rate holds."""
        return self.gate is self._local

    @property
    def waiting(self) -> int:
        """How many are in line, or wait to hear whether there is one."""
        return super().waiting + self._hoping

    def enters(self, reads: bool) -> bool:
        """Take a slot at once where there is a turn. Alone, who pays does not; and somebody has to ask when it is time."""
        if self.is_alone and (not reads or self._clock() >= self._asks_at):
            return False
        return super().enters(reads)

    async def wait(self, slot: Slot) -> int:
        """Take slot and turn in line; who pays is refused where there is nobody to ask."""
        if slot.pays and self.is_alone:
            self.tell()
            if self._asking is not None:
                self._hoping += 1
                try:
                    await asyncio.wait([self._asking])
                finally:
                    self._hoping -= 1
            if slot.is_dismissed:
                raise SessionClosed
            if self.is_alone:
                raise _unasked()
        return await super().wait(slot)

    def tell(self) -> None:
        """Ask, if there is something to ask for or to tell, and it is time."""
        now = self._clock()
        if self._asking is not None:
            return
        wanted = self._wanted(now)
        if now < self._asks_at:
            if wanted:
                self._wake_at(self._asks_at, self._asks_at - now)
        elif wanted or self._turns.has_news or self.is_alone:
            self._asking = self.loop.create_task(self._question(wanted))

    async def aclose(self) -> None:
        """End a question that is under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])
            self._asking = None  # one that was cancelled before its first step could not say so

    async def _question(self, wanted: int) -> None:
        sent = self._clock()
        answer, why = None, "cancelled"
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._ask(*self._turns.question(sent, wanted))
        except self._failures as error:
            why = reason(error)
        finally:
            self._asking = None
            if answer is None:
                self._go_alone(why)
            else:
                self._go_together(sent, answer)
            self._let_in()

    def _go_alone(self, why: str) -> None:
        if not self.is_alone:
            _LOG.warning(
                "redis cannot be asked for the shared rate (%s): no paid send leaves, the local rate holds; look at the server",
                why,
            )
        self._local.resume_at = max(self._local.resume_at, self._turns.resume_at)
        self.gate, self._asks_at = self._local, self._clock() + _AGAIN
        self.send_away(lambda slot: slot.pays, _unasked)

    def _go_together(self, sent: float, answer: list[Any]) -> None:
        if self.is_alone:
            _LOG.warning("redis can be asked again for the shared rate, which holds from here on")
        received = self._clock()
        self._asks_at = received + self._turns.take(sent, received, answer)
        self.gate, self._local.lowered = self._turns, self._turns.lowered

    def _let_in(self) -> None:
        super()._let_in()
        self.tell()

    def _wake_at(self, moment: float, seconds: float) -> None:
        if moment < inf:  # else an answer wakes us
            super()._wake_at(moment, seconds)

    def _wanted(self, now: float) -> int:
        """Return for how many there is a slot and no turn."""
        if self._turns.resume_at > now:
            return 0
        readers = min(len(self._readers), self._most_readers - self._reading)
        with_slots = min(len(self._senders) + readers, self._most - self.in_flight)
        return max(0, with_slots + self._waking - self._turns.given)


def _is_running(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether we are called from that loop; a pause can be asked for from outside of any."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _unasked() -> ThrottleFailed:
    return ThrottleFailed(summary="redis cannot be asked for the shared rate; nothing was sent")
