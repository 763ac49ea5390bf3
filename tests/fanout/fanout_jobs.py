"""Jobs and keys for fan-outs that do what the test says, and remember what was asked of them. No HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from voicedrop_async.fanout import Outcome


class Jobs:
    """Jobs that end when the test lets them, or at once if ``open``."""

    def __init__(self, *, open: bool = False) -> None:
        self.begun: list[Any] = []
        self.cancelled: list[Any] = []
        self.at_work = 0
        self.most_at_work = 0
        self._open = open
        self._gates: dict[Any, asyncio.Future[Any]] = {}
        self._begins = asyncio.Condition()

    async def __call__(self, key: Any) -> Any:
        self.begun.append(key)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        async with self._begins:
            self._begins.notify_all()
        try:
            return f"value of {key}" if self._open else await self._gate(key)
        except asyncio.CancelledError:
            self.cancelled.append(key)
            raise
        finally:
            self.at_work -= 1

    def end(self, key: Any, error: Exception | None = None) -> None:
        """Let the job of ``key`` end, begun or not."""
        if error is None:
            self._gate(key).set_result(f"value of {key}")
        else:
            self._gate(key).set_exception(error)

    async def until_begun(self, count: int) -> None:
        async with self._begins:
            await self._begins.wait_for(lambda: len(self.begun) >= count)

    def _gate(self, key: Any) -> asyncio.Future[Any]:
        return self._gates.setdefault(key, asyncio.get_running_loop().create_future())


class Keys:
    """Counts from 0, and remembers how far it was pulled; raises ``error`` in place of the key ``until``."""

    def __init__(self, until: int, error: Exception | None = None) -> None:
        self.pulled = 0
        self.closed = asyncio.Event()
        self._until = until
        self._error = error

    def __iter__(self) -> Iterator[int]:
        for key in range(self._until):
            self.pulled += 1
            yield key
        if self._error is not None:
            raise self._error

    async def slowly(self) -> AsyncGenerator[int]:
        """The same keys from an async generator, which waits between them and takes its time to close."""
        try:
            for key in self:
                await asyncio.sleep(0)
                yield key
        finally:
            try:
                await turns(5)  # can be cancelled itself
            finally:
                self.closed.set()


async def turns(count: int = 20) -> None:
    """Let the loop turn, so that what would happen by itself has happened."""
    for _ in range(count):
        await asyncio.sleep(0)


def others() -> set[asyncio.Task[Any]]:
    """Every task but the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}


def told(outcomes: list[Outcome[Any, Any]]) -> list[tuple[Any, Any]]:
    """Keys, with what became of them."""
    return [(outcome.key, outcome.value if outcome.ok else outcome.error) for outcome in outcomes]
