"""What tells items apart, of more items than memory holds."""

import sqlite3
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

_CACHE: Final = "-65536"
"""64 MiB, as SQLite counts them."""


class Ids:
    """A set on the disk, without a name, which is gone with the process. It holds hashes of 16 bytes, and so no phone number."""

    def __init__(self) -> None:
        """Make it; it takes no room yet."""
        self._base = sqlite3.connect("", check_same_thread=False)  # one step after another, each in some thread
        self._base.execute(f"PRAGMA cache_size = {_CACHE}")
        self._base.execute("PRAGMA temp_store = FILE")
        self._base.execute("CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID")

    def take(self, keys: Sequence[bytes]) -> frozenset[int]:
        """Add keys; return the places of those that were there before."""
        rows = [(blake2b(key, digest_size=16).digest(),) for key in keys]
        before = self._base.total_changes
        self._base.executemany("INSERT OR IGNORE INTO seen VALUES (?)", rows)
        if self._base.total_changes - before == len(rows):
            self._base.commit()
            return frozenset()
        self._base.rollback()  # a few came before: one by one
        again = {place for place, row in enumerate(rows) if self._base.execute("INSERT OR IGNORE INTO seen VALUES (?)", row).rowcount == 0}
        self._base.commit()
        return frozenset(again)

    def close(self) -> None:
        """Let go of it."""
        self._base.close()
