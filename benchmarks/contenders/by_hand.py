"""The loops that one would write: aiohttp, and orjson to dictionaries."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson


def session() -> aiohttp.ClientSession:
    """Return a session as plain as it can be."""
    return aiohttp.ClientSession(headers={"Authorization": "Bearer t"})


async def body(http: aiohttp.ClientSession, url: str, number: int, size: int) -> bytes:
    """Return a page as it comes."""
    async with http.post(f"{url}/voice/tracking", params={"page": number, "size": size}, data=b"[]") as response:
        return await response.read()


async def bodies(http: aiohttp.ClientSession, url: str, size: int, at_once: int) -> AsyncIterator[bytes]:
    """Yield one page after the other; of those behind the first, always so many are asked for at once."""
    first = await body(http, url, 0, size)
    yield first
    coming = iter(range(1, orjson.loads(first)["totalPages"]))
    if at_once == 1:
        for number in coming:
            yield await body(http, url, number, size)
        return
    asked = deque(asyncio.create_task(body(http, url, number, size)) for _, number in zip(range(at_once), coming, strict=False))
    while asked:
        page = await asked.popleft()
        for number in coming:
            asked.append(asyncio.create_task(body(http, url, number, size)))
            break
        yield page


async def dictionaries(url: str, size: int, at_once: int) -> int:
    """Walk as dictionaries."""
    seen = 0
    async with session() as http:
        async for page in bodies(http, url, size, at_once):
            for _message in orjson.loads(page)["content"]:
                seen += 1
    return seen


async def collect(url: str, size: int, at_once: int) -> list[dict[str, Any]]:
    """Keep every dictionary."""
    kept: list[dict[str, Any]] = []
    async with session() as http:
        async for page in bodies(http, url, size, at_once):
            kept += orjson.loads(page)["content"]
    return kept


async def floor(url: str, size: int, at_once: int) -> int:
    """Read every page and throw it away: what is left of a walk if decoding costs nothing."""
    read = 0
    async with session() as http:
        total: int | None = None
        async for page in bodies(http, url, size, at_once):
            total = orjson.loads(page)["totalElements"] if total is None else total
            read += 1
    assert total is not None
    return min(total, read * size)
