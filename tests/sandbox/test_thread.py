"""The sandbox in a thread of its own, used from others."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import ClientSession

from voicedrop_async.sandbox import Sandbox, in_thread


async def test_in_a_thread_it_is_the_same_sandbox(voicedrop_sandbox):
    """Its methods and properties are those of ``Sandbox``, but for those that start and end it."""
    here = voicedrop_sandbox
    assert {*dir(here)} == {name for name in dir(Sandbox) if not name.startswith("_")} - {"start", "aclose"}
    assert (len(here.messages), len(here.grow(3)), len(here.shrink(1)), len(here.messages)) == (1000, 3, 1, 1002)
    with pytest.raises(AttributeError, match="the block"):
        await here.aclose()
    with pytest.raises(ValueError, match="one way"):
        here.fail_next()
    assert here.credentials[1] not in repr(here)


async def test_what_was_received_can_be_read_when_it_has_ended():
    with in_thread(Sandbox(messages=0, drops=0)) as sandbox:
        sandbox.fail_next(status=500)
    assert sandbox.requests == ()


async def test_what_cannot_be_served_is_told(voicedrop_sandbox, sandbox):
    """A taken port; and a sandbox that runs already, and goes on."""
    port = int(voicedrop_sandbox.routee_url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), in_thread(Sandbox(port=port)):
        pytest.fail("it cannot be served")
    with pytest.raises(RuntimeError, match="once"), in_thread(sandbox):
        pytest.fail("it is served elsewhere")
    async with ClientSession() as http, http.get(sandbox.page_url) as response:
        assert response.status == 200


def test_many_threads_can_use_it_at_once(voicedrop_sandbox):
    with ThreadPoolExecutor(8) as threads:
        grown = list(threads.map(lambda _: voicedrop_sandbox.grow(1)[0], range(200)))
    assert len({*grown}) == 200
    assert {*grown} == {message["messageId"] for message in voicedrop_sandbox.messages[:200]}
