"""A year of 50,000,000 messages, past what one process should do: is it cut cheaply, is its time foretold, is nothing lost?

    python benchmarks/scale.py [--messages 50000000] [--rate 50] [--kills 20]

The server is a process of its own, and its year is arithmetic. Of the plan, one shard in a thousand is walked at a rate, and the time it
takes is held against the one that the plan foretells. Then ``voicedrop track --workers 2`` does a morning of it, while its workers are
killed with ``kill -9`` at random moments. Ends with 1 if a promise is broken.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from common import fresh, page_server, peak, seen
from year_server import BEGIN, END

from voicedrop_async import Limits, Parts, RouteeSession, ShardState, StaticToken, merge, plan, run_shard

MIB: Final = 2**20


def session(url: str, rate: float | None = None) -> RouteeSession:
    """Return a session on the server."""
    return RouteeSession(StaticToken("token"), base_url=url, limits=Limits(rate=rate))


async def planned(url: str, days: int, folder: str) -> dict[str, Any]:
    """Make a plan of the last days, and say what it took."""
    before, began = seen(url)["requests"], time.perf_counter()
    async with session(url) as routee:
        shards = await plan(routee, END - timedelta(days=days), END)
    seconds, requests = time.perf_counter() - began, seen(url)["requests"] - before
    await Parts(folder).keep_plan(shards)
    return {"shards": len(shards), "requests": requests, "seconds": seconds, "peak": peak()}


async def walked(url: str, folder: str, rate: float) -> dict[str, Any]:
    """Walk one shard in a thousand, and say how long it took, and how long it was to take."""
    parts = Parts(folder)
    shards = await parts.plan() or ()
    sample = random.Random(7).sample(shards, max(1, len(shards) // 1_000))
    began = time.perf_counter()
    async with session(url, rate) as routee:
        results = [await run_shard(routee, shard, parts, prefetch=6) for shard in sample]
    seconds = time.perf_counter() - began
    merged = await merge(sample, results)
    requests = sum(shard.requests for shard in shards)
    foretold = (sum(shard.requests for shard in sample) - 1) / rate  # the first starts at once
    told = {"seconds": seconds, "foretold": foretold, "requests": requests, "peak": peak()}
    return told | {"items": merged.items, "done": all(result.state is ShardState.DONE for result in results)}


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def killed(url: str, kills: int) -> dict[str, Any]:
    """Let two workers do three hours, and kill one at a time; say what was asked for, and what is there."""
    start, end = (BEGIN + timedelta(days=100, hours=hours) for hours in (9, 12))
    urls, names = dict.fromkeys(("ROUTEE_BASE_URL", "ROUTEE_AUTH_URL"), url), ("ROUTEE_APPLICATION_ID", "ROUTEE_APPLICATION_SECRET")
    environment = os.environ | urls | dict.fromkeys(names, "of nobody") | {"ROUTEE_RATE": "20"}
    dice, done, before = random.Random(7), 0, seen(url)["requests"]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "morning.jsonl"
        options = ("--start", start.isoformat(), "--end", end.isoformat(), "--slices", "5m", "--workers", "2", "--out", str(out))
        command = [sys.executable, "-m", "voicedrop_async", "track", *options]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as child:
            while child.poll() is None and done < kills:
                time.sleep(dice.random() * 1.5)
                workers = _children(child.pid)
                with suppress(ProcessLookupError):  # it has just ended
                    if workers:
                        os.kill(dice.choice(workers), signal.SIGKILL)
                        done += 1
        asked = seen(url)["requests"] - before
        ids = [json.loads(line)["message_id"] for line in out.read_bytes().splitlines()] if out.exists() else []
    return {"kills": done, "code": child.returncode, "requests": asked, "items": len(ids), "distinct": len(set(ids))} | asyncio.run(
        _wanted(url, start, end)
    )


async def _wanted(url: str, start: datetime, end: datetime) -> dict[str, int]:
    """Return what the kills must not change: the messages, and the requests of an undisturbed run."""
    async with session(url) as routee:
        count = await routee.track_messages(start=start, end=end).count()
        before = seen(url)["requests"]
        shards = await plan(routee, start, end, by=timedelta(minutes=5))
    return {"counted": count, "wanted": int(seen(url)["requests"] - before) + sum(shard.requests for shard in shards)}


def report(url: str, messages: int, rate: float, kills: int) -> list[str]:
    """Measure and print everything; return the promises that are broken."""
    with tempfile.TemporaryDirectory() as folder:
        month = fresh("scale.py", "--plan", url, 30, f"{folder}/month")
        year = fresh("scale.py", "--plan", url, 365, f"{folder}/year")
        walk = fresh("scale.py", "--walk", url, rate, f"{folder}/year")
    morning = killed(url, kills)
    per_shard, off = year["requests"] / year["shards"], walk["seconds"] / walk["foretold"] - 1
    hours = ", ".join(f"{walk['requests'] / per / 3600:.1f} h at {per}" for per in (10, 50, 200))
    print(f"plan of a year of {messages:,} messages: {year['requests']:,.0f} requests for {year['shards']:,} shards", end="")
    print(f", {per_shard:.2f} for each (below 2)\n  {year['seconds']:.1f} s; peak of memory {year['peak'] / MIB:.0f} MiB", end="")
    print(f", of a month's plan {month['peak'] / MIB:.0f} MiB")
    print(f"one shard in a thousand at {rate:g} requests a second: {walk['seconds']:.1f} s; foretold {walk['foretold']:.1f} s", end="")
    print(f", {off:+.1%} (within 10 %)\n  {walk['items']:,} messages; peak of memory {walk['peak'] / MIB:.0f} MiB")
    print(f"  so the year takes, in {walk['requests']:,} requests: {hours} a second, however many workers there are")
    print(f"kill -9 of a worker at {morning['kills']} random moments: {morning['distinct']:,} messages of {morning['counted']:,}", end=", ")
    print(f"{morning['items'] - morning['distinct']} twice; {morning['requests']:,.0f} requests, without kills {morning['wanted']:,}")
    promises = {
        "fewer than two requests a shard": per_shard < 2,
        "memory flat": year["peak"] < month["peak"] + 20 * MIB,
        "a time foretold within 10 %": abs(off) < 0.1,
        "every shard of the sample done": walk["done"],
        f"{kills} kills, and each message once": morning["kills"] == kills
        and not morning["code"]
        and morning["items"] == morning["distinct"] == morning["counted"],
    }
    return [promise for promise, kept in promises.items() if not kept]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=50_000_000)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--plan", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--walk", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.plan:
        print(json.dumps(asyncio.run(planned(asked.plan[0], int(asked.plan[1]), asked.plan[2]))))
    elif asked.walk:
        print(json.dumps(asyncio.run(walked(asked.walk[0], asked.walk[2], float(asked.walk[1])))))
    else:
        with page_server(asked.messages, script="year_server.py") as url:
            broken = report(url, asked.messages, asked.rate, asked.kills)
        if broken:
            raise SystemExit("broken: " + "; ".join(broken))


if __name__ == "__main__":
    main()
