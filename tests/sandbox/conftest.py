"""A sandbox, and a plain aiohttp client that speaks to it: nothing of the library's client is used here."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import test_utils, web

from voicedrop_async.sandbox import Sandbox

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class HandClock:
    """A clock that a test turns by hand."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds

    def turn(self, seconds):
        self.seconds += seconds


class Caller:
    """Calls a sandbox and reads its JSON."""

    def __init__(self, sandbox, http):
        self.sandbox = sandbox
        self.http = http
        self.bearer = {}

    async def ask_token(self, **changes):
        basic = aiohttp.encode_basic_auth(*self.sandbox.credentials)
        call = {"data": {"grant_type": "client_credentials"}, "headers": {"Authorization": basic}} | changes
        async with self.http.post(self.sandbox.auth_url + "/oauth/token", **call) as response:
            return response.status, await response.json()

    async def log_in(self):
        _, token = await self.ask_token()
        self.bearer = {"Authorization": f"Bearer {token['access_token']}"}
        return self

    async def call(self, method, path, **options):
        async with self.http.request(method, self.sandbox.routee_url + path, headers=self.bearer, **options) as response:
            return response.status, await response.json()

    async def search(self, *filters, **params):
        status, page = await self.call("POST", "/voice/tracking", json=list(filters), params=params)
        assert status == 200, page
        return page

    async def send(self, **changes):
        return await self.call("POST", "/voice/campaign", json=campaign(**changes))

    async def drops(self, token=None, **params):
        headers = {"Authorization": f"Bearer {token or self.sandbox.spacivox_token}"}
        url = self.sandbox.spacivox_url + "/j/voicemail_drop_records"
        async with self.http.get(url, headers=headers, params=params) as response:
            return response.status, await (response.json() if response.status == 200 else response.text())


class Desk:
    """Calls the desk of a sandbox."""

    def __init__(self, caller):
        self.http = caller.http
        self.url = caller.sandbox.page_url + "_sandbox"

    async def get(self, path="", /, **params):
        async with self.http.get(self.url + path, params=params) as response:
            return await response.json() if response.status == 200 else response.status

    async def post(self, path, /, **content):
        async with self.http.post(self.url + path, json=content) as response:
            return response.status, await response.json()


def campaign(**changes):
    """The body of a campaign. A change to None leaves the key out."""
    body = {"from": "302101234567", "to": ["+306912345678"], "name": "Spring sale", "message": {"text": "Hello", "language": "en-GB"}}
    return {key: value for key, value in (body | changes).items() if value is not None}


@pytest.fixture
async def serve():
    """Start a sandbox with these options; a logged-in caller of it."""
    async with AsyncExitStack() as stack:

        async def start(**options):
            sandbox = await stack.enter_async_context(Sandbox(**{"messages": 300, "drops": 50, "now": NOW} | options))
            http = await stack.enter_async_context(aiohttp.ClientSession())
            return await Caller(sandbox, http).log_in()

        yield start


@pytest.fixture
async def caller(serve):
    """A caller of a sandbox with three hundred past messages."""
    return await serve()


@pytest.fixture
def desk(caller):
    return Desk(caller)


@pytest.fixture
def clock():
    """A clock turned by hand."""
    return HandClock()


@asynccontextmanager
async def served(handler):
    """Serve every path by one handler, on loopback: its base."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with test_utils.TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


class Receiver:
    """Receives callbacks, answering the statuses it was told, the last one for ever."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.bodies = asyncio.Queue()
        self.url = ""

    async def receive(self, request):
        self.bodies.put_nowait(await request.json())
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status)

    async def next(self, count):
        async with asyncio.timeout(10):
            return [await self.bodies.get() for _ in range(count)]


@pytest.fixture
async def receive():
    """Start a receiver of callbacks on loopback."""
    async with AsyncExitStack() as stack:

        async def start(*statuses):
            receiver = Receiver(*statuses)
            receiver.url = await stack.enter_async_context(served(receiver.receive)) + "/hook"
            return receiver

        yield start


@pytest.fixture
def until():
    """Let the loop turn until a claim holds; fail after ten seconds."""

    async def wait(holds):
        async with asyncio.timeout(10):
            while True:
                if holds():
                    return
                await asyncio.sleep(0)

    return wait
