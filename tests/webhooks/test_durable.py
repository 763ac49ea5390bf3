"""A receiver with a file: what was answered 200 is handed on, whatever becomes of the process, the handler or the disk."""

import asyncio
import json
import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import aiohttp
import pytest
from blockbuster import blockbuster_ctx
from webhooks import durable_receiver
from webhooks.callbacks import SECRET, Heard, Poster, message, served

from voicedrop_async import CallbackEvent, CallbackReceiver, ConfigError
from voicedrop_async.webhooks import _file, _receiver

OTHER = "CREATE TABLE mine (x)"
NEWER = f"CREATE TABLE letters (x); PRAGMA application_id = {_file._OURS}; PRAGMA user_version = 99"
Durable = Callable[..., CallbackReceiver]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "callbacks.db"


@pytest.fixture
def durable(path: Path) -> Durable:
    """Make a receiver on the file."""
    return lambda handler, **options: CallbackReceiver(handler, secret=SECRET, path=path, **options)


def look(path: Path, question: str) -> tuple[int, ...]:
    """Ask a file that is closed, and that nobody else may read."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with closing(sqlite3.connect(path)) as file:
        row: tuple[int, ...] = file.execute(question).fetchone()
        return row


def ids(events: list[CallbackEvent]) -> list[object]:
    return [getattr(event, "message_id", None) for event in events]


@pytest.mark.once
async def test_none_that_was_answered_200_is_lost_when_the_process_is_killed(heard: Heard, durable: Durable, path: Path) -> None:
    """Killed with -9 while 16 post at once: the next receiver hands on each of them, and takes none of them in again."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webhooks.durable_receiver", str(path)),
        env=os.environ | {"PYTHONPATH": str(Path(durable_receiver.__file__).parents[1])},
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    answered, numbers = list[int](), iter(range(10_000))

    async def post(poster: Poster) -> None:
        for number in numbers:
            assert await poster.post(message(number)) == 200
            answered.append(number)
            if len(answered) == 150:
                program.kill()

    async with aiohttp.ClientSession() as http:
        poster = Poster(http, (await program.stdout.readline()).decode().strip())
        ends = await asyncio.gather(*(post(poster) for _ in range(16)), return_exceptions=True)
    await program.wait()
    heard.may_go_on.clear()
    async with durable(heard) as receiver, served(receiver) as again:
        found = receiver.waiting
        heard.may_go_on.set()
        await heard.until(found)
        assert {await again.post(message(number)) for number in answered} == {200}

    assert [end for end in ends if not isinstance(end, aiohttp.ClientError)] == []
    assert found >= len(answered) >= 150
    assert {f"m-{number}" for number in answered} <= set(ids(heard.events))
    assert len(ids(heard.events)) == len(set(ids(heard.events)))


async def test_what_waits_or_was_not_handled_is_handed_on_by_the_next(heard: Heard, durable: Durable, path: Path) -> None:
    """In its order, before what is new; what was handled is not, and is known again. Nothing blocks the loop meanwhile."""
    with blockbuster_ctx("voicedrop_async"):
        async with durable(heard, patience=0) as receiver, served(receiver) as poster:
            assert await poster.post(message(1)) == 200
            await heard.until(1)
            heard.raises = ValueError
            assert await poster.post(message(2)) == 200
            await heard.until(2)
            heard.raises = None
            heard.may_go_on.clear()
            assert [await poster.post(message(number)) for number in (3, 4, 4)] == [200] * 3
        heard.may_go_on.set()
        async with durable(heard) as receiver, served(receiver) as poster:
            assert [await poster.post(message(number)) for number in (1, 2, 3, 4, 5)] == [200] * 5
            await heard.until(5)

    assert ids(heard.events) == ["m-1", "m-2", "m-3", "m-4", "m-5"]
    assert look(path, "SELECT count(*), count(body) FROM letters") == (5, 0)


async def test_who_watches_is_told_before_the_handler_and_of_what_nobody_waits_for(durable: Durable) -> None:
    """A server that cancels a request whose client has left, while it is being written down."""
    order, handled = list[str](), asyncio.Event()
    body = {"type": "http.request", "body": json.dumps(message()).encode()}

    async def handle(_event: CallbackEvent) -> None:
        order.append("handler")
        handled.set()

    async with durable(handle) as receiver:
        with receiver.watched_by(lambda _event: order.append("watcher")):
            scope = {"type": "http", "method": "POST", "path": f"/{SECRET}/message", "headers": []}
            answering = asyncio.create_task(receiver(scope, AsyncMock(return_value=body), AsyncMock()))
            await asyncio.sleep(0)
            assert receiver.waiting == 1
            answering.cancel()
            await handled.wait()

    assert order == ["watcher", "handler"]


