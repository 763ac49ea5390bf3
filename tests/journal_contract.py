"""What every journal promises, whatever it is written on. A test of one inherits this, and brings a fixture ``journal``."""

import asyncio
import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from voicedrop_async import ConfigError, Intent, Journal, JournalEntry, SendState, SettledBy
from voicedrop_async.journal import _rules

MOMENT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def intent(ref: str = "order-7", *, campaign: str = "digest of a campaign", started_at: datetime = MOMENT) -> Intent:
    """What a session hands to its journal before it sends."""
    return Intent(
        campaign_name="Spring sale é-1",
        started_at=started_at,
        recipients=1000,
        ref=ref,
        campaign_digest=campaign,
        recipients_digest="digest of recipients",
    )


async def standing(journal: Journal, ref: str = "order-7") -> JournalEntry:
    entry = await journal.find(ref)
    assert entry is not None
    return entry


class Contract:
    """The promises."""

    async def test_a_journal_begins_empty(self, journal: Journal) -> None:
        assert await journal.find("order-7") is None
        assert await journal.open_entries() == []

    async def test_a_claim_stands_open_as_it_was_made(self, journal: Journal) -> None:
        """To the microsecond, and with characters of any script."""
        assert await journal.claim(intent("Bestellung ‰ '7\" 😀")) is None

        assert await standing(journal, "Bestellung ‰ '7\" 😀") == JournalEntry(intent=intent("Bestellung ‰ '7\" 😀"), state=SendState.OPEN)

    async def test_a_moment_of_another_zone_stays_that_moment(self, journal: Journal) -> None:
        athens = timezone(timedelta(hours=2))
        await journal.claim(intent(started_at=MOMENT.astimezone(athens)))

        assert (await standing(journal)).intent.started_at == MOMENT

    async def test_what_is_open_stands_in_the_way(self, journal: Journal) -> None:
        await journal.claim(intent())

        assert await journal.claim(intent(started_at=MOMENT + timedelta(days=1))) == await standing(journal)
        assert (await standing(journal)).intent.started_at == MOMENT

    async def test_what_was_sent_stands_in_the_way_with_its_result(self, journal: Journal) -> None:
        began = datetime.now(UTC)
        await journal.claim(intent())
        await journal.settle("order-7", sent=True, by=SettledBy.ANSWER, result='{"trackingId": "é\\u0000"}')

        in_the_way = await journal.claim(intent())

        assert in_the_way == await standing(journal)
        assert in_the_way is not None
        assert (in_the_way.state, in_the_way.settled_by, in_the_way.result) == (
            SendState.SENT,
            SettledBy.ANSWER,
            '{"trackingId": "é\\u0000"}',
        )
        assert in_the_way.settled_at is not None
        assert began <= in_the_way.settled_at <= datetime.now(UTC)

    async def test_what_was_not_sent_can_begin_again(self, journal: Journal) -> None:
        await journal.claim(intent())
        await journal.settle("order-7", sent=False, by=SettledBy.ANSWER)
        assert (await standing(journal)).state is SendState.NOT_SENT

        assert await journal.claim(intent(started_at=MOMENT + timedelta(days=1))) is None

        again = await standing(journal)
        assert (again.state, again.settled_at, again.settled_by) == (SendState.OPEN, None, None)
        assert again.intent.started_at == MOMENT + timedelta(days=1)

    @pytest.mark.parametrize("state", SendState)
    async def test_another_campaign_does_not_get_the_ref(self, journal: Journal, state: SendState) -> None:
        await journal.claim(intent())
        if state is not SendState.OPEN:
            await journal.settle("order-7", sent=state is SendState.SENT)

        in_the_way = await journal.claim(intent(campaign="another"))

        assert in_the_way is not None
        assert in_the_way.state is state
        assert in_the_way.intent == intent()

    async def test_a_settled_entry_stays_as_it_was_settled(self, journal: Journal) -> None:
        await journal.claim(intent())
        await journal.settle("order-7", sent=True)

        with pytest.raises(ConfigError, match="order-7"):
            await journal.settle("order-7", sent=False)
        assert (await standing(journal)).state is SendState.SENT
        assert (await standing(journal)).settled_by is SettledBy.PERSON

    async def test_a_word_that_comes_late_does_not_fall_on_the_next_claim(self, journal: Journal) -> None:
        """Its claim was settled as not sent, and somebody began again: that send must stay open until it ends."""
        first, next_one = intent(), intent(started_at=MOMENT + timedelta(microseconds=1))
        await journal.claim(first)
        await journal.settle("order-7", sent=False, by=SettledBy.ANSWER, of=first)
        await journal.claim(next_one)

        for sent in (False, True):
            with pytest.raises(ConfigError, match="no open entry"):
                await journal.settle("order-7", sent=sent, by=SettledBy.ANSWER, of=first)

        assert await standing(journal) == JournalEntry(intent=next_one, state=SendState.OPEN)
        assert await journal.open_entries() == [await standing(journal)]
        await journal.settle("order-7", sent=True, by=SettledBy.ANSWER, result="{}", of=next_one)
        assert (await standing(journal)).state is SendState.SENT

    @pytest.mark.parametrize("by", SettledBy)
    async def test_what_was_not_sent_can_turn_out_to_be_sent(self, journal: Journal, by: SettledBy) -> None:
        """A person was wrong, or its messages show up: from then on it stands in the way."""
        await journal.claim(intent())
        await journal.settle("order-7", sent=False)

        await journal.settle("order-7", sent=True, by=by, of=intent())

        entry = await standing(journal)
        assert (entry.state, entry.settled_by) == (SendState.SENT, by)
        assert await journal.claim(intent()) == entry

    @pytest.mark.parametrize("by", [SettledBy.PERSON, SettledBy.RECONCILE])
    async def test_its_own_answer_adds_its_result_to_what_others_settled_as_sent(self, journal: Journal, by: SettledBy) -> None:
        """Once: what the answer said stays. A claim that is not its own gets none."""
        await journal.claim(intent())
        await journal.settle("order-7", sent=True, by=by)
        with pytest.raises(ConfigError, match="no open entry"):
            await journal.settle("order-7", sent=True, by=SettledBy.ANSWER, result="not its own", of=intent(campaign="another"))

        await journal.settle("order-7", sent=True, by=SettledBy.ANSWER, result="receipt", of=intent())

        with pytest.raises(ConfigError, match="no open entry"):
            await journal.settle("order-7", sent=True, by=SettledBy.ANSWER, result="another", of=intent())
        entry = await standing(journal)
        assert (entry.state, entry.settled_by, entry.result) == (SendState.SENT, SettledBy.ANSWER, "receipt")

    @pytest.mark.parametrize("by", SettledBy)
    async def test_what_was_sent_stays_sent(self, journal: Journal, by: SettledBy) -> None:
        await journal.claim(intent())
        await journal.settle("order-7", sent=True)

        with pytest.raises(ConfigError, match="no open entry"):
            await journal.settle("order-7", sent=False, by=by, of=intent())
        assert (await standing(journal)).state is SendState.SENT

    @pytest.mark.parametrize("sent", [None, 1, "no"])
    async def test_what_is_neither_yes_nor_no_settles_nothing(self, journal: Journal, sent: bool) -> None:
        """ "I do not know" would free the ref, and it would be sent again."""
        await journal.claim(intent())

        words = f"^sent: (None|an? {type(sent).__name__}) is neither True nor False; while nobody knows, the entry stays open$"
        with pytest.raises(ConfigError, match=words):
            await journal.settle("order-7", sent=sent)
        assert (await standing(journal)).state is SendState.OPEN

    @pytest.mark.parametrize("ref", [None, 7, " ", "half \ud800", b"order-7"])
    async def test_what_is_no_text_is_no_ref(self, journal: Journal, ref: str) -> None:
        for asked in (journal.find(ref), journal.claim(intent(ref)), journal.settle(ref, sent=True)):
            with pytest.raises(ConfigError, match=r"^ref: "):
                await asked

    async def test_a_ref_with_a_phone_number_is_not_kept_and_not_shown(self, journal: Journal) -> None:
        for asked in (journal.claim(intent("+306912345678")), journal.settle("+306912345678", sent=True)):
            with pytest.raises(ConfigError) as refused:
                await asked
            assert "6912345678" not in str(refused.value)

    async def test_the_error_names_the_ref_as_it_is(self, journal: Journal) -> None:
        """Else nobody could do what it says; long numbers of orders look like phone numbers."""
        with pytest.raises(ConfigError, match="'order-20261122-4711'"):
            await journal.settle("order-20261122-4711", sent=True)

    async def test_under_no_ref_stands_nothing(self, journal: Journal) -> None:
        """As in an intent that was made by hand."""
        assert await journal.find("") is None

    @pytest.mark.parametrize("other", [{"by": "nobody"}, {"result": 7}, {"of": "order-7"}])
    async def test_a_settlement_is_made_of_what_it_takes(self, journal: Journal, other: dict[str, Any]) -> None:
        await journal.claim(intent())

        ((name, odd),) = other.items()
        with pytest.raises(ConfigError, match=f"^{name}: (None|an? {type(odd).__name__}) is no "):
            await journal.settle("order-7", sent=True, **other)
        assert (await standing(journal)).state is SendState.OPEN

    @pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy])
    async def test_a_journal_does_not_leave_its_process(self, journal: Journal, duplicate: Callable[[Journal], object]) -> None:
        """A copy would not see what the other claims; and the URL of one may hold a password."""
        await journal.claim(intent())

        with pytest.raises(ConfigError, match=f"^journal: a {type(journal).__name__} is not copied or pickled; make one in each process$"):
            duplicate(journal)

    async def test_what_never_began_cannot_be_settled(self, journal: Journal) -> None:
        with pytest.raises(ConfigError, match="no open entry"):
            await journal.settle("order-7", sent=True)

    async def test_open_entries_come_in_the_order_in_which_they_began(self, journal: Journal) -> None:
        """Whatever the clock said: it went back an hour with each. What began again is the youngest."""
        for hours, ref in enumerate(["first", "second", "third", "fourth"]):
            await journal.claim(intent(ref, started_at=MOMENT - timedelta(hours=hours)))
        await journal.settle("second", sent=True)
        await journal.settle("first", sent=False)
        await journal.claim(intent("first"))

        assert [entry.intent.ref for entry in await journal.open_entries()] == ["third", "fourth", "first"]

    async def test_only_what_is_settled_and_old_is_forgotten(self, journal: Journal) -> None:
        for ref in ("open", "sent", "not sent"):
            await journal.claim(intent(ref))
        await journal.settle("sent", sent=True)
        await journal.settle("not sent", sent=False)

        assert await journal.prune(timedelta(days=1)) == 0
        assert await journal.prune(timedelta.max) == 0
        assert await journal.prune(timedelta(0)) == 2
        assert [await journal.find(ref) for ref in ("sent", "not sent")] == [None, None]
        assert (await standing(journal, "open")).state is SendState.OPEN
        assert await journal.claim(intent("sent")) is None

    @pytest.mark.parametrize(("less", "forgotten"), [(timedelta(0), 1), (timedelta(microseconds=1), 0)])
    async def test_what_is_as_old_as_that_to_the_microsecond_is_forgotten(
        self, journal: Journal, monkeypatch: pytest.MonkeyPatch, less: timedelta, forgotten: int
    ) -> None:
        await journal.claim(intent())
        await journal.settle("order-7", sent=True)
        settled_at = (await standing(journal)).settled_at
        assert settled_at is not None

        class ADayLater(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:
                return settled_at + timedelta(days=1) - less

        monkeypatch.setattr(_rules, "datetime", ADayLater)

        assert await journal.prune(timedelta(days=1)) == forgotten

    async def test_what_began_again_is_not_forgotten(self, journal: Journal) -> None:
        await journal.claim(intent())
        await journal.settle("order-7", sent=False)
        await journal.claim(intent())

        assert await journal.prune(timedelta(0)) == 0
        assert (await standing(journal)).state is SendState.OPEN

    @pytest.mark.parametrize("age", [timedelta(seconds=-1), None, 90])
    async def test_an_age_is_a_span_of_time(self, journal: Journal, age: timedelta) -> None:
        with pytest.raises(ConfigError, match=r"^older_than: must be a timedelta of zero or more$"):
            await journal.prune(age)

    async def test_of_many_claims_at_one_moment_one_wins(self, journal: Journal) -> None:
        outcomes = await asyncio.gather(*(journal.claim(intent()) for _ in range(50)))

        assert outcomes.count(None) == 1
        assert {entry.state for entry in outcomes if entry is not None} == {SendState.OPEN}

    async def test_many_sends_at_one_moment_all_get_through(self, journal: Journal) -> None:
        async def send(number: int) -> None:
            assert await journal.claim(intent(f"order-{number}")) is None
            if number % 5:
                await journal.settle(f"order-{number}", sent=True, result=str(number))

        await asyncio.gather(*(send(number) for number in range(100)))

        assert {entry.intent.ref for entry in await journal.open_entries()} == {f"order-{number}" for number in range(0, 100, 5)}
        assert [(await standing(journal, f"order-{number}")).result for number in (1, 99)] == ["1", "99"]

    async def test_the_key_stays_the_same_and_is_not_shown(self, journal: Journal) -> None:
        key = await journal.key()

        assert len(key) == 32
        assert await journal.key() == key
        assert key.hex() not in repr(journal)
        assert repr(key) not in repr(journal)
