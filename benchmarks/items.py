"""What an item costs that a stream hands out, beside one of a bare asynchronous generator over the same pages.

    python benchmarks/bench.py --only items

The pages are held in memory and nothing is sent: what is left is the walk itself. The goal is held by what ``async for``
adds to a walk over the same pages; beside it stands the whole, with the memory of each id that a page costs either way.
A bare generator yields whatever comes; one that hands out each item once has to remember their ids, and so there is a
second one that does that, and no more. All go over the same items in turn. What is counted is processor time, and the
ratio is taken round by round, since the machine's speed drifts.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterable, AsyncIterator

import messages as data
from figures import Results, Spread

from voicedrop_async import Page, VoiceMessage
from voicedrop_async.pages import Fetched, PageStream, Source, Span
from voicedrop_async.routee._tracking import _keys

SIZES = (100, 1000)
ITEMS = 100_000


def made(size: int) -> list[Fetched[VoiceMessage]]:
    """Return the pages of a list."""
    messages = [VoiceMessage(data.message_id(number)) for number in range(ITEMS)]
    count = ITEMS // size
    return [
        Fetched(
            page=Page(
                items=tuple(messages[number * size : (number + 1) * size]),
                number=number,
                size=size,
                total_pages=count,
                total_items=ITEMS,
                is_last=number + 1 == count,
            ),
            last=number + 1 == count,
            total_pages=count,
        )
        for number in range(count)
    ]


async def took(items: AsyncIterable[VoiceMessage]) -> float:
    """Return the seconds of processor time that going over the items takes."""
    began, seen = time.process_time(), 0
    async for _item in items:
        seen += 1
    if seen != ITEMS:
        raise SystemExit(f"saw {seen} of {ITEMS} items")
    return time.process_time() - began


async def took_pages(pages: AsyncIterable[Page[VoiceMessage]]) -> float:
    """Return the seconds of processor time that going over the pages takes."""
    began, seen = time.process_time(), 0
    async for page in pages:
        seen += len(page.items)
    if seen != ITEMS:
        raise SystemExit(f"saw {seen} of {ITEMS} items")
    return time.process_time() - began


async def compare(size: int, rounds: int) -> Spread:
    """Print both costs, and return their ratio."""
    pages = made(size)

    async def fetch(_span: Span | None, number: int, _size: int) -> Fetched[VoiceMessage]:
        return pages[number]

    async def bare() -> AsyncIterator[VoiceMessage]:
        for number in range(len(pages)):
            for item in (await fetch(None, number, size)).page.items:
                yield item

    async def once() -> AsyncIterator[VoiceMessage]:
        seen: set[str] = set()
        for number in range(len(pages)):
            for item in (await fetch(None, number, size)).page.items:
                if item.message_id not in seen:
                    seen.add(item.message_id)
                    yield item

    stream = PageStream(Source(fetch=fetch, keys=_keys, query=""), page_size=size)
    rounds_of = [(await took(stream), await took_pages(stream.pages()), await took(bare()), await took(once())) for _ in range(rounds)]
    whole, paged, plain, careful = (statistics.median(side) / ITEMS * 1e9 for side in zip(*rounds_of, strict=True))
    ratio = Spread.of((stream - pages) / bare for stream, pages, bare, _ in rounds_of)
    fair = Spread.of(stream / once for stream, _, _, once in rounds_of)
    entire = Spread.of(stream / bare for stream, _, bare, _ in rounds_of)
    print(
        f"items: pages of {size:>4}: handed out for {whole - paged:.0f} ns an item, by a bare generator {plain:.0f}, ratio {ratio}; "
        f"with its page {whole:.0f}, ratio {entire}; by one that remembers ids {careful:.0f}, ratio {fair}",
        flush=True,
    )
    return ratio


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print the costs for both page sizes."""
    print()
    ratios = {size: asyncio.run(compare(size, 1 if short else max(rounds, 15))) for size in SIZES}
    for size, ratio in ratios.items():
        results.note(f"items: pages of {size}: handed out over a bare generator", ratio)
    results.put("items", max(ratios.values(), key=lambda ratio: ratio.middle))
