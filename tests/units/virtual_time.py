"""An event loop whose time stands still while anything can be done, and jumps to the next timer when nothing can."""

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable
from math import ceil, inf
from typing import Any


class _NobodyWaits(selectors.DefaultSelector):
    now = 1000.0
    turns = 0
    tick = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.turns += 1
        if timeout is None:
            return super().select()
        timeout = max(timeout, 0.0)
        self.now += ceil(timeout / self.tick) * self.tick if self.tick else timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._nobody_waits = _NobodyWaits()
        super().__init__(self._nobody_waits)
        self.slow_callback_duration = inf  # a jump of the clock is no slowness

    def time(self) -> float:
        return self._nobody_waits.now

    def stall(self, seconds: float) -> None:
        """Let time pass as a callback does that blocks the loop."""
        self._nobody_waits.now += seconds

    def wake_on_whole(self, seconds: float) -> None:
        """Wake no timer but after so many seconds, or twice as many, and so on: epoll does so with milliseconds."""
        self._nobody_waits.tick = seconds

    @property
    def timers(self) -> int:
        """How many timers are set."""
        return sum(not timer.cancelled() for timer in self._scheduled)

    @property
    def turns(self) -> int:
        """How often the loop has gone round."""
        return self._nobody_waits.turns


def here() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def in_virtual_time(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test in a loop of its own that waits for no clock."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def main() -> None:
            await test(*args, **kwargs)

        with asyncio.Runner(loop_factory=VirtualLoop, debug=True) as runner:
            runner.run(main())

    return run
