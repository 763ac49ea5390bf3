"""How much memory a walk takes: its peak in a process of its own, and the bytes an id weighs that is kept.

    python benchmarks/bench.py --only memory

Each list is walked at a tenth of its length and whole, 32 requests ahead: in slices, or in one piece with
``on_drift="ignore"``, where no ids are kept. The growth above the start is counted from before the first request, so
decoders, connections and the pages under way are all in it; the bytes of the pages ahead are taken off it.
"""

import argparse
import asyncio
import gc
import json
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import messages as data
from common import fresh, page_server, peak, resident
from contenders import ours
from figures import MIB, Results, Spread

from voicedrop_async import Page, VoiceMessage
from voicedrop_async.pages import Fetched, PageStream, Source, Span
from voicedrop_async.routee._tracking import _keys

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SLICE = timedelta(hours=1)
AHEAD = 32
CASES = (("slices", 100), ("slices", 1000), ("ignore", 1000))
"""How a list is walked, and messages a page."""
PEAK = Path("/proc/self/clear_refs")
IDS = 2**17 * 2 // 3 + 100
"""Ids in a list when its table has just grown, and so is emptiest."""

Runs = Sequence[dict[str, float]]


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print both figures of growth, and what an id weighs."""
    each = asyncio.run(weigh())
    print(f"\nmemory: {each:.0f} bytes an id kept, with {IDS:,} of them, the most that their table makes it")
    results.put("M1 id", Spread.of([each]))
    if not PEAK.exists():
        print("memory: peaks not measured, this system has no /proc of Linux")
        return
    few, many = (1_000, 10_000) if short else (100_000, 1_000_000)
    growths, aboves = [], []
    with page_server(few) as url:
        for how, size in CASES[:1] if short else CASES:
            turns = [[fresh("memory.py", url, how, size, count) for count in (few, many)] for _ in range(rounds)]
            small, large = zip(*turns, strict=True)
            growth, above = told(how, size, many, small, large)
            results.note(f"memory: {how}, pages of {size}: growth", growth)
            results.note(f"memory: {how}, pages of {size}: above start and pages ahead, MiB", above)
            growths.append(growth)
            aboves.append(above)
    results.put("M1 growth", max(growths, key=lambda growth: growth.middle))
    results.put("M1 above", max(aboves, key=lambda above: above.middle))


def told(how: str, size: int, many: int, small: Runs, large: Runs) -> tuple[Spread, Spread]:
    """Print one case; return the growth of its peak, and what is above the start and the pages ahead."""
    ahead = AHEAD * len(data.page(data.encoded(size), size, 0, size))
    growth = Spread.over((run["peak"] for run in large), (run["peak"] for run in small))
    above = Spread.of((run["peak"] - run["start"] - ahead) / MIB for run in large)
    most = Spread.of(run["peak"] / MIB for run in large)
    print(
        f"memory: {how}, pages of {size:>4}: peak {most.middle:.0f} MiB at {many:,} messages, over a tenth of them {growth}; "
        f"above start and pages ahead {above} MiB",
        flush=True,
    )
    return growth, above


async def grow(url: str, how: str, size: int, messages: int) -> dict[str, float]:
    """Walk so many messages; return the bytes in memory at the start, and at the peak."""
    start = resident()
    async with ours.session(url if how == "slices" else f"{url}/0/{messages}") as routee:
        if how == "slices":
            end = BEGIN + timedelta(seconds=messages)
            stream = routee.track_messages(start=BEGIN, end=end, slices=SLICE, prefetch=AHEAD, page_size=size)
        else:
            stream = routee.track_messages(prefetch=AHEAD, page_size=size, on_drift="ignore")
        async with stream.walk() as walk:
            seen = 0
            async for _message in walk:
                seen += 1
    if seen != messages or not walk.report.complete:
        raise SystemExit(f"saw {seen} of {messages} messages: {walk.report}")
    return {"start": start, "peak": peak()}


async def weigh() -> float:
    """Return the bytes that are kept for each id of one long list, when its table is emptiest."""

    async def fetch(_span: Span | None, number: int, size: int) -> Fetched[VoiceMessage]:
        rows = range(number * size, min(IDS, (number + 1) * size))
        items = tuple(VoiceMessage(data.message_id(row)) for row in rows)
        last = rows.stop >= IDS
        page = Page(items=items, number=number, size=size, total_pages=-(-IDS // size), total_items=IDS, is_last=last)
        return Fetched(page=page, last=last, total_pages=page.total_pages)

    tracemalloc.start()
    most = seen = 0
    async with PageStream(Source(fetch=fetch, keys=_keys, query=""), page_size=100).walk() as walk:
        begun = tracemalloc.get_traced_memory()[0]
        async for page in walk.pages():
            if not page.is_last:
                most, seen = tracemalloc.get_traced_memory()[0], walk.report.items
    tracemalloc.stop()
    return (most - begun) / seen


def main() -> None:
    """Walk once, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("how", choices=("slices", "ignore"))
    parser.add_argument("size", type=int)
    parser.add_argument("messages", type=int)
    asked = parser.parse_args()
    gc.collect()
    PEAK.write_text("5")  # it counts from here on
    print(json.dumps(asyncio.run(grow(asked.url, asked.how, asked.size, asked.messages))))


if __name__ == "__main__":
    main()
