"""``voicedrop track --workers``: the shards of a plan, done by several processes on this machine."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import aclosing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
from attrs import define, field, fields

from voicedrop_async import ConfigError, Merged, Parts, Shard, ShardResult, ShardState, merge, plan
from voicedrop_async._files import check_target
from voicedrop_async.cli._options import Account, Output, Portion, Search
from voicedrop_async.cli._place import begun, range_kept
from voicedrop_async.cli._process import done, say
from voicedrop_async.cli._progress import Progress
from voicedrop_async.cli._words import Range, span
from voicedrop_async.cli._worker import Orders
from voicedrop_async.export import format_of
from voicedrop_async.fanout import each

_PARTS: Final = ".parts"
"""What stands behind the name of the file: the folder of its plan and its parts."""
_PLANNED: Final = {"start", "end", "campaign", "slices", "page_size"}
"""What a plan knows of a search. All else is refused: left out in silence, more would come than was asked for. No plan holds a filter,
which may be a phone number."""
_LIVES: Final = 20
"""Workers that may die of one shard, as for lack of memory."""
_STARTS: Final = 3
"""Workers one after another that may die before they are ready."""
_REFUSED: Final = 2
"""The exit code of a worker that cannot begin, and another one could not either."""


async def by_workers(workers: int, search: Search, portion: Portion, output: Output, account: Account) -> int:
    """Write a list into a file; return 1 if a part of it is not there, and 4 if it is there and not complete.

    Until then, the plan and its parts are in the folder ``OUT.parts``, and the same command goes on with them.

    Raises:
        ConfigError: Something is missing, or cannot be done by workers; or the folder holds the parts of another list.
    """
    out = output.out
    narrowed = [option for option in fields(Search) if option.name not in _PLANNED and getattr(search, option.name) != option.default]
    for name, given in (
        *((option.name, True) for option in narrowed),
        ("max-items", portion.max_items is not None),
        ("format", output.format),
        ("resume", output.resume),
    ):
        if given:
            raise ConfigError(f"--{name.replace('_', '-')}: not together with --workers")
    if out is None or workers < 1:
        raise ConfigError("--workers: a number from 1 up, and a file that --out names")
    await asyncio.to_thread(check_target, out)
    whole = begun(out, Range.read(search.start, search.end), part=_PARTS)
    parts = Parts(out.with_name(f"{out.name}{_PARTS}"), format_of(out))
    with range_kept(out, whole, part=_PARTS), _says_how_to_go_on(parts.folder):
        shards = await _planned(search, whole, parts, account)
        orders = Orders(
            profile=account.profile,
            rate=account.rate,
            max_in_flight=account.max_in_flight,
            workers=workers,
            prefetch=portion.prefetch,
            folder=str(parts.folder),
            format=parts.format,
        )
        results = await _done(shards, orders)
        missing = [result for result in results if result.part is None]
        if missing:
            say(f"{len(missing)} of {len(shards)} shards are not there; the first of them: {missing[0].error}")
            return 1
        merged = await merge(shards, results, out)
        await done()
        await asyncio.to_thread(shutil.rmtree, parts.folder)
    return _judged(merged)


@contextmanager
def _says_how_to_go_on(folder: Path) -> Generator[None]:
    try:
        yield
    finally:
        if folder.exists():
            say(f"{folder} keeps what was written: the same command goes on from there")


async def _planned(search: Search, range: Range, parts: Parts, account: Account) -> tuple[Shard, ...]:
    by = (timedelta(days=1) if search.slices is None else span("--slices", search.slices)) if search.campaign is None else [search.campaign]
    kept = await parts.plan()
    async with account.routee() as routee:  # also where nothing is to be asked: what is missing is told before any worker
        if kept is None:
            kept = await plan(routee, range.start, range.end, by=by, page_size=search.page_size)
            await parts.keep_plan(kept)
    first, last = kept[0], kept[-1]
    if (first.start, last.end, first.campaign_id, first.page_size) != (range.start, range.end, search.campaign, search.page_size):
        raise ConfigError(f"--out: {parts.folder} is of another list: give the same options to go on; to begin anew, remove it")
    return kept


async def _done(shards: tuple[Shard, ...], orders: Orders) -> list[ShardResult]:
    items, total = 0, sum(shard.counted or 0 for shard in shards)
    results: list[ShardResult] = []
    with Progress("messages", before=0, most=None, to_stdout=False) as progress:
        crew = _Crew(orders, progress.say)
        try:
            async with aclosing(each("shards", shards, crew.do, concurrency=orders.workers)) as outcomes:
                async for outcome in outcomes:
                    results.append(outcome.value)
                    items += outcome.value.items
                    progress.count(items, max(items, total))
        finally:
            await crew.dismiss()
    return results


@define
class _Crew:
    """The workers: each does one shard at a time, and one that died is followed by another."""

    orders: Orders
    say: Callable[[str], None]
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
            self.say(f"a worker died ({await worker.wait()}); another one goes on with its shard")
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
        ended = 0
        for _ in range(_STARTS):
            worker = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "voicedrop_async.cli._worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                process_group=0,
            )
            self.all.append(worker)
            if await _asked(worker, msgspec.json.encode(self.orders).decode()):
                return worker
            ended = await worker.wait()
            if ended == _REFUSED:
                break
        raise ConfigError(f"--workers: a worker cannot start (exit code {ended}); look at what it said above")


async def _asked(worker: asyncio.subprocess.Process, line: str) -> bytes:
    """Hand a worker a line, and return its answer; nothing, nor half of one, from a worker that is dead."""
    if worker.stdin is None or worker.stdout is None:
        return b""
    with suppress(ConnectionError):
        worker.stdin.write(f"{line}\n".encode())
        await worker.stdin.drain()
    answer = await worker.stdout.readline()
    return answer if answer.endswith(b"\n") else b""


def _judged(merged: Merged) -> int:
    if merged.unreadable:
        say(f"rows or fields that cannot be read, at least: {merged.unreadable:,}; what was written is good")
    if merged.complete:
        return 0
    facts = f"messages written: {merged.items:,}; counted by the service: {merged.counted:,}"
    say(f"the list is not complete ({facts}; shards with something against them: {len(merged.partial)}); what was written is good")
    return 4
