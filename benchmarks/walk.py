"""What a walk costs: every contender against the same server, in turns, each walk in a process of its own.

    python benchmarks/bench.py --only walk

With no latency the list has 100,000 messages. With latency a walk is as long as its requests take half a second or so,
since the time of a sequential one is then that of the latency alone. Ratios are taken round by round, as the machine's
speed drifts; "best peer" is the quickest of openai, azure, twilio and dlt in that round. The figures are those of walks
item by item, as most are written; walks by ``pages()`` stand beside them in the tables.
"""

import argparse
import asyncio
import gc
import importlib
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from common import fresh, page_server, peak, seen
from figures import MIB, SIZES, Results, Spread

MESSAGES, SHORT = 100_000, 10_000
"""In the list; the second where it is only seen that everything works."""
IN_SHORT = ("ours by item", "ours by item, 8 ahead", "dictionaries, 8 at once", "by hand with cattrs", "floor")
"""Whoever walks where it is only seen that everything works; every way of ours is walked for ``beyond`` as well."""
PEERS = ("openai", "openai over aiohttp", "azure", "twilio", "dlt")


@dataclass(frozen=True)
class Contender:
    """Who walks: a function of a module in ``contenders``, and how many requests it keeps in flight."""

    module: str
    function: str = "walk"
    at_once: int = 1

    def load(self) -> Callable[[str, int, int], Coroutine[Any, Any, int]]:
        """Import it."""
        walk: Callable[[str, int, int], Coroutine[Any, Any, int]]
        walk = getattr(importlib.import_module(f"contenders.{self.module}"), self.function)
        return walk


OURS: Mapping[str, Contender] = {
    "ours": Contender("ours", "pages"),
    "ours, 8 ahead": Contender("ours", "pages", 8),
    "ours, 32 ahead": Contender("ours", "pages", 32),
    "ours by item": Contender("ours", "items"),
    "ours by item, 8 ahead": Contender("ours", "items", 8),
    "ours by item, 32 ahead": Contender("ours", "items", 32),
}
CONTENDERS: Mapping[str, Contender] = {
    **OURS,
    "dictionaries": Contender("by_hand", "dictionaries"),
    "dictionaries, 8 at once": Contender("by_hand", "dictionaries", 8),
    "by hand with cattrs": Contender("by_hand_cattrs"),
    "httpx and pydantic": Contender("httpx_pydantic"),
    "openai": Contender("openai_page"),
    "openai over aiohttp": Contender("openai_page", "over_aiohttp"),
    "azure": Contender("azure_paged"),
    "twilio": Contender("twilio_stream"),
    "dlt": Contender("dlt_pages"),
    "floor": Contender("by_hand", "floor"),
    "floor, 8 at once": Contender("by_hand", "floor", 8),
}

Walks = Mapping[str, list[dict[str, float]]]
"""What each contender took, round by round."""


def walked(name: str, url: str, size: int, messages: int, *options: str) -> dict[str, float]:
    """Let a contender walk in a process of its own; return messages, wall, cpu, peak, requests and the server's share."""
    return fresh("walk.py", name, url, size, messages, *options)


