"""The journal of paid sends: what was begun, before its first byte; what became of it, after the last."""

from typing import TYPE_CHECKING

from voicedrop_async.journal._entry import Journal, JournalEntry, SendState, SettledBy
from voicedrop_async.journal._memory import MemoryJournal

if TYPE_CHECKING:  # loaded by whoever keeps a journal there
    from voicedrop_async.journal._redis import RedisJournal
    from voicedrop_async.journal._sqlite import SqliteJournal
else:
    from voicedrop_async._lazily import lazily

    __getattr__, __dir__ = lazily(__name__, {"_redis": ("RedisJournal",), "_sqlite": ("SqliteJournal",)})

__all__ = ["Journal", "JournalEntry", "MemoryJournal", "RedisJournal", "SendState", "SettledBy", "SqliteJournal"]
