"""Many lookups, many callers, many faults: is any of them lost, is the limit held, is anything left behind?

    python benchmarks/soak_lookups.py [--lookups 100000] [--callers 500] [--faults 0.1] [--seed 7] [--attempts 4]

The server is a process of its own. One request in ten meets a fault: a 503, a body cut short, a connection closed without
an answer, HTML instead of JSON, an answer that takes its time, a token that ends for everybody; now and then all that
arrives is turned away with a 429 for a second. Half-way there is a storm: for one lookup in twenty, asked beside the others,
the service is down. Its count is the judge, id by id: what arrived, what it answered, when, and which connections are open
at the end. Ends with 1 if a promise is broken, as it is with ``--attempts 1``: few calls may fail.

Of the limit: we start fewer requests than it allows, so a throttle that lets five in a hundred too many through passes here;
the tests of the throttle hold it to each one.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import aiohttp
from common import options, peak

from voicedrop_async import ClientCredentials, Event, Kind, Limits, NotFound, RequestError, Retry, RouteeSession, Throttle

LIMIT: Final = 1000
"""Requests a second that the service allows."""
RATE: Final = 950
"""Those that we start: one that has to wait for a new connection, or for a busy loop, arrives a little later than it starts, and
so nearer to those behind it."""
MOST_HITS: Final = 1.3
"""Requests for each call."""
MOST_FAILED: Final = 0.001
"""Share of the calls: four faults in a row meet one in ten thousand."""
MOST_UNREAD: Final = 0.004
"""Share of the calls that may end with an answer that is no JSON, which is final from the second attempt on: one in 500 does."""
CHANCE: Final = 5
"""As many more may: of few calls the share scatters."""
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
    failures: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Kinds of errors, by stretch."""
    exhausted: Counter[str] = field(default_factory=Counter)
    """Calls that were not repeated because the budget was used up, by stretch."""
    wrong: int = 0
    """Messages that are not the one that was asked for."""
    peaks: dict[str, float | None] = field(default_factory=dict)
    """Of memory, in megabytes, by stretch; None where nobody knows."""
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
            told.failures[stretch][type(error).__name__] += 1
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


