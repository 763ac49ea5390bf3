"""A service that is down or overrun: what many callers together do to it, and what they hold meanwhile."""

import asyncio
import json
import pickle
import random
from collections import Counter

import aiohttp
import pytest
from answers import MESSAGE, token
from attrs import evolve
from campaigns import CAMPAIGN, QUICK, complaint
from raw_server import RawServer, Step, answer, falls_silent

from voicedrop_async import (
    ClientCredentials,
    ConnectFailed,
    DeadlineExceeded,
    Event,
    Limits,
    RateLimited,
    RequestError,
    Retry,
    RouteeSession,
    ServerFailed,
    StaticToken,
    Throttle,
    ThrottleSnapshot,
)
from voicedrop_async.sandbox import Sandbox

DOWN = answer(503, complaint())


def patience(budget: int | None, attempts: int = 4) -> Retry:
    return Retry(attempts=attempts, base=0.001, cap=0.002, budget=budget)


def on(line: RawServer, budget: int | None) -> RouteeSession:
    return RouteeSession(StaticToken("t"), base_url=line.url, retry=patience(budget))


async def failed(session: RouteeSession) -> RequestError:
    with pytest.raises(RequestError) as caught:
        await session.track_message("m")
    return caught.value


@pytest.mark.once
@pytest.mark.usefixtures("thousands_of_steps")
async def test_h16_a_thousand_callers_of_a_service_that_is_down_ask_it_little_more_than_once_each(
    line: RawServer, events: list[Event]
) -> None:
    """Without the budget they would ask four thousand times; with it, 35 repeats are made, and nobody else waits before failing."""
    line.will(DOWN)
    limits = Limits(max_in_flight=51)
    async with RouteeSession(StaticToken("t"), base_url=line.url, retry=QUICK, limits=limits, on_event=events.append) as session:
        errors = await asyncio.gather(*(failed(session) for _ in range(1000)))

    assert len(line.received) == 1000 + 500 // 14
    assert {type(error) for error in errors} == {ServerFailed}
    assert sum(error.attempts == 1 and error.budget_exhausted for error in errors) >= 900
    assert sum(error.attempts for error in errors) == len(line.received)
    assert sum(event.name == "pausing" for event in events) == 500 // 14, "one before each repeat"


async def test_an_error_says_that_the_budget_was_used_up(line: RawServer) -> None:
    line.will(DOWN)
    async with on(line, 28) as session:
        error = await failed(session)

    assert (error.attempts, error.budget_exhausted) == (3, True)
    assert "(attempts: 3; the retry budget of the session is used up)" in str(error)
    assert pickle.loads(pickle.dumps(error)).budget_exhausted


async def test_an_error_that_took_all_its_attempts_says_nothing_of_a_budget(line: RawServer) -> None:
    line.will(DOWN)
    async with on(line, 42) as session:
        error = await failed(session)

    assert (error.attempts, error.budget_exhausted) == (4, False)


async def test_to_be_turned_away_takes_less_of_the_budget_than_to_fail(line: RawServer) -> None:
    line.will(answer(429, complaint()))
    async with on(line, 10) as session:
        error = await failed(session)

    assert (type(error), error.attempts, error.budget_exhausted) == (RateLimited, 3, True)


async def test_a_repeat_that_succeeds_brings_back_what_it_took(line: RawServer) -> None:
    line.will(*[DOWN, MESSAGE] * 5)
    async with on(line, 14) as session:
        for _ in range(5):
            await session.track_message("m")

    assert len(line.received) == 10


async def test_successes_fill_an_empty_budget_one_by_one(line: RawServer) -> None:
    line.will(DOWN, DOWN, *[MESSAGE] * 13, DOWN, MESSAGE, DOWN, MESSAGE)
    async with on(line, 14) as session:
        assert (await failed(session)).attempts == 2
        for _ in range(13):
            await session.track_message("m")
        assert (await failed(session)).attempts == 1
        await session.track_message("m")
        assert (await session.track_message("m")).message_id == "m"

    assert len(line.received) == 19


async def test_without_a_budget_every_attempt_is_made(line: RawServer) -> None:
    line.will(DOWN)
    async with on(line, None) as session:
        errors = [await failed(session) for _ in range(40)]

    assert {(error.attempts, error.budget_exhausted) for error in errors} == {(4, False)}


