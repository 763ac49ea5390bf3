"""Lists longer than a campaign: each recipient in exactly one chunk, and in exactly one line of the ledger."""

import asyncio
import pickle
import sys
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from campaigns import CAMPAIGN, RECEIPT, complaint
from hypothesis import given
from hypothesis import strategies as st
from paid.journals import WatchedJournal
from raw_server import RawServer, answer, hangs_up

from voicedrop_async import (
    BadRequest,
    Chunk,
    ChunkState,
    ClientCredentials,
    ConfigError,
    JournalError,
    MemoryJournal,
    OutcomeUnknown,
    Reconciliation,
    RouteeSession,
    SendLedger,
    SessionClosed,
    SqliteJournal,
    StaticToken,
    Unauthorized,
)
from voicedrop_async.routee._recipients import Sieve, reader
from voicedrop_async.sandbox import Sandbox

TEMPLATE = evolve(CAMPAIGN, to=())
LOST = {"drop": "after_acting", "path": "/voice/campaign"}


def numbers(count: int, first: int = 0) -> list[str]:
    return [f"+3069{place:08}" for place in range(first, first + count)]


def called(sandbox: Sandbox) -> Counter[str]:
    return Counter(number for campaign in sandbox.campaigns for number in campaign.recipients)


def named(ledger: SendLedger) -> list[str]:
    """Everybody whom the ledger names, as often as it does."""
    return sorted([*ledger.sent, *ledger.unknown, *ledger.refused, *ledger.not_attempted])


async def test_everybody_is_called_once_and_named_once(sandbox: Sandbox, shop: RouteeSession) -> None:
    ledger = await shop.send_campaigns(TEMPLATE, numbers(2500), ref="spring")

    assert called(sandbox) == Counter(numbers(2500))
    assert ledger.sent == tuple(numbers(2500))
    assert [(chunk.ref, len(chunk.recipients)) for chunk in ledger.chunks] == [("spring/1", 1000), ("spring/2", 1000), ("spring/3", 500)]
    assert [chunk.receipt and chunk.receipt.tracking_id for chunk in ledger.chunks] == [each.tracking_id for each in sandbox.campaigns]
    assert len({campaign.name for campaign in sandbox.campaigns}) == 3
    assert all((campaign.name or "").startswith("Spring sale ") for campaign in sandbox.campaigns)
    assert ledger.stopped_by is None


async def test_each_chunk_is_told_of_when_it_is_over_and_who_is_told_can_end_the_list(sandbox: Sandbox, shop: RouteeSession) -> None:
    told: list[tuple[Chunk, int]] = []

    def listen(chunk: Chunk) -> None:
        told.append((chunk, len(sandbox.campaigns)))
        if len(told) == 2:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await shop.send_campaigns(TEMPLATE, numbers(30), ref="spring", chunk=10, on_chunk=listen)

    assert [(chunk.ref, chunk.state, count) for chunk, count in told] == [
        ("spring/1", ChunkState.SENT, 1),
        ("spring/2", ChunkState.SENT, 2),
    ]
    assert len(sandbox.campaigns) == 2


async def test_p11_an_unknown_chunk_stops_the_list(sandbox: Sandbox, shop: RouteeSession) -> None:
    """Three chunks, the answer to the second is lost: one sent, one unknown, one not attempted; each recipient once."""
    await shop.send_campaigns(TEMPLATE, numbers(1000), ref="spring")
    sandbox.fail_next(**LOST)

    ledger = await shop.send_campaigns(TEMPLATE, numbers(3000), ref="spring")

    assert [chunk.state for chunk in ledger.chunks] == [ChunkState.SENT, ChunkState.UNKNOWN, ChunkState.NOT_ATTEMPTED]
    assert (ledger.sent, ledger.unknown, ledger.not_attempted) == (
        tuple(numbers(1000)),
        tuple(numbers(1000, 1000)),
        tuple(numbers(1000, 2000)),
    )
    assert isinstance(ledger.stopped_by, OutcomeUnknown)
    assert called(sandbox) == Counter(numbers(2000))
    assert repr(ledger) == "SendLedger(ref='spring', sent=1000, unknown=1000, refused=0, not_attempted=1000, duplicates=0)"


async def test_the_list_goes_on_behind_an_unknown_chunk_if_told_so(sandbox: Sandbox, shop: RouteeSession) -> None:
    sandbox.fail_next(**LOST)

    ledger = await shop.send_campaigns(TEMPLATE, numbers(30), ref="spring", chunk=10, stop_at_unknown=False)

    assert [chunk.state for chunk in ledger.chunks] == [ChunkState.UNKNOWN, ChunkState.SENT, ChunkState.SENT]
    assert ledger.stopped_by is None
    assert called(sandbox) == Counter(numbers(30))


