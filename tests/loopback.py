"""A server on loopback whose connections are a task each, and end with the test."""

import asyncio
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Loopback:
    """Counts its connections; what happens on one is told by ``_converse``."""

    connections: int = field(default=0, init=False)

    async def _listen(self, **options: object) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._server = await asyncio.start_server(self._serve, **options)

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def open(self) -> int:
        """Connections that nobody has ended yet."""
        return len(self._tasks)

    async def left(self) -> None:
        """Return when no connection is open any more."""
        await self._empty.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._empty.clear()
        self.connections += 1
        try:
            await self._converse(self.connections, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()  # nobody is there, or the test is over: what was not taken never will be
        finally:
            writer.close()
            self._tasks.discard(task)
            if not self._tasks:
                self._empty.set()

    async def _converse(self, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError
