"""Many campaigns of one session, against the sandbox and a raw server."""

import asyncio
import logging
import pickle
from contextlib import aclosing

import attrs
import pytest
from campaigns import QUICK
from raw_server import RawServer, answer, falls_silent

from voicedrop_async import (
    CampaignSummary,
    ConfigError,
    Limits,
    NotFound,
    Outcome,
    RouteeSession,
    ServerFailed,
    SessionClosed,
    StaticToken,
)
from voicedrop_async.sandbox import Sandbox

PATH = "/voice/tracking/campaign/"
NUMBER, TONES = "+306999888777", "4711471147"


def asked(sandbox: Sandbox) -> list[str]:
    """The campaigns that were asked for, in order, a page each."""
    return [request.path.removeprefix(PATH) for request in sandbox.requests if request.path.startswith(PATH)]


def envelope(*rows, number=0, last=True, total=None):
    total = len(rows) if total is None else total
    return answer(
        200, {"content": rows, "totalPages": number + 1 if last else number + 2, "totalElements": total, "last": last, "number": number}
    )


def row(name, status, second):
    return {"messageId": name, "status": {"status": status, "date": f"2026-01-01T12:00:{second:02}Z"}}


def crew():
    """The tasks of fan-outs, among those of servers and connections."""
    return [task for task in asyncio.all_tasks() if "_Crew" in repr(task.get_coro())]


