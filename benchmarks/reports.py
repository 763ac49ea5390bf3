"""What it costs to draw a report: from a stream, from a file of JSON lines, and from a Parquet file.

    python benchmarks/bench.py --only report

Each run in a process of its own: 200,000 messages and five times as many, so that what grows with their number shows. A stream comes
from the page server in pages of 1,000, 8 ahead, and so does the bare walk beside it, which keeps an id for each message: of a stream,
what is above the walk's own memory counts. The seconds hold everything, the drawing of page and picture included.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from common import fresh, page_server, peak, run_here
from contenders import ours
from exports import AT_ONCE, RENDERED, SIZE
from figures import MIB, Results, Spread

from voicedrop_async import PageStream, VoiceMessage, export_to, report_to

FILES = ("jsonl", "parquet")
SOURCES = ("stream", *FILES)


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print seconds, peaks and the length of the page, of a list and of one five times as long."""
    few = 1_000 if short else 200_000
    counts, sources = ((few,), SOURCES[:1]) if short else ((few, 5 * few), ("walk", *SOURCES))
    took: dict[tuple[str, int], list[dict[str, float]]] = {}
    print("\na page and a picture of so many messages")
    with page_server(min(few, RENDERED), SIZE) as url, TemporaryDirectory() as folder:
        for source in sources:
            for count in counts:
                runs = [fresh("reports.py", source, f"{url}/0/{count}", count, folder) for _ in range(min(rounds, 3))]
                took[source, count] = runs
                seconds, most, page = (Spread.of(run[what] for run in runs) for what in ("seconds", "peak", "page"))
                print(f"{source:<8} {count:>9,}  {seconds} s, peak {most.middle:.0f} MiB, page {page.middle:.2f} MiB", flush=True)
                results.note(f"report {source} {count}, s", seconds)
    results.put("E3 page", Spread.of(run["page"] for run in took["stream", counts[-1]]))
    if not short:
        for source in SOURCES:
            results.put(f"E3 {source}", Spread.over(*(_peaks(took, source, count) for count in (5 * few, few))))


def _peaks(took: dict[tuple[str, int], list[dict[str, float]]], source: str, count: int) -> list[float]:
    """Return what counts of the peaks: all of it, and of a stream what is above the walk's."""
    walks = [run["peak"] if source == "stream" else 0.0 for run in took["walk", count]]
    return [run["peak"] - walk for run, walk in zip(took[source, count], walks, strict=True)]


async def report(source: str, url: str, messages: int, folder: Path) -> dict[str, float]:
    """Draw once; return what it took."""
    file = folder / f"messages-{messages}.{source}"
    async with ours.session(url) as routee:
        stream: PageStream[VoiceMessage] = ours.stream(routee, SIZE, AT_ONCE)
        if source in FILES and not file.exists():
            await export_to(stream, file)
            return fresh("reports.py", source, url, messages, folder)  # the peak of an export is not to be in it
        began = time.perf_counter()
        if source == "walk":
            found, page = sum([len(page.items) async for page in stream.pages()]), 0
        else:
            done = await report_to(stream if source == "stream" else file, folder / "report.html", png=folder / "report.png")
            found, page = done.messages, (folder / "report.html").stat().st_size
        seconds = time.perf_counter() - began
    if found != messages:
        raise SystemExit(f"{source}: {found} of {messages} messages")
    return {"seconds": seconds, "peak": peak() / MIB, "page": page / MIB}


if __name__ == "__main__":
    run_here(report, ("walk", *SOURCES))
