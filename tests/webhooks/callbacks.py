"""Bodies of callbacks, handlers of them, and a receiver served on loopback by aiohttp.web."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import aiohttp
from aiohttp import web

from voicedrop_async import CallbackEvent, CallbackReceiver

SECRET = "s3cret-" * 6


def message(number: int = 1, status: str = "Ringing", **more: Any) -> dict[str, Any]:
    """What is posted about a message."""
    said = {"name": status, "updatedDate": "2026-03-02T12:00:00Z"}
    return {"messageId": f"m-{number}", "campaignTrackingId": "c-1", "to": "+306912345678", "status": said, **more}


class Heard:
    """A handler that remembers what it was told, and does what it is told to first."""

    def __init__(self) -> None:
        self.events: list[CallbackEvent] = []
        self.called = 0
        self.more = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.raises: type[BaseException] | None = None

    async def __call__(self, event: CallbackEvent) -> None:
        self.called += 1
        self.more.set()
        await self.may_go_on.wait()
        if self.raises is not None:
            raise self.raises("+306912345678")
        self.events.append(event)

    async def until(self, count: int) -> list[CallbackEvent]:
        """Wait until so many calls have begun, or ended if they may go on; return what was handled."""
        async with asyncio.timeout(10):
            while (self.called if not self.may_go_on.is_set() or self.raises else len(self.events)) < count:
                self.more.clear()
                await self.more.wait()
                await asyncio.sleep(0)
        return self.events


class Poster:
    """Posts to a receiver."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.http = http
        self.base = base

    async def post(self, body: Any, kind: str = "message", *, secret: str = SECRET) -> int:
        """Post bytes, or JSON; return the status."""
        data = BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with self.http.post(f"{self.base}/{secret}/{kind}", data=data, headers={"Content-Type": "application/json"}) as answer:
            assert await answer.read() == b"" or answer.status in {404, 405}
            return answer.status


@asynccontextmanager
async def served(receiver: CallbackReceiver) -> AsyncGenerator[Poster]:
    """Serve an open receiver, below a prefix."""
    app = web.Application()
    app.add_routes(receiver.aiohttp_routes("/voice"))
    runner = web.AppRunner(app, access_log=None, lingering_time=1)  # of a body that is too long; 10 otherwise
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession() as http:
            yield Poster(http, f"http://127.0.0.1:{runner.addresses[0][1]}/voice")
    finally:
        await runner.cleanup()


@asynccontextmanager
async def served_by_uvicorn(receiver: CallbackReceiver) -> AsyncGenerator[Poster]:
    """Serve an open receiver, which is the application by itself."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(receiver, lifespan="off", ws="none", log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve([listening]))  # who connects before it accepts waits at the socket
        async with aiohttp.ClientSession() as http:
            yield Poster(http, f"http://127.0.0.1:{listening.getsockname()[1]}/voice")
        server.should_exit = True
        await serving
