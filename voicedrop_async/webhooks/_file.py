"""The SQLite file of a receiver. Everything here blocks, and runs on the one thread of its book."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from voicedrop_async._sqlite import LOCK_WAIT, reason
from voicedrop_async.errors import ConfigError

T = TypeVar("T")
Row = tuple[int, str, bytes]
"""Place, kind and body of a callback."""

_OURS: Final = 0x56436C62
_VERSION: Final = 1
_SCHEMA: Final = f"""
CREATE TABLE letters (
    place INTEGER PRIMARY KEY,  -- in the order in which they came
    key BLOB,                   -- by which one that comes twice is known
    kind TEXT NOT NULL,
    body BLOB                   -- as it was posted; NULL once it is handled
);
PRAGMA application_id = {_OURS};
PRAGMA user_version = {_VERSION};
"""
_UNHANDLED: Final = "SELECT place, kind, body FROM letters WHERE place > ? AND place < ? AND body IS NOT NULL ORDER BY place LIMIT ?"
_PARAMETERS: Final = 800
"""In one statement. Every statement costs a turn of the interpreter's lock, for which a busy loop lets others wait."""
_REASONS: Final = {
    sqlite3.SQLITE_BUSY: "another process has it; each needs a file of its own",
    sqlite3.SQLITE_CORRUPT: "is broken; put it aside, and begin a new one",
    sqlite3.SQLITE_NOTADB: "is no file of callbacks; name another",
}


def why(error: sqlite3.Error) -> str:
    """Return why the file cannot be used, and what to do."""
    return reason(error, _REASONS)


class LetterFile:
    """The open file."""

    def __init__(self, path: Path) -> None:
        """Touch nothing yet."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._forgotten = 0

    def open(self, remember: int) -> tuple[list[bytes], int, int]:
        """Open the file, or make it; return the keys that are remembered, how many are not handled, and the last place.

        Raises:
            ConfigError: It cannot be opened, is of another kind, or another process has it.
        """
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))  # whom it belongs to, nobody else can read
            self._connection = connection = sqlite3.connect(self._path, timeout=LOCK_WAIT, isolation_level=None, check_same_thread=False)
            self._prepare(connection)
            keys = connection.execute("SELECT key FROM letters WHERE key IS NOT NULL ORDER BY place DESC LIMIT ?", (remember,)).fetchall()
            (waiting,) = connection.execute("SELECT count(*) FROM letters WHERE body IS NOT NULL").fetchone()
            (last,) = connection.execute("SELECT coalesce(max(place), 0) FROM letters").fetchone()
        except (sqlite3.Error, OSError, ConfigError) as error:
            self.close()
            if isinstance(error, ConfigError):
                raise
            words = why(error) if isinstance(error, sqlite3.Error) else error.strerror or type(error).__name__
            raise ConfigError(f"path: {self._path}: {words}") from None
        return [key for (key,) in reversed(keys)], waiting, last

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # two receivers would hand on each other's callbacks
        (owner,), (version,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version"))
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and owner != _OURS:
            raise ConfigError(f"path: {self._path}: is no file of callbacks; name another")
        if tables and version != _VERSION:
            raise ConfigError(f"path: {self._path}: is of version {version}, and this library knows {_VERSION}; update the library")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # where a plain one ends in the drive's cache, as on macOS
        if not tables:
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")

    def write(self, letters: Sequence[tuple[int, bytes | None, str, bytes]], handled: Sequence[int], oldest: int) -> None:
        """Write down what came and what was handled, durably, all of it or nothing; forget handled ones before ``oldest``.

        Raises:
            sqlite3.Error: It cannot be written.
        """
        with self._opened as connection:
            connection.execute("BEGIN IMMEDIATE")
            for some in _cut(letters, _PARAMETERS // 4):
                values = [value for letter in some for value in letter]
                connection.execute(f"INSERT INTO letters (place, key, kind, body) VALUES {_marks('(?, ?, ?, ?)', some)}", values)
            for places in _cut(handled, _PARAMETERS):
                connection.execute(f"UPDATE letters SET body = NULL WHERE place IN ({_marks('?', places)})", places)
            if oldest >= self._forgotten + _PARAMETERS:
                connection.execute("DELETE FROM letters WHERE place < ? AND body IS NULL", (oldest,))
                self._forgotten = oldest

    def unhandled(self, after: int, before: int, most: int) -> list[Row]:
        """Return callbacks that are not handled, in order.

        Raises:
            sqlite3.Error: It cannot be read.
        """
        return self._opened.execute(_UNHANDLED, (after, before, most)).fetchall()

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the file is closed")
        return self._connection


def _cut(things: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (things[begin : begin + most] for begin in range(0, len(things), most))


def _marks(one: str, things: Sequence[object]) -> str:
    return ", ".join([one] * len(things))
