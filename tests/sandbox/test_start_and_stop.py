"""Starting and stopping."""

import asyncio
import socket
from contextlib import ExitStack, suppress
from datetime import UTC, datetime

import aiohttp
import pytest

from voicedrop_async.sandbox import Sandbox

from .conftest import NOW, Caller


async def test_nothing_is_left_behind_when_it_closes_in_the_middle_of_things(until):
    before = asyncio.all_tasks()
    sandbox = Sandbox(messages=10, drops=10)
    await sandbox.start()
    async with aiohttp.ClientSession() as http:
        caller = await Caller(sandbox, http).log_in()
        assert (await caller.send(callback={"strategy": "OnChange", "url": "http://127.0.0.1:9/"}))[0] == 200
        sandbox.delay(60)
        waiting = asyncio.create_task(http.get(sandbox.routee_url + "/voice/tracking/x"))
        await until(lambda: len(sandbox.requests) == 3)
        await sandbox.aclose()
        with pytest.raises(aiohttp.ClientError):
            await waiting
    await sandbox.aclose()
    assert asyncio.all_tasks() == before
    assert len(sandbox.requests) == 3
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(sandbox.routee_url.rpartition(":")[2])))


def three_free_ports():
    """The first of three free ports in a row, below those the system hands out by itself."""
    for port in range(20_000, 30_000, 3):
        with suppress(OSError), ExitStack() as stack:
            for place in range(3):
                stack.enter_context(socket.create_server(("127.0.0.1", port + place)))
            return port
    pytest.fail("no free ports")


async def test_a_given_port_is_routees_and_the_next_two_are_the_others():
    port = three_free_ports()
    async with Sandbox(messages=0, drops=0, port=port) as sandbox:
        ports = [int(url.rpartition(":")[2]) for url in (sandbox.routee_url, sandbox.auth_url, sandbox.spacivox_url)]
    assert ports == [port, port + 1, port + 2]


async def test_a_taken_port_leaves_nothing_open():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await Sandbox(messages=0, drops=0, port=taken.getsockname()[1]).start()


async def test_a_sandbox_is_started_once_and_says_so_when_it_was_not():
    sandbox = Sandbox(messages=0, drops=0)
    with pytest.raises(RuntimeError, match="async with"):
        _ = sandbox.routee_url
    with pytest.raises(RuntimeError, match="async with"):
        sandbox.grow(1)
    await sandbox.aclose()
    async with sandbox:
        with pytest.raises(RuntimeError, match="once"):
            await sandbox.start()


async def test_faults_can_be_laid_before_it_starts():
    sandbox = Sandbox(messages=0, drops=0)
    sandbox.fail_next(status=500)
    async with sandbox, aiohttp.ClientSession() as http, http.get(sandbox.routee_url + "/voice/tracking/x") as response:
        assert response.status == 500


@pytest.mark.parametrize("options", [{"now": NOW.replace(tzinfo=None)}, {"messages": -1}, {"drops": -1}, {"port": -1}, {"speed": 0}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match="must"):
        Sandbox(**options)


async def test_the_present_begins_now_unless_told(caller):
    assert (caller.sandbox.now - NOW).total_seconds() < 60
    async with Sandbox(messages=0, drops=0) as sandbox:
        assert abs((sandbox.now - datetime.now(UTC)).total_seconds()) < 60
