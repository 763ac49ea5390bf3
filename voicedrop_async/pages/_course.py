"""How one list goes on, and when it ends. The services count their own pages, not always rightly."""

from enum import Enum
from typing import Any, Final

from attrs import define, field

from voicedrop_async.models import Page
from voicedrop_async.pages._source import Fetched

_BARREN_MOST: Final = 3
"""Pages in a row without an item not seen yet, beyond the end that was announced at first, after which a list ends."""
_BARREN_EVER: Final = 100
"""The same where more pages were announced: a service can announce any number of empty ones."""


class Turn(Enum):
    """What follows a page."""

    PAGE = "the next page"
    END = "the end of the list"
    LOOP = "a page that was there before"


@define
class Course:
    """How one list goes on. The service says so twice, by ``last`` and by its number of pages; neither is believed alone."""

    begun: bool = False
    announced: int | None = None
    """Pages of the list, as the first page said that was read."""
    counted: int | None = None
    """Items of the list, by the latest count."""
    pushed: int = 0
    """Pages that bring nothing new, and are to be expected: what came in pushed what was read before on to them."""
    probing: bool = False
    """The two disagreed: the page under way is there to see who is right."""
    barren: int = 0
    """Pages in a row that brought nothing new."""
    doubtful: bool = False
    """Whether the end is one we decided on, or the service contradicted itself about."""
    fingerprints: dict[int, tuple[int, int]] = field(factory=dict)
    """A hash of each page's items, with what the service counted then: items, and pages; 0 if it did not."""

    def after(self, number: int, fetched: Fetched[Any], fingerprint: int, *, fresh: bool) -> Turn:
        """Return what follows the page ``number``, which brought a ``fresh`` item or none."""
        page = fetched.page
        if not self.begun:
            self.begun, self.announced = True, _announced(fetched)
        self._expect(number, page)
        if self.probing and not fresh:
            return Turn.END
        if self._repeats(page, fingerprint, fresh=fresh):
            return Turn.LOOP
        last, counted_out = fetched.last, None if fetched.total_pages is None else number + 1 >= fetched.total_pages
        self.probing = last is not None and counted_out is not None and last != counted_out
        if (last or counted_out) and not self.probing:
            return Turn.END
        self.doubtful |= self.probing
        if fresh:
            self.barren = 0
        elif self.pushed and page.items:
            self.pushed -= 1
        else:
            self.barren += 1
        if self.probing:
            return Turn.PAGE
        if fetched.total_pages is None and not page.items:
            self.doubtful |= fetched.last is False
            return Turn.END
        beyond = self.barren if self.announced is None else min(self.barren, number + 2 - self.announced)
        if beyond < _BARREN_MOST and self.barren < _BARREN_EVER:
            return Turn.PAGE
        self.doubtful = True
        return Turn.END

    def _expect(self, number: int, page: Page[Any]) -> None:
        """Expect pages without anything new where so many items came in at once that three of them are no sign of an end."""
        if self.counted is not None and page.total_items is not None:
            pushed = min(number, -((self.counted - page.total_items) // max(1, page.size)))
            self.pushed += pushed if pushed >= _BARREN_MOST else 0
        self.counted = page.total_items

    def _repeats(self, page: Page[Any], fingerprint: int, *, fresh: bool) -> bool:
        before, counted = self.fingerprints.get(fingerprint), (page.total_items or 0, page.total_pages or 0)
        which = 1 if page.total_items is None else 0
        looped = bool(page.items) and not fresh and before is not None and counted[which] <= before[which]
        self.fingerprints[fingerprint] = counted
        return looped


def _announced(fetched: Fetched[Any]) -> int | None:
    """Return how many pages a first page promises; not more than its own count of items could fill."""
    if fetched.total_pages is None or fetched.page.total_items is None:
        return fetched.total_pages
    return min(fetched.total_pages, -(-fetched.page.total_items // max(1, fetched.page.size)))
