"""What a log gets of the steps of a call: short, with fields, and quiet."""

import logging

import pytest
from campaigns import QUICK, complaint
from raw_server import RawServer, answer, hangs_up

from voicedrop_async import Kind, RouteeSession, StaticToken, log_events


async def test_a_log_gets_a_record_for_each_step(line: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    """An attempt fails, one is refused, one is answered. What went well is below what did not; nothing is seen by default."""
    caplog.set_level(logging.DEBUG, "voicedrop_async.events")
    line.will(hangs_up(), answer(503, complaint()), answer(200, {"messageId": "m-1"}))
    async with RouteeSession(StaticToken("t"), base_url=line.url, retry=QUICK, on_event=log_events()) as session:
        await session.track_message("m-1")

    records = [record for record in caplog.records if record.name == "voicedrop_async.events"]
    steps = [(record.levelno, record.step, record.status, record.error, record.attempt) for record in records]
    assert steps == [
        (logging.INFO, "failed", None, "ConnectionLost", 1),
        (logging.INFO, "pausing", None, None, 1),
        (logging.INFO, "answered", 503, None, 2),
        (logging.INFO, "pausing", None, None, 2),
        (logging.DEBUG, "answered", 200, None, 3),
    ]
    assert {(record.kind, record.url) for record in records} == {(Kind.READ, f"{line.url}/voice/tracking/{{message_id}}")}
    assert records[2].getMessage().startswith("GET /voice/tracking/{message_id}: answered 503, 0.")
    assert records[0].getMessage().endswith(" s, attempt 1")


async def test_each_session_may_have_a_log_of_its_own(line: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    """At the usual level it stays empty."""
    north, south = (logging.getLogger(f"test.{name}") for name in ("north", "south"))
    caplog.set_level(logging.INFO, north.name)
    for log in (north, south):
        line.will(answer(503, complaint()), answer(200, {"messageId": "m-1"}))
        async with RouteeSession(StaticToken("t"), base_url=line.url, retry=QUICK, on_event=log_events(log)) as session:
            await session.track_message("m-1")

    told = [record.name for record in caplog.records if record.name.startswith("test.")]
    assert told == ["test.north"] * 2
