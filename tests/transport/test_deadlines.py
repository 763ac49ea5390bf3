"""A call whose deadline ends before a pause does is told so at once, and for how long the service wants to be left alone."""

import asyncio
import traceback

import pytest
from answers import MESSAGE
from campaigns import CAMPAIGN, QUICK
from raw_server import RawServer, answer, falls_silent

from voicedrop_async import (
    DeadlineExceeded,
    Kind,
    Limits,
    OutcomeUnknown,
    RequestError,
    RouteeSession,
    StaticToken,
    Throttle,
    VoiceDropError,
)

AT_ONCE = 5.0
"""Seconds; on a busy machine still far from the deadline of the calls here."""


def over(line: RawServer, throttle: Throttle, deadline: float | None) -> RouteeSession:
    return RouteeSession(StaticToken("t"), base_url=line.url, throttle=throttle, retry=QUICK, deadline=deadline)


def told(error: VoiceDropError) -> float:
    """What a call that was not sent was told to wait."""
    assert isinstance(error, DeadlineExceeded)
    assert (error.attempts, error.may_have_happened) == (0, False)
    assert error.retry_after is not None
    return error.retry_after


async def test_a_pause_beyond_the_deadline_is_not_waited_for(line: RawServer) -> None:
    """It waited its deadline out, and then could not say for how long to stay away."""
    throttle = Throttle()
    throttle.pause(3600.0)
    async with over(line, throttle, 1800.0) as session, asyncio.timeout(AT_ONCE):
        with pytest.raises(DeadlineExceeded) as read:
            await session.track_message("m")
        with pytest.raises(DeadlineExceeded) as walk:
            await session.track_messages().collect()
        with pytest.raises(DeadlineExceeded) as send:
            await session.send_campaign(CAMPAIGN, ref="order-7")
        assert await session.journal.find("order-7") is None

    for error in (read.value, walk.value, send.value):
        assert 3590.0 < told(error) <= 3600.0
        assert "paused for 3" in str(error)
    assert line.received == []


async def test_the_deadline_of_one_send_counts_as_well(line: RawServer) -> None:
    throttle = Throttle()
    throttle.pause(3600.0)
    async with over(line, throttle, None) as session, asyncio.timeout(AT_ONCE):
        with pytest.raises(DeadlineExceeded) as send:
            await session.send_campaign(CAMPAIGN, deadline=1800.0)

    assert 3590.0 < told(send.value) <= 3600.0


async def test_a_pause_that_the_service_asked_another_call_for_is_told_as_well(line: RawServer) -> None:
    line.will(answer(429, headers={"Retry-After": "50"}))
    async with over(line, Throttle(), 20.0) as session, asyncio.timeout(AT_ONCE):
        for waits in ((50.0, 50.0), (49.0, 50.0)):
            with pytest.raises(RequestError) as caught:
                await session.track_message("m")
            assert waits[0] <= (caught.value.retry_after or 0.0) <= waits[1]

    assert len(line.received) == 1


async def test_who_stood_in_line_when_the_pause_began_is_told_at_its_deadline(line: RawServer) -> None:
    throttle = Throttle(Limits(max_in_flight=1))
    async with over(line, throttle, 0.1) as session, throttle.slot(Kind.READ):
        waiting = asyncio.create_task(session.track_message("m"))
        await asyncio.sleep(0)
        assert throttle.snapshot().waiting == 1
        throttle.pause(3600.0)
        with pytest.raises(DeadlineExceeded, match=r"not done within 0\.1 s") as caught:
            await waiting

    assert 3590.0 < told(caught.value) <= 3600.0
    assert line.received == []


async def test_a_pause_within_the_deadline_is_waited_for(line: RawServer) -> None:
    line.will(MESSAGE)
    throttle = Throttle()
    throttle.pause(0.05)
    async with over(line, throttle, 20.0) as session:
        assert (await session.track_message("m")).message_id == "m"


async def test_a_send_that_may_have_happened_stays_unknown_whatever_the_pause(line: RawServer) -> None:
    """The pause comes while it is on the wire: it is told as it is."""
    throttle = Throttle()

    async def silent(_writer: asyncio.StreamWriter) -> bool:
        throttle.pause(3600.0)
        await asyncio.Event().wait()
        return False

    line.will(silent)
    async with over(line, throttle, None) as session:
        with pytest.raises(OutcomeUnknown) as caught:
            await session.send_campaign(CAMPAIGN, deadline=0.2)

    assert (caught.value.attempts, len(line.received)) == (1, 1)


async def test_what_was_under_way_when_the_deadline_came_is_not_shown(line: RawServer) -> None:
    """Whoever reads the traceback of a deadline is not led to believe in a cancellation."""
    line.will(falls_silent())
    async with over(line, Throttle(), 0.05) as session:
        with pytest.raises(DeadlineExceeded) as caught:
            await session.track_message("m")

    assert "CancelledError" not in "".join(traceback.format_exception(caught.value))
