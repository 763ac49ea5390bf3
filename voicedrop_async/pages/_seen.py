"""What was handed out already. Exact keys, for the present list and the one before: a hash that collides would lose a message."""

from collections.abc import Hashable, Iterable, Sequence, Set
from typing import TypeVar
from zlib import crc32

from attrs import define, field

T = TypeVar("T")


@define
class Seen:
    """The keys of the present list, and of the pass over it; and those of the list before."""

    here: set[Hashable] = field(factory=set)
    """Keys of the list that any pass has seen."""
    older: Set[Hashable] = frozenset()
    """More of them, where not all are remembered: from before ``here`` was begun anew."""
    now: set[Hashable] | None = None
    """Keys that this pass has seen; in the first pass, ``here`` says so."""
    last: Set[Hashable] | None = None
    """Keys that the pass before saw."""
    before: Set[Hashable] = frozenset()
    passes: int = 1
    distinct: int = 0
    """How many this pass saw."""
    shown: int = 0
    """How many any pass saw."""
    sum: int | None = None
    """Of hashes of the items that were handed out, if it is kept: of the same items it is the same."""
    most: int | None = None
    """Keys to know at most, give or take a page, and half as many at least, for a list of which everything is handed out,
    however long it is; None for all."""

    def take(self, items: tuple[T, ...], keys: Sequence[Hashable]) -> tuple[tuple[T, ...], int]:
        """Remember a page; return its items that were not handed out yet, and how many this pass had seen already."""
        taken = self._all_new(items, keys) or self._one_by_one(items, keys)
        if self.most is not None and len(self.here) >= self.most // 2:
            self.older, self.here = self.here, set()
        return taken

    def _all_new(self, items: tuple[T, ...], keys: Sequence[Hashable]) -> tuple[tuple[T, ...], int] | None:
        """Remember a page that nobody has seen anything of, as most are; None, and nothing is remembered, if it is not so."""
        here = self.here
        if self.now is not None or not here.isdisjoint(keys):
            return None
        if (self.before and not self.before.isdisjoint(keys)) or (self.older and not self.older.isdisjoint(keys)):
            return None
        known = len(here)
        here.update(keys)
        if len(here) != known + len(keys):  # one of them comes twice
            here.difference_update(keys)
            return None
        self.distinct += len(keys)
        self.shown += len(keys)
        self._add(keys)
        return items, 0

    def _one_by_one(self, items: tuple[T, ...], keys: Sequence[Hashable]) -> tuple[tuple[T, ...], int]:
        fresh: list[T] = []
        repeated = 0
        for item, key in zip(items, keys, strict=True):
            if self._in_this_pass(key):
                repeated += 1
                continue
            self.distinct += 1
            if self.now is not None:
                self.now.add(key)
            if key in self.here:
                continue
            self.here.add(key)
            self.shown += 1
            if key not in self.before:
                fresh.append(item)
                self._add((key,))
        return tuple(fresh), repeated

    def _in_this_pass(self, key: Hashable) -> bool:
        return key in self.now if self.now is not None else key in self.here or key in self.older

    def repeats(self, keys: Sequence[Hashable]) -> bool:
        """Whether this pass has seen one of the keys already, or sees one twice now."""
        return len(set(keys)) < len(keys) or any(self._in_this_pass(key) for key in keys)

    def _add(self, keys: Sequence[Hashable]) -> None:
        if self.sum is not None:
            self.sum += sum_of(keys)

    @property
    def agrees(self) -> bool:
        """Whether this pass saw the same keys as the one before."""
        return self.now is not None and self.now == self.last

    def read_again(self) -> None:
        """Begin another pass over the same list."""
        self.passes += 1
        self.last, self.now, self.distinct = set(self.here) if self.now is None else self.now, set(), 0

    def next_list(self) -> "Seen":
        """Return what is remembered in the next list: an edge between slices can repeat an item there, and not farther on."""
        return Seen(before=self.here | self.older if self.older else self.here, sum=None if self.sum is None else 0, most=self.most)


def sum_of(keys: Iterable[Hashable]) -> int:
    """Return a sum that does not hang on the order, and is the same in every process."""
    return sum(crc32(repr(key).encode()) for key in keys)
