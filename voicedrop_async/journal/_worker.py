"""The one thread of a SQLite journal. Work that waits together is written together, with one commit for all of it."""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar
from weakref import finalize

from attrs import define, field

from voicedrop_async.errors import ConfigError, JournalError
from voicedrop_async.journal._file import Care, JournalFile

T = TypeVar("T")


@define(eq=False)
class _Job(Generic[T]):
    work: Callable[[JournalFile], T]
    care: Care
    done: asyncio.Future[T]
    tell: Callable[[], None] = field(init=False)
    """Tells the one who waits what came of it, in his loop."""

    def run(self, file: JournalFile) -> None:
        """Do the work; what came of it is told once it is committed."""
        try:
            self.tell = partial(self.done.set_result, self.work(file))
        except (ConfigError, JournalError) as refused:  # nothing was written, and the others go on
            self.tell = partial(self.done.set_exception, refused)
        except (TypeError, ValueError) as fault:  # likewise: all work writes last, and once
            self.fail(f"journal: what was given cannot be written down ({type(fault).__name__}); give it as this library makes it")

    def fail(self, words: str) -> None:
        """It was not done; each who waits gets an error of his own."""
        self.tell = partial(self.done.set_exception, JournalError(words))


class Worker:
    """A thread with an open file. It ends with ``close``, or when nobody holds it any more."""

    def __init__(self, path: Path) -> None:
        """Start nothing yet: the thread comes with the first work."""
        self._file = JournalFile(path)
        self._jobs: deque[_Job[Any]] = deque()
        self._pool = ThreadPoolExecutor(1, "voicedrop-journal")
        self._process = os.getpid()
        self._end = finalize(self, _end, self._file, self._process)

    async def do(self, work: Callable[[JournalFile], T], care: Care) -> T:
        """Have some work done, and wait for it; what is cancelled before its turn is not done.

        Raises:
            ConfigError: This process was forked from the one that opened the file; or what the work raises.
            JournalError: The file cannot be opened, read or written.
        """
        if os.getpid() != self._process:
            raise ConfigError("journal: was opened before this process was forked; make a SqliteJournal in each process, after the fork")
        job: _Job[T] = _Job(work, care, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._pool.submit(self._drain)
        return await job.done

    def close(self) -> Future[None]:
        """Close the file once all that waits is done, and let the thread end; both are not ours if we were forked."""
        self._end.detach()
        if os.getpid() != self._process:
            nothing_to_do: Future[None] = Future()
            nothing_to_do.set_result(None)
            return nothing_to_do
        closed = self._pool.submit(self._file.close)
        self._pool.shutdown(wait=False)
        return closed

    def _drain(self) -> None:
        """Do everything that waits as one transaction. A drain that finds nothing came after one that took all."""
        taken = [self._jobs.popleft() for _ in range(len(self._jobs))]
        jobs = [job for job in taken if not job.done.cancelled()]
        if not jobs:
            return
        fault: str | None = "the journal could not go on"  # which stays only after what nobody thought of
        try:
            with self._file.work(max(job.care for job in jobs)):
                for job in jobs:
                    job.run(self._file)
            fault = None
        except JournalError as error:
            fault = str(error)
        finally:  # nobody waits for ever, and nobody hears of success before it is committed
            if fault is not None:
                for job in jobs:
                    job.fail(fault)
            for loop in {job.done.get_loop() for job in jobs}:
                with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                    loop.call_soon_threadsafe(_tell, [job for job in jobs if job.done.get_loop() is loop])


def _tell(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        if not job.done.done():  # cancelled meanwhile
            job.tell()


def _end(file: JournalFile, process: int) -> None:
    # The garbage collector may call this in the middle of anything, with any lock held: nothing here may wait for one, as
    # handing work to a pool would. Nobody works on the file by now: who does holds us, and when the program ends, the
    # threads of pools have been waited for before this is called. Ours ends by itself when its pool is gone.
    if os.getpid() == process:
        file.close()