def in_turns(names: Sequence[str], rounds: int, walk: Callable[[str], dict[str, float]]) -> Walks:
    """Let all walk, in another order each round."""
    took: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for turn in range(rounds):
        first = turn * 5 % len(names)
        for name in (*names[first:], *names[:first]):
            took[name].append(walk(name))
    return took


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print a table for each latency and page size."""
    sizes, most = ((100,), SHORT) if short else (SIZES, MESSAGES)
    with page_server(most, *sizes) as url:
        for latency in (0,) if short else (0, 20):
            for size in sizes:
                names = IN_SHORT if short else tuple(CONTENDERS)

                def walk(name: str, latency: int = latency, size: int = size) -> dict[str, float]:
                    return walked(name, f"{url}/{latency}", size, length(latency, size, CONTENDERS[name].at_once, most))

                took = in_turns(names, rounds, walk)
                table(results, took, latency, size)
                if not latency:
                    judge(results, took, size)
        spare(results, url, sizes)


def length(latency: int, size: int, at_once: int, most: int) -> int:
    """Return how many messages are walked."""
    return min(most, 500 // latency * at_once * size) if latency else most


def table(results: Results, took: Walks, latency: int, size: int) -> None:
    """Print what each took, and its time a message over ours in the same round."""
    print(f"\npages of {size}, {latency} ms" if latency else f"\npages of {size}, no latency")
    print(f"{'':<24} {'messages/s':>11} {'CPU us':>7} {'peak MiB':>9} {'server':>7}   over ours by item: sequential, 8 ahead")
    for name, runs in took.items():
        middle = {key: Spread.of(run[key] for run in runs).middle for key in ("rate", "cpu", "peak", "server")}
        ratios = [Spread.over(each_of(runs), each_of(took[ours])) for ours in ("ours by item", "ours by item, 8 ahead")]
        print(
            f"{name:<24} {middle['rate']:>11,.0f} {middle['cpu']:>7.2f} {middle['peak'] / MIB:>9.0f} {middle['server']:>7.0%}"
            f"   {ratios[0]!s:<23} {ratios[1]!s}",
            flush=True,
        )
        for key in ("rate", "cpu", "peak"):
            results.note(f"walk {latency} ms, {size}: {name}: {key}", Spread.of(run[key] for run in runs))


def each_of(runs: Sequence[Mapping[str, float]]) -> list[float]:
    """Return the microseconds that a message took, round by round."""
    return [1e6 / run["rate"] for run in runs]


def judge(results: Results, took: Walks, size: int) -> None:
    """Put the figures that have a goal."""
    times = {name: each_of(runs) for name, runs in took.items()}
    ahead, sequential = times["ours by item, 8 ahead"], times["ours by item"]
    results.put(f"W1 {size}", Spread.over(ahead, times["dictionaries, 8 at once"]))
    if "openai" not in times:
        return
    best = [min(round_) for round_ in zip(*(times[peer] for peer in PEERS), strict=True)]
    openai = [min(round_) for round_ in zip(times["openai"], times["openai over aiohttp"], strict=True)]
    results.put(f"W2 {size}", Spread.over(openai, ahead))
    results.put(f"W3 {size}", Spread.over(best, ahead))
    results.put(f"W3 sequential {size}", Spread.over(best, sequential))
    if size > SIZES[0]:
        results.put(f"W4 {size}", Spread.over(times["by hand with cattrs"], ahead))


def spare(results: Results, url: str, sizes: Sequence[int]) -> None:
    """Put what the server counted beyond the pages of lists that our walks saw whole."""
    results.put("X1", Spread.of(fresh("walk.py", "ours", f"{url}/0", size, 0, "--spare")["beyond"] for size in sizes))


async def beyond(url: str, size: int) -> dict[str, float]:
    """Walk lists of some lengths in every way of ours; return the most requests that one took beyond its pages, or below."""
    most = 0.0
    for contender in OURS.values():
        walk = contender.load()
        for messages in (1, size, size + 1, 3 * size, 40 * size):
            before = seen(url)["requests"]
            found = await walk(f"{url}/{messages}", size, contender.at_once)
            if found != messages:
                raise SystemExit(f"saw {found} of {messages} messages")
            most = max(most, abs(seen(url)["requests"] - before - -(-messages // size)))
    return {"beyond": most}


async def walk_once(name: str, url: str, size: int, messages: int, *, heartbeat: bool, freeze: bool) -> dict[str, float]:
    """Walk a short list to warm up, then the one that is measured."""
    contender = CONTENDERS[name]
    walk = contender.load()
    await walk(f"{url}/{3 * size}", size, contender.at_once)
    if freeze:
        gc.freeze()
    async with beating() if heartbeat else still() as late:
        before, began, cpu = seen(url), time.perf_counter(), time.process_time()
        found = await walk(f"{url}/{messages}", size, contender.at_once)
        cpu, wall, after = time.process_time() - cpu, time.perf_counter() - began, seen(url)
    if found != messages:
        raise SystemExit(f"{name} saw {found} of {messages} messages")
    return {
        "rate": found / wall,
        "wall": wall,
        "cpu": cpu / found * 1e6,
        "peak": peak(),
        "requests": after["requests"] - before["requests"],
        "server": (after["cpu"] - before["cpu"]) / wall,
        "stall": max(late, default=0) * 1e3,
    }


@asynccontextmanager
async def beating() -> AsyncIterator[list[float]]:
    """Let a heart beat once in a millisecond; yield the seconds by which each beat was late."""
    late: list[float] = []

    async def beat() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append(time.perf_counter() - before - 0.001)

    heart = asyncio.create_task(beat())
    try:
        yield late
    finally:
        heart.cancel()


@asynccontextmanager
async def still() -> AsyncIterator[list[float]]:
    """Do nothing beside the walk."""
    yield []


def main() -> None:
    """Walk once, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("url", help="of the page server, with the latency as its path")
    parser.add_argument("size", type=int)
    parser.add_argument("messages", type=int, help="of the list")
    parser.add_argument("--heartbeat", action="store_true", help="tell how late the loop was at most")
    parser.add_argument("--freeze", action="store_true", help="let the collector pass by what was there before, as a server can")
    parser.add_argument("--spare", action="store_true", help="walk short lists in every way of ours, and count requests")
    asked = parser.parse_args()
    if asked.spare:
        print(json.dumps(asyncio.run(beyond(asked.url, asked.size))))
        return
    took = walk_once(asked.name, asked.url, asked.size, asked.messages, heartbeat=asked.heartbeat, freeze=asked.freeze)
    print(json.dumps(asyncio.run(took)))


if __name__ == "__main__":
    main()