async def test_views_spend_from_the_budget_of_their_session(line: RawServer) -> None:
    line.will(DOWN)
    async with on(line, 28) as session:
        assert (await failed(session.with_options(retry=patience(28, attempts=9)))).attempts == 3
        assert (await failed(session)).attempts == 1
        assert (await failed(session.with_options(retry=patience(None)))).attempts == 4


async def test_what_never_left_is_paid_for_as_well_and_stays_safe_to_send(unused_tcp_port: int) -> None:
    async with RouteeSession(StaticToken("t"), base_url=f"http://127.0.0.1:{unused_tcp_port}", retry=patience(14)) as session:
        with pytest.raises(ConnectFailed) as caught:
            await session.send_campaign(CAMPAIGN)

    assert (caught.value.attempts, caught.value.budget_exhausted, caught.value.may_have_happened) == (2, True, False)


async def test_the_token_endpoint_has_a_budget_of_its_own(line: RawServer) -> None:
    """Two repeats here and two there: together they would be too many."""
    line.will(DOWN, DOWN, token(), DOWN, DOWN, MESSAGE)
    auth = ClientCredentials("id", "secret")
    async with RouteeSession(auth, base_url=line.url, auth_url=line.url, retry=patience(28)) as session:
        assert (await session.track_message("m")).message_id == "m"


async def test_another_token_is_no_repeat_to_pay_for(sandbox: Sandbox) -> None:
    auth = ClientCredentials(*sandbox.credentials)
    async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, retry=patience(0)) as session:
        await session.track_messages().count()
        sandbox.expire_tokens()
        assert await session.track_messages().count() == 500


async def test_h05_a_service_that_turns_us_away_for_ever_is_asked_until_the_deadline(line: RawServer) -> None:
    line.will(answer(429, complaint(), headers={"Retry-After": "0"}))
    async with RouteeSession(StaticToken("t"), base_url=line.url, retry=patience(None, attempts=100_000), deadline=0.3) as session:
        error = await failed(session)

    assert isinstance(error, RateLimited | DeadlineExceeded)
    assert error.attempts == len(line.received) > 3


async def test_a_429_lowers_the_rate_once_for_all_who_were_under_way(line: RawServer) -> None:
    """Five are refused together, and all are served at half the rate."""
    all_here = asyncio.Barrier(5)

    async def refuse(writer: asyncio.StreamWriter) -> bool:
        await all_here.wait()
        return await answer(429, complaint())(writer)

    line.will(*[refuse] * 5, MESSAGE)
    throttle = Throttle(Limits(rate=1000.0))
    async with RouteeSession(StaticToken("t"), base_url=line.url, retry=QUICK, throttle=throttle) as session:
        await asyncio.gather(*(session.track_message("m") for _ in range(5)))

    rate = throttle.snapshot().rate
    assert rate is not None
    assert 500.0 <= rate < 600.0


async def test_a_429_without_a_time_pauses_everybody_as_long_as_its_caller(line: RawServer) -> None:
    line.will(answer(429, complaint()), MESSAGE)
    throttle, pauses = Throttle(), []

    def observe(event: Event) -> None:
        if event.name == "pausing":
            pauses.append((event.seconds, throttle.snapshot().paused_for))

    async with RouteeSession(StaticToken("t"), base_url=line.url, throttle=throttle, retry=Retry(base=0.2), on_event=observe) as session:
        await session.track_message("m")

    [(own, for_all)] = pauses
    assert own - 0.05 < for_all <= own


async def test_forty_requests_at_fifty_a_second_are_spread_over_the_time_they_need(line: RawServer) -> None:
    came: list[float] = []
    clock = asyncio.get_running_loop().time

    async def note(writer: asyncio.StreamWriter) -> bool:
        came.append(clock())
        return await MESSAGE(writer)

    line.will(note)
    async with RouteeSession(StaticToken("t"), base_url=line.url, limits=Limits(max_in_flight=40, rate=50.0)) as session:
        await asyncio.gather(*(session.track_message("m") for _ in range(40)))

    assert 0.7 <= came[-1] - came[0] <= 1.5


async def test_nothing_is_held_during_a_pause(line: RawServer) -> None:
    """One slot; its owner is told to come back in 50 seconds, and somebody else is served over the same connection."""
    line.will(answer(503, complaint(), headers={"Retry-After": "50"}), MESSAGE)
    throttle, pausing = Throttle(Limits(max_in_flight=1)), asyncio.Event()
    async with RouteeSession(
        StaticToken("t"), base_url=line.url, throttle=throttle, on_event=lambda event: pausing.set() if event.name == "pausing" else None
    ) as session:
        waiting = asyncio.create_task(session.track_message("m"))
        await pausing.wait()
        assert throttle.snapshot().in_flight == 0
        await session.track_message("m-2")
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])

    assert [request.connection for request in line.received] == [1, 1]


