"""One rate for all, on a real Redis that is stopped, silenced, flushed and set back."""

import asyncio
import gc
import logging
import signal
import sys
import time
import warnings
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from uuid import uuid4

import pytest
from campaigns import CAMPAIGN, QUICK, RECEIPT
from raw_server import RawServer, Step, answer
from redis.asyncio import Redis
from redis_servers import RedisServer

from voicedrop_async import (
    ConfigError,
    Kind,
    Limits,
    RateLimited,
    RedisThrottle,
    Retry,
    RouteeSession,
    SessionClosed,
    StaticToken,
    Throttle,
    ThrottleFailed,
)
from voicedrop_async.throttle import _shared

LOOKUPS = """
import asyncio, sys
from voicedrop_async import Kind, Limits, RedisThrottle, RouteeSession, StaticToken

async def main(service, redis, rate, calls):
    async with (
        RedisThrottle(redis, Limits(rate=float(rate)), local_rate=1) as throttle,
        RouteeSession(StaticToken("t"), base_url=service, throttle=throttle) as session,
    ):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(session.call("GET", "/ping", kind=Kind.READ) for _ in range(int(calls))))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is given up, and asked again, sooner than a program would."""
    monkeypatch.setattr(_shared, "_PATIENCE", 0.2)
    monkeypatch.setattr(_shared, "_AGAIN", 0.2)


def a_throttle(redis: RedisServer, rate: float = 50.0, *, prefix: str = "rate", local_rate: float = 1000.0) -> RedisThrottle:
    return RedisThrottle(redis.url, Limits(rate=rate), local_rate=local_rate, prefix=prefix)


@asynccontextmanager
async def a_session(line: RawServer, throttle: Throttle, retry: Retry = QUICK) -> AsyncGenerator[RouteeSession]:
    async with RouteeSession(StaticToken("t"), base_url=line.url, retry=retry, throttle=throttle) as session:
        yield session


async def start(throttle: Throttle, kind: Kind = Kind.READ) -> float:
    """Start one request that takes no time, and return when."""
    async with throttle.slot(kind):
        return asyncio.get_running_loop().time()


async def starts(throttles: list[RedisThrottle], each: int) -> list[float]:
    return sorted(await asyncio.gather(*(start(throttle) for throttle in throttles for _ in range(each))))


def busiest_second(moments: list[float]) -> int:
    return max(sum(first <= moment < first + 1.0 for moment in moments) for first in moments)


@pytest.mark.once
async def test_d08_four_processes_keep_one_limit(redis: RedisServer, line: RawServer) -> None:
    """Counted where the requests arrive: 100 in two seconds, spread evenly."""
    arrivals: list[float] = []

    def noted(step: Step) -> Step:
        async def steps(writer: asyncio.StreamWriter) -> bool:
            arrivals.append(time.monotonic())
            return await step(writer)

        return steps

    line.will(noted(answer(200)))
    pipe = asyncio.subprocess.PIPE
    words = ("-W", "error", "-c", LOOKUPS, line.url, redis.url, "50", "25")
    workers = [await asyncio.create_subprocess_exec(sys.executable, *words, stdin=pipe, stdout=pipe) for _ in range(4)]
    for worker in workers:
        assert worker.stdout is not None
        assert await worker.stdout.readline() == b"ready\n"
    await asyncio.gather(*(worker.communicate(b"\n") for worker in workers))

    took, busiest = arrivals[-1] - arrivals[0], busiest_second(arrivals)
    print(f"100 requests of 4 processes at 50 a second: {took:.2f} s, {busiest} in the busiest second")
    assert [worker.returncode for worker in workers] == [0] * 4
    assert len(arrivals) == 100
    assert busiest <= 51
    assert took < 1.5 * 99 / 50