async def test_the_same_call_goes_on_in_another_process_once_the_unknown_is_settled(sandbox: Sandbox, tmp_path: Path) -> None:
    """Lost, looked for, gone on: two journals and two sessions on one file, and an unknown that stays one until then."""
    auth = ClientCredentials(*sandbox.credentials)
    sandbox.fail_next(status=400, path="/voice/campaign")
    sandbox.fail_next(**LOST)
    states, ledgers = [], []
    for round_ in range(3):
        async with (
            SqliteJournal(tmp_path / "sends") as journal,
            RouteeSession(auth, base_url=sandbox.routee_url, auth_url=sandbox.auth_url, journal=journal) as session,
        ):
            ledgers.append(await session.send_campaigns(TEMPLATE, iter(numbers(45)), ref="spring", chunk=10))
            states.append([chunk.state.value for chunk in ledgers[-1].chunks])
            if round_ == 1:
                assert await session.reconcile("spring/2") is Reconciliation.SENT

    assert states == [
        ["refused", "unknown", "not_attempted", "not_attempted", "not_attempted"],
        ["sent", "unknown", "not_attempted", "not_attempted", "not_attempted"],
        ["sent", "sent", "sent", "sent", "sent"],
    ]
    assert called(sandbox) == Counter(numbers(45))
    assert ledgers[2].chunks[1].receipt is not None
    assert ledgers[2].chunks[1].receipt.tracking_id is None


async def test_p12_a_number_that_comes_twice_is_called_once(sandbox: Sandbox, shop: RouteeSession) -> None:
    """Also behind the end of its chunk; what is no number is in no chunk, and says why."""
    listed = [*numbers(15), *numbers(3), "306912345678", "nobody", "nobody", *numbers(5, 15)]

    ledger = await shop.send_campaigns(TEMPLATE, listed, ref="spring", chunk=10)

    assert called(sandbox) == Counter(numbers(20))
    assert ledger.duplicates == (*numbers(3), "nobody")
    assert list(ledger.invalid) == ["306912345678", "nobody"]
    assert ledger.refused["nobody"].startswith("not E.164")
    assert named(ledger) == sorted(["306912345678", "nobody", *numbers(20)])


async def test_p12_other_notations_are_told_apart_with_a_region(sandbox: Sandbox, shop: RouteeSession) -> None:
    listed = ["6912345678", "+30 691 234 5678", "0030 6912345678", "+306912345678", "691234567", "nobody", "+44 20 7946 0000"]

    ledger = await shop.send_campaigns(TEMPLATE, listed, ref="spring", region="GR")

    assert called(sandbox) == Counter(["+306912345678", "+442079460000"])
    assert ledger.duplicates == ("+30 691 234 5678", "0030 6912345678", "+306912345678")
    assert ledger.refused == dict.fromkeys(["691234567", "nobody"], "no phone number, as read in GR")


async def test_p13_numbers_that_the_service_refuses_of_a_chunk_it_takes_are_refused(line: RawServer, sender: RouteeSession) -> None:
    problem = {"code": "400013004", "developerMessage": "not a mobile", "property": [numbers(1)[0][1:]]}
    line.will(answer(200, RECEIPT | {"errors": [problem]}))

    for _ in range(2):  # once from the service, once from the journal
        ledger = await sender.send_campaigns(TEMPLATE, numbers(3), ref="spring")

        assert ledger.sent == tuple(numbers(2, 1))
        assert ledger.refused == {numbers(1)[0]: "code 400013004: not a mobile"}
    assert len(line.received) == 1


async def test_a_chunk_that_is_refused_as_such_does_not_stop_the_list(line: RawServer, sender: RouteeSession) -> None:
    """The service names the number that it does not like; the others of the chunk fall with it, and hear why."""
    problem = {"code": "004", "developerMessage": "not a mobile", "property": numbers(1)}
    line.will(answer(400, complaint(errors=[problem])), answer(200, RECEIPT))

    ledger = await sender.send_campaigns(TEMPLATE, numbers(4), ref="spring", chunk=2)

    assert isinstance(ledger.chunks[0].error, BadRequest)
    assert ledger.refused[numbers(1)[0]] == "code 004: not a mobile"
    assert ledger.refused[numbers(2)[1]].startswith("its chunk was refused: POST /voice/campaign: HTTP 400")
    assert ledger.sent == tuple(numbers(2, 2))
    assert ledger.stopped_by is None


async def test_what_the_next_chunk_would_meet_too_stops_the_list(line: RawServer, sender: RouteeSession) -> None:
    line.will(answer(401, {"error": "Unauthorized"}))

    ledger = await sender.send_campaigns(TEMPLATE, numbers(4), ref="spring", chunk=2)

    assert isinstance(ledger.stopped_by, Unauthorized)
    assert list(ledger.refused) == numbers(2)
    assert ledger.not_attempted == tuple(numbers(2, 2))