async def test_nothing_is_held_while_a_token_is_fetched(line: RawServer) -> None:
    """Two sessions share one slot; the token of the first does not come."""
    line.will(falls_silent(), MESSAGE)
    throttle = Throttle(Limits(max_in_flight=1))
    auth = ClientCredentials("id", "secret")
    async with (
        RouteeSession(auth, base_url=line.url, auth_url=line.url, throttle=throttle) as waits,
        RouteeSession(StaticToken("t"), base_url=line.url, throttle=throttle) as goes,
    ):
        waiting = asyncio.create_task(waits.track_message("m"))
        await line.arrived.wait()
        assert (await goes.track_message("m")).message_id == "m"
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_a_deadline_covers_the_wait_for_a_slot(line: RawServer) -> None:
    """Who gives up in line has sent nothing, and stands in nobody's way."""
    line.will(falls_silent())
    throttle = Throttle(Limits(max_in_flight=1))
    async with RouteeSession(StaticToken("t"), base_url=line.url, throttle=throttle) as session:
        holder = asyncio.create_task(session.track_message("m"))
        await line.arrived.wait()
        with pytest.raises(DeadlineExceeded) as caught:
            await session.with_options(deadline=0.05).track_message("m-2")
        assert throttle.snapshot() == ThrottleSnapshot(in_flight=1, waiting=0, rate=None, rate_limit=None, paused_for=0.0)
        holder.cancel()
        await asyncio.wait([holder])

    assert caught.value.attempts == 0
    assert len(line.received) == 1


async def test_a_deadline_covers_the_wait_for_a_token(line: RawServer) -> None:
    line.will(falls_silent())
    auth = ClientCredentials("id", "secret")
    async with RouteeSession(auth, base_url=line.url, auth_url=line.url, deadline=0.05) as session:
        error = await failed(session)

    assert (type(error), error.attempts) == (DeadlineExceeded, 0)


def flaky(dice: random.Random) -> Step:
    """Answer at once, after a turn of the loop, or not at all."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        for _ in range(dice.choice([0, 1, 5])):
            await asyncio.sleep(0)
        return await dice.choice([MESSAGE, MESSAGE, DOWN, falls_silent()])(writer)

    return step


@pytest.mark.once
@pytest.mark.usefixtures("thousands_of_steps")
async def test_n19_a_thousand_cancellations_at_random_points_leave_nothing(line: RawServer) -> None:
    """In line, on the way, in a pause: no slot is missing and no connection taken afterwards, no task runs, and the next call is served.

    One call in ten is a paid send: none is sent twice, and none that left is missing in the journal.
    """
    dice, refs = random.Random(7), [f"order-{number}" for number in range(100)]
    line.will(flaky(dice))
    throttle = Throttle(Limits(max_in_flight=20))
    async with (
        aiohttp.ClientSession() as http,
        RouteeSession(StaticToken("t"), base_url=line.url, throttle=throttle, retry=patience(None), http=http) as session,
    ):
        before = len(asyncio.all_tasks())
        for start in range(0, 100, 10):
            calls = [asyncio.create_task(session.track_message("m")) for _ in range(90)]
            calls += [asyncio.create_task(session.send_campaign(evolve(CAMPAIGN, name=ref), ref=ref)) for ref in refs[start : start + 10]]
            dice.shuffle(calls)
            for call in dice.sample(calls, len(calls)):
                for _ in range(dice.choice([0, 0, 1, 3])):
                    await asyncio.sleep(0)
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        now = throttle.snapshot()
        taken = http.connector._acquired | session._transport._lanes.changing.connector._acquired
        left = Counter(json.loads(request.body)["name"] for request in line.received if request.method == "POST")
        kept = {ref for ref in refs if await session.journal.find(ref) is not None}
        line.will(MESSAGE)
        await asyncio.gather(*(session.track_message("m") for _ in range(40)))

        assert (now.in_flight, now.waiting, taken) == (0, 0, set())
        assert set(left.values()) == {1}, "some left, and none twice"
        assert left.keys() <= kept
        serving = {task for task in asyncio.all_tasks() if "serve" in repr(task.get_coro())}
        assert len(asyncio.all_tasks() - serving) <= before
