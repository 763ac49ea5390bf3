"""The two journals that need nothing but Python keep what every journal promises."""

import sys
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from campaigns import CAMPAIGN, QUICK, RECEIPT
from journal_contract import Contract, intent
from raw_server import RawServer, answer, hangs_up

from voicedrop_async import (
    BadRequest,
    ConfigError,
    MemoryJournal,
    OutcomeUnknown,
    RedisJournal,
    RouteeSession,
    SendState,
    SqliteJournal,
    StaticToken,
)


class TestMemoryJournal(Contract):
    """In the memory of one process."""

    @pytest.fixture
    def journal(self) -> MemoryJournal:
        return MemoryJournal()

    async def test_it_keeps_the_last_settled_entries_and_every_open_one(self, journal: MemoryJournal) -> None:
        """A process that runs for a year does not grow for ever."""
        await journal.claim(intent("open"))
        for number in range(10_001):
            await journal.claim(intent(str(number)))
            await journal.settle(str(number), sent=True)

        assert await journal.find("0") is None
        assert [entry.state for entry in [await journal.find("1"), await journal.find("10000")] if entry] == [SendState.SENT] * 2
        assert [entry.intent.ref for entry in await journal.open_entries()] == ["open"]

    async def test_sends_without_a_ref_do_not_push_out_those_with_one(self, line: RawServer) -> None:
        """Nobody can ask for their receipt again; one that stayed open was named to its caller, and is kept."""
        line.will(answer(200, RECEIPT), hangs_up(), answer(400, {"code": "400", "developerMessage": "no"}))
        journal = MemoryJournal()
        async with RouteeSession(StaticToken("t"), base_url=line.url, retry=QUICK, journal=journal) as session:
            await session.send_campaign(CAMPAIGN)
            with pytest.raises(OutcomeUnknown) as unknown:
                await session.send_campaign(CAMPAIGN)
            with pytest.raises(BadRequest):
                await session.send_campaign(CAMPAIGN)
        ref = unknown.value.intent.ref
        await journal.settle(ref, sent=True)

        assert await journal.prune(timedelta(0)) == 1

    async def test_what_turns_out_to_be_sent_is_as_young_as_that_word(self, journal: MemoryJournal) -> None:
        for ref in ["early", *map(str, range(9_999))]:
            await journal.claim(intent(ref))
            await journal.settle(ref, sent=False)
        await journal.settle("early", sent=True)
        await journal.claim(intent("last"))
        await journal.settle("last", sent=True)

        assert await journal.find("early") is not None
        assert await journal.find("0") is None

    async def test_it_shows_how_much_is_open_and_nothing_else(self, journal: MemoryJournal) -> None:
        for ref in ("order-7", "order-8", "order-9"):
            await journal.claim(intent(ref))
        await journal.settle("order-8", sent=True)

        assert repr(journal) == "MemoryJournal(open=2)"


class TestSqliteJournal(Contract):
    """In a file."""

    @pytest.fixture
    async def journal(self, tmp_path: Path) -> AsyncGenerator[SqliteJournal]:
        async with SqliteJournal(tmp_path / "sends.journal") as opened:
            yield opened


@pytest.mark.parametrize("module", ["redis.exceptions", "redis.asyncio"])
def test_without_its_extra_a_journal_in_redis_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """As if the library were not installed: its name leads nowhere."""
    for name in ("redis", module):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(ConfigError) as refused:
        RedisJournal("redis://localhost:6379/0")
    assert str(refused.value) == 'redis: needs the extra: python -m pip install "voicedrop-async[redis]"'
