"""Recording what a service answers, without what nobody else may see, so that a sandbox can answer the same later."""

import asyncio
import os
import re
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, web
from yarl import URL

from ._loopback import HOST, is_loopback
from ._recording import Exchange, json_of, write
from ._scrubbing import Scrubber

_PATIENCE = ClientTimeout(total=60)
_LONGEST = 16 * 1024 * 1024
_NOT_HANDED_ON = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}
_RETRY_AFTER = re.compile(r"\d{1,5}|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


class Recorder:
    """Stands between a client and a service, hands on what is asked and answered, and writes it into a file.

    ```python
    async with Recorder("tracking.jsonl", to="https://connect.routee.net") as recorder:
        async with RouteeSession(auth, base_url=recorder.url) as routee:
            ...  # auth_url stays as it is: tokens are not recorded
    ```

    One line is one exchange, as JSON. Kept are the statuses, the shape of the JSON, ids that are UUIDs, the documented names of
    fields and words of the services, moments, small numbers such as counts and prices, and ``Retry-After``. Phone numbers, texts,
    names, URLs, and fields and words of no document have stand-ins, the same for the same value. What is no JSON is not kept, nor
    is where a redirect leads, nor anything of a token endpoint. Look at the file before you share it all the same.

    The client gets everything of an answer but its headers: of these the content's type, ``Retry-After`` and ``Location``, as it was
    given, so that who follows it leaves the recorder.
    """

    def __init__(self, file: str | os.PathLike[str], *, to: str) -> None:
        """Serves nothing before its block begins.

        Args:
            file: Written when the block ends; one that exists is replaced.
            to: Base of the service.

        Raises:
            ValueError: ``to`` is neither https nor on this machine.
        """
        if not (re.fullmatch("https://.+", to) or is_loopback(to)):
            raise ValueError("to: https, or a service on this machine")
        self._file = Path(file)
        self._to = to.rstrip("/")
        self._url = ""
        self._scrubber = Scrubber()
        self._exchanges: list[Exchange] = []
        self._closing = AsyncExitStack()

    @property
    def url(self) -> str:
        """Base for the client, on this machine."""
        if not self._url:
            raise RuntimeError("the recorder was not started: use async with")
        return self._url

    async def __aenter__(self) -> Self:
        """Record from now on."""
        async with AsyncExitStack() as stack:
            http = ClientSession(timeout=_PATIENCE, cookie_jar=DummyCookieJar(), trust_env=False)
            http = await stack.enter_async_context(http)

            async def hand_on(request: web.Request) -> web.Response:
                return await self._hand_on(http, request)

            app = web.Application(client_max_size=_LONGEST)
            app.router.add_route("*", "/{path:.*}", hand_on)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, HOST, 0).start()
            self._url = f"http://{HOST}:{runner.addresses[0][1]}"
            self._closing = stack.pop_all()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop, and write the file."""
        await self._closing.aclose()
        await asyncio.to_thread(write, self._file, self._exchanges)

    async def _hand_on(self, http: ClientSession, request: web.Request) -> web.Response:
        asked = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_HANDED_ON}
        url = URL(self._to + request.rel_url.raw_path_qs, encoded=True)
        try:
            async with http.request(request.method, url, data=asked, headers=headers, allow_redirects=False) as response:
                body = await response.read()
        except (ClientError, TimeoutError) as error:
            return web.Response(status=502, text=f"the service could not be reached: {type(error).__name__}")
        shown = {name: response.headers[name] for name in ("Content-Type", "Retry-After", "Location") if name in response.headers}
        if "/oauth/" not in request.path:
            self._exchanges.append(self._scrubbed(request, asked, response.status, shown.get("Retry-After"), body))
        return web.Response(status=response.status, body=body, headers=shown)

    def _scrubbed(self, request: web.Request, asked: bytes, status: int, retry_after: str | None, body: bytes) -> Exchange:
        scrubber = self._scrubber
        return Exchange(
            method=request.method,
            path=scrubber.path(request.path),
            query=scrubber.query(request.query),
            request=scrubber.json(json_of(asked)),
            status=status,
            retry_after=retry_after if retry_after and _RETRY_AFTER.fullmatch(retry_after) else None,
            answer=scrubber.json(json_of(body)),
        )
