"""What a receiver of callbacks can take, served by aiohttp.web on one core; this process, which posts, has another.

    python benchmarks/bench.py --only callbacks

Callbacks answered 200 in a second of the receiver's processor time, all its threads together, and in a second on the clock,
in which neighbours have their part; with the receiver in memory, and with its file. The time to an answer while the handler
sleeps, blocks, raises or hangs; and whether each one that was answered 200 came to the handler, also by another receiver
on the same file after the first was killed with -9. Each callback is of a message of its own, with the documented keys.
"""

import asyncio
import json
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

from common import HERE, on_another_core
from figures import Results, Spread

SECRET: Final = secrets.token_urlsafe(32)
CONNECTIONS: Final = 64
HANDLERS: Final = ("sleeps", "blocks", "raises", "hangs")
BODY: Final = json.dumps(
    {
        "messageId": "%012d",
        "campaignTrackingId": "0ac7e5a0-0c4c-4d6c-9a43-2c0f41a7c1c5",
        "campaignName": "Spring sale",
        "to": "+306912345678",
        "from": "306900000000",
        "country": "GR",
        "operator": "Cosmote",
        "groups": ["customers"],
        "applicationName": "shop",
        "price": 0.0375,
        "originatingService": "Voice",
        "direction": "Outbound",
        "status": {"name": "Completed", "updatedDate": "2026-03-02T12:00:00.445Z"},
        "audioMessage": {"text": "Hello, it is spring", "language": "en-GB", "gender": "female"},
        "hangupDelay": 30,
        "respectQuietHours": False,
        "duration": 7,
        "createdAt": "2026-03-02T11:59:49Z",
        "chargeInterval": 1,
    }
)


class Served:
    """A receiver in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.process = process
        self.port = int(process.stdout.readline())

    def end(self) -> dict[str, Any]:
        """Let it hand on what waits, and end; return what it tells."""
        told, _ = self.process.communicate()
        last: dict[str, Any] = json.loads(told)
        return last


@contextmanager
def served(handler: str, file: Path | None = None) -> Iterator[Served]:
    """Start a receiver, on another core where there is one."""
    command = [sys.executable, str(HERE / "callback_server.py"), SECRET, handler, *([str(file)] if file else [])]
    quiet = subprocess.DEVNULL  # a handler that raises is logged
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, text=True) as process:
        receiver = Served(process)
        with on_another_core(process.pid):
            try:
                yield receiver
            finally:
                process.kill()


class Posting(asyncio.Protocol):
    """Posts one callback after the other over one connection, until the time is over; knows which were answered 200, and when."""

    def __init__(self, numbers: Iterator[int], until: float) -> None:
        self.numbers, self.until = numbers, until
        self.answered: list[int] = []
        self.took: list[float] = []
        self.over = asyncio.get_running_loop().create_future()
        self.read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.post()

    def post(self) -> None:
        self.number, self.began = next(self.numbers), time.perf_counter()
        body = BODY % self.number
        head = f"POST /{SECRET}/message HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write((head + body).encode())

    def data_received(self, data: bytes) -> None:
        self.read += data
        if not self.read.endswith(b"\r\n\r\n"):  # an answer has no body
            return
        now = time.perf_counter()
        if self.read.startswith(b"HTTP/1.1 200"):
            self.answered.append(self.number)
            self.took.append(now - self.began)
        self.read = b""
        if now < self.until:
            self.post()
        else:
            self.transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        self.over.set_result(None)


async def post(port: int, seconds: float, *, connections: int = CONNECTIONS) -> tuple[list[int], list[float]]:
    """Post for so long; return the numbers of those answered 200, and the seconds that each answer took."""
    numbers, until, loop = count(), time.perf_counter() + seconds, asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Posting(numbers, until), "127.0.0.1", port) for _ in range(connections)]
    posting = [protocol for _, protocol in made]
    await asyncio.gather(*(one.over for one in posting))
    return [number for one in posting for number in one.answered], [second for one in posting for second in one.took]


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print all of it."""
    seconds = 0.2 if short else 3.0
    print("\ncallbacks, served by aiohttp.web on one core")
    with tempfile.TemporaryDirectory(dir=".") as folder:  # a disk, where /tmp may be memory
        file = Path(folder) / "callbacks.db"
        lost = rate(results, "C1 memory", [None] * rounds, seconds)
        lost += rate(results, "C1 durable", [file.with_name(f"{turn}.db") for turn in range(rounds)], seconds)
        results.put("C2", Spread.of([max(latencies(file, seconds, HANDLERS[: 1 if short else None]))]))
        results.put("C3", Spread.of([lost + killed(file, seconds)]))


def rate(results: Results, figure: str, files: Sequence[Path | None], seconds: float) -> int:
    """Print how many are taken in, a receiver for each file; return how many that were answered 200 did not come to the handler."""
    by_processor, by_clock, waits, lost = list[float](), list[float](), list[float](), 0
    for file in files:
        with served("notes", file) as receiver:
            answered, took = asyncio.run(post(receiver.port, seconds))
            told = receiver.end()
        lost += len(set(answered) - set(told["noted"]))
        by_processor.append(len(answered) / told["cpu"])
        by_clock.append(len(answered) / seconds)
        waits.append(statistics.median(took) * 1e3)
    print(f"{figure:<12} {Spread.of(by_processor)} a second of processor, {Spread.of(by_clock)} by the clock; median {Spread.of(waits)} ms")
    results.put(figure, Spread.of(by_processor))
    results.note(f"{figure} by the clock", Spread.of(by_clock))
    return lost


def latencies(file: Path, seconds: float, handlers: Sequence[str]) -> Iterator[float]:
    """Print and yield the milliseconds within which 99 of 100 were answered, for each kind of handler."""
    for handler in handlers:
        for way in (None, file.with_name(f"{handler}.db")):
            with served(handler, way) as receiver:
                _, took = asyncio.run(post(receiver.port, seconds))
            within = sorted(took)[len(took) * 99 // 100] * 1e3
            print(f"handler {handler:<7}{', durable' if way else '':<9} 99 of 100 of {len(took)} answers within {within:.0f} ms")
            yield within


def killed(file: Path, seconds: float) -> int:
    """Kill a durable receiver while it takes callbacks in; return how many that were answered 200 another one does not find."""
    with served("hangs", file) as receiver:
        kill = subprocess.Popen(["/bin/sh", "-c", f"sleep {seconds / 2}; kill -9 {receiver.process.pid}"])
        answered, _ = asyncio.run(post(receiver.port, seconds))
        kill.wait()
    with served("notes", file) as receiver:
        found = receiver.end()["noted"]
    print(f"killed with -9 after {len(answered)} were answered 200: {len(set(answered) - set(found))} of them lost, {len(found)} handed on")
    return len(set(answered) - set(found))
