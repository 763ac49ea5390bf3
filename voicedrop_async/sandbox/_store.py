"""A sandbox's state in a file, so that another run goes on where one was ended, ``kill -9`` included.

Kept are: the beginning (seed, number of messages and drops, and the moment, from which the past is made again), campaigns
as they were sent, how the tracked list grew and shrank, the requests and callbacks of the log, and which posts were
received. Not kept: tokens, faults, and what requests hold of secrets.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from attrs import field, frozen
from multidict import CIMultiDict

from ._log import PostedCallback, ReceivedRequest
from ._masking import masked_body, masked_headers, masked_query

_FORMAT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS beginning (seed INTEGER, messages INTEGER, drops INTEGER, began TEXT);
CREATE TABLE IF NOT EXISTS present (only INTEGER PRIMARY KEY, moment TEXT, wall REAL, speed REAL);
CREATE TABLE IF NOT EXISTS campaigns (
  number INTEGER PRIMARY KEY, tracking_id TEXT, body BLOB, created_at TEXT, deleted INTEGER, told INTEGER
);
CREATE INDEX IF NOT EXISTS campaigns_by_id ON campaigns (tracking_id);
CREATE TABLE IF NOT EXISTS changes (count INTEGER);
CREATE TABLE IF NOT EXISTS posts (campaign TEXT, place INTEGER, attempt INTEGER, due TEXT, PRIMARY KEY (campaign, place));
CREATE TABLE IF NOT EXISTS requests (number INTEGER PRIMARY KEY, entry BLOB);
CREATE TABLE IF NOT EXISTS callbacks (number INTEGER PRIMARY KEY, entry BLOB);
"""


@frozen(kw_only=True)
class Beginning:
    """From what the past is made."""

    seed: int
    messages: int
    drops: int
    began: datetime


@frozen(kw_only=True)
class KeptCampaign:
    """A campaign as it was sent."""

    number: int
    tracking_id: str
    body: bytes = field(repr=False)
    created_at: datetime
    deleted: bool
    told: bool
    """Whether everything it had to post was posted."""


@frozen(kw_only=True)
class Kept:
    """What a file holds."""

    beginning: Beginning
    now: datetime
    """The sandbox's present: the last moment that was written down, and the time since then."""
    campaigns: list[KeptCampaign] = field(factory=list[KeptCampaign])
    changes: list[int] = field(factory=list[int])
    """How many messages came (above 0) or went at the head of the tracked list, in order."""
    requests: list[ReceivedRequest] = field(factory=list[ReceivedRequest])
    callbacks: list[PostedCallback] = field(factory=list[PostedCallback])
    posts: dict[tuple[str, int], tuple[int, datetime | None]] = field(factory=dict[tuple[str, int], tuple[int, datetime | None]])
    """By campaign and place: the next attempt, and when it is due; None once there is none."""


class Store:
    """Writes the state on a thread of its own, in order. Without a file it does nothing."""

    def __init__(self, path: Path | None) -> None:
        """Touch nothing yet."""
        self._path = path
        self._speed = 1.0
        self._now: Callable[[], datetime] = partial(datetime.now, UTC)
        self._file: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._last: Future[None] | None = None
        self._failed: OSError | None = None

    async def open(self, fresh: Beginning, speed: float) -> Kept:
        """Open the file, or make it; what it holds. The beginning is the file's, once it has one.

        Raises:
            OSError: It cannot be opened, another sandbox has it, or it is no state of a sandbox.
        """
        if self._path is None:
            return Kept(beginning=fresh, now=fresh.began)
        self._speed = speed
        self._thread = ThreadPoolExecutor(1, "sandbox-state")
        return await asyncio.wrap_future(self._thread.submit(_guarded, self._path, partial(self._open, self._path, fresh)))

    def keep_time(self, now: Callable[[], datetime]) -> None:
        """Write down the moment with everything else, as this clock tells it."""
        self._now = now
        self._write()

    def campaign(self, number: int, tracking_id: str, body: bytes, created_at: datetime) -> None:
        """A campaign was accepted."""
        self._write(("INSERT INTO campaigns VALUES (?, ?, ?, ?, 0, 0)", number, tracking_id, body, created_at.isoformat()))

    def deleted(self, tracking_id: str) -> None:
        """A campaign was taken back."""
        self._write(("UPDATE campaigns SET deleted = 1 WHERE tracking_id = ?", tracking_id))

    def changed(self, count: int) -> None:
        """So many messages came, or went, at the head of the tracked list."""
        self._write(("INSERT INTO changes VALUES (?)", count))

    def posted(self, tracking_id: str, place: int, attempt: int, due: datetime | None) -> None:
        """A post was tried; the next attempt, and when it is due."""
        self._write(("INSERT OR REPLACE INTO posts VALUES (?, ?, ?, ?)", tracking_id, place, attempt, due and due.isoformat()))

    def told(self, tracking_id: str) -> None:
        """A campaign has nothing more to post."""
        self._write(
            ("UPDATE campaigns SET told = 1 WHERE tracking_id = ?", tracking_id), ("DELETE FROM posts WHERE campaign = ?", tracking_id)
        )

    def request(self, entry: ReceivedRequest, first: int) -> None:
        """A request was answered, or broken off; those before ``first`` are forgotten."""
        if self._file is None:
            return
        shown = (dict(masked_query(entry.query)), masked_headers(entry.headers), masked_body(entry.body))
        row = (entry.site, entry.method, entry.path, *shown)
        packed = msgspec.msgpack.encode((*row, entry.status, entry.fault, entry.at))
        self._write(
            ("INSERT OR REPLACE INTO requests VALUES (?, ?)", entry.number, packed), ("DELETE FROM requests WHERE number < ?", first)
        )

    def callback(self, entry: PostedCallback, first: int) -> None:
        """A callback was posted; those before ``first`` are forgotten."""
        if self._file is None:
            return
        packed = msgspec.msgpack.encode((entry.url, entry.body, entry.attempt, entry.status, entry.note, entry.at))
        self._write(
            ("INSERT OR REPLACE INTO callbacks VALUES (?, ?)", entry.number, packed), ("DELETE FROM callbacks WHERE number < ?", first)
        )

    async def settled(self) -> None:
        """Wait until everything so far is in the file.

        Raises:
            OSError: Something is not: the disk is full, say.
        """
        if self._last is not None:
            await asyncio.shield(asyncio.wrap_future(self._last))
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed

    async def aclose(self) -> None:
        """Write the rest, and give the file back."""
        if self._thread is None:
            return
        self._write()
        thread, self._thread = self._thread, None
        closed = thread.submit(self._close)  # behind an opening that was cancelled, too
        thread.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(closed))

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, *statements: tuple[object, ...]) -> None:
        """Have statements, and the moment, written in one transaction: each a text, and its values."""
        if self._thread is not None and self._file is not None:
            self._last = self._thread.submit(self._run, self._file, statements, self._now())

    def _run(self, file: sqlite3.Connection, statements: tuple[tuple[object, ...], ...], now: datetime) -> None:
        try:
            with file:
                file.execute("BEGIN")
                for text, *values in statements:
                    file.execute(str(text), values)
                file.execute("INSERT OR REPLACE INTO present VALUES (1, ?, ?, ?)", (now.isoformat(), time.time(), self._speed))
        except sqlite3.Error as error:
            self._failed = OSError(f"the sandbox's state cannot be written: {error}")

    def _open(self, path: Path, fresh: Beginning) -> Kept:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        file = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            kept = _read(file, fresh)
        except BaseException:
            file.close()
            raise
        self._file = file
        return kept


