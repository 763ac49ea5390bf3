"""The SQLite file of a journal. Everything here blocks, and runs on the one thread of its journal."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Final

from voicedrop_async._sqlite import LOCK_WAIT, code_of, reason
from voicedrop_async.errors import JournalError
from voicedrop_async.journal._entry import JournalEntry, SettledBy
from voicedrop_async.journal._key import key_path, make_once, mark_of, read_key, write_key
from voicedrop_async.journal._rows import entry_of, words_of
from voicedrop_async.journal._rules import may_settle, no_open_entry, state_after
from voicedrop_async.models import Intent

_OURS: Final = 0x564A726E
_VERSION: Final = 1
_SCHEMA: Final = f"""
CREATE TABLE sends (
    place INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order in which they began, whatever the clock said
    ref TEXT NOT NULL UNIQUE,
    campaign_name TEXT,
    started_at TEXT NOT NULL,
    recipients INTEGER NOT NULL,
    campaign_digest TEXT NOT NULL,
    recipients_digest TEXT NOT NULL,
    state TEXT NOT NULL,
    result TEXT,
    settled_at TEXT,
    settled_by TEXT
);
CREATE TABLE keys (mark TEXT NOT NULL);  -- by which the key beside the file is known again
CREATE INDEX open_sends ON sends (place) WHERE state = 'open';
PRAGMA application_id = {_OURS};
PRAGMA user_version = {_VERSION};
"""
_BEGIN: Final = """
INSERT OR REPLACE INTO sends (ref, campaign_name, started_at, recipients, campaign_digest, recipients_digest, state)
VALUES (:ref, :campaign_name, :started_at, :recipients, :campaign_digest, :recipients_digest, 'open')
"""
_SETTLE: Final = "UPDATE sends SET state = ?, result = ?, settled_at = ?, settled_by = ? WHERE ref = ?"
_MARK: Final = "INSERT INTO keys SELECT ? WHERE NOT EXISTS (SELECT * FROM keys)"

_BROKEN: Final = "is broken, or no journal; put back a copy of it and its key, or begin a new one once you know what was sent"
_REASONS: Final = {
    sqlite3.SQLITE_BUSY: f"another process has kept it locked for {LOCK_WAIT:.0f} seconds; let that one end, and try again",
    sqlite3.SQLITE_CORRUPT: _BROKEN,
    sqlite3.SQLITE_NOTADB: _BROKEN,
}


_OPEN: Final[dict["JournalFile", tuple[int, tuple[int, int]]]] = {}
"""The process and the file of each journal that is open. After a fork those of the parent stand here too, and must: its
connections may not be closed in the child, and beside them SQLite would open the file without locking it."""


class Care(IntEnum):
    """What a batch of work needs of the disk."""

    READ = 0
    LAZY = 1
    """Written, and durable with the next durable write or soon after: losing it is the safe side."""
    DURABLE = 2
    """On the disk when it is done."""


class JournalFile:
    """The open file, its key, and what can be done with its rows. Every method but ``close`` stands inside ``work``."""

    def __init__(self, path: Path) -> None:
        """Touch nothing yet; ``path`` is absolute."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._key = b""

    @contextmanager
    def work(self, care: Care) -> Generator[None]:
        """Open the file if need be, and do what the block does as one transaction: all of it, or nothing.

        Raises:
            JournalError: It cannot be opened, read or written; nothing was.
        """
        try:
            if self._connection is None:
                self._open()
            with self._transaction(care):
                yield
        except sqlite3.Error as error:
            if code_of(error) != sqlite3.SQLITE_BUSY:
                self.close()  # and open it again next time: the reason may have gone
            raise JournalError(f"{self._path}: {reason(error, _REASONS)}") from None
        except OSError as error:
            raise JournalError(
                f"{self._path}: {error.strerror or type(error).__name__}; look at the file, its key and its folder"
            ) from None
        except (ValueError, TypeError):  # a row with words that no journal of ours writes
            raise JournalError(f"{self._path}: {_BROKEN}") from None

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        _OPEN.pop(self, None)

    @property
    def key(self) -> bytes:
        """The key that lies beside the file."""
        return self._key

    def find(self, ref: str) -> JournalEntry | None:
        """Return what stands under ``ref``."""
        row = self._opened.execute("SELECT * FROM sends WHERE ref = ?", (ref,)).fetchone()
        return None if row is None else self._entry(row)

    def claim(self, intent: Intent) -> JournalEntry | None:
        """Write down that a send begins; or return what stands in its way."""
        standing = self.find(intent.ref)
        if standing is not None and standing.stands_in_the_way_of(intent):
            return standing
        self._opened.execute(_BEGIN, words_of(intent))
        return None

    def settle(self, ref: str, *, sent: bool, by: SettledBy, result: str | None, of: Intent | None) -> None:
        """Write down what became of an entry."""
        entry = self.find(ref)
        if entry is None or not may_settle(entry, sent=sent, by=by, of=of):
            raise no_open_entry(ref)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        self._opened.execute(_SETTLE, (state_after(sent=sent), result, now, by, ref))

    def open_entries(self) -> list[JournalEntry]:
        """Return what is open, in the order in which it began."""
        rows = self._opened.execute("SELECT * FROM sends WHERE state = 'open' ORDER BY place")
        return [self._entry(row) for row in rows]

    def prune(self, oldest: datetime) -> int:
        """Forget what was settled at that moment, or before it."""
        moment = oldest.isoformat(timespec="microseconds")
        return self._opened.execute("DELETE FROM sends WHERE state != 'open' AND settled_at <= ?", (moment,)).rowcount

    def _entry(self, row: sqlite3.Row) -> JournalEntry:
        return entry_of(dict(row), f"{self._path}, ref {row['ref']!r}")

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ValueError("not inside work()")
        return self._connection

    @contextmanager
    def _transaction(self, care: Care) -> Generator[None]:
        if care is Care.READ:
            yield
            return
        if care is Care.DURABLE and _identity(self._path) != self._identity:
            raise JournalError(f"{self._path}: was moved, replaced or deleted while it was open; put it back, or start again")
        self._opened.execute(f"PRAGMA synchronous = {'FULL' if care is Care.DURABLE else 'NORMAL'}")
        self._opened.execute("BEGIN IMMEDIATE")
        with self._opened:  # half a transaction would lock everybody else out
            yield

    def _open(self) -> None:
        # The file is made before its key, so a key says that there was a file; and the key's mark in the file is made last.
        key_file = key_path(self._path)
        had_key = key_file.exists()
        if not self._path.exists():
            if had_key:
                raise JournalError(f"{self._path}: is gone, but its key is there; put it back, or take the key away to begin anew")
            make_once(self._path, _write_empty)
        self._check_not_inherited()
        _OPEN[self] = os.getpid(), _identity(self._path)  # before it is: a fork can come at any moment
        try:
            self._connection = self._checked(key_file)
        except BaseException:
            self.close()
            raise

    def _checked(self, key_file: Path) -> sqlite3.Connection:
        """Return a connection to a file that is a journal, and whose key it is that lies beside it."""
        with _closed_on_failure(_connected(self._path)) as connection:
            _check_ours(self._path, connection)
            is_marked = connection.execute("SELECT * FROM keys").fetchone() is not None
            if not key_file.exists():
                if is_marked:
                    raise JournalError(f"{key_file}: is gone, and recipients cannot be told apart without it; put it back")
                make_once(key_file, write_key)
            self._key = read_key(self._path)
            self._check_key(connection, is_marked=is_marked)
            self._identity = _identity(self._path)
            return connection

    def _check_not_inherited(self) -> None:
        file = _identity(self._path)
        if any(process != os.getpid() and opened == file for process, opened in tuple(_OPEN.values())):
            raise JournalError(
                f"{self._path}: was open when this process was forked, and SQLite would lose what is written; "
                "open it only after the fork, close it before, or start processes without a fork (spawn)"
            )

    def _check_key(self, connection: sqlite3.Connection, *, is_marked: bool) -> None:
        mark = mark_of(self._key)
        if not is_marked:
            connection.execute(_MARK, (mark,))
        if connection.execute("SELECT mark FROM keys").fetchone()[0] != mark:
            raise JournalError(f"{key_path(self._path)}: is the key of another journal; put back the one that was made with this file")


@contextmanager
def _closed_on_failure(connection: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    """Close a connection only if the block fails."""
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


def _connected(path: Path) -> sqlite3.Connection:
    # rw: never make a file here. Another thread than ours closes it when the program ends.
    connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=LOCK_WAIT, isolation_level=None, check_same_thread=False)
    with _closed_on_failure(connection):
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA fullfsync = ON")  # where a plain one ends in the drive's cache, as on macOS
    return connection


def _write_empty(draft: Path) -> None:
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.executescript(_SCHEMA)
        connection.execute("PRAGMA journal_mode = WAL")


def _check_ours(path: Path, connection: sqlite3.Connection) -> None:
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    if owner != _OURS:
        raise JournalError(f"{path}: is no journal of paid sends; name another file")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != _VERSION:
        raise JournalError(f"{path}: is of version {version}, and this library knows {_VERSION}; update the library")


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_dev, status.st_ino
