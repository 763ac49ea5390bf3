"""The demo on a terminal: bars that move, and tables that stay."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from voicedrop_async import MessageStatus
from voicedrop_async.cli._commands.demo.findings import Findings
from voicedrop_async.cli._commands.demo.plain import FURTHER, Show, over
from voicedrop_async.cli._screen import COLOURS

_COLUMNS: Final = 80
_BESIDE_BAR: Final = 23
_UNDER_WAY: Final = {
    MessageStatus.QUEUED: "bright_black",
    MessageStatus.INITIATED: "cyan",
    MessageStatus.RINGING: "cyan",
    MessageStatus.IN_PROGRESS: "blue",
}
_STYLES: Final[Mapping[Any, str]] = {**_UNDER_WAY, **COLOURS}
_BARS: Final = (*_UNDER_WAY, MessageStatus.COMPLETED, MessageStatus.BUSY, MessageStatus.NO_ANSWER, MessageStatus.FAILED)
"""Which are always shown, empty or not."""


class LiveView:
    """Bars and tables, never wider than eighty columns."""

    def __init__(self) -> None:
        """Look how wide the terminal is."""
        self._console = Console(highlight=False)
        self._width = min(self._console.width, _COLUMNS)

    def note(self, sentence: str) -> None:
        """Tell what was done."""
        self._console.print(Text.assemble(("✓ ", "green"), sentence), width=self._width)

    @contextmanager
    def campaign(self, total: int) -> Generator[Show]:
        """Let a bar for each status grow and shrink."""
        with Live(self._bars({}, total), console=self._console, refresh_per_second=12) as live:
            yield lambda statuses: live.update(self._bars(statuses, total))

    def sum_up(self, findings: Findings, seconds: float) -> None:
        """Lay the counts side by side, the lines and some messages below."""
        counts = Table.grid(expand=True)
        counts.add_row(*(_counts(title, words) for title, words in findings.counts().items()))
        self._console.print(counts, width=self._width)
        lines = Table.grid(padding=(0, 2))
        for title, line in findings.sentences():
            lines.add_row(Text(f" {title}", "bold"), line)
        self._console.print(lines, width=self._width)
        self._console.print(_samples(findings), width=self._width)
        self._console.print(f"[bold]All of it took {seconds:.1f} s.[/]\n{FURTHER}", width=self._width)

    def _bars(self, statuses: Mapping[str, int], total: int) -> Panel:
        longest = max(4, self._width - _BESIDE_BAR)
        bars = Table.grid(padding=(0, 1))
        bars.add_column(width=11)
        bars.add_column(width=longest)
        bars.add_column(justify="right", width=6)
        for status in [*_BARS, *(status for status in statuses if status not in _BARS)]:
            count, style = statuses.get(status, 0), _STYLES.get(status, "magenta")
            length = -(-count * longest // total)  # a single one is seen as well
            bars.add_row(status, Text("█" * length, style), f"{count:,}")
        title = f"{over(statuses).total():,} of {total:,} calls over"
        return Panel(bars, title=title, title_align="left", width=self._width, border_style="bright_black")


def _counts(title: str, words: Mapping[str, int]) -> Panel:
    table = Table.grid(expand=True)
    table.add_column()
    table.add_column(justify="right")
    for word, count in sorted(words.items(), key=lambda entry: -entry[1]):
        table.add_row(Text(word, _STYLES.get(word, "")), f"{count:,}")
    return Panel(table, title=title, title_align="left", border_style="bright_black")


def _samples(findings: Findings) -> Table:
    table = Table(
        "To", "Country", "Status", "Answered by", "Lasted", "Price", box=box.SIMPLE_HEAD, show_edge=False, border_style="bright_black"
    )
    for column in table.columns[-2:]:
        column.justify = "right"
    for number, country, status, *others in findings.samples():
        table.add_row(number, country, Text(status, _STYLES.get(status, "")), *others)
    return table
