"""A campaign rings telephones: what surely did not happen may be repeated, nothing else is."""

import asyncio
import pickle

import pytest
from campaigns import CAMPAIGN, NUMBER, RECEIPT, complaint
from raw_server import RawServer, Step, answer, falls_silent, hangs_up, resets, says

from voicedrop_async import (
    BadRequest,
    Conflict,
    ConnectFailed,
    Event,
    Kind,
    OutcomeUnknown,
    RateLimited,
    Retry,
    RouteeSession,
    ServerFailed,
    StaticToken,
    Timeouts,
)
from voicedrop_async.sandbox import Sandbox

RETRY_SOON = {"Retry-After": "0"}


async def test_a_campaign_is_sent_once_and_its_receipt_read(sandbox: Sandbox, routee: RouteeSession) -> None:
    receipt = await routee.send_campaign(CAMPAIGN)

    assert [campaign.tracking_id for campaign in sandbox.campaigns] == [receipt.tracking_id]
    assert receipt.campaign_name == "Spring sale"
    assert receipt.to == (NUMBER,)


async def test_p01_no_telephone_rings_twice_when_the_answer_is_lost(sandbox: Sandbox, routee: RouteeSession) -> None:
    """The server acts, then the line is cut: one campaign, and the caller is told."""
    sandbox.fail_next(drop="after_acting", path="/voice/campaign")

    with pytest.raises(OutcomeUnknown) as caught:
        await routee.send_campaign(CAMPAIGN)

    assert len(sandbox.campaigns) == 1
    assert caught.value.intent.campaign_name == "Spring sale"
    assert caught.value.may_have_happened
    assert "before you have looked" in str(caught.value)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(hangs_up(), id="closed without a byte"),
        pytest.param(resets(), id="reset"),
        pytest.param(says(b"HTTP/1.1 20"), id="cut in the status line"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Type: appl"), id="cut in the head"),
        pytest.param(says(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"trackingId"'), id="cut in the body"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"), id="cut in a chunk"),
        pytest.param(says(b"nonsense\r\n\r\n"), id="garbage instead of a head"),
        pytest.param(answer(200, b"<html>ok</html>", content_type="text/html"), id="html on 200"),
        pytest.param(answer(200, b""), id="nothing on 200"),
        pytest.param(answer(200, ["list"]), id="another shape on 200"),
        pytest.param(answer(200, {"state": "Queued"}), id="no tracking id on 200"),
        pytest.param(answer(500, complaint("500")), id="500 in JSON"),
        pytest.param(answer(502, b"<html>", content_type="text/html"), id="502 from a proxy"),
        pytest.param(answer(504, b"<html>", content_type="text/html"), id="504 from a proxy"),
        pytest.param(answer(503, b"<html>", headers=RETRY_SOON), id="503 from a proxy, with Retry-After"),
        pytest.param(answer(429, b"<html>", headers=RETRY_SOON), id="429 from a proxy, with Retry-After"),
        pytest.param(answer(503, {"message": "no healthy upstream"}, headers=RETRY_SOON), id="503 from a balancer that speaks JSON"),
        pytest.param(answer(429, {"message": "slow down"}, headers=RETRY_SOON), id="429 from a balancer that speaks JSON"),
        pytest.param(answer(503, {"status": 503, "error": "x", "message": "x"}, headers=RETRY_SOON), id="503 from the gateway in front"),
        pytest.param(answer(408, complaint("408")), id="408"),
        pytest.param(answer(400, b"<html>", content_type="text/html"), id="400 that is not the service's"),
        pytest.param(answer(307, b"", headers={"Location": "http://127.0.0.2/"}), id="redirect"),
    ],
)
async def test_what_may_have_happened_is_unknown_and_not_repeated(line: RawServer, caller: RouteeSession, step) -> None:
    line.will(step)

    with pytest.raises(OutcomeUnknown):
        await caller.send_campaign(CAMPAIGN)

    assert len(line.received) == 1


async def test_what_the_service_said_stands_behind_the_unknown(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(500, complaint("500", "database down")))

    with pytest.raises(OutcomeUnknown) as caught:
        await caller.send_campaign(CAMPAIGN)

    assert isinstance(caught.value.__cause__, ServerFailed)
    assert caught.value.__cause__.developer_message == "database down"


async def test_an_answer_that_does_not_come_is_unknown(line: RawServer) -> None:
    line.will(falls_silent())
    async with RouteeSession(StaticToken("t"), base_url=line.url, timeouts=Timeouts(read=0.05)) as session:
        with pytest.raises(OutcomeUnknown) as caught:
            await session.send_campaign(CAMPAIGN)

    assert "within 0.05 s" in str(caught.value)
    assert len(line.received) == 1


async def test_a_deadline_after_the_first_byte_is_unknown(line: RawServer, caller: RouteeSession) -> None:
    line.will(falls_silent())

    with pytest.raises(OutcomeUnknown):
        await caller.send_campaign(CAMPAIGN, deadline=0.05)

    assert len(line.received) == 1


@pytest.mark.parametrize(
    ("status", "error"), [(400, BadRequest), (409, Conflict), (422, BadRequest), (429, RateLimited), (503, ServerFailed)]
)
async def test_h10_a_refusal_by_the_service_itself_is_definite(line: RawServer, caller: RouteeSession, status: int, error: type) -> None:
    """An API error object says that the service did not act; without a Retry-After nothing is repeated."""
    line.will(answer(status, complaint(words="name taken")))

    with pytest.raises(error) as caught:
        await caller.send_campaign(CAMPAIGN)

    assert not caught.value.may_have_happened
    assert caught.value.developer_message == "name taken"
    assert len(line.received) == 1


async def test_h11_a_refusal_that_names_a_time_is_not_sent_again(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(400, complaint(), headers=RETRY_SOON))

    with pytest.raises(BadRequest) as caught:
        await caller.send_campaign(CAMPAIGN)

    assert caught.value.retry_after is None
    assert len(line.received) == 1


@pytest.mark.parametrize(("status", "seconds"), [(429, 0), (503, 1)])
async def test_h09_a_refusal_with_a_time_to_come_back_is_repeated_after_it(
    line: RawServer, caller: RouteeSession, events: list[Event], status: int, seconds: int
) -> None:
    came: list[float] = []

    def noting(step: Step) -> Step:
        async def note(writer: asyncio.StreamWriter) -> bool:
            came.append(asyncio.get_running_loop().time())
            return await step(writer)

        return note

    line.will(noting(answer(status, complaint(), headers={"Retry-After": str(seconds)})), noting(answer(200, RECEIPT)))

    receipt = await caller.send_campaign(CAMPAIGN)

    assert receipt.tracking_id == "tid-1"
    assert len(line.received) == 2
    assert came[1] - came[0] >= seconds
    assert [event.name for event in events] == ["answered", "pausing", "answered"]


async def test_what_never_left_is_repeated(line: RawServer, unused_tcp_port: int) -> None:
    """Nothing listens: each try is refused before a byte is sent, and the caller hears that it is safe."""
    async with RouteeSession(StaticToken("t"), base_url=f"http://127.0.0.1:{unused_tcp_port}", retry=Retry(base=0.001)) as session:
        with pytest.raises(ConnectFailed) as caught:
            await session.send_campaign(CAMPAIGN)

    assert caught.value.attempts == 4
    assert not caught.value.may_have_happened


async def test_each_paid_send_has_a_fresh_connection(line: RawServer, caller: RouteeSession) -> None:
    """A kept-alive connection can close under a request, which then may or may not have arrived."""
    line.will(answer(200, RECEIPT))

    for _ in range(3):
        await caller.send_campaign(CAMPAIGN)

    assert len({request.connection for request in line.received}) == 3


async def test_reads_share_a_connection(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(200, {"messageId": "m"}))

    for _ in range(3):
        await caller.track_message("m")

    assert len({request.connection for request in line.received}) == 1


async def test_a_refused_token_is_renewed_and_the_campaign_sent_once(sandbox: Sandbox, routee: RouteeSession) -> None:
    await routee.send_campaign(CAMPAIGN)
    sandbox.expire_tokens()

    await routee.send_campaign(CAMPAIGN)

    assert len(sandbox.campaigns) == 2


async def test_a_cancelled_send_stays_cancelled(line: RawServer, caller: RouteeSession) -> None:
    line.will(falls_silent())
    sending = asyncio.create_task(caller.send_campaign(CAMPAIGN))
    await line.arrived.wait()

    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending
    assert len(line.received) == 1


async def test_a_receipt_with_an_odd_field_still_bears_its_id(line: RawServer, caller: RouteeSession) -> None:
    """The campaign was taken: that its cost cannot be read must not make it unknown."""
    line.will(answer(200, RECEIPT | {"cost": "much", "createdAt": []}))

    receipt = await caller.send_campaign(CAMPAIGN)

    assert receipt.tracking_id == "tid-1"
    assert receipt.cost is None
    assert receipt.extra == {"cost": "much", "createdAt": []}


async def test_p13_invalid_recipients_of_a_taken_campaign_are_listed(line: RawServer, caller: RouteeSession) -> None:
    line.will(answer(200, RECEIPT | {"errors": [{"errorCode": "004", "developerMessage": "invalid", "property": [NUMBER]}]}))

    receipt = await caller.send_campaign(CAMPAIGN)

    (problem,) = receipt.problems
    assert (problem.code, problem.property) == ("004", (NUMBER,))
    assert NUMBER not in repr(receipt)


async def test_a_paid_call_of_ones_own_is_held_to_the_same(line: RawServer, caller: RouteeSession) -> None:
    line.will(hangs_up())

    with pytest.raises(OutcomeUnknown):
        await caller.call("POST", "/voice/conversation", kind=Kind.PAID, json={"to": {"phone": NUMBER}})

    assert len(line.received) == 1


async def test_an_unknown_outcome_pickles_with_its_intent(line: RawServer, caller: RouteeSession) -> None:
    line.will(hangs_up())
    with pytest.raises(OutcomeUnknown) as caught:
        await caller.send_campaign(CAMPAIGN)

    again = pickle.loads(pickle.dumps(caught.value))

    assert again.intent == caught.value.intent
    assert str(again) == str(caught.value)
