"""A server that takes every campaign and answers at once.

    python benchmarks/send_server.py

Prints its port, answers until its standard input ends, and then prints how many campaigns it took.
"""

import asyncio
import sys
from typing import Final

BODY: Final = b'{"trackingId": "0123456789abcdef", "type": "Voice", "state": "Queued", "campaignName": "Bench", "statuses": {"Queued": 1}}'
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


class Campaigns(asyncio.Protocol):
    """Takes one campaign a connection: paid sends use each of theirs once."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if end and len(body) >= int(length):
            Campaigns.taken += 1
            self._transport.write(ANSWER)
            self._transport.close()


async def serve() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Campaigns, "127.0.0.1", 0, backlog=512)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)
    print(Campaigns.taken, flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
