"""What a walk costs: typed messages against the dictionaries of a loop written by hand, side by side.

    python benchmarks/walk.py [--rounds 7] [--messages 100000]

The server is a process of its own with rendered pages. Both contenders ask for one page after the other and look at
every message, in turn within each round; the ratio is taken round by round, since the machine's speed drifts. Then a fresh process walks
the messages one by one, and tells how much its memory grew.
"""

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import orjson

from voicedrop_async import RouteeSession, StaticToken

SIZES = (20, 100, 1000)


@contextmanager
def page_server(messages: int) -> Iterator[str]:
    """Run the page server in another process, on another core where there is one; yield its URL."""
    command = [sys.executable, str(Path(__file__).with_name("page_server.py")), str(messages), *map(str, SIZES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        if len(cores) > 1:
            os.sched_setaffinity(process.pid, {cores[1]})
            os.sched_setaffinity(0, {cores[0]})
        yield f"http://127.0.0.1:{port}"
        process.stdin.close()


async def by_hand(url: str, size: int) -> int:
    """The loop that one would write: aiohttp, orjson, dictionaries."""
    seen = 0
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer t"}) as http:
        number, last = 0, False
        while not last:
            async with http.post(f"{url}/voice/tracking", params={"page": number, "size": size}, json=[]) as response:
                page = orjson.loads(await response.read())
            for _message in page["content"]:
                seen += 1
            number, last = number + 1, page["last"]
    return seen


async def typed(url: str, size: int) -> int:
    """The same walk with this library."""
    seen = 0
    async with RouteeSession(StaticToken("t"), base_url=url) as routee:
        async for _message in routee.track_messages(page_size=size):
            seen += 1
    return seen


async def compare(url: str, messages: int, rounds: int) -> None:
    """Print messages a second of both, and the ratio."""
    print(f"{messages} messages, medians of {rounds} interleaved rounds")
    print(f"{'page size':>9} {'typed walk/s':>13} {'by hand/s':>11}   typed over by hand: median (min-max)")
    for size in SIZES:
        await typed(url, size)  # decoders are built when they are first needed
        rates: dict[str, list[float]] = {"typed": [], "by hand": []}
        for _ in range(rounds):
            for name, walk in (("typed", typed), ("by hand", by_hand)):
                began = time.perf_counter()
                seen = await walk(url, size)
                rates[name].append(seen / (time.perf_counter() - began))
                if seen != messages:
                    raise SystemExit(f"{name} saw {seen} of {messages} messages")
        ratios = [ours / hand for ours, hand in zip(rates["typed"], rates["by hand"], strict=True)]
        middle = {name: statistics.median(values) for name, values in rates.items()}
        print(
            f"{size:>9} {middle['typed']:>13,.0f} {middle['by hand']:>11,.0f}   "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        )


def resident() -> int:
    """Return the bytes of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def grow(url: str) -> None:
    """Print by how much walking all messages one by one raises the memory of this process."""
    async with RouteeSession(StaticToken("t"), base_url=url) as routee:
        await routee.track_messages(max_items=1000).collect()
        before = most = resident()
        seen = 0
        async for _message in routee.track_messages():
            seen += 1
            if seen % 500 == 0:
                most = max(most, resident())
    print(f"memory: walking {seen} messages one by one raised it by {(most - before) / 1e6:.1f} MB at most")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--grow", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.grow:
        asyncio.run(grow(options.grow))
        return
    with page_server(options.messages) as url:
        asyncio.run(compare(url, options.messages, options.rounds))
        if Path("/proc/self/statm").exists():
            subprocess.run([sys.executable, __file__, "--grow", url], check=True)
        else:
            print("memory: not measured, this system has no /proc")


if __name__ == "__main__":
    main()
