"""One walk over a stream, in the hand of whoever walks."""

from collections.abc import AsyncGenerator, Iterator
from operator import length_hint
from types import TracebackType
from typing import Generic, Self, TypeVar

from attrs import evolve

from voicedrop_async.errors import ConfigError, RequestError, SessionClosed, WalkError
from voicedrop_async.models import Page, ResumeToken, WalkReport
from voicedrop_async.pages._reader import Options, Reader, Sheet
from voicedrop_async.pages._source import Source

T = TypeVar("T")


class Walk(Generic[T]):
    """One walk over a stream, item by item or page by page; ``report`` and ``token`` may be read at any moment."""

    def __init__(self, source: Source[T], options: Options) -> None:
        """Made by ``PageStream.walk``."""
        self._reader = Reader(source, options)
        self._left = options.max_items
        self._entered = False
        self._over = False
        self._reading = False
        self._sheet: Sheet[T] | None = None
        self._handed: tuple[T, ...] = ()
        """The items of the present page that are handed out, or wait for it."""
        self._waiting: Iterator[T] = iter(())

    async def __aenter__(self) -> Self:
        """Begin; nothing is sent before the first item is asked for."""
        self._entered = True
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the walk: no further page is asked for, and what was under way ahead has ended."""
        self._over = True
        await self._reader.ahead.aclose()

    @property
    def report(self) -> WalkReport:
        """What the walk has seen so far."""
        return self._reader.tally.report(waiting=length_hint(self._waiting))

    @property
    def token(self) -> ResumeToken:
        """The place after the last item that was handed out: for ``resume=`` of the same stream, in any process."""
        handed = len(self._handed) - length_hint(self._waiting)
        if self._sheet is not None and handed < len(self._sheet.fresh):
            return self._sheet.mark(handed, doubtful=self._reader.tally.doubts).token()
        return self._reader.mark().token()

    async def __aiter__(self) -> AsyncGenerator[T]:
        """Hand out items in page order, each once; a loop that was left is taken up by the next one where it stood.

        An iterator that was cancelled, as by ``wait_for(anext(it), ...)``, has ended, as any generator: loop over the walk again.
        """
        self._check_not_over()
        try:
            while True:
                for item in self._waiting:
                    yield item
                if await self._next() is None:
                    return
                self._waiting = iter(self._handed)
        finally:
            await self._let_go()

    async def pages(self) -> AsyncGenerator[Page[T]]:
        """Hand out pages, without the items that were handed out before."""
        self._check_not_over()
        try:
            rest = tuple(self._waiting)
            if self._sheet is not None and rest:
                yield evolve(self._sheet.page, items=rest)
            while (page := await self._next()) is not None:
                yield page
                del page
        finally:
            await self._let_go()

    def _check_not_over(self) -> None:
        if self._over:
            raise ConfigError("walk: its block was left, and what came after that would be a part only; begin another walk")

    async def _let_go(self) -> None:
        if not self._entered:  # nobody else will end what is under way ahead
            await self._reader.ahead.aclose()

    async def _next(self) -> Page[T] | None:
        """Read the next page; None at the end. If that fails, the walk stands where it stood."""
        self._check_not_over()
        if self._reading:
            raise ConfigError("walk: another task is reading it; each task needs a walk of its own")
        if self._left == 0:
            return None
        self._reading = True
        if len(self._handed) == len(self._sheet.fresh if self._sheet is not None else ()):
            self._sheet, self._handed = None, ()  # the present page has gone; memory holds it no longer than the loop does
        try:
            sheet = await self._reader.read(self._left)
        except (RequestError, WalkError, SessionClosed) as error:
            error.resume = self.token
            raise
        finally:
            self._reading = False
        return None if sheet is None else self._handing_out(sheet)

    def _handing_out(self, sheet: Sheet[T]) -> Page[T]:
        self._sheet, self._handed = sheet, sheet.fresh
        if self._left is not None:
            self._handed = sheet.fresh[: self._left]
            self._left -= len(self._handed)
        tally = self._reader.tally
        tally.items += len(self._handed)
        tally.cut = len(self._handed) < len(sheet.fresh)
        return sheet.page if len(self._handed) == len(sheet.page.items) else evolve(sheet.page, items=self._handed)
