"""Many lookups, many callers, many faults: is any of them lost, is the limit held, is anything left behind?

    python benchmarks/soak_lookups.py [--lookups 100000] [--callers 500] [--faults 0.1] [--seed 7]

The server is a process of its own. One request in ten meets a fault: a 503, a body cut short, a connection closed without
an answer, HTML instead of JSON, an answer that takes its time, a token that ends for everybody; now and then all that
arrives is turned away with a 429 for a second. Half-way there is a storm: for one lookup in twenty, asked beside the others,
the service is down. Its count is the judge, id by id: what arrived, what it answered, when, and which connections are open
at the end. Ends with 1 if a promise is broken.
"""

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import aiohttp

from voicedrop_async import ClientCredentials, Event, Kind, Limits, NotFound, RequestError, RouteeSession, Throttle

LIMIT: Final = 1000
"""Requests a second that the service allows."""
RATE: Final = 950
"""Those that we start: one that has to wait for a new connection, or for a busy loop, arrives a little later than it starts, and
so nearer to those behind it."""
MOST_HITS: Final = 1.3
"""Requests for each call."""
MOST_MB: Final = 2.0
"""By which the peak of memory may differ between the halves."""
FAULTS: Final = {"503", "cut", "closed", "html", "slow", "401", "429"}
GOT, MISSING, FAILED = 1, 2, 3
SERVER: Final = Path(__file__).with_name("lookup_server.py")
PEAK: Final = Path("/proc/self/clear_refs")
FILES: Final = Path("/proc/self/fd")


@dataclass
class Told:
    """What the callers were told."""

    lookups: int
    answers: bytearray = field(init=False)
    """``GOT``, ``MISSING`` or ``FAILED`` for each number; 0 if nobody was told anything."""
    failures: Counter[str] = field(default_factory=Counter)
    exhausted: Counter[str] = field(default_factory=Counter)
    """Calls that were not repeated because the budget was used up, by stretch."""
    wrong: int = 0
    """Messages that are not the one that was asked for."""
    peaks: dict[str, float] = field(default_factory=dict)
    """Of memory, in megabytes, by stretch."""
    seconds: float = 0.0
    storm: int = 0
    """Calls of the storm."""
    attempts: int = 0
    """Requests by our own count, but those for a token."""
    tasks: int = 0
    """Tasks left when the session is closed."""

    def __post_init__(self) -> None:
        self.answers = bytearray(self.lookups)

    def note(self, event: Event) -> None:
        """Count an attempt."""
        self.attempts += event.kind is Kind.READ and event.name != "pausing"


async def look(routee: RouteeSession, numbers: Iterator[int], told: Told, stretch: str) -> None:
    """One caller: takes the next number, until there is none."""
    for number in numbers:
        try:
            message = await routee.track_message(f"message-{number}")
        except NotFound:
            told.answers[number] = MISSING
        except RequestError as error:
            told.answers[number] = FAILED
            told.failures[type(error).__name__] += 1
            told.exhausted[stretch] += error.budget_exhausted
        else:
            told.answers[number] = GOT
            told.wrong += (message.message_id, message.campaign) != (f"message-{number}", f"campaign {number}")


async def storm(routee: RouteeSession, numbers: Iterator[int], told: Told) -> None:
    """One caller in the storm."""
    for number in numbers:
        try:
            await routee.track_message(f"storm-{number}")
        except RequestError:
            told.storm += 1


