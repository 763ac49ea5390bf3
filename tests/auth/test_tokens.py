"""Tokens: one renewal for everybody, before the end, once for each that is refused."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator

import pytest
from answers import MESSAGE, token
from auth.clock import Clock
from campaigns import CAMPAIGN, QUICK, RECEIPT, complaint
from raw_server import RawServer, Step, answer, falls_silent, hangs_up

from voicedrop_async import (
    ClientCredentials,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Event,
    Forbidden,
    Limits,
    OutcomeUnknown,
    RequestError,
    Retry,
    RouteeSession,
    ServerFailed,
    SessionClosed,
    Throttle,
    Unauthorized,
)
from voicedrop_async.sandbox import Sandbox


@pytest.fixture
async def issuer() -> AsyncGenerator[RawServer]:
    """The token endpoint, on an origin of its own."""
    async with RawServer([token()]) as server:
        yield server


@pytest.fixture
async def session(line: RawServer, issuer: RawServer) -> AsyncGenerator[RouteeSession]:
    line.will(MESSAGE)
    auth = ClientCredentials("application-1", "s3cret")
    async with RouteeSession(auth, base_url=f"{line.url}/api/", auth_url=f"{issuer.url}/login", retry=QUICK) as session:
        yield session


async def test_a_token_is_asked_for_with_basic_credentials_and_a_form(session: RouteeSession, issuer: RawServer, line: RawServer) -> None:
    """The secret goes to the token host and nowhere else, the token to the API host and nowhere else."""
    await session.track_message("m")

    (asked,) = issuer.received
    assert (asked.method, asked.target, asked.body) == ("POST", "/login/oauth/token", b"grant_type=client_credentials")
    assert asked.headers["authorization"] == "Basic YXBwbGljYXRpb24tMTpzM2NyZXQ="
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    (called,) = line.received
    assert called.target == "/api/voice/tracking/m"
    assert called.headers["authorization"] == "Bearer first"


@pytest.mark.usefixtures("thousands_of_steps")
async def test_a01_many_callers_share_one_request_for_a_token(session: RouteeSession, issuer: RawServer, line: RawServer) -> None:
    messages = await asyncio.gather(*(session.track_message("m") for _ in range(500)))

    assert [message.message_id for message in messages] == ["m"] * 500
    assert (len(issuer.received), len(line.received)) == (1, 500)


def asked_for_tokens(sandbox: Sandbox) -> int:
    return sum(request.path == "/oauth/token" for request in sandbox.requests)


async def test_a02_a_token_that_is_refused_in_the_middle_of_a_fan_out_is_renewed_once(sandbox: Sandbox, routee: RouteeSession) -> None:
    """Whoever is under way with it at that moment is refused, and has its page with the next one."""
    ids = sandbox.history_campaigns * 6
    ended = []
    async for outcome in routee.track_campaigns(ids, concurrency=4, page_size=50):
        ended.append(outcome)
        if len(ended) == 10:
            sandbox.expire_tokens()

    assert [outcome.key for outcome in ended if not outcome.ok] == []
    assert Counter(outcome.key for outcome in ended) == Counter(ids)
    assert asked_for_tokens(sandbox) == 2
    assert any(request.status == 401 for request in sandbox.requests)


async def test_a02_a_token_that_ends_by_its_age_in_the_middle_of_a_fan_out_is_renewed_once(
    session: RouteeSession, issuer: RawServer, line: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hour is over when the sixth call is on the wire; nobody is refused on the way."""
    clock = Clock()
    monkeypatch.setattr(session._transport._tokens, "_clock", clock)
    issuer.will(token("first"), token("second"))

    async def ages(writer: asyncio.StreamWriter) -> bool:
        clock.now = 3600.0 if len(line.received) >= 6 else 0.0
        return await answer(200, {"content": [], "totalPages": 0, "last": True})(writer)

    line.will(ages)
    outcomes = [outcome async for outcome in session.track_campaigns(map(str, range(24)), concurrency=6)]

    assert [outcome.key for outcome in outcomes if not outcome.ok] == []
    assert {request.headers["authorization"] for request in line.received} == {"Bearer first", "Bearer second"}
    assert (len(outcomes), len(line.received), len(issuer.received)) == (24, 24, 2)


