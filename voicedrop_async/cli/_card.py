"""A campaign in figures, for a screen."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from rich.table import Table
from rich.text import Text

from voicedrop_async import CampaignSummary
from voicedrop_async._masking import printable
from voicedrop_async.cli._table import COLOURS, console, printed, spoken, when

_MOST: Final = 12
"""Words that are counted one by one; the others are added up."""


def card(tracking_id: str, summed: CampaignSummary) -> bytes:
    """Return a few lines about a campaign, and an empty one."""
    grid = Table.grid(padding=(0, 2, 0, 0))
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
    return printed(console(), grid) + b"\n"


def _shares(counts: Mapping[str, int], whole: int) -> Table:
    """Return a row for each word: how often it came, and its share of the messages."""
    rows = Table.grid(padding=(0, 2, 0, 0))
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
