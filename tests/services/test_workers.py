"""Workers of taskiq on a real Redis, real processes that are killed: what they do is counted where it arrives."""

import asyncio
import fcntl
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from campaigns import RECEIPT
from cli.processes import environment_of
from raw_server import RawServer, answer
from redis.asyncio import Redis
from redis_servers import RedisServer
from taskiq import BrokerMessage

from voicedrop_async import (
    ConfigError,
    ConnectFailed,
    PageStream,
    Parts,
    RedisJournal,
    RouteeSession,
    SendState,
    Shard,
    ShardQueue,
    ShardState,
    worker_broker,
)
from voicedrop_async.sandbox import Sandbox
from voicedrop_async.shards import Written
from voicedrop_async.workers import _stream
from voicedrop_async.workers._stream import StreamBroker

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
REMINDERS = """
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from voicedrop_async import OutcomeUnknown, RedisJournal, RouteeSession, SpokenMessage, StaticToken, VoiceCampaign, worker_broker


@asynccontextmanager
async def session() -> AsyncGenerator[RouteeSession]:
    async with (
        RedisJournal(os.environ["REDIS"]) as journal,
        RouteeSession(StaticToken("t"), base_url=os.environ["SERVICE"], journal=journal) as routee,
    ):
        yield routee


broker = worker_broker(os.environ["REDIS"], session, idle=1.0)


@broker.task
async def remind(order: str, number: str) -> None:
    campaign = VoiceCampaign("306900000000", to=[number], name=order, message=SpokenMessage("Your parcel is here", language="en-GB"))
    try:
        await broker.session.send_campaign(campaign, ref=order)
    except OutcomeUnknown:
        pass  # look into the tracking later
"""


class Workers:
    """A ``taskiq worker`` with its worker processes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        commands = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
        return [child for child, command in commands.items() if b"resource_tracker" not in command]

    def kill(self) -> None:
        """End the worker processes; others will take their places."""
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def workers(folder: Path, module: str) -> AsyncGenerator[Workers]:
    words = ("-m", "taskiq", "worker", f"{module}:broker", "--workers", "2", "--max-async-tasks", "2", "--log-level", "WARNING")
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=folder)
    try:
        yield Workers(process)
    finally:
        process.terminate()
        await process.wait()


IDLE = 0.3
TASK = BrokerMessage(task_id="1", task_name="work", message=b"work", labels={})


@asynccontextmanager
async def a_session() -> AsyncGenerator[str]:
    yield "a session"


@asynccontextmanager
async def a_broker(redis: RedisServer, *, is_worker: bool = True) -> AsyncGenerator[StreamBroker]:
    """A broker that was started; at the end it dies, and what it had stays with it."""
    broker = worker_broker(redis.url, a_session, idle=IDLE)
    broker.is_worker_process = is_worker
    await broker.startup()
    try:
        yield broker
    finally:
        await broker.shutdown()


async def emptied(redis: RedisServer, queue: str) -> None:
    """Wait until all tasks are done."""
    async with Redis.from_url(redis.url) as client, client.pubsub() as changes:
        await client.config_set("notify-keyspace-events", "Kt")
        await changes.subscribe(f"__keyspace@0__:{queue}")
        while await client.xlen(queue):
            await changes.get_message(ignore_subscribe_messages=True, timeout=5.0)


@pytest.mark.once
async def test_workers_that_are_killed_send_nothing_twice(
    redis: RedisServer, line: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time at a send that the server accepts and has not answered; others carry on, and every order is accounted for."""
    (tmp_path / "reminders.py").write_text(REMINDERS)
    monkeypatch.setenv("REDIS", redis.url)
    monkeypatch.setenv("SERVICE", line.url)
    monkeypatch.syspath_prepend(tmp_path)
    orders = [f"order-{number}" for number in range(20)]
    killed = 0

    async def kills(writer: asyncio.StreamWriter) -> bool:
        nonlocal killed
        accepted = len(line.received)
        if accepted in {4, 9, 14}:
            team.kill()
            killed += 1
        return await answer(200, RECEIPT)(writer)

    line.will(kills)
    async with RedisJournal(redis.url) as journal:
        await journal.set_up()
        from reminders import broker, remind

        await broker.startup()
        for number, order in enumerate(orders):
            await remind.kiq(order, f"+3069123456{number:02}")
        async with workers(tmp_path, "reminders") as team:
            await emptied(redis, "voicedrop:tasks")
        await broker.shutdown()
        states = {order: entry.state for order in orders if (entry := await journal.find(order)) is not None}

    sends = Counter(order for received in line.received for order in orders if f'"{order}"'.encode() in received.body)
    still_open = {order for order, state in states.items() if state is SendState.OPEN}
    print(f"{len(orders)} orders, workers killed {killed} times: {sends.total()} sends, {len(still_open)} open")
    assert killed == 3
    assert set(sends.values()) == {1}
    assert set(orders) - set(sends) <= still_open  # claimed, and killed before it left
    assert states.keys() == set(orders)
    assert killed <= len(still_open) <= 4 * killed


