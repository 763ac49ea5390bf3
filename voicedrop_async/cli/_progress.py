"""A bar on a terminal's stderr while a list is written elsewhere: count, total, rate and the time left."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from voicedrop_async import Page, WalkReport
from voicedrop_async.cli._process import say

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

_TICK: Final = 1e-3
"""Seconds; in less, nothing has a rate."""


class Progress:
    """A bar on stderr, gone at the end; nothing at all unless somebody looks at it.

    Somebody does if stderr is a terminal, and the data does not go to one: otherwise the data itself is what moves.
    """

    def __init__(self, what: str, *, before: int, most: int | None, to_stdout: bool = True) -> None:
        """Look who is looking.

        Args:
            what: The items' name, in the plural.
            before: How many an earlier run wrote.
            most: How many this run writes at most.
            to_stdout: Whether the data goes there.
        """
        self.seen = sys.stderr.isatty() and not (to_stdout and sys.stdout.isatty())
        self.total: int | None = None
        """Items of the whole list, if somebody asked; the walk's own count holds otherwise, which is that of the slices begun."""
        self.before = before
        self._what = what
        self._most = None if most is None else before + most
        self._bars: Bars | None = None
        self._shown = False
        self._began = time.perf_counter()

    def __enter__(self) -> Self:
        if self.seen:
            self._bars = _bars()
            self._bars.add_task(self._what, total=None)
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bars is not None:
            self._bars.stop()

    def show(self, page: Page[Any], report: WalkReport) -> None:
        """Show how far a walk is, now that ``page`` is written."""
        if self._bars is not None:
            self._move(*self._so_far(page, report), new=report.items)

    def count(self, done: int, total: int) -> None:
        """Show that so many of so many are done."""
        self._move(f"{done:,} of {total:,}", done, total, new=done)

    def read(self, items: int, part: float) -> None:
        """Show how many items of a file were read, and which part of it that is, from 0 to 1."""
        self._move(f"{items:,}", part, 1, new=items)

    def say(self, sentence: str) -> None:
        """Tell something on stderr, above the bar if there is one."""
        if self._bars is not None:
            self._bars.stop()
        say(sentence)
        if self._bars is not None:
            self._bars.start()

    def _move(self, text: str, done: float, total: int | None, *, new: int) -> None:
        """Show it; ``new`` is what this run has done."""
        if self._bars is None:
            return
        (task,) = self._bars.task_ids
        rate = new / max(time.perf_counter() - self._began, _TICK)
        if not self._shown:  # what was done before this run says nothing of its speed
            self._bars.reset(task, completed=int(done), total=total)
            self._shown = True
        self._bars.update(task, description=f"{self._what}: {text}, {rate:,.0f}/s", completed=done, total=total)

    def _so_far(self, page: Page[Any], report: WalkReport) -> tuple[str, int, int | None]:
        """Return the count in words, and how much of how much is done: by items if their total is known, or else by pages."""
        written = self.before + report.items
        total = report.total_last if self.total is None else self.total
        if total is None:
            return f"{written:,}", page.number + 1, page.total_pages
        total = max(written, total if self._most is None else min(total, self._most))
        return f"{written:,} of {total:,}", written, total


def _bars() -> "Bars":
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    bar = BarColumn(bar_width=None, complete_style="cyan", finished_style="cyan")
    columns = (TextColumn("{task.description}", markup=False), bar, TimeRemainingColumn(), TextColumn("left"))
    console = Console(stderr=True)
    console.width -= len("^C") + 1  # which the terminal shows: on a line of its own, the bar's would stay where it is
    # Data goes to stdout by its buffer: rich must not put itself in front of it.
    return Bars(*columns, console=console, transient=True, expand=True, redirect_stdout=False, redirect_stderr=False)
