"""Handing on: from the inbox to the handler, one after the other."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from inspect import isawaitable, iscoroutinefunction
from logging import getLogger
from typing import Final

from voicedrop_async.models import CallbackEvent
from voicedrop_async.webhooks._inbox import Inbox
from voicedrop_async.webhooks._letter import Letter
from voicedrop_async.webhooks._parsing import PARSERS

Handler = Callable[[CallbackEvent], object]

_LOG: Final = getLogger("voicedrop_async")


async def hand_on(inbox: Inbox, handler: Handler) -> None:
    """Hand on what waits, until cancelled. A plain function has a thread of its own, for which only the process waits at its end."""
    task = asyncio.current_task()
    pool = (
        None if iscoroutinefunction(handler) or iscoroutinefunction(type(handler).__call__) else ThreadPoolExecutor(1, "voicedrop-handler")
    )
    try:
        while task is None or not task.cancelling():  # a handler may have kept the cancellation to itself
            letter = await inbox.next()
            inbox.done(letter, is_handled=await _is_handled(letter, handler, pool))
    finally:
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


async def _is_handled(letter: Letter, handler: Handler, pool: ThreadPoolExecutor | None) -> bool:
    try:
        await _handle(letter, handler, pool)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise  # the end of the program
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise  # else it is of something that the handler waited for
        _LOG.warning("callbacks: the handler raised %s for one of a %s", type(error).__name__, letter.kind)
        return False
    return True


async def _handle(letter: Letter, handler: Handler, pool: ThreadPoolExecutor | None) -> None:
    event = PARSERS[letter.kind](letter.body) if letter.event is None else letter.event
    result = handler(event) if pool is None else await asyncio.get_running_loop().run_in_executor(pool, _called, handler, event)
    if isawaitable(result):
        await result


def _called(handler: Handler, event: CallbackEvent) -> object:
    try:
        return handler(event)
    except StopIteration as error:  # no future takes one
        raise RuntimeError("the handler raised StopIteration") from error
