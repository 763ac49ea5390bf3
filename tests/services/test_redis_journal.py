"""The journal in Redis, on a real one that is flushed, killed, silenced and filled."""

import asyncio
import logging
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from campaigns import CAMPAIGN, NUMBER, QUICK, RECEIPT
from journal_contract import MOMENT, Contract, intent, standing
from raw_server import RawServer, answer
from redis.asyncio import Redis
from redis_servers import DURABLE, RedisServer

from voicedrop_async import ConfigError, Intent, JournalEntry, JournalError, RedisJournal, RouteeSession, SendState, StaticToken
from voicedrop_async.journal import _redis


class TestByItsUrl(Contract):
    """With connections of its own."""

    @pytest.fixture
    async def journal(self, shared_redis: RedisServer) -> AsyncGenerator[RedisJournal]:
        async with RedisJournal(shared_redis.url, prefix=f"sends {uuid4()}") as connected:
            await connected.set_up()
            yield connected


class TestOnAClientThatDecodes(Contract):
    """With a client of the user's, set up as many do."""

    @pytest.fixture
    async def journal(self, shared_redis: RedisServer) -> AsyncGenerator[RedisJournal]:
        async with (
            Redis.from_url(shared_redis.url, decode_responses=True) as client,
            RedisJournal(client, prefix=str(uuid4())) as connected,
        ):
            await connected.set_up()
            yield connected


@pytest.fixture
async def journal(redis: RedisServer) -> AsyncGenerator[RedisJournal]:
    """A journal that was set up, on a Redis for one test alone."""
    async with RedisJournal(redis.url) as connected:
        await connected.set_up()
        yield connected


async def refuses(journal: RedisJournal, words: str) -> None:
    """Nothing can be read, claimed or settled, and the error says why."""
    for call in (journal.open_entries, lambda: journal.find("order-7"), lambda: journal.claim(intent()), journal.key):
        with pytest.raises(JournalError, match=words):
            await call()
    with pytest.raises(JournalError, match=words):
        await journal.settle("order-7", sent=True)


async def command(redis: RedisServer, *words: str) -> object:
    async with Redis.from_url(redis.url) as client:
        return await client.execute_command(*words)


async def test_a_journal_that_nobody_set_up_sends_nothing(redis: RedisServer) -> None:
    async with RedisJournal(redis.url) as journal:
        await refuses(journal, r"if there never was one, begin it with set_up\(\)")


async def test_setting_up_is_for_once(journal: RedisJournal) -> None:
    """A worker that does so at each start would not see that the journal was lost."""
    key = await journal.key()

    with pytest.raises(ConfigError, match="already"):
        await journal.set_up()
    assert await journal.key() == key


async def test_a_flushed_journal_sends_nothing(redis: RedisServer, journal: RedisJournal) -> None:
    """Neither where it was in use, nor in a worker that starts afterwards."""
    await journal.claim(intent())
    await command(redis, "FLUSHALL")

    with pytest.raises(JournalError, match="the server was flushed"):
        await journal.claim(intent("order-8"))
    await refuses(journal, "the server was flushed")
    async with RedisJournal(redis.url) as later:
        await refuses(later, "the server was flushed")


@pytest.mark.parametrize("begun_anew", [False, True])
@pytest.mark.parametrize("call", ["find", "open_entries", "prune", "settle", "claim"])
async def test_whichever_call_comes_first_after_a_flush_is_told(
    redis: RedisServer, journal: RedisJournal, call: str, begun_anew: bool
) -> None:
    """A list that is empty because everything was lost would read as: nothing is open."""
    await journal.claim(intent())
    await command(redis, "FLUSHALL")
    if begun_anew:
        async with RedisJournal(redis.url) as other:
            await other.set_up()

    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "find": lambda: journal.find("order-7"),
        "open_entries": journal.open_entries,
        "prune": lambda: journal.prune(timedelta(0)),
        "settle": lambda: journal.settle("order-7", sent=True, of=intent()),
        "claim": lambda: journal.claim(intent()),
    }
    with pytest.raises(JournalError, match="the server was flushed"):
        await calls[call]()


