"""``voicedrop track --workers``: the shards of a plan, done by several processes on this machine."""

import asyncio
import shutil
import sys
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

import msgspec
from attrs import define, field, frozen

from voicedrop_async import ConfigError, Merged, Parts, Shard, ShardResult, ShardState, merge, plan
from voicedrop_async.cli._progress import Progress
from voicedrop_async.cli._say import say
from voicedrop_async.cli._settings import Settings
from voicedrop_async.cli._worker import Orders
from voicedrop_async.export import format_of
from voicedrop_async.fanout import each

_LIVES: Final = 20
"""Workers that may die of one shard, as for lack of memory."""


@frozen(kw_only=True)
class Whole:
    """The list that is to be done."""

    start: datetime | None
    end: datetime | None
    campaign: str | None
    page_size: int

    @classmethod
    def of(cls, shards: tuple[Shard, ...]) -> Self:
        """Return the list that a plan is of."""
        return cls(
            start=min((shard.start for shard in shards if shard.start is not None), default=None),
            end=max((shard.end for shard in shards if shard.end is not None), default=None),
            campaign=shards[0].campaign_id,
            page_size=shards[0].page_size,
        )


async def by_workers(whole: Whole, step: timedelta | None, out: Path | None, *, workers: int, prefetch: int, profile: str | None) -> int:
    """Write a list into ``out``; return 1 if a part of it is not there, and 4 if it is there and not complete.

    Until then, the plan and its parts are in the folder ``OUT.parts``, and the same command goes on with them.

    Raises:
        ConfigError: Something is missing, or the folder holds the parts of another list.
    """
    if out is None or workers < 1:
        raise ConfigError("--workers: a number from 1 up, and a file that --out names")
    parts = Parts(out.with_name(f"{out.name}.parts"), format_of(out))
    shards = await _planned(whole, step, parts, profile)
    orders = Orders(profile=profile, workers=workers, prefetch=prefetch, folder=str(parts.folder), format=parts.format)
    ended = False
    try:
        results = await _done(shards, orders, most=workers)
        missing = [result for result in results if result.part is None]
        if missing:
            say(f"{len(missing)} of {len(shards)} shards are not there; the first of them: {missing[0].error}")
            return 1
        merged = await merge(shards, results, out)
        ended = True
    finally:
        if not ended:
            say(f"{parts.folder} keeps what was written: the same command goes on from there")
    await asyncio.to_thread(shutil.rmtree, parts.folder)
    return _judged(merged)


async def _planned(whole: Whole, step: timedelta | None, parts: Parts, profile: str | None) -> tuple[Shard, ...]:
    kept = await parts.plan()
    async with Settings.load(profile).routee() as routee:  # also where nothing is to be asked: what is missing is told before any worker
        if kept is None:
            by = (step or timedelta(days=1)) if whole.campaign is None else [whole.campaign]
            kept = await plan(routee, whole.start, whole.end, by=by, page_size=whole.page_size)
            await parts.keep_plan(kept)
    if Whole.of(kept) != whole:
        raise ConfigError(f"--out: {parts.folder} is of another list: give the same options to go on; to begin anew, remove it")
    return kept


async def _done(shards: tuple[Shard, ...], orders: Orders, *, most: int) -> list[ShardResult]:
    results: list[ShardResult] = []
    total = sum(shard.counted or 0 for shard in shards)
    crew = _Crew(orders)
    try:
        with Progress("messages", before=0, most=None, to_stdout=False) as progress:
            async with aclosing(each("shards", shards, crew.do, concurrency=most)) as outcomes:
                async for outcome in outcomes:
                    results.append(outcome.value)
                    progress.reached(sum(result.items for result in results), total)
    finally:
        await crew.dismiss()
    return results


@define
class _Crew:
    """The workers: each does one shard at a time, and one that died is followed by another."""

    orders: Orders
    idle: list[asyncio.subprocess.Process] = field(factory=list)
    all: list[asyncio.subprocess.Process] = field(factory=list)

    async def do(self, shard: Shard) -> ShardResult:
        """Let a worker do a shard, and another one what a dead one has left of it."""
        for _ in range(_LIVES):
            worker = self.idle.pop() if self.idle else await self._begun()
            answer = await _asked(worker, shard.to_json())
            if answer:
                self.idle.append(worker)
                return ShardResult.from_json(answer)
            say(f"a worker died ({await worker.wait()}); another one goes on with its shard")
        return ShardResult(shard=shard, state=ShardState.FAILED, error=f"{_LIVES} workers died of it")

    async def dismiss(self) -> None:
        """Let them end; what they are at keeps its place."""
        for worker in self.all:
            if worker.stdin is not None:
                worker.stdin.close()
        for worker in self.all:
            await worker.wait()

    async def _begun(self) -> asyncio.subprocess.Process:
        # In a group of its own, so that Ctrl-C reaches only us, and we tell it to end.
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "voicedrop_async.cli._worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            process_group=0,
        )
        self.all.append(worker)
        await _asked(worker, msgspec.json.encode(self.orders).decode(), waits=False)
        return worker


async def _asked(worker: asyncio.subprocess.Process, line: str, *, waits: bool = True) -> bytes:
    """Hand a worker a line, and return its answer; nothing, nor half of one, from a worker that is dead."""
    if worker.stdin is None or worker.stdout is None:
        return b""
    with suppress(ConnectionError):
        worker.stdin.write(f"{line}\n".encode())
        await worker.stdin.drain()
    answer = await worker.stdout.readline() if waits else b""
    return answer if answer.endswith(b"\n") else b""


def _judged(merged: Merged) -> int:
    if merged.complete:
        return 0
    facts = f"messages written: {merged.items:,}; counted by the service: {merged.counted:,}"
    say(f"the list is not complete ({facts}; shards with something against them: {len(merged.partial)}); what was written is good")
    return 4
