"""Tasks and threads that whoever began them sees to their end, though he be cancelled meanwhile."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any, TypeVar

from voicedrop_async.errors import ConfigError

T = TypeVar("T")


def begun(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin a task in the loop that runs; in a forked child that goes on where its parent was, Python knows of none."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        work.close()
        raise ConfigError("session: no event loop runs in this process; make one in each run") from None
    return loop.create_task(work)


async def ended(cancelled: Collection[asyncio.Task[Any]]) -> None:
    """See tasks end that were cancelled, though we be cancelled ourselves."""
    if cancelled:  # in a forked child there are none, and no loop that could be asked to wait for them
        # Unlike ``wait``, a cancelled ``gather`` still ends after its last task.
        await asyncio.gather(*cancelled, return_exceptions=True)


async def to_its_end(step: Callable[[], T]) -> T:
    """Take a step in a thread. Whoever is cancelled meanwhile leaves when it is done: what it made can be cleared away then."""
    running = asyncio.get_running_loop().run_in_executor(None, step)
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait((running,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        running.exception()  # nobody asks for it any more
        raise cancelled
    return running.result()
