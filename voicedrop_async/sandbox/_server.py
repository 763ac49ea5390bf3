"""The sandbox: three sites on loopback, and the levers to make them fail."""

import os
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from ._campaigns import AcceptedCampaign
from ._claims import nobody_called_twice, nothing_sent, sent_once
from ._desk import Desk
from ._faults import DropMoment, Faults, asked_for
from ._front import Front, Site
from ._log import Log, PostedCallback, ReceivedRequest
from ._loopback import HOST
from ._recording import read
from ._replay import Replay
from ._sites import Auth, Routee, Spacivox
from ._store import Beginning, Store
from ._tracking import Search
from ._wire import plain
from ._world import Options, Secrets, World, make_world

_LAST_ANSWERS = 0.1  # seconds that a request under way has when the sandbox closes


class Sandbox:
    """Routee voice, its token endpoint and Spacivox on 127.0.0.1, each on a port of its own.

    The same seed, and the same ``now``, give the same ids, statuses and prices.

    Not documented by the services, and so decided here: lists are ordered by creation, oldest first; both ends of a range
    are included; a campaign's name may be used again; each entry of ``to`` is called once, twins too.
    """

    def __init__(
        self,
        *,
        messages: int = 1_000,
        drops: int = 1_000,
        seed: int = 7,
        port: int = 0,
        speed: float = 1.0,
        now: datetime | None = None,
        token_lifetime: float = 3600,
        partial_errors: bool = False,
        unique_names: bool = False,
        state: str | os.PathLike[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Serves nothing before it is started.

        Args:
            messages: Tracked messages of the seven days before ``now``.
            drops: Voicemail drop records of the same days.
            seed: Decides everything that could be otherwise.
            port: Of Routee; the token endpoint and Spacivox have the next two. 0 takes three free ones.
            speed: Seconds that pass in the sandbox during a real one. Campaigns and callbacks live by it, tokens do not. Above 1,
                messages are soon dated ahead of the real time: ``reconcile`` does not see them, nor any range that ends now.
            now: The sandbox's time at its start, aware; the real time if left out.
            token_lifetime: Real seconds.
            partial_errors: Call the valid numbers of a campaign and answer 200 with ``errors``, instead of refusing it whole.
            unique_names: Answer 409 to a campaign whose name was used before.
            state: A file from which it goes on, and which it keeps as it goes, so that another sandbox can go on after ``kill -9``.
                Of a file that exists, ``messages``, ``drops``, ``seed`` and the time are taken, and time went on meanwhile. Kept are
                campaigns, what is still to be posted of them, how the tracked list grew and shrank, and the log of requests and
                callbacks; not tokens and faults, and no secrets of headers. It holds phone numbers: only its owner can read it.
            clock: Counts real seconds. A test that turns it by hand has nothing to wait for.

        Raises:
            ValueError: A naive ``now``, a negative number, or a speed that is not positive.
        """
        if now is not None and now.tzinfo is None:
            raise ValueError("now must be aware")
        if min(messages, drops, port) < 0 or speed <= 0:
            raise ValueError("messages, drops and port must not be negative, and speed must be positive")
        self._seed, self._messages, self._drops, self._now = seed, messages, drops, now
        self._options = Options(
            speed=speed,
            token_lifetime=token_lifetime,
            partial_errors=partial_errors,
            unique_names=unique_names,
            ticks=clock,
        )
        self._port = port
        self._secrets = Secrets.of(seed)
        self._faults = Faults()
        self._replay = Replay()
        self._requests: Log[ReceivedRequest] = Log()
        self._callbacks: Log[PostedCallback] = Log()
        self._store = Store(None if state is None else Path(state))
        self._urls: tuple[str, ...] = ()
        self._started: World | None = None
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop."""
        await self.aclose()

    async def start(self) -> None:
        """Serve from now on, until ``aclose``. A sandbox is started once.

        Raises:
            RuntimeError: It was started before.
            OSError: A port is taken; or the file of the state is, or it is none.
        """
        if self._started is not None:
            raise RuntimeError("a sandbox is started once: make another")
        async with AsyncExitStack() as stack:
            sockets = [stack.enter_context(_listen(self._port + place if self._port else 0)) for place in range(3)]
            urls = [f"http://{HOST}:{port}" for _, port in (sock.getsockname() for sock in sockets)]
            world = await self._make_world(stack, urls[0])
            self._urls = tuple(urls)
            self._started = world
            sites = self._sites(world)
            desk = Desk(
                urls={site.name: url for site, url in zip(sites, urls, strict=True)},
                world=world,
                requests=self._requests,
                callbacks=self._callbacks,
                faults=self._faults,
                replay=self._replay,
                store=self._store,
            )
            for sock, site in zip(sockets, sites, strict=True):
                front = Front(site=site, log=self._requests, store=self._store, faults=self._faults, replay=self._replay, clock=world.clock)
                await _serve(stack, sock, front, desk if site.name == "routee" else None)
            self._closing = stack.pop_all()

    async def _make_world(self, stack: AsyncExitStack, routee_url: str) -> World:
        """The world as it was left, or a new one."""
        stack.push_async_callback(self._store.aclose)
        began = self._now or datetime.now(UTC)
        fresh = Beginning(seed=self._seed, messages=self._messages, drops=self._drops, began=began)
        kept = await self._store.open(fresh, self._options.speed)
        self._secrets = Secrets.of(kept.beginning.seed)
        self._requests.restore(kept.requests)
        self._callbacks.restore(kept.callbacks)
        world = make_world(self._options, kept, self._secrets, routee_url=routee_url, posted=self._callbacks, store=self._store)
        stack.push_async_callback(world.poster.aclose)
        world.take_up(kept)
        self._store.keep_time(world.clock.now)
        return world

    async def aclose(self) -> None:
        """Stop serving and posting. Once is enough, twice is fine. What was received and posted can still be read."""
        await self._closing.aclose()

    @property
    def routee_url(self) -> str:
        """Base of Routee's endpoints."""
        return self._url(0)

    @property
    def auth_url(self) -> str:
        """Base of the token endpoint."""
        return self._url(1)

    @property
    def spacivox_url(self) -> str:
        """Base of Spacivox's endpoints."""
        return self._url(2)

    @property
    def page_url(self) -> str:
        """A page for people: what was sent, and buttons for the faults. Below it, at ``_sandbox``, the same as JSON."""
        return self.routee_url + "/"

    @property
    def credentials(self) -> tuple[str, str]:
        """Application id and secret, plain."""
        return self._secrets.application_id, self._secrets.application_secret

    @property
    def spacivox_token(self) -> str:
        """The token Spacivox accepts, plain."""
        return self._secrets.spacivox_token

    @property
    def now(self) -> datetime:
        """The moment it is in the sandbox; aware, UTC."""
        return self._world.clock.now()

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """What arrived at the three sites, in order: the last 20,000, or less if their bodies have more than 64 MiB."""
        return tuple(self._requests)

    @property
    def callbacks(self) -> tuple[PostedCallback, ...]:
        """Every attempt to post a callback, in order: the last 20,000."""
        return tuple(self._callbacks)

    @property
    def campaigns(self) -> tuple[AcceptedCampaign, ...]:
        """Campaigns accepted and not deleted, in order."""
        return tuple(self._world.campaigns.accepted)

    @property
    def history_campaigns(self) -> tuple[str, ...]:
        """Tracking ids of the campaigns of the past, oldest first."""
        return self._world.history.campaigns

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Every tracked message as it is now, as on the wire, in the order of an unsorted search."""
        return plain([row.message for row in self._world.tracking.find(Search())])

    @property
    def drops(self) -> list[dict[str, Any]]:
        """Every voicemail drop record, as on the wire."""
        return plain(self._world.drops)

    def fail_next(
        self,
        *,
        status: int | None = None,
        retry_after: int | str | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
        drop: DropMoment | None = None,
        cut: bool = False,
        act: bool = False,
        path: str | None = None,
        times: int = 1,
    ) -> None:
        """Let the next request fail. Calls add up: what is asked for first comes first.

        A plain aiohttp client repeats a GET or DELETE once by itself when its connection is dropped; with ``times=2`` it notices.

        Args:
            status: Answer this, with the service's documented error object unless ``body`` is given.
            retry_after: The header of that name, in seconds or as a date.
            body: Answer these bytes, with 200 unless ``status`` is given.
            content_type: Of ``body``; HTML if left out.
            drop: Close the connection without an answer, before or after the request took effect.
            cut: Let the request take effect, and close the connection in the middle of the answer's body.
            act: Let the request take effect, and answer as asked all the same.
            path: Only requests to this path or below it; any request to any site if left out.
            times: So many requests fail this way, at most 1,000.

        Raises:
            ValueError: No way to fail was named, or more than one; or an argument makes no sense. It says which.
        """
        fault, times = asked_for(
            body, status=status, retry_after=retry_after, content_type=content_type, drop=drop, cut=cut, act=act, path=path, times=times
        )
        self._faults.add(fault, times)

    def replay(self, file: str | os.PathLike[str]) -> None:
        """Answer the next requests as a ``Recorder`` wrote it down, and those after them as always. Nothing takes effect.

        An answer comes to the method, path, query and body that it was recorded for, and among equals in the order of the recording.
        What has a stand-in there (a phone number of as many digits, a text, a URL) is equal to any of its kind, and so are moments,
        though the very same go first. While answers to its method and path are left, a request that none of them fits is answered
        501. Faults go before. Of what was no JSON, the status alone is answered.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is no recording; names the line.
        """
        for one in list(read(file)):
            self._replay.add(one)

    def delay(self, seconds: float, *, path: str | None = None) -> None:
        """Let each answer from now on wait so many real seconds, after its request took effect.

        Args:
            seconds: 0 ends the delay of ``path``, or every delay.
            path: Only answers to requests for this path or below it.
        """
        self._faults.delay(seconds, path)

    def cap_page_size(self, size: int | None) -> None:
        """Cap the page size without a word but the ``size`` in the answer; None ends that."""
        self._faults.page_size_cap = size

    def expire_tokens(self) -> None:
        """End the life of every bearer token handed out by the token endpoint."""
        self._world.tokens.expire()

    def grow(self, count: int) -> list[str]:
        """Put new messages at the head of the tracked list, so that later pages repeat some. Their ids."""
        return self._world.grow(count)

    def shrink(self, count: int) -> list[str]:
        """Take settled messages from the head of the tracked list, so that later pages miss some. Their ids."""
        return self._world.shrink(count)

    def clear_faults(self) -> None:
        """End every fault that waits, every delay, the cap on the page size, and what is left of a ``replay``."""
        self._faults.clear()
        self._replay.clear()

    def assert_sent_once(self, name: str | None = None) -> AcceptedCampaign:
        """Fail unless exactly one campaign was accepted, whatever became of its answer.

        Args:
            name: Only campaigns of this name count; all of them if left out.

        Returns:
            That campaign.

        Raises:
            AssertionError: How many there are, what was accepted, and how each request to send was answered.
        """
        __tracebackhide__ = True  # pytest shows the line of the test
        return sent_once(self.campaigns, self.requests, name)

    def assert_nothing_sent(self) -> None:
        """Fail if a campaign was accepted.

        Raises:
            AssertionError: Which, and how each request to send was answered.
        """
        __tracebackhide__ = True
        nothing_sent(self.campaigns, self.requests)

    def assert_nobody_called_twice(self) -> None:
        """Fail if a number is called more than once, by one campaign or by several.

        Raises:
            AssertionError: Which numbers, without their middle.
        """
        __tracebackhide__ = True
        nobody_called_twice(self.campaigns)

    @property
    def _world(self) -> World:
        if self._started is None:
            raise RuntimeError("the sandbox was not started: use async with")
        return self._started

    def _url(self, place: int) -> str:
        if not self._urls:
            raise RuntimeError("the sandbox was not started: use async with")
        return self._urls[place]

    def _sites(self, world: World) -> tuple[Site, ...]:
        return (
            Routee(
                campaigns=world.campaigns,
                tracking=world.tracking,
                history=world.history.campaigns,
                poster=world.poster,
                tokens=world.tokens,
                clock=world.clock,
                faults=self._faults,
                store=self._store,
            ),
            Auth(tokens=world.tokens, clock=world.clock),
            Spacivox(token=self._secrets.spacivox_token, drops=world.drops),
        )


def _listen(port: int) -> socket.socket:
    return socket.create_server((HOST, port))


async def _serve(stack: AsyncExitStack, sock: socket.socket, front: Front, desk: Desk | None) -> None:
    """Serve one site until the stack is closed, and beside it the desk, which no fault can reach."""

    @web.middleware
    async def attend(request: web.Request, handler: Handler) -> web.StreamResponse:
        if desk is not None and desk.owns(request.path):
            return await desk.attend(request, handler)
        return await front.attend(request, handler)

    app = web.Application(middlewares=[attend])
    app.add_routes(front.site.routes())
    if desk is not None:
        app.add_routes(desk.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LAST_ANSWERS)
    await runner.setup()
    stack.push_async_callback(front.aclose)  # after the runner's own end, which waits a little for last answers
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, sock).start()
