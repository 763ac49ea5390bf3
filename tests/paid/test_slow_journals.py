"""A journal that hangs, fails half-way, or hears of a send from somebody else first."""

import asyncio
import logging
import time

import pytest
from campaigns import CAMPAIGN, RECEIPT, complaint
from paid.journals import WatchedJournal
from raw_server import RawServer, Step, answer, falls_silent

from voicedrop_async import (
    BadRequest,
    DeadlineExceeded,
    Intent,
    JournalError,
    OutcomeUnknown,
    RouteeSession,
    SendState,
    SettledBy,
    StaticToken,
    _paid,
)

PATIENCE = 0.1
"""Seconds that a call may outlast its deadline here, while its journal writes; a second, otherwise."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _paid._PATIENCE == 1.0  # what users are told
    monkeypatch.setattr("voicedrop_async._paid._PATIENCE", PATIENCE)


class LateJournal(WatchedJournal):
    """Writes each claim, and then goes on as it is told to: hangs, or raises."""

    hangs = False

    async def claim(self, intent: Intent) -> None:
        assert await super().claim(intent) is None
        self.reached.set()
        if self.hangs:
            await asyncio.Event().wait()
        raise OSError


@pytest.mark.parametrize("question", ["key", "find"])
async def test_a_deadline_holds_while_the_journal_is_asked(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, question: str
) -> None:
    journal.waiting[question] = asyncio.Event()
    began = time.monotonic()

    with pytest.raises(DeadlineExceeded) as caught:
        await sender.send_campaign(CAMPAIGN, ref="order-7", deadline=0.05)

    assert time.monotonic() - began < 1.0
    assert not caught.value.may_have_happened
    assert "within 0.05 s" in str(caught.value)
    assert line.received == []


async def test_a_deadline_counts_from_the_first_question_to_the_journal(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    """What the journal takes of it is not given once more to the request."""
    line.will(falls_silent())
    journal.waiting["find"] = asyncio.Event()
    began = time.monotonic()
    sending = asyncio.create_task(sender.send_campaign(CAMPAIGN, ref="order-7", deadline=1.0))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(sending), 0.8)

    journal.waiting["find"].set()
    with pytest.raises(OutcomeUnknown):
        await sending

    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("end", ["deadline", "cancellation"])
async def test_a_claim_that_hangs_is_given_up_and_settled_behind_the_caller_s_back(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, caplog: pytest.LogCaptureFixture, end: str
) -> None:
    """It may be written at any time: whoever waits for it settles it, so that the ref is free in the end."""
    journal.waiting["claim"] = asyncio.Event()
    sending = asyncio.create_task(sender.send_campaign(CAMPAIGN, ref="order-7", deadline=0.05 if end == "deadline" else None))
    await journal.reached.wait()
    began = time.monotonic()
    if end == "cancellation":
        sending.cancel()

    with caplog.at_level(logging.WARNING, "voicedrop_async"), pytest.raises((DeadlineExceeded, asyncio.CancelledError)):
        await sending
    took = time.monotonic() - began
    journal.waiting["claim"].set()
    await journal.done["settle"].wait()

    entry = await journal.find("order-7")
    assert took < 0.05 + PATIENCE + 0.5
    assert caplog.text.count("until it has, that stays open") == 1
    assert entry is not None
    assert entry.state is SendState.NOT_SENT
    assert line.received == []


async def test_a_settlement_that_hangs_does_not_keep_the_receipt_from_its_caller(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    """The money is spent and the answer is here: the deadline does not turn it into an error."""
    line.will(answer(200, RECEIPT))
    journal.waiting["settle"] = asyncio.Event()
    began = time.monotonic()

    receipt = await sender.send_campaign(CAMPAIGN, ref="order-7", deadline=0.5)
    took = time.monotonic() - began
    journal.waiting["settle"].set()
    await journal.done["settle"].wait()

    assert receipt.tracking_id == "tid-1"
    assert took < 0.5 + PATIENCE
    assert await journal.open_entries() == []


async def test_a_claim_that_is_written_and_then_fails_is_taken_back(line: RawServer) -> None:
    """As over a network, where the answer to a write can be lost."""
    journal = LateJournal()
    async with RouteeSession(StaticToken("t"), base_url=line.url, journal=journal) as session:
        with pytest.raises(JournalError, match="OSError"):
            await session.send_campaign(CAMPAIGN, ref="order-7")

    entry = await journal.find("order-7")
    assert entry is not None
    assert entry.state is SendState.NOT_SENT
    assert line.received == []


async def test_a_claim_that_ends_with_its_loop_is_taken_back(line: RawServer) -> None:
    """At its end a loop cancels every task there is, the claim as well as the send that waits for it."""
    journal = LateJournal()
    journal.hangs = True
    before = asyncio.all_tasks()
    async with RouteeSession(StaticToken("t"), base_url=line.url, journal=journal) as session:
        sending = asyncio.create_task(session.send_campaign(CAMPAIGN, ref="order-7"))
        await journal.reached.wait()

        for task in asyncio.all_tasks() - before:
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    entry = await journal.find("order-7")
    assert entry is not None
    assert entry.state is SendState.NOT_SENT
    assert line.received == []


@pytest.mark.parametrize("by", [SettledBy.PERSON, SettledBy.RECONCILE])
@pytest.mark.parametrize("sent", [True, False])
async def test_an_answer_adds_its_receipt_to_what_somebody_else_settled(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, caplog: pytest.LogCaptureFixture, by: SettledBy, sent: bool
) -> None:
    """The send was at work all the time; what the service says of it is the truth."""
    line.will(_settles_first(journal, by, sent=sent, then=answer(200, RECEIPT)))

    with caplog.at_level(logging.WARNING, "voicedrop_async"):
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert (await sender.send_campaign(CAMPAIGN, ref="order-7")).tracking_id == "tid-1"
    assert len(line.received) == 1
    assert [record.getMessage() for record in caplog.records if record.name == "voicedrop_async"] == []  # asyncio may call a step slow


async def test_a_refusal_of_what_somebody_called_sent_says_what_stands_there(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal, caplog: pytest.LogCaptureFixture
) -> None:
    line.will(_settles_first(journal, SettledBy.PERSON, sent=True, then=answer(400, complaint())))

    with caplog.at_level(logging.WARNING, "voicedrop_async"), pytest.raises(BadRequest):
        await sender.send_campaign(CAMPAIGN, ref="order-7")

    assert "'order-7' surely did not happen, but its journal says otherwise: sent, settled by person" in caplog.text
    assert "stays open" not in caplog.text


def _settles_first(journal: WatchedJournal, by: SettledBy, *, sent: bool, then: Step) -> Step:
    async def step(writer: asyncio.StreamWriter) -> bool:
        await journal.settle("order-7", sent=sent, by=by)
        return await then(writer)

    return step
