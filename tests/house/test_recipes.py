"""The README's servers and its worker, as processes: they serve, and on SIGTERM they finish what is under way, and nothing else."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from campaigns import RECEIPT
from raw_server import RawServer, answer
from recipes import AIOHTTP, CALLBACKS, FASTAPI, WORKER, environment_of
from webhooks.callbacks import SECRET, Poster, message

from voicedrop_async import SqliteJournal
from voicedrop_async.sandbox import Sandbox

pytestmark = pytest.mark.once


UVICORN = ("-m", "uvicorn", "recipe:app", "--port", "0")


@asynccontextmanager
async def started(sandbox: Sandbox, folder: Path, *command: str, **more: str) -> AsyncGenerator[Process]:
    """A program on the sandbox; what it writes, it writes to one stream."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", *command),
        env=os.environ | environment_of(sandbox) | {"PYTHONUNBUFFERED": "1"} | more,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def told(process: Process, word: str) -> str:
    """The first line with a word in it."""
    assert process.stdout is not None
    async for line in process.stdout:
        if word in line.decode():
            return line.decode()
    raise AssertionError(f"it ended without a word of {word!r}")


def url_in(words: str) -> str:
    found = re.search(r"http://[0-9.:]+", words)
    assert found is not None
    return found[0]


async def rest(process: Process) -> str:
    """What else it writes, to its end, which is a good one."""
    assert process.stdout is not None
    said = (await process.stdout.read()).decode()
    assert await process.wait() in {0, -signal.SIGTERM}, said
    return said


async def test_the_server_of_aiohttp_answers_what_is_under_way_when_it_is_told_to_end(
    sandbox: Sandbox, line: RawServer, tmp_path: Path, unused_tcp_port: int
) -> None:
    """It is told while a campaign has gone out and is not answered. An order that comes again is answered from the journal."""
    answers = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> bool:
        await answers.wait()
        return await answer(200, RECEIPT)(writer)

    line.will(answer(200, RECEIPT), late)
    program = AIOHTTP.replace("8080", str(unused_tcp_port))
    async with (
        started(sandbox, tmp_path, "-c", program, ROUTEE_BASE_URL=line.url) as server,
        aiohttp.ClientSession(f"http://127.0.0.1:{unused_tcp_port}") as http,
    ):
        await told(server, f":{unused_tcp_port} ")

        async def remind(order: int) -> tuple[int, dict[str, str]]:
            async with http.post(f"/orders/{order}/reminder", json={"to": "+306912345678"}) as response:
                return response.status, await response.json()

        heard = [await remind(4711), await remind(4711)]
        line.arrived.clear()
        last = asyncio.create_task(remind(4712))
        await line.arrived.wait()
        server.send_signal(signal.SIGTERM)
        answers.set()
        heard.append(await last)
        await rest(server)

    assert heard == [(200, {"tracking_id": "tid-1"})] * 3
    assert len(line.received) == 2


async def test_the_server_of_fastapi_answers_until_it_is_told_to_end(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "recipe.py").write_text(FASTAPI)
    wanted, heard = sandbox.messages[0], []
    async with started(sandbox, tmp_path, *UVICORN) as server:
        async with aiohttp.ClientSession(url_in(await told(server, "running on"))) as http:
            for message in (wanted["messageId"], "no-such-message"):
                async with http.get(f"/messages/{message}") as response:
                    heard.append((response.status, await response.json()))
        server.send_signal(signal.SIGTERM)
        await rest(server)

    assert heard == [(200, {"status": wanted["status"]["status"], "country": wanted["country"]}), (404, {"detail": "Not Found"})]


async def test_callbacks_are_received_in_fastapi(sandbox: Sandbox, tmp_path: Path) -> None:
    """Mounted, by its secret only; what was answered is handed on, and shows neither the secret nor a number."""
    (tmp_path / "recipe.py").write_text(CALLBACKS)
    async with (
        started(sandbox, tmp_path, *UVICORN, "--no-access-log", CALLBACK_SECRET=SECRET) as server,
        aiohttp.ClientSession() as http,
    ):
        poster = Poster(http, f"{url_in(await told(server, 'running on'))}/voice")
        statuses = [await poster.post(message(), secret=secret) for secret in (SECRET[:-1], SECRET, SECRET)]
        heard = await told(server, "told")
        server.send_signal(signal.SIGTERM)
        said = await rest(server)

    assert (statuses, heard) == ([404, 200, 200], "told m-1 Ringing\n")
    assert [word for word in (SECRET, "30691", "told") if word in said] == []


async def test_the_worker_finishes_what_is_under_way_and_goes_on_after_a_restart(sandbox: Sandbox, tmp_path: Path) -> None:
    """It is told to end when the first order is done: others are under way then, and most are not begun. Nobody is rung twice."""
    sandbox.delay(0.2, path="/voice/campaign")
    async with started(sandbox, tmp_path, "-c", WORKER) as worker:
        first = await told(worker, "is done")
        worker.send_signal(signal.SIGTERM)
        after = await rest(worker)
    accepted = len(sandbox.campaigns)
    async with SqliteJournal(tmp_path / "worker.journal") as journal:
        still_open = await journal.open_entries()
    sandbox.delay(0)
    async with started(sandbox, tmp_path, "-c", WORKER) as worker:
        again = await rest(worker)

    assert "is done\n" in after
    assert ((first + after).count("is done\n"), still_open) == (accepted, [])
    assert accepted < 20 == again.count("is done\n")
    assert Counter(campaign.recipients for campaign in sandbox.campaigns).most_common(1)[0][1] == 1
    assert len(sandbox.campaigns) == 20