def _guarded(path: Path, work: Callable[[], Kept]) -> Kept:
    try:
        return work()
    except OSError as error:
        raise OSError(f"state: {path}: {error.strerror}") from None
    except sqlite3.OperationalError as error:
        raise OSError(f"state: {path}: another sandbox has it, or it cannot be opened ({error})") from None
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        raise OSError(f"state: {path}: no state of a sandbox ({error})") from None


def _read(file: sqlite3.Connection, fresh: Beginning) -> Kept:
    """Take the file, which nobody else can open then, and read it."""
    file.execute("PRAGMA locking_mode = EXCLUSIVE")
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = NORMAL")
    (version,) = file.execute("PRAGMA user_version").fetchone()
    if version not in (0, _FORMAT) or (version == 0 and file.execute("SELECT 1 FROM sqlite_master").fetchone()):
        raise ValueError("written by another program, or by a newer one")
    file.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT")
    row = file.execute("SELECT * FROM beginning").fetchone()
    if row is None:
        file.execute("INSERT INTO beginning VALUES (?, ?, ?, ?)", (fresh.seed, fresh.messages, fresh.drops, fresh.began.isoformat()))
        return Kept(beginning=fresh, now=fresh.began)
    seed, messages, drops, began = row
    beginning = Beginning(seed=seed, messages=messages, drops=drops, began=datetime.fromisoformat(began))
    return Kept(
        beginning=beginning,
        now=_now(file, beginning),
        campaigns=[_campaign(*row) for row in file.execute("SELECT * FROM campaigns ORDER BY number")],
        changes=[count for (count,) in file.execute("SELECT count FROM changes ORDER BY rowid")],
        requests=[_request(*row) for row in file.execute("SELECT * FROM requests ORDER BY number")],
        callbacks=[_callback(*row) for row in file.execute("SELECT * FROM callbacks ORDER BY number")],
        posts={(campaign, place): (attempt, _moment(due)) for campaign, place, attempt, due in file.execute("SELECT * FROM posts")},
    )


def _now(file: sqlite3.Connection, beginning: Beginning) -> datetime:
    """Time went on while no sandbox ran, as fast as in the last one."""
    row = file.execute("SELECT moment, wall, speed FROM present").fetchone()
    if row is None:
        return beginning.began
    moment, wall, speed = row
    return datetime.fromisoformat(moment) + timedelta(seconds=max(time.time() - wall, 0) * speed)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _campaign(number: int, tracking_id: str, body: bytes, created_at: str, deleted: int, told: int) -> KeptCampaign:
    return KeptCampaign(
        number=number,
        tracking_id=tracking_id,
        body=body,
        created_at=datetime.fromisoformat(created_at),
        deleted=bool(deleted),
        told=bool(told),
    )


_RequestRow = tuple[str, str, str, dict[str, str], dict[str, str], bytes, int | None, str, datetime]
_CallbackRow = tuple[str, dict[str, Any], int, int | None, str, datetime]


def _request(number: int, entry: bytes) -> ReceivedRequest:
    site, method, path, query, headers, body, status, fault, at = msgspec.msgpack.decode(entry, type=_RequestRow)
    return ReceivedRequest(
        number=number,
        site=site,
        method=method,
        path=path,
        query=query,
        headers=CIMultiDict(headers),
        body=body,
        status=status,
        fault=fault,
        at=at,
    )


def _callback(number: int, entry: bytes) -> PostedCallback:
    url, body, attempt, status, note, at = msgspec.msgpack.decode(entry, type=_CallbackRow)
    return PostedCallback(number=number, url=url, body=body, attempt=attempt, status=status, note=note, at=at)
