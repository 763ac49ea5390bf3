"""A line that breaks while a request is on it: what is read is read again, and a campaign is never sent a second time."""

import asyncio
import gzip
import json
import re

import pytest
from campaigns import CAMPAIGN, QUICK, RECEIPT, complaint
from chaos_relay import ChaosRelay, Plan, Then, Way
from raw_server import RawServer, Step, answer, falls_silent, hangs_up, resets, says

from voicedrop_async import (
    ConnectionLost,
    Event,
    OutcomeUnknown,
    Retry,
    RouteeSession,
    StaticToken,
    TimedOut,
    Timeouts,
    WireError,
)

BODY = json.dumps(RECEIPT | {"messageId": "m-1", "country": "Grüße"}, ensure_ascii=False).encode()
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
    b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (BODY[:9], BODY[9:], b"")
)
ZIPPED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(gzip.compress(BODY)), gzip.compress(BODY))
FORMS = {"sized": SIZED, "chunked": CHUNKED, "gzip": ZIPPED}


def over(relay: ChaosRelay, retry: Retry = QUICK, read: float = 5.0, events: list[Event] | None = None) -> RouteeSession:
    observe = None if events is None else events.append
    return RouteeSession(StaticToken("t"), base_url=relay.url, retry=retry, timeouts=Timeouts(read=read), on_event=observe)


async def read_once(relay: ChaosRelay, read: float = 5.0) -> ConnectionLost | TimedOut:
    """Return what one attempt to read fails with."""
    async with over(relay, Retry(attempts=1), read) as session:
        with pytest.raises((ConnectionLost, TimedOut)) as caught:
            await session.track_message("m-1")
    return caught.value


async def unknown(session: RouteeSession, ref: str = "order-7") -> BaseException | None:
    """Send; nobody knows what came of it, it was tried once, and its entry is open. Return why."""
    with pytest.raises(OutcomeUnknown) as caught:
        await session.send_campaign(CAMPAIGN, ref=ref)
    assert caught.value.attempts == 1
    assert ref in [entry.intent.ref for entry in await session.journal.open_entries()]
    return caught.value.__cause__


@pytest.mark.parametrize("broken", [1, 3])
async def test_n09_a_server_that_closes_without_an_answer_is_asked_again(
    line: RawServer, caller: RouteeSession, events: list[Event], broken: int
) -> None:
    """aiohttp would repeat a GET once by itself: each attempt of ours is one request."""
    line.will(*[hangs_up()] * broken, answer(200, {"messageId": "m-1"}))

    assert (await caller.track_message("m-1")).message_id == "m-1"

    assert len(line.received) == broken + 1 == events[-1].attempt
    assert [event.name for event in events] == [*["failed", "pausing"] * broken, "answered"]


async def test_n09_a_search_that_gets_no_answer_is_asked_again_by_us_alone(
    line: RawServer, caller: RouteeSession, events: list[Event]
) -> None:
    """It is a POST: one request for each attempt."""
    line.will(hangs_up(), hangs_up(), answer(200, {"content": [{"messageId": "m-1"}], "totalElements": 1}))

    assert await caller.track_messages().count() == 1

    assert len(line.received) == events[-1].attempt == 3


@pytest.mark.parametrize("step", [pytest.param(hangs_up(), id="hangs up"), pytest.param(resets(), id="resets")])
async def test_n09_a_server_that_never_answers_is_asked_once_an_attempt(line: RawServer, caller: RouteeSession, step: Step) -> None:
    """A deletion too; and the error names what happened, not what we call it on the way."""
    line.will(step)

    with pytest.raises(ConnectionLost) as read:
        await caller.track_message("m-1")
    assert read.value.attempts == len(line.received) == 4
    with pytest.raises(ConnectionLost) as deletion:
        await caller.delete_campaign("tid-1")
    assert deletion.value.attempts == len(line.received) - 4 == 4
    assert deletion.value.may_have_happened
    for error in (read.value, deletion.value):
        assert re.search(r": (ServerDisconnectedError|ClientOSError) at http://127", str(error))


@pytest.mark.usefixtures("thousands_of_steps")
async def test_n09_of_three_hundred_calls_that_are_hung_up_on_every_request_is_one_of_ours(line: RawServer) -> None:
    """It went past the rate, the budget and the events: 300 calls were 335 attempts and 670 requests."""
    line.will(hangs_up())
    events: list[Event] = []
    async with RouteeSession(StaticToken("t"), base_url=line.url, retry=QUICK, on_event=events.append) as session:
        errors = await asyncio.gather(*(session.track_message("m-1") for _ in range(300)), return_exceptions=True)

    assert {type(error) for error in errors} == {ConnectionLost}
    assert len(line.received) == sum(event.name == "failed" for event in events) == 300 + 500 // 14


