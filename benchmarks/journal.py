"""What a journal costs: a send that is written down in a file, beside one that is not.

    python benchmarks/journal.py [--sends 500] [--many 3000] [--callers 64] [--folder .]

First one after the other, in turns: a bare durable commit of one row (SQLite, as the journal makes it), a send with the
journal in memory that every session has, and a send with a ``SqliteJournal``. A journalled send may take one bare commit
and half a millisecond longer. Then many callers at once, with the file. The server is a process of its own that answers
at once; what it took is counted there.
"""

import asyncio
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from common import options

from voicedrop_async import Journal, Limits, MemoryJournal, RouteeSession, SpokenMessage, SqliteJournal, StaticToken, VoiceCampaign

CAMPAIGN: Final = VoiceCampaign("306900000000", to=["+306912345678"], name="Bench", message=SpokenMessage("Hello", language="en-GB"))
MOST_ABOVE_COMMIT: Final = 0.0005
LEAST_A_SECOND: Final = 500


@contextmanager
def send_server(expected: int) -> Iterator[str]:
    """Run the server in another process; yield its URL; at the end hold its count against ours."""
    command = [sys.executable, str(Path(__file__).with_name("send_server.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}"
        taken, _ = process.communicate()
    print(f"the server took {int(taken)} campaigns of {expected} sent")
    if int(taken) != expected:
        raise SystemExit("sends were lost or doubled")


@contextmanager
def bare_file(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection whose every commit is durable."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE rows (ref TEXT PRIMARY KEY, words TEXT)")
        yield connection


def commit(connection: sqlite3.Connection, ref: str) -> None:
    """Commit one row of the length of an intent."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO rows VALUES (?, ?)", (ref, "x" * 300))
    connection.execute("COMMIT")


def session(url: str, journal: Journal, at_once: int) -> RouteeSession:
    """Return a session that sends so many at once."""
    return RouteeSession(StaticToken("t"), base_url=url, journal=journal, limits=Limits(max_in_flight=at_once))


def verdict(*, reached: bool) -> bool:
    """Print whether it was reached, and return that."""
    print("reached" if reached else "MISSED")
    return reached


async def one_by_one(url: str, folder: Path, sends: int) -> bool:
    """Print the medians of commit and sends; return whether the journal costs no more than it may."""
    took: dict[str, list[float]] = {"bare commit": [], "unjournalled": [], "journalled": []}
    with bare_file(folder / "bare.db") as bare:
        async with (
            SqliteJournal(folder / "one.journal") as journal,
            session(url, MemoryJournal(), 1) as plain,
            session(url, journal, 1) as kept,
        ):
            for number in range(-20, sends):  # the first ones warm up
                began = time.perf_counter()
                commit(bare, str(number))
                committed = time.perf_counter()
                await plain.send_campaign(CAMPAIGN)
                sent = time.perf_counter()
                await kept.send_campaign(CAMPAIGN, ref=f"order-{number}")
                ended = time.perf_counter()
                for name, seconds in zip(took, (committed - began, sent - committed, ended - sent), strict=True):
                    took[name] += [seconds] if number >= 0 else []
    commits, unjournalled, journalled = (statistics.median(seconds) for seconds in took.values())
    above, most = journalled - unjournalled, commits + MOST_ABOVE_COMMIT
    print(
        f"medians of {sends} in turns: " + ", ".join(f"{name} {statistics.median(seconds) * 1e3:.3f} ms" for name, seconds in took.items())
    )
    print(f"a journalled send takes {above * 1e3:.3f} ms longer; at most a bare commit and 0.5 ms: {most * 1e3:.3f} ms", end=": ")
    return verdict(reached=above <= most)


async def many(url: str, folder: Path, sends: int, callers: int) -> bool:
    """Print how many sends a second get through a file; return whether that is enough."""
    async with SqliteJournal(folder / "many.journal") as journal, session(url, journal, callers) as kept:
        refs = iter(range(sends))

        async def call() -> None:
            for number in refs:
                await kept.send_campaign(CAMPAIGN, ref=f"order-{number}")

        began = time.perf_counter()
        await asyncio.gather(*(call() for _ in range(callers)))
        rate = sends / (time.perf_counter() - began)
    print(f"journalled, {callers} callers: {rate:,.0f} sends a second; at least {LEAST_A_SECOND}", end=": ")
    return verdict(reached=rate >= LEAST_A_SECOND)


def main() -> None:
    """Run it."""
    parser = options(__doc__, sends=500, many=3000, callers=64)
    parser.add_argument("--folder", help="where the files go; it tells which disk is measured")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name, send_server(2 * (asked.sends + 20) + asked.many) as url:
        asyncio.run(one_by_one(url, Path(name), asked.sends))
        asyncio.run(many(url, Path(name), asked.many, asked.callers))


if __name__ == "__main__":
    main()