async def test_a_journal_that_fails_stops_the_list_and_nothing_is_sent(
    line: RawServer, sender: RouteeSession, journal: WatchedJournal
) -> None:
    journal.failing["claim"] = OSError()

    ledger = await sender.send_campaigns(TEMPLATE, numbers(4), ref="spring", chunk=2)

    assert isinstance(ledger.stopped_by, JournalError)
    assert line.received == []


@pytest.mark.parametrize(
    ("listed", "chunk"), [(numbers(30, 1), 10), (list(reversed(numbers(30))), 10), (numbers(30), 15)], ids=["others", "order", "size"]
)
async def test_a_chunk_that_differs_is_refused_before_anything_of_it_is_sent(
    sandbox: Sandbox, shop: RouteeSession, listed: list[str], chunk: int
) -> None:
    await shop.send_campaigns(TEMPLATE, numbers(30), ref="spring", chunk=10)

    with pytest.raises(ConfigError, match="this is chunk 1, and of the 0 chunks before it 0 are sent"):
        await shop.send_campaigns(TEMPLATE, listed, ref="spring", chunk=chunk)

    assert called(sandbox) == Counter(numbers(30))


async def test_the_error_of_a_chunk_that_differs_says_what_was_done(sandbox: Sandbox, shop: RouteeSession) -> None:
    await shop.send_campaigns(TEMPLATE, numbers(25), ref="spring", chunk=10)

    with pytest.raises(ConfigError, match="this is chunk 3, and of the 2 chunks before it 2 are sent"):
        await shop.send_campaigns(TEMPLATE, numbers(30), ref="spring", chunk=10)

    assert called(sandbox) == Counter(numbers(25))


async def test_entries_are_pulled_chunk_by_chunk_from_an_async_source_too(sandbox: Sandbox, shop: RouteeSession) -> None:
    pulled: list[int] = []

    async def source() -> AsyncIterator[str]:
        for number in numbers(25):
            pulled.append(len(sandbox.campaigns))
            yield number

    await shop.send_campaigns(TEMPLATE, source(), ref="spring", chunk=10)

    assert pulled == [0] * 10 + [1] * 10 + [2] * 5


async def test_a_source_that_fails_is_the_caller_s_to_see_and_half_a_chunk_is_not_sent(sandbox: Sandbox, shop: RouteeSession) -> None:
    closed = []

    async def source() -> AsyncIterator[str]:
        try:
            for number in numbers(15):
                yield number
            raise LookupError("the database is gone")
        finally:
            closed.append(True)

    with pytest.raises(LookupError) as caught:
        await shop.send_campaigns(TEMPLATE, source(), ref="spring", chunk=10)

    assert caught.value.__notes__ == ["send_campaigns: the recipients raised this before chunk 2; of the 1 chunks before it 1 are sent"]
    assert called(sandbox) == Counter(numbers(10))
    assert closed == [True]
    ledger = await shop.send_campaigns(TEMPLATE, numbers(15), ref="spring", chunk=10)
    assert ledger.sent == tuple(numbers(15))


async def test_an_async_source_need_be_no_generator(sandbox: Sandbox, shop: RouteeSession) -> None:
    class Queue:
        left = numbers(3)

        def __aiter__(self) -> "Queue":
            return self

        async def __anext__(self) -> str:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

    await shop.send_campaigns(TEMPLATE, Queue(), ref="spring")

    assert called(sandbox) == Counter(numbers(3))


async def test_no_recipients_are_no_sends(line: RawServer, sender: RouteeSession) -> None:
    ledger = await sender.send_campaigns(TEMPLATE, [], ref="spring")

    assert (ledger.chunks, named(ledger), line.received) == ((), [], [])


async def test_a_lone_text_is_one_recipient(sandbox: Sandbox, shop: RouteeSession) -> None:
    await shop.send_campaigns(TEMPLATE, numbers(1)[0], ref="spring")

    assert called(sandbox) == Counter(numbers(1))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"campaign": CAMPAIGN}, "campaign.to: a template"),
        ({"campaign": evolve(TEMPLATE, groups=["all"])}, "campaign.groups: a template"),
        ({"campaign": evolve(TEMPLATE, message=None)}, "message: missing"),
        ({"campaign": "hello"}, "no VoiceCampaign"),
        ({"recipients": 7}, "recipients: an int"),
        ({"ref": ""}, "ref: must not be empty"),
        ({"ref": "x" * 195}, "no room for the numbers"),
        ({"chunk": 0}, "chunk: 0 is below 1"),
        ({"chunk": 1001}, "chunk: 1001 is above 1000"),
        ({"stop_at_unknown": "yes"}, "stop_at_unknown: "),
        ({"stop_at_unknown": None}, "stop_at_unknown: None is neither"),
        ({"region": "Greece"}, "region: not a region"),
    ],
)
async def test_what_cannot_be_is_refused_before_the_first_entry_is_pulled(
    line: RawServer, sender: RouteeSession, changes: dict[str, object], words: str
) -> None:
    def source() -> Iterator[str]:
        pytest.fail("an entry was pulled")
        yield ""

    asked = {"campaign": TEMPLATE, "recipients": source(), "ref": "spring"} | changes
    with pytest.raises(ConfigError, match=words):
        await sender.send_campaigns(asked.pop("campaign"), asked.pop("recipients"), **asked)

    assert line.received == []