async def test_n09_a_kept_connection_that_ends_under_a_read_costs_a_repeat_of_ours(
    line: RawServer, caller: RouteeSession, events: list[Event]
) -> None:
    """And no more: the read succeeds over another connection."""
    message = answer(200, {"messageId": "m-1"})
    line.will(message, hangs_up(), message)

    for _ in range(2):
        assert (await caller.track_message("m-1")).message_id == "m-1"

    assert [request.connection for request in line.received] == [1, 1, 2]
    assert [(event.name, event.attempt) for event in events] == [("answered", 1), ("failed", 1), ("pausing", 1), ("answered", 2)]


RESETS = {"before the answer": resets(), "after its headers": resets(SIZED[: SIZED.index(b"{")])}


@pytest.mark.parametrize("moment", RESETS)
async def test_n11_after_a_reset_it_is_read_again(line: RawServer, caller: RouteeSession, moment: str) -> None:
    line.will(RESETS[moment], answer(200, {"messageId": "m-1"}))

    assert (await caller.track_message("m-1")).message_id == "m-1"

    assert len(line.received) == 2


@pytest.mark.parametrize("moment", RESETS)
async def test_n11_after_a_reset_a_send_is_unknown(line: RawServer, caller: RouteeSession, moment: str) -> None:
    line.will(RESETS[moment])

    with pytest.raises(OutcomeUnknown) as caught:
        await caller.send_campaign(CAMPAIGN)

    assert isinstance(caught.value.__cause__, ConnectionLost)
    assert (caught.value.attempts, len(line.received)) == (1, 1)


@pytest.mark.parametrize("then", [Then.END, Then.RESET])
@pytest.mark.parametrize("length", [1, 9, 12])
async def test_n12_an_answer_cut_in_its_first_line_is_read_again(line: RawServer, length: int, then: Then) -> None:
    line.will(says(SIZED, stay=True))
    async with ChaosRelay(line.port, [Plan(after=length, then=then), Plan()]) as relay, over(relay) as session:
        assert (await session.track_message("m-1")).message_id == "m-1"

    assert (relay.struck, relay.connections, len(line.received)) == (1, 2, 2)


@pytest.mark.parametrize("then", [Then.END, Then.RESET])
@pytest.mark.parametrize("length", [1, 9, 12])
async def test_n12_a_send_whose_answer_is_cut_in_its_first_line_is_unknown(line: RawServer, length: int, then: Then) -> None:
    line.will(says(SIZED, stay=True))
    async with ChaosRelay(line.port, [Plan(after=length, then=then)]) as relay, over(relay) as session:
        assert isinstance(await unknown(session), ConnectionLost)

    assert (relay.struck, len(line.received)) == (1, 1)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("then", [Then.END, Then.RESET])
async def test_n13_a_body_cut_short_is_a_lost_connection_and_fetched_again(line: RawServer, form: str, then: Then) -> None:
    line.will(says(FORMS[form], stay=True))
    almost = Plan(after=len(FORMS[form]) - 4, then=then)
    async with ChaosRelay(line.port, [almost, almost, Plan()]) as relay:
        assert isinstance(await read_once(relay), ConnectionLost)
        async with over(relay) as session:
            assert (await session.track_message("m-1")).message_id == "m-1"

    assert (relay.struck, relay.connections, len(line.received)) == (2, 3, 3)


@pytest.mark.parametrize("form", FORMS)
async def test_n13_wherever_its_answer_is_cut_a_send_is_unknown_and_went_out_once(line: RawServer, form: str) -> None:
    """Every third byte of it: in its first line, its head, its body."""
    line.will(says(FORMS[form], stay=True))
    places = range(0, len(FORMS[form]), 3)
    async with ChaosRelay(line.port, [Plan(after=place) for place in places]) as relay, over(relay) as session:
        causes = [await unknown(session, f"order-{place}") for place in places]

    assert {type(cause) for cause in causes} == {ConnectionLost}
    assert relay.struck == len(line.received) == len(places)


async def test_n13_a_send_that_is_cut_on_its_way_there_is_unknown_as_well(line: RawServer) -> None:
    """Half of its body arrived: no server acts on that, but from here it looks like any other broken line."""
    async with ChaosRelay(line.port, [Plan(way=Way.TO_SERVER, after=300)]) as relay, over(relay) as session:
        assert isinstance(await unknown(session), ConnectionLost)

    assert line.received == []


