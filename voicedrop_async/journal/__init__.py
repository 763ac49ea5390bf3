"""The ledger of paid sends: what was begun, before its first byte; what became of it, after the last."""

from voicedrop_async.journal._entry import Journal, JournalEntry, SendState, SettledBy
from voicedrop_async.journal._memory import MemoryJournal
from voicedrop_async.journal._redis import RedisJournal
from voicedrop_async.journal._sqlite import SqliteJournal

__all__ = ["Journal", "JournalEntry", "MemoryJournal", "RedisJournal", "SendState", "SettledBy", "SqliteJournal"]
