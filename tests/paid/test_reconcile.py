"""Looking for a send whose answer was lost: it is found, not seen yet, or there twice; never "not sent"."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from campaigns import CAMPAIGN, NUMBER, RECEIPT
from paid.journals import WatchedJournal
from raw_server import RawServer, answer, hangs_up

from voicedrop_async import (
    ConfigError,
    Intent,
    JournalError,
    Kind,
    OutcomeUnknown,
    Reconciliation,
    RouteeSession,
    SendState,
    ServerFailed,
    SettledBy,
    unique_name,
)
from voicedrop_async.sandbox import Sandbox


def tracked(*rows: dict[str, object]) -> dict[str, object]:
    """A page that is the whole list."""
    return {"content": [{"messageId": f"m-{place}", **row} for place, row in enumerate(rows)], "totalPages": 1, "last": True}


async def lost(session: RouteeSession, **changes: object) -> Intent:
    with pytest.raises(OutcomeUnknown) as caught:
        await session.send_campaign(evolve(CAMPAIGN, **changes), ref="order-7")
    return caught.value.intent


@pytest.mark.parametrize("by", ["ref", "intent"])
async def test_a_send_that_arrived_is_found_and_settled(sandbox: Sandbox, shop: RouteeSession, journal: WatchedJournal, by: str) -> None:
    sandbox.fail_next(drop="after_acting", path="/voice/campaign")
    intent = await lost(shop, name=None)

    outcome = await shop.reconcile("order-7" if by == "ref" else intent)

    entry = await journal.find("order-7")
    assert outcome is Reconciliation.SENT
    assert entry is not None
    assert (entry.state, entry.settled_by) == (SendState.SENT, SettledBy.RECONCILE)
    assert (await shop.send_campaign(evolve(CAMPAIGN, name=None), ref="order-7")).tracking_id is None
    assert len(sandbox.campaigns) == 1


async def test_a_send_that_did_not_arrive_is_not_seen_yet_and_stays_open(
    sandbox: Sandbox, shop: RouteeSession, journal: WatchedJournal
) -> None:
    """However often it is asked: no answer of ours frees the ref."""
    sandbox.fail_next(drop="before_acting", path="/voice/campaign")
    intent = await lost(shop, name=unique_name("Spring sale"))

    assert [await shop.reconcile(intent) for _ in range(3)] == [Reconciliation.NOT_SEEN_YET] * 3
    assert len(await journal.open_entries()) == 1
    assert sandbox.campaigns == ()


async def test_a_scheduled_send_is_not_seen_before_it_begins(sandbox: Sandbox, shop: RouteeSession) -> None:
    sandbox.fail_next(drop="after_acting", path="/voice/campaign")
    intent = await lost(shop, name=None, scheduled_date=datetime.now(UTC) + timedelta(hours=1))

    assert await shop.reconcile(intent) is Reconciliation.NOT_SEEN_YET
    assert len(sandbox.campaigns) == 1


async def test_p15_somebody_with_two_messages_is_for_a_person_to_look_at(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, caplog: pytest.LogCaptureFixture
) -> None:
    """The number is spelled in two ways; the log is loud, and shows none of them."""
    line.will(hangs_up())
    intent = await lost(sender)
    line.will(answer(200, tracked({"to": NUMBER, "campaign": "Spring sale"}, {"to": NUMBER[1:], "campaign": "Spring sale"})))

    with caplog.at_level(logging.WARNING, "voicedrop_async"):
        outcome = await sender.reconcile(intent)

    assert outcome is Reconciliation.DUPLICATE_SUSPECTED
    assert len(await journal.open_entries()) == 1
    assert "1 recipients have more than one message" in caplog.text
    assert NUMBER[1:] not in caplog.text


async def test_what_was_called_not_sent_and_is_there_is_sent_after_all(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    """A person settled too early. To say "sent" and leave the ref to be sent again would ring twice."""
    line.will(hangs_up())
    await lost(sender)
    await journal.settle("order-7", sent=False)
    line.will(answer(200, tracked({"to": NUMBER, "campaign": "Spring sale"})))

    outcome = await sender.reconcile("order-7")
    again = await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert outcome is Reconciliation.SENT
    assert again.tracking_id is None
    assert [request.target.partition("?")[0] for request in line.received] == ["/voice/campaign", "/voice/tracking"]


async def test_two_who_look_at_one_moment_hear_the_same(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> None:
    """A queue delivers twice: both find the messages, and the slower one finds the ref settled."""
    line.will(hangs_up())
    intent = await lost(sender)
    line.will(answer(200, tracked({"to": NUMBER, "campaign": "Spring sale"})))

    assert await asyncio.gather(sender.reconcile("order-7"), sender.reconcile(intent)) == [Reconciliation.SENT] * 2
    assert journal.asked.count("settle") == 2


async def test_a_journal_that_will_not_settle_what_is_open_is_told(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> None:
    line.will(hangs_up())
    await lost(sender)
    line.will(answer(200, tracked({"to": NUMBER, "campaign": "Spring sale"})))
    journal.failing["settle"] = ConfigError("journal: forked")

    with pytest.raises(ConfigError, match="forked"):
        await sender.reconcile("order-7")


@pytest.mark.parametrize("spelled", [NUMBER[1:], f"00{NUMBER[1:]}", "+30 691 234 5678"])
async def test_p15_however_a_number_is_spelled_two_messages_are_two(line: RawServer, sender: RouteeSession, spelled: str) -> None:
    line.will(hangs_up())
    intent = await lost(sender)
    line.will(answer(200, tracked({"to": NUMBER, "campaign": "Spring sale"}, {"to": spelled, "campaign": "Spring sale"})))

    assert await sender.reconcile(intent) is Reconciliation.DUPLICATE_SUSPECTED


async def test_a_service_that_ignores_the_filter_does_not_mislead(line: RawServer, sender: RouteeSession) -> None:
    line.will(hangs_up())
    intent = await lost(sender)
    line.will(answer(200, tracked({"to": NUMBER, "campaign": "Autumn sale"}, {"to": NUMBER})))

    assert await sender.reconcile(intent) is Reconciliation.NOT_SEEN_YET


async def test_it_searches_by_name_in_a_window_round_the_send(line: RawServer, sender: RouteeSession) -> None:
    line.will(hangs_up())
    intent = await lost(sender)
    line.will(answer(200, tracked()))

    await sender.reconcile(intent)

    search = line.received[-1]
    assert search.body == b'[{"fieldName":"campaign","searchOperator":"is","searchTerm":"Spring sale"}]'
    start = (intent.started_at - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert f"from={start.replace(':', '%3A')}" in search.target or f"from={start}" in search.target
    assert [request.target.partition("?")[0] for request in line.received] == ["/voice/campaign", "/voice/tracking"]


async def test_a_clock_that_was_set_back_since_leaves_a_window(line: RawServer, sender: RouteeSession) -> None:
    ahead = Intent(campaign_name="Spring sale", started_at=datetime.now(UTC) + timedelta(days=1), recipients=1, ref="order-7")
    line.will(answer(200, tracked({"to": NUMBER, "campaign": "Spring sale"})))

    assert await sender.reconcile(ahead) is Reconciliation.SENT


async def test_a_send_that_is_known_is_not_searched_for(line: RawServer, sender: RouteeSession) -> None:
    line.will(answer(200, RECEIPT))
    await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert await sender.reconcile("order-7") is Reconciliation.SENT
    assert len(line.received) == 1


async def test_an_intent_of_before_does_not_settle_a_later_send_of_its_ref(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    """A person said that it was not sent, and it was sent again under another name, which is open now."""
    line.will(hangs_up())
    before = await lost(sender, name=None)
    await journal.settle("order-7", sent=False)
    await lost(sender, name=None)
    line.will(answer(200, tracked({"to": NUMBER, "campaign": before.campaign_name})))

    assert await sender.reconcile(before) is Reconciliation.SENT
    assert len(await journal.open_entries()) == 1


async def test_what_cannot_be_looked_for_is_refused(line: RawServer, sender: RouteeSession) -> None:
    line.will(hangs_up())
    with pytest.raises(OutcomeUnknown) as caught:
        await sender.call("POST", "/voice/conversation", kind=Kind.PAID)

    with pytest.raises(ConfigError, match="without a campaign name"):
        await sender.reconcile(caught.value.intent)
    with pytest.raises(ConfigError, match="nothing under 'order-9'"):
        await sender.reconcile("order-9")
    assert "look where the service shows its calls" in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"started_at": datetime.now(UTC).replace(tzinfo=None)}, {"started_at": "today"}, {"campaign_name": ""}, {"campaign_name": 7}]
)
async def test_an_intent_made_by_hand_that_cannot_be_is_refused(line: RawServer, sender: RouteeSession, wrong: dict[str, Any]) -> None:
    by_hand: dict[str, Any] = {"campaign_name": "Spring sale", "started_at": datetime.now(UTC), "recipients": 1, **wrong}

    with pytest.raises(ConfigError, match="ref_or_intent"):
        await sender.reconcile(Intent(**by_hand))

    assert line.received == []


async def test_an_intent_of_before_does_not_settle_a_later_send_of_the_same_name(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    line.will(hangs_up())
    before = await lost(sender)
    await journal.settle("order-7", sent=False)
    await lost(sender)
    line.will(answer(200, tracked({"to": NUMBER, "campaign": "Spring sale"})))

    assert await sender.reconcile(before) is Reconciliation.SENT
    assert len(await journal.open_entries()) == 1


@pytest.mark.parametrize("call", ["find", "settle"])
async def test_a_journal_that_fails_is_told(line: RawServer, sender: RouteeSession, journal: WatchedJournal, call: str) -> None:
    line.will(hangs_up())
    intent = await lost(sender)
    line.will(answer(200, tracked({"to": NUMBER, "campaign": "Spring sale"})))
    journal.failing[call] = OSError()

    with pytest.raises(JournalError):
        await sender.reconcile(intent)


async def test_a_search_that_fails_settles_nothing(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> None:
    line.will(hangs_up())
    intent = await lost(sender)
    line.will(answer(500, b""))

    with pytest.raises(ServerFailed):
        await sender.reconcile(intent)

    assert len(await journal.open_entries()) == 1
