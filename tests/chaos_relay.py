"""A bad line between a client and a server: it passes their bytes on, and does to each connection what a test planned for it."""

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from loopback import Loopback


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
class ChaosRelay(Loopback):
    """Listens on loopback for the server on ``port``; connections go through ``plans`` in turn, and through the last one from then on."""

    port: int
    plans: list[Plan] = field(default_factory=lambda: [CLEAR])
    listening: bool = True
    """False refuses connections, until ``listen`` is called."""
    struck: int = 0
    """Connections that went as planned to their bad end."""
    pieces: int = 0
    """Pieces passed on, either way."""

    async def __aenter__(self) -> Self:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))  # bound and not listening, the port is ours and refuses
        await self._listen(sock=self._socket, start_serving=self.listening)
        return self

    @property
    def own_port(self) -> int:
        return self._socket.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.own_port}"

    async def listen(self) -> None:
        """Accept connections from now on."""
        await self._server.start_serving()

    async def _converse(self, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass bytes on both ways, until one of them has come to its end."""
        plan = self.plans[min(connection, len(self.plans)) - 1]
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