@pytest.mark.usefixtures("thousands_of_steps")
async def test_a07_a_hundred_callers_refused_at_once_share_one_renewal(line: RawServer, issuer: RawServer) -> None:
    """All are on the wire with the old token; half of them hear that it has ended only when the new one is in use."""
    issuer.will(token("first"), token("second"))
    everybody, renewed, refused = asyncio.Event(), asyncio.Event(), 0

    async def refuses_the_first(writer: asyncio.StreamWriter) -> bool:
        nonlocal refused
        if line.received[-1].headers["authorization"] != "Bearer first":
            renewed.set()
            return await MESSAGE(writer)
        refused += 1
        if refused == 100:
            everybody.set()
        await (everybody if refused % 2 else renewed).wait()
        return await answer(401, {"status": 401, "error": "Unauthorized", "message": "expired"})(writer)

    line.will(refuses_the_first)
    auth, limits = ClientCredentials("application-1", "s3cret"), Limits(max_in_flight=200)
    async with RouteeSession(auth, base_url=line.url, auth_url=issuer.url, limits=limits, retry=QUICK) as session:
        messages = await asyncio.gather(*(session.track_message("m") for _ in range(100)))

    assert {message.message_id for message in messages} == {"m"}
    assert (len(issuer.received), len(line.received)) == (2, 200)


@pytest.mark.parametrize(
    ("step", "error"),
    [pytest.param(answer(503), ServerFailed, id="503"), pytest.param(hangs_up(), ConnectionLost, id="hangs up")],
)
async def test_a05_many_callers_share_the_failure_of_the_token_endpoint(
    session: RouteeSession, issuer: RawServer, line: RawServer, step: Step, error: type[RequestError]
) -> None:
    """It is asked as often as for one of them, and each hears the same."""
    issuer.will(step)

    results = await asyncio.gather(*(session.track_message("m") for _ in range(50)), return_exceptions=True)

    assert {type(result) for result in results} == {error}
    assert {str(result) for result in results} == {str(results[0])}
    assert len(issuer.received) == 3
    assert line.received == []


async def test_a05_a_token_endpoint_that_is_not_there_is_asked_no_more_often_for_many_than_for_one(
    line: RawServer, events: list[Event], unused_tcp_port: int
) -> None:
    auth, nowhere = ClientCredentials("application-1", "s3cret"), f"http://127.0.0.1:{unused_tcp_port}"
    async with RouteeSession(auth, base_url=line.url, auth_url=nowhere, retry=QUICK, on_event=events.append) as session:
        results = await asyncio.gather(*(session.track_message("m") for _ in range(50)), return_exceptions=True)

    assert {type(result) for result in results} == {ConnectFailed}
    assert [event.route for event in events if event.name == "failed"] == ["POST /oauth/token"] * 3
    assert line.received == []


