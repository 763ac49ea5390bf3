"""What it costs to write a list into a file: an export of each format beside the bare typed walk, in turns.

    python benchmarks/bench.py --only exports

Pages of 1,000, 8 ahead, each run in a process of its own. The walk looks at each message and keeps none. A ratio is messages a
second of an export over those of the walk in the same round; memory is the peak above that of a walk as long, at the whole list
beside a fifth of it. Reading the file back is not in it; putting the parts of a Parquet file together is.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from common import fresh, page_server, peak, run_here
from contenders import ours
from figures import MIB, Results, Spread
from walk import in_turns

from voicedrop_async import export_to

SIZE, AT_ONCE = 1000, 8
FORMATS = ("jsonl", "csv", "parquet")
RENDERED = 100_000
"""Messages of the page server; a longer list is put together from these."""


def measure(results: Results, rounds: int, *, short: bool) -> None:
    """Print the ratios, and the memory."""
    messages = 5_000 if short else 1_000_000
    with page_server(min(messages, RENDERED), SIZE) as url, TemporaryDirectory() as folder:

        def run(name: str, count: int = messages) -> dict[str, float]:
            return fresh("exports.py", name, f"{url}/0/{count}", count, folder)

        took = in_turns(["walk", *FORMATS], rounds, run)
        small = None if short else {name: run(name, messages // 5)["peak"] for name in took}
    print(f"\n{messages:,} messages into a file, pages of {SIZE}, {AT_ONCE} ahead")
    rates = {name: [one["rate"] for one in runs] for name, runs in took.items()}
    for name, runs in took.items():
        cpu, whole = (Spread.of(one[what] for one in runs) for what in ("cpu", "peak"))
        print(f"{name:<8} {Spread.of(rates[name])} messages a second, CPU us each {cpu}, peak {whole.middle / MIB:.0f} MiB", flush=True)
    for name in FORMATS:
        results.put(f"E1 {name}", Spread.over(rates[name], rates["walk"]))
        if small is not None:
            least, turns = small[name] - small["walk"], zip(took[name], took["walk"], strict=True)
            results.put(f"E2 {name}", Spread.of((one["peak"] - walk["peak"] - least) / MIB for one, walk in turns))


async def export(name: str, url: str, messages: int, folder: Path) -> dict[str, float]:
    """Walk or export once; return what it took."""
    async with ours.session(url) as routee:
        stream = ours.stream(routee, SIZE, AT_ONCE)
        await stream.first()
        began, cpu = time.perf_counter(), time.process_time()
        if name == "walk":
            found = 0
            async for page in stream.pages():
                for _message in page.items:
                    found += 1
        else:
            found = (await export_to(stream, folder / f"messages.{name}")).items
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    if found != messages:
        raise SystemExit(f"{name}: {found} of {messages} messages")
    return {"rate": found / wall, "cpu": cpu / found * 1e6, "peak": peak()}


if __name__ == "__main__":
    run_here(export, ("walk", *FORMATS))
