"""A broker of taskiq on a stream of Redis that loses no task with its worker. Imports taskiq, and is imported by whoever makes one.

Beside what ``RedisStreamBroker`` does: tasks put before the first worker came are found; a worker takes no more than it works at;
it tells Redis that it is still at it, so a long task is not taken for that of a dead worker; what a dead worker had is also
claimed while nothing new comes, without a lock that could outlive its owner; a connection that broke is made again; and a
task that is done is gone, so the stream needs no trimming, which would lose what waits.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from logging import getLogger
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from taskiq import AckableMessage, BrokerMessage, TaskiqMessage, TaskiqMiddleware
from taskiq.acks import AcknowledgeType
from taskiq.exceptions import SendTaskError
from taskiq_redis import RedisStreamBroker

from voicedrop_async._redis import reason
from voicedrop_async.errors import ConfigError, ConnectFailed
from voicedrop_async.routee import RouteeSession
from voicedrop_async.spacivox import SpacivoxSession

_GROUP: Final = "workers"
_BLOCK: Final = 0.5
"""Seconds that Redis lets us wait for a task, before we look for those of dead workers."""
_PATIENCE: Final = 5.0
"""Seconds for a connection, and for an answer."""
_AGAIN: Final = 1.0
"""Seconds until a Redis that failed is asked again."""

_LOG: Final = getLogger("voicedrop_async")


class StreamBroker(RedisStreamBroker):
    """One session in each worker process, and one stream for all of them."""

    def __init__(
        self, url: str, open_session: Callable[[], AbstractAsyncContextManager[RouteeSession | SpacivoxSession]], queue: str, idle: float
    ) -> None:
        super().__init__(
            url,
            queue_name=queue,
            consumer_group_name=_GROUP,
            consumer_id="0",  # from the first on that was put
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 1),  # a connection that rested may have been closed; a task put twice is done twice, as any may be
        )
        self.add_middlewares(_AfterExecution())
        self._open_session = open_session
        self.idle = idle
        """Seconds of silence after which a worker is taken for dead."""
        self._session: Any = None
        self._held: set[bytes] = set()
        self._open = AsyncExitStack()

    @property
    def session(self) -> Any:
        """The session of this worker process.

        Raises:
            ConfigError: This is no worker process.
        """
        if self._session is None:
            raise ConfigError("session: there is one in a worker only; start one: taskiq worker module:broker")
        return self._session

    async def startup(self) -> None:
        """Find or make the stream; a worker opens its session."""
        await super().startup()
        if self.is_worker_process:
            self._session = await self._open.enter_async_context(self._open_session())
            ending = asyncio.Event()
            self._open.push_async_callback(_ended, asyncio.create_task(self._tell_that_we_live(ending)), ending)

    async def shutdown(self) -> None:
        """Close the session and the connections."""
        try:
            await self._open.aclose()
        finally:
            self._session = None
            await super().shutdown()

    async def kick(self, message: BrokerMessage) -> None:
        """Put a task on the stream. A worker tries until it is there, whatever Redis says: the task that puts it is acknowledged next."""
        while True:
            try:
                return await super().kick(message)
            except (RedisError, OSError) as error:
                if not self.is_worker_process:
                    raise
                _LOG.warning("redis cannot be given a task (%s); again in %g s", reason(error), _AGAIN)
                await asyncio.sleep(_AGAIN)

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        """Yield tasks one by one, those of dead workers first."""
        while True:
            try:
                async with self._redis() as redis:
                    place, words = await self._next(redis)
            except (RedisError, OSError) as error:
                _LOG.warning("redis cannot be asked for a task (%s); again in %g s", reason(error), _AGAIN)
                await asyncio.sleep(_AGAIN)
                await self._declare_consumer_group()
                continue
            if place is not None:
                self._held.add(place)
                yield AckableMessage(data=words[b"data"], ack=self._done_with(place))

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[None]:
        """Connect who is no worker, while the block runs; a worker is connected.

        Raises:
            ConnectFailed: Redis cannot be reached or written.
        """
        try:
            if not self.is_worker_process:
                await self.startup()
            yield
        except (RedisError, OSError, SendTaskError) as error:
            fault = f"redis cannot be reached or written ({reason(error.__cause__ or error)})"
            raise ConnectFailed(summary=fault, request="queue of the workers") from None
        finally:
            if not self.is_worker_process:
                await self.shutdown()

    async def tasks(self) -> tuple[int, int]:
        """Return how many tasks are in the hands of a worker, dead ones included until they are claimed, and how many in nobody's."""
        async with self._redis() as redis:
            taken = int((await redis.xpending(self.queue_name, _GROUP))["pending"])
            return taken, max(0, int(await redis.xlen(self.queue_name)) - taken)

    def _redis(self) -> "Redis":
        return Redis(connection_pool=self.connection_pool)

    async def _next(self, redis: "Redis") -> Any:
        """Return a task and its place in the stream; None where there was none for a while."""
        idle = int(self.idle * 1000)
        for left in await redis.xpending_range(self.queue_name, _GROUP, "-", "+", 10, idle=idle):
            # Only one of those who see it gets it: with that it is young again.
            claimed: Any = await redis.xclaim(self.queue_name, _GROUP, self.consumer_name, idle, [left["message_id"]])
            if claimed:
                return claimed[0]
        fetched: Any = await redis.xreadgroup(
            _GROUP, self.consumer_name, {self.queue_name: ">"}, count=1, block=int(_BLOCK * 1000), noack=False
        )
        return fetched[0][1][0] if fetched else (None, None)

    def _done_with(self, place: bytes) -> Callable[[], Awaitable[None]]:
        async def done() -> None:
            self._held.discard(place)
            # Both or none: one that were acknowledged and not taken out would be neither done nor left to do.
            async with self._redis() as redis:
                both: Any = redis.pipeline(transaction=True)
                await both.xack(self.queue_name, _GROUP, place).xdel(self.queue_name, place).execute()

        return done

    async def _tell_that_we_live(self, ending: asyncio.Event) -> None:
        """Make young again what we work at, three times before others would take it."""
        while not await _set_within(self.idle / 3, ending):
            if self._held:
                try:
                    async with self._redis() as redis:
                        await redis.xclaim(self.queue_name, _GROUP, self.consumer_name, 0, list(self._held), justid=True)
                except (RedisError, OSError) as error:
                    _LOG.warning("redis cannot be told that a worker lives (%s): its tasks may be done by others, too", reason(error))

    async def _declare_consumer_group(self) -> None:
        """Make the stream, at the start and where it was lost. A worker waits for a Redis that is away, whoever else asks does not."""
        while True:
            try:
                return await super()._declare_consumer_group()
            except (RedisError, OSError) as error:
                if not self.is_worker_process:
                    raise
                _LOG.warning("redis cannot be reached (%s); again in %g s", reason(error), _AGAIN)
                await asyncio.sleep(_AGAIN)


class _AfterExecution(TaskiqMiddleware):
    """Has a task without a label of its own acknowledged when it was executed, whatever ``--ack-type`` says.

    One that is acknowledged before is lost with its worker.
    """

    def pre_execute(self, message: TaskiqMessage) -> TaskiqMessage:
        message.labels.setdefault("ack_type", AcknowledgeType.WHEN_EXECUTED.value)
        return message


async def _set_within(seconds: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


async def _ended(task: asyncio.Task[None], ending: asyncio.Event) -> None:
    # Not cancelled: a client of Redis can swallow that, and the task would go on.
    ending.set()
    await task
