"""How the demo tells its story, and one way to do it: a few plain lines."""

import sys
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from voicedrop_async import MessageStatus
from voicedrop_async.cli._commands.demo.findings import Findings

Show = Callable[[Mapping[str, int]], None]
"""Shows how many calls have which status."""

FURTHER: Final = "Now by hand, in a sandbox of your own: voicedrop sandbox --help"


class View(Protocol):
    """Where the story is told."""

    def note(self, sentence: str) -> None:
        """Tell what was done."""
        ...

    def campaign(self, total: int) -> AbstractContextManager[Show]:
        """Show a campaign of so many calls while the block runs."""
        ...

    def sum_up(self, findings: Findings, seconds: float) -> None:
        """Tell what came out."""
        ...


def over(statuses: Mapping[str, int]) -> Counter[str]:
    """Return how many calls are over, by the status they ended with."""
    return Counter({status: count for status, count in statuses.items() if isinstance(status, MessageStatus) and status.is_final})


class PlainView:
    """Plain lines, in letters that every encoding has."""

    def note(self, sentence: str) -> None:
        """Tell what was done."""
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()

    @contextmanager
    def campaign(self, total: int) -> Generator[Show]:
        """Tell each time that another quarter of the calls is over."""
        told = 0

        def show(statuses: Mapping[str, int]) -> None:
            nonlocal told
            done = over(statuses)
            if (quarters := 4 * done.total() // total) > told:
                told = quarters
                self.note(f"{done.total():>7,} of {total:,} calls over: {_listed(done)}")

        yield show

    def sum_up(self, findings: Findings, seconds: float) -> None:
        """Tell what came out."""
        for title, counts in findings.counts().items():
            self.note(f"{title}: {_listed(counts)}")
        for title, line in findings.sentences():
            self.note(f"{title}: {line}")
        for cells in findings.samples():
            self.note("  " + "  ".join(cells))
        self.note(f"All of it took {seconds:.1f} s.")
        self.note(FURTHER)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in Counter(counts).most_common())
