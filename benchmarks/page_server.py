"""A server of tracking pages that costs next to nothing: every page is rendered before the first request comes.

    python benchmarks/page_server.py MESSAGES PAGE_SIZE [PAGE_SIZE ...]

Prints its port, then answers until its standard input ends. A path before the service's own, as in ``/20/voice/tracking``,
lets each answer wait that many milliseconds. A request for a range of time is answered from a list without an end, of which
each second since 2026 holds one message: its pages are put together when they are asked for, and nothing is kept.
"""

import asyncio
import selectors
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from voicedrop_async.sandbox import Sandbox

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def rendered(rows: list[dict[str, Any]], size: int) -> list[bytes]:
    """Return whole HTTP answers, one for each page of ``size`` messages."""
    encoded = [msgspec.json.encode(row) for row in rows]
    return [page(encoded[begin : begin + size], len(rows), begin // size, size) for begin in range(0, len(rows), size)]


def page(rows: list[bytes], messages: int, number: int, size: int) -> bytes:
    """Return a page as a whole HTTP answer."""
    count = -(-messages // size)
    facts = {
        "totalPages": count,
        "last": number + 1 >= count,
        "totalElements": messages,
        "first": number == 0,
        "numberOfElements": len(rows),
        "number": number,
        "size": size,
    }
    body = b'{"content":[' + b",".join(rows) + b"]," + msgspec.json.encode(facts)[1:]
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Endless:
    """A list of one message each second, cut by the range of a request: from its start, up to its end."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        """Make messages after the pattern of ``rows``, each under an id of its own."""
        self._patterns = [msgspec.json.encode(row | {"messageId": "\0"}).split(b"\\u0000") for row in rows]

    def page(self, query: str) -> bytes:
        """Return the page that a query asks for."""
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        first, end = (int((datetime.fromisoformat(asked[edge]) - _BEGIN).total_seconds()) for edge in ("from", "to"))
        number, size = int(asked["page"]), int(asked["size"])
        begin = first + number * size
        rows = [self._row(place) for place in range(begin, min(end, begin + size))]
        return page(rows, end - first, number, size)

    def _row(self, place: int) -> bytes:
        before, after = self._patterns[place % len(self._patterns)]
        return b"%b00000000-0000-4000-8000-%012d%b" % (before, place, after)


class Pages(asyncio.Protocol):
    """Answers requests whose query ends with ``page=N&size=M``; their bodies are a few bytes and come along."""

    def __init__(self, answers: dict[int, list[bytes]], endless: Endless) -> None:
        """Answer from ``answers``, by page size; a range of time from what is ``endless``."""
        self._answers = answers
        self._endless = endless

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
            path, _, query = head.split(b" ", 2)[1].partition(b"?")
            wait = path[1:].partition(b"/")[0]
            if wait.isdigit():
                asyncio.get_running_loop().call_later(int(wait) / 1000, self._answer, query)
            else:
                self._answer(query)

    def _answer(self, query: bytes) -> None:
        if query.startswith(b"from="):
            self._transport.write(self._endless.page(query.decode()))
            return
        number, _, size = query.rpartition(b"page=")[2].partition(b"&size=")
        self._transport.write(self._answers[int(size)][int(number)])


async def serve(messages: int, sizes: list[int]) -> None:
    """Serve until standard input ends."""
    async with Sandbox(messages=messages, seed=7) as sandbox:
        rows = sandbox.messages
    answers = {size: rendered(rows, size) for size in sizes}
    endless = Endless(rows[:1000])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Pages(answers, endless), "127.0.0.1", 0)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    # epoll wakes up on whole milliseconds, which of twenty would be a lot; select does not.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(serve(int(sys.argv[1]), [int(size) for size in sys.argv[2:]]))
