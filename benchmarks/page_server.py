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
import sys
import time
from datetime import UTC, datetime
from urllib.parse import unquote

import messages as data
from server import Requests, answer, serve

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


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


class Pages(Requests):
    """Answers requests with pages."""

    seen = 0

    def __init__(self, lists: Lists) -> None:
        """Answer from these lists."""
        self._lists = lists

    def attend(self, head: bytes) -> None:
        path, _, query = head.split(b" ", 2)[1].decode().partition("?")
        if path == "/seen":
            self.transport.write(answer(json.dumps({"requests": Pages.seen, "cpu": time.process_time()}).encode()))
            return
        Pages.seen += 1
        latency, count = _asked(path)
        if latency:
            asyncio.get_running_loop().call_later(latency / 1000, self._answer, query, count)
        else:
            self._answer(query, count)

    def _answer(self, query: str, count: int | None) -> None:
        self.transport.write(self._lists.page(query, count))


@functools.cache
def _asked(path: str) -> tuple[int, int | None]:
    """Return the milliseconds that a path asks for, and the messages of its list."""
    numbers = [int(part) for part in path.split("/")[1:3] if part.isdigit()]
    return (numbers or [0])[0], numbers[1] if len(numbers) > 1 else None


if __name__ == "__main__":
    lists = Lists(int(sys.argv[1]), [int(size) for size in sys.argv[2:]])
    serve(lambda: Pages(lists))
