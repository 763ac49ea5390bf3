"""A bad line between a client and a server: it passes their bytes on, and does to each connection what a test planned for it."""

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from enum import Enum
from typing import Self


class Then(Enum):
    """What becomes of a connection when its bytes are used up."""

    END = "closed, in good order"
    RESET = "torn down, with a reset"
    NOTHING = "stays open, and swallows whatever comes"


class Way(Enum):
    """Where bytes go."""

    TO_SERVER = "requests"
    TO_CLIENT = "answers"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a connection goes through, in one of its directions; the other one is clear."""

    way: Way = Way.TO_CLIENT
    after: int | None = None
    """Bytes that pass before it strikes; None never strikes."""
    then: Then = Then.END
    piece: int = 65_536
    """Bytes that go out at once."""
    latency: float = 0.0
    """Seconds before each piece."""


CLEAR = Plan()


@dataclass
class ChaosRelay:
    """Listens on loopback for the server on ``port``; connections go through ``plans`` in turn, and through the last one from then on."""

    port: int
    plans: list[Plan] = field(default_factory=lambda: [CLEAR])
    listening: bool = True
    """False refuses connections, until ``listen`` is called."""
    connections: int = 0
    struck: int = 0
    """Connections that went as planned to their bad end."""
    pieces: int = 0
    """Pieces passed on, either way."""

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))  # bound and not listening, the port is ours and refuses
        self._server = await asyncio.start_server(self._serve, sock=self._socket, start_serving=self.listening)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def own_port(self) -> int:
        return self._socket.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.own_port}"

    @property
    def open(self) -> int:
        """Connections that nobody has ended yet."""
        return len(self._tasks)

    async def listen(self) -> None:
        """Accept connections from now on."""
        await self._server.start_serving()

    async def left(self) -> None:
        """Return when no connection is open any more."""
        await self._empty.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._empty.clear()
        plan = self.plans[min(self.connections, len(self.plans) - 1)]
        self.connections += 1
        try:
            await self._pass_on(plan, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            writer.transport.abort()  # no server is there, or the test is over
        finally:
            writer.close()
            self._tasks.discard(task)
            if not self._tasks:
                self._empty.set()

    async def _pass_on(self, plan: Plan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on both ways, until one of them has come to its end."""
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.port)
        ways = {Way.TO_SERVER: (reader, server_writer), Way.TO_CLIENT: (server_reader, writer)}
        pumps = [asyncio.create_task(self._pump(*ends, plan if plan.way is way else CLEAR)) for way, ends in ways.items()]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server_writer.close()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, plan: Plan) -> None:
        """Pass bytes on until the sender ends, or the plan strikes."""
        left = plan.after
        while left != 0:
            data = await reader.read(plan.piece if left is None else min(plan.piece, left))
            if not data:
                return
            await asyncio.sleep(plan.latency)
            await asyncio.sleep(0)  # with a second turn, a receiver in this loop takes the piece before alone
            writer.write(data)
            await writer.drain()
            self.pieces += 1
            left = None if left is None else left - len(data)
        self.struck += 1
        if plan.then is Then.RESET:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if plan.then is Then.NOTHING:
            while await reader.read(65_536):
                continue
            if plan.way is Way.TO_CLIENT:  # only the client's leaving ends it: it must not hear that the server has
                await asyncio.Event().wait()