@pytest.mark.once
async def test_the_workers_of_the_readme_do_a_plan_and_one_that_dies_is_followed(
    redis: RedisServer, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when a part of the plan is done, and Redis with them: each message is there once, and no shard is lost."""
    program = README.split("### Workers on several machines")[1].split("```python\n")[1].split("```")[0]
    program = program.replace("redis://localhost:6379/0", redis.url).replace("REDIS, session)", "REDIS, session, idle=1.0)")
    program = program.replace('"parquet"', '"jsonl"').replace(".parquet", ".jsonl")
    program = program.replace("days=365", "days=30").replace("rate=50", "rate=20").replace("END)\n", "END, max_items=50)\n")
    (tmp_path / "year.py").write_text(program)
    for name, value in environment_of(sandbox).items():
        monkeypatch.setenv(name, value)

    async def year() -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(sys.executable, "-W", "error", "year.py", cwd=tmp_path, stdout=pipe, stderr=pipe)

    async with workers(tmp_path, "year") as team:
        first = await year()
        assert first.stdout is not None
        lines = [(await first.stdout.readline()).decode()]
        while not lines[-1].split(" ")[0].isdecimal() or int(lines[-1].split(" ")[0]) == 0:
            lines.append((await first.stdout.readline()).decode())
        team.kill()
        redis.end(signal.SIGKILL)
        _, complaint = await first.communicate()
        redis.start()
        last = await year()
        lines += (await last.communicate())[0].decode().splitlines(keepends=True)

    assert (first.returncode, last.returncode) == (1, 0)
    assert b"ConnectFailed: queue of the workers: redis cannot be reached" in complaint

    messages = [json.loads(line)["message_id"] for line in (tmp_path / "year.jsonl").read_text().splitlines()]
    print("".join(lines))
    assert lines[-1] == f"{len(messages)} messages; complete: True; shards in part: 0, failed: 0\n"
    assert len(messages) == len(set(messages)) > 100
    assert len(lines) > 2  # its progress could be seen


async def test_only_the_tasks_of_dead_workers_are_taken_over(redis: RedisServer) -> None:
    """One is put before there is a worker. It takes long, and nobody else gets it; its worker dies, and nothing new comes."""
    async with a_broker(redis, is_worker=False) as client, a_broker(redis) as other:
        await client.kick(TASK)
        async with a_broker(redis) as worker:
            assert (await anext(worker.listen())).data == b"work"
            taken = asyncio.create_task(anext(other.listen()))
            done, _ = await asyncio.wait([taken], timeout=4 * IDLE)
            assert not done
        taken_over = await taken
        assert (taken_over.data, await other.tasks()) == (b"work", (1, 0))
        await taken_over.ack()
        assert await other.tasks() == (0, 0)


async def test_workers_wait_for_a_redis_that_is_away(redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    """Killed, and so its connections break; then emptied, and so the stream is gone."""
    async with a_broker(redis, is_worker=False) as client, a_broker(redis) as worker:
        for stop in (True, False):
            taken = asyncio.create_task(anext(worker.listen()))
            await asyncio.sleep(0)
            if stop:
                redis.end(signal.SIGKILL)
                redis.start()
            else:
                async with Redis.from_url(redis.url) as direct:
                    await direct.flushall()
            await client.kick(TASK)
            assert (await taken).data == b"work"
        redis.end(signal.SIGKILL)
        late = worker_broker(redis.url, a_session, idle=IDLE)
        late.is_worker_process = True
        begun = asyncio.create_task(late.startup())
        await asyncio.wait([begun], timeout=0.05)
        assert not begun.done()
        redis.start()
        await begun
        await late.shutdown()

    assert "redis cannot be asked for a task" in caplog.text


class Watched(Parts):
    """Parts of which one is let go by whoever has it when a worker wants it for the third time."""

    wanted = 0
    had: int

    async def write(self, shard: Shard, stream: PageStream[Any], written: Written) -> None:
        type(self).wanted += 1
        if self.wanted == 3:
            os.close(self.had)
        await super().write(shard, stream, written)


async def test_a_shard_that_a_suspended_worker_still_writes_waits_and_is_no_failure(
    redis: RedisServer, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One attempt is all that it has, and it is wanted three times."""
    caplog.set_level("INFO")
    for name, value in environment_of(sandbox).items():
        monkeypatch.setenv(name, value)
    sink = Watched(tmp_path / "parts")
    sink.folder.mkdir()
    end = datetime.now(UTC)
    shard = Shard(service="routee", start=end - timedelta(hours=1), end=end)
    Watched.had = os.open(f"{sink.path(shard)}.part", os.O_RDWR | os.O_CREAT)
    fcntl.flock(Watched.had, fcntl.LOCK_EX)

    broker = worker_broker(redis.url, RouteeSession.from_env, idle=IDLE)
    queue = ShardQueue(broker, sink, attempts=1)
    await queue.put([shard])
    broker.is_worker_process = True
    await broker.startup()
    async for message in broker.listen():
        words = broker.formatter.loads(message.data)
        await broker.get_all_tasks()[words.task_name].original_func(*words.args)
        await message.ack()
        if await broker.tasks() == (0, 0):
            break
    await broker.shutdown()

    (result,) = await queue.results([shard])
    assert (result.state, sink.wanted) == (ShardState.DONE, 3)
    said = {record.levelname for record in caplog.records if "another export is writing it" in record.message}
    assert said == {"INFO"}


async def test_what_a_task_puts_on_the_queue_is_there_before_it_is_done(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose Redis fails at that very moment: it waits for it, and so what it would have put is not lost."""
    failed = asyncio.Event()
    monkeypatch.setattr(_stream, "_LOG", SimpleNamespace(warning=lambda *_words: failed.set()))
    async with a_broker(redis) as worker:
        redis.end(signal.SIGKILL)
        putting = asyncio.create_task(worker.kick(TASK))
        await failed.wait()
        redis.start()
        await putting
        assert await worker.tasks() == (0, 1)


async def test_a_queue_that_is_away_is_told_as_such(redis: RedisServer, tmp_path: Path) -> None:
    """With an error of our own, which says what to do; afterwards the same works."""
    queue = ShardQueue(worker_broker(redis.url, a_session), Parts(tmp_path / "parts"))
    shards = [Shard(service="routee", campaign_id="a")]
    redis.end(signal.SIGKILL)
    for call in (queue.put, queue.progress):
        with pytest.raises(ConnectFailed, match=r"redis cannot be reached or written \(ConnectionError\) .*; .* do it again"):
            await call(shards)

    redis.start()
    assert await queue.put(shards) == 1
    assert (await queue.progress(shards)).waiting == 1


async def test_there_is_a_session_in_each_worker_and_nowhere_else(redis: RedisServer) -> None:
    async with a_broker(redis, is_worker=False) as client, a_broker(redis) as worker:
        assert worker.session == "a session"
        with pytest.raises(ConfigError, match=r"^session: there is one in a worker only"):
            _ = client.session


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"redis": "cAnArY"}, "redis: must be a URL such as redis://localhost:6379/0$"),
        ({"redis": 5}, "redis: "),
        ({"open_session": 5}, "open_session: an int cannot be called"),
        ({"queue": ""}, "queue: "),
        ({"idle": 0}, "idle: "),
    ],
)
def test_what_cannot_be_a_broker_is_refused_at_once(change: dict[str, object], words: str) -> None:
    given = {"redis": "redis://localhost:6379/0", "open_session": a_session} | change
    with pytest.raises(ConfigError, match=f"^{words}"):
        worker_broker(given.pop("redis"), given.pop("open_session"), **given)
