"""The same job for many keys at once: lazily, a bounded number of them, one outcome for each. Knows no HTTP."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from attrs import field, frozen

from voicedrop_async._checks import check_count, check_several
from voicedrop_async._masking import shown
from voicedrop_async._tasks import begun, ended
from voicedrop_async.errors import SessionClosed, VoiceDropError

K = TypeVar("K")
V = TypeVar("V")
K_co = TypeVar("K_co", covariant=True)
V_co = TypeVar("V_co", covariant=True)

_ID: Final = re.compile(r"(?=.*[A-Za-z])[\w.-]+", re.ASCII)

Several: TypeAlias = Iterable[K] | AsyncIterable[K]
"""Values one after another, from a list, a generator, a cursor; with or without waiting between them."""


def _shown_key(key: object) -> str:
    # An id is what a log needs; anything else may be a row or a phone number, given by mistake.
    if not isinstance(key, str):
        return f"<{type(key).__name__}>"
    return repr(key) if _ID.fullmatch(key) else shown(repr(key))


@frozen
class Outcome(Generic[K_co, V_co]):
    """What became of one key of a fan-out: a value, or the error that stands in its place."""

    key: K_co = field(repr=_shown_key)
    """As it was given."""
    _value: V_co | None = field(default=None, alias="value", repr=False, kw_only=True)
    error: VoiceDropError | None = field(default=None, kw_only=True)
    """Why there is no value; None if there is one."""

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.error is None

    @property
    def value(self) -> V_co:
        """The value.

        Raises:
            VoiceDropError: The error, if there is no value.
        """
        if self.error is not None:
            raise self.error
        return cast(V_co, self._value)


def each(argument: str, keys: Several[K], job: Callable[[K], Awaitable[V]], *, concurrency: int) -> AsyncGenerator[Outcome[K, V]]:
    """Run ``job`` for each key, and hand out the outcomes as they come.

    A key is pulled when there is a place for it, and its place is free again when the loop has come back for the next
    outcome: never more than ``concurrency`` keys are under way or wait to be handed out. However the loop is left, what was
    begun is cancelled and ``keys``, if they are an async generator, are closed before ``aclose`` returns.

    Args:
        argument: What the caller calls ``keys``.
        keys: Each gets its own outcome, also one that is there twice.
        job: What to do for a key. A ``VoiceDropError`` is its outcome, a ``SessionClosed`` is everybody's and raised,
            as is any foreign exception, of ``keys`` too.
        concurrency: Jobs at work at once.

    Raises:
        ConfigError: A concurrency below 1; keys that are no iterable, or a single text. Nothing was begun.
    """
    check_count("concurrency", concurrency, 1)
    check_several(argument, keys)
    return _each(keys, job, concurrency)


async def _each(keys: Several[K], job: Callable[[K], Awaitable[V]], concurrency: int) -> AsyncGenerator[Outcome[K, V]]:
    crew = _Crew(job, concurrency)
    try:
        crew.begin(crew.feed(keys))
        while crew.tasks:
            outcome = (await crew.one_done()).result()
            if outcome is not None:  # else it was the feeding that ended
                yield outcome
                crew.places.release()
    finally:
        await crew.dismiss()


class _Crew(Generic[K, V]):
    """The tasks of one fan-out: one that pulls the keys, and one for each key at work."""

    def __init__(self, job: Callable[[K], Awaitable[V]], concurrency: int) -> None:
        self.job = job
        self.places = asyncio.Semaphore(concurrency)
        self.tasks: set[asyncio.Task[Outcome[K, V] | None]] = set()
        """Those whose result nobody has taken yet."""
        self.done: asyncio.Queue[asyncio.Task[Outcome[K, V] | None]] = asyncio.Queue()
        self.dismissed = False

    def begin(self, work: Coroutine[Any, Any, Outcome[K, V] | None]) -> None:
        if self.dismissed:  # keys can swallow a cancellation, as ``wait_for`` of Python 3.11 does when its value has just come
            work.close()
            raise asyncio.CancelledError
        task = begun(work)
        self.tasks.add(task)
        task.add_done_callback(self.done.put_nowait)

    async def one_done(self) -> asyncio.Task[Outcome[K, V] | None]:
        task = await self.done.get()
        self.tasks.discard(task)
        return task

    async def feed(self, keys: Several[K]) -> None:
        """Begin the work on each key, pulling one when there is a place for it."""
        await self.places.acquire()
        if not isinstance(keys, AsyncIterable):
            for key in keys:
                self.begin(self.work(key))
                await self.places.acquire()
            return
        # One task pulls from first to last, and closes: a generator may hold a timeout or a task group of its own.
        iterator = aiter(keys)
        try:
            async for key in iterator:
                self.begin(self.work(key))
                await self.places.acquire()
        finally:
            if isinstance(iterator, AsyncGenerator):
                await iterator.aclose()

    async def work(self, key: K) -> Outcome[K, V]:
        try:
            return Outcome(key, value=await self.job(key))
        except SessionClosed:
            raise  # every key to come would say the same
        except VoiceDropError as error:
            return Outcome(key, error=error)

    async def dismiss(self) -> None:
        """Cancel what is still at work, and see it end, though we be cancelled ourselves."""
        self.dismissed = True
        for task in self.tasks:
            task.cancel()
        await ended(self.tasks)
