"""Following a campaign: what callbacks and tracking say, once each, in order, to an end."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from typing import Any

import pytest
import tracked
from attrs import evolve
from campaigns import CAMPAIGN, complaint
from raw_server import RawServer, Step, answer, falls_silent, hangs_up
from webhooks.callbacks import SECRET, Heard, message, served

from voicedrop_async import (
    Callback,
    CallbackEvent,
    CallbackKind,
    CallbackReceiver,
    CallbackStrategy,
    CampaignState,
    ClientCredentials,
    ConfigError,
    MessageEvent,
    MessageUpdate,
    RouteeSession,
    Unauthorized,
    follow,
)
from voicedrop_async.sandbox import Sandbox


def page(*statuses: str) -> Step:
    """A page of tracking: message m-1 has the first status, m-2 the second, and so on."""
    rows = [{"messageId": f"m-{number}", "status": {"status": word}} for number, word in enumerate(statuses, 1)]
    return tracked.page(rows)


def after(event: asyncio.Event, step: Step) -> Step:
    """A step that waits for an event."""

    async def late(writer: asyncio.StreamWriter) -> bool:
        await event.wait()
        return await step(writer)

    return late


def told(updates: Sequence[MessageUpdate]) -> list[tuple[str, Any]]:
    return [(update.message_id, update.status.status) for update in updates]


async def test_each_status_of_each_message_of_a_campaign_comes_once_and_in_order() -> None:
    """A campaign of the sandbox, in a hundredth of its time, with the truth beside it."""
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(CallbackReceiver(Heard(), secret=SECRET))
        base = (await stack.enter_async_context(served(receiver))).base
        sandbox = await stack.enter_async_context(Sandbox(messages=0, drops=0, speed=100))
        auth = ClientCredentials(*sandbox.credentials)
        routee = await stack.enter_async_context(RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url))
        numbers = [f"+3069{number:08}" for number in range(20)]
        callback, campaign_callback = (
            Callback(CallbackStrategy.ON_CHANGE, url=receiver.url(base, kind)) for kind in (CallbackKind.MESSAGE, CallbackKind.CAMPAIGN)
        )
        receipt = await routee.send_campaign(evolve(CAMPAIGN, to=numbers, callback=callback, campaign_callback=campaign_callback))
        following = follow(routee, receipt.tracking_id or "", deadline=20, callbacks=receiver, interval=0.05)
        updates = [update async for update in following]

    assert following.is_final
    ways = {call.message.message_id: [turn.status for turn in call.turns] for call in sandbox.campaigns[0].calls}
    seen = {one: [word for message_id, word in told(updates) if message_id == one] for one in ways}
    for one, way in ways.items():
        assert seen[one] == [word for word in way if word in seen[one]], "in order, and each once"
        assert seen[one][-1] == way[-1]
    assert len(updates) == sum(map(len, seen.values()))


async def test_what_is_said_twice_or_comes_late_is_passed_over(line: RawServer, caller: RouteeSession) -> None:
    """By a callback before tracking, by tracking before a callback; and of another campaign, nothing at all."""
    may_answer = asyncio.Event()
    line.will(page("Queued", "Queued"), after(may_answer, page("Completed", "Ringing")), page("Completed", "Busy"))
    async with CallbackReceiver(Heard(), secret=SECRET) as receiver, served(receiver) as poster:
        updates = aiter(follow(caller, "c-1", deadline=20, callbacks=receiver, interval=0.01))
        first = [await anext(updates) for _ in range(2)]
        for status in ("Ringing", "Initiated", "Completed", "InProgress", "Ringing"):
            assert await poster.post(message(1, status)) == 200
        early = {"name": "Dreaming", "updatedDate": "2026-03-02T11:00:00Z"}  # whose place is told by its moment only
        assert await poster.post(message(1) | {"status": early}) == 200
        assert await poster.post(message(1, "Terminated", campaignTrackingId="c-2")) == 200
        assert await poster.post({"trackingId": "c-1", "state": CampaignState.FINISHED}, "campaign") == 200
        may_answer.set()
        rest = [update async for update in updates]

    assert told(first) == [("m-1", "Queued"), ("m-2", "Queued")]
    assert told(rest) == [("m-1", "Ringing"), ("m-1", "Completed"), ("m-2", "Ringing"), ("m-2", "Busy")]
    assert [isinstance(update.origin, MessageEvent) for update in rest] == [True, True, False, False]
    assert len(line.received) == 3  # a callback said that it is finished


async def test_tracking_has_the_last_word(line: RawServer, caller: RouteeSession) -> None:
    """What forged callbacks say is told, and hides nothing for good; once tracking has said the end, they are passed over."""
    may_answer = asyncio.Event()
    later = {"updatedDate": "2099-01-01T00:00:00Z"}
    line.will(page("Queued"), after(may_answer, page("Failed")), page("Failed", "Ringing"), page("Failed", "Completed"))
    async with CallbackReceiver(Heard(), secret=SECRET) as receiver, served(receiver) as poster:
        following = follow(caller, "c-1", deadline=20, callbacks=receiver, interval=0.01, expected=2)
        updates = aiter(following)
        seen = [await anext(updates)]
        for number, status in ((1, "Failed"), (1, "Completed"), (2, "Dreaming")):
            assert await poster.post(message(number) | {"status": {"name": status} | later}) == 200
        seen += [await anext(updates) for _ in range(3)]
        may_answer.set()
        async for update in updates:
            seen.append(update)
            assert await poster.post(message(1) | {"status": {"name": "Busy"} | later}) == 200

    assert told(seen) == [
        ("m-1", "Queued"), ("m-1", "Failed"), ("m-1", "Completed"), ("m-2", "Dreaming"), ("m-1", "Failed"),
        ("m-2", "Ringing"), ("m-2", "Completed"),
    ]  # fmt: skip
    assert following.is_final


async def test_callbacks_are_told_while_tracking_is_silent(line: RawServer, caller: RouteeSession) -> None:
    line.will(falls_silent())
    async with (
        CallbackReceiver(Heard(), secret=SECRET) as receiver,
        served(receiver) as poster,
        aclosing(aiter(follow(caller, "c-1", deadline=20, callbacks=receiver))) as updates,
    ):
        first = asyncio.ensure_future(anext(updates))
        await line.arrived.wait()
        for status in ("Ringing", "InProgress", "Completed"):
            assert await poster.post(message(1, status)) == 200
        seen = [await first, await anext(updates), await anext(updates)]

    assert [word for _, word in told(seen)] == ["Ringing", "InProgress", "Completed"]


async def test_what_is_heard_in_the_last_moment_is_told(line: RawServer, caller: RouteeSession) -> None:
    """While the loop's body has the last update of tracking in hand, and the campaign is over."""
    line.will(page("Busy"))
    seen = list[MessageUpdate]()
    async with CallbackReceiver(Heard(), secret=SECRET) as receiver, served(receiver) as poster:
        async for update in follow(caller, "c-1", deadline=20, callbacks=receiver, expected=1):
            seen.append(update)
            if len(seen) < 3:
                assert await poster.post(message(1 + len(seen))) == 200

    assert told(seen) == [("m-1", "Busy"), ("m-2", "Ringing"), ("m-3", "Ringing")]


