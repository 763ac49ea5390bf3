"""kill -9 at random moments of a send: after the restart the server has each chunk at most once, and the journal names each open one."""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import pytest
from attrs import define

from voicedrop_async import SendState, SqliteJournal
from voicedrop_async.sandbox import Sandbox

ROUNDS = 50
TESTS = Path(__file__).parents[1]


@define
class Zygote:
    """Does jobs in processes of their own; see ``victims``."""

    process: asyncio.subprocess.Process
    sandbox: Sandbox

    async def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return line

    async def run(self, *, journal: Path, ref: str, to: list[str], chunk: int | None, after: float | None = None) -> dict[str, Any]:
        """What became of one job."""
        assert self.process.stdin is not None
        where = {"url": self.sandbox.routee_url, "auth_url": self.sandbox.auth_url, "credentials": self.sandbox.credentials}
        job = {"journal": str(journal), "ref": ref, "to": to, "chunk": chunk, "after": after, **where}
        self.process.stdin.write(json.dumps(job).encode() + b"\n")
        said: dict[str, Any] = {}
        while "killed" not in said:
            said |= await self._line()
        return said


@asynccontextmanager
async def zygote(sandbox: Sandbox) -> AsyncGenerator[Zygote]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "paid.victims"),
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    try:
        each = Zygote(process, sandbox)
        assert await each._line() == {"ready": True}
        yield each
    finally:
        process.stdin.close()
        await process.wait()


@pytest.mark.once
async def test_two_processes_with_one_ref_at_the_same_moment_send_once(tmp_path: Path) -> None:
    """One sends; the other hears at once that nobody knows yet, or, if it began when all was over, gets the receipt."""
    heard = Counter[str]()
    async with Sandbox(messages=0, drops=0) as sandbox, zygote(sandbox) as one, zygote(sandbox) as other:
        sandbox.delay(0.2, path="/voice/campaign")
        for number in range(8):
            job: dict[str, Any] = {"journal": tmp_path / "sends", "ref": f"order-{number}", "to": [f"+30690000000{number}"], "chunk": None}
            heard.update(said["outcome"] for said in await asyncio.gather(one.run(**job), other.run(**job)))

    print(f"\ntwo processes, 8 refs at the same moment: {dict(heard)}; accepted: {len(sandbox.campaigns)}")
    assert len(sandbox.campaigns) == 8
    assert heard.total() == 16
    assert heard["sent"] >= 8
    assert heard["unknown"] > 0


async def states(journal: Path, refs: list[str]) -> list[SendState | None]:
    """What a journal says of some refs; None where it says nothing."""
    async with SqliteJournal(journal) as opened:
        entries = [await opened.find(ref) for ref in refs]
        assert {entry.intent.ref for entry in await opened.open_entries()} >= {
            entry.intent.ref for entry in entries if entry is not None and entry.state is SendState.OPEN
        }
        return [entry and entry.state for entry in entries]


@pytest.mark.once
@pytest.mark.usefixtures("thousands_of_steps")
@pytest.mark.timeout(240)
@pytest.mark.parametrize("chunks", [1, 5], ids=["a send", "a list of five chunks"])
async def test_p07_killed_at_any_moment_no_chunk_is_sent_twice_and_none_is_forgotten(tmp_path: Path, chunks: int) -> None:
    """Every second time on a new journal, so that the making of file and key is hit as well."""
    dice, met = Random(7), Counter[str]()
    async with Sandbox(messages=0, drops=0) as sandbox, zygote(sandbox) as victims:
        usual = [await _killed_and_begun_again(victims, tmp_path / "warm", f"warm-{n}", chunks, None, met) for n in range(3)][-1]
        met.clear()
        for number in range(ROUNDS):
            journal = tmp_path / (f"new-{number}" if number % 2 else "warm")
            await _killed_and_begun_again(victims, journal, f"round-{number}", chunks, dice.uniform(0, usual * 1.2), met)
        repeated = sum(count - 1 for count in Counter(campaign.recipients[0] for campaign in sandbox.campaigns).values())
    print(f"\nkill -9 at {ROUNDS} moments, {chunks} chunks: {dict(met)}; sent twice: {repeated}")
    assert repeated == 0
    assert met["killed"] > ROUNDS / 2


async def _killed_and_begun_again(victims: Zygote, journal: Path, ref: str, chunks: int, after: float | None, met: Counter[str]) -> float:
    """One round; returns how long the first run took."""
    to = [f"+3069{crc32(f'{ref}/{place}'.encode()) % 10**8:08}" for place in range(chunks)]
    refs, size = ([ref], None) if chunks == 1 else ([f"{ref}/{place + 1}" for place in range(chunks)], 1)
    first = await victims.run(journal=journal, ref=ref, to=to, chunk=size, after=after)
    then = await states(journal, refs)
    again = await victims.run(journal=journal, ref=ref, to=to, chunk=size)
    at_last = await states(journal, refs)

    accepted = Counter(campaign.recipients[0] for campaign in victims.sandbox.campaigns)
    for number, before, after_all, outcome in zip(to, then, at_last, again["outcome"].split(), strict=True):
        assert accepted[number] <= 1
        # What was open stays open and is called unknown; everything else is sent now.
        assert (after_all, outcome) == ((SendState.OPEN, "unknown") if before is SendState.OPEN else (SendState.SENT, "sent"))
        assert accepted[number] == 1 or after_all is SendState.OPEN
        met[f"{before.value if before else 'nothing'} in the journal"] += 1
        met["open and accepted"] += after_all is SendState.OPEN and accepted[number]
    met["killed"] += first["killed"]
    return float(first["seconds"])