async def test_a_session_on_it_sends_once_and_after_a_flush_not_at_all(redis: RedisServer, journal: RedisJournal, line: RawServer) -> None:
    """The second call gets the receipt that is kept, without a number; the third would be one too many."""
    line.will(answer(200, RECEIPT | {"to": [NUMBER]}))
    async with RouteeSession(StaticToken("t"), base_url=line.url, retry=QUICK, journal=journal) as session:
        receipt = await session.send_campaign(CAMPAIGN, ref="order-7")
        assert await session.send_campaign(CAMPAIGN, ref="order-7") == receipt
        kept = await command(redis, "HGETALL", "voicedrop:journal")
        await command(redis, "FLUSHALL")
        with pytest.raises(JournalError, match="the server was flushed"):
            await session.send_campaign(CAMPAIGN, ref="order-7")

    assert len(line.received) == 1
    assert "tid-1" in repr(kept)
    assert NUMBER[1:] not in repr(kept)


async def test_a_journal_begun_anew_is_not_taken_for_the_old_one(redis: RedisServer, journal: RedisJournal) -> None:
    """The recipients of the old one were hashed under another key."""
    old = await journal.key()
    await command(redis, "FLUSHALL")
    async with RedisJournal(redis.url) as other:
        await other.set_up()

    for _ in range(2):  # it stays refused, whoever tries again
        await refuses(journal, "another than before")
    async with RedisJournal(redis.url) as later:
        assert await later.key() != old
        assert await later.claim(intent()) is None


async def test_who_begins_it_anew_by_hand_goes_on(redis: RedisServer, journal: RedisJournal) -> None:
    await journal.claim(intent())
    await command(redis, "DEL", "voicedrop:journal")
    await refuses(journal, "another than before")

    await journal.set_up()

    assert await journal.claim(intent()) is None


async def test_a_journal_that_comes_back_is_used_again(redis: RedisServer, journal: RedisJournal) -> None:
    await journal.claim(intent())
    await command(redis, "RENAME", "voicedrop:journal", "elsewhere")
    await refuses(journal, "another than before")

    await command(redis, "RENAME", "elsewhere", "voicedrop:journal")

    assert (await standing(journal)).state is SendState.OPEN


@pytest.mark.parametrize("broken", ["garbage", "7", '{"state": "lost"}', '{"state": "open", "place": 1}'])
async def test_a_broken_entry_is_named(redis: RedisServer, journal: RedisJournal, broken: str) -> None:
    """It may have been open; others can be sent."""
    await command(redis, "HSET", "voicedrop:journal", "ref:order-7", broken)

    calls = [journal.find("order-7"), journal.claim(intent()), journal.settle("order-7", sent=True), journal.open_entries()]
    for call in [*calls, journal.prune(timedelta(0))]:
        with pytest.raises(JournalError, match="'ref:order-7': the entry there is broken"):
            await call
    assert await journal.claim(intent("order-8")) is None


@pytest.mark.parametrize("broken", ["garbage", "7"])
async def test_what_is_no_entry_at_all_is_not_settled(redis: RedisServer, journal: RedisJournal, broken: str) -> None:
    await command(redis, "HSET", "voicedrop:journal", "ref:order-7", broken)

    with pytest.raises(JournalError, match="'ref:order-7': the entry there is broken"):
        await journal.settle("order-7", sent=True, of=intent())


