"""The shards of a plan, done by workers."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from logging import getLogger
from typing import TYPE_CHECKING, Final

from attrs import frozen

from voicedrop_async._checks import check_count
from voicedrop_async.errors import VoiceDropError
from voicedrop_async.export import Busy
from voicedrop_async.shards import Shard, ShardResult, ShardSink, ShardState, run_shard

if TYPE_CHECKING:
    from voicedrop_async.workers._stream import StreamBroker

_PAUSE: Final = 1.0
"""Seconds before a shard that failed is put on the queue again, for each time that it did."""

_LOG: Final = getLogger("voicedrop_async")


@frozen(kw_only=True)
class ShardProgress:
    """How far workers have come with a plan."""

    done: int
    """Shards that are there whole."""
    partial: int
    """Shards of which something is there."""
    failed: int
    """Shards that were tried, and of which nothing is there."""
    under_way: int
    """Tasks in the hands of a worker; those of a dead one too, until another takes them over."""
    waiting: int
    """Tasks that nobody has taken yet."""
    items: int
    """Items that are there, of all shards together."""


class ShardQueue:
    """Puts the shards of a plan on the queue of a broker, and does them in its workers. Made in the module that workers load."""

    def __init__(self, broker: "StreamBroker", sink: ShardSink, *, attempts: int = 4, prefetch: int = 0) -> None:
        """Tell the broker what is to be done with a shard.

        Args:
            broker: Made by ``worker_broker``; one queue for shards on each.
            sink: Where the items go, such as ``Parts(folder)`` in a folder that all workers see.
            attempts: How often a shard is tried that fails, each time behind all that wait by then; a worker that died does not count,
                nor does a shard whose file another one is still writing.
            prefetch: Requests kept under way ahead, in each shard.

        Raises:
            ConfigError: ``attempts`` or ``prefetch`` are no such number.
        """
        check_count("attempts", attempts, 1)
        check_count("prefetch", prefetch, 0)
        self._broker = broker
        self._sink = sink

        async def do(shard: str, attempt: int) -> None:
            try:
                result = await run_shard(broker.session, Shard.from_json(shard), sink, prefetch=prefetch)
            except Busy as error:  # by a worker that is slow, or suspended: it goes behind the others, or they would wait with it
                _LOG.info("a shard is put off: %s", error)
                await asyncio.sleep(broker.idle / 3)
                await self._task.kiq(shard, attempt)
                return
            except VoiceDropError as error:
                _LOG.warning("a shard broke off, for the %d. time: %s", attempt, error)
                await self._note(shard, error)
            else:
                if result.state is ShardState.DONE:
                    return
            if attempt < attempts:  # put, however long that takes, before this one is acknowledged: rather twice than never
                await asyncio.sleep(_PAUSE * attempt)
                await self._task.kiq(shard, attempt + 1)

        self._task = broker.register_task(do, task_name="voicedrop:shard", ack_type="when_executed")

    async def _note(self, words: str, error: VoiceDropError) -> None:
        """Let ``progress`` count a shard of which nothing is there, if it is one, and if that can be written down."""
        with suppress(VoiceDropError):
            shard = Shard.from_json(words)
            if await self._sink.find(shard) is None:
                await self._sink.keep(ShardResult(shard=shard, state=ShardState.FAILED, error=str(error)))

    async def put(self, shards: Iterable[Shard]) -> int:
        """Put those shards on the queue that are not done; return how many. Again, they are there twice, which is only slower.

        Raises:
            ConnectFailed: Redis cannot be reached or written; some may be there.
        """
        missing = [shard for shard in shards if (found := await self._sink.find(shard)) is None or found.state is not ShardState.DONE]
        async with self._broker.connected():
            for shard in missing:
                await self._task.kiq(shard.to_json(), 1)
        return len(missing)

    async def results(self, shards: Iterable[Shard]) -> list[ShardResult]:
        """Return what became of shards so far, for ``merge``."""
        return [found for shard in shards if (found := await self._sink.find(shard)) is not None]

    async def progress(self, shards: Iterable[Shard]) -> ShardProgress:
        """Return how far the workers are; anybody can ask who sees the queue and the sink.

        Raises:
            ConnectFailed: Redis cannot be reached; the workers wait for it, too.
        """
        async with self._broker.connected():
            under_way, waiting = await self._broker.tasks()
        found = await self.results(shards)
        states = [result.state for result in found]
        return ShardProgress(
            done=states.count(ShardState.DONE),
            partial=states.count(ShardState.PARTIAL),
            failed=states.count(ShardState.FAILED),
            under_way=under_way,
            waiting=waiting,
            items=sum(result.items for result in found),
        )
