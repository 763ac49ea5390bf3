"""A list on a screen: the columns that fit, page by page, so that a million rows take no more memory than a page of them."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

from attrs import frozen
from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

from voicedrop_async import DropState, MessageStatus, VoicemailDropRecord, VoiceMessage
from voicedrop_async._masking import printable

_GAP: Final = 2
_GROWTH: Final = 30
"""Cells by which a column may grow."""
COLOURS: Final[Mapping[object, str]] = {
    MessageStatus.COMPLETED: "green",
    MessageStatus.BUSY: "yellow",
    MessageStatus.NO_ANSWER: "yellow",
    MessageStatus.FAILED: "red",
    MessageStatus.UNSENT: "red",
    MessageStatus.TERMINATED: "red",
    DropState.DELIVERED: "green",
    DropState.FAILED: "red",
    DropState.REJECTED: "red",
}
"""Of what is over; the words say the same."""


@frozen(kw_only=True)
class _Column:
    """One column of a screen, which is no column of a file: few, and made for eyes."""

    title: str
    width: int
    """In cells, at least."""
    read: Callable[[Any], Any]
    shown: Callable[[Any], str] = str
    right: bool = False
    grows: bool = False
    """Whether it takes what room is left."""

    def shown_of(self, item: object) -> tuple[str, str]:
        """Return what it shows of an item, and in which style."""
        value = self.read(item)
        if value is None:
            return "-", "dim"
        style = COLOURS.get(value, "") if isinstance(value, MessageStatus | DropState) else ""
        return printable(self.shown(value)), style


def when(moment: datetime) -> str:
    """Return a moment as a screen shows it, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def spoken(seconds: float) -> str:
    """Return a duration as a clock shows it: ``0:07``, ``12:05``, ``1:02:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _word(state: object) -> str:
    return state.name if isinstance(state, DropState) else str(state)


def _of_status(name: str) -> Callable[[VoiceMessage], Any]:
    return lambda message: getattr(message.status, name, None)


_TABLES: Final[Mapping[object, Sequence[tuple[int, _Column]]]] = {
    VoiceMessage: (
        (0, _Column(title="time (UTC)", width=19, read=_of_status("date"), shown=when)),
        (1, _Column(title="to", width=14, read=attrgetter("to"))),
        (5, _Column(title="country", width=7, read=attrgetter("country"))),
        (2, _Column(title="status", width=10, read=_of_status("status"))),
        (7, _Column(title="answered", width=8, read=attrgetter("answered_by"))),
        (3, _Column(title="duration", width=8, read=attrgetter("duration"), shown=spoken, right=True)),
        (4, _Column(title="price", width=7, read=attrgetter("price"), shown="{:f}".format, right=True)),
        (6, _Column(title="campaign", width=12, read=attrgetter("campaign"), grows=True)),
        (8, _Column(title="message id", width=36, read=attrgetter("message_id"))),
    ),
    VoicemailDropRecord: (
        (0, _Column(title="time (UTC)", width=19, read=attrgetter("timestamp"), shown=when)),
        (1, _Column(title="number", width=14, read=attrgetter("number"))),
        (2, _Column(title="state", width=9, read=attrgetter("state"), shown=_word)),
        (3, _Column(title="campaign", width=8, read=attrgetter("campaign"), right=True)),
        (5, _Column(title="job", width=8, read=attrgetter("job"), right=True)),
        (6, _Column(title="team", width=6, read=attrgetter("team"), right=True)),
        (4, _Column(title="reference", width=10, read=attrgetter("reference"), grows=True)),
        (7, _Column(title="id", width=10, read=attrgetter("id"), right=True)),
    ),
}
"""Each column, from left to right, with its rank: on a narrow screen, the highest goes first."""


class Table:
    """Rows for stdout, all of one width: that of the terminal when the first is made."""

    def __init__(self, model: object) -> None:
        """Choose the columns for items of that class."""
        drawing = console()
        self._colours = None if drawing.no_color or drawing.color_system is None else ColorSystem.STANDARD
        self._columns = _fitting(_TABLES[model], drawing.width)
        self._begun = False

    def rows(self, items: Sequence[object]) -> bytes:
        """Return a row for each item, below a header the first time."""
        lines = [self._row(column.shown_of(item) for column, _ in self._columns) for item in items]
        if items and not self._begun:
            self._begun = True
            lines.insert(0, self._row((column.title, "bold") for column, _ in self._columns))
        return on_stdout(lines)

    def _row(self, cells: Iterable[tuple[str, str]]) -> str:
        fitted = (
            (_fit(text, width, right=column.right), style) for (text, style), (column, width) in zip(cells, self._columns, strict=True)
        )
        return (_GAP * " ").join(Style.parse(style).render(text, color_system=self._colours) for text, style in fitted)


def console() -> Console:
    """Return what draws for stdout: in colours where that is a terminal, and ``NO_COLOR`` is not set."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def printed(console: Console, what: Any) -> bytes:
    """Return what it draws, as bytes for stdout."""
    with console.capture() as captured:
        console.print(what)
    return on_stdout(captured.get().splitlines())


def on_stdout(lines: Iterable[str]) -> bytes:
    """Return lines as bytes for stdout; what it has no letter for is a question mark."""
    return "".join(f"{line.rstrip()}\n" for line in lines).encode(sys.stdout.encoding, "replace")


def _fit(text: str, width: int, *, right: bool) -> str:
    """Return a text of exactly that many cells, of which a letter can take none, one or two."""
    room = width - (len(text) if text.isascii() else cell_len(text))
    if room < 0:
        return set_cell_size(text, width - 1) + "…"
    return " " * room + text if right else text + " " * room


def _fitting(ranked: Sequence[tuple[int, _Column]], room: int) -> list[tuple[_Column, int]]:
    """Return the columns that fit, from left to right, and how wide each is; one at least."""
    kept: set[int] = set()
    left = room + _GAP
    for rank, column in sorted(ranked, key=lambda one: one[0]):
        if not kept or column.width + _GAP <= left:
            kept.add(rank)
            left -= column.width + _GAP
    more = min(max(left, 0), _GROWTH)
    return [(column, min(column.width + column.grows * more, room)) for rank, column in ranked if rank in kept]
