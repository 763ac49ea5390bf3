"""The receiver: takes callbacks in, answers at once, and hands them on beside the answer."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Iterable, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from hmac import compare_digest
from logging import getLogger
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from voicedrop_async._checks import check_amount, check_base_url, check_count
from voicedrop_async._masking import type_of
from voicedrop_async._sqlite import file_at
from voicedrop_async.errors import ConfigError, WebhookRejected
from voicedrop_async.models import CallbackKind
from voicedrop_async.webhooks._book import Book
from voicedrop_async.webhooks._handing import Handler, hand_on
from voicedrop_async.webhooks._inbox import Inbox, Put
from voicedrop_async.webhooks._letter import Letter, key_of
from voicedrop_async.webhooks._parsing import PARSERS

if TYPE_CHECKING:
    from aiohttp import web

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_BYTES: Final = 65_536
"""Of a body; a longer one is answered 413."""
_TO_POST: Final = 5.0
"""Seconds that a body may take; who needs longer is answered 408. The service itself waits 2 for its answer."""
_TO_CLEAN_UP: Final = 1.0
"""Seconds that a handler has when it is cancelled; one that takes longer is left behind."""
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{32,200}", re.ASCII)
_STATUSES: Final[Mapping[Put, int]] = {Put.TAKEN: 200, Put.REPEATED: 200, Put.FULL: 503, Put.UNWRITTEN: 503}
_LOG: Final = getLogger("voicedrop_async")


class CallbackReceiver:
    """Receives callbacks, for aiohttp.web (``aiohttp_routes``), and as an ASGI application.

    The service takes exactly 200 within 2 seconds for an answer, and posts again after everything else, up to 12 times
    within 24 hours. So a callback is answered as soon as it is taken in, whatever the handler does:

    - 200: it was taken in, or had been before: the same message and status, the same campaign callback. Keys that are
      pressed are always handed on, as the same one can be pressed twice.
    - 503: nothing was taken in, and it will come again. ``capacity`` callbacks wait already, the file cannot be written, or
      the receiver is not open.
    - 400: it cannot be read. It will come again too, perhaps to a newer version of this library.
    - 404: another path than one of ``url``, whatever the method. 405: no POST. 408: a body that is not there after 5 seconds;
      the connection is closed. 413: one of more than 64 KiB. 415: a compressed one (``Content-Encoding``), which the service
      does not send.

    Callbacks are not signed: who knows the URL can post anything, so the URL is the secret, and the access log of a server
    shows it. Decide nothing about money by an event; read the message again, with ``track_message``.

    With ``path``, a callback is on the disk before it is answered 200, and one that was not handled when the process ended
    is handed on by the next receiver on that file, once or more than once. Without, it is in memory only. The file holds
    phone numbers until they are handled, and is readable by its owner only. One process at a time can have it.

    Use it as ``async with CallbackReceiver(...) as receiver``; it belongs to the loop it is opened in. For ASGI it is itself the
    application: mounted, at any path, in Starlette, FastAPI or Litestar, and then opened by the lifespan of the application
    around it; or by itself, and then opened by the server's.

    Source: Routee, "Callback URL webhook", for what is taken for an answer; that page is of other products, and is taken to
    hold for voice.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        secret: str | Iterable[str],
        path: str | os.PathLike[str] | None = None,
        capacity: int = 10_000,
        remember: int = 100_000,
        patience: float = 10.0,
    ) -> None:
        """Check the options; no I/O, and no loop is needed yet.

        Args:
            handler: Called with each event, one after the other, in the order in which they came; that of the service is not
                promised. A coroutine function runs in the loop, where it must not block; a plain function on a thread of the
                receiver's own, for which the process waits at its end. One that raises is logged, by the name of its exception;
                with ``path`` its event stays in the file, and is handed on again by the next receiver on it.
            secret: A segment of the URLs, of 32 or more letters, digits, ``-`` and ``_``, such as ``secrets.token_urlsafe(32)``.
                While it is being changed, several: the first is the one that ``url`` writes.
            path: The file of a durable receiver, made if it is not there.
            capacity: Callbacks that may wait for the handler.
            remember: Callbacks that are known again when they are repeated; the oldest are forgotten first.
            patience: Seconds that closing waits for the handler. A coroutine function is cancelled then, and has one more
                second to clean up.

        Raises:
            ConfigError: Options that cannot be; a secret is not shown.
        """
        if not callable(handler):
            raise ConfigError(f"handler: {type_of(handler)} cannot be called")
        check_count("capacity", capacity, 1)
        check_count("remember", remember, 1)
        check_amount("patience", patience, zero=True)
        self._handler = handler
        self._secret, *others = _secrets(secret)
        self._digests = [sha256(one.encode()).digest() for one in (self._secret, *others)]
        self._path = None if path is None else file_at(path, in_memory="left out, it is kept in memory")
        self._capacity, self._remember, self._patience = capacity, remember, patience
        self._inbox: Inbox | None = None
        self._task: asyncio.Task[None] | None = None
        self._was_full = False
        self._watchers: list[Handler] = []

    async def __aenter__(self) -> Self:
        """Open the receiver; what an earlier one left in the file is handed on first.

        Raises:
            ConfigError: It is open already, or the file cannot be opened.
        """
        if self._task is not None:
            raise ConfigError("receiver: is open already; make another")
        book = None if self._path is None else Book(self._path, remember=self._remember)
        inbox = Inbox(book, capacity=self._capacity, remember=self._remember, taken=self._tell)
        await inbox.open()
        self._inbox = inbox
        self._task = asyncio.create_task(hand_on(inbox, self._handler))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the receiver."""
        await self.aclose()

    async def aclose(self) -> None:
        """Take in nothing more, and wait for the handler, as long as ``patience`` says. Again: does nothing."""
        inbox, self._inbox = self._inbox, None
        task, self._task = self._task, None
        if inbox is None or task is None:
            return
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if task.done() else self._patience):
                    await inbox.empty()
        finally:
            task.cancel()
            _, still_at_it = await asyncio.wait({task}, timeout=_TO_CLEAN_UP)
            await inbox.close()
            if still_at_it:
                _LOG.warning("callbacks: closed, and the handler goes on, though it was cancelled; let it end when it is")
            if inbox.waiting:
                where = "lost" if self._path is None else "kept in the file"
                _LOG.warning("callbacks: closed before the handler had seen %d of them, which are %s", inbox.waiting, where)

    @property
    def waiting(self) -> int:
        """Callbacks that wait for the handler; one that it works on among them."""
        return 0 if self._inbox is None else self._inbox.waiting

    def url(self, base: str, kind: CallbackKind) -> str:
        """Return the URL that callbacks of a kind are to be posted to. It holds the secret.

        Args:
            base: Where the receiver is mounted, as seen from outside, such as ``https://example.com/voice``.
            kind: What they tell of.
        """
        check_base_url("base", base, allow_insecure=False)
        if kind not in PARSERS:
            raise ConfigError("kind: must be a CallbackKind")
        return f"{base.rstrip('/')}/{self._secret}/{kind}"

    def aiohttp_routes(self, prefix: str = "") -> "list[web.RouteDef]":
        """Return the routes for ``app.add_routes(...)`` of aiohttp.web, below ``prefix``, such as ``/voice``.

        The receiver is opened by the application: ``app.cleanup_ctx``. aiohttp.web decompresses before any route is asked, and
        logs an error for a compression that it lacks a package for: ``web.AppRunner(app, auto_decompress=False)`` spares that.
        """
        from aiohttp import web

        async def answer(request: web.Request) -> web.Response:
            given, content = request.match_info, request.content
            is_packed = _is_packed(request.headers.getall("Content-Encoding", ()))
            try:
                status = await self._answer(given["secret"], given["kind"], content.iter_any(), method=request.method, is_packed=is_packed)
            except (ConnectionError, web.RequestPayloadError):
                status = 400  # cut, or in broken chunks
            response = web.Response(status=status, headers=_headers(status))
            if status == 408 or is_packed or content.exception() is not None:
                # The server would go on reading, as long as it pleases, and log a traceback of what it cannot decompress.
                response.force_close()
                with suppress(ConnectionError):
                    await response.prepare(request)
                    await response.write_eof()
                request.protocol.force_close()
            return response

        return [web.route("*", f"{prefix.rstrip('/')}/{{secret}}/{{kind}}", answer)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve as an ASGI application."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif scope["type"] == "http":
            head, _, kind = scope["path"].removesuffix("/").rpartition("/")  # Litestar adds one to each path
            is_packed = _is_packed(value.decode("latin-1") for name, value in scope["headers"] if name == b"content-encoding")
            try:
                status = await self._answer(head.rpartition("/")[2], kind, _chunks(receive), method=scope["method"], is_packed=is_packed)
            except ConnectionError:
                return  # nobody is there to be answered
            headers = [(name.lower().encode(), value.encode()) for name, value in _headers(status).items()]
            if status == 408 and scope["http_version"] < "2":  # which has no such header
                headers.append((b"connection", b"close"))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

    @contextmanager
    def watched_by(self, watcher: Handler) -> Generator[None]:
        """Call ``watcher`` with each event when it is taken in, before the handler and whatever that does, while the block lasts.

        Args:
            watcher: A plain function, called in the loop: it must not block, nor raise.
        """
        self._watchers.append(watcher)
        try:
            yield
        finally:
            self._watchers.remove(watcher)

    async def _answer(self, secret: str, kind: str, chunks: AsyncIterable[bytes], *, method: str, is_packed: bool) -> int:
        """Return the status to answer with."""
        if not self._knows(secret) or kind not in PARSERS:
            return 404
        if method != "POST":
            return 405
        if is_packed:
            return 415
        body = bytearray()
        try:
            async with asyncio.timeout(_TO_POST):
                async for chunk in chunks:
                    body += chunk
                    if len(body) > MOST_BYTES:
                        return 413
        except TimeoutError:
            return 408
        return await self._take_in(kind, bytes(body))

    async def _take_in(self, kind: str, body: bytes) -> int:
        try:
            event = PARSERS[kind](body)
        except WebhookRejected as fault:
            _LOG.warning("callbacks: one of a %s is refused: %s", kind, fault)
            return 400
        if self._inbox is None or self._task is None or self._task.done():
            return 503
        put = await self._inbox.put(Letter(kind, body, event, key_of(kind, body, event)))
        if put is Put.FULL and not self._was_full:
            _LOG.warning("callbacks: %d wait for the handler, and more are answered 503 until it goes on", self._capacity)
        self._was_full = put is Put.FULL or (self._was_full and self.waiting > self._capacity // 2)  # told once for each time
        return _STATUSES[put]

    def _tell(self, letter: Letter) -> None:
        if letter.event is not None:
            for watcher in tuple(self._watchers):
                watcher(letter.event)

    def _knows(self, secret: str) -> bool:
        given = sha256(secret.encode(errors="surrogatepass")).digest()
        return sum(compare_digest(given, known) for known in self._digests) > 0  # each is compared, and takes as long

    async def _live(self, receive: Receive, send: Send) -> None:
        """Open when a server starts, close when it ends."""
        await receive()
        try:
            await self.__aenter__()
        except ConfigError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        try:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        finally:
            await self.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    def __repr__(self) -> str:
        kept = "" if self._path is None else f"path={str(self._path)!r}, "
        return f"CallbackReceiver({kept}waiting={self.waiting})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise ConfigError("CallbackReceiver: holds a secret and what waits, and is not pickled; make one in each process")


def _headers(status: int) -> dict[str, str]:
    return {"Content-Length": "0"} | ({"Allow": "POST"} if status == 405 else {})


def _is_packed(codings: Iterable[str]) -> bool:
    return any(coding.strip().lower() not in {"", "identity"} for coding in codings)


def _secrets(secret: object) -> tuple[str, ...]:
    secrets: tuple[Any, ...] = (secret,) if isinstance(secret, str) else tuple(secret) if isinstance(secret, Iterable) else ()
    if not secrets or not all(isinstance(one, str) and _SECRET.fullmatch(one) for one in secrets):
        raise ConfigError("secret: must be 32 to 200 letters, digits, - and _, as secrets.token_urlsafe(32) makes them")
    return secrets


async def _chunks(receive: Receive) -> AsyncGenerator[bytes]:
    """Yield the body of an ASGI request."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        yield message.get("body", b"")
        more = message.get("more_body", False)