def stretches(lookups: int) -> dict[str, range]:
    """Return the numbers of each stretch: a tenth to get warm, then two halves with the storm between them."""
    edges = [0, lookups // 10, lookups * 55 // 100, lookups * 3 // 4, lookups]
    return {name: range(*ends) for name, ends in zip(("warm", "first", "after the storm", "last"), pairwise(edges), strict=True)}


async def soak(url: str, told: Told, callers: int, attempts: int) -> None:
    """Ask for every number once, stretch by stretch."""
    auth, throttle = ClientCredentials("soak", "soak-secret"), Throttle(Limits(max_in_flight=100, rate=RATE))
    retry = Retry(attempts=attempts)
    async with RouteeSession(auth, base_url=url, auth_url=url, throttle=throttle, retry=retry, on_event=told.note) as routee:
        began = time.perf_counter()
        for stretch, numbers in stretches(told.lookups).items():
            if stretch == "after the storm":
                stormy = iter(range(told.lookups // 20))
                await asyncio.gather(*(storm(routee, stormy, told) for _ in range(callers)))
            is_forgotten, calm = forget_peak(), iter(numbers)
            await asyncio.gather(*(look(routee, calm, told, stretch) for _ in range(callers)))
            told.peaks[stretch] = peak() / 1e6 if is_forgotten else None
            took, rate = time.perf_counter() - began, throttle.snapshot().rate
            print(f"  {numbers.stop:>7,} lookups after {took:5.1f} s; the rate is {rate:.0f}", flush=True)
        told.seconds = time.perf_counter() - began
    told.tasks = len(asyncio.all_tasks()) - 1


def forget_peak() -> bool:
    """Let the peak of memory count from here; return whether it does."""
    try:
        PEAK.write_text("5")
    except OSError:  # another system, or one on which nothing there can be written
        return False
    return True


def files() -> int | None:
    """Return how many files and sockets are open in this process; None where nobody knows."""
    return len(list(FILES.iterdir())) if FILES.exists() else None


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


def too_many_failed(told: Told) -> Iterator[str]:
    """Whether more calls failed than the faults explain, but for those after the storm, which has used up the budget."""
    judged = {name: numbers for name, numbers in stretches(told.lookups).items() if name != "after the storm"}
    calls, failures = sum(map(len, judged.values())), sum((told.failures[name] for name in judged), Counter[str]())
    unread = failures["WireError"]
    if unread > MOST_UNREAD * calls + CHANCE:
        yield f"{unread} of {calls:,} calls ended with an answer that is no JSON"
    if failures.total() - unread > MOST_FAILED * calls:
        yield f"{failures.total() - unread} of {calls:,} calls failed"


def has_grown(told: Told) -> bool | None:
    """Whether the last stretch took more memory than the first half; None where nobody knows."""
    first, last = told.peaks["first"], told.peaks["last"]
    return None if first is None or last is None else last > first + MOST_MB


def broken(told: Told, server: dict[str, Any], left: dict[str, int | None]) -> Iterator[str]:
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
    if has_grown(told):
        yield f"memory grew from {told.peaks['first']:.1f} to {told.peaks['last']:.1f} MB"
    yield from too_many_failed(told)
    yield from (f"{count} {what} left" for what, count in left.items() if count)


def unknown(told: Told, left: dict[str, int | None]) -> Iterator[str]:
    """What was promised and could not be looked at on this machine."""
    if has_grown(told) is None:
        yield "whether memory grew: /proc/self/clear_refs cannot be written here"
    yield from (f"whether {what} are left" for what, count in left.items() if count is None)


def report(told: Told, server: dict[str, Any], left: dict[str, int | None]) -> bool:
    """Print the sums, and return whether every promise was kept."""
    whole, absent = (Counter(dict(server[name])) for name in ("whole", "absent"))
    answers = Counter(told.answers)
    met, failures = server["met"], {stretch: dict(kinds) for stretch, kinds in told.failures.items() if kinds}
    print(f"callers: {answers[GOT]:,} got + {answers[MISSING]:,} missing + {answers[FAILED]:,} failed; failures: {failures}")
    print(f"server: {len(whole):,} served + {len(absent):,} not there + {told.lookups - len(whole) - len(absent):,} never answered")
    print(f"faults met: {dict(sorted(met.items()))}, {sum(met.values()) / server['lookups']:.1%} of {server['lookups']:,} requests")
    print(f"requests for each call: {server['lookups'] / told.lookups:.3f}; in the storm: {server['storm'] / told.storm:.3f}")
    print(f"the busiest second had {server['busiest second']} requests, the limit is {LIMIT}")
    print(f"attempts of ours: {told.attempts:,}; {server['most connections']} connections at most")
    print(f"tokens: {server['tokens']} asked for, {server['endings']} ended; budget used up, in calls: {dict(told.exhausted)}")
    print(f"peaks of memory in MB: {told.peaks}; left: {left}")
    faults = Counter(disagreements(told, whole, absent))
    promises = [f"{fault}, {count} times" for fault, count in faults.items()] + list(broken(told, server, left))
    promises += [f"no request met {name}" for name in sorted(FAULTS - set(met))]
    print("".join(f"NOT CHECKED: {promise}\n" for promise in unknown(told, left)), end="")
    print("\n".join(f"BROKEN: {promise}" for promise in promises) or "every promise was kept")
    return not promises


def run(lookups: int, callers: int, faults: float, seed: int, attempts: int) -> bool:
    """Start the server, ask it, have its count, and hold the two against each other."""
    told = Told(lookups)
    print(f"{lookups:,} lookups, {callers} callers, {faults:.0%} faults, seed {seed}, {attempts} attempts", flush=True)
    command = [sys.executable, str(SERVER), str(faults), str(seed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port, before = process.stdout.readline().strip(), files()
        asyncio.run(soak(f"http://127.0.0.1:{port}", told, callers, attempts))
        after = files()
        opened = None if before is None or after is None else after - before
        left = {"tasks": told.tasks, "files": opened, "sessions": open_sessions()}
        process.stdin.close()
        server: dict[str, Any] = json.loads(process.stdout.read())
    print(f"{(lookups + told.storm) / told.seconds:.0f} lookups a second, {told.seconds:.1f} s")
    return report(told, server, left | {"connections": server["open"]})


def main() -> None:
    """Run it."""
    asked = options(__doc__, lookups=100_000, callers=500, faults=0.1, seed=7, attempts=4).parse_args()
    sys.exit(not run(asked.lookups, asked.callers, asked.faults, asked.seed, asked.attempts))


if __name__ == "__main__":
    main()
