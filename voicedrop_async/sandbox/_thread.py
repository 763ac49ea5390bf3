"""A sandbox for those who have no event loop, or one that comes and goes with each test."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial, wraps
from threading import Thread
from typing import Any, TypeVar, cast

from ._server import Sandbox

Value = TypeVar("Value")

_STARTED_FOR_YOU = {"start", "aclose"}


@contextmanager
def in_thread(sandbox: Sandbox) -> Generator[Sandbox]:
    """Serve a sandbox from a thread of its own, with a loop of its own, until the block ends.

    ```python
    with in_thread(Sandbox(messages=10)) as sandbox:
        ...  # from any thread, with or without a loop: sandbox.fail_next(...), sandbox.requests
    ```

    Args:
        sandbox: Not started yet.

    Yields:
        The sandbox under its own names, each of which may be used in any thread. It waits for the sandbox's thread, which
        takes a fraction of a millisecond.

    Raises:
        RuntimeError: It was started before.
        OSError: A port is taken.
    """
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="voicedrop-sandbox", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(sandbox.start(), loop).result()
        try:
            yield cast(Sandbox, _FromAnyThread(sandbox, loop))
        finally:
            asyncio.run_coroutine_threadsafe(sandbox.aclose(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _FromAnyThread:
    """A sandbox whose names are read, and whose methods are called, in the thread that serves it."""

    def __init__(self, sandbox: Sandbox, loop: asyncio.AbstractEventLoop) -> None:
        self._sandbox = sandbox
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in _STARTED_FOR_YOU:
            raise AttributeError(f"{name}: not from another thread; the block starts and ends the sandbox", name=name, obj=self)
        value = self._there(partial(getattr, self._sandbox, name))
        if not callable(value):
            return value

        @wraps(value)
        def call(*args: Any, **options: Any) -> Any:
            __tracebackhide__ = True  # a failed assertion is shown where it was made
            return self._there(partial(value, *args, **options))

        return call

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._sandbox) if not name.startswith("_") and name not in _STARTED_FOR_YOU]

    def __repr__(self) -> str:
        return f"{self._sandbox!r} in a thread"

    def _there(self, act: Callable[[], Value]) -> Value:
        __tracebackhide__ = True

        async def acted() -> Value:
            return act()

        if self._loop.is_closed():  # what was received can be read still
            return act()
        try:
            return asyncio.run_coroutine_threadsafe(acted(), self._loop).result()
        except AssertionError as failed:
            raise failed.with_traceback(None) from None
