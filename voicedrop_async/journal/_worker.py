"""The one thread of a SQLite journal. Work that waits together is written together, with one commit for all of it."""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from weakref import finalize

from attrs import field, frozen

from voicedrop_async.errors import ConfigError, JournalError
from voicedrop_async.journal._ledger import Care, Ledger

T = TypeVar("T")

_OF_A_PARENT: Final[list[Ledger]] = []
"""Files opened before a fork: closing them here would take them from the process that uses them."""


@frozen(eq=False)
class _Job(Generic[T]):
    work: Callable[[Ledger], T]
    care: Care
    done: Future[T] = field(factory=Future)

    def outcome(self, ledger: Ledger) -> Callable[[], None]:
        """Do the work; return what tells the one who waits, for when it is committed."""
        try:
            result = self.work(ledger)
        except ConfigError as refused:  # nothing was written, and the others go on
            return partial(self.done.set_exception, refused)
        return partial(self.done.set_result, result)

    def fail(self, words: str) -> None:
        """Tell the one who waits that it was not done; each gets an error of his own."""
        self.done.set_exception(JournalError(words))


class Worker:
    """A thread with an open file. It ends with ``close``, or when nobody holds it any more."""

    def __init__(self, path: Path) -> None:
        """Start nothing yet: the thread comes with the first work."""
        self._ledger = Ledger(path)
        self._jobs: deque[_Job[Any]] = deque()
        self._pool = ThreadPoolExecutor(1, "voicedrop-journal")
        self._process = os.getpid()
        self._end = finalize(self, _end, self._pool, self._ledger, self._process)

    def put(self, work: Callable[[Ledger], T], care: Care) -> Future[T]:
        """Queue some work; what is cancelled before its turn is not done.

        Raises:
            ConfigError: This process was forked from the one that opened the file.
        """
        if os.getpid() != self._process:
            raise ConfigError("journal: was opened before this process was forked; make a SqliteJournal in each process")
        job = _Job(work, care)
        self._jobs.append(job)
        self._pool.submit(self._drain)
        return job.done

    def close(self) -> Future[None]:
        """Close the file once all that waits is done, and let the thread end."""
        self._end.detach()
        closed = self._pool.submit(self._ledger.close)
        self._pool.shutdown(wait=False)
        return closed

    def _drain(self) -> None:
        """Do everything that waits as one transaction. A drain that finds nothing came after one that took all."""
        taken = [self._jobs.popleft() for _ in range(len(self._jobs))]
        jobs = [job for job in taken if job.done.set_running_or_notify_cancel()]
        if not jobs:
            return
        try:
            with self._ledger.work(max(job.care for job in jobs)):
                outcomes = [job.outcome(self._ledger) for job in jobs]
            for tell in outcomes:
                tell()
        except JournalError as error:
            for job in jobs:
                job.fail(str(error))
        finally:  # nobody waits for ever, whatever happened
            for job in jobs:
                if not job.done.done():
                    job.fail("the journal could not go on")


def _end(pool: ThreadPoolExecutor, ledger: Ledger, process: int) -> None:
    if os.getpid() != process:
        _OF_A_PARENT.append(ledger)
        return
    try:
        pool.submit(ledger.close)
    except RuntimeError:  # the program ends, and the thread has ended already
        ledger.close()
    pool.shutdown(wait=False)
