"""A good token is not thrown away because one endpoint refuses it: it is renewed once, and whoever it serves goes on with it."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from answers import MESSAGE, token
from campaigns import QUICK, complaint
from raw_server import RawServer, Step, answer, falls_silent, hangs_up

from voicedrop_async import (
    ClientCredentials,
    ConnectionLost,
    Event,
    Forbidden,
    Kind,
    RequestError,
    RouteeSession,
    ServerFailed,
    Unauthorized,
)

EXPIRED = answer(401, {"status": 401, "error": "Unauthorized", "message": "expired"})


@pytest.fixture
async def issuer() -> AsyncGenerator[RawServer]:
    """The token endpoint: each token is a new one."""
    async with RawServer([token(f"token-{number}") for number in range(50)]) as server:
        yield server


@pytest.fixture
async def session(line: RawServer, issuer: RawServer, events: list[Event]) -> AsyncGenerator[RouteeSession]:
    auth = ClientCredentials("application-1", "s3cret")
    async with RouteeSession(auth, base_url=line.url, auth_url=issuer.url, retry=QUICK, on_event=events.append) as session:
        yield session


def closed_to(line: RawServer, path: str, refusal: Step) -> None:
    """Let the service refuse whoever asks for ``path``, and answer everybody else."""

    async def step(writer: asyncio.StreamWriter) -> bool:
        return await (refusal if line.received[-1].target == path else MESSAGE)(writer)

    line.will(step)


def tried(line: RawServer, path: str) -> list[str]:
    return [request.headers["authorization"].removeprefix("Bearer ") for request in line.received if request.target == path]


async def closed(session: RouteeSession, error: type[RequestError]) -> None:
    with pytest.raises(error):
        await session.call("GET", "/closed", kind=Kind.READ)


async def test_a08_an_endpoint_that_is_forbidden_costs_one_token_however_often_it_is_asked(
    session: RouteeSession, issuer: RawServer, line: RawServer
) -> None:
    """It was two for each call."""
    closed_to(line, "/closed", answer(403, complaint()))

    for _ in range(10):
        await closed(session, Forbidden)
        await session.track_message("m")

    assert tried(line, "/closed") == ["token-0", *["token-1"] * 10]
    assert tried(line, "/voice/tracking/m") == ["token-1"] * 10
    assert len(issuer.received) == 2


async def test_a06_an_endpoint_that_says_401_for_ever_costs_one_token_a_call_and_leaves_the_others_a_good_one(
    session: RouteeSession, issuer: RawServer, line: RawServer
) -> None:
    """401 says that the token has ended, so each call asks for one other; the one refused as well stays."""
    closed_to(line, "/closed", EXPIRED)

    for _ in range(5):
        await closed(session, Unauthorized)
        await session.track_message("m")

    assert tried(line, "/closed") == [f"token-{number}" for call in range(5) for number in (call, call + 1)]
    assert tried(line, "/voice/tracking/m") == [f"token-{number}" for number in range(1, 6)]
    assert len(issuer.received) == 6


@pytest.mark.parametrize("refusal", [pytest.param(answer(403, complaint()), id="403"), pytest.param(EXPIRED, id="401")])
@pytest.mark.parametrize("broken", [pytest.param(answer(503), id="says 503"), pytest.param(hangs_up(), id="hangs up")])
async def test_a_renewal_that_fails_breaks_no_call_that_the_token_still_serves(
    session: RouteeSession, issuer: RawServer, line: RawServer, refusal: Step, broken: Step
) -> None:
    """The call that was refused hears why there is no other token; everybody else goes on with the one there is."""
    closed_to(line, "/closed", refusal)
    issuer.will(token("first"), broken)

    for _ in range(5):
        with pytest.raises((ServerFailed, ConnectionLost)) as caught:
            await session.call("GET", "/closed", kind=Kind.READ)
        assert caught.value.request == "POST /oauth/token"
        messages = await asyncio.gather(*(session.track_message("m") for _ in range(5)))
        assert [message.message_id for message in messages] == ["m"] * 5

    assert tried(line, "/voice/tracking/m") == ["first"] * 25
    assert tried(line, "/closed") == ["first"] * 5


async def test_a_renewal_that_hangs_holds_the_others_up_for_a_moment_only(
    session: RouteeSession, issuer: RawServer, line: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait, since the token may have ended; not as long as a token may take, since it may be good. Here, a twentieth of a second."""
    monkeypatch.setattr("voicedrop_async.auth._PATIENCE", 0.05)
    closed_to(line, "/closed", EXPIRED)
    issuer.will(token("first"), falls_silent())
    await session.track_message("m")
    issuer.arrived.clear()

    refused = asyncio.create_task(session.call("GET", "/closed", kind=Kind.READ))
    await issuer.arrived.wait()
    assert (await session.track_message("m")).message_id == "m"

    assert not refused.done()
    assert tried(line, "/voice/tracking/m") == ["first"] * 2
    refused.cancel()
    with pytest.raises(asyncio.CancelledError):
        await refused


async def test_a_call_that_comes_during_a_renewal_goes_out_with_the_new_token(
    session: RouteeSession, issuer: RawServer, line: RawServer
) -> None:
    """With the one that may have ended it would be refused, and have to come again."""
    free = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> bool:
        await free.wait()
        return await token("second")(writer)

    issuer.will(token("first"), slow)
    line.will(EXPIRED, MESSAGE)
    refused = asyncio.create_task(session.track_message("m"))
    while len(issuer.received) < 2:
        issuer.arrived.clear()
        await issuer.arrived.wait()
    later = asyncio.create_task(session.track_message("m"))
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(refused, later)

    assert tried(line, "/voice/tracking/m") == ["first", "second", "second"]
