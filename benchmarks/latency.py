"""What a walk takes when every answer takes its time, over the least that is possible; and how late it makes the loop.

    python benchmarks/bench.py --only latency

The floor is ``latency * (1 + ceil((pages - 1) / max(1, ahead)))``: the first page says how many there are, the others are
asked for so many at a time. The lateness of the loop is that of a heart that beats once in a millisecond.
"""

import math
from functools import partial

from common import page_server
from figures import Results, Spread
from walk import MESSAGES, SHORT, in_turns, walked

LATENCIES = {"L1 100 ms": (100, 100), "L1 20 ms": (100, 20), "L2": (1000, 100)}
"""Page size and milliseconds an answer, by figure."""
AHEAD = {"ours by item": 1, "ours by item, 8 ahead": 8, "ours by item, 32 ahead": 32}
STALLS = {
    "ours, 32 ahead": ("ours by item, 32 ahead",),
    "ours, after gc.freeze()": ("ours by item, 32 ahead", "--freeze"),
    "dictionaries, 8 at once": ("dictionaries, 8 at once",),
}


def floor(latency: int, pages: int, ahead: int) -> float:
    """Return the least number of seconds."""
    return latency / 1000 * (1 + math.ceil((pages - 1) / ahead))


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print the figures that have a goal, then other windows on shorter lists."""
    print(f"\n{'size':>5} {'ms':>4} {'pages':>6} {'':<16} {'floor s':>8}   wall over floor: median (min-max)")
    messages = SHORT if short else MESSAGES
    with page_server(messages, 100, 1000) as url:
        for name, (size, latency) in list(LATENCIES.items())[-1 if short else 0 :]:
            results.put(name, over_floor(url, "ours by item, 32 ahead", size, latency, messages // size, rounds))
        if short:
            return
        for latency in (20, 100):
            for name, ahead in AHEAD.items():
                measured = over_floor(url, name, 100, latency, min(MESSAGES // 100, 1 + 1000 // latency * ahead), 3)
                results.note(f"latency {latency} ms, pages of 100: {name}: wall over floor", measured)


def over_floor(url: str, name: str, size: int, latency: int, pages: int, rounds: int) -> Spread:
    """Walk so many pages, and print the time it takes over the floor."""
    took = [walked(name, f"{url}/{latency}", size, pages * size)["wall"] for _ in range(rounds)]
    least = floor(latency, pages, AHEAD[name])
    measured = Spread.of(seconds / least for seconds in took)
    print(f"{size:>5} {latency:>4} {pages:>6} {name:<16} {least:>8.2f}   {measured}", flush=True)
    return measured


def late(url: str, messages: int, name: str) -> dict[str, float]:
    """Walk while a heart beats."""
    contender, *options = STALLS[name]
    return walked(contender, url, 1000, messages, "--heartbeat", *options)


def stalls(results: Results, rounds: int, *, short: bool) -> None:
    """Print how late the loop was at most in a walk of pages of 1,000."""
    print("\nworst lateness of the loop in ms, pages of 1,000: median (min-max)")
    messages = SHORT if short else MESSAGES
    with page_server(messages, 1000) as url:
        for latency in (0,) if short else (0, 20):
            took = in_turns(list(STALLS), rounds, partial(late, f"{url}/{latency}", messages))
            for name, runs in took.items():
                measured = Spread.of(run["stall"] for run in runs)
                print(f"{latency:>3} ms   {name:<24} {measured}", flush=True)
                results.note(f"stall at {latency} ms: {name}", measured)
            results.put(f"S1 {latency} ms", Spread.of(run["stall"] for run in took["ours, 32 ahead"]))