HEAD = b"HTTP/1.1 %d Whatever\r\nContent-Length: 50\r\n\r\n{"
BROKEN_OFF = {"cut": says, "reset": resets, "silent": falls_silent}


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize("end", BROKEN_OFF)
async def test_n13_of_a_send_whose_answer_breaks_off_after_its_head_the_status_is_known(line: RawServer, end: str, status: int) -> None:
    """It tells whoever looks into it that the service did answer, and what."""
    line.will(BROKEN_OFF[end](HEAD % status))
    events: list[Event] = []
    observe, timeouts = events.append, Timeouts(read=0.1 if end == "silent" else 5.0)
    async with RouteeSession(StaticToken("t"), base_url=line.url, retry=QUICK, timeouts=timeouts, on_event=observe) as session:
        with pytest.raises(OutcomeUnknown) as caught:
            await session.send_campaign(CAMPAIGN)

    assert (caught.value.status, caught.value.attempts) == (status, 1)
    assert f"after a head that said HTTP {status}" in str(caught.value)
    assert [(event.name, event.status) for event in events] == [("failed", status)]


async def test_n13_of_a_send_whose_deadline_comes_within_the_body_the_status_is_known(line: RawServer, caller: RouteeSession) -> None:
    line.will(falls_silent(HEAD % 200))

    with pytest.raises(OutcomeUnknown) as caught:
        await caller.send_campaign(CAMPAIGN, deadline=0.1)

    assert caught.value.status == 200


async def test_n13_the_status_is_that_of_the_attempt_that_failed(line: RawServer, caller: RouteeSession, events: list[Event]) -> None:
    """A refusal that was surely none of it, then a line that breaks without a word."""
    line.will(answer(503, complaint(), headers={"Retry-After": "0"}), hangs_up())

    with pytest.raises(OutcomeUnknown) as caught:
        await caller.send_campaign(CAMPAIGN)

    assert caught.value.status is None
    assert [(event.name, event.status) for event in events if event.name != "pausing"] == [("answered", 503), ("failed", None)]


CLOSED_EARLY = says(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"messageId": "m')


async def test_n14_half_a_body_that_only_the_end_ends_is_read_again(line: RawServer, caller: RouteeSession) -> None:
    line.will(CLOSED_EARLY, answer(200, {"messageId": "m-1"}))

    assert (await caller.track_message("m-1")).message_id == "m-1"

    assert len(line.received) == 2


async def test_n14_half_a_body_is_read_again_once_and_then_is_none(line: RawServer, caller: RouteeSession) -> None:
    """HTTP calls it whole; only its JSON tells that it is not."""
    line.will(CLOSED_EARLY)

    with pytest.raises(WireError) as caught:
        await caller.track_message("m-1")

    assert (caught.value.attempts, caught.value.status, len(line.received)) == (2, 200, 2)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", Way)
async def test_n15_byte_by_byte_everything_arrives(line: RawServer, form: str, way: Way) -> None:
    """Through every place where a line, a chunk, a letter of two bytes can be parted."""
    line.will(says(FORMS[form], stay=True))
    async with ChaosRelay(line.port, [Plan(way=way, piece=1)]) as relay, over(relay, Retry(attempts=1)) as session:
        message = await session.track_message("m-1")
        receipt = await session.send_campaign(CAMPAIGN)

    assert (message.country, receipt.tracking_id) == ("Grüße", "tid-1")
    assert len(line.received) == 2
    assert relay.pieces > len(FORMS[form])


async def test_n15_an_answer_that_only_drips_is_given_up_at_the_time_of_an_attempt(line: RawServer) -> None:
    """Every byte comes soon after the one before it; the clock is that of the whole answer."""
    line.will(says(SIZED, stay=True))
    clock = asyncio.get_running_loop().time
    async with ChaosRelay(line.port, [Plan(piece=1, latency=0.02)]) as relay:
        began = clock()
        error = await read_once(relay, read=0.2)
        took = clock() - began

    assert isinstance(error, TimedOut)
    assert 0.2 <= took < 1.5


@pytest.mark.parametrize("way", Way)
async def test_n17_what_falls_into_a_black_hole_times_out_and_its_connection_is_not_used_again(line: RawServer, way: Way) -> None:
    """Nothing gets through after the connection stands; the second attempt has one of its own, and the first is closed."""
    line.will(answer(200, {"messageId": "m-1"}))
    hole = Plan(way=way, after=0, then=Then.NOTHING)
    async with ChaosRelay(line.port, [hole, Plan()]) as relay:
        events: list[Event] = []
        async with over(relay, read=0.1, events=events) as session:
            assert (await session.track_message("m-1")).message_id == "m-1"
            assert (relay.connections, relay.open) == (2, 1)

    assert [(event.name, event.attempt) for event in events] == [("failed", 1), ("pausing", 1), ("answered", 2)]
    assert 0.1 <= events[0].seconds < 1.0


async def test_n17_a_send_that_falls_into_a_black_hole_is_unknown(line: RawServer) -> None:
    async with ChaosRelay(line.port, [Plan(way=Way.TO_SERVER, after=0, then=Then.NOTHING)]) as relay:
        async with over(relay, read=0.1) as session:
            assert isinstance(await unknown(session), TimedOut)
        await relay.left()

    assert line.received == []
