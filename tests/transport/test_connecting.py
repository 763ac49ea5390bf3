"""Before anything has left: refused, unknown, or looked up for too long. All of it is safe to try again, a campaign too."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from campaigns import CAMPAIGN, RECEIPT
from chaos_relay import ChaosRelay
from raw_server import RawServer, answer

from voicedrop_async import Event, Retry, RouteeSession, StaticToken, TimedOut, Timeouts

STUBBORN = Retry(attempts=50, base=0.01, cap=0.01, budget=None)
ANYTHING = answer(200, RECEIPT | {"messageId": "m-1"})

CALLS: dict[str, Callable[[RouteeSession], Awaitable[object]]] = {
    "read": lambda session: session.track_message("m-1"),
    "paid": lambda session: session.send_campaign(CAMPAIGN),
}


@pytest.mark.parametrize("call", CALLS)
async def test_n01_what_was_refused_arrives_once_when_the_server_is_up(line: RawServer, call: str) -> None:
    refused = asyncio.Event()

    def observe(event: Event) -> None:
        if event.name == "pausing":
            refused.set()

    line.will(ANYTHING)
    async with (
        ChaosRelay(line.port, listening=False) as relay,
        RouteeSession(StaticToken("t"), base_url=relay.url, retry=STUBBORN, on_event=observe) as session,
    ):
        calling = asyncio.create_task(CALLS[call](session))
        await refused.wait()
        await relay.listen()
        await calling

    assert len(line.received) == 1


class Names:
    """A resolver that answers when it is told to."""

    def __init__(self, port: int) -> None:
        self.asked = 0
        self.answers = asyncio.Event()
        self._port = port

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        assert host == "slow.example"
        self.asked += 1
        await self.answers.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", self._port))]


@pytest.fixture
async def names(line: RawServer, monkeypatch: pytest.MonkeyPatch) -> Names:
    resolver = Names(line.port)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolver.getaddrinfo)
    return resolver


def far_away(events: list[Event], observe: Callable[[Event], object] = lambda _: None) -> RouteeSession:
    """A session to a server whose name has to be looked up, which may take 0.05 s."""

    def both(event: Event) -> None:
        events.append(event)
        observe(event)

    return RouteeSession(
        StaticToken("t"),
        base_url="http://slow.example",
        allow_insecure=True,
        timeouts=Timeouts(connect=0.05),
        retry=Retry(base=0.01, cap=0.01),
        on_event=both,
    )


@pytest.mark.parametrize("call", CALLS)
async def test_n03_a_name_that_is_looked_up_for_too_long_is_tried_again(
    line: RawServer, names: Names, events: list[Event], call: str
) -> None:
    """The first attempt gives up on it; by the second the answer is there, and is not asked for again."""
    line.will(ANYTHING)
    async with far_away(events, lambda event: names.answers.set() if event.name == "pausing" else None) as session:
        await CALLS[call](session)

    assert [(event.name, event.attempt) for event in events] == [("failed", 1), ("pausing", 1), ("answered", 2)]
    assert (len(line.received), names.asked) == (1, 1)


@pytest.mark.parametrize("call", CALLS)
async def test_n03_a_name_that_is_never_found_out_was_not_sent_to(line: RawServer, names: Names, events: list[Event], call: str) -> None:
    before = asyncio.all_tasks()
    async with far_away(events) as session:
        with pytest.raises(TimedOut) as caught:
            await CALLS[call](session)

    assert "no connection within 0.05 s" in str(caught.value)
    assert (caught.value.attempts, caught.value.may_have_happened) == (4, False)
    assert line.connections == 0
    assert asyncio.all_tasks() == before
