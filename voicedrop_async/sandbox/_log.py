"""What arrived and what was posted, kept for assertions, for the page, and for the next run."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
from attrs import define, field, frozen

from ._masking import masked_headers, masked_query

KEPT = 20_000
"""Requests, and attempts to post, that are kept; older ones are counted only."""
_KEPT_BYTES = 64 * 1024 * 1024  # of bodies of requests


def _headers(headers: Mapping[str, str]) -> str:
    return repr(masked_headers(headers))


def _query(query: Mapping[str, str]) -> str:
    return repr(dict(masked_query(query)))


@define(eq=False, kw_only=True)
class ReceivedRequest:
    """A request that arrived."""

    number: int
    """1 for the first."""
    site: str
    """Where it arrived: routee, auth or spacivox."""
    method: str
    """In capital letters."""
    path: str
    """Decoded, without the query."""
    query: Mapping[str, str] = field(repr=_query)
    """Decoded."""
    headers: Mapping[str, str] = field(repr=_headers)
    """Names in any case."""
    body: bytes = field(default=b"", repr=False)
    """Empty until it was read, and if it was too large."""
    status: int | None = None
    """The status answered; None while there is no answer, and for ever if the connection was dropped."""
    fault: str = ""
    """The fault it met, in words."""
    at: datetime
    """When, by the sandbox's clock."""

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return msgspec.json.decode(self.body)


@frozen(eq=False, kw_only=True)
class PostedCallback:
    """One attempt to post a callback."""

    number: int
    """1 for the first."""
    url: str = field(repr=False)
    """Where to."""
    body: Mapping[str, Any] = field(repr=False)
    """As it was posted, read as JSON."""
    attempt: int
    """1 for the first."""
    status: int | None
    """The status answered, None if there was no answer."""
    note: str = ""
    """Why there was none."""
    at: datetime
    """When, by the sandbox's clock."""


Entry = TypeVar("Entry", ReceivedRequest, PostedCallback)


class Log(Generic[Entry]):
    """The last entries, and how many there were. Between them some may be missing: those under way when an earlier run was killed."""

    def __init__(self) -> None:
        """Begin empty."""
        self.total = 0
        self._entries: deque[Entry] = deque()
        self._bytes = 0

    def __iter__(self) -> Iterator[Entry]:
        """The entries that are kept, in order."""
        return iter(self._entries)

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._entries)

    def restore(self, entries: Iterable[Entry]) -> None:
        """Begin with what an earlier run kept."""
        for entry in entries:
            self.total = entry.number - 1
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Write one down; its number is one above ``total``."""
        self._entries.append(entry)
        self.total += 1
        self._bytes += len(entry.body)
        if len(self._entries) > KEPT:
            self._forget()

    def grew(self, entry: Entry, size: int) -> None:
        """Count the bytes of a body; where there are too many, the oldest entries go."""
        if entry.number >= self.first:
            self._bytes += size
        while self._bytes > _KEPT_BYTES:
            self._forget()

    @property
    def first(self) -> int:
        """The number of the oldest entry that is kept."""
        return self._entries[0].number if self._entries else self.total + 1

    def get(self, number: int) -> Entry | None:
        """The entry of that number, if it is kept."""
        place = bisect_left(self._entries, number, key=attrgetter("number"))
        entry = self._entries[place] if place < len(self._entries) else None
        return entry if entry and entry.number == number else None

    def newest(self, offset: int, limit: int) -> list[Entry]:
        """Some entries, the newest first."""
        end = len(self._entries) - offset
        return [self._entries[place] for place in range(end - 1, max(end - limit, 0) - 1, -1)]

    def _forget(self) -> None:
        gone = self._entries.popleft()
        self._bytes -= len(gone.body)
