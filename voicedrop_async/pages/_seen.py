"""What was handed out already. Exact keys, for the present list and the one before: a hash that collides would lose a message."""

from collections.abc import Hashable, Iterable, Sequence, Set
from itertools import islice
from typing import TypeVar
from zlib import crc32

from attrs import define, field

T = TypeVar("T")


@define
class Seen:
    """The keys of the present list, each with the pass that saw it last; and those of the list before."""

    here: dict[Hashable, int] = field(factory=dict)
    before: Set[Hashable] = frozenset()
    passes: int = 1
    distinct: int = 0
    """Keys that this pass saw."""
    common: int = 0
    """Of these, the ones that the pass before saw as well."""
    distinct_before: int = -1
    """Keys that the pass before saw."""
    sum: int | None = None
    """Of hashes of the items that were handed out, if it is kept: of the same items it is the same."""
    most: int | None = None
    """Keys to know at most, for a list of which everything is handed out, however long it is; None for all."""
    forgotten: int = 0
    """Keys that were too many."""

    def take(self, items: tuple[T, ...], keys: Sequence[Hashable]) -> tuple[tuple[T, ...], int]:
        """Remember a page; return its items that were not handed out yet, and how many this pass had seen already."""
        taken = self._take(items, keys)
        if self.most is not None and len(self.here) > self.most:
            oldest = list(islice(self.here, len(self.here) - self.most))
            for key in oldest:
                del self.here[key]
            self.forgotten += len(oldest)
        return taken

    def _take(self, items: tuple[T, ...], keys: Sequence[Hashable]) -> tuple[tuple[T, ...], int]:
        if self.passes == 1 and self.before.isdisjoint(keys):
            known = len(self.here)
            for key in keys:
                self.here[key] = 1
            if len(self.here) == known + len(keys):
                self.distinct += len(keys)
                self._add(keys)
                return items, 0
            for _ in range(len(self.here) - known):  # one of them came before: one by one
                self.here.popitem()
        fresh: list[T] = []
        repeated = 0
        for item, key in zip(items, keys, strict=True):
            seen_in = self.here.get(key, 0)
            if seen_in == self.passes:
                repeated += 1
                continue
            self.here[key] = self.passes
            self.distinct += 1
            self.common += seen_in == self.passes - 1
            if seen_in == 0 and key not in self.before:
                fresh.append(item)
                self._add((key,))
        return tuple(fresh), repeated

    def repeats(self, keys: Sequence[Hashable]) -> bool:
        """Whether this pass has seen one of the keys already, or sees one twice now."""
        return len(set(keys)) < len(keys) or any(self.here.get(key) == self.passes for key in keys)

    def _add(self, keys: Sequence[Hashable]) -> None:
        if self.sum is not None:
            self.sum += sum_of(keys)

    @property
    def shown(self) -> int:
        """Keys that any pass over the present list saw."""
        return len(self.here) + self.forgotten

    @property
    def agrees(self) -> bool:
        """Whether this pass saw the same keys as the one before."""
        return self.distinct == self.distinct_before == self.common

    def read_again(self) -> None:
        """Begin another pass over the same list."""
        self.passes += 1
        self.distinct_before, self.distinct, self.common = self.distinct, 0, 0

    def next_list(self) -> "Seen":
        """Return what is remembered in the next list: an edge between slices can repeat an item there, and not farther on."""
        return Seen(before=self.here.keys(), sum=None if self.sum is None else 0, most=self.most)


def sum_of(keys: Iterable[Hashable]) -> int:
    """Return a sum that does not hang on the order, and is the same in every process."""
    return sum(crc32(repr(key).encode()) for key in keys)
