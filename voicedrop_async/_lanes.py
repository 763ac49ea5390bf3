"""The connections of a session, and what goes over one of them: a request out, its answer in. The only room with the aiohttp client."""

import ssl
import time
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, Final

import aiohttp
from aiohttp import ClientTimeout, hdrs
from multidict import CIMultiDict
from yarl import URL

from voicedrop_async._body import read_body
from voicedrop_async._resolver import PublicOnly
from voicedrop_async._underway import NOBODY, Call
from voicedrop_async.auth import Credential
from voicedrop_async.calls import CHANGES, Reply, Request, Timeouts
from voicedrop_async.errors import ConfigError

_AS_IT_IS: Final = {hdrs.ACCEPT: "*/*", hdrs.ACCEPT_ENCODING: "identity"}
"""Asks for a file whose length tells whether it is whole."""
_CHUNK: Final = 256 * 1024


class BrokenError(aiohttp.ClientError):
    """The line broke before there was a whole head of an answer."""

    def __init__(self, fault: aiohttp.ClientError) -> None:
        """Bear what aiohttp raised."""
        super().__init__()
        self.fault = fault


class Lanes:
    """The connections of one session: a lane for reading, one for what changes something, one to other hosts' files."""

    def __init__(
        self,
        http: aiohttp.ClientSession | None,
        proxy: str | None,
        ssl_context: ssl.SSLContext | None,
        trace_configs: Sequence[aiohttp.TraceConfig],
    ) -> None:
        """Make the first two in the running loop, as ``Wiring`` says."""
        borrowed = http.connector if http is not None else None
        if http is not None and borrowed is None:
            raise ConfigError("http: was closed before it was used; give one that stays open as long as the session")
        # Not more connections than slots, so a limit of the pool would only be waited for twice.
        connector = borrowed or aiohttp.TCPConnector(limit=0, ttl_dns_cache=300)
        self.reading = _session(connector, trace_configs, own=borrowed is None)
        # A kept-alive connection can close under a request, which then may or may not have arrived: here each request
        # has a fresh one, and the trace tells whether it went out.
        sent = aiohttp.TraceConfig()
        sent.on_request_headers_sent.append(_mark_sent)
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, force_close=True)
        self.changing = _session(connector, [sent, *trace_configs], own=True)
        self._proxy = proxy
        self._ssl = ssl_context or True  # True: verified against the authorities of this machine
        self._trace_configs = trace_configs

    @cached_property
    def elsewhere(self) -> aiohttp.ClientSession:
        """To hosts that the service named: only to public addresses, and by connections that nothing else uses."""
        # No cache: the address that was looked at is the one that is connected to, each time.
        connector = aiohttp.TCPConnector(limit=0, use_dns_cache=False, force_close=True, resolver=PublicOnly())
        return _session(connector, self._trace_configs, own=True)

    async def exchange(self, call: Call, url: str, started: float) -> Reply:
        """Send the request of ``call`` once, and read the answer to its last byte; what of it went out and came in is noted there.

        Args:
            call: With its credential.
            url: Where to; percent-encoded.
            started: When the attempt began, by the performance counter.

        Raises:
            BrokenError: The line broke; aiohttp has not repeated it.
            Exception: Whatever else aiohttp raises.
        """
        request, file = call.request, call.request.download
        async with self._lane(request).request(
            request.method,
            URL(url, encoded=True),
            params=request.params or None,
            data=request.body,
            headers=_AS_IT_IS if file is not None else {hdrs.CONTENT_TYPE: request.content_type} if request.body is not None else None,
            allow_redirects=False,
            proxy=self._proxy,
            ssl=self._ssl,
            timeout=_timeout(call.policy.timeouts, file is not None),
            middlewares=(_once(call.credential),),
            trace_request_ctx=call,
        ) as response:
            call.status = response.status
            if file is not None and 200 <= response.status < 300:
                reply = _reply(response, b"", call, started)
                await file.save(reply, response.content.iter_chunked(_CHUNK))
                return reply
            return _reply(response, await read_body(response, call.attempts), call, started)

    def _lane(self, request: Request) -> aiohttp.ClientSession:
        if request.kind in CHANGES:
            return self.changing
        # Through a proxy it is the proxy that looks names up.
        return self.elsewhere if request.elsewhere and self._proxy is None else self.reading

    async def aclose(self) -> None:
        """Close all; a borrowed connector stays open."""
        await self.reading.close()
        await self.changing.close()
        if "elsewhere" in vars(self):
            await self.elsewhere.close()


def _session(connector: aiohttp.BaseConnector, traces: Sequence[aiohttp.TraceConfig], *, own: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        connector_owner=own,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        trace_configs=list(traces),
        headers={hdrs.USER_AGENT: "voicedrop_async", hdrs.ACCEPT: "application/json"},
    )


async def _mark_sent(_session: aiohttp.ClientSession, context: Any, _params: aiohttp.TraceRequestHeadersSentParams) -> None:
    context.trace_request_ctx.sent = True


def _once(credential: Credential) -> aiohttp.ClientMiddlewareType:
    """Let a request go out with ``credential``, and once."""

    # Set this late, the header is in no frame of ours, where an error reporter would show it with the other locals.
    async def middleware(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if credential is not NOBODY:
            request.headers[hdrs.AUTHORIZATION] = credential.header
        try:
            return await handler(request)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as fault:
            # These aiohttp takes for a kept connection that had ended, and sends a GET or DELETE again at once: past slot,
            # rate, budget and pause, and without an event. Under another name they come back to us.
            raise BrokenError(fault) from None

    return middleware


@lru_cache(maxsize=64)
def _timeout(timeouts: Timeouts, of_file: bool) -> ClientTimeout:
    # Nobody knows how long a file is: it is held between two chunks, not as a whole.
    return ClientTimeout(
        total=None if of_file else timeouts.read,
        connect=timeouts.connect,
        sock_connect=timeouts.connect,
        sock_read=timeouts.read if of_file else None,
    )


def _reply(response: aiohttp.ClientResponse, body: bytes, call: Call, started: float) -> Reply:
    elapsed = time.perf_counter() - started
    # A copy of the headers: aiohttp's own view of them cannot be pickled.
    return Reply(status=response.status, headers=CIMultiDict(response.headers), body=body, attempts=call.attempts, elapsed=elapsed)
