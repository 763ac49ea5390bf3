"""What a walk hands out and says of itself."""

from typing import Generic, TypeVar

from attrs import field, frozen

T_co = TypeVar("T_co", covariant=True)


@frozen(kw_only=True)
class Page(Generic[T_co]):
    """One page of a walk: its items, and what the service said of its place in the list."""

    items: tuple[T_co, ...] = field(repr=False)
    """The items handed out: each once, so fewer than the service sent when it repeated some."""
    number: int
    """From 0, in its list: each slice of tracked messages begins anew. Of drop records, the number of the slice."""
    size: int
    """Items asked for with one request, as the service echoes it; it may cap what was asked. Of drop records, how many there are."""
    total_pages: int | None
    """None if the service did not say so usably."""
    total_items: int | None
    """None if the service did not say so usably."""
    is_last: bool
    """Whether the service calls the page its last."""


@frozen
class ResumeToken:
    """The place after the last item that a walk handed out. Its text is opaque, and safe in URLs, files and logs."""

    text: str
    """What ``str`` gives as well."""

    def __str__(self) -> str:
        return self.text


@frozen(kw_only=True)
class WalkReport:
    """What a walk has seen so far. ``complete`` is the sum of it."""

    pages: int
    """Pages read."""
    items: int
    """Items handed out; each once, but for ``on_drift="ignore"``."""
    duplicates: int
    """Items the service sent again; they were held back, but for ``on_drift="ignore"``."""
    unreadable: int
    """Fields that could not be read (None, with the raw value in ``extra``) and rows that were skipped."""
    total_first: int | None
    """The service's count of items at the first page; of slices, the sum of those begun."""
    total_last: int | None
    """The service's count of items at the latest page; of slices, the sum of those begun."""
    crowded: int = 0
    """Slices that hold more than ``max_slice_items`` and could not be cut further; they were walked as they are."""
    suspected_missing: int
    """Items counted by the service and never seen; a lower bound for each list (slice), 0 until it ends."""
    complete: bool
    """The walk reached the end of the list, and nothing seen on the way speaks against it."""


def doubts(report: WalkReport) -> list[str]:
    """Return what a person is told of a list that is not complete, a fact each."""
    facts = [] if report.total_last is None else [f"counted by the service: {report.total_last:,}"]
    if report.suspected_missing:
        facts.append(f"missing, at least: {report.suspected_missing:,}")
    if report.unreadable:
        facts.append(f"rows or fields that cannot be read: {report.unreadable:,}")
    return facts
