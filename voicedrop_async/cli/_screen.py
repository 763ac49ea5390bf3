"""What a screen shows: of a list the columns that fit, and of a campaign its figures."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

from attrs import frozen
from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.table import Table as Grid
from rich.text import Text

from voicedrop_async import CampaignSummary, DropState, MessageStatus, VoicemailDropRecord, VoiceMessage
from voicedrop_async._masking import printable

_GAP: Final = 2
_GROWTH: Final = 30
"""Cells by which a column may grow."""
_MOST: Final = 12
"""Words of a campaign that are counted one by one; the others are added up."""
COLOURS: Final[Mapping[Any, str]] = {
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
    """Rows for stdout, all of one width: that of the terminal when the first is made. No row is kept: a list may have a million."""

    def __init__(self, model: object) -> None:
        """Choose the columns for items of that class."""
        drawing = _console()
        self._colours = None if drawing.no_color or drawing.color_system is None else ColorSystem.STANDARD
        self._columns = _fitting(_TABLES[model], drawing.width)
        self._begun = False

    def rows(self, items: Sequence[object]) -> bytes:
        """Return a row for each item, below a header the first time."""
        lines = [self._row(column.shown_of(item) for column, _ in self._columns) for item in items]
        if items and not self._begun:
            self._begun = True
            lines.insert(0, self._row((column.title, "bold") for column, _ in self._columns))
        return _on_stdout(lines)

    def _row(self, cells: Iterable[tuple[str, str]]) -> str:
        fitted = (
            (_fit(text, width, right=column.right), style) for (text, style), (column, width) in zip(cells, self._columns, strict=True)
        )
        return (_GAP * " ").join(Style.parse(style).render(text, color_system=self._colours) for text, style in fitted)


def _console() -> Console:
    """Return what draws for stdout: in colours where that is a terminal, and ``NO_COLOR`` is not set."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def _on_stdout(lines: Iterable[str]) -> bytes:
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


def card(tracking_id: str, summed: CampaignSummary) -> bytes:
    """Return a few lines about a campaign, and an empty one."""
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=11, style="dim", no_wrap=True)
    grid.add_column()
    grid.add_row("campaign", Text(printable(tracking_id), style="bold"))
    partial = "" if summed.report is not None and summed.report.complete else ", not complete"
    grid.add_row("messages", Text(f"{summed.messages:,}").append(partial, style="yellow"))
    if summed.first is not None and summed.last is not None:
        grid.add_row("when", f"{when(summed.first)} to {when(summed.last)} (UTC)")
    if summed.statuses:
        grid.add_row("status", _shares(summed.statuses, summed.messages))
    if summed.answered_by:
        grid.add_row("answered by", _shares(summed.answered_by, summed.messages))
    if summed.countries:
        grid.add_row("countries", Text(", ".join(f"{word} {count:,}" for word, count in _counted(summed.countries))))
    grid.add_row("cost", f"{summed.cost:f}")
    longest = "" if summed.longest is None else f", the longest call {spoken(summed.longest)}"
    grid.add_row("duration", f"{spoken(summed.duration)}{longest}")
    return _printed(grid) + b"\n"


def _shares(counts: Mapping[str, int], whole: int) -> Grid:
    """Return a row for each word: how often it came, and its share of the messages."""
    rows = Grid.grid(padding=(0, 2, 0, 0))
    rows.add_column(no_wrap=True, min_width=len("InProgress"))
    rows.add_column(justify="right", min_width=len(f"{whole:,}"))
    rows.add_column(justify="right", style="dim", min_width=len("100.0%"))
    for word, count in _counted(counts):
        rows.add_row(Text(word, style=COLOURS.get(word, "")), f"{count:,}", f"{count / whole:.1%}")
    return rows


def _counted(counts: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    """Yield the words that came most often, and what is left of them all."""
    ranked = Counter(counts).most_common()
    yield from ((printable(word), count) for word, count in ranked[:_MOST])
    if rest := sum(count for _, count in ranked[_MOST:]):
        yield "others", rest


def _printed(what: Grid) -> bytes:
    drawing = _console()
    with drawing.capture() as captured:
        drawing.print(what)
    return _on_stdout(captured.get().splitlines())
