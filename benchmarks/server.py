"""What the servers of this folder share: requests read to their last byte, an answer ready to be written, an end when the input ends."""

import asyncio
import selectors
import sys
from collections.abc import Callable


def answer(body: bytes, *, more: bytes = b"") -> bytes:
    """Return a body of JSON as a whole HTTP answer; ``more`` is a header with its line's end."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b" % (more, len(body), body)


class Requests(asyncio.Protocol):
    """Reads requests, one after the other on a connection; whoever inherits answers them."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if end and (not head.startswith(b"POST") or len(body) >= _length(head)):
            self._buffer = b""
            self.attend(head)

    def attend(self, head: bytes) -> None:
        """Answer the request that begins so."""
        raise NotImplementedError


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)


async def _until_input_ends(connection: Callable[[], asyncio.Protocol]) -> None:
    loop = asyncio.get_running_loop()
    async with await loop.create_server(connection, "127.0.0.1", 0, backlog=1024) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


def serve(connection: Callable[[], asyncio.Protocol]) -> None:
    """Print the port, and serve until standard input ends."""
    # epoll wakes up on whole milliseconds, which of twenty would be a lot; select does not.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(_until_input_ends(connection))