async def test_a03_a_caller_that_goes_away_takes_no_other_with_it(session: RouteeSession, issuer: RawServer, line: RawServer) -> None:
    """The one whose call began the renewal is cancelled; the renewal goes on for the rest."""
    released = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> bool:
        await released.wait()
        return await token()(writer)

    issuer.will(slow)
    first = asyncio.create_task(session.track_message("m"))
    await issuer.arrived.wait()
    others = [asyncio.create_task(session.track_message("m")) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    released.set()

    assert [message.message_id for message in await asyncio.gather(*others)] == ["m"] * 5
    assert first.cancelled()
    assert len(issuer.received) == 1


async def test_a06_a_second_refusal_is_final(session: RouteeSession, issuer: RawServer, line: RawServer) -> None:
    issuer.will(token("first"), token("second"))
    line.will(answer(401, {"status": 401, "error": "Unauthorized", "message": "expired"}))

    with pytest.raises(Unauthorized):
        await session.track_message("m")

    assert [request.headers["authorization"] for request in line.received] == ["Bearer first", "Bearer second"]
    assert len(issuer.received) == 2


async def test_a08_a_lack_of_permission_renews_each_token_once(session: RouteeSession, issuer: RawServer, line: RawServer) -> None:
    """403 may be a bad token or a list of allowed addresses; the service gives out the same token again."""
    line.will(answer(403, complaint()))

    for _ in range(5):
        with pytest.raises(Forbidden):
            await session.track_message("m")

    assert len(issuer.received) == 2
    assert len(line.received) == 6, "one more than there were calls"


async def test_a08_a_lack_of_permission_makes_no_loop_where_each_token_is_a_new_one(
    session: RouteeSession, issuer: RawServer, line: RawServer
) -> None:
    """The first is tried once, and the one that came in its place stays: it is not the token that is refused."""
    issuer.will(*(token(f"token-{number}") for number in range(20)))
    line.will(answer(403, complaint()))

    for _ in range(5):
        with pytest.raises(Forbidden):
            await session.track_message("m")

    tried = [request.headers["authorization"] for request in line.received]
    assert tried == ["Bearer token-0", *["Bearer token-1"] * 5]
    assert len(issuer.received) == 2


async def test_many_callers_forbidden_at_once_all_get_the_new_token(session: RouteeSession, issuer: RawServer, line: RawServer) -> None:
    """The first of them asks for another token, and the rest wait for it instead of giving up."""
    issuer.will(token("first"), token("second"))

    async def by_token(writer: asyncio.StreamWriter) -> bool:
        fresh = line.received[-1].headers["authorization"] == "Bearer second"
        return await (MESSAGE if fresh else answer(403, complaint()))(writer)

    line.will(by_token)

    messages = await asyncio.gather(*(session.track_message("m") for _ in range(20)))

    assert {message.message_id for message in messages} == {"m"}
    assert len(issuer.received) == 2


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>"])
async def test_a_campaign_refused_with_401_is_sent_with_another_token_whatever_the_body(
    session: RouteeSession, issuer: RawServer, line: RawServer, body: bytes
) -> None:
    issuer.will(token("first"), token("second"))
    line.will(answer(401, body), answer(200, RECEIPT))

    assert (await session.send_campaign(CAMPAIGN)).tracking_id == "tid-1"
    assert [request.headers["authorization"] for request in line.received] == ["Bearer first", "Bearer second"]


async def test_a_campaign_refused_with_an_odd_403_is_unknown_and_the_next_has_another_token(
    session: RouteeSession, issuer: RawServer, line: RawServer
) -> None:
    issuer.will(token("first"), token("second"))
    line.will(answer(403, b"{}"), answer(200, RECEIPT))

    with pytest.raises(OutcomeUnknown):
        await session.send_campaign(CAMPAIGN)

    assert (await session.send_campaign(CAMPAIGN)).tracking_id == "tid-1"
    assert line.received[-1].headers["authorization"] == "Bearer second"


async def test_a_pause_of_the_service_does_not_hold_up_tokens(line: RawServer, issuer: RawServer) -> None:
    """They come from another host; a call without a deadline must not fail because a token waited too long."""
    throttle = Throttle()
    throttle.pause(3600.0)
    async with RouteeSession(ClientCredentials("i", "s"), base_url=line.url, auth_url=issuer.url, throttle=throttle) as session:
        waiting = asyncio.create_task(session.track_message("m"))
        await issuer.arrived.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert line.received == []


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(answer(200, b"<html>", content_type="text/html"), id="html"),
        pytest.param(answer(200, {}), id="empty object"),
        pytest.param(answer(200, b"null"), id="null"),
        pytest.param(token("two\r\nlines"), id="a line break in the token"),
        pytest.param(token("two\nlines"), id="half a line break in it"),
        pytest.param(token("line\r\n"), id="a line break behind it"),
        pytest.param(token(kind="mac"), id="another type"),
        pytest.param(token(lifetime=-1), id="ended already"),
        pytest.param(token(lifetime=True), id="no number"),
        pytest.param(answer(401, {"status": 401, "error": "Unauthorized", "message": "Bad credentials"}), id="401"),
        pytest.param(answer(400, {"error": "invalid_scope", "error_description": "no such scope"}), id="400"),
    ],
)
async def test_a10_a11_no_usable_token_is_unauthorized(session: RouteeSession, issuer: RawServer, line: RawServer, step: Step) -> None:
    issuer.will(step)

    with pytest.raises(Unauthorized):
        await session.track_message("m")

    assert line.received == []


