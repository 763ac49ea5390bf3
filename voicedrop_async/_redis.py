"""A database of Redis, for those who keep something there. The library is loaded when one is named."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol
from weakref import ref as weakly

from voicedrop_async._masking import type_of
from voicedrop_async.errors import ConfigError


class RedisClient(Protocol):
    """What we ask of a client of Redis: ``redis.asyncio.Redis`` has it."""

    async def execute_command(self, *words: str | int) -> Any:
        """Send a command, and return the answer."""
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...


class Database:
    """A database by its URL, with connections of our own in each loop; or a client of the user's, never closed by us."""

    def __init__(self, redis: str | RedisClient, patience: float) -> None:
        """Name it; nothing is sent to it yet.

        Args:
            redis: Its URL, or a client.
            patience: Seconds for a connection of ours, and for an answer on it.

        Raises:
            ConfigError: The extra ``redis`` is not installed, or ``redis`` is no URL and no client.
        """
        self.failures: tuple[type[Exception], ...] = (_library("redis.exceptions").RedisError, OSError)
        """What a command raises that was not answered, or with an error."""
        if not isinstance(redis, str) and not callable(getattr(redis, "execute_command", None)):
            raise ConfigError(f"redis: {type_of(redis)} is no URL and no redis.asyncio.Redis")
        self._url = redis if isinstance(redis, str) else None
        self._client: RedisClient | None = None if isinstance(redis, str) else redis
        self._patience = patience
        self._loop: weakly[asyncio.AbstractEventLoop] | None = None
        if self._url is not None:
            _connect(self._url, patience)

    async def run(self, *words: str | int) -> Any:
        """Send a command, and return the answer.

        Raises:
            RedisError, OSError: It was not answered, or with an error; ``failures`` has both.
        """
        return await self._of_this_loop().execute_command(*words)

    async def aclose(self) -> None:
        """Close our connections; again: does nothing. One that is used again connects again."""
        if self._url is not None and self._client is not None:
            client, self._client = self._client, None
            if self._loop is not None and self._loop() is asyncio.get_running_loop():  # those of another loop end with it
                await client.aclose()

    def _of_this_loop(self) -> RedisClient:
        if self._url is None and self._client is not None:
            return self._client
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is None or self._loop() is not loop:
            self._client, self._loop = _connect(self._url or "", self._patience), weakly(loop)
        return self._client


def reason(error: BaseException) -> str:
    """Return why a command failed, without what was sent: its text may show that."""
    code = str(error).partition(" ")[0]  # as in OOM, READONLY, NOAUTH
    return f"{type(error).__name__}, {code}" if code.isalpha() and code.isupper() else type(error).__name__


def as_text(said: str | bytes) -> str:
    """Return an answer as text: a client of the user's may decode by itself."""
    return said if isinstance(said, str) else said.decode()


def _library(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise ConfigError('redis: needs the extra: python -m pip install "voicedrop-async[redis]"') from None


def _connect(url: str, patience: float) -> RedisClient:
    # Once more at once: a connection that rested may have been closed. What may have been done then does no harm when it is done
    # again: a claim and a settlement know their own repeat, and turns that nobody heard of pass unused.
    retry = _library("redis.asyncio.retry").Retry(_library("redis.backoff").NoBackoff(), 1)
    connect: Callable[..., RedisClient] = _library("redis.asyncio").Redis.from_url
    try:
        return connect(url, socket_timeout=patience, socket_connect_timeout=patience, retry=retry)
    except ValueError:  # its text may show the password
        raise ConfigError("redis: must be a URL such as redis://localhost:6379/0") from None
