"""Was it sent? Each way for a send to end, what the journal says of it, and what the same ref does next.

The ids begin with the rows of the matrix of faults.
"""

import asyncio
import pickle

import pytest
from campaigns import CAMPAIGN, NUMBER, QUICK, RECEIPT, complaint
from paid.journals import WatchedJournal
from raw_server import RawServer, Step, answer, falls_silent, hangs_up, resets, says

from voicedrop_async import (
    BadRequest,
    ClientCredentials,
    Conflict,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Kind,
    OutcomeUnknown,
    RateLimited,
    Reconciliation,
    RequestError,
    Retry,
    RouteeSession,
    SendState,
    ServerFailed,
    StaticToken,
    TimedOut,
    Timeouts,
    WireError,
)
from voicedrop_async.sandbox import Sandbox

SOON = {"Retry-After": "0"}
HTML = {"content_type": "text/html"}

MAY_HAVE_HAPPENED = {
    "P01 the line is cut before the answer": hangs_up(),
    "P04 200 with html": answer(200, b"<html>ok</html>", **HTML),
    "P04 200 of another shape": answer(200, {"state": "Queued"}),
    "N11 reset after the headers": resets(),
    "N12 cut in the status line": says(b"HTTP/1.1 2"),
    "N13 cut in the body": says(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"trackingId"'),
    "cut in the head": says(b"HTTP/1.1 200 OK\r\nContent-Type: appl"),
    "cut in a chunk": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"),
    "200 with nothing": answer(200, b""),
    "200 with a list": answer(200, ["list"]),
    "307": answer(307, b"", headers={"Location": "http://127.0.0.2/"}),
    "408": answer(408, complaint("408")),
    "400 that is not the service's": answer(400, b"<html>", **HTML),
    "429 from a proxy": answer(429, b"<html>", headers=SOON, **HTML),
    "429 from a balancer that speaks JSON": answer(429, {"message": "slow down"}, headers=SOON),
    "503 from a proxy": answer(503, b"<html>", headers=SOON, **HTML),
    "503 from a balancer that speaks JSON": answer(503, {"message": "no healthy upstream"}, headers=SOON),
    "503 from the gateway in front": answer(503, {"status": 503, "error": "x", "message": "x"}, headers=SOON),
}
NO_HTTP = {
    "99999": says(b"HTTP/1.1 99999 What\r\n\r\n"),
    "a status line that is none": says(b"SMTP ready\r\n\r\n"),
    "101": says(b"HTTP/1.1 101 Switching\r\n\r\n"),
    "101 and another protocol": falls_silent(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"),
    "100 and then nothing": says(b"HTTP/1.1 100 Continue\r\n\r\n" * 200),
    "a line of 20 KB": says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"),
    "two lengths": says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
}
SURELY_NOT = {
    "400": answer(400, complaint()),
    "P10 409": answer(409, complaint(words="name taken")),
    "422": answer(422, complaint()),
    "429": answer(429, complaint()),
    "503": answer(503, complaint()),
    "401": answer(401, {"error": "x"}),
    "403": answer(403, complaint()),
}


async def accepts(writer: asyncio.StreamWriter) -> bool:
    return await answer(200, RECEIPT)(writer)


async def test_a_campaign_is_sent_once_and_its_receipt_read(sandbox: Sandbox, shop: RouteeSession) -> None:
    receipt = await shop.send_campaign(CAMPAIGN)

    assert [campaign.tracking_id for campaign in sandbox.campaigns] == [receipt.tracking_id]
    assert receipt.campaign_name == "Spring sale"
    assert receipt.to == (NUMBER,)


async def test_p01_no_telephone_rings_twice_when_the_answer_is_lost(sandbox: Sandbox, shop: RouteeSession) -> None:
    """The server acts, then the line is cut: one campaign, and the caller is told."""
    sandbox.fail_next(drop="after_acting", path="/voice/campaign")

    with pytest.raises(OutcomeUnknown) as caught:
        await shop.send_campaign(CAMPAIGN)

    assert len(sandbox.campaigns) == 1
    assert caught.value.intent.campaign_name == "Spring sale"
    assert caught.value.may_have_happened
    assert "before you have looked" in str(caught.value)


@pytest.mark.parametrize("fault", MAY_HAVE_HAPPENED)
async def test_what_may_have_happened_stays_open_and_is_never_sent_again(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, fault: str
) -> None:
    line.will(MAY_HAVE_HAPPENED[fault], accepts)

    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert len(line.received) == 1
    assert [entry.intent.ref for entry in await journal.open_entries()] == ["order-7"]


async def stays_open(line: RawServer, sender: RouteeSession, journal: WatchedJournal, step: Step) -> OutcomeUnknown:
    """Send a campaign twice under one ref; see that one request went out and is unknown, and return what was told."""
    line.will(step, accepts)
    with pytest.raises(OutcomeUnknown) as caught:
        await sender.send_campaign(CAMPAIGN, ref="order-7")
    with pytest.raises(OutcomeUnknown):
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert len(line.received) == 1
    assert [entry.intent.ref for entry in await journal.open_entries()] == ["order-7"]
    return caught.value


async def test_h07_a_500_of_the_service_is_unknown(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> None:
    """It may have broken down before it acted, or after."""
    error = await stays_open(line, sender, journal, answer(500, complaint("500")))

    assert error.status == 500


@pytest.mark.parametrize("status", [502, 504])
async def test_h08_a_page_of_a_proxy_is_unknown(line: RawServer, sender: RouteeSession, journal: WatchedJournal, status: int) -> None:
    """It lost the answer of the service, which may have acted."""
    error = await stays_open(line, sender, journal, answer(status, b"<html>", **HTML))

    assert error.status == status


@pytest.mark.parametrize("head", NO_HTTP)
async def test_h14_what_is_not_http_is_unknown(line: RawServer, sender: RouteeSession, journal: WatchedJournal, head: str) -> None:
    """The request went out; that no service of this world answers so does not mean that none has acted."""
    error = await stays_open(line, sender, journal, NO_HTTP[head])

    assert isinstance(error.__cause__, ConnectionLost)
    assert error.status is None


@pytest.mark.parametrize(
    ("step", "facts"),
    [
        (answer(200, b"<html>ok</html>", **HTML), (200, "text/html", 15)),
        (answer(201, {"state": "Queued"}), (201, "application/json", 19)),
    ],
    ids=["html", "another shape"],
)
async def test_p04_what_came_instead_of_a_receipt_is_told(
    line: RawServer, sender: RouteeSession, step: Step, facts: tuple[int, str, int]
) -> None:
    """Probably taken, and nobody can read by whom: status, content type and length tell the service's page from a proxy's."""
    line.will(step)

    with pytest.raises(OutcomeUnknown) as caught:
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    cause = caught.value.__cause__
    assert isinstance(cause, WireError)
    assert (cause.status, cause.content_type, cause.length) == facts
    assert caught.value.status == facts[0]


async def test_a_paid_call_of_ones_own_is_held_to_the_same(line: RawServer, sender: RouteeSession) -> None:
    line.will(hangs_up())

    with pytest.raises(OutcomeUnknown):
        await sender.call("POST", "/voice/conversation", kind=Kind.PAID, json={"to": {"phone": NUMBER}})

    assert len(line.received) == 1


async def test_an_unknown_outcome_pickles_with_its_intent(line: RawServer, sender: RouteeSession) -> None:
    line.will(hangs_up())
    with pytest.raises(OutcomeUnknown) as caught:
        await sender.send_campaign(CAMPAIGN)

    again = pickle.loads(pickle.dumps(caught.value))

    assert again.intent == caught.value.intent
    assert str(again) == str(caught.value)


@pytest.mark.parametrize("fault", SURELY_NOT)
async def test_what_surely_did_not_happen_can_be_sent_again(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, fault: str
) -> None:
    line.will(SURELY_NOT[fault])
    with pytest.raises(RequestError) as caught:
        await sender.send_campaign(CAMPAIGN, ref="order-7")
    refused = await journal.find("order-7")

    line.will(accepts)
    await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert not caught.value.may_have_happened
    assert refused is not None
    assert refused.state is SendState.NOT_SENT
    assert await journal.open_entries() == []


@pytest.mark.parametrize(
    ("status", "error"), [(400, BadRequest), (409, Conflict), (422, BadRequest), (429, RateLimited), (503, ServerFailed)]
)
async def test_h10_a_refusal_by_the_service_itself_is_definite(line: RawServer, sender: RouteeSession, status: int, error: type) -> None:
    """An API error object says that the service did not act; without a Retry-After nothing is repeated."""
    line.will(answer(status, complaint(words="name taken")))

    with pytest.raises(error) as caught:
        await sender.send_campaign(CAMPAIGN)

    assert not caught.value.may_have_happened
    assert caught.value.developer_message == "name taken"
    assert len(line.received) == 1


async def test_h11_a_refusal_that_names_a_time_is_not_sent_again(line: RawServer, sender: RouteeSession) -> None:
    line.will(answer(400, complaint(), headers=SOON))

    with pytest.raises(BadRequest) as caught:
        await sender.send_campaign(CAMPAIGN)

    assert caught.value.retry_after is None
    assert len(line.received) == 1


@pytest.mark.parametrize(("status", "seconds"), [(429, 0), (503, 1)])
async def test_h09_a_refusal_with_a_time_to_come_back_is_repeated_after_it(
    line: RawServer, sender: RouteeSession, status: int, seconds: int
) -> None:
    came: list[float] = []

    def noting(step: Step) -> Step:
        async def note(writer: asyncio.StreamWriter) -> bool:
            came.append(asyncio.get_running_loop().time())
            return await step(writer)

        return note

    line.will(noting(answer(status, complaint(), headers={"Retry-After": str(seconds)})), noting(answer(200, RECEIPT)))

    receipt = await sender.send_campaign(CAMPAIGN)

    assert receipt.tracking_id == "tid-1"
    assert len(line.received) == 2
    assert came[1] - came[0] >= seconds


@pytest.mark.parametrize("status", [429, 503])
async def test_h09_a_time_to_come_back_is_one_claim_and_two_requests(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, status: int
) -> None:
    """Once a call, not once an attempt: between the two nobody else can begin."""
    line.will(answer(status, complaint(), headers=SOON), accepts)

    await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert len(line.received) == 2
    assert [name for name in journal.asked if name in {"claim", "settle"}] == ["claim", "settle"]


async def test_p09_a_refused_token_is_renewed_and_one_send_accepted(sandbox: Sandbox, shop: RouteeSession, journal: WatchedJournal) -> None:
    await shop.track_messages(max_items=1).collect()
    sandbox.expire_tokens()

    await shop.send_campaign(CAMPAIGN, ref="order-7")

    sends = [request for request in sandbox.requests if request.path == "/voice/campaign"]
    assert [request.status for request in sends] == [401, 200]
    assert len(sandbox.campaigns) == 1
    assert await journal.open_entries() == []


async def test_p02_an_answer_that_comes_too_late_is_unknown_and_reconciled(sandbox: Sandbox, shop: RouteeSession) -> None:
    sandbox.delay(5.0, path="/voice/campaign")
    with pytest.raises(OutcomeUnknown) as caught:
        await shop.with_options(timeouts=Timeouts(read=0.2)).send_campaign(CAMPAIGN, ref="order-7")

    assert await shop.reconcile(caught.value.intent) is Reconciliation.SENT
    assert len(sandbox.campaigns) == 1


async def test_p10_a_name_that_is_taken_after_an_unknown_is_no_second_send() -> None:
    """The same campaign under another ref: the service refuses the name, and the first one is reconciled."""
    async with Sandbox(messages=0, drops=0, unique_names=True) as sandbox:
        sandbox.fail_next(drop="after_acting", path="/voice/campaign")
        auth = ClientCredentials(*sandbox.credentials)
        async with RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, retry=QUICK) as session:
            with pytest.raises(OutcomeUnknown):
                await session.send_campaign(CAMPAIGN, ref="order-7")
            with pytest.raises(Conflict):
                await session.send_campaign(CAMPAIGN, ref="order-8")

            assert await session.reconcile("order-7") is Reconciliation.SENT
        assert len(sandbox.campaigns) == 1


async def test_n01_what_never_left_is_repeated_and_settled_as_not_sent(journal: WatchedJournal, unused_tcp_port: int) -> None:
    """Nothing listens: each try is refused before a byte is sent, and the caller hears that it is safe."""
    async with RouteeSession(
        StaticToken("t"), base_url=f"http://127.0.0.1:{unused_tcp_port}", journal=journal, retry=Retry(base=0.001)
    ) as session:
        with pytest.raises(ConnectFailed) as caught:
            await session.send_campaign(CAMPAIGN, ref="order-7")

    assert (caught.value.attempts, caught.value.may_have_happened) == (4, False)
    entry = await journal.find("order-7")
    assert entry is not None
    assert entry.state is SendState.NOT_SENT


async def test_a_server_that_falls_silent_under_a_send_is_unknown(line: RawServer, journal: WatchedJournal) -> None:
    """The bytes arrived and nothing comes back: never taken for "no connection"."""
    line.will(falls_silent())
    async with RouteeSession(StaticToken("t"), base_url=line.url, journal=journal, timeouts=Timeouts(read=0.1)) as session:
        with pytest.raises(OutcomeUnknown) as caught:
            await session.send_campaign(CAMPAIGN, ref="order-7")

    assert isinstance(caught.value.__cause__, TimedOut)
    assert "within 0.1 s" in str(caught.value)
    assert len(await journal.open_entries()) == 1
    assert len(line.received) == 1


async def test_each_paid_send_has_a_fresh_connection(line: RawServer, sender: RouteeSession) -> None:
    """A kept-alive connection can close under a request, which then may or may not have arrived."""
    line.will(answer(200, RECEIPT))

    for _ in range(3):
        await sender.send_campaign(CAMPAIGN)

    assert len({request.connection for request in line.received}) == 3


@pytest.mark.once
@pytest.mark.usefixtures("thousands_of_steps")
async def test_n10_a_thousand_sends_meet_no_stale_connection(line: RawServer, sender: RouteeSession) -> None:
    """The server promises to keep each connection and closes it: a send on one that was kept would be ambiguous."""
    line.will(_keeps_no_promise)

    for number in range(1000):
        await sender.send_campaign(CAMPAIGN, ref=f"order-{number}")

    print(f"1000 sends over {line.connections} connections, 0 ambiguous")
    assert len(line.received) == 1000
    assert line.connections == 1000


async def _keeps_no_promise(writer: asyncio.StreamWriter) -> bool:
    await answer(200, RECEIPT, headers={"Connection": "keep-alive", "Keep-Alive": "timeout=60"})(writer)
    return False


@pytest.mark.parametrize("step", [falls_silent(), falls_silent(b"HTTP/1.1 200 OK\r\n")], ids=["before the answer", "within it"])
async def test_a_deadline_after_the_first_byte_leaves_it_open(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, step: Step
) -> None:
    line.will(step)

    with pytest.raises(OutcomeUnknown) as caught:
        await sender.send_campaign(CAMPAIGN, ref="order-7", deadline=0.1)

    assert isinstance(caught.value.__cause__, DeadlineExceeded) or "not done within" in str(caught.value)
    assert len(await journal.open_entries()) == 1
    assert len(line.received) == 1


async def test_a_deadline_before_the_first_byte_leaves_nothing(sandbox: Sandbox, shop: RouteeSession, journal: WatchedJournal) -> None:
    """No token comes in time: the journal was not even asked to write."""
    sandbox.delay(5.0, path="/oauth/token")

    with pytest.raises(DeadlineExceeded) as caught:
        await shop.send_campaign(CAMPAIGN, ref="order-7", deadline=0.1)

    assert not caught.value.may_have_happened
    assert "claim" not in journal.asked
    assert sandbox.campaigns == ()


async def test_what_the_service_said_stands_behind_the_unknown(line: RawServer, sender: RouteeSession) -> None:
    line.will(answer(500, complaint("500", "database down")))

    with pytest.raises(OutcomeUnknown) as caught:
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert isinstance(caught.value.__cause__, ServerFailed)
    assert caught.value.__cause__.developer_message == "database down"
    assert caught.value.status == 500
