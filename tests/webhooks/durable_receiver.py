"""A durable receiver in a process of its own, whose handler never comes to an end: it prints its port, and waits to be killed.

python -m webhooks.durable_receiver FILE
"""

import asyncio
import sys

from webhooks.callbacks import SECRET, served

from voicedrop_async import CallbackEvent, CallbackReceiver


async def hang(_event: CallbackEvent) -> None:
    await asyncio.Event().wait()


async def main() -> None:
    async with CallbackReceiver(hang, secret=SECRET, path=sys.argv[1]) as receiver, served(receiver) as poster:
        print(poster.base, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