async def test_many_old_entries_are_forgotten_part_by_part(
    redis: RedisServer, journal: RedisJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no script holds up the others for long."""
    monkeypatch.setattr(_redis, "_AT_ONCE", 2)
    for number in range(5):
        await journal.claim(intent(str(number)))
        await journal.settle(str(number), sent=True)
    await command(redis, "CONFIG", "RESETSTAT")

    assert await journal.prune(timedelta(0)) == 5
    told = await command(redis, "INFO", "commandstats")
    assert isinstance(told, dict)
    assert told["cmdstat_eval"]["calls"] == 3
    assert await journal.prune(timedelta(0)) == 0


@pytest.mark.parametrize("redis_or_not", [None, 5, object()])
def test_what_is_no_redis_is_refused_at_once_by_its_kind(redis_or_not: str) -> None:
    with pytest.raises(ConfigError, match=f"^redis: (None|an? {type(redis_or_not).__name__}) is no URL and no redis.asyncio.Redis$"):
        RedisJournal(redis_or_not)


@pytest.mark.parametrize("prefix", [None, 7, "", " "])
def test_what_is_no_name_of_a_key_is_refused_at_once(prefix: str) -> None:
    with pytest.raises(ConfigError, match=r"^prefix: "):
        RedisJournal("redis://localhost:6379/0", prefix=prefix)


async def test_another_database_is_not_the_journal(redis: RedisServer, journal: RedisJournal) -> None:
    await journal.claim(intent())

    async with RedisJournal(redis.url.removesuffix("0") + "1") as elsewhere:
        await refuses(elsewhere, "this is another database")


async def test_a_claim_outlives_the_server(redis: RedisServer, journal: RedisJournal) -> None:
    """Killed right after its answer, twenty times over: what was claimed is there."""
    for number in range(20):
        assert await journal.claim(intent(f"order-{number}")) is None
        redis.end(signal.SIGKILL)
        redis.start()

    assert [entry.intent.ref for entry in await journal.open_entries()] == [f"order-{number}" for number in range(20)]


async def test_a_server_that_is_down_sends_nothing_until_it_is_back(redis: RedisServer, journal: RedisJournal) -> None:
    await journal.claim(intent())
    redis.end()
    with pytest.raises(JournalError, match="cannot be reached"):
        await journal.claim(intent("order-8"))
    redis.start()

    assert await journal.claim(intent("order-8")) is None
    assert (await standing(journal)).state is SendState.OPEN


async def test_a_server_that_is_silent_is_not_waited_for_for_ever(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_redis, "_PATIENCE", 0.2)
    async with RedisJournal(redis.url) as journal:
        await journal.set_up()
        await journal.key()
        redis.tell(signal.SIGSTOP)
        with pytest.raises(JournalError, match="TimeoutError"):
            await journal.claim(intent())
        redis.tell(signal.SIGCONT)

        late = await journal.find("order-7")
        assert late is None or late.state is SendState.OPEN  # it may have read the claim after all


async def test_a_server_that_is_full_sends_nothing(redis: RedisServer, journal: RedisJournal) -> None:
    await journal.key()
    await command(redis, "CONFIG", "SET", "maxmemory", "1")

    with pytest.raises(JournalError, match=r"OutOfMemory|OOM"):
        await journal.claim(intent())
    await command(redis, "CONFIG", "SET", "maxmemory", "0")
    assert await journal.open_entries() == []


async def test_of_two_workers_with_one_ref_one_wins_each_time(redis: RedisServer, journal: RedisJournal) -> None:
    async with RedisJournal(redis.url) as other:
        for number in range(200):
            outcomes = await asyncio.gather(journal.claim(intent(str(number))), other.claim(intent(str(number))))
            assert outcomes.count(None) == 1


@asynccontextmanager
async def losing_an_answer(redis: RedisServer, word: bytes, meanwhile: Callable[[], Awaitable[object]]) -> AsyncGenerator[RedisJournal]:
    """A journal behind a relay that cuts the line at the first answer to a script with ``word``; then something happens."""
    lost: list[bytes] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", redis.port)
        while asked := await reader.read(65536):
            to_server.write(asked)
            said = await from_server.read(65536)
            if word in asked and not lost:
                lost.append(said)
                await meanwhile()
                break
            writer.write(said)
        for side in (writer, to_server):
            side.close()
            await side.wait_closed()

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with RedisJournal(f"redis://127.0.0.1:{port}/0") as through_relay:
            yield through_relay
    assert [b"done" in answer for answer in lost] == [True]


async def nothing() -> None:
    """What happens meanwhile."""


async def test_a_claim_whose_answer_is_lost_is_not_its_own_obstacle(redis: RedisServer, journal: RedisJournal) -> None:
    """The client asks once more: the script knows the call by its writer."""
    async with losing_an_answer(redis, b"HINCRBY", nothing) as through_relay:
        assert await through_relay.claim(intent()) is None
    async with losing_an_answer(redis, b"settled_by", nothing) as through_relay:
        await through_relay.settle("order-7", sent=True, of=intent())

    assert (await standing(journal)).state is SendState.SENT


@pytest.mark.parametrize("of", [intent(), None])
async def test_a_settlement_that_is_repeated_does_not_free_what_began_meanwhile(
    redis: RedisServer, journal: RedisJournal, of: Intent | None
) -> None:
    """It was written, its answer lost; another worker took the free ref; the client asks once more. A person's word too."""
    later = intent(started_at=MOMENT + timedelta(seconds=1))
    await journal.claim(intent())

    async with losing_an_answer(redis, b"settled_by", lambda: journal.claim(later)) as through_relay:
        with pytest.raises(ConfigError, match="no open entry"):
            await through_relay.settle("order-7", sent=False, of=of)

    assert await standing(journal) == JournalEntry(intent=later, state=SendState.OPEN)


MAY_LOSE = "redis may lose what this journal writes, and what was sent would be sent again"
WANTED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (DURABLE, None),
        ((), f"{MAY_LOSE}: {{'appendonly': 'no', 'appendfsync': 'everysec'}}; wanted: {WANTED}"),
        (("--appendonly", "yes"), f"{MAY_LOSE}: {{'appendfsync': 'everysec'}}; wanted: {WANTED}"),
        ((*DURABLE, "--maxmemory-policy", "allkeys-lru"), f"{MAY_LOSE}: {{'maxmemory-policy': 'allkeys-lru'}}; wanted: {WANTED}"),
        (
            (*DURABLE, "--rename-command", "CONFIG", ""),
            f"redis does not tell its settings: see to it that it keeps every write ({WANTED})",
        ),
    ],
)
async def test_it_warns_once_where_redis_may_lose_a_write(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, options: tuple[str, ...], words: str | None
) -> None:
    caplog.set_level(logging.WARNING, "voicedrop_async")
    server = RedisServer(tmp_path, *options)
    server.start()
    try:
        async with RedisJournal(server.url) as journal:
            await journal.set_up()
            for ref in ("order-7", "order-8"):
                await journal.claim(intent(ref))
    finally:
        server.end()

    warnings = [record.getMessage() for record in caplog.records if record.name == "voicedrop_async"]
    assert warnings == ([] if words is None else [words])


def test_it_can_be_used_in_several_loops(shared_redis: RedisServer) -> None:
    journal = RedisJournal(shared_redis.url, prefix=str(uuid4()))

    async def begin() -> None:
        async with journal:
            await journal.set_up()
            assert await journal.claim(intent()) is None

    async def look() -> SendState:
        async with journal:
            return (await standing(journal)).state

    asyncio.run(begin())
    assert asyncio.run(look()) is SendState.OPEN
    asyncio.run(journal.aclose())


async def test_a_password_in_the_url_is_not_shown(redis: RedisServer) -> None:
    url = f"redis://:cAnArY@127.0.0.1:{redis.port}/0"
    async with RedisJournal(url) as journal:
        with pytest.raises(JournalError) as refused:
            await journal.claim(intent())
        shown = repr(journal) + str(refused.value)
    with pytest.raises(ConfigError) as wrong:
        RedisJournal("cAnArY")

    assert "cAnArY" not in shown
    assert str(wrong.value) == "redis: must be a URL such as redis://localhost:6379/0"
