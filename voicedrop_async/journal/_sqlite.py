"""A journal in a file: it outlives its process, and several processes can share it."""

import os
from asyncio import shield, wrap_future
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

from voicedrop_async._checks import check_ref
from voicedrop_async._sqlite import file_at
from voicedrop_async.journal._entry import JournalEntry, SettledBy
from voicedrop_async.journal._file import Care, JournalFile
from voicedrop_async.journal._rules import OfOneProcess, check_lookup, check_settlement, oldest_kept
from voicedrop_async.journal._worker import Worker
from voicedrop_async.models import Intent

T = TypeVar("T")


class SqliteJournal(OfOneProcess):
    """A journal in a SQLite file, for every process of one machine.

    A claim is on the disk before it returns; those that wait together share one commit. Beside FILE lie its key, FILE.key,
    and while it is open FILE-wal and FILE-shm; all of them readable by their owner only. A copy of a journal is a copy of
    all of them. It holds no phone number: recipients are hashed, and what else stands in it, ref and campaign name, may not
    hold one. Not for a network file system: SQLite cannot lock there.

    The file is opened by the first call, on a thread of the journal's own, and made if neither it nor its key is there.
    Usable in several loops, one after another. Closing it gives file and thread back; a journal that is used again opens
    again, and one that is never closed closes when it is dropped, on whatever thread that happens, or at the end of the
    program: rather close it, or a loop may wait for the disk. A process that was forked
    while the file was open cannot use it, by no journal: SQLite would lose claims. Open it after the fork, or close it before.

    A process that is killed while it makes the files may leave a draft, FILE.*.new, which can be deleted.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Name the file; it is not touched before the first call.

        Raises:
            ConfigError: ``path`` is no path.
        """
        self._path = file_at(path, in_memory="a journal in memory is a MemoryJournal")
        self._worker: Worker | None = None
        self._key: bytes | None = None

    async def __aenter__(self) -> Self:
        """Return the journal."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the file."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the file, after what is under way. Again: does nothing."""
        worker, self._worker, self._key = self._worker, None, None
        if worker is not None:
            await shield(wrap_future(worker.close()))  # cancelled or not, it is closed

    async def key(self) -> bytes:
        """Return the 32 random bytes that lie beside the file; it is read once.

        Raises:
            JournalError: The file or its key cannot be read.
        """
        if self._key is None:
            self._key = await self._ask(lambda file: file.key)
        return self._key

    async def find(self, ref: str) -> JournalEntry | None:
        """Return what stands under ``ref``.

        Raises:
            JournalError: The file cannot be read.
        """
        check_lookup(ref)
        return await self._ask(lambda file: file.find(ref))

    async def claim(self, intent: Intent) -> JournalEntry | None:
        """Write down, on the disk, that the send of ``intent.ref`` begins; or return what stands in its way.

        Raises:
            JournalError: It cannot be written. If the disk failed in the middle of it, the entry may stand all the same, as open.
        """
        check_ref(intent.ref)
        return await self._ask(lambda file: file.claim(intent), Care.DURABLE)

    async def settle(
        self, ref: str, *, sent: bool, by: SettledBy = SettledBy.PERSON, result: str | None = None, of: Intent | None = None
    ) -> None:
        """Write down what became of an open entry, and when; see ``Journal.settle``. A power cut soon after may leave it open.

        Raises:
            ConfigError: Nothing under ``ref`` of which that can be said.
            JournalError: It cannot be written; the entry stays as it is.
        """
        check_settlement(ref, sent=sent, by=by, result=result, of=of)
        await self._ask(lambda file: file.settle(ref, sent=sent, by=by, result=result, of=of), Care.LAZY)

    async def open_entries(self) -> list[JournalEntry]:
        """Return what is open, in the order in which it began.

        Raises:
            JournalError: The file cannot be read.
        """
        return await self._ask(lambda file: file.open_entries())

    async def prune(self, older_than: timedelta) -> int:
        """Forget entries settled that long ago, or longer; return how many. Their refs can then be sent again.

        Raises:
            ConfigError: ``older_than`` is no span of time, or a negative one.
            JournalError: The file cannot be written.
        """
        oldest = oldest_kept(older_than)
        return await self._ask(lambda file: file.prune(oldest), Care.LAZY)

    async def _ask(self, work: Callable[[JournalFile], T], care: Care = Care.READ) -> T:
        if self._worker is None:
            self._worker = Worker(self._path)
        return await self._worker.do(work, care)

    def __repr__(self) -> str:
        return f"SqliteJournal({str(self._path)!r})"
