"""The life of a session: lazy, in one loop and process, closed once, with views that share it."""

import asyncio
import gc
import pickle
from datetime import timedelta

import aiohttp
import pytest
from answers import MESSAGE, token
from blockbuster import blockbuster_ctx
from campaigns import CAMPAIGN, QUICK, RECEIPT
from raw_server import RawServer, answer, falls_silent

from voicedrop_async import (
    ClientCredentials,
    ConfigError,
    DeadlineExceeded,
    Event,
    Kind,
    Limits,
    OutcomeUnknown,
    Retry,
    RouteeSession,
    ServerFailed,
    SessionClosed,
    SpacivoxSession,
    StaticToken,
    Throttle,
    Timeouts,
    VoiceDropError,
)
from voicedrop_async.sandbox import Sandbox


def test_a_session_is_made_without_a_loop() -> None:
    assert repr(RouteeSession(StaticToken("t"))) == "RouteeSession('https://connect.routee.net')"


async def test_nothing_is_sent_before_the_first_call(line: RawServer) -> None:
    async with RouteeSession(StaticToken("t"), base_url=line.url) as session:
        session.track_messages()
        session.track_campaign("tid")

    assert line.connections == 0


async def test_a_closed_session_says_so_and_closing_again_does_nothing(line: RawServer) -> None:
    session = RouteeSession(StaticToken("t"), base_url=line.url)
    line.will(MESSAGE)
    await session.track_message("m")

    await session.aclose()
    await session.aclose()

    with pytest.raises(SessionClosed):
        await session.track_message("m")
    with pytest.raises(SessionClosed):
        await session.track_messages().first()


async def test_d01_closing_ends_a_hundred_calls_under_way(line: RawServer) -> None:
    """On the wire or in line for a slot, a read is over; a paid send may have happened, and says so. Closing twice is once."""
    line.will(falls_silent())
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    tasks = asyncio.all_tasks()
    throttle = Throttle(Limits(max_in_flight=10))
    session = RouteeSession(StaticToken("t"), base_url=line.url, throttle=throttle)
    reads = [asyncio.create_task(session.track_message("m")) for _ in range(99)]
    paid = asyncio.create_task(session.send_campaign(CAMPAIGN))
    while len(line.received) < 10:
        line.arrived.clear()
        await line.arrived.wait()

    await asyncio.gather(session.aclose(), session.aclose())
    await session.aclose()

    results = await asyncio.gather(*reads, return_exceptions=True)
    assert {type(result) for result in results} == {SessionClosed}
    with pytest.raises(OutcomeUnknown):
        await paid
    assert len(line.received) == 10, "the others never left"
    now = throttle.snapshot()
    assert (now.in_flight, now.waiting) == (0, 0)
    assert {task for task in asyncio.all_tasks() - tasks if "_serve" not in repr(task.get_coro())} == set()
    gc.collect()
    assert complaints == []


def limits_that_hold(what: str) -> Throttle:
    """A throttle that lets one call start, and holds up the rest for an hour."""
    throttle = Throttle(Limits(rate=1 / 3600 if what == "a rate" else None, max_in_flight=1 if what == "full slots" else 8))
    if what == "a pause":
        throttle.pause(3600.0)
    return throttle


@pytest.mark.parametrize("what", ["a pause", "a rate", "full slots"])
async def test_d01_closing_ends_those_in_line_at_once_and_leaves_others_their_turn(line: RawServer, what: str) -> None:
    """Whatever holds them up. On a shared throttle those of the other session stay in line, and nobody holds a slot."""
    line.will(falls_silent())
    throttle = limits_that_hold(what)
    closes, stays = (RouteeSession(StaticToken("t"), base_url=line.url, throttle=throttle) for _ in range(2))
    ended = [asyncio.create_task(closes.track_message("m")) for _ in range(20)]
    ended.append(asyncio.create_task(closes.delete_campaign("tid")))
    paid = asyncio.create_task(closes.send_campaign(CAMPAIGN, ref="order-7"))
    if what != "a pause":
        await line.arrived.wait()
    waits = asyncio.create_task(stays.track_message("m"))
    await asyncio.sleep(0)
    assert throttle.snapshot().waiting == 22 + (what == "a pause")

    await closes.aclose()

    async with asyncio.timeout(5):
        results = await asyncio.gather(*ended, paid, return_exceptions=True)
    assert {type(result) for result in results} == {SessionClosed}
    assert await closes.journal.find("order-7") is None, "it was never begun"
    if what == "full slots":  # one was given back, and is the other session's
        while len(line.received) < 2:
            line.arrived.clear()
            await line.arrived.wait()
    assert (throttle.snapshot().waiting, throttle.snapshot().in_flight) == ((0, 1) if what == "full slots" else (1, 0))
    assert len(line.received) == {"a pause": 0, "a rate": 1, "full slots": 2}[what]
    assert not waits.done()
    await stays.aclose()
    await asyncio.wait([waits])
    assert (throttle.snapshot().waiting, throttle.snapshot().in_flight) == (0, 0)


