"""An inbox on the disk: what waits together is written together, beside the loop, with one commit for all of it."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from logging import getLogger
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from voicedrop_async.webhooks._file import LetterFile, why
from voicedrop_async.webhooks._letter import Letter

P = ParamSpec("P")
T = TypeVar("T")

_LOG: Final = getLogger("voicedrop_async")
_AT_ONCE: Final = 256
"""Callbacks from before that are read at once."""
_LEAST_TOLD: Final = 200
"""Handled ones that are written down by themselves; fewer wait for what is written anyway, or for a moment without it."""


class Book:
    """The file of an inbox, in the loop that opened it."""

    def __init__(self, path: Path, *, remember: int) -> None:
        """Touch nothing yet."""
        self._file = LetterFile(path)
        self._path = path
        self._remember = remember
        self._pool = ThreadPoolExecutor(1, "voicedrop-callbacks")
        self._line: list[tuple[Letter, asyncio.Future[bool]]] = []
        self._handled: list[int] = []
        self._at_work: asyncio.Future[None] | None = None
        self._place = 0
        self._read = 0
        self._first = 1
        self._fails = False

    async def open(self) -> tuple[list[bytes], int]:
        """Open the file; return the keys it remembers, and how many callbacks in it are not handled.

        Raises:
            ConfigError: It cannot be opened.
        """
        try:
            keys, waiting, self._place = await self._beside(self._file.open, self._remember)
        except BaseException:
            self._pool.submit(self._file.close)  # who is cancelled leaves the thread at work
            self._pool.shutdown(wait=False)
            raise
        self._first = self._place + 1
        return keys, waiting

    async def before(self) -> list[Letter]:
        """Return the next callbacks that an earlier run left; none if there are no more."""
        try:
            rows = await self._beside(self._file.unhandled, self._read, self._first, _AT_ONCE)
        except sqlite3.Error as error:
            _LOG.warning("callbacks: %s: %s; those of before wait for the next start", self._path, why(error))
            return []
        letters = [Letter(kind, body, None, None, place) for place, kind, body in rows]
        self._read = letters[-1].place if letters else self._first
        return letters

    def write(self, letter: Letter) -> asyncio.Future[bool]:
        """Have a callback written; the future says whether it is on the disk."""
        self._place += 1
        letter.place = self._place
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._line.append((letter, written))
        self._go_on()
        return written

    def handled(self, letter: Letter) -> None:
        """Have it written that a callback need not be handed on again."""
        self._handled.append(letter.place)
        if len(self._handled) >= _LEAST_TOLD or not self._line:
            self._go_on()

    async def close(self) -> None:
        """Write what is to be written, and close the file."""
        while self._at_work is not None:
            await asyncio.wait({self._at_work})
        await self._beside(self._file.close)
        self._pool.shutdown(wait=False)

    def _go_on(self) -> None:
        if self._at_work is not None or not (self._line or self._handled):
            return
        letters, self._line = self._line, []
        handled, self._handled = self._handled, []
        rows = [(letter.place, letter.key, letter.kind, letter.body) for letter, _ in letters]
        self._at_work = self._beside(self._file.write, rows, handled, self._place - self._remember)
        self._at_work.add_done_callback(partial(self._went, letters, handled))

    def _went(self, letters: Sequence[tuple[Letter, asyncio.Future[bool]]], handled: list[int], work: asyncio.Future[None]) -> None:
        self._at_work = None
        error = work.exception()
        if error is not None:
            self._handled = handled + self._handled
            if not self._fails:
                words = why(error) if isinstance(error, sqlite3.Error) else type(error).__name__
                _LOG.warning("callbacks: %s: %s; they are answered 503 until it can be written", self._path, words)
        self._fails = error is not None
        for _, written in letters:
            if not written.done():
                written.set_result(error is None)
        if error is None or self._line:
            self._go_on()

    def _beside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *args, **kwargs))
