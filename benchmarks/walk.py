"""What a walk costs: typed messages against the dictionaries of a loop written by hand, side by side.

    python benchmarks/walk.py [--full]

The server is a process of its own with rendered pages. Both contenders ask for one page after the other and look at
every message, in turn within each round; the ratio is taken round by round, since the machine's speed drifts.
"""

import argparse
import asyncio
import statistics
import time

import aiohttp
import orjson
from common import page_server

from voicedrop_async import RouteeSession, StaticToken

SIZES = (20, 100, 1000)


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


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="7 rounds over 100,000 messages instead of 3 over 20,000")
    rounds, messages = (7, 100_000) if parser.parse_args().full else (3, 20_000)
    with page_server(messages, *SIZES) as url:
        asyncio.run(compare(url, messages, rounds))


if __name__ == "__main__":
    main()
