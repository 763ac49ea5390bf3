"""A server that does exactly what a test writes down, byte by byte: what real servers do only on bad days."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from loopback import Loopback


@dataclass
class Received:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


Step = Callable[[asyncio.StreamWriter], Awaitable[bool]]
"""Answers one request; returns whether the connection stays open."""


def answer(status: int = 200, body: Any = b"{}", *, headers: dict[str, str] | None = None, content_type: str = "application/json") -> Step:
    """A whole answer; a body that is no bytes is JSON."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": content_type, "Content-Length": str(len(payload)), **(headers or {})}
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    return says(head.encode() + payload, stay=True)


def says(data: bytes, *, stay: bool = False) -> Step:
    """These bytes, and then the end of the connection."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        writer.write(data)
        await writer.drain()
        return stay

    return step


def hangs_up() -> Step:
    """Close without a byte."""
    return says(b"")


def resets(data: bytes = b"") -> Step:
    """Some bytes, then a reset instead of an orderly end."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        writer.write(data)
        await writer.drain()
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
        return False

    return step


def falls_silent(data: bytes = b"") -> Step:
    """Some bytes, and then nothing until the client gives up."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        writer.write(data)
        await writer.drain()
        await asyncio.Event().wait()
        return False

    return step


@dataclass
class RawServer(Loopback):
    """Answers its requests with ``steps``, one after another; the last one again and again."""

    steps: list[Step] = field(default_factory=lambda: [answer()])
    received: list[Received] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    """What it shows to those who come by https."""
    listening: socket.socket | None = None
    """Where it listens, if not at a port of loopback that is free."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by each request that is here to its last byte."""

    async def __aenter__(self) -> Self:
        place: dict[str, Any] = {"host": "127.0.0.1", "port": 0} if self.listening is None else {"sock": self.listening}
        await self._listen(**place, ssl=self.tls)
        return self

    @property
    def port(self) -> int:
        return self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'http' if self.tls is None else 'https'}://{self._server.sockets[0].getsockname()[0]}:{self.port}"

    def will(self, *steps: Step) -> None:
        """Answer the requests to come with ``steps``."""
        self.steps = [*steps]
        self._first = len(self.received)

    _first: int = 0

    def _step(self) -> Step:
        place = len(self.received) - 1 - self._first
        return self.steps[min(place, len(self.steps) - 1)]

    async def _converse(self, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.received.append(Received(method, target, headers, body, connection))
            self.arrived.set()
            if not await self._step()(writer):
                return