async def test_d01_whose_token_comes_as_the_session_is_closed_does_not_stand_in_line(line: RawServer) -> None:
    """It would come too late to be sent away, and wait there for an hour."""
    line.will(token())
    throttle, closing = Throttle(), []
    throttle.pause(3600.0)

    def close_now(event: Event) -> None:
        if event.name == "answered":
            closing.append(asyncio.create_task(session.aclose()))

    auth = ClientCredentials("id", "secret")
    session = RouteeSession(auth, base_url=line.url, auth_url=line.url, throttle=throttle, on_event=close_now)
    async with asyncio.timeout(5):
        with pytest.raises(SessionClosed):
            await session.track_message("m")
        await closing[0]

    assert [request.target for request in line.received] == ["/oauth/token"]
    assert throttle.snapshot().waiting == 0


def test_d03_a_session_of_one_run_is_refused_in_another(unused_tcp_port: int) -> None:
    session = RouteeSession(StaticToken("t"), base_url=f"http://127.0.0.1:{unused_tcp_port}", retry=Retry(attempts=1))

    async def use() -> str:
        try:
            await session.track_message("m")
        except VoiceDropError as error:
            return f"{type(error).__name__}: {error}"
        finally:
            await session.aclose() if closing else None
        return "no error"

    closing = False
    assert asyncio.run(use()).startswith("ConnectFailed")
    closing = True
    assert "make one in each run" in asyncio.run(use())


def test_d03_a_session_is_refused_where_no_loop_of_asyncio_runs() -> None:
    """As under another library's loop, such as trio's, which awaits in the same words."""
    with pytest.raises(ConfigError, match="no loop of asyncio runs"):
        RouteeSession(StaticToken("t")).track_message("m").send(None)


async def test_a_session_in_use_is_closed_in_its_own_loop_only(line: RawServer, caller: RouteeSession) -> None:
    """From another thread it would be half closed, and its connections stay open."""
    line.will(MESSAGE)
    await caller.track_message("m")

    with pytest.raises(ConfigError, match="loop and process"):
        await asyncio.to_thread(asyncio.run, caller.aclose())

    assert (await caller.track_message("m")).message_id == "m"


async def test_a_borrowed_session_that_is_closed_is_refused() -> None:
    """Going on with connections of our own would drop its TLS settings without a word."""
    borrowed = aiohttp.ClientSession()
    session = RouteeSession(StaticToken("t"), http=borrowed)
    await borrowed.close()

    with pytest.raises(ConfigError, match="http: was closed"):
        await session.track_message("m")
    with pytest.raises(ConfigError, match="http: is closed"):
        RouteeSession(StaticToken("t"), http=borrowed)


async def test_a_session_is_not_pickled(caller: RouteeSession) -> None:
    with pytest.raises(ConfigError, match="make one in each process"):
        pickle.dumps(caller)


async def test_a_view_has_a_patience_of_its_own_and_shares_the_rest(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(503), MESSAGE)
    view = caller.with_options(retry=Retry(attempts=1), timeouts=Timeouts(read=1.0), deadline=5.0)

    with pytest.raises(ServerFailed) as caught:
        await view.track_message("m")
    assert caught.value.attempts == 1
    assert (await caller.track_message("m")).message_id == "m"
    assert len({request.connection for request in line.received}) == 1


async def test_closing_a_view_closes_nothing(line: RawServer, caller: RouteeSession) -> None:
    line.will(MESSAGE)

    async with caller.with_options(deadline=5.0) as view:
        await view.track_message("m")

    assert (await caller.track_message("m")).message_id == "m"


async def test_a_view_can_take_a_deadline_away(line: RawServer) -> None:
    line.will(falls_silent(), MESSAGE)
    async with RouteeSession(StaticToken("t"), base_url=line.url, deadline=0.05, retry=QUICK) as session:
        with pytest.raises(DeadlineExceeded):
            await session.track_message("m")
        assert (await session.with_options(deadline=None).track_message("m")).message_id == "m"
        assert (await session.with_options(retry=QUICK, deadline=9.0).track_message("m")).message_id == "m"


