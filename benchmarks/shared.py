"""One limit and one journal for four workers, in Redis: is the limit held, and what does a Redis that fails cost?

    python benchmarks/shared.py [--lookups 600] [--rate 200] [--sends 120]

Redis is started here, keeps every write, and is restarted, slowed, stopped and flushed while the workers, processes of their own, send and
look up. What arrives here is the judge. Ends with 1 if a promise is broken.
"""

import argparse
import asyncio
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from voicedrop_async import (
    JournalError,
    Kind,
    Limits,
    OutcomeUnknown,
    RedisJournal,
    RedisThrottle,
    RequestError,
    RouteeSession,
    SpokenMessage,
    StaticToken,
    VoiceCampaign,
)

WORKERS: Final = 4
RECEIPT: Final = json.dumps({"trackingId": "t", "state": "Queued"}).encode()
ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(RECEIPT), RECEIPT)


@dataclass
class Service:
    """Says yes to everything, and remembers what came when."""

    lookups: list[float] = field(default_factory=list)
    sends: list[tuple[float, str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
                body = await reader.readexactly(size)
                if head.startswith(b"post"):
                    self.sends.append((time.monotonic(), json.loads(body)["name"]))
                else:
                    self.lookups.append(time.monotonic())
                writer.write(ANSWER)
        writer.close()


class Redis:
    """A Redis of our own, on a free port."""

    def __init__(self, folder: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        options = ("--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always")
        self._command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", *options]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        if not any("Ready to accept" in line for line in self._process.stdout):
            raise SystemExit("redis-server did not start")

    def tell(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        self._process.terminate()
        self._process.communicate()


async def worked(worker: int, service: str, redis: str, rate: float, lookups: int, sends: int, tries: int) -> None:
    """Look up and send, as a worker of a queue does that tries again later; print what became of it."""
    became: Counter[str] = Counter()

    async def send(routee: RouteeSession, order: str) -> str:
        campaign = VoiceCampaign("306900000000", to=["+306912345678"], name=order, message=SpokenMessage("Hello", language="en-GB"))
        said = ""
        for _ in range(tries):
            try:
                await routee.send_campaign(campaign, ref=order)
            except OutcomeUnknown:
                return "open"
            except (JournalError, RequestError) as error:
                said = f"{type(error).__name__}: {error}"
                await asyncio.sleep(0.1)
            else:
                return "sent"
        return said

    async with (
        RedisThrottle(redis, Limits(rate=rate), local_rate=rate / WORKERS / 2) as throttle,
        RedisJournal(redis) as journal,
        RouteeSession(StaticToken("t"), base_url=service, throttle=throttle, journal=journal) as routee,
    ):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        left = iter(range(lookups))

        async def look_up() -> None:
            for _ in left:
                await routee.call("GET", "/ping", kind=Kind.READ)

        looking = [asyncio.create_task(look_up()) for _ in range(7)]
        for number in range(sends):
            became[await send(routee, f"order-{worker}-{number}")] += 1
        await asyncio.gather(*looking)
    print(json.dumps(became))


async def run(service: str, redis: str, rate: float, lookups: int, sends: int, meanwhile: Any = None, tries: int = 300) -> Counter[str]:
    """Let the workers do so many together; return what became of the sends."""
    pipe = asyncio.subprocess.PIPE
    words = [service, redis, str(rate), str(lookups // WORKERS), str(sends // WORKERS), str(tries)]
    command = (sys.executable, __file__, "--worker")
    workers = [await asyncio.create_subprocess_exec(*command, str(number), *words, stdin=pipe, stdout=pipe) for number in range(WORKERS)]
    for worker in workers:
        assert worker.stdout is not None
        await worker.stdout.readline()
    begun = asyncio.create_task(meanwhile()) if meanwhile else None
    told = await asyncio.gather(*(worker.communicate(b"\n") for worker in workers))
    if begun is not None:
        await begun
    if any(worker.returncode for worker in workers):
        raise SystemExit("a worker failed")
    return sum((Counter(json.loads(printed)) for printed, _ in told), Counter())


async def limited(service: Service, url: str, redis: Redis, rate: float, lookups: int) -> dict[str, bool]:
    """Look up at the limit; print how long it took, and the busiest second."""
    await run(url, redis.url, rate, lookups, 0)
    moments = service.lookups
    took, ideal = moments[-1] - moments[0], (lookups - 1) / rate
    busiest = max(sum(first <= moment < first + 1.0 for moment in moments) for first in moments)
    tenth = max(sum(first <= moment < first + 0.1 for moment in moments) for first in moments)
    print(f"{lookups} lookups of {WORKERS} workers at {rate:g} a second: {took:.2f} s, {took / ideal:.3f} of the ideal time (below 1.15)")
    print(f"  in the busiest second {busiest} (at most {rate * 1.025:g}), in the busiest tenth of one {tenth}")
    return {"within 1.15 of the ideal time": took <= 1.15 * ideal, "the limit": busiest <= rate * 1.025}


async def troubled(service: Service, url: str, redis: Redis, rate: float, sends: int) -> dict[str, bool]:
    """Send and look up while Redis fails; print what became of it, and how long nothing was sent."""
    phases: list[tuple[str, float, float]] = []

    async def trouble() -> None:
        for name, cause in (("restarted", restarted), ("slowed for 2 s", slowed), ("stopped for 3 s", stopped)):
            await asyncio.sleep(1.5)
            began = time.monotonic()
            await cause()
            phases.append((name, began, time.monotonic()))

    async def restarted() -> None:
        await asyncio.to_thread(redis.end)
        await asyncio.to_thread(redis.start)

    async def slowed() -> None:
        for _ in range(10):
            await silent(0.15)
            await asyncio.sleep(0.05)

    async def stopped() -> None:
        await silent(3.0)

    async def silent(seconds: float) -> None:
        redis.tell(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        redis.tell(signal.SIGCONT)

    service.lookups.clear()
    became = await run(url, redis.url, rate, 4 * sends, sends, trouble)
    arrived = Counter(order for _, order in service.sends)
    print(f"{sends} sends and {4 * sends} lookups while Redis fails: {dict(became)}; arrived {arrived.total()}, twice", end=" ")
    print(f"{arrived.total() - len(arrived)}; lookups that arrived: {len(service.lookups)}")
    for name, began, ended in phases:
        moments = [moment for moment, _ in service.sends]
        pause = max((late - early for early, late in pairwise(moments) if late > began and early < ended), default=0.0)
        print(f"  {name}: nothing was sent for {pause:.2f} s")
    return {
        "nothing sent twice": set(arrived.values()) == {1},
        "nothing lost": became.total() == sends and became["sent"] <= len(arrived) <= became["sent"] + became["open"],
        "each lookup": len(service.lookups) >= 4 * sends,
    }


async def flushed(service: Service, url: str, redis: Redis, rate: float) -> dict[str, bool]:
    """Empty Redis, and try to send."""
    before = len(service.sends)
    await asyncio.to_thread(subprocess.run, ["redis-cli", "-p", str(redis.port), "FLUSHALL"], check=True, stdout=subprocess.DEVNULL)
    became = await run(url, redis.url, rate, 0, WORKERS, tries=1)
    print(f"flushed: {len(service.sends) - before} of {WORKERS} sent\n  {next(iter(became))}")
    return {
        "nothing is sent after a flush": len(service.sends) == before and became["sent"] == 0,
        "the journal says why": all(said.startswith("JournalError: ") for said in became),
    }


async def report(rate: float, lookups: int, sends: int) -> list[str]:
    """Measure and print everything; return the promises that are broken."""
    service, promises = Service(), dict[str, bool]()
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(folder)
        try:
            async with await asyncio.start_server(service.serve, "127.0.0.1", 0, backlog=1024) as server:
                url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
                async with RedisJournal(redis.url) as journal:
                    await journal.set_up()
                promises |= await limited(service, url, redis, rate, lookups)
                promises |= await troubled(service, url, redis, rate / 4, sends)
                promises |= await flushed(service, url, redis, rate)
        finally:
            redis.end()
    return [promise for promise, kept in promises.items() if not kept]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--lookups", type=int, default=600)
    parser.add_argument("--sends", type=int, default=120)
    parser.add_argument("--worker", nargs=7, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        worker, service, redis, rate, *counts = asked.worker
        asyncio.run(worked(int(worker), service, redis, float(rate), *map(int, counts)))
    elif broken := asyncio.run(report(asked.rate, asked.lookups, asked.sends)):
        raise SystemExit("broken: " + "; ".join(broken))


if __name__ == "__main__":
    main()
