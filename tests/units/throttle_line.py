"""What the tests of the throttle share: a throttle on the loop's own clock, and callers that write down when they were let in."""

import asyncio
from dataclasses import dataclass, field

from virtual_time import here

from voicedrop_async import Kind, Limits, Throttle


def throttle(limits: Limits) -> Throttle:
    return Throttle(limits, clock=here().time)


async def most_at_once(throttle: Throttle, kind: Kind, callers: int) -> int:
    inside = most = 0

    async def call() -> None:
        nonlocal inside, most
        async with throttle.slot(kind):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(call() for _ in range(callers)))
    return most


@dataclass
class Callers:
    """Callers that come one after another, and the order and moments in which they are let in."""

    throttle: Throttle
    names: list[object] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def come(self, name: object, kind: Kind = Kind.READ, *, stays: float = 0.0, owner: object = None) -> asyncio.Task[None]:
        """Let one more come now, who holds the slot for so long."""
        task = asyncio.create_task(self._call(name, kind, stays, owner))
        self.tasks.append(task)
        return task

    async def _call(self, name: object, kind: Kind, stays: float, owner: object) -> None:
        async with self.throttle.slot(kind, owner):
            self.names.append(name)
            self.starts.append(asyncio.get_running_loop().time())
            await asyncio.sleep(stays)

    async def done(self) -> None:
        """Wait for all of them; some may have been cancelled."""
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def since(self, moment: float) -> list[float]:
        """The moments of the starts, counted from this one."""
        return [round(start - moment, 3) for start in self.starts]


def busiest_second(starts: list[float]) -> int:
    """How many starts the second that holds most of them holds, its ends included."""
    return max(sum(first <= start <= first + 1.0 for start in starts) for first in starts)
