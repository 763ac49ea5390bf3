"""How much memory a walk takes: its peak above the start, in a process of its own, and the bytes an id weighs that is kept.

    python benchmarks/memory.py [--full]

The page server puts the pages of a sliced walk together when they are asked for, so that it can serve a million messages
without holding them. The growth is that of the peak of resident memory, counted from before the first request: decoders,
connections and the pages under way are all in it.
"""

import argparse
import asyncio
import gc
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

from common import beside, page_server

from voicedrop_async import Limits, Page, RouteeSession, StaticToken, VoiceMessage
from voicedrop_async.pages import Fetched, PageStream, Source, Span
from voicedrop_async.routee._tracking import _keys

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SLICE = timedelta(hours=1)
SIZE = 100
PEAK = Path("/proc/self/clear_refs")
MOST_MB, MOST_BYTES = 40, 160
"""The goals: megabytes a sliced walk may take, and bytes an id that is kept."""
IDS = 2**17 * 2 // 3 + 100
"""Ids in a list when its table has just grown, and so is emptiest."""


def status(name: str) -> float:
    """Return a figure of this process, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1000


async def grow(url: str, messages: int, prefetch: int, *, sliced: bool) -> None:
    """Walk the messages one by one, and print by how much that raised the memory of this process."""
    before = status("VmRSS")
    begin, end, step = (BEGIN, BEGIN + timedelta(seconds=messages), SLICE) if sliced else (None, None, None)
    async with RouteeSession(StaticToken("t"), base_url=url, limits=Limits(max_in_flight=40)) as routee:
        stream = routee.track_messages(start=begin, end=end, slices=step, prefetch=prefetch, page_size=SIZE)
        async with stream.walk() as walk:
            seen = 0
            async for _message in walk:
                seen += 1
    if seen != messages or not walk.report.complete:
        raise SystemExit(f"saw {seen} of {messages} messages: {walk.report}")
    grown = status("VmHWM") - before
    how, goal = ("in slices", beside(grown, MOST_MB)) if sliced else ("in one list", "")
    print(f"memory: {messages:>9,} messages {how}, prefetch {prefetch:>2}: peak {grown:5.1f} MB above start   {goal}", flush=True)


async def weigh() -> None:
    """Print the bytes that are kept for each id of one long list, when its table is emptiest."""

    async def fetch(_span: Span | None, number: int, size: int) -> Fetched[VoiceMessage]:
        rows = range(number * size, min(IDS, (number + 1) * size))
        items = tuple(VoiceMessage(f"00000000-0000-4000-8000-{row:012}") for row in rows)
        last = rows.stop >= IDS
        page = Page(items=items, number=number, size=size, total_pages=-(-IDS // size), total_items=IDS, is_last=last)
        return Fetched(page=page, last=last, total_pages=page.total_pages)

    tracemalloc.start()
    most = 0
    async with PageStream(Source(fetch=fetch, keys=_keys, query=""), page_size=SIZE).walk() as walk:
        begun = tracemalloc.get_traced_memory()[0]
        async for page in walk.pages():
            if not page.is_last:
                most = tracemalloc.get_traced_memory()[0]
        seen = walk.report.items
    each = (most - begun) / (seen - len(page.items))
    print(f"memory: {each:.0f} bytes an id kept, with {seen:,} of them   {beside(each, MOST_BYTES)}")


def main() -> None:
    """Measure each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="a million messages instead of a hundred thousand")
    parser.add_argument("--grow", nargs=4, metavar=("URL", "MESSAGES", "PREFETCH", "SLICED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.grow:
        url, messages, prefetch, sliced = options.grow
        gc.collect()
        PEAK.write_text("5")  # it counts from here on
        asyncio.run(grow(url, int(messages), int(prefetch), sliced=sliced == "sliced"))
        return
    asyncio.run(weigh())
    if not PEAK.exists():
        print("memory: peaks not measured, this system has no /proc of Linux")
        return
    sliced = 1_000_000 if options.full else 100_000
    with page_server(100_000, SIZE) as url:
        for messages, prefetch, how in ((100_000, 0, "whole"), (sliced, 0, "sliced"), (sliced, 8, "sliced"), (sliced, 32, "sliced")):
            subprocess.run([sys.executable, __file__, "--grow", url, str(messages), str(prefetch), how], check=True)


if __name__ == "__main__":
    main()
