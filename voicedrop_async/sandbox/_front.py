"""The front of each site: every request is written down, fails if a fault waits for it, or is acted on and answered."""

import asyncio
from typing import Protocol

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from attrs import define, field

from ._faults import Fault, Faults
from ._log import Log, ReceivedRequest
from ._refusals import Refusal, api_error, gateway_error
from ._replay import Replay
from ._store import Store
from ._time import Clock


def answer(content: object, status: int = 200) -> web.Response:
    """An answer of JSON."""
    return web.Response(body=msgspec.json.encode(content), status=status, content_type="application/json")


class Site(Protocol):
    """One of the three services."""

    name: str

    def routes(self) -> list[web.RouteDef]:
        """Its endpoints."""
        ...

    def admit(self, request: web.Request) -> None:
        """Raise Refusal for a request that may not pass."""
        ...


@define(eq=False, kw_only=True)
class Front:
    """The way into one site."""

    site: Site
    log: Log[ReceivedRequest]
    """Gets every request."""
    store: Store
    faults: Faults
    replay: Replay
    clock: Clock
    _held_up: set[asyncio.Task[object]] = field(factory=set[asyncio.Task[object]], init=False)

    async def aclose(self) -> None:
        """End the answers that are held up still; their clients may be gone, and then nobody else ends them."""
        for task in self._held_up:
            task.cancel()
        if self._held_up:
            await asyncio.wait(self._held_up)

    async def attend(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request. What came of it is in the state before the answer leaves, or breaks off."""
        record = self._write_down(request)
        try:
            given, fault = await self._answer(request, handler, record)
        finally:
            self.store.request(record, self.log.first)
        await self.store.settled()
        return await _break_off(request, given, cut=fault.cut) if fault and fault.breaks_off else given

    async def _answer(self, request: web.Request, handler: Handler, record: ReceivedRequest) -> tuple[web.StreamResponse, Fault | None]:
        """What to answer, and the fault it meets. A delay comes after the act and before the answer."""
        try:
            record.body = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            return _answered(record, self._gateway_error(request, error)), None
        self.log.grew(record, len(record.body))
        fault = self.faults.take(request.path) or self.replay.take(request.method, request.path, request.query, record.body)
        record.fault = "" if fault is None else str(fault)
        given = await self._act(request, handler) if fault is None or fault.acts else web.Response()
        await self._hold_up(self.faults.wait(request.path))
        if fault is None:
            return _answered(record, given), None
        return given if fault.breaks_off else _answered(record, self._faulty(request, fault)), fault

    async def _hold_up(self, seconds: float) -> None:
        task = asyncio.current_task()
        if not seconds or task is None:
            return
        self._held_up.add(task)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._held_up.discard(task)

    def _write_down(self, request: web.Request) -> ReceivedRequest:
        record = ReceivedRequest(
            number=self.log.total + 1,
            site=self.site.name,
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            at=self.clock.now(),
        )
        self.log.add(record)
        return record

    async def _act(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self.site.admit(request)
            return await handler(request)
        except Refusal as refusal:
            return _refused(refusal)
        except web.HTTPException as error:
            return self._gateway_error(request, error)

    def _gateway_error(self, request: web.Request, error: web.HTTPException) -> web.Response:
        response = _refused(gateway_error(error.status, error.reason, path=request.path, now=self.clock.now()))
        if isinstance(error, web.HTTPMethodNotAllowed):
            response.headers["Allow"] = error.headers["Allow"]
        return response

    def _faulty(self, request: web.Request, fault: Fault) -> web.Response:
        """The answer a fault gives: its own body, or the error the service documents for that status."""
        if fault.body is not None:
            response = web.Response(body=fault.body, status=fault.status, headers={"Content-Type": fault.content_type})
        elif fault.status == 401:
            response = _refused(gateway_error(401, "Unauthorized", path=request.path, now=self.clock.now()))
        else:
            response = _refused(api_error(fault.status, "A fault was asked for"))
        if fault.retry_after is not None:
            response.headers["Retry-After"] = str(fault.retry_after)
        return response


def _answered(record: ReceivedRequest, response: web.StreamResponse) -> web.StreamResponse:
    record.status = response.status
    return response


def _refused(refusal: Refusal) -> web.Response:
    if isinstance(refusal.body, str):
        return web.Response(text=refusal.body, status=refusal.status)
    return answer(refusal.body, refusal.status)


async def _break_off(request: web.Request, given: web.StreamResponse, *, cut: bool) -> web.StreamResponse:
    """Close the connection without an answer, or in the middle of one."""
    if cut and isinstance(given, web.Response) and isinstance(given.body, bytes):
        half = web.StreamResponse(status=given.status)
        half.content_type = given.content_type
        half.content_length = len(given.body)
        await half.prepare(request)
        await half.write(given.body[: len(given.body) // 2])
        given = half
    request.protocol.force_close()
    return given