async def test_without_the_extra_a_region_is_refused(sender: RouteeSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)

    with pytest.raises(ConfigError, match=r"^region: needs the extra: .*voicedrop-async\[phone\]"):
        await sender.send_campaigns(TEMPLATE, [], ref="spring", region="GR")


async def test_a_closed_session_pulls_nothing(sender: RouteeSession) -> None:
    await sender.aclose()

    with pytest.raises(SessionClosed):
        await sender.send_campaigns(TEMPLATE, numbers(1), ref="spring")


async def test_a_ledger_shows_no_number_and_pickles_whole(line: RawServer, sender: RouteeSession) -> None:
    line.will(answer(200, RECEIPT), hangs_up())
    ledger = await sender.send_campaigns(TEMPLATE, [*numbers(4), "210 9876543"], ref="spring", chunk=2)

    again = pickle.loads(pickle.dumps(ledger))

    assert named(again) == named(ledger)
    assert "3069" not in repr(ledger) + repr(ledger.chunks) + str(ledger.stopped_by)


async def test_what_is_no_text_is_named_by_its_place_and_not_by_what_it_would_say(shop: RouteeSession) -> None:
    """As text it would be the number of somebody who was called, who then stood in two lines of the ledger."""

    class Number:
        def __str__(self) -> str:
            return numbers(1)[0]

    listed: Any = [*numbers(1), Number(), 306900000000, None, 306900000000]
    ledger = await shop.send_campaigns(TEMPLATE, listed, ref="spring")

    assert ledger.sent == tuple(numbers(1))
    assert ledger.refused == {
        "entry 2": "a Number is no text",
        "entry 3": "an int is no text",
        "entry 4": "None is no text",
        "entry 5": "an int is no text",
    }


async def test_the_errors_of_a_ledger_hold_no_frame_and_so_no_body(line: RawServer, sender: RouteeSession) -> None:
    """What led to them neither: each chunk that failed would be in memory a second time."""
    line.will(answer(400, complaint()), hangs_up())

    ledger = await sender.send_campaigns(TEMPLATE, numbers(20), ref="spring", chunk=10)

    links: list[BaseException | None] = [chunk.error for chunk in ledger.chunks]
    held, seen = [], 0
    while links:
        link = links.pop()
        if link is not None:
            held += [link] if link.__traceback__ is not None else []
            links += [link.__cause__, link.__context__]
            seen += 1
    assert held == []
    assert seen > len(ledger.chunks)


@given(st.lists(st.sampled_from([*numbers(12), "nobody", "12345", ""]), max_size=40), st.integers(1, 7))
def test_whatever_is_listed_each_entry_is_in_one_chunk_invalid_or_a_repetition(listed: list[str], size: int) -> None:
    sieve = Sieve(reader(None), "why")

    async def cut() -> list[tuple[str, ...]]:
        return [chunk.recipients async for chunk in sieve.chunks(listed, "spring", size)]

    chunks = asyncio.run(cut())
    kept = [number for chunk in chunks for number in chunk]

    assert kept == list(dict.fromkeys(number for number in listed if number.startswith("+")))
    assert len(kept) + len(sieve.invalid) + len(sieve.duplicates) == len(listed)
    assert all(len(chunk) == size for chunk in chunks[:-1])


@pytest.mark.once
@pytest.mark.usefixtures("thousands_of_steps")
async def test_a_hundred_thousand_recipients_are_held_once(line: RawServer) -> None:
    """The text and its places in ledger and sieve: no receipt doubles it."""
    line.will(answer(200, RECEIPT))
    tracemalloc.start()
    async with RouteeSession(StaticToken("t"), base_url=line.url, journal=MemoryJournal()) as session:
        ledger = await session.send_campaigns(TEMPLATE, (f"+3069{place:08}" for place in range(100_000)), ref="spring")
        held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    print(f"100,000 recipients: {held / 100_000:.0f} bytes each in the ledger, {peak / 100_000:.0f} at the most")
    assert len(ledger.sent) == 100_000
    assert peak < 300 * 100_000
