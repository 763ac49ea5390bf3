"""What it costs to draw a report: from a stream, from a file of JSON lines, and from a Parquet file.

    python benchmarks/bench.py --only report

Each run in a process of its own: 200,000 messages and five times as many, so that what grows with their number shows. A stream comes
from the page server in pages of 1,000, 8 ahead; the seconds hold everything, the drawing of page and picture included.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from common import fresh, page_server, peak
from contenders import ours
from figures import MIB, Results, Spread

from voicedrop_async import PageStream, VoiceMessage, export_to, report_to

SIZE, AT_ONCE = 1000, 8
RENDERED = 100_000
"""Messages of the page server; a longer list is put together from these."""
SOURCES = ("stream", "jsonl", "parquet")


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print seconds, peaks and the length of the page, of a list and of one five times as long."""
    few = 4_000 if short else 200_000
    with page_server(min(few, RENDERED), SIZE) as url, TemporaryDirectory() as folder:
        print(f"\na page and a picture of {few:,} and of {5 * few:,} messages")
        for source in SOURCES:
            took = {}
            for count in (few, 5 * few):
                took[count] = runs = [fresh("reports.py", source, f"{url}/0/{count}", count, folder) for _ in range(min(rounds, 3))]
                seconds, most, page = (Spread.of(run[what] for run in runs) for what in ("seconds", "peak", "page"))
                print(
                    f"{source:<8} {count:>9,}  {seconds} s, peak {most.middle / MIB:.0f} MiB, page {page.middle / MIB:.2f} MiB", flush=True
                )
                results.note(f"report {source} {count}, s", seconds)
            results.put(f"E3 {source}", Spread.over(*([run["peak"] for run in took[count]] for count in (5 * few, few))))
            results.put("E3 page", Spread.of(run["page"] / MIB for runs in took.values() for run in runs))


async def report(source: str, url: str, messages: int, folder: Path) -> dict[str, float]:
    """Draw once; return what it took."""
    file = folder / f"messages-{messages}.{source}"
    async with ours.session(url) as routee:
        stream: PageStream[VoiceMessage] = ours.stream(routee, SIZE, AT_ONCE)
        if source != "stream" and not file.exists():
            await export_to(stream, file)
            return fresh("reports.py", source, url, messages, folder)  # the peak of an export is not to be in it
        began = time.perf_counter()
        done = await report_to(stream if source == "stream" else file, folder / "report.html", png=folder / "report.png")
        seconds = time.perf_counter() - began
    if done.messages != messages:
        raise SystemExit(f"{source}: {done.messages} of {messages} messages")
    return {"seconds": seconds, "peak": peak(), "page": (folder / "report.html").stat().st_size}


def main() -> None:
    """Run once, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", choices=SOURCES)
    parser.add_argument("url", help="of the page server, with the length of the list as its path")
    parser.add_argument("messages", type=int)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(report(asked.source, asked.url, asked.messages, asked.folder))))


if __name__ == "__main__":
    main()
