"""What fails inside a callback is told to the loop and to nobody else: here it fails the test."""

import asyncio

import pytest


@pytest.fixture(autouse=True)
async def _told_to_the_loop():
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    yield
    assert told == []