async def test_one_slow_reading_is_left_out(line: RawServer, caller: RouteeSession) -> None:
    """One that takes longer than a call of the session may."""
    line.will(falls_silent(), page("Busy"))
    following = follow(caller.with_options(deadline=0.2), "c-1", deadline=20, interval=0.01, expected=1)

    assert told([update async for update in following]) == [("m-1", "Busy")]


@pytest.mark.parametrize(
    ("steps", "expected", "readings", "ends"),
    [
        ([page("Busy"), page("Busy")], None, 2, ["Busy"]),
        ([page("Busy"), page("Busy", "Queued"), page("Busy", "Failed"), page("Busy", "Failed")], None, 4, ["Busy", "Queued", "Failed"]),
        ([page("Busy"), page("Busy"), page("Busy", "Busy")], 2, 3, ["Busy", "Busy"]),
        ([answer(404, complaint()), page(), hangs_up(), hangs_up(), hangs_up(), hangs_up(), page("Busy")], 1, 7, ["Busy"]),
    ],
    ids=["a second look", "a message that comes late", "as many as expected", "not there yet, and a bad line"],
)
async def test_it_ends_when_tracking_says_so(
    line: RawServer, caller: RouteeSession, steps: list[Step], expected: int | None, readings: int, ends: list[str]
) -> None:
    line.will(*steps)
    following = follow(caller, "c-1", deadline=20, interval=0.01, expected=expected)

    assert [word for _, word in told([update async for update in following])] == ends
    assert following.is_final
    assert len(line.received) == readings


@pytest.mark.parametrize("then", [page("Unknown", "Dreaming"), falls_silent()], ids=["the same", "nothing"])
async def test_it_ends_at_its_deadline_whatever_the_service_says(line: RawServer, caller: RouteeSession, then: Step) -> None:
    """A status that is never final, and a word that is none of ours; or no answer at all."""
    line.will(page("Unknown", "Dreaming"), then)
    following = follow(caller, "c-1", deadline=0.5, interval=0.05)

    assert told([update async for update in following]) == [("m-1", "Unknown"), ("m-2", "Dreaming")]
    assert not following.is_final


class Watched(CallbackReceiver):
    """Counts who watches."""

    watchers = 0

    @contextmanager
    def watched_by(self, watcher: Callable[[CallbackEvent], object]) -> Generator[None]:
        self.watchers += 1
        try:
            with super().watched_by(watcher):
                yield
        finally:
            self.watchers -= 1


async def test_what_fails_for_good_is_told_and_who_leaves_leaves_nothing(line: RawServer, caller: RouteeSession) -> None:
    line.will(page("Queued"), answer(401, complaint()))
    async with Watched(Heard(), secret=SECRET) as receiver:
        with pytest.raises(Unauthorized):
            assert [update async for update in follow(caller, "c-1", deadline=20, callbacks=receiver, interval=0.01)]
        line.will(page("Queued"))
        async with aclosing(aiter(follow(caller, "c-1", deadline=20, callbacks=receiver))) as updates:
            assert await anext(updates)
            assert receiver.watchers == 1
    assert receiver.watchers == 0


@pytest.mark.parametrize(
    "options", [{"deadline": 0}, {"interval": 0}, {"expected": 0}, {"tracking_id": ""}, {"callbacks": "x"}, {"routee": None}]
)
def test_what_cannot_be_followed_is_refused(options: dict[str, Any]) -> None:
    routee = RouteeSession(ClientCredentials("a", "b"))
    with pytest.raises(ConfigError, match=next(iter(options))):
        follow(**({"routee": routee, "tracking_id": "c-1", "deadline": 1} | options))
