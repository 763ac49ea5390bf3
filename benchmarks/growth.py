"""How the cost of a message grows: with the length of the list, and with the number of walks at once.

    python benchmarks/bench.py --only growth

Long lists are walked with 8 requests ahead. Many walks share a session that has 40 requests in flight at most; together
they see the same number of messages, however many they are. None of this has a goal: what is looked for is a bend.
"""

import argparse
import asyncio
import json
import time

from common import fresh, page_server, peak
from contenders import ours
from figures import MIB, Results, Spread

SIZE = 100
LENGTHS = (10_000, 100_000, 1_000_000)
WALKS = (1, 8, 64, 512)
TOGETHER, SHORT = 102_400, 5_120
"""Messages of all walks together: two pages for each of the most; the second where it is only seen that everything works."""


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print both."""
    lengths, walks, all_of_them, times = (LENGTHS[:1], WALKS[-1:], SHORT, 1) if short else (LENGTHS, WALKS, TOGETHER, rounds)
    cases = [(f"{length:>9,} messages, one walk, 8 ahead", 1, length, 8) for length in lengths]
    cases += [(f"{count:>9} walks at once", count, all_of_them // count, 1) for count in walks]
    print(f"\n{'pages of 100':<38} {'messages/s':>22} {'CPU us a message':>24} {'peak MiB':>9}")
    with page_server(all_of_them, SIZE) as url:
        for name, count, length, at_once in cases:
            runs = [fresh("growth.py", f"{url}/0/{length}", count, at_once) for _ in range(times)]
            rate, cpu, most = (Spread.of(run[key] for run in runs) for key in ("rate", "cpu", "peak"))
            print(f"{name:<38} {rate!s:>22} {cpu!s:>24} {most.middle / MIB:>9.0f}", flush=True)
            results.note(f"growth: {name.strip()}: CPU us", cpu)
            results.note(f"growth: {name.strip()}: peak", most)


async def together(url: str, count: int, at_once: int) -> dict[str, float]:
    """Let so many walks go over the list at once; return what a message took."""
    async with ours.session(url) as routee:

        async def walk() -> int:
            seen = 0
            async for page in ours.stream(routee, SIZE, at_once).pages():
                seen += len(page.items)
            return seen

        async for _page in ours.stream(routee, SIZE, 1).pages():
            break  # decoders are built when they are first needed
        began, cpu = time.perf_counter(), time.process_time()
        seen = sum(await asyncio.gather(*(walk() for _ in range(count))))
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    if seen != int(url.rpartition("/")[2]) * count:
        raise SystemExit(f"saw {seen} messages in {count} walks")
    return {"rate": seen / wall, "cpu": cpu / seen * 1e6, "peak": peak()}


def main() -> None:
    """Walk, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="of the page server, with latency and length of the list as its path")
    parser.add_argument("count", type=int)
    parser.add_argument("at_once", type=int)
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(together(asked.url, asked.count, asked.at_once))))


if __name__ == "__main__":
    main()
