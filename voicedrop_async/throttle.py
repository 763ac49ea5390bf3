"""How many requests may be in flight, how fast they may start, and the pause after a 429."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from weakref import ref

from attrs import frozen

from voicedrop_async._checks import check_amount, check_count, check_kind
from voicedrop_async.calls import Kind


@frozen(kw_only=True)
class Limits:
    """What a session may ask of a service at once."""

    max_in_flight: int = 8
    """Requests in flight, from their first byte to the last byte of the answer."""
    rate: float | None = None
    """Requests started a second, evenly spread; None for no limit."""
    send_reserve: int = 1
    """Slots that reading may not take from sending; never more than ``max_in_flight - 1``."""

    def __attrs_post_init__(self) -> None:
        check_count("max_in_flight", self.max_in_flight, 1)
        check_count("send_reserve", self.send_reserve, 0)
        if self.rate is not None:
            check_amount("rate", self.rate)


@frozen
class _Slots:
    everybody: asyncio.Semaphore
    readers: asyncio.Semaphore


class Throttle:
    """Slots, rate and pause, for one session or shared by several; usable in several loops, one after another."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Take ``limits``, or their defaults; a test hands in a ``clock`` and ``sleep`` of its own.

        Raises:
            ConfigError: ``limits`` are no ``Limits``.
        """
        check_kind("limits", limits, Limits)
        self._limits = limits or Limits()
        self._clock = clock
        self._sleep = sleep
        self._loop: ref[asyncio.AbstractEventLoop] | None = None
        self._slots: _Slots
        self._resume_at = 0.0
        self._next_start = 0.0

    @asynccontextmanager
    async def slot(self, kind: Kind) -> AsyncGenerator[None]:
        """Hold a slot while the block runs: entered when one is free, no pause is on and the rate allows."""
        slots = self._slots_here()
        while True:
            await self._until(self._resume_at)
            async with slots.readers if kind is Kind.READ else nullcontext(), slots.everybody:
                await self._turn()
                if self._resume_at > self._clock():
                    continue  # a pause began while we queued: wait it out, without the slot
                yield
                return

    def pause(self, seconds: float) -> None:
        """Let no request start for so many seconds, whoever asks for it."""
        self._resume_at = max(self._resume_at, self._clock() + seconds)

    def _slots_here(self) -> _Slots:
        # A semaphore belongs to the loop it first waited in, a throttle to one loop after another.
        loop = asyncio.get_running_loop()
        if self._loop is None or self._loop() is not loop:
            most = self._limits.max_in_flight
            readers = max(1, most - self._limits.send_reserve)
            self._loop, self._slots = ref(loop), _Slots(asyncio.Semaphore(most), asyncio.Semaphore(readers))
        return self._slots

    async def _turn(self) -> None:
        if self._limits.rate is not None:
            start = max(self._clock(), self._next_start)
            self._next_start = start + 1.0 / self._limits.rate
            await self._until(start)

    async def _until(self, moment: float) -> None:
        left = moment - self._clock()
        if left > 0:
            await self._sleep(left)