@pytest.mark.usefixtures("quickly")
async def test_d07_without_redis_nothing_paid_is_sent_and_reading_goes_on(
    redis: RedisServer, line: RawServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Down, then silent; each time it comes back by itself, and so does sending."""
    caplog.set_level(logging.WARNING, "voicedrop_async")
    line.will(answer(200, RECEIPT))
    async with a_throttle(redis) as throttle, a_session(line, throttle, Retry(attempts=1)) as session:

        async def send() -> int:
            await session.send_campaign(CAMPAIGN)
            return len(line.received)

        async def read() -> int:
            await session.call("GET", "/ping", kind=Kind.READ)
            return len(line.received)

        assert await send() == 1
        for stop, go_on in ((redis.end, redis.start), (lambda: redis.tell(signal.SIGSTOP), lambda: redis.tell(signal.SIGCONT))):
            before = len(line.received)
            stop()
            for _ in range(2):
                with pytest.raises(ThrottleFailed, match="nothing was sent") as refused:
                    await send()
                assert (refused.value.attempts, refused.value.may_have_happened, refused.value.may_pass) == (0, False, True)
            assert await read() == before + 1
            assert throttle.snapshot().rate == 1000.0
            go_on()
            while throttle.snapshot().rate != 50.0:
                await read()
            assert await send() == len(line.received)

    assert [record.getMessage().split(" (")[0] for record in caplog.records if record.name == "voicedrop_async"] == [
        "redis cannot be asked for the shared rate",
        "redis can be asked again for the shared rate, which holds from here on",
    ] * 2


@pytest.mark.usefixtures("quickly")
async def test_d07_a_redis_that_restarts_is_waited_for_by_the_repeats_of_a_send(redis: RedisServer, line: RawServer) -> None:
    line.will(answer(200, RECEIPT))
    async with a_throttle(redis) as throttle, a_session(line, throttle, Retry(attempts=50, base=0.1, cap=0.1)) as session:
        await session.send_campaign(CAMPAIGN)
        redis.end()
        sending = asyncio.create_task(session.send_campaign(CAMPAIGN))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(sending), 0.3)
        redis.start()
        await sending

    assert len(line.received) == 2


@pytest.mark.usefixtures("quickly")
async def test_who_pays_and_stands_in_line_is_told_and_who_reads_moves_up(redis: RedisServer) -> None:
    async with a_throttle(redis, 2.0, local_rate=1000.0) as throttle:
        await start(throttle)
        redis.end()
        waiting = [asyncio.create_task(start(throttle, kind)) for kind in (Kind.PAID, Kind.READ, Kind.PAID, Kind.CANCEL)]
        ends = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(end) for end in ends] == [ThrottleFailed, float, ThrottleFailed, float]


async def test_d07_a_rate_that_is_flushed_still_holds_and_so_does_a_pause(redis: RedisServer) -> None:
    """Those who shared it begin again after a second, when all turns that were given are over; who paused says so again."""
    async with AsyncExitStack() as stack, Redis.from_url(redis.url) as client:
        throttles = [await stack.enter_async_context(a_throttle(redis, 20.0)) for _ in range(2)]
        first = await starts(throttles, 5)
        await client.flushall()
        second = await starts(throttles, 5)
        throttles[0].pause(0.5)
        paused_at = asyncio.get_running_loop().time()
        await client.flushall()
        third = await starts(throttles[:1], 1)

    assert busiest_second(first + second) <= 21
    assert second[0] - first[-1] >= 1.0
    assert third[0] - paused_at >= 0.5


async def test_what_one_is_told_by_a_429_holds_for_all(redis: RedisServer, line: RawServer) -> None:
    """A second of quiet, and half the rate after it; another that was refused at the same time lowers it no further."""
    line.will(answer(429, headers={"Retry-After": "1"}))
    async with a_throttle(redis, 40.0) as told, a_throttle(redis, 40.0) as other, a_session(line, told, Retry(attempts=1)) as session:
        await start(other)
        with pytest.raises(RateLimited):
            await session.call("GET", "/ping", kind=Kind.READ)
        began = asyncio.get_running_loop().time()
        later = await starts([other], 1)
        other.slow_down(0.0, 0)
        later += await starts([other, told], 2)

        assert 0.9 < later[0] - began < 1.3
        assert later[4] - later[0] >= 0.18
        assert [throttle.snapshot().rate for throttle in (told, other)] == pytest.approx([20.0, 20.0], abs=1.0)


async def test_a_clock_of_redis_that_is_set_back_holds_nobody_up(redis: RedisServer) -> None:
    """As seen by the script: the latest question came an hour from now."""
    async with a_throttle(redis) as throttle, Redis.from_url(redis.url) as client:
        await start(throttle)
        for field in ("asked", "turn"):
            await client.hincrby("rate", field, 3_600_000_000)
        async with asyncio.timeout(1.0):
            await start(throttle)


async def test_more_processes_than_turns_take_their_turns(redis: RedisServer) -> None:
    """No turn is given for later than a second from now; who finds them all taken comes again."""
    async with AsyncExitStack() as stack:
        throttles = [await stack.enter_async_context(a_throttle(redis, 5.0)) for _ in range(9)]
        moments = await starts(throttles, 1)

    assert 1.5 < moments[-1] - moments[0] < 2.5
    assert busiest_second(moments) <= 6


async def test_a_turn_that_comes_too_late_is_given_up(redis: RedisServer) -> None:
    """A loop that was held up for 50 ms asks anew, and does not start what others had the place of."""
    async with a_throttle(redis, 100.0) as throttle, Redis.from_url(redis.url) as client:
        await start(throttle)
        waiting = [asyncio.create_task(start(throttle)) for _ in range(4)]
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            while not throttle._turns.given:  # an answer that took long gives none
                await asyncio.wait([throttle._shared._asking])
        before = await asked(client)
        stalled_until = time.monotonic() + 0.08
        while time.monotonic() < stalled_until:
            pass
        moments = await asyncio.gather(*waiting)
        anew = await asked(client) - before

    assert min(late - early for early, late in pairwise(moments)) > 0.004
    assert anew > 0


async def asked(client: Redis) -> int:
    """How many questions Redis has had."""
    calls: int = (await client.info("commandstats"))["cmdstat_eval"]["calls"]
    return calls


@pytest.mark.usefixtures("quickly")
async def test_who_is_cancelled_or_dismissed_leaves_the_others_their_turns(redis: RedisServer) -> None:
    async with a_throttle(redis, 10.0) as throttle:
        await start(throttle)
        going = [asyncio.create_task(start(throttle)) for _ in range(3)]
        await asyncio.sleep(0)
        going[0].cancel()
        owner = object()

        async def owned(kind: Kind) -> None:
            async with throttle.slot(kind, owner):
                pass

        dismissed = asyncio.create_task(owned(Kind.READ))
        await asyncio.sleep(0)
        throttle.dismiss(owner)
        with pytest.raises(SessionClosed):
            await dismissed
        assert len(await asyncio.gather(*going[1:])) == 2
        redis.tell(signal.SIGSTOP)
        await start(throttle)  # alone from here on
        throttle._shared._asks_at = 0.0
        dismissed = asyncio.create_task(owned(Kind.PAID))
        await asyncio.sleep(0)
        assert throttle.snapshot().waiting == 1
        throttle.dismiss(owner)
        with pytest.raises(SessionClosed):
            await dismissed
        redis.tell(signal.SIGCONT)


@pytest.mark.usefixtures("quickly")
async def test_a_small_share_does_not_keep_from_asking_again(redis: RedisServer) -> None:
    """Alone, its next turn is a hundred seconds away; Redis is back, and asked, long before."""
    async with a_throttle(redis, 20.0, local_rate=0.01) as throttle:
        redis.end()
        await start(throttle)
        waiting = asyncio.create_task(start(throttle))
        redis.start()
        async with asyncio.timeout(20.0):
            await waiting


async def test_closed_with_a_question_that_was_not_asked_yet_it_can_be_used_again(shared_redis: RedisServer) -> None:
    throttle = a_throttle(shared_redis, 5.0, prefix=str(uuid4()))
    async with throttle:
        await start(throttle)
        waiting = asyncio.create_task(start(throttle))
        await asyncio.sleep(0)
        waiting.cancel()
    async with throttle, asyncio.timeout(20.0):
        await start(throttle)


def test_left_open_it_is_paused_and_closed_from_elsewhere(shared_redis: RedisServer) -> None:
    """Outside of any loop, and in another one than that in which it was used."""
    throttle = a_throttle(shared_redis, prefix=str(uuid4()))
    asyncio.run(start(throttle))
    throttle.pause(30.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # asyncio tells whoever left a connection open, and is right
        asyncio.run(throttle.aclose())
        gc.collect()

    assert throttle.snapshot().paused_for > 0.0


def test_it_can_be_used_in_several_loops_and_on_a_client_of_the_user(shared_redis: RedisServer) -> None:
    throttle = a_throttle(shared_redis, prefix=str(uuid4()))

    async def by_url() -> None:
        async with throttle:
            await start(throttle)

    async def by_client() -> None:
        async with Redis.from_url(shared_redis.url, decode_responses=True) as client:
            async with RedisThrottle(client, Limits(rate=50.0), local_rate=1.0, prefix=str(uuid4())) as theirs:
                await start(theirs)
                assert theirs.snapshot().rate == 50.0
            assert await client.ping()

    for _ in range(2):
        asyncio.run(by_url())
    asyncio.run(by_client())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"redis": 5}, "redis: an int is no URL"),
        ({"redis": "cAnArY"}, "redis: must be a URL such as redis://localhost:6379/0$"),
        ({"limits": Limits()}, "limits: must have a rate"),
        ({"limits": None}, "limits: must have a rate"),
        ({"limits": 7}, "limits: "),
        ({"local_rate": 0}, "local_rate: "),
        ({"prefix": ""}, "prefix: "),
    ],
)
def test_what_cannot_be_is_refused_at_once(change: dict[str, object], words: str) -> None:
    given = {"redis": "redis://localhost:6379/0", "limits": Limits(rate=5.0), "local_rate": 1.0} | change
    with pytest.raises(ConfigError, match=f"^{words}"):
        RedisThrottle(given.pop("redis"), given.pop("limits"), **given)


@pytest.mark.usefixtures("quickly")
async def test_a_password_in_the_url_is_not_shown(redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    url = f"redis://:cAnArY@127.0.0.1:{redis.port}/0"
    async with Redis.from_url(redis.url) as client, RedisThrottle(url, Limits(rate=5.0), local_rate=1.0) as throttle:
        await client.config_set("requirepass", "another")
        with pytest.raises(ThrottleFailed) as refused:
            await start(throttle, Kind.PAID)

    assert "cAnArY" not in repr(throttle) + repr(refused.value) + caplog.text
