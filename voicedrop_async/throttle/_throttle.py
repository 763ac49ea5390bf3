"""The throttle that holds sessions to their limits."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from voicedrop_async._checks import check_kind
from voicedrop_async.calls import Kind
from voicedrop_async.throttle._gate import Gate
from voicedrop_async.throttle._limits import Limits, ThrottleSnapshot
from voicedrop_async.throttle._line import Line


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
        self._gate = Gate(self._limits.rate)
        self._line: Line | None = None

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
            line = self._line = self._new_line(loop)
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
        now, line = self._clock(), self._line
        gate = line.gate if line else self._gate
        return ThrottleSnapshot(
            in_flight=line.in_flight if line else 0,
            waiting=line.waiting if line else 0,
            rate=gate.rate(now),
            rate_limit=self._limits.rate,
            paused_for=max(0.0, gate.resume_at - now),
        )

    def _new_line(self, loop: asyncio.AbstractEventLoop) -> Line:
        return Line(loop, self._limits, self._gate, self._clock)
