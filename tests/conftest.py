"""What every test can ask for: a sandbox with both sessions on it, and a raw server with a session on it."""

import asyncio
import asyncio.constants
import inspect
import signal
from collections.abc import AsyncGenerator, Generator

import pytest
from campaigns import QUICK
from raw_server import RawServer
from survival import Survival

from voicedrop_async import ClientCredentials, Event, RouteeSession, SpacivoxSession, StaticToken, Timeouts
from voicedrop_async.sandbox import Sandbox

# In debug a loop keeps with each of its steps where it came from. One frame of that is enough: ten take longer than the steps.
asyncio.constants.DEBUG_STACK_DEPTH = 1


@pytest.fixture
async def thousands_of_steps() -> None:
    """For what is told by counting, after thousands of calls: debug, which all other tests have, would make it ten times as slow."""
    asyncio.get_running_loop().set_debug(False)


@pytest.fixture
async def _tasks_end() -> AsyncGenerator[None]:
    """Nothing runs on when a test and all it asked for are over; a server's handler may still have to see that its client is gone."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    serving = {task for task in left if "RequestHandler." in repr(task.get_coro())}
    if serving:
        await asyncio.wait(serving, timeout=5)
    assert [task for task in left if not (task in serving and task.done())] == []


@pytest.fixture(autouse=True)
def no_task_is_left(request: pytest.FixtureRequest) -> None:
    """Look for them after each test that has a loop: first to come, so that it is the last to go."""
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("_tasks_end")


@pytest.fixture(autouse=True)
def ctrl_c_is_not_ignored() -> Generator[None]:
    """A command that was called, not started, ignores it to the end of its process, and what later tests start would inherit that."""
    yield
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
async def sandbox() -> AsyncGenerator[Sandbox]:
    async with Sandbox(messages=500, seed=7, drops=200) as running:
        yield running


@pytest.fixture
async def routee(sandbox: Sandbox) -> AsyncGenerator[RouteeSession]:
    auth = ClientCredentials(*sandbox.credentials)
    async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, retry=QUICK) as session:
        yield session


@pytest.fixture
async def spacivox(sandbox: Sandbox) -> AsyncGenerator[SpacivoxSession]:
    async with SpacivoxSession(StaticToken(sandbox.spacivox_token), base_url=sandbox.spacivox_url, retry=QUICK) as session:
        yield session


@pytest.fixture
async def line() -> AsyncGenerator[RawServer]:
    async with RawServer() as server:
        yield server


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
async def caller(line: RawServer, events: list[Event]) -> AsyncGenerator[RouteeSession]:
    """A session on the raw server, with a token that needs no endpoint."""
    auth = StaticToken("static-token")
    async with RouteeSession(
        auth, base_url=line.url, auth_url=line.url, retry=QUICK, timeouts=Timeouts(connect=2.0, read=5.0), on_event=events.append
    ) as session:
        yield session


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Survival())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what passing tests print: figures, such as how often a process was killed."""
    printed = [report for report in terminalreporter.getreports("passed") if report.when == "call" and report.capstdout.strip()]
    if printed:
        terminalreporter.section("figures")
    for report in printed:
        terminalreporter.line(f"{report.nodeid}\n    {report.capstdout.strip()}")
