"""A worker of ``voicedrop track --workers``: ``python -m voicedrop_async.cli._worker``. Started by the command, for nobody else.

On its standard input come its orders, which it answers with an empty line when it is ready, then one shard a line; for each it
writes what became of it. When the input ends, whatever the reason, it ends as well, and what it was at keeps its place. Nothing
that comes or goes holds a secret: it finds those where the command does.
"""

import asyncio
import sys
from pathlib import Path

import msgspec
from attrs import frozen

from voicedrop_async import ConfigError, FileError, Parts, RouteeSession, Shard, ShardResult, ShardState, VoiceDropError, run_shard
from voicedrop_async.cli._say import say
from voicedrop_async.cli._settings import Settings
from voicedrop_async.export import Format


@frozen(kw_only=True)
class Orders:
    """What all shards of a run have in common."""

    profile: str | None
    rate: float | None
    max_in_flight: int | None
    workers: int
    """Processes that divide them."""
    prefetch: int
    folder: str
    format: Format


async def work() -> None:
    """Do shard after shard, until the input ends."""
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    order = msgspec.json.decode(await orders.readline(), type=Orders)
    parts = Parts(Path(order.folder), order.format)
    settings = Settings.load(order.profile)
    async with settings.routee(ahead=order.prefetch, rate=order.rate, max_in_flight=order.max_in_flight, among=order.workers) as routee:
        _write("")
        line = await orders.readline()
        while line:
            following = asyncio.create_task(orders.readline())
            doing = asyncio.create_task(_done(routee, Shard.from_json(line), parts, order.prefetch))
            await asyncio.wait({following, doing}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():  # nobody waits for it any more
                doing.cancel()
                await asyncio.wait({doing})
                return
            _write(doing.result().to_json())
            line = await following


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _done(routee: RouteeSession, shard: Shard, parts: Parts, prefetch: int) -> ShardResult:
    try:
        return await run_shard(routee, shard, parts, prefetch=prefetch)
    except (ConfigError, FileError) as error:
        return ShardResult(shard=shard, state=ShardState.FAILED, error=str(error))


if __name__ == "__main__":
    try:
        asyncio.run(work())
    except VoiceDropError as error:
        say(str(error))
        raise SystemExit(2) from None
