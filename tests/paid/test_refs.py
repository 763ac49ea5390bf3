"""One ref, one send: whoever asks again gets the receipt of then, or hears that nobody knows yet."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from campaigns import CAMPAIGN, NUMBER, QUICK, RECEIPT, complaint
from paid.journals import WatchedJournal
from raw_server import RawServer, answer, falls_silent, hangs_up

from voicedrop_async import (
    BadRequest,
    ClientCredentials,
    ConfigError,
    Kind,
    Limits,
    MemoryJournal,
    OutcomeUnknown,
    RouteeSession,
    SendState,
    SessionClosed,
    SettledBy,
    SqliteJournal,
    StaticToken,
    VoiceCampaign,
)
from voicedrop_async.sandbox import Sandbox

OTHERS = evolve(CAMPAIGN, to=["+306900000001"])
OTHER_WORDS = evolve(CAMPAIGN, name="Autumn sale")


async def test_the_same_ref_again_returns_the_receipt_of_then_without_a_request(sandbox: Sandbox, shop: RouteeSession) -> None:
    first = await shop.send_campaign(CAMPAIGN, ref="order-7")
    requests = len(sandbox.requests)

    again = await shop.send_campaign(CAMPAIGN, ref="order-7")

    assert again == first
    assert again.to == (NUMBER,)
    assert len(sandbox.requests) == requests
    assert len(sandbox.campaigns) == 1


async def test_another_process_on_the_same_file_gets_the_receipt_too(sandbox: Sandbox, tmp_path: Path) -> None:
    """A session and a journal of its own, as after a restart: the order of the recipients is no part of the campaign."""
    auth = ClientCredentials(*sandbox.credentials)
    receipts = []
    for recipients in ([NUMBER, "+306900000001"], ["+306900000001", NUMBER]):
        async with (
            SqliteJournal(tmp_path / "sends") as journal,
            RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, journal=journal) as session,
        ):
            receipts.append(await session.send_campaign(evolve(CAMPAIGN, to=recipients), ref="order-7"))

    assert receipts[0] == receipts[1]
    assert len(sandbox.campaigns) == 1


async def test_an_open_ref_is_not_sent_again(line: RawServer, sender: RouteeSession) -> None:
    line.will(hangs_up())
    with pytest.raises(OutcomeUnknown):
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    with pytest.raises(OutcomeUnknown) as caught:
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert len(line.received) == 1
    assert caught.value.attempts == 0
    assert caught.value.intent.ref == "order-7"
    assert "nothing was sent now" in str(caught.value)
    assert "reconcile('order-7')" in str(caught.value)


async def test_a_refused_ref_can_be_sent_again(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> None:
    line.will(answer(400, complaint()), answer(200, RECEIPT))
    with pytest.raises(BadRequest):
        await sender.send_campaign(CAMPAIGN, ref="order-7")
    refused = await journal.find("order-7")

    receipt = await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert refused is not None
    assert (refused.state, refused.settled_by) == (SendState.NOT_SENT, SettledBy.ANSWER)
    assert receipt.tracking_id == "tid-1"


@pytest.mark.parametrize("other", [OTHERS, OTHER_WORDS], ids=["others are called", "under another name"])
@pytest.mark.parametrize("step", [answer(200, RECEIPT), hangs_up(), answer(400, complaint())], ids=["sent", "open", "refused"])
async def test_a_ref_belongs_to_one_campaign(line: RawServer, sender: RouteeSession, step, other: VoiceCampaign) -> None:
    """Also after a refusal: a key that means two things is a mistake somewhere."""
    line.will(step)
    with suppress(OutcomeUnknown, BadRequest):
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    with pytest.raises(ConfigError, match="ref: the journal has another campaign"):
        await sender.send_campaign(other, ref="order-7")

    assert len(line.received) == 1


async def test_a_campaign_without_a_name_gets_one_and_stays_the_same_campaign(sandbox: Sandbox, shop: RouteeSession) -> None:
    nameless = evolve(CAMPAIGN, name=None)

    first = await shop.send_campaign(nameless, ref="order-7")
    again = await shop.send_campaign(nameless, ref="order-7")

    assert first == again
    assert first.campaign_name == sandbox.campaigns[0].name
    assert (first.campaign_name or "").startswith("Campaign ")


@pytest.mark.parametrize("together", ["two tasks", "two sessions", "two journals on one file"])
async def test_two_at_the_same_moment_send_once_and_the_other_hears_at_once(line: RawServer, tmp_path: Path, together: str) -> None:
    """The server holds its answer back: the loser does not wait for it. One slot only, and the loser does not queue for it."""
    held = asyncio.Event()

    async def answers_later(writer: asyncio.StreamWriter) -> bool:
        await held.wait()
        return await answer(200, RECEIPT)(writer)

    line.will(answers_later)
    one: MemoryJournal | SqliteJournal = SqliteJournal(tmp_path / "sends") if "file" in together else MemoryJournal()
    other = SqliteJournal(tmp_path / "sends") if isinstance(one, SqliteJournal) else one
    limits = Limits(max_in_flight=1)
    first = RouteeSession(StaticToken("t"), base_url=line.url, journal=one, limits=limits)
    second = first if together == "two tasks" else RouteeSession(StaticToken("t"), base_url=line.url, journal=other, limits=limits)
    async with first, second:
        tasks = [asyncio.create_task(session.send_campaign(CAMPAIGN, ref="order-7")) for session in (first, second)]
        (loser,), (winner,) = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        still_open = [entry.intent.ref for entry in await one.open_entries()]
        held.set()
        receipt = await winner
    for journal in (one, other):
        if isinstance(journal, SqliteJournal):
            await journal.aclose()

    assert isinstance(loser.exception(), OutcomeUnknown)
    assert still_open == ["order-7"]  # the loser did not settle what is not its own
    assert receipt.tracking_id == "tid-1"
    assert len(line.received) == 1


async def test_a_send_without_a_ref_is_journalled_under_one_of_its_own(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    line.will(hangs_up())

    with pytest.raises(OutcomeUnknown) as caught:
        await sender.send_campaign(CAMPAIGN)

    (entry,) = await journal.open_entries()
    assert entry.intent == caught.value.intent
    assert entry.intent.campaign_name == "Spring sale"
    assert entry.intent.recipients == 1
    assert entry.intent.ref.startswith("send-")


async def test_two_sends_without_a_ref_are_two_sends(sandbox: Sandbox, shop: RouteeSession) -> None:
    await shop.send_campaign(CAMPAIGN)
    await shop.send_campaign(CAMPAIGN)

    assert len(sandbox.campaigns) == 2


async def test_a_paid_call_of_ones_own_is_journalled(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> None:
    line.will(answer(200, {}), hangs_up())
    await sender.call("POST", "/voice/conversation", kind=Kind.PAID, json={"to": {"phone": NUMBER}})

    with pytest.raises(OutcomeUnknown):
        await sender.call("POST", "/voice/conversation", kind=Kind.PAID, json={"to": {"phone": NUMBER}})

    assert [name for name in journal.asked if name in {"claim", "settle"}] == ["claim", "settle", "claim"]
    assert len(await journal.open_entries()) == 1


async def test_a_person_can_end_an_open_send(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> None:
    """Sent: a receipt without an id, since nobody knows it. Not sent: the ref is free again."""
    line.will(hangs_up(), hangs_up(), answer(200, RECEIPT))
    for ref in ("order-7", "order-8"):
        with pytest.raises(OutcomeUnknown):
            await sender.send_campaign(CAMPAIGN, ref=ref)

    await journal.settle("order-7", sent=True)
    await journal.settle("order-8", sent=False)
    settled = await sender.send_campaign(CAMPAIGN, ref="order-7")
    sent = await sender.send_campaign(CAMPAIGN, ref="order-8")

    assert (settled.tracking_id, settled.campaign_name, settled.to) == (None, "Spring sale", (NUMBER,))
    assert sent.tracking_id == "tid-1"
    assert len(line.received) == 3


@pytest.mark.parametrize("ref", ["", "  ", "x" * 201, "a\nb", "call +306912345678 today", 7, "\ud800"])
async def test_a_ref_that_cannot_be_kept_in_clear_is_refused(line: RawServer, sender: RouteeSession, ref) -> None:
    with pytest.raises(ConfigError, match="ref: "):
        await sender.send_campaign(CAMPAIGN, ref=ref)

    assert line.received == []


@pytest.mark.parametrize("number", [NUMBER[1:], f"00{NUMBER[1:]}", NUMBER[3:], "0" + NUMBER[3:], "30 691-234 56 78"])
@pytest.mark.parametrize("place", ["ref", "name", "list"])
async def test_what_holds_a_recipient_s_number_is_not_kept_in_clear(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, number: str, place: str
) -> None:
    """With or without its country code, and in groups of digits."""
    sends: dict[str, Callable[[], Awaitable[object]]] = {
        "ref": lambda: sender.send_campaign(CAMPAIGN, ref=f"order-{number}"),
        "name": lambda: sender.send_campaign(evolve(CAMPAIGN, name=f"Call {number}")),
        "list": lambda: sender.send_campaigns(evolve(CAMPAIGN, to=()), [NUMBER], ref=f"list-{number}"),
    }

    with pytest.raises(ConfigError, match="the number of a recipient") as caught:
        await sends[place]()

    assert number not in str(caught.value)
    assert line.received == []
    assert await journal.open_entries() == []


async def test_an_error_shows_the_ref_and_the_name_as_they_are(line: RawServer, sender: RouteeSession) -> None:
    """Digits of a date or an order are no number of a recipient; masked, nobody could follow the instruction."""
    line.will(hangs_up())

    with pytest.raises(OutcomeUnknown) as caught:
        await sender.send_campaign(evolve(CAMPAIGN, name="Sale 20261122"), ref="order-20261122-4711")

    assert "reconcile('order-20261122-4711')" in str(caught.value)
    assert "campaign 'Sale 20261122'" in str(caught.value)
    assert "settle('order-20261122-4711'" in str(caught.value)


async def test_the_journal_of_a_session_can_be_had_from_it(line: RawServer) -> None:
    """Also the one that it made for itself; an open send is settled there."""
    line.will(hangs_up(), answer(200, RECEIPT))
    async with RouteeSession(StaticToken("t"), base_url=line.url) as session:
        with pytest.raises(OutcomeUnknown, match=r"session\.journal\.settle"):
            await session.send_campaign(CAMPAIGN, ref="order-7")
        await session.journal.settle("order-7", sent=False)
        receipt = await session.send_campaign(CAMPAIGN, ref="order-7")

    assert receipt.tracking_id == "tid-1"


async def test_a_paid_call_that_cannot_be_is_refused_before_the_journal_is_asked(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    for wrong in ({"path": "voice"}, {"params": {"a": None}}, {"json": object()}):
        asked: dict[str, Any] = {"path": "/voice/conversation", **wrong}
        with pytest.raises(ConfigError):
            await sender.call("POST", kind=Kind.PAID, **asked)

    assert journal.asked == []
    assert line.received == []


async def test_of_two_at_one_moment_the_other_hears_that_the_first_is_at_work(line: RawServer, sender: RouteeSession) -> None:
    line.will(falls_silent())
    first = asyncio.create_task(sender.send_campaign(CAMPAIGN, ref="order-7"))
    await line.arrived.wait()

    with pytest.raises(OutcomeUnknown, match="is still at work in this session"):
        await sender.send_campaign(CAMPAIGN, ref="order-7")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    with pytest.raises(OutcomeUnknown, match="is at work, or nobody knows its outcome"):
        await sender.send_campaign(CAMPAIGN, ref="order-7")


@pytest.mark.parametrize("journal", ["path/of/a/file", object(), MemoryJournal])
def test_what_is_no_journal_is_refused_at_the_constructor(journal) -> None:
    with pytest.raises(ConfigError, match="journal: "):
        RouteeSession(StaticToken("t"), base_url="https://example.com", journal=journal)


async def test_a_closed_session_returns_no_receipt(line: RawServer, sender: RouteeSession) -> None:
    line.will(answer(200, RECEIPT))
    await sender.send_campaign(CAMPAIGN, ref="order-7")
    await sender.aclose()

    with pytest.raises(SessionClosed):
        await sender.send_campaign(CAMPAIGN, ref="order-7")


async def test_a_session_that_closes_leaves_a_send_under_way_open(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> None:
    line.will(falls_silent())
    sending = asyncio.create_task(sender.send_campaign(CAMPAIGN, ref="order-7"))
    await line.arrived.wait()

    await sender.aclose()

    with pytest.raises(OutcomeUnknown):
        await sending
    assert [entry.intent.ref for entry in await journal.open_entries()] == ["order-7"]


async def test_a_view_of_a_session_shares_its_journal(line: RawServer, sender: RouteeSession) -> None:
    line.will(answer(200, RECEIPT))
    await sender.send_campaign(CAMPAIGN, ref="order-7")

    again = await sender.with_options(retry=QUICK).send_campaign(CAMPAIGN, ref="order-7")

    assert again.tracking_id == "tid-1"
    assert len(line.received) == 1