async def test_those_of_before_that_cannot_be_read_wait_for_the_next_start(
    heard: Heard, durable: Durable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And nobody waits for them: neither what is new, nor closing."""
    heard.may_go_on.clear()
    async with durable(heard, patience=0) as receiver, served(receiver) as poster:
        assert [await poster.post(message(number)) for number in (1, 2)] == [200, 200]
    heard.may_go_on.set()
    with monkeypatch.context() as patched:
        patched.setattr(_file.LetterFile, "unhandled", Mock(side_effect=sqlite3.OperationalError))
        async with asyncio.timeout(5), durable(heard, patience=60) as receiver, served(receiver) as poster:
            assert await poster.post(message(3)) == 200
            await heard.until(1)
    async with durable(heard):
        pass

    assert ids(heard.events) == ["m-3", "m-1", "m-2"]
    assert "those of before wait for the next start" in caplog.text


async def test_closing_leaves_behind_a_handler_that_will_not_end(
    durable: Durable, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What it works on is handed on again some day, and what comes after it as well."""
    monkeypatch.setattr(_receiver, "_TO_CLEAN_UP", 0.05)
    called, may_end = list[CallbackEvent](), asyncio.Event()

    async def stays(event: CallbackEvent) -> None:
        called.append(event)
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await may_end.wait()

    async with asyncio.timeout(5), durable(stays, patience=0.05) as receiver, served(receiver) as poster:
        assert [await poster.post(message(number)) for number in (1, 2)] == [200, 200]
        task = receiver._task
    may_end.set()
    assert task is not None
    await task

    assert ids(called) == ["m-1"]
    assert look(path, "SELECT count(*), count(body) FROM letters") == (2, 2)
    assert "the handler goes on, though it was cancelled" in caplog.text


async def test_a_disk_that_is_full_takes_in_nothing_and_what_it_refused_comes_again(
    heard: Heard, durable: Durable, caplog: pytest.LogCaptureFixture
) -> None:
    async with durable(heard) as receiver, served(receiver) as poster:
        assert receiver._inbox is not None
        assert receiver._inbox._book is not None
        disk = receiver._inbox._book._file._connection
        assert disk is not None
        disk.execute("PRAGMA max_page_count = 1")
        long = "x" * 10_000
        posts = [poster.post(message(1, long=long)), poster.post(message(1, long=long)), poster.post(message(2, long=long))]
        assert await asyncio.gather(*posts) == [503] * 3
        assert receiver.waiting == 0
        disk.execute("PRAGMA max_page_count = 1000000")
        assert await asyncio.gather(poster.post(message(1, long=long)), poster.post(message(1, long=long))) == [200] * 2
        await heard.until(1)

    assert ids(heard.events) == ["m-1"]
    assert caplog.text.count("the disk is full") == 1


async def test_what_is_handled_is_forgotten_in_the_end(heard: Heard, durable: Durable, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_file, "_PARAMETERS", 8)
    async with durable(heard, remember=5) as receiver, served(receiver) as poster:
        for number in range(40):
            assert await poster.post(message(number)) == 200
            await heard.until(number + 1)

    (count,) = look(path, "SELECT count(*) FROM letters")
    assert 5 <= count <= 15


async def test_a_file_belongs_to_one_receiver_at_a_time(
    heard: Heard, durable: Durable, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_file, "LOCK_WAIT", 0.0)
    async with durable(heard):
        with pytest.raises(ConfigError, match="another process has it"):
            await durable(heard).__aenter__()
    async with durable(heard):
        pass


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"something else " * 100, "no file of callbacks"),
        (None, "Is a directory"),
        (OTHER, "no file of callbacks"),
        (NEWER, "update the library"),
    ],
    ids=["a text", "a folder", "of another program", "of a newer version"],
)
def test_a_file_of_another_kind_is_left_in_peace(path: Path, content: str | bytes | None, fault: str) -> None:
    if content is None:
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with closing(sqlite3.connect(path)) as file:
            file.executescript(content)
    before = path.read_bytes() if path.is_file() else None

    with pytest.raises(ConfigError, match=fault):
        asyncio.run(CallbackReceiver(Heard(), secret=SECRET, path=path).__aenter__())

    assert (path.read_bytes() if path.is_file() else None) == before
