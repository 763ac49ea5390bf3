"""A server of both lists, on a real socket, that can hold its answers back, count what is open, and change under a walk."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from campaigns import QUICK
from raw_server import RawServer, Step, answer

from voicedrop_async import Limits, RouteeSession, SpacivoxSession, StaticToken

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Row(NamedTuple):
    """One entry of the list."""

    at: datetime
    id: int


def rows(*seconds: float) -> list[Row]:
    """Rows so many seconds after noon, numbered from 1 on."""
    return [Row(NOON + second * SECOND, number) for number, second in enumerate(seconds, 1)]


TWENTY = rows(*range(20))
ROOMY = {"limits": Limits(max_in_flight=40)}
"""For a session that nothing but its walk holds back."""


class Asked(NamedTuple):
    """One request, as the server understood it; the range in seconds after noon."""

    start: float | None
    end: float | None
    page: int
    size: int


@dataclass
class PagedServer(RawServer):
    """Answers ``POST /voice/tracking`` and ``GET /j/voicemail_drop_records`` from its ``rows``."""

    rows: list[Row] = field(default_factory=list)
    start_included: bool = True
    end_included: bool = True
    looks_at_range: bool = True
    weight: int = 0
    """Bytes that each drop record has more of."""
    instead: dict[int, Step] = field(default_factory=dict)
    """Answers to pages of these numbers, in place of what the list says."""
    before: dict[int, Callable[[], object]] = field(default_factory=dict)
    """Done once before a page of that number is read from the list."""
    asked: list[Asked] = field(default_factory=list)
    answered: list[Asked] = field(default_factory=list)
    given_up: list[Asked] = field(default_factory=list)
    """Requests whose caller hung up while they were held back."""
    open: int = 0
    """Requests that came and were neither answered nor given up yet."""
    most_open: int = 0
    _held: Callable[[Asked], bool] = lambda _: False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _readers: dict[int, asyncio.StreamReader] = field(default_factory=dict)

    @property
    def tasks(self) -> set[asyncio.Task[Any]]:
        """The tasks of this server; one for each connection, at least."""
        return set(self._tasks)

    def hold(self, what: Callable[[Asked], bool]) -> None:
        """Keep back, from now on, the answers to these requests, and no others."""
        self._held = what
        self._tell()

    def release(self) -> None:
        """Answer everything."""
        self.hold(lambda _: False)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until a claim about this server holds."""
        async with asyncio.timeout(10):
            while not holds():
                await self._changed.wait()

    async def left_alone(self) -> None:
        """Wait until nobody is connected any more."""
        async with asyncio.timeout(10):
            while self._tasks:
                await asyncio.wait(self._tasks)

    async def _converse(self, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._readers[connection] = reader
        await super()._converse(connection, reader, writer)

    def _step(self) -> Step:
        received = self.received[-1]
        query = {name: values[-1] for name, values in parse_qs(urlsplit(received.target).query).items()}
        drops = urlsplit(received.target).path == "/j/voicemail_drop_records"
        names = ("start", "end") if drops else ("from", "to")
        start, end = (datetime.fromisoformat(query[name]) if name in query else None for name in names)
        asked = Asked(_seconds(start), _seconds(end), int(query.get("page", 0)), int(query.get("size", 1 << 30)))

        async def step(writer: asyncio.StreamWriter) -> bool:
            self.asked.append(asked)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            self._tell()
            try:
                if not await self._is_let_through(asked, self._readers[received.connection]):
                    self.given_up.append(asked)
                    return False
                self.before.pop(asked.page, lambda: None)()
                given = self.instead.get(asked.page) or answer(body=self._drops(start, end) if drops else self._page(start, end, asked))
                self.answered.append(asked)
                return await given(writer)
            finally:
                self.open -= 1
                self._tell()

        return step

    async def _is_let_through(self, asked: Asked, reader: asyncio.StreamReader) -> bool:
        """Wait while the request is held back; return whether its caller is still there."""
        if not self._held(asked):
            return True
        waits = [asyncio.ensure_future(self.until_not_held(asked)), asyncio.ensure_future(reader.read(1))]
        self._tasks.update(waits)
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return waits[0] in done
        finally:
            for each in waits:
                each.cancel()
            await asyncio.wait(waits)
            self._tasks.difference_update(waits)

    async def until_not_held(self, asked: Asked) -> None:
        """Wait until this request may be answered."""
        while self._held(asked):
            await self._changed.wait()

    def _tell(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _found(self, start: datetime | None, end: datetime | None) -> list[Row]:
        if start is None or end is None or not self.looks_at_range:
            return self.rows
        after = [row for row in self.rows if row.at > start or (row.at == start and self.start_included)]
        return [row for row in after if row.at < end or (row.at == end and self.end_included)]

    def _page(self, start: datetime | None, end: datetime | None, asked: Asked) -> dict[str, Any]:
        found = self._found(start, end)
        pages = -(-len(found) // asked.size)
        content = [message(row.id) for row in found[asked.page * asked.size :][: asked.size]]
        return page(content, number=asked.page, size=asked.size, pages=pages, total=len(found))

    def _drops(self, start: datetime | None, end: datetime | None) -> bytes:
        heavy = {"reference": "x" * self.weight}
        return json.dumps([{"id": row.id, "timestamp": row.at.isoformat(), **heavy} for row in self._found(start, end)]).encode()


def message(number: int) -> dict[str, Any]:
    """A tracked message, as on the wire."""
    return {"messageId": f"m{number}", "to": "+306912345678", "status": {"status": "Completed"}}


def page(content: list[dict[str, Any]], *, number: int, size: int, pages: int, total: int) -> dict[str, Any]:
    """A page, as on the wire."""
    counts = {"totalPages": pages, "totalElements": total, "number": number, "size": size}
    return {"content": content, "last": number + 1 >= pages, "first": number == 0, "numberOfElements": len(content), **counts}


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - NOON) / SECOND


@asynccontextmanager
async def serving(**options: Any):
    """A server, and both sessions on it."""
    routee_options = options.pop("session", {})
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(PagedServer(**options))
        auth = StaticToken("static-token")
        routee = await stack.enter_async_context(
            RouteeSession(auth, base_url=server.url, auth_url=server.url, **{"retry": QUICK} | routee_options)
        )
        spacivox = await stack.enter_async_context(SpacivoxSession(auth, base_url=server.url, retry=QUICK))
        yield server, routee, spacivox


async def into(found, walk, then=lambda _: None):
    """Put what a walk hands out into ``found``, so that it is there after a failure; ``then`` is told how many there are."""
    async for item in walk:
        found.append(item)
        then(len(found))


def others(server: PagedServer) -> set[asyncio.Task[Any]]:
    """The tasks that are neither this test nor its server."""
    return asyncio.all_tasks() - server.tasks - {asyncio.current_task()}


def ids(items):
    """Return ids; those of this server as numbers."""
    names = [getattr(item, "message_id", None) or item.id for item in items]
    return [int(name[1:]) if isinstance(name, str) and name.startswith("m") else name for name in names]
