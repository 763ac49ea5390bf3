"""The two journals that need nothing but Python keep what every journal promises."""

import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from journal_contract import Contract, intent

from voicedrop_async import ConfigError, MemoryJournal, RedisJournal, SendState, SqliteJournal


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

    with pytest.raises(ConfigError, match=r"voicedrop-async\[redis\]"):
        RedisJournal("redis://localhost:6379/0")
