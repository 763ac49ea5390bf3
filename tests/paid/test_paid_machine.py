"""Any order of sends, lost answers, refusals, cancellations, restarts and reconcilings: each ref is accepted at most once."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve
from campaigns import CAMPAIGN, QUICK
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from voicedrop_async import (
    BadRequest,
    ClientCredentials,
    OutcomeUnknown,
    Reconciliation,
    RouteeSession,
    SendState,
    SettledBy,
    SqliteJournal,
)
from voicedrop_async.sandbox import Sandbox

T = TypeVar("T")
REFS = ["order-1", "order-2", "order-3"]
FAULTS: dict[str, dict[str, Any]] = {
    "lost before it acts": {"drop": "before_acting"},
    "lost after it acts": {"drop": "after_acting"},
    "cut in the answer": {"cut": True},
    "500, and acts": {"status": 500, "act": True},
    "html": {"body": b"<html>", "act": True},
    "refused": {"status": 400},
    "come back": {"status": 503, "retry_after": 0},
    "another token": {"status": 401},
}


class PaidSendsMachine(RuleBasedStateMachine):
    """A worker with a journal on disk, the service, and a person. The server's count is the judge."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        self.sandbox = Sandbox(messages=0, drops=0)
        self.acknowledged: set[str] = set()
        self.left_unknown: set[str] = set()
        """Its callers heard so, and nothing else since."""
        self.on_their_way: set[str] = set()
        """Cancelled: the server may still take what left before."""
        self.run(self.sandbox.start())
        self.open_shop()

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(doing)

    def open_shop(self) -> None:
        auth = ClientCredentials(*self.sandbox.credentials)
        self.journal = SqliteJournal(self.folder / "sends")
        self.session = RouteeSession(
            auth, base_url=self.sandbox.routee_url, auth_url=self.sandbox.auth_url, journal=self.journal, retry=QUICK
        )

    async def close_shop(self) -> None:
        await self.session.aclose()
        await self.journal.aclose()

    def teardown(self) -> None:
        try:
            self.run(self.close_shop())
            self.run(self.sandbox.aclose())  # nothing is on its way any more
            self.run(self.audit())
        finally:
            self.runner.close()
            shutil.rmtree(self.folder)

    async def audit(self) -> None:
        """Hold the file, read anew, the server's count, and what callers heard last against each other, ref by ref."""
        async with SqliteJournal(self.folder / "sends") as journal:
            entries = {ref: await journal.find(ref) for ref in REFS}
        for ref, entry in entries.items():
            state = entry.state if entry is not None else None
            if state is SendState.SENT:
                assert self.accepted(ref) == 1
            elif state is not SendState.OPEN:
                assert self.accepted(ref) == 0
            assert ref not in self.acknowledged or state is SendState.SENT
            if ref in self.left_unknown - self.on_their_way:
                assert state is SendState.OPEN or (entry is not None and entry.settled_by is not SettledBy.ANSWER)

    def campaign(self, ref: str) -> Any:
        return evolve(CAMPAIGN, name=None, to=[f"+30690000000{ref[-1]}"])

    async def send(self, ref: str, turns: int | None = None) -> None:
        """Send, and remember what was heard; after ``turns`` turns of the loop, cancel."""
        sending = asyncio.create_task(self.session.send_campaign(self.campaign(ref), ref=ref))
        if turns is not None:
            for _ in range(turns):
                await asyncio.sleep(0)
            sending.cancel()
        try:
            await sending
        except OutcomeUnknown:
            self.left_unknown.add(ref)
        except BadRequest:
            self.left_unknown.discard(ref)
        except asyncio.CancelledError:
            return
        else:
            self.left_unknown.discard(ref)
            self.acknowledged.add(ref)

    @rule(ref=st.sampled_from(REFS), fault=st.none() | st.sampled_from(sorted(FAULTS)))
    def a_send(self, ref: str, fault: str | None) -> None:
        if fault is not None:
            self.sandbox.fail_next(**FAULTS[fault], path="/voice/campaign")
        self.run(self.send(ref))
        self.sandbox._faults._waiting.clear()  # a send that needed no request met none

    @rule(ref=st.sampled_from(REFS), turns=st.integers(0, 60))
    def a_send_that_is_cancelled(self, ref: str, turns: int) -> None:
        self.on_their_way.add(ref)
        self.run(self.send(ref, turns))

    @rule(ref=st.sampled_from(REFS), fault=st.none() | st.sampled_from(sorted(FAULTS)))
    def a_task_that_is_delivered_twice_at_once(self, ref: str, fault: str | None) -> None:
        if fault is not None:
            self.sandbox.fail_next(**FAULTS[fault], path="/voice/campaign")

        async def both() -> None:
            await asyncio.gather(self.send(ref), self.send(ref))

        self.run(both())
        self.sandbox._faults._waiting.clear()

    @rule()
    def a_restart(self) -> None:
        self.run(self.close_shop())
        self.open_shop()

    @rule(ref=st.sampled_from(REFS))
    def a_look(self, ref: str) -> None:
        entry = self.run(self.journal.find(ref))
        if entry is not None:
            seen = self.run(self.session.reconcile(ref))
            assert seen is not Reconciliation.SENT or self.accepted(ref) == 1
            assert seen is Reconciliation.SENT or self.accepted(ref) == 0 or ref in self.on_their_way

    @rule(ref=st.sampled_from(REFS))
    def a_person_who_knows(self, ref: str) -> None:
        """Somebody asked the service's own console, and says what it showed."""
        sent = self.accepted(ref) == 1
        if (sent or ref not in self.on_their_way) and ref in {entry.intent.ref for entry in self.run(self.journal.open_entries())}:
            self.run(self.journal.settle(ref, sent=sent))

    def accepted(self, ref: str) -> int:
        return sum(campaign.recipients == self.campaign(ref).to for campaign in self.sandbox.campaigns)

    @invariant()
    def each_ref_is_accepted_at_most_once(self) -> None:
        assert all(self.accepted(ref) <= 1 for ref in REFS)

    @invariant()
    def what_was_acknowledged_was_accepted(self) -> None:
        assert all(self.accepted(ref) == 1 for ref in self.acknowledged)

    @invariant()
    def what_the_server_took_is_in_the_journal(self) -> None:
        for ref in REFS:
            entry = self.run(self.journal.find(ref))
            assert not self.accepted(ref) or (entry is not None and entry.state is not SendState.NOT_SENT)


TestPaidSends = PaidSendsMachine.TestCase
TestPaidSends.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
