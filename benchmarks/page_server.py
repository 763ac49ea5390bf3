"""A server of tracking pages that costs next to nothing: every page is rendered before the first request comes.

    python benchmarks/page_server.py MESSAGES PAGE_SIZE [PAGE_SIZE ...]

Prints its port, then answers until its standard input ends.
"""

import asyncio
import sys
from typing import Any

import msgspec

from voicedrop_async.sandbox import Sandbox


def rendered(rows: list[dict[str, Any]], size: int) -> list[bytes]:
    """Return whole HTTP answers, one for each page of ``size`` messages."""
    messages = len(rows)
    count = -(-messages // size)
    answers: list[bytes] = []
    for number in range(count):
        content = rows[number * size : (number + 1) * size]
        page = {
            "content": content,
            "totalPages": count,
            "last": number + 1 == count,
            "totalElements": messages,
            "first": number == 0,
            "numberOfElements": len(content),
            "number": number,
            "size": size,
        }
        body = msgspec.json.encode(page)
        answers.append(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return answers


class Pages(asyncio.Protocol):
    """Answers requests whose query ends with ``page=N&size=M``; their bodies are a few bytes and come along."""

    def __init__(self, answers: dict[int, list[bytes]]) -> None:
        """Answer from ``answers``, by page size."""
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        expected = 2 if head.startswith(b"POST") else 0  # the body is "[]"
        if end and len(body) >= expected:
            self._buffer = body[expected:]
            query = head.split(b" ", 2)[1].partition(b"page=")[2]
            number, _, size = query.partition(b"&size=")
            self._transport.write(self._answers[int(size)][int(number)])


async def serve(messages: int, sizes: list[int]) -> None:
    """Serve until standard input ends."""
    async with Sandbox(messages=messages, seed=7) as sandbox:
        rows = sandbox.messages
    answers = {size: rendered(rows, size) for size in sizes}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Pages(answers), "127.0.0.1", 0)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), [int(size) for size in sys.argv[2:]]))