@pytest.mark.parametrize("kind", ["bearer", "BEARER", "Bearer"])
async def test_a11_the_type_of_a_token_is_read_in_any_case(session: RouteeSession, issuer: RawServer, line: RawServer, kind: str) -> None:
    issuer.will(token(kind=kind))

    await session.track_message("m")

    assert line.received[0].headers["authorization"] == "Bearer first"


async def test_a_token_endpoint_that_breaks_off_is_asked_again(session: RouteeSession, issuer: RawServer) -> None:
    issuer.will(hangs_up(), token())

    assert (await session.track_message("m")).message_id == "m"


async def test_a_token_endpoint_that_stays_broken_is_a_lost_connection(session: RouteeSession, issuer: RawServer) -> None:
    issuer.will(hangs_up())

    with pytest.raises(ConnectionLost) as caught:
        await session.track_message("m")

    assert caught.value.request == "POST /oauth/token"


@pytest.mark.parametrize(("allowed", "made"), [(9, 3), (2, 2)])
async def test_a_token_is_asked_for_three_times_at_most_however_patient_the_session_is(
    line: RawServer, issuer: RawServer, allowed: int, made: int
) -> None:
    issuer.will(answer(503))
    retry = Retry(attempts=allowed, base=0.001, cap=0.002)
    async with RouteeSession(ClientCredentials("i", "s"), base_url=line.url, auth_url=issuer.url, retry=retry) as session:
        with pytest.raises(ServerFailed) as caught:
            await session.track_message("m")

    assert (caught.value.request, caught.value.attempts, len(issuer.received)) == ("POST /oauth/token", made, made)


async def test_a_wait_that_passes_the_fifteen_seconds_of_a_token_is_not_begun(session: RouteeSession, issuer: RawServer) -> None:
    """Nobody waits: the caller hears at once, and of how long the endpoint wanted to be left alone."""
    issuer.will(answer(503, headers={"Retry-After": "15"}))

    with pytest.raises(ServerFailed) as caught:
        await session.track_message("m")

    assert (caught.value.retry_after, caught.value.attempts, len(issuer.received)) == (15.0, 1, 1)


async def test_a_wait_within_the_fifteen_seconds_of_a_token_is_begun(line: RawServer, issuer: RawServer) -> None:
    issuer.will(answer(503, headers={"Retry-After": "13"}))
    pausing: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
    auth = ClientCredentials("i", "s")
    async with RouteeSession(
        auth, base_url=line.url, auth_url=issuer.url, on_event=lambda event: pausing.set_result(event) if event.name == "pausing" else None
    ) as session:
        call = asyncio.create_task(session.track_message("m"))
        assert 13.0 <= (await pausing).seconds <= 14.3
    with pytest.raises(SessionClosed):
        await call


async def test_a_token_endpoint_that_is_silent_is_given_up_at_the_time_for_a_token(
    session: RouteeSession, issuer: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call has no deadline of its own, and an attempt may take longer; a twentieth of a second stands for the fifteen."""
    monkeypatch.setattr("voicedrop_async._transport._TOKEN_DEADLINE", 0.05)
    issuer.will(falls_silent())

    with pytest.raises(DeadlineExceeded) as caught:
        await session.track_message("m")

    assert (caught.value.request, caught.value.may_have_happened) == ("POST /oauth/token", False)
    assert "not done within 0.05 s" in str(caught.value)
    issuer.will(token())
    assert (await session.track_message("m")).message_id == "m"


async def test_closing_ends_a_renewal_that_hangs(session: RouteeSession, issuer: RawServer) -> None:
    issuer.will(falls_silent())
    waiting = asyncio.create_task(session.track_message("m"))
    await issuer.arrived.wait()

    await session.aclose()

    with pytest.raises(SessionClosed):
        await waiting
