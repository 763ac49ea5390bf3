"""Journals that do what a test needs: fail where it says, wait where it says, and remember what they were asked."""

import asyncio
from collections import defaultdict

from voicedrop_async import Intent, JournalEntry, MemoryJournal, SettledBy


class WatchedJournal(MemoryJournal):
    """Remembers its calls; each named in ``failing`` raises its error, each named in ``waiting`` waits for its event."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.failing: dict[str, Exception] = {}
        self.waiting: dict[str, asyncio.Event] = {}
        self.reached = asyncio.Event()
        """Set when a call begins to wait."""
        self.done: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """``settle``: set when one is done. ``find`` and a ref: set when that is looked up."""

    async def _pass(self, name: str) -> None:
        self.asked.append(name)
        if name in self.failing:
            raise self.failing[name]
        if name in self.waiting:
            self.reached.set()
            await self.waiting[name].wait()

    async def key(self) -> bytes:
        await self._pass("key")
        return await super().key()

    async def find(self, ref: str) -> JournalEntry | None:
        await self._pass("find")
        self.done[f"find {ref}"].set()
        return await super().find(ref)

    async def claim(self, intent: Intent) -> JournalEntry | None:
        await self._pass("claim")
        return await super().claim(intent)

    async def settle(
        self, ref: str, *, sent: bool, by: SettledBy = SettledBy.PERSON, result: str | None = None, of: Intent | None = None
    ) -> None:
        await self._pass("settle")
        await super().settle(ref, sent=sent, by=by, result=result, of=of)
        self.done["settle"].set()
