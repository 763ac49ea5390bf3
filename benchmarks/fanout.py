"""What a fan-out costs: 600 campaigns looked up at a server that takes 20 ms, and 100,000 at one that takes none.

    python benchmarks/fanout.py [--campaigns 600] [--latency 0.02] [--ids 100000]

The server is a process of its own; each campaign is one page of ten messages, summarized. The ideal time is that of
the server alone: its latency for each campaign, divided by how many are asked for at once. Then a fresh process goes
through the many ids, and tells how much its memory grew after the first thousand.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import resident
from page_server import rendered

from voicedrop_async import Limits, RouteeSession, StaticToken
from voicedrop_async.sandbox import Sandbox

AT_ONCE = (1, 8, 32)
MESSAGES = 10


class Campaigns(asyncio.Protocol):
    """Answers every GET with the same page, ``latency`` seconds later."""

    def __init__(self, answer: bytes, latency: float) -> None:
        """Answer so, and so late."""
        self._answer = answer
        self._latency = latency

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            self._buffer = self._buffer.partition(b"\r\n\r\n")[2]
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, self._answer)


async def serve(latency: float) -> None:
    """Serve until standard input ends."""
    async with Sandbox(messages=MESSAGES, seed=7) as sandbox:
        [answer] = rendered(sandbox.messages, MESSAGES)
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: Campaigns(answer, latency), "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def server(latency: float) -> Iterator[str]:
    """Run the server in another process; yield its URL."""
    command = [sys.executable, __file__, "--serve", "--latency", str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def session(url: str, at_once: int) -> RouteeSession:
    """Return a session whose limits leave the concurrency to the fan-out."""
    return RouteeSession(StaticToken("t"), base_url=url, limits=Limits(max_in_flight=at_once + 1))


async def compare(url: str, campaigns: int, latency: float) -> None:
    """Print how long it takes, and how long it would if only the server took time."""
    print(f"{campaigns} campaigns of {MESSAGES} messages, the server takes {latency * 1000:g} ms")
    print(f"{'at once':>7} {'seconds':>8} {'ideal':>7} {'over ideal':>11}")
    for at_once in AT_ONCE:
        async with session(url, at_once) as routee:
            await routee.track_campaign("warm-up").collect()
            began = time.perf_counter()
            ids = (f"campaign-{place}" for place in range(campaigns))
            seen = sum([outcome.value.messages async for outcome in routee.summarize_campaigns(ids, concurrency=at_once)])
            took = time.perf_counter() - began
        if seen != campaigns * MESSAGES:
            raise SystemExit(f"saw {seen} of {campaigns * MESSAGES} messages")
        ideal = -(-campaigns // at_once) * latency
        print(f"{at_once:>7} {took:>8.2f} {ideal:>7.2f} {took / ideal:>11.2f}")


async def grow(url: str, ids: int) -> None:
    """Print by how much so many ids raise the memory of this process, after a thousand of them."""
    seen = before = most = 0
    began = time.perf_counter()
    async with session(url, 8) as routee:
        async for outcome in routee.summarize_campaigns((f"campaign-{place}" for place in range(ids)), concurrency=8):
            seen += outcome.ok
            if seen == 1000:
                before = most = resident()
            elif seen % 500 == 0:
                most = max(most, resident())
    if seen != ids:
        raise SystemExit(f"{seen} of {ids} ids came to a summary")
    rate = ids / (time.perf_counter() - began)
    print(f"memory: {ids} ids raised it by {(most - before) / 1e6:.1f} MB at most, after the first 1000; {rate:,.0f} campaigns/s")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--campaigns", type=int, default=600)
    parser.add_argument("--latency", type=float, default=0.02, help="seconds")
    parser.add_argument("--ids", type=int, default=100_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--grow", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.latency))
        return
    if options.grow:
        asyncio.run(grow(options.grow, options.ids))
        return
    with server(options.latency) as url:
        asyncio.run(compare(url, options.campaigns, options.latency))
    if not Path("/proc/self/statm").exists():
        print("memory: not measured, this system has no /proc")
        return
    with server(0.0) as url:
        subprocess.run([sys.executable, __file__, "--grow", url, "--ids", str(options.ids)], check=True)


if __name__ == "__main__":
    main()