async def test_the_messages_of_each_campaign_come_as_one_list(sandbox: Sandbox, routee: RouteeSession) -> None:
    """The same as walking each by itself, with as many requests."""
    lists = {outcome.key: outcome.value async for outcome in routee.track_campaigns(sandbox.history_campaigns, page_size=50)}

    pages = len(asked(sandbox))
    assert lists == {one: await routee.track_campaign(one).collect() for one in sandbox.history_campaigns}
    assert pages == sum(-(-len(messages) // 50) for messages in lists.values())


async def test_a_summary_is_that_of_the_messages(sandbox: Sandbox, routee: RouteeSession) -> None:
    summaries = {outcome.key: outcome.value async for outcome in routee.summarize_campaigns(sandbox.history_campaigns)}

    for one in sandbox.history_campaigns:
        messages = await routee.track_campaign(one).collect()
        assert attrs.evolve(summaries[one], report=None) == CampaignSummary.of(messages)
        report = summaries[one].report
        assert report is not None
        assert (report.items, report.complete) == (len(messages), True)


async def test_one_campaign_that_fails_harms_no_other(sandbox: Sandbox, routee: RouteeSession) -> None:
    """One is unknown, one fails for good; both say so, and the service is not asked for anything twice in vain."""
    good, broken = sandbox.history_campaigns[:3], sandbox.history_campaigns[3]
    sandbox.fail_next(status=500, path=PATH + broken, times=QUICK.attempts)

    outcomes = {outcome.key: outcome async for outcome in routee.summarize_campaigns([good[0], "unknown", broken, *good[1:]])}

    assert {key: type(outcome.error) for key, outcome in outcomes.items() if not outcome.ok} == {"unknown": NotFound, broken: ServerFailed}
    assert all(outcomes[one].value.messages > 0 for one in good)
    assert (asked(sandbox).count("unknown"), asked(sandbox).count(broken)) == (1, QUICK.attempts)


async def test_what_is_no_id_is_an_outcome_of_its_own(sandbox: Sandbox, routee: RouteeSession) -> None:
    """It is found when it is pulled, which is too late for the call to say so."""
    ids: list = ["", "  ", "..", None, 5, sandbox.history_campaigns[0]]

    outcomes = [outcome async for outcome in routee.track_campaigns(ids)]

    assert [outcome.key for outcome in outcomes if outcome.ok] == ids[5:]
    assert [type(outcome.error) for outcome in outcomes if not outcome.ok] == [ConfigError] * 5
    assert set(asked(sandbox)) == set(ids[5:])


async def test_what_cannot_be_is_refused_at_the_call(line: RawServer, caller: RouteeSession) -> None:
    with pytest.raises(ConfigError, match="ids: a single text"):
        caller.track_campaigns("tid-1")
    with pytest.raises(ConfigError, match="ids: a single text"):
        caller.summarize_campaigns("tid-1")
    with pytest.raises(ConfigError, match="concurrency"):
        caller.summarize_campaigns([], concurrency=0)
    with pytest.raises(ConfigError, match="page_size"):
        caller.track_campaigns([], page_size=0)

    assert line.connections == 0


async def test_no_more_campaigns_are_asked_for_than_are_at_work(line: RawServer) -> None:
    """Of a thousand ids, and with room for more in the limits; leaving it ends the requests, too."""
    line.will(falls_silent())
    async with RouteeSession(StaticToken("t"), base_url=line.url, limits=Limits(max_in_flight=50)) as routee:
        outcomes = routee.track_campaigns(map(str, range(1000)), concurrency=5)
        waiting = asyncio.ensure_future(anext(outcomes))
        while len(line.received) < 5:
            line.arrived.clear()
            await line.arrived.wait()
        assert len(crew()) == 6  # the one that pulls ids is the sixth
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        line.will(envelope())
        await routee.track_campaign("after").collect()
        assert crew() == []

    assert [request.target.partition("?")[0].removeprefix(PATH) for request in line.received] == ["0", "1", "2", "3", "4", "after"]


async def test_leaving_early_asks_for_nothing_more(sandbox: Sandbox, routee: RouteeSession) -> None:
    async with aclosing(routee.summarize_campaigns(sandbox.history_campaigns, concurrency=1)) as outcomes:
        async for outcome in outcomes:
            assert outcome.ok
            break

    assert set(asked(sandbox)) == {sandbox.history_campaigns[0]}


async def test_a_closed_session_is_everybody_s_error(line: RawServer) -> None:
    """It is raised, and not told a hundred thousand times."""
    line.will(falls_silent())
    routee = RouteeSession(StaticToken("t"), base_url=line.url)
    waiting = asyncio.ensure_future(anext(routee.track_campaigns(map(str, range(100_000)))))
    await line.arrived.wait()

    await routee.aclose()

    with pytest.raises(SessionClosed):
        await waiting
    with pytest.raises(SessionClosed):
        await anext(routee.track_campaigns(["a"]))


async def test_g20_a_summary_counts_the_newer_of_a_message_sent_twice(line: RawServer, caller: RouteeSession) -> None:
    """A list that grows pushes a message on to the next page, where it comes again, further on."""
    line.will(
        envelope(row("a", "Completed", 1), row("b", "Ringing", 2), last=False, total=3),
        envelope(row("b", "Completed", 9), row("c", "Busy", 3), number=1, total=3),
    )

    summary = (await anext(caller.summarize_campaigns(["tid-1"]))).value

    assert (summary.messages, summary.statuses) == (3, {"Completed": 2, "Busy": 1})
    assert summary.report is not None
    assert (summary.report.items, summary.report.duplicates) == (4, 1)


async def test_a_summary_of_a_list_that_is_not_whole_says_so(line: RawServer, caller: RouteeSession) -> None:
    line.will(envelope(row("a", "Completed", 1), {"messageId": "b", "price": "x"}, "no message", total=5))

    report = (await anext(caller.summarize_campaigns(["tid-1"]))).value.report

    assert report is not None
    assert (report.complete, report.suspected_missing, report.unreadable) == (False, 2, 2)


async def test_an_outcome_shows_nobody_s_number_and_pickles(
    line: RawServer, caller: RouteeSession, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even that of a caller who gives telephone numbers or whole rows for ids."""
    caplog.set_level(logging.DEBUG)
    person = {"messageId": "m", "to": NUMBER, "collectedTones": TONES}
    line.will(answer(404, {"developerMessage": f"no {NUMBER}"}), envelope(person), envelope(person))
    ids: list = [NUMBER, "tid-1", {"to": NUMBER}]
    outcomes: list = [outcome async for outcome in caller.track_campaigns(ids, concurrency=1)]
    outcomes += [outcome async for outcome in caller.summarize_campaigns(["tid-2"])]

    unpickled = [pickle.loads(pickle.dumps(outcome)) for outcome in outcomes]

    seen = repr(outcomes) + repr(unpickled) + caplog.text
    assert [canary for canary in (NUMBER, NUMBER[1:], TONES) if canary in seen] == []
    assert (unpickled[1], unpickled[3]) == (outcomes[1], outcomes[3])
    assert [type(outcome.error) for outcome in unpickled] == [NotFound, type(None), ConfigError, type(None)]
    assert "tid-1" in repr(outcomes[1])
    assert NUMBER in pickle.dumps(outcomes[1]).decode("latin-1")


def test_an_outcome_can_be_made_by_hand() -> None:
    """As tests of programs need it."""
    assert Outcome("tid-1", value=5).value == 5
    assert not Outcome("tid-1", error=ConfigError("no")).ok
    assert Outcome("tid-1", value=None).ok
    assert repr(Outcome("tid-1", value=TONES)) == "Outcome(key='tid-1', error=None)"
