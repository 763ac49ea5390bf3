"""What a walk takes when every answer takes its time: wall time over the least that is possible.

    python benchmarks/latency.py [--full]

The floor is ``latency * (1 + ceil((pages - 1) / max(1, prefetch)))``: the first page says how many there are, the others
are asked for ``prefetch`` at a time. Where the floor alone would take long, fewer pages are walked, as their column says;
the two that have a goal always walk a thousand. The server is a process of its own, and its answers are ready beforehand.
"""

import argparse
import asyncio
import math
import statistics
import time

from common import beside, page_server

from voicedrop_async import Limits, RouteeSession, StaticToken

PAGES, SIZE = 1000, 100
LATENCIES = (0, 20, 100)
"""Milliseconds an answer."""
AHEAD = (0, 1, 8, 32)
GOALS = {(20, 32): 1.12, (100, 32): 1.05}
"""The most of the floor, by latency and prefetch."""
LONGEST, SHORTEST = 15.0, 1.5
"""Seconds that a floor may take, in full and in short."""


def floor(latency: int, pages: int, prefetch: int) -> float:
    """Return the least number of seconds."""
    return latency / 1000 * (1 + math.ceil((pages - 1) / max(1, prefetch)))


def pages_within(seconds: float, latency: int, prefetch: int) -> int:
    """Return how many pages have a floor of at most so many seconds."""
    if floor(latency, PAGES, prefetch) <= seconds:
        return PAGES
    return 1 + int(seconds * 1000 / latency - 1) * max(1, prefetch)


async def walked(url: str, pages: int, prefetch: int) -> float:
    """Walk so many pages, look at every message, and return the seconds it took."""
    async with RouteeSession(StaticToken("t"), base_url=url, limits=Limits(max_in_flight=40)) as routee:
        began, seen = time.perf_counter(), 0
        async for _message in routee.track_messages(page_size=SIZE, prefetch=prefetch, max_items=pages * SIZE):
            seen += 1
        took = time.perf_counter() - began
    if seen != pages * SIZE:
        raise SystemExit(f"saw {seen} of {pages * SIZE} messages")
    return took


def main() -> None:
    """Print one line for each latency and prefetch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="longer walks, and more of them")
    full = parser.parse_args().full
    rounds, seconds = (5, LONGEST) if full else (3, SHORTEST)
    print(f"latency: pages of {SIZE} messages, max_in_flight=40; medians of {rounds} walks where there is a goal, single walks else")
    print(f"{'ms a page':>9} {'prefetch':>8} {'pages':>6} {'floor s':>8} {'walk s':>8}   walk over floor")
    with page_server(PAGES * SIZE, SIZE) as url:
        asyncio.run(walked(url, PAGES, 8))  # decoders are built when they are first needed
        for latency in LATENCIES:
            for prefetch in AHEAD:
                goal = GOALS.get((latency, prefetch))
                pages = pages_within(seconds if goal is None else LONGEST, latency, prefetch)
                times = [asyncio.run(walked(f"{url}/{latency}", pages, prefetch)) for _ in range(1 if goal is None else rounds)]
                least, middle = floor(latency, pages, prefetch), statistics.median(times)
                ratio = middle / least if least else math.nan
                told = f"{ratio:.3f}" if least else f"{middle / pages * 1e6:.0f} us a page"
                spread = f" ({min(times) / least:.3f}-{max(times) / least:.3f})   {beside(ratio, goal)}" if goal else ""
                print(f"{latency:>9} {prefetch:>8} {pages:>6} {least:>8.2f} {middle:>8.2f}   {told}{spread}", flush=True)


if __name__ == "__main__":
    main()
