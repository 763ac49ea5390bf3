"""A server of tracking pages that costs next to nothing: the pages are rendered before the first request comes.

    python benchmarks/page_server.py MESSAGES PAGE_SIZE [PAGE_SIZE ...]

Prints its port, then answers until its standard input ends. A path before the service's own asks for something else:
``/20/voice/tracking`` lets each answer wait that many milliseconds, ``/0/5000/voice/tracking`` is a list of that many
messages. Those of a list longer than the one rendered are told apart by their ids; its pages, and those of a range of
time, of which each second since 2026 holds one message, are put together when they are asked for, and not kept.
``/seen`` tells how many requests have come, and the processor time they took.
"""

import asyncio
import functools
import json
import selectors
import sys
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import messages as data
import msgspec

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def answer(body: bytes) -> bytes:
    """Return a body as a whole HTTP answer."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def rendered(rows: list[dict[str, Any]], size: int) -> list[bytes]:
    """Return whole HTTP answers, one for each page of ``size`` messages."""
    return _rendered([msgspec.json.encode(row) for row in rows], size)


def _rendered(rows: list[bytes], size: int) -> list[bytes]:
    return [answer(data.page(rows[begin : begin + size], len(rows), begin // size, size)) for begin in range(0, len(rows), size)]


class Lists:
    """The pages of a list of messages, and of lists of any other length."""

    def __init__(self, count: int, sizes: list[int]) -> None:
        """Render a list of so many messages, in pages of these sizes."""
        self.count = count
        self._rows = data.encoded(count)
        self._ready = {(count, size, number): page for size in sizes for number, page in enumerate(_rendered(self._rows, size))}

    def page(self, query: str, count: int | None) -> bytes:
        """Return the page that a query asks for, of the list of ``count`` messages."""
        asked = dict(pair.split("=", 1) for pair in query.split("&"))
        number, size = int(asked["page"]), int(asked["size"])
        if "from" in asked:
            first, end = (_second(asked[edge]) for edge in ("from", "to"))
            return self._put_together(first, end, number, size)
        place = (self.count if count is None else count, size, number)
        ready = self._ready.get(place)
        if ready is None:
            ready = self._put_together(0, place[0], number, size)
            if place[0] <= self.count:
                self._ready[place] = ready
        return ready

    def _put_together(self, first: int, end: int, number: int, size: int) -> bytes:
        begin = first + number * size
        rows = [self._row(place) for place in range(begin, min(end, begin + size))]
        return answer(data.page(rows, end - first, number, size))

    def _row(self, place: int) -> bytes:
        pattern = place % self.count
        return self._rows[place] if place == pattern else self._rows[pattern].replace(_id(pattern), _id(place), 1)


def _id(place: int) -> bytes:
    return data.message_id(place).encode()


def _second(moment: str) -> int:
    return int((datetime.fromisoformat(unquote(moment)) - _BEGIN).total_seconds())


class Pages(asyncio.Protocol):
    """Answers requests, one after the other on a connection, whose body is a few bytes and comes along."""

    seen = 0

    def __init__(self, lists: Lists) -> None:
        """Answer from these lists."""
        self._lists = lists

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end or (head.startswith(b"POST") and len(body) < _length(head)):
            return
        self._buffer = b""
        path, _, query = head.split(b" ", 2)[1].decode().partition("?")
        if path == "/seen":
            self._transport.write(answer(json.dumps({"requests": Pages.seen, "cpu": time.process_time()}).encode()))
            return
        Pages.seen += 1
        latency, count = _asked(path)
        if latency:
            asyncio.get_running_loop().call_later(latency / 1000, self._answer, query, count)
        else:
            self._answer(query, count)

    def _answer(self, query: str, count: int | None) -> None:
        self._transport.write(self._lists.page(query, count))


@functools.cache
def _asked(path: str) -> tuple[int, int | None]:
    """Return the milliseconds that a path asks for, and the messages of its list."""
    numbers = [int(part) for part in path.split("/")[1:3] if part.isdigit()]
    return (numbers or [0])[0], numbers[1] if len(numbers) > 1 else None


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)


async def serve(count: int, sizes: list[int]) -> None:
    """Serve until standard input ends."""
    lists = Lists(count, sizes)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Pages(lists), "127.0.0.1", 0, backlog=1024)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    # epoll wakes up on whole milliseconds, which of twenty would be a lot; select does not.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(serve(int(sys.argv[1]), [int(size) for size in sys.argv[2:]]))
