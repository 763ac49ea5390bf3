"""A journal in Redis, for the processes of several machines. Needs the extra ``redis``."""

import json
import secrets
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from logging import getLogger
from types import TracebackType
from typing import Any, Final, Self

from voicedrop_async._checks import check_ref, check_text
from voicedrop_async._redis import Database, RedisClient, as_text, reason
from voicedrop_async.errors import ConfigError, JournalError
from voicedrop_async.journal import _lua
from voicedrop_async.journal._entry import JournalEntry, SendState, SettledBy
from voicedrop_async.journal._key import KEY_BYTES
from voicedrop_async.journal._rows import broken, entry_of, words_of
from voicedrop_async.journal._rules import OfOneProcess, check_lookup, check_settlement, no_open_entry, oldest_kept, state_after
from voicedrop_async.models import Intent

_PATIENCE: Final = 5.0
"""Seconds for a connection, and for an answer."""
_AT_ONCE: Final = 500
_KEEPS_ALL: Final = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}

_LOG: Final = getLogger("voicedrop_async")


class RedisJournal(OfOneProcess):
    """A journal in one hash of Redis: what is lost of it is lost as a whole, and that is seen.

    Before its first use somebody calls ``set_up`` once, by hand. A journal that is not there, because Redis was flushed,
    or this is another database, sends nothing: begun anew by itself, it would let everything be sent again.

    Redis must keep every write: ``appendonly yes``, ``appendfsync always``, ``maxmemory-policy noeviction``. Where it is
    set otherwise, or does not tell, a warning goes to the logger ``voicedrop_async``. Replicas follow with a delay, so a
    failover can lose claims unseen. It holds no phone number: recipients are hashed, and what else stands in it, ref and
    campaign name, may not hold one.

    Usable in several loops, one after another, if it was given a URL; close it in each.
    """

    def __init__(self, redis: str | RedisClient, *, prefix: str = "voicedrop:journal") -> None:
        """Name the database; nothing is sent to it before the first call.

        Args:
            redis: URL of a database, as in ``redis://localhost:6379/0``; or a ``redis.asyncio.Redis`` of yours, never closed by us.
            prefix: The key that holds the journal.

        Raises:
            ConfigError: The extra ``redis`` is not installed, or ``redis`` is no URL and no client.
        """
        self._name = check_text("prefix", prefix)
        self._database = Database(redis, _PATIENCE)
        self._key: str | None = None
        self._is_lost = False

    async def __aenter__(self) -> Self:
        """Return the journal."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close its connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless the client is yours. Again: does nothing. A journal that is used again connects again."""
        await self._database.aclose()

    async def set_up(self) -> None:
        """Begin a journal. For once, by hand: called at each start of a worker, it would hide that a journal was lost.

        Raises:
            ConfigError: There is one already.
            JournalError: Redis cannot be reached or written.
        """
        key = secrets.token_hex(KEY_BYTES)
        with self._told():
            made = await self._database.run("HSETNX", self._name, "key", key)
            made = made or as_text(await self._database.run("HGET", self._name, "key")) == key  # our own, of which we heard nothing
        if not made:
            raise ConfigError(f"redis: a journal is set up under {self._name!r} already; once is enough")
        self._key = None

    async def key(self) -> bytes:
        """Return the 32 random bytes that were made with the journal; they are read once.

        Raises:
            JournalError: Redis cannot be reached, or the journal is not there.
        """
        return bytes.fromhex(await self._known_key())

    async def find(self, ref: str) -> JournalEntry | None:
        """Return what stands under ``ref``.

        Raises:
            JournalError: Redis cannot be reached, or the journal is not there.
        """
        check_lookup(ref)
        known = await self._known_key()
        with self._told():
            key, entry = await self._database.run("HMGET", self._name, "key", _field(ref))
        self._check_same(known, key)
        return None if entry is None else self._loaded(_field(ref), entry)

    async def claim(self, intent: Intent) -> JournalEntry | None:
        """Write down that the send of ``intent.ref`` begins; or return what stands in its way.

        Raises:
            JournalError: Redis cannot be reached or written, or the journal is not there. If only its answer was lost, the
                entry stands all the same, as open.
        """
        check_ref(intent.ref)
        standing = await self._run(_lua.CLAIM, intent.ref, _dumped(intent))
        return None if standing == "done" else self._loaded(_field(intent.ref), standing)

    async def settle(
        self, ref: str, *, sent: bool, by: SettledBy = SettledBy.PERSON, result: str | None = None, of: Intent | None = None
    ) -> None:
        """Write down what became of an open entry, and when; see ``Journal.settle``.

        Raises:
            ConfigError: Nothing under ``ref`` of which that can be said.
            JournalError: Redis cannot be reached or written, or the journal is not there. If only its answer was lost, it
                is written all the same.
        """
        check_settlement(ref, sent=sent, by=by, result=result, of=of)
        if of is None:
            # The client may ask twice, and by then another claim can stand there.
            standing = await self.find(ref)
            if standing is None:
                raise no_open_entry(ref)
            of = standing.intent
        change = {
            "of": words_of(of),
            "state": state_after(sent=sent),
            "result": result,
            "settled_at": datetime.now(UTC).isoformat(),
            "settled_by": by,
            "writer": _writer(),
        }
        if await self._run(_lua.SETTLE, ref, json.dumps(change)) != "done":
            raise no_open_entry(ref)

    async def open_entries(self) -> list[JournalEntry]:
        """Return what is open, in the order in which it began. Reads the whole journal.

        Raises:
            JournalError: Redis cannot be reached, or the journal is not there.
        """
        found = {field: self._parsed(field, value) async for field, value in self._entries()}
        still_open = [(words["place"], field) for field, words in found.items() if words["state"] == SendState.OPEN]
        return [self._entry(field, found[field]) for _, field in sorted(still_open)]

    async def prune(self, older_than: timedelta) -> int:
        """Forget entries settled that long ago, or longer; return how many. Their refs can then be sent again.

        Raises:
            ConfigError: ``older_than`` is no span of time, or a negative one.
            JournalError: Redis cannot be reached or written, or the journal is not there.
        """
        oldest = oldest_kept(older_than)
        old = [(field, value) async for field, value in self._entries() if self._is_settled_by(oldest, field, value)]
        forgotten = 0
        for first in range(0, len(old), _AT_ONCE):
            words = [word for pair in old[first : first + _AT_ONCE] for word in pair]
            with self._told():
                # What has changed since it was read stays.
                forgotten += await self._database.run("EVAL", _lua.FORGET, 1, self._name, *words)
        return forgotten

    async def _run(self, script: str, ref: str, words: str) -> str:
        key = await self._known_key()
        with self._told():
            said = as_text(await self._database.run("EVAL", script, 1, self._name, key, _field(ref), words))
        self._check_same(key, None if said == "gone" else key)
        if said == "broken":
            raise self._broken(_field(ref))
        return said

    async def _entries(self) -> AsyncGenerator[tuple[str, str]]:
        """All entries; at the end it raises if they were not those of our journal, so nothing may be done with them before."""
        known, key = await self._known_key(), None
        place, begun = 0, False
        while place or not begun:
            with self._told():
                place, part = await self._database.run("HSCAN", self._name, place, "COUNT", _AT_ONCE)
            begun = True
            for field, value in part.items():
                if as_text(field).startswith(_field("")):
                    yield as_text(field), as_text(value)
                elif as_text(field) == "key":  # a scan meets all that was there from its beginning to its end
                    key = value
        self._check_same(known, key)

    async def _known_key(self) -> str:
        if self._key is None or self._is_lost:
            with self._told():
                key = await self._database.run("HGET", self._name, "key")
            self._check_same(self._key, key)
            if self._key is None:
                await self._look_at_settings()
            self._key, self._is_lost = as_text(key), False
        return self._key

    async def _look_at_settings(self) -> None:
        found: dict[str, str] = {}
        try:
            for name in _KEEPS_ALL:
                said = await self._database.run("CONFIG GET", name)
                found |= {as_text(setting): as_text(value) for setting, value in said.items()}
        except self._database.failures:
            _LOG.warning("redis does not tell its settings: see to it that it keeps every write (%s)", _KEEPS_ALL)
            return
        loose = {name: found.get(name, "not told") for name, kept in _KEEPS_ALL.items() if found.get(name) != kept}
        if loose:
            _LOG.warning(
                "redis may lose what this journal writes, and what was sent would be sent again: %s; wanted: %s", loose, _KEEPS_ALL
            )

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except self._database.failures as error:
            raise JournalError(f"redis: cannot be reached or written ({reason(error)}); look at the server") from None

    def _check_same(self, known: str | None, found: str | bytes | None) -> None:
        """Refuse a journal without its key, or with another than the one we know: until ours is back, or for good."""
        if found is None or (known is not None and as_text(found) != known):
            self._is_lost = True
            raise JournalError(
                f"redis: no journal under {self._name!r}, or another than before: the server was flushed, or this is another database; "
                "bring it back, or, once you know what was sent, or if there never was one, begin it with set_up()"
            )

    def _parsed(self, field: str, text: str | bytes) -> dict[str, Any]:
        """Return the words of an entry; its state and its place are there."""
        try:
            words: dict[str, Any] = json.loads(text)
            return words | {"state": SendState(words["state"]), "place": int(words["place"])}
        except (LookupError, TypeError, ValueError):
            raise self._broken(field) from None

    def _entry(self, field: str, words: dict[str, Any]) -> JournalEntry:
        return entry_of(words, self._where(field))

    def _loaded(self, field: str, text: str | bytes) -> JournalEntry:
        return self._entry(field, self._parsed(field, text))

    def _is_settled_by(self, moment: datetime, field: str, text: str) -> bool:
        settled_at = self._loaded(field, text).settled_at
        return settled_at is not None and settled_at <= moment

    def _broken(self, field: str) -> JournalError:
        return broken(self._where(field))

    def _where(self, field: str) -> str:
        return f"redis: {self._name!r}, field {field!r}"

    def __repr__(self) -> str:
        return f"RedisJournal(prefix={self._name!r})"


def _field(ref: str) -> str:
    return f"ref:{ref}"


def _writer() -> str:
    return secrets.token_hex(8)


def _dumped(intent: Intent) -> str:
    return json.dumps(words_of(intent) | {"state": SendState.OPEN, "writer": _writer()})
