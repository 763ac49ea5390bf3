"""What a fan-out costs: many campaigns looked up at a server that takes 20 ms, and very many at one that takes none.

    python benchmarks/bench.py --only fanout

Each campaign is one page of ten messages, summarized. The ideal time is that of the server alone: its latency for each
campaign, divided by how many are asked for at once. Then a fresh process goes through the many ids, and tells how much its
memory grew after the first thousand. None of this has a goal.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path

from common import fresh, page_server, resident
from figures import MIB, Results, Spread

from voicedrop_async import Limits, RouteeSession, StaticToken

AT_ONCE = (1, 8, 32)
MESSAGES = 10
LATENCY = 20
"""Milliseconds."""


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print the time over the ideal, and the growth of memory."""
    campaigns, ids, windows = (64, 1_500, AT_ONCE[-1:]) if short else (600, 100_000, AT_ONCE)
    print(f"\nfan-out: {campaigns} campaigns of {MESSAGES} messages, the server takes {LATENCY} ms: wall over ideal")
    with page_server(MESSAGES, MESSAGES) as url:
        for at_once in windows:
            ideal = -(-campaigns // at_once) * LATENCY / 1e3
            took = [fresh("fanout.py", f"{url}/{LATENCY}/{MESSAGES}", campaigns, at_once) for _ in range(min(rounds, 3))]
            over = Spread.of(one["wall"] / ideal for one in took)
            print(f"{at_once:>7} at once, ideal {ideal:>5.2f} s   {over}", flush=True)
            results.note(f"fan-out: {at_once} at once: wall over ideal", over)
        if not Path("/proc/self/statm").exists():
            print("memory: not measured, this system has no /proc")
            return
        grown = Spread.of([fresh("fanout.py", f"{url}/0/{MESSAGES}", ids, 8)["grown"] / MIB])
    print(f"memory: {ids:,} ids raised it by {grown} MiB at most, after the first 1,000", flush=True)
    results.note("fan-out: growth of memory, MiB", grown)


async def summarize(url: str, campaigns: int, at_once: int) -> dict[str, float]:
    """Summarize so many; return what it took, and by how much the memory of this process grew after a thousand of them."""
    seen = before = most = 0
    async with RouteeSession(StaticToken("t"), base_url=url, limits=Limits(max_in_flight=at_once + 1)) as routee:
        await routee.track_campaign("warm-up").collect()
        began = time.perf_counter()
        async for outcome in routee.summarize_campaigns((f"campaign-{place}" for place in range(campaigns)), concurrency=at_once):
            if outcome.value.messages != MESSAGES:
                raise SystemExit(f"saw {outcome.value.messages} of {MESSAGES} messages")
            seen += 1
            if seen == 1000:
                before = most = resident()
            elif seen > 1000 and seen % 500 == 0:
                most = max(most, resident())
        wall = time.perf_counter() - began
    if seen != campaigns:
        raise SystemExit(f"{seen} of {campaigns} campaigns came to a summary")
    return {"wall": wall, "grown": most - before}


def main() -> None:
    """Summarize, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="of the page server, with latency and length of the list as its path")
    parser.add_argument("campaigns", type=int)
    parser.add_argument("at_once", type=int)
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(summarize(asked.url, asked.campaigns, asked.at_once))))


if __name__ == "__main__":
    main()
