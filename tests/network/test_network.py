"""The network as it fails, between two machines: what TCP says of it, and how long it says nothing."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from attrs import evolve
from campaigns import CAMPAIGN, RECEIPT
from network.two_machines import NOBODY, TwoMachines
from raw_server import RawServer, answer

from voicedrop_async import (
    ConnectFailed,
    Event,
    Limits,
    OutcomeUnknown,
    RequestError,
    Retry,
    RouteeSession,
    SendState,
    StaticToken,
    TimedOut,
    Timeouts,
)

ANYTHING = answer(200, RECEIPT | {"messageId": "m-1"})
CALLS: dict[str, Callable[[RouteeSession], Awaitable[object]]] = {
    "read": lambda session: session.track_message("m-1"),
    "paid": lambda session: session.send_campaign(CAMPAIGN, ref="order-7"),
}


def to(
    url: str, observe: Callable[[Event], object] | None = None, *, connect: float = 0.3, read: float = 5.0, attempts: int = 4, **more: Any
) -> RouteeSession:
    return RouteeSession(
        StaticToken("t"),
        base_url=url,
        allow_insecure=True,  # there is no TLS on this cable
        timeouts=Timeouts(connect=connect, read=read),
        retry=Retry(attempts=attempts, base=0.001, cap=0.002),
        limits=Limits(max_in_flight=20),
        on_event=observe,
        **more,
    )


async def unsent(session: RouteeSession, call: str) -> RequestError:
    """Return what a call fails with that was surely not sent; a campaign is free to be sent again."""
    with pytest.raises((ConnectFailed, TimedOut)) as caught:
        await CALLS[call](session)
    assert not caught.value.may_have_happened
    if call == "paid":
        entry = await session.journal.find("order-7")
        assert entry is not None
        assert entry.state is SendState.NOT_SENT
    return caught.value


@pytest.mark.parametrize("call", CALLS)
async def test_n04_a_connection_that_nobody_answers_is_given_up_after_its_own_time(machines: TwoMachines, call: str) -> None:
    """The greeting goes out and is swallowed: no refusal comes, and the time of an answer is far away."""
    events: list[Event] = []
    before = machines.packets_sent()
    async with to(f"http://{NOBODY}", events.append, connect=0.2, read=30.0, attempts=2) as session:
        error = await unsent(session, call)

    assert isinstance(error, TimedOut)
    assert "no connection within 0.2 s" in str(error)
    assert error.attempts == 2
    assert all(0.2 <= event.seconds < 1.0 for event in events if event.name == "failed")
    assert machines.packets_sent() - before >= 2


@pytest.mark.parametrize("end", ["client", "server"])
async def test_n05_when_the_link_goes_down_under_a_pooled_connection_it_is_read_over_a_new_one(
    machines: TwoMachines, far: RawServer, end: str
) -> None:
    """The connection that was kept says nothing any more; the link is up again when the second attempt makes its own."""
    place, events = getattr(machines, end), []

    def observe(event: Event) -> None:
        events.append((event.name, event.attempt))
        if event.name == "pausing":
            machines.plug(place)

    far.will(ANYTHING)
    async with to(far.url, observe, connect=5.0, read=0.5) as session:
        await session.track_message("m-1")
        machines.pull(place)
        assert (await session.track_message("m-1")).message_id == "m-1"

    assert events == [("answered", 1), ("failed", 1), ("pausing", 1), ("answered", 2)]
    assert far.connections == 2
    assert far.received[-1].connection == 2


async def test_n05_when_the_link_goes_down_before_the_answer_a_send_is_unknown(machines: TwoMachines, far: RawServer) -> None:
    """The service acts and says so, into a cable that is pulled."""

    async def acts(writer: asyncio.StreamWriter) -> bool:
        machines.pull(machines.server)
        return await ANYTHING(writer)

    far.will(acts)
    async with to(far.url, read=0.2) as session:
        with pytest.raises(OutcomeUnknown) as caught:
            await CALLS["paid"](session)
        with pytest.raises(OutcomeUnknown):
            await CALLS["paid"](session)
        assert len(await session.journal.open_entries()) == 1

    assert isinstance(caught.value.__cause__, TimedOut)
    assert (caught.value.attempts, len(far.received)) == (1, 1)


async def test_n05_a_send_that_never_left_the_cable_s_end_is_unknown_too(machines: TwoMachines, far: RawServer) -> None:
    """The link goes down when the connection stands. The bytes are sent, as far as anybody here can know, and never arrive."""
    trace = aiohttp.TraceConfig()

    async def pull(*_: object) -> None:
        machines.pull(machines.client)

    trace.on_connection_create_end.append(pull)
    async with to(far.url, connect=5.0, read=0.2, trace_configs=[trace]) as session:
        with pytest.raises(OutcomeUnknown):
            await CALLS["paid"](session)

    assert (far.connections, far.received) == (1, [])


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("end", ["client", "server"])
async def test_n06_when_the_link_is_down_nothing_is_sent(machines: TwoMachines, far: RawServer, end: str, call: str) -> None:
    """At our end the machine says at once that there is no way; at the other end nobody says anything."""
    machines.pull(getattr(machines, end))
    async with to(far.url, connect=0.1) as session:
        error = await unsent(session, call)

    assert isinstance(error, ConnectFailed if end == "client" else TimedOut)
    assert error.attempts == 4
    assert far.connections == 0


@pytest.mark.parametrize("call", CALLS)
async def test_n06_what_was_not_sent_is_sent_once_when_the_link_is_up(machines: TwoMachines, far: RawServer, call: str) -> None:
    events: list[str] = []

    def observe(event: Event) -> None:
        events.append(event.name)
        if event.name == "pausing":
            machines.plug(machines.client)

    far.will(ANYTHING)
    machines.pull(machines.client)
    async with to(far.url, observe, connect=5.0) as session:
        await CALLS[call](session)

    assert events == ["failed", "pausing", "answered"]
    assert len(far.received) == 1


@pytest.mark.once
async def test_n07_of_packets_that_are_lost_nothing_is_seen_but_the_time_they_cost(lossy: TwoMachines, far: RawServer) -> None:
    """TCP sends them again: each call is one request, and none of them fails."""
    events: list[Event] = []
    far.will(ANYTHING)
    async with to(far.url, events.append, connect=20.0, read=30.0) as session:
        await asyncio.gather(*(session.track_message("m-1") for _ in range(100)))
        await asyncio.gather(*(session.send_campaign(CAMPAIGN, ref=f"order-{number}") for number in range(10)))

    slowest = max(event.seconds for event in events)
    print(f"110 calls, {lossy.sent_again()} segments sent again, the slowest call {slowest:.2f} s")
    assert [event for event in events if event.name != "answered"] == []
    assert len(far.received) == len(events) == 110
    assert lossy.sent_again() > 0


async def test_n08_through_a_narrow_line_a_page_takes_its_time_and_comes(narrow: TwoMachines, far: RawServer) -> None:
    """40 kilobytes at a million bits a second: a third of a second; and a thousand recipients the other way."""
    events: list[Event] = []
    page = {"content": [{"messageId": f"m-{number}", "country": "GR" * 190} for number in range(100)], "totalElements": 100}
    far.will(answer(200, page), answer(200, RECEIPT))
    async with to(far.url, events.append) as session:
        assert len(await session.track_messages(max_items=100).collect()) == 100
        await session.send_campaign(evolve(CAMPAIGN, to=[f"+3069{number:08}" for number in range(1000)]))

    assert len(json.dumps(page)) > 40_000
    assert [event.name for event in events] == ["answered", "answered"]
    assert events[0].seconds > 0.25
    assert events[1].seconds > 0.1
    assert len(far.received) == 2


@pytest.mark.parametrize(("call", "error"), [("read", TimedOut), ("paid", OutcomeUnknown)])
async def test_n08_through_a_narrow_line_a_long_answer_ends_at_the_time_of_an_attempt(
    narrow: TwoMachines, far: RawServer, call: str, error: type[RequestError]
) -> None:
    """A megabyte would take eight seconds. Something comes all the time; what counts is the last byte."""
    events: list[Event] = []
    far.will(answer(200, b"[" + b" " * 1_000_000 + b"]"))
    async with to(far.url, events.append, read=0.3, attempts=1) as session:
        with pytest.raises(error, match=r"no complete answer within 0\.3 s"):
            await CALLS[call](session)

    (event,) = events
    assert event.name == "failed"
    assert 0.3 <= event.seconds < 3.0
    assert len(far.received) == 1
