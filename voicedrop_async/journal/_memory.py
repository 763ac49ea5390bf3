"""A journal in the memory of one process: what a session has unless it is given another."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import evolve

from voicedrop_async._checks import check_ref
from voicedrop_async.journal._entry import JournalEntry, SendState, SettledBy
from voicedrop_async.journal._key import KEY_BYTES
from voicedrop_async.journal._rules import (
    OfOneProcess,
    check_lookup,
    check_settlement,
    is_made_up,
    may_settle,
    no_open_entry,
    oldest_kept,
    state_after,
)
from voicedrop_async.models import Intent

KEPT: Final = 10_000


class MemoryJournal(OfOneProcess):
    """A journal that ends with its process: it keeps what is open, and the 10,000 entries settled last.

    A ref whose entry had to make room can be sent again. A send without a ``ref`` that was answered takes no room: nobody
    can ask for it again.

    It tells two tasks and two sessions of one process apart. What has to outlive the process, or to be seen by another
    one, belongs into a ``SqliteJournal`` or a ``RedisJournal``. Usable in several loops, one after another.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._key = secrets.token_bytes(KEY_BYTES)
        self._open: dict[str, JournalEntry] = {}
        self._settled: dict[str, JournalEntry] = {}

    # No method waits for anything, so each is atomic in its loop.

    async def key(self) -> bytes:
        """Return 32 random bytes, the same for the life of this journal."""
        return self._key

    async def find(self, ref: str) -> JournalEntry | None:
        """Return what stands under ``ref``."""
        check_lookup(ref)
        return self._open.get(ref) or self._settled.get(ref)

    async def claim(self, intent: Intent) -> JournalEntry | None:
        """Write down that the send of ``intent.ref`` begins; or return what stands in its way."""
        check_ref(intent.ref)
        standing = await self.find(intent.ref)
        if standing is not None and standing.stands_in_the_way_of(intent):
            return standing
        self._settled.pop(intent.ref, None)
        self._open[intent.ref] = JournalEntry(intent=intent, state=SendState.OPEN)
        return None

    async def settle(
        self, ref: str, *, sent: bool, by: SettledBy = SettledBy.PERSON, result: str | None = None, of: Intent | None = None
    ) -> None:
        """Write down what became of an open entry, and when; see ``Journal.settle``.

        Raises:
            ConfigError: Nothing under ``ref`` of which that can be said.
        """
        check_settlement(ref, sent=sent, by=by, result=result, of=of)
        entry = await self.find(ref)
        if entry is None or not may_settle(entry, sent=sent, by=by, of=of):
            raise no_open_entry(ref)
        was_open = self._open.pop(ref, None) is not None
        if was_open and by is SettledBy.ANSWER and is_made_up(ref):
            return  # its ref was in no receipt and no error
        self._settled.pop(ref, None)
        self._settled[ref] = evolve(entry, state=state_after(sent=sent), result=result, settled_at=datetime.now(UTC), settled_by=by)
        if len(self._settled) > KEPT:
            del self._settled[next(iter(self._settled))]

    async def open_entries(self) -> list[JournalEntry]:
        """Return what is open, in the order in which it began."""
        return list(self._open.values())

    async def prune(self, older_than: timedelta) -> int:
        """Forget entries settled that long ago, or longer; return how many. Their refs can then be sent again.

        Raises:
            ConfigError: ``older_than`` is no span of time, or a negative one.
        """
        oldest = oldest_kept(older_than)
        old = [ref for ref, entry in self._settled.items() if entry.settled_at is not None and entry.settled_at <= oldest]
        for ref in old:
            del self._settled[ref]
        return len(old)

    def __repr__(self) -> str:
        return f"MemoryJournal(open={len(self._open)})"