async def test_a_borrowed_session_lends_its_connections_and_nothing_else(line: RawServer) -> None:
    """Its cookies and headers stay out, it is not closed, and paid sends do not go over it."""
    line.will(answer(200, {"messageId": "m"}, headers={"Set-Cookie": "session=1; Path=/"}), MESSAGE, answer(200, RECEIPT))
    async with aiohttp.ClientSession(headers={"X-Mine": "1"}, cookies={"mine": "1"}) as borrowed:
        async with RouteeSession(StaticToken("t"), base_url=line.url, http=borrowed) as session:
            await session.track_message("m")
            await session.track_message("m")
            await session.send_campaign(CAMPAIGN)
        assert not borrowed.closed
        async with borrowed.get(line.url) as response:
            assert response.status == 200

    first, second, paid, own = line.received
    assert not {"cookie", "x-mine"} & {*first.headers, *second.headers, *paid.headers}
    assert first.connection == second.connection == own.connection != paid.connection


async def test_nothing_of_the_environment_is_used(
    line: RawServer, caller: RouteeSession, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    """No proxy, no netrc: both would send the token elsewhere, or another one."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.2:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.2:9")
    line.will(MESSAGE)

    await caller.track_message("m")

    assert line.received[0].headers["authorization"] == "Bearer static-token"


async def test_a_proxy_is_used_when_it_is_asked_for(line: RawServer) -> None:
    line.will(MESSAGE)
    async with RouteeSession(StaticToken("t"), base_url="http://127.0.0.9:9", proxy=line.url) as session:
        await session.track_message("m")

    assert line.received[0].target == "http://127.0.0.9:9/voice/tracking/m"


async def test_a_user_s_own_tracing_is_kept(line: RawServer) -> None:
    line.will(MESSAGE)
    seen: list[str] = []
    trace = aiohttp.TraceConfig()

    async def on_start(_session: object, _context: object, params: aiohttp.TraceRequestStartParams) -> None:
        seen.append(params.method)

    trace.on_request_start.append(on_start)
    async with RouteeSession(StaticToken("t"), base_url=line.url, trace_configs=[trace]) as session:
        await session.track_message("m")

    assert seen == ["GET"]


async def test_no_call_blocks_the_loop(sandbox: Sandbox, routee: RouteeSession) -> None:
    """A blocking call under one of ours would hold up everybody else in the web app."""
    with blockbuster_ctx("voicedrop_async"):
        receipt = await routee.send_campaign(CAMPAIGN)
        messages = await routee.track_messages().collect()

    assert receipt.tracking_id in {campaign.tracking_id for campaign in sandbox.campaigns}
    assert len(messages) == len(sandbox.messages)


async def test_any_endpoint_can_be_called_through_the_same_pipeline(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(503), answer(200, b'{"balance": 1}', headers={"X-Request-Id": "r"}))

    reply = await caller.call("POST", "/accounts/me/bal ance", kind=Kind.READ, params={"a": "x+y&", "n": 1, "b": True}, json={"k": "ü"})

    assert (reply.status, reply.body, reply.headers["x-request-id"], reply.attempts) == (200, b'{"balance": 1}', "r", 2)
    assert reply.elapsed > 0
    assert "balance" not in repr(reply)
    sent = line.received[-1]
    assert sent.target == "/accounts/me/bal%20ance?a=x%2By%26&n=1&b=true"
    assert sent.body == '{"k":"ü"}'.encode()
    assert sent.headers["content-type"] == "application/json"


ENVIRONMENT = {
    "ROUTEE_APPLICATION_ID": "credentials 0",
    "ROUTEE_APPLICATION_SECRET": "credentials 1",
    "ROUTEE_BASE_URL": "routee_url",
    "ROUTEE_AUTH_URL": "auth_url",
    "SPACIVOX_ACCESS_TOKEN": "spacivox_token",
    "SPACIVOX_BASE_URL": "spacivox_url",
}


@pytest.fixture
def environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"credentials 0": sandbox.credentials[0], "credentials 1": sandbox.credentials[1]}
    for name, source in ENVIRONMENT.items():
        monkeypatch.setenv(name, values.get(source) or getattr(sandbox, source))


@pytest.mark.usefixtures("environment")
async def test_both_sessions_come_from_the_environment(sandbox: Sandbox) -> None:
    async with RouteeSession.from_env(deadline=20.0) as routee, SpacivoxSession.from_env() as spacivox:
        assert await routee.track_messages().count() == len(sandbox.messages)
        now = sandbox.now
        assert await spacivox.list_drop_records(now - timedelta(days=30), now)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("name", ["ROUTEE_APPLICATION_ID", "ROUTEE_APPLICATION_SECRET", "SPACIVOX_ACCESS_TOKEN", "SPACIVOX_BASE_URL"])
def test_what_is_missing_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    make = RouteeSession.from_env if name.startswith("ROUTEE") else SpacivoxSession.from_env

    with pytest.raises(ConfigError, match=f"{name}: not set"):
        make()


@pytest.mark.usefixtures("environment")
def test_the_public_addresses_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROUTEE_BASE_URL")
    monkeypatch.delenv("ROUTEE_AUTH_URL")

    assert repr(RouteeSession.from_env()) == "RouteeSession('https://connect.routee.net')"
