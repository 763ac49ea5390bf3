"""Real services that the tests start themselves. Not collected by the plain test command: ``nox -s services`` runs this folder."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis_servers import DURABLE, RedisServer

if TYPE_CHECKING:
    from browser import Chromium


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Generator[RedisServer]:
    """A Redis that keeps every write, for tests that leave it running and use a prefix of their own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), *DURABLE)
    server.start()
    yield server
    server.end()


@pytest.fixture
def redis(tmp_path: Path) -> Generator[RedisServer]:
    """A Redis that keeps every write, for one test alone."""
    server = RedisServer(tmp_path, *DURABLE)
    server.start()
    yield server
    server.end()


@pytest.fixture
async def chromium() -> AsyncGenerator["Chromium"]:
    from browser import Chromium  # what only wants Redis needs no browser

    async with Chromium() as browser:
        yield browser
