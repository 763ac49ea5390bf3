"""What a walk counts on its way."""

from typing import Any

from attrs import define

from voicedrop_async.models import WalkReport
from voicedrop_async.pages._source import Fetched


@define
class Tally:
    """What ``WalkReport`` is made from. Totals are sums over the lists begun so far; ``…_here`` is of the present pass."""

    pages: int = 0
    items: int = 0
    duplicates: int = 0
    unreadable: int = 0
    crowded: int = 0
    missing: int = 0
    known: int = 0
    """Items that the slice before had shown as well: counted by the service twice, and by us once."""
    first: int | None = 0
    closed: int | None = 0
    """The service's counts of the lists that have ended."""
    total: int | None = 0
    """Its latest count of the present list."""
    total_pages: int | None = None
    doubtful: bool = False
    """Whether something spoke against the lists that have ended."""
    unreadable_here: int = 0
    skipped_here: int = 0
    doubtful_here: bool = False
    cut: bool = False
    ended: bool = False

    def take(self, fetched: Fetched[Any], *, opens: bool, begins: bool) -> None:
        """Count a page, which ``opens`` its list, or ``begins`` a pass over it."""
        total = fetched.page.total_items
        if opens:
            self.first = add(self.first, total)
        if not begins:
            # What was taken out may have pulled others over the edge of a page.
            self.doubtful_here |= shrank(self.total, total) or shrank(self.total_pages, fetched.total_pages)
        self.total, self.total_pages = total, fetched.total_pages
        self.pages += 1
        self.unreadable_here += fetched.unreadable
        self.skipped_here += fetched.skipped

    def read_again(self) -> None:
        """Begin another pass: what spoke against the one before does not count."""
        self.unreadable_here, self.skipped_here, self.doubtful_here = 0, 0, False

    def missing_here(self, seen: int) -> int:
        """Return how many items of the list the service counts, but has not shown; so many were seen."""
        return max(0, (self.total or 0) - seen - self.skipped_here)

    def close(self, *, seen: int, seen_last: int, doubtful: bool) -> None:
        """Count a list that has ended, of which so many items were seen, and so many in the last pass over it."""
        self.missing += self.missing_here(seen)
        # Who counts another number than there are may also have left something out.
        miscounted = self.total is not None and self.total != seen_last
        self.doubtful |= doubtful or self.doubtful_here or self.skipped_here > 0 or miscounted
        self.closed, self.total = add(self.closed, self.total), 0
        self.unreadable += self.unreadable_here
        self.read_again()

    @property
    def doubts(self) -> bool:
        """Whether anything seen so far speaks against the walk."""
        return bool(self.missing or self.doubtful or self.doubtful_here or self.skipped_here)

    def report(self, *, waiting: int) -> WalkReport:
        """Return the report, with ``waiting`` items of the present page not handed out yet."""
        return WalkReport(
            pages=self.pages,
            items=self.items - waiting,
            duplicates=self.duplicates,
            unreadable=self.unreadable + self.unreadable_here,
            total_first=add(self.first, -self.known) if self.pages else None,
            total_last=add(add(self.closed, self.total), -self.known) if self.pages else None,
            crowded=self.crowded,
            suspected_missing=self.missing,
            complete=self.ended and not waiting and not self.doubts and not self.cut,
        )


def add(some: int | None, more: int | None) -> int | None:
    """Return the sum; None if one is not known."""
    return None if some is None or more is None else some + more


def shrank(before: int | None, now: int | None) -> bool:
    """Whether a count that is known is smaller than it was."""
    return before is not None and now is not None and now < before
