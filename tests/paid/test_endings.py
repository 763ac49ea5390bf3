"""A send that is cancelled, and a journal that fails: the truth stays in the journal, or nothing is sent."""

import asyncio
import logging
from typing import Any

import pytest
from attrs import evolve
from campaigns import CAMPAIGN, NUMBER, RECEIPT, complaint
from paid.journals import WatchedJournal
from raw_server import RawServer, answer, falls_silent

from voicedrop_async import (
    BadRequest,
    ClientCredentials,
    ConfigError,
    DeadlineExceeded,
    Intent,
    JournalEntry,
    JournalError,
    Kind,
    Limits,
    RouteeSession,
    SendState,
    StaticToken,
)
from voicedrop_async.sandbox import Sandbox


async def cancelled(task: asyncio.Task[object]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_p06_cancelled_in_the_queue_the_journal_holds_nothing(line: RawServer, journal: WatchedJournal) -> None:
    """One slot, and another send has it."""
    line.will(falls_silent())
    async with RouteeSession(StaticToken("t"), base_url=line.url, journal=journal, limits=Limits(max_in_flight=1)) as session:
        first = asyncio.create_task(session.send_campaign(CAMPAIGN, ref="order-7"))
        await line.arrived.wait()
        second = asyncio.create_task(session.send_campaign(CAMPAIGN, ref="order-8"))
        await journal.done["find order-8"].wait()
        await asyncio.sleep(0)  # and on into the queue

        await cancelled(second)
        await cancelled(first)

    assert await journal.find("order-8") is None
    assert len(line.received) == 1


async def test_p06_cancelled_while_it_waits_for_a_token_the_journal_holds_nothing(line: RawServer, journal: WatchedJournal) -> None:
    line.will(falls_silent())
    auth = ClientCredentials("application-1", "s3cret")
    async with RouteeSession(auth, base_url=line.url, auth_url=line.url, journal=journal) as session:
        sending = asyncio.create_task(session.send_campaign(CAMPAIGN, ref="order-7"))
        await line.arrived.wait()

        await cancelled(sending)

    assert await journal.find("order-7") is None
    assert [request.target for request in line.received] == ["/oauth/token"]


async def test_cancelled_after_the_first_byte_it_stays_open(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> None:
    line.will(falls_silent())
    sending = asyncio.create_task(sender.send_campaign(CAMPAIGN, ref="order-7"))
    await line.arrived.wait()

    await cancelled(sending)

    assert [entry.intent.ref for entry in await journal.open_entries()] == ["order-7"]


async def test_cancelled_while_it_claims_it_is_settled_before_the_cancellation_is_raised(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    """Nobody knows whether the claim is written until it is over: it is waited for, and taken back."""
    journal.waiting["claim"] = asyncio.Event()
    sending = asyncio.create_task(sender.send_campaign(CAMPAIGN, ref="order-7"))
    await journal.reached.wait()

    sending.cancel()
    await asyncio.sleep(0)
    still_waiting = not sending.done()
    journal.waiting["claim"].set()
    with pytest.raises(asyncio.CancelledError):
        await sending

    entry = await journal.find("order-7")
    assert still_waiting
    assert entry is not None
    assert entry.state is SendState.NOT_SENT
    assert line.received == []


async def test_a_deadline_while_it_claims_is_taken_back_too(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> None:
    journal.waiting["claim"] = asyncio.Event()
    sending = asyncio.create_task(sender.send_campaign(CAMPAIGN, ref="order-7", deadline=0.05))
    with pytest.raises(TimeoutError):  # the claim is under way, and the deadline passes
        await asyncio.wait_for(asyncio.shield(sending), 0.1)

    journal.waiting["claim"].set()
    with pytest.raises(DeadlineExceeded):
        await sending

    entry = await journal.find("order-7")
    assert entry is not None
    assert entry.state is SendState.NOT_SENT


async def cancelled_while_it_settles(line: RawServer, sender: RouteeSession, journal: WatchedJournal) -> asyncio.Task[object]:
    """A send whose answer is here, and whose journal takes its time over it."""
    line.will(answer(200, RECEIPT))
    journal.waiting["settle"] = asyncio.Event()
    sending = asyncio.create_task(sender.send_campaign(CAMPAIGN, ref="order-7"))
    await journal.reached.wait()
    sending.cancel()
    await asyncio.sleep(0)
    return sending


async def test_cancelled_when_the_answer_is_here_the_receipt_is_still_written_down(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    sending = await cancelled_while_it_settles(line, sender, journal)

    journal.waiting["settle"].set()
    with pytest.raises(asyncio.CancelledError):
        await sending
    del journal.waiting["settle"]

    assert (await sender.send_campaign(CAMPAIGN, ref="order-7")).tracking_id == "tid-1"
    assert len(line.received) == 1


async def test_cancelled_twice_it_does_not_wait_and_the_journal_is_settled_behind_it(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    await cancelled(await cancelled_while_it_settles(line, sender, journal))
    open_then = len(await journal.open_entries())
    journal.waiting["settle"].set()
    await journal.done["settle"].wait()

    assert open_then == 1
    assert await journal.open_entries() == []


@pytest.mark.parametrize("call", ["key", "find", "claim"])
@pytest.mark.parametrize("fault", [OSError(f"disk {NUMBER}"), JournalError("the disk is full"), ConfigError("journal: forked")], ids=type)
async def test_p08_a_journal_that_fails_sends_nothing(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, call: str, fault: Exception
) -> None:
    """Errors of ours pass as they are; of any other only the type is told."""
    journal.failing[call] = fault

    with pytest.raises(JournalError if isinstance(fault, OSError) else type(fault)) as caught:
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert NUMBER not in str(caught.value)
    assert "OSError" in str(caught.value) or caught.value is fault
    assert line.received == []


async def test_a_journal_that_knows_a_ref_nobody_used_sends_nothing(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    """Somebody's own journal with a fault: a paid call of one's own has no receipt that could be returned."""
    line.will(answer(200, RECEIPT))
    await sender.send_campaign(CAMPAIGN, ref="order-7")
    entry = await journal.find("order-7")
    assert entry is not None

    async def claim(intent: Intent) -> JournalEntry:
        return evolve(entry, intent=intent)

    journal.claim = claim
    with pytest.raises(JournalError, match="never used"):
        await sender.call("POST", "/voice/conversation", kind=Kind.PAID)

    assert len(line.received) == 1


async def test_a_journal_that_fails_after_the_answer_does_not_hide_it(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, caplog: pytest.LogCaptureFixture
) -> None:
    """The receipt is the caller's; the entry stays open, which is the safe side; the log says so, without a number."""
    line.will(answer(200, RECEIPT))
    journal.failing["settle"] = OSError(f"disk {NUMBER}")

    with caplog.at_level(logging.WARNING, "voicedrop_async"):
        receipt = await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert receipt.tracking_id == "tid-1"
    assert len(await journal.open_entries()) == 1
    assert "may stay open (journal: raised OSError" in caplog.text
    assert NUMBER not in caplog.text


async def test_a_journal_that_fails_after_a_refusal_does_not_hide_that(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    line.will(answer(400, complaint()))
    journal.failing["settle"] = OSError()

    with pytest.raises(BadRequest):
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert len(await journal.open_entries()) == 1


async def test_whatever_a_journal_of_somebody_s_own_returns_an_error_of_ours_is_raised(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    """No key, no entry: nothing is sent on such words, and nothing foreign is raised."""

    async def junk(*_: object) -> Any:
        return "junk"

    for question in ("key", "find", "claim"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(journal, question, junk)
            with pytest.raises(JournalError, match="returned a str"):
                await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert line.received == []


async def test_a_journal_whose_method_raises_before_it_waits_is_told_too(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim(_intent: Intent) -> Any:
        raise OSError

    monkeypatch.setattr(journal, "claim", claim)
    with pytest.raises(JournalError, match="OSError"):
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert line.received == []


@pytest.mark.usefixtures("thousands_of_steps")
async def test_however_late_it_is_cancelled_no_send_is_unaccounted(sandbox: Sandbox, shop: RouteeSession, journal: WatchedJournal) -> None:
    """After any number of turns of the loop: what the server took is sent or open in the journal."""
    for turns in range(300):
        name = f"Sale {turns}"
        sending = asyncio.create_task(shop.send_campaign(evolve(CAMPAIGN, name=name), ref=name))
        for _ in range(turns % 60):
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    entries = [await journal.find(f"Sale {turns}") for turns in range(300)]
    may_have = {entry.intent.campaign_name for entry in entries if entry is not None and entry.state is not SendState.NOT_SENT}
    accepted = {campaign.name for campaign in sandbox.campaigns}
    print(f"300 cancelled: {len(accepted)} accepted, {len(may_have)} sent or open")
    assert len(sandbox.campaigns) == len(accepted)
    assert accepted <= may_have
    assert 0 < len(accepted) < 300
