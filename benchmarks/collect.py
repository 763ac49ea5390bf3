"""What it costs to keep every message: time and memory of a list of ours, over one of dictionaries.

    python benchmarks/bench.py --only collect

Pages of 1,000, 8 at once on both sides. What is retained is counted by tracemalloc in walks of their own, which it slows.
"""

import argparse
import asyncio
import gc
import json
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence

from common import fresh, page_server, peak
from contenders import by_hand, ours
from figures import MIB, Results, Spread
from walk import in_turns

MESSAGES, SIZE = 100_000, 1000
KEEPERS: dict[str, Callable[[str, int, int], Awaitable[Sequence[object]]]] = {"ours": ours.collect, "dictionaries": by_hand.collect}


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print both figures."""
    messages = 3_000 if short else MESSAGES
    with page_server(messages, SIZE) as url:
        weighed = in_turns(list(KEEPERS), 1, lambda name: fresh("collect.py", name, url, "--weigh"))
        took = weighed if short else in_turns(list(KEEPERS), rounds, lambda name: fresh("collect.py", name, url))
    kept = {name: one["bytes"] for name, [one] in weighed.items()}
    print(f"\n{messages} messages kept in a list, pages of {SIZE}, 8 at once")
    for name, runs in took.items():
        wall, cpu, most = (Spread.of(run[key] for run in runs) for key in ("wall", "cpu", "peak"))
        print(f"{name:<14} {kept[name]:>6.0f} bytes a message   wall {wall} s   CPU {cpu} s   peak {most.middle / MIB:.0f} MiB", flush=True)
        results.note(f"collect: {name}: bytes a message", Spread.of([kept[name]]))
        results.note(f"collect: {name}: wall", wall)
    results.put("M2", Spread.of([kept["ours"] / kept["dictionaries"]]))
    results.put("M3", Spread.over(*([run["wall"] for run in took[name]] for name in ("ours", "dictionaries"))))


async def collect(name: str, url: str, *, weigh: bool) -> dict[str, float]:
    """Collect a short list to warm up, then the whole one; return what it took, or what it weighs."""
    keep = KEEPERS[name]
    await keep(f"{url}/0/{3 * SIZE}", SIZE, 8)
    gc.collect()
    if weigh:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    began, cpu = time.perf_counter(), time.process_time()
    kept = await keep(url, SIZE, 8)
    told = {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu, "peak": peak()}
    gc.collect()
    return told | {"bytes": (tracemalloc.get_traced_memory()[0] - before) / len(kept)}


def main() -> None:
    """Collect once, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=KEEPERS)
    parser.add_argument("url")
    parser.add_argument("--weigh", action="store_true")
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(collect(asked.name, asked.url, weigh=asked.weigh))))


if __name__ == "__main__":
    main()
