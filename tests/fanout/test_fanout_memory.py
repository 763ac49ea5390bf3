"""What a fan-out holds does not grow with the number of keys."""

import asyncio
import tracemalloc

import pytest

from voicedrop_async.fanout import each

IDS = 20_000
MOST = 200_000
"""Bytes; an outcome kept for each id would be more than 2 MB."""


@pytest.mark.once
def test_twenty_thousand_ids_take_no_more_memory_than_a_thousand():
    async def job(key):
        return bytes(1000)

    async def walk():
        count = 0
        async for outcome in each("ids", map(str, range(IDS)), job, concurrency=8):
            count += outcome.ok
            if count == 1000:
                tracemalloc.start()
        return count, tracemalloc.get_traced_memory()[1]

    try:
        count, peak = asyncio.run(walk(), debug=False)
    finally:
        tracemalloc.stop()

    assert count == IDS
    assert peak < MOST
