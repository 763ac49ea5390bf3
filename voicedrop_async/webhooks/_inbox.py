"""What was taken in and is not handled yet, in order of arrival; and what is known again when it comes twice."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from enum import Enum, auto

from voicedrop_async.webhooks._book import Book
from voicedrop_async.webhooks._letter import Letter


class Put(Enum):
    """What became of a callback that was handed in."""

    TAKEN = auto()
    REPEATED = auto()
    """It was there before."""
    FULL = auto()
    UNWRITTEN = auto()
    """The file could not be written."""


class Inbox:
    """A bounded line in memory; with a book, all of it is on the disk as well."""

    def __init__(self, book: Book | None, *, capacity: int, remember: int, taken: Callable[[Letter], None]) -> None:
        """Nothing is in it yet; ``taken`` will be called with each callback that is taken in."""
        self._book = book
        self._capacity = capacity
        self._remember = remember
        self._taken = taken
        self._seen: OrderedDict[bytes | None, None] = OrderedDict()
        self._writing: dict[bytes | None, asyncio.Future[bool]] = {}
        self._before: deque[Letter] = deque()
        self._unread = 0
        """Of those from before, in the book."""
        self._line: deque[Letter] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.waiting = 0
        """Taken in and not handled yet."""

    async def open(self) -> None:
        """Take up what the book holds from before.

        Raises:
            ConfigError: It cannot be opened.
        """
        if self._book is not None:
            keys, waiting = await self._book.open()
            self._seen.update(dict.fromkeys(keys))
            self._count(waiting)
            self._unread = waiting

    async def put(self, letter: Letter) -> Put:
        """Take a callback in, if there is room and it is new; with a book, once it is on the disk."""
        if letter.key in self._seen:
            return Put.REPEATED
        if letter.key in self._writing:
            return Put.REPEATED if await asyncio.shield(self._writing[letter.key]) else Put.UNWRITTEN
        if self.waiting >= self._capacity:
            return Put.FULL
        self._count(1)
        if self._book is None:
            self._take(letter)
            return Put.TAKEN
        written = self._book.write(letter)
        if letter.key is not None:
            self._writing[letter.key] = written
        written.add_done_callback(lambda done: self._wrote(letter, is_written=done.result()))
        return Put.TAKEN if await asyncio.shield(written) else Put.UNWRITTEN  # a client that leaves takes nothing back

    async def next(self) -> Letter:
        """Wait for the next callback, those from before first, and return it."""
        if self._book is not None and self._unread and not self._before:
            self._before.extend(await self._book.before())
            if not self._before:  # they cannot be read, and wait for the next start
                self._count(-self._unread)
                self._unread = 0
            self._unread -= len(self._before)
        if self._before:
            return self._before.popleft()
        while not self._line:
            self._arrived.clear()
            await self._arrived.wait()
        return self._line.popleft()

    def done(self, letter: Letter, *, is_handled: bool) -> None:
        """Hear what became of a callback; one that was not handled stays in the book."""
        self._count(-1)
        if is_handled and self._book is not None:
            self._book.handled(letter)

    async def empty(self) -> None:
        """Wait until nothing waits."""
        await self._idle.wait()

    async def close(self) -> None:
        """Write down what is still to be written, and nothing more."""
        book, self._book = self._book, None
        if book is not None:
            await book.close()

    def _count(self, more: int) -> None:
        self.waiting += more
        if self.waiting:
            self._idle.clear()
        else:
            self._idle.set()

    def _wrote(self, letter: Letter, *, is_written: bool) -> None:
        self._writing.pop(letter.key, None)
        if is_written:
            self._take(letter)
        else:
            self._count(-1)

    def _take(self, letter: Letter) -> None:
        if letter.key is not None:
            self._seen[letter.key] = None
            if len(self._seen) > self._remember:
                self._seen.popitem(last=False)
        self._line.append(letter)
        self._arrived.set()
        self._taken(letter)
