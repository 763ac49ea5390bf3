"""What fails is called by its name: the network, the service, or the program around us."""

from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from campaigns import CAMPAIGN, QUICK, RECEIPT
from raw_server import RawServer, answer, says

from voicedrop_async import ConnectFailed, ConnectionLost, OutcomeUnknown, RequestError, RouteeSession, StaticToken

ANYTHING = answer(200, RECEIPT | {"messageId": "m-1"})
EARLY = ["on_request_start", "on_connection_create_start", "on_connection_create_end"]
LATE = ["on_request_headers_sent", "on_request_end"]


def traced(line: RawServer, moment: str, error: type[Exception]) -> RouteeSession:
    """A session whose tracing fails at ``moment``."""

    async def fails(_session: aiohttp.ClientSession, _context: SimpleNamespace, _params: Any) -> None:
        raise error("private")

    tracing = aiohttp.TraceConfig()
    getattr(tracing, moment).append(fails)
    line.will(ANYTHING)
    return RouteeSession(StaticToken("t"), base_url=line.url, trace_configs=[tracing], retry=QUICK)


@pytest.mark.parametrize("error", [ValueError, KeyError, TimeoutError, aiohttp.ClientOSError, aiohttp.ServerDisconnectedError])
@pytest.mark.parametrize("moment", EARLY + LATE)
async def test_a_hook_of_tracing_that_fails_is_named_and_not_the_network(line: RawServer, moment: str, error: type[Exception]) -> None:
    """It was called a broken connection, and a KeyError came out as it was. What fails each time is not tried again."""
    async with traced(line, moment, error) as session:
        with pytest.raises(RequestError, match="a hook of trace_configs raised ") as caught:
            await session.track_message("m-1")

    assert isinstance(caught.value, ConnectionLost | ConnectFailed)
    assert error.__name__ in str(caught.value)
    assert (caught.value.attempts, "private" in str(caught.value)) == (1, False)


@pytest.mark.parametrize("error", [ValueError, KeyError])
@pytest.mark.parametrize("moment", EARLY)
async def test_a_send_whose_hook_fails_before_it_leaves_was_not_sent(line: RawServer, moment: str, error: type[Exception]) -> None:
    async with traced(line, moment, error) as session:
        with pytest.raises(ConnectFailed, match="a hook of trace_configs"):
            await session.send_campaign(CAMPAIGN)

    assert line.received == []


@pytest.mark.parametrize("error", [ValueError, KeyError])
@pytest.mark.parametrize("moment", LATE)
async def test_a_send_whose_hook_fails_after_it_left_is_unknown(line: RawServer, moment: str, error: type[Exception]) -> None:
    async with traced(line, moment, error) as session:
        with pytest.raises(OutcomeUnknown, match="a hook of trace_configs") as caught:
            await session.send_campaign(CAMPAIGN)
        (entry,) = await session.journal.open_entries()

    assert (caught.value.attempts, entry.intent) == (1, caught.value.intent)
    assert len(line.received) <= 1


async def test_a_borrowed_session_that_its_owner_closes_is_named(line: RawServer) -> None:
    """Reading needs its connections; sending has its own, and goes on."""
    line.will(ANYTHING)
    lent = aiohttp.ClientSession()
    async with RouteeSession(StaticToken("t"), base_url=line.url, http=lent, retry=QUICK) as session:
        await session.track_message("m-1")
        await lent.close()

        with pytest.raises(ConnectFailed, match="the session given as http was closed by its owner") as caught:
            await session.track_message("m-1")
        assert (await session.send_campaign(CAMPAIGN)).tracking_id == "tid-1"

    assert (caught.value.attempts, caught.value.may_pass) == (1, False)
    assert len(line.received) == 2


async def test_a_borrowed_session_that_its_owner_closes_under_a_request_is_named(line: RawServer) -> None:
    lent = aiohttp.ClientSession()

    async def closes(_writer: object) -> bool:
        await lent.close()
        return True

    line.will(closes)
    async with RouteeSession(StaticToken("t"), base_url=line.url, http=lent, retry=QUICK) as session:
        with pytest.raises(ConnectionLost, match="the session given as http was closed by its owner") as caught:
            await session.track_message("m-1")

    assert (caught.value.attempts, len(line.received)) == (1, 1)


ODD = {
    "status 99999": says(b"HTTP/1.1 99999 What\r\n\r\n"),
    "no status line": says(b"SMTP ready\r\n\r\n"),
    "a header line of 20 KB": says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\nContent-Length: 2\r\n\r\n{}"),
}


@pytest.mark.parametrize("step", ODD)
async def test_h14_h15_what_is_not_http_is_called_so(line: RawServer, caller: RouteeSession, step: str) -> None:
    """The line held: it did not break."""
    line.will(ODD[step])

    with pytest.raises(ConnectionLost, match="what came is not HTTP as we know it: ClientResponseError at http://127") as caught:
        await caller.track_message("m-1")

    assert "broke" not in str(caught.value)
    assert caught.value.attempts == len(line.received) == 4


async def test_j17_an_encoding_that_nobody_can_read_is_called_so(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(200, b'{"messageId":"m-1"}', headers={"Content-Encoding": "br"}))

    with pytest.raises(RequestError, match=r"not HTTP as we know it|not compressed in the way it says"):
        await caller.track_message("m-1")
