"""A session with a journal that a test can look into, on a raw server and on a sandbox."""

from collections.abc import AsyncGenerator

import pytest
from campaigns import QUICK
from paid.journals import WatchedJournal
from raw_server import RawServer

from voicedrop_async import ClientCredentials, RouteeSession, StaticToken, Timeouts
from voicedrop_async.sandbox import Sandbox


@pytest.fixture
async def journal() -> WatchedJournal:
    return WatchedJournal()


@pytest.fixture
async def sender(line: RawServer, journal: WatchedJournal) -> AsyncGenerator[RouteeSession]:
    timeouts = Timeouts(connect=2.0, read=5.0)
    async with RouteeSession(StaticToken("t"), base_url=line.url, journal=journal, retry=QUICK, timeouts=timeouts) as session:
        yield session


@pytest.fixture
async def shop(sandbox: Sandbox, journal: WatchedJournal) -> AsyncGenerator[RouteeSession]:
    auth = ClientCredentials(*sandbox.credentials)
    async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, journal=journal, retry=QUICK) as session:
        yield session
