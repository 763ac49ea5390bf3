"""A receiver of callbacks, served by aiohttp.web, for the benchmark of it.

    python benchmarks/callback_server.py SECRET HANDLER [FILE]

Prints its port, receives until its standard input ends, hands on what waits, and prints the numbers of the messages that
its handler had, and its time on the processor, as JSON. ``HANDLER`` is what that does with each: ``notes`` it, ``sleeps``
in the loop or ``blocks`` its thread for 50 ms, ``raises``, or ``hangs``. With ``FILE`` it is durable.
"""

import asyncio
import json
import os
import sys
import time
from typing import Final

from aiohttp import web

from voicedrop_async import CallbackEvent, CallbackReceiver, MessageEvent

PAUSE: Final = 0.05
"""Seconds."""
noted: list[int] = []


def note(event: CallbackEvent) -> None:
    """Keep the number of its message."""
    assert isinstance(event, MessageEvent)
    noted.append(int(event.message_id))


async def notes(event: CallbackEvent) -> None:
    note(event)


async def sleeps(event: CallbackEvent) -> None:
    note(event)
    await asyncio.sleep(PAUSE)


def blocks(event: CallbackEvent) -> None:
    note(event)
    time.sleep(PAUSE)


async def raises(event: CallbackEvent) -> None:
    note(event)
    raise ValueError


async def hangs(_event: CallbackEvent) -> None:
    await asyncio.Event().wait()


async def main() -> None:
    """Receive."""
    secret, handler, *file = sys.argv[1:]
    patience = 60 if handler in {"notes", "raises"} else 0  # the slow ones would take minutes
    receiver = CallbackReceiver(globals()[handler], secret=secret, path=file[0] if file else None, capacity=10**6, patience=patience)
    async with receiver:
        app = web.Application()
        app.add_routes(receiver.aiohttp_routes())
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        began = time.process_time()
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()
    print(json.dumps({"noted": noted, "cpu": time.process_time() - began}), flush=True)
    os._exit(0)  # a thread that blocks is not waited for


if __name__ == "__main__":
    asyncio.run(main())