async def soak(url: str, told: Told, callers: int) -> None:
    """Ask for every number once: a tenth to get warm, then two halves with the storm between them."""
    auth, lookups = ClientCredentials("soak", "soak-secret"), told.lookups
    throttle = Throttle(Limits(max_in_flight=100, rate=RATE))
    async with RouteeSession(auth, base_url=url, auth_url=url, throttle=throttle, on_event=told.note) as routee:
        began, edges = time.perf_counter(), [0, lookups // 10, lookups * 55 // 100, lookups * 3 // 4, lookups]
        for stretch, (first, end) in zip(("warm", "first", "after the storm", "last"), pairwise(edges), strict=True):
            if stretch == "after the storm":
                numbers = iter(range(lookups // 20))
                await asyncio.gather(*(storm(routee, numbers, told) for _ in range(callers)))
            forget_peak()
            numbers = iter(range(first, end))
            await asyncio.gather(*(look(routee, numbers, told, stretch) for _ in range(callers)))
            told.peaks[stretch] = peak()
            print(f"  {end:>7,} lookups after {time.perf_counter() - began:5.1f} s; the rate is {throttle.snapshot().rate:.0f}", flush=True)
        told.seconds = time.perf_counter() - began
    told.tasks = len(asyncio.all_tasks()) - 1


def forget_peak() -> None:
    """Let the peak of memory count from here."""
    if PEAK.exists():
        PEAK.write_text("5")


def peak() -> float:
    """Return the most memory that was resident since, in megabytes; 0 where nobody knows."""
    if not PEAK.exists():
        return 0.0
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1000


def files() -> int:
    """Return how many files and sockets are open in this process; 0 where nobody knows."""
    return len(list(FILES.iterdir())) if FILES.exists() else 0


def open_sessions() -> int:
    """Return how many sessions of aiohttp, and connectors, nobody closed."""
    gc.collect()
    kinds = (aiohttp.ClientSession, aiohttp.TCPConnector)
    return sum(type(thing) in kinds and not thing.closed for thing in gc.get_objects())


def disagreements(told: Told, whole: Counter[int], absent: Counter[int]) -> Iterator[str]:
    """What was promised of one number and not kept: what its caller was told is not what the server knows."""
    for number, answer in enumerate(told.answers):
        if answer == 0:
            yield "nobody was told what became of a lookup"
        if (answer == GOT) != bool(whole[number]):
            yield "a message was got and not served, or served and not got"
        if (answer == MISSING) != bool(absent[number]):
            yield "a message was reported missing and is there, or the other way round"
        if whole[number] + absent[number] > 1:
            yield "a whole answer was asked for again"


def broken(told: Told, server: dict[str, Any], left: dict[str, int]) -> Iterator[str]:
    """What was promised of all of them and not kept."""
    if told.wrong:
        yield f"{told.wrong} messages were not those that were asked for"
    if server["busiest second"] > LIMIT + 1:
        yield f"{server['busiest second']} requests in one second, the limit is {LIMIT}"
    if server["lookups"] > MOST_HITS * told.lookups or server["storm"] > MOST_HITS * told.storm:
        yield f"more than {MOST_HITS} requests for each call"
    if server["lookups"] + server["storm"] != told.attempts:
        yield f"{server['lookups'] + server['storm']} requests arrived, and {told.attempts} attempts were made"
    if server["tokens"] > server["endings"] + 1:
        yield f"{server['tokens']} tokens were asked for, and {server['endings']} ended"
    if told.exhausted["warm"] or told.exhausted["first"] or told.exhausted["last"]:
        yield f"the retry budget was used up by the mix, or never came back: {dict(told.exhausted)}"
    if told.peaks["last"] > told.peaks["first"] + MOST_MB:
        yield f"memory grew from {told.peaks['first']:.1f} to {told.peaks['last']:.1f} MB"
    yield from (f"{count} {what} left" for what, count in left.items() if count)


def report(told: Told, server: dict[str, Any], left: dict[str, int]) -> bool:
    """Print the sums, and return whether every promise was kept."""
    whole, absent = (Counter(dict(server[name])) for name in ("whole", "absent"))
    answers = Counter(told.answers)
    met = server["met"]
    print(f"callers: {answers[GOT]:,} got + {answers[MISSING]:,} missing + {answers[FAILED]:,} failed; failures: {dict(told.failures)}")
    print(f"server: {len(whole):,} served + {len(absent):,} not there + {told.lookups - len(whole) - len(absent):,} never answered")
    print(f"faults met: {dict(sorted(met.items()))}, {sum(met.values()) / server['lookups']:.1%} of {server['lookups']:,} requests")
    print(f"requests for each call: {server['lookups'] / told.lookups:.3f}; in the storm: {server['storm'] / told.storm:.3f}")
    print(f"the busiest second had {server['busiest second']} requests, the limit is {LIMIT}")
    print(f"attempts of ours: {told.attempts:,}; {server['most connections']} connections at most")
    print(f"tokens: {server['tokens']} asked for, {server['endings']} ended; budget used up, in calls: {dict(told.exhausted)}")
    print(f"peak of memory: {told.peaks['first']:.1f} MB in the first half, {told.peaks['last']:.1f} MB at the end; left: {left}")
    faults = Counter(disagreements(told, whole, absent))
    promises = [f"{fault}, {count} times" for fault, count in faults.items()] + list(broken(told, server, left))
    promises += [f"no request met {name}" for name in sorted(FAULTS - set(met))]
    print("\n".join(f"BROKEN: {promise}" for promise in promises) or "every promise was kept")
    return not promises


def run(lookups: int, callers: int, faults: float, seed: int) -> bool:
    """Start the server, ask it, have its count, and hold the two against each other."""
    told = Told(lookups)
    print(f"{lookups:,} lookups, {callers} callers, {faults:.0%} faults, seed {seed}", flush=True)
    command = [sys.executable, str(SERVER), str(faults), str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port, before = process.stdout.readline().strip(), files()
        asyncio.run(soak(f"http://127.0.0.1:{port}", told, callers))
        left = {"tasks": told.tasks, "files": files() - before, "sessions": open_sessions()}
        process.stdin.close()
        server: dict[str, Any] = json.loads(process.stdout.read())
    print(f"{(lookups + told.storm) / told.seconds:.0f} lookups a second, {told.seconds:.1f} s")
    return report(told, server, left | {"connections": server["open"]})


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lookups", type=int, default=100_000)
    parser.add_argument("--callers", type=int, default=500)
    parser.add_argument("--faults", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    sys.exit(not run(asked.lookups, asked.callers, asked.faults, asked.seed))


if __name__ == "__main__":
    main()
