"""The one way out: token, slot, attempt to the last byte, judgement, pause. The only room with the aiohttp client.

Nothing is held while waiting: the token is there before the slot, and slot and answer are given back before a pause.
Whether a call that changes something reached the service is told by the trace event of its headers, not by the kind
of exception: a timeout means both "never left" and "lost".
"""

import asyncio
import os
import random
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from functools import cached_property
from logging import getLogger
from typing import Any, Final, TypeVar

import aiohttp
from aiohttp import ClientTimeout, hdrs
from attrs import define, evolve, field, frozen
from yarl import URL

from voicedrop_async import _wire
from voicedrop_async._body import read_body
from voicedrop_async._resolver import NotPublic, PublicOnly
from voicedrop_async.auth import ClientCredentials, Credential, FixedToken, RenewedToken, StaticToken, Tokens
from voicedrop_async.calls import Complaint, Event, Grant, Kind, Reply, Request, Retry, Spending, Timeouts, refusal, unknown
from voicedrop_async.errors import (
    BadRequest,
    ConfigError,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    RateLimited,
    RequestError,
    SessionClosed,
    TimedOut,
    Unauthorized,
    WireError,
)
from voicedrop_async.throttle import Throttle

T = TypeVar("T")

_CHANGES: Final = frozenset({Kind.PAID, Kind.CANCEL})
_NEVER_LEFT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
_TOKEN_DEADLINE: Final = 15.0
_LEAST_SECRET: Final = 6
"""Characters of a secret worth hiding; a shorter one, as tests have, would be found in every sentence."""
_NOBODY: Final = Credential("")
"""What another host gets instead of a token."""
_AS_IT_IS: Final = {hdrs.ACCEPT: "*/*", hdrs.ACCEPT_ENCODING: "identity"}
"""Asks for a file whose length tells whether it is whole."""
_CHUNK: Final = 256 * 1024
_LOG: Final = getLogger("voicedrop_async")
_NETWORK_FAULTS: Final = (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError)
_FAULTS: Final = (*_NETWORK_FAULTS, ValueError, RuntimeError)
"""What aiohttp is known to raise between a request and the last byte of its answer; the last two cannot pass."""


@frozen
class Policy:
    """How patient a session is; a view of a session may have another."""

    retry: Retry
    timeouts: Timeouts
    deadline: float | None


@frozen(kw_only=True)
class Wiring:
    """What a transport is made of; nothing here needs a loop."""

    base_url: str
    auth_url: str | None
    auth: ClientCredentials | StaticToken
    policy: Policy
    """Of the session itself; tokens are fetched by it, whichever view needs one."""
    throttle: Throttle
    http: aiohttp.ClientSession | None
    proxy: str | None = field(repr=False)
    ssl_context: ssl.SSLContext | None
    trace_configs: Sequence[aiohttp.TraceConfig]
    on_event: Callable[[Event], object] | None


@define
class Call:
    """One call under way, as far as the world outside has seen it."""

    request: Request
    policy: Policy
    before_first_byte: Callable[[], Awaitable[None]] | None = None
    """Awaited once, with the slot in hand, before anything of the first attempt leaves; what it raises ends the call."""
    attempts: int = 0
    sent: bool = False
    """Whether the present attempt may have reached the service; set by the trace event of its headers (``Lanes``)."""
    lost: bool = False
    """Whether an earlier attempt may have taken effect."""
    credential: Credential = _NOBODY
    """With what the present attempt goes out."""
    lowered: int = 0
    """How often the rate had been lowered when the present attempt began."""
    began: float = field(factory=time.monotonic)
    """When the deadline begins to run, by the monotonic clock."""

    @property
    def may_have_happened(self) -> bool:
        """Whether something may have changed by this call."""
        return self.lost or self.sent

    @property
    def ends_at(self) -> float | None:
        """When it has to be done, by the monotonic clock."""
        return None if self.policy.deadline is None else self.began + self.policy.deadline

    @asynccontextmanager
    async def clock(self) -> AsyncGenerator[None]:
        """Hold what is done within to the deadline of the call."""
        timer = asyncio.timeout(None if self.ends_at is None else self.ends_at - time.monotonic())
        try:
            async with timer:
                yield
        except TimeoutError:
            if not timer.expired():
                raise
        if timer.expired():
            # Raised out here, it does not bring along what was under way, with its headers.
            late = DeadlineExceeded(summary=f"not done within {self.policy.deadline} s", may_have_happened=self.may_have_happened)
            raise self.failed(late)

    def failed(self, error: RequestError) -> RequestError:
        """Return ``error`` with what the call knows; of a paid send, what may have happened is called unknown."""
        error.request = str(self.request)
        error.attempts = self.attempts
        error.may_have_happened |= self.lost
        if error.may_have_happened and self.request.intent is not None:
            return unknown(error, self.request.intent)
        return error


class Transport:
    """Sends the requests of one session and its views, in the loop it is first used in."""

    def __init__(self, wiring: Wiring) -> None:
        """Remember the wiring; connections are made when the first request is sent."""
        self._wiring = wiring
        self._bases = {kind: wiring.base_url.rstrip("/") for kind in Kind} | {Kind.TOKEN: (wiring.auth_url or "").rstrip("/")}
        self._tokens: Tokens = FixedToken(wiring.auth) if isinstance(wiring.auth, StaticToken) else RenewedToken(self._ask_for_token)
        # The token endpoint is another host: its failures are none of the service.
        self._spending = dict.fromkeys(Kind, Spending()) | {Kind.TOKEN: Spending()}
        self._lanes: Lanes | None = None
        self._home: tuple[asyncio.AbstractEventLoop, int] | None = None
        self._closed = False
        self._closing = asyncio.Event()

    async def aclose(self) -> None:
        """Close the connections; calls under way end with ``SessionClosed``.

        Raises:
            ConfigError: The session is in use in another loop; it can only be closed there.
        """
        if self._home is not None and not self._home[0].is_closed() and not self._closed:
            self.check_home()
        self._closed = True
        self._closing.set()
        await self._tokens.aclose()
        lanes, self._lanes = self._lanes, None
        if lanes is not None:
            await lanes.aclose()

    async def send(self, call: Call, load: Callable[[Reply], T]) -> T:
        """Send a request until it succeeded, surely failed, or may not be repeated; return what ``load`` reads.

        However it ends, by cancellation too, ``call.may_have_happened`` says afterwards whether it may have taken effect.

        Raises:
            RequestError: What the last attempt failed with; ``OutcomeUnknown`` for a paid send that may have happened.
            SessionClosed: The session is closed, or was while the call ran.
            ConfigError: The session belongs to another loop or process; or a paid call that is in no journal.
        """
        self.check_home()
        if (call.request.kind is Kind.PAID) != (call.request.intent is not None):
            raise ConfigError("kind: a paid call has an intent, and no other has one")
        if call.policy.deadline is None:
            return await self._insist(call, load)
        async with call.clock():
            return await self._insist(call, load)

    async def _insist(self, call: Call, load: Callable[[Reply], T]) -> T:
        """Attempt until it is done or given up."""
        budget, spending = call.policy.retry.budget, self._spending[call.request.kind]
        failures, renewed = 0, False
        repeated_after: RequestError | None = None
        while True:
            call.credential = await self._credential(call)
            try:
                loaded = load(await self._attempt(call))
            except RequestError as fault:
                error = fault
            else:
                spending.succeeded(repeated_after, budget)
                return loaded
            # What aiohttp or a decoder raised holds the request, with its headers, or the answer: it does not come along.
            error.__context__ = None
            if isinstance(error, WireError):
                error.may_have_happened = call.may_have_happened
            call.sent, call.lost = False, call.lost or error.may_have_happened
            if isinstance(error, Unauthorized | Forbidden) and call.request.at_api:
                # The service says 401 or 403 for a token that has ended (Routee, "Authentication").
                another = self._tokens.distrust(call.credential, error.status)
                if another and not renewed and not error.may_have_happened:
                    renewed = True
                    continue
            failures += 1
            pause = self._pause_after(call, error, failures)
            if pause is not None and not spending.allows(error, budget):
                pause, error.budget_exhausted = None, True
            if pause is None:
                final = call.failed(error)
                raise final from (None if final is error else error)
            repeated_after = error
            await self._pause(call, pause)

    def _pause_after(self, call: Call, error: RequestError, failures: int) -> float | None:
        """Return the seconds until the next attempt, None to give up; a 429 pauses everybody."""
        kind, retry = call.request.kind, call.policy.retry
        pause = retry.wait(error, kind, failures, random.random())
        if isinstance(error, RateLimited) and call.request.at_api:
            # The next slot waits for it: ours, if we come back, and everybody's in any case.
            asked = (pause or 0.0) if error.retry_after is None else error.retry_after
            self._wiring.throttle.slow_down(min(asked, retry.retry_after_cap), call.lowered)
        if pause is None or (call.ends_at is not None and time.monotonic() + pause >= call.ends_at):
            return None
        return pause

    async def _pause(self, call: Call, seconds: float) -> None:
        """Let ``seconds`` pass, holding nothing; closing the session ends it."""
        self._tell(call, "pausing", None, seconds)
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return
        raise SessionClosed

    async def _credential(self, call: Call) -> Credential:
        request = call.request
        if request.download is not None and request.elsewhere:
            return _NOBODY
        if request.kind is Kind.TOKEN and isinstance(self._wiring.auth, ClientCredentials):
            return self._wiring.auth.basic()
        try:
            return await self._tokens.current()
        except RequestError as error:
            raise _for_one_caller(error, call) from None

    async def _attempt(self, call: Call) -> Reply:
        """Send once and return a successful answer; whatever else comes is an error of ours."""
        # The token endpoint is another host, asked by one task for all: it shares neither slots nor pauses.
        slot = nullcontext(0) if call.request.kind is Kind.TOKEN else self._wiring.throttle.slot(call.request.kind)
        async with slot as call.lowered:
            if call.before_first_byte is not None:
                await call.before_first_byte()
                call.before_first_byte = None
            if (latest := self._tokens.latest) is not call.credential and latest is not None and call.request.at_api:
                # It was renewed while we stood in line: with the old one we would be refused, and stand in line again.
                call.credential = latest
            call.attempts += 1
            started = time.perf_counter()
            try:
                reply = await self._exchange(call, started)
            except _FAULTS as fault:
                self._tell(call, "failed", None, time.perf_counter() - started)
                raise self._judged(call, fault) from None
            except WireError as error:
                self._tell(call, "answered", error.status, time.perf_counter() - started)
                raise
        self._tell(call, "answered", reply.status, reply.elapsed)
        if 200 <= reply.status < 300:
            return reply
        if reply.status < 200:  # 101, which nobody asked for: no service says no like this
            raise ConnectionLost(summary="another protocol is spoken here than HTTP", may_have_happened=call.may_have_happened)
        complaint = _wire.load_complaint(reply.body)
        raise refusal(reply, complaint and self._without_secrets(complaint, call.credential), call.request.kind, datetime.now(UTC))

    def _without_secrets(self, complaint: Complaint, credential: Credential) -> Complaint:
        """Return what the service said, without what we had told it in confidence."""
        auth = self._wiring.auth
        secrets = [credential.header.partition(" ")[2], *([auth.secret] if isinstance(auth, ClientCredentials) else [])]

        def hidden(text: str | None) -> str | None:
            for secret in secrets:
                if text is not None and len(secret) >= _LEAST_SECRET:
                    text = text.replace(secret, "***")
            return text

        return evolve(
            complaint,
            code=hidden(complaint.code),
            developer_message=hidden(complaint.developer_message),
            problems=tuple(
                evolve(row, code=hidden(row.code), developer_message=hidden(row.developer_message)) for row in complaint.problems
            ),
        )

    async def _exchange(self, call: Call, started: float) -> Reply:
        request, timeouts, file = call.request, call.policy.timeouts, call.request.download
        async with self._lane(request).request(
            request.method,
            URL(file.url if file is not None and file.url is not None else self._bases[request.kind] + request.path, encoded=True),
            params=request.params or None,
            data=request.body,
            headers=_AS_IT_IS if file is not None else {hdrs.CONTENT_TYPE: request.content_type} if request.body is not None else None,
            allow_redirects=False,
            proxy=self._wiring.proxy,
            ssl=self._wiring.ssl_context or True,  # True: verified against the authorities of this machine
            timeout=ClientTimeout(
                # Nobody knows how long a file is: it is held between two chunks, not as a whole.
                total=None if file is not None else timeouts.read,
                connect=timeouts.connect,
                sock_connect=timeouts.connect,
                sock_read=None if file is None else timeouts.read,
            ),
            middlewares=(_authorize(call.credential),) if call.credential is not _NOBODY else (),
            trace_request_ctx=call,
        ) as response:
            if file is not None and 200 <= response.status < 300:
                reply = _reply(response, b"", call, started)
                await file.save(reply, response.content.iter_chunked(_CHUNK))
                return reply
            return _reply(response, await read_body(response, call.attempts), call, started)

    def _judged(self, call: Call, fault: Exception) -> Exception:
        """Return our error for what aiohttp raised."""
        text, passes = f"{type(fault).__name__} at {self._place(call.request)}", isinstance(fault, _NETWORK_FAULTS)
        left = call.sent if call.request.kind in _CHANGES else not isinstance(fault, _NEVER_LEFT)
        if self._closed:
            return ConnectionLost(summary="the session was closed", may_pass=False) if call.may_have_happened else SessionClosed()
        if isinstance(fault, TimeoutError):
            limits = call.policy.timeouts
            text = f"no complete answer within {limits.read:g} s"
            if not left:
                text = f"no connection within {min(limits.connect, limits.read):g} s"
            return TimedOut(summary=text, may_have_happened=call.may_have_happened)
        if isinstance(fault, aiohttp.ClientConnectorError) and isinstance(fault.os_error, NotPublic):
            return ConnectFailed(summary=f"{self._place(call.request)} leads to an address that is not public: refused", may_pass=False)
        if isinstance(fault, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
            return ConnectFailed(summary=f"{text}: not a trusted https server of that name", may_pass=False)
        if left:
            return ConnectionLost(summary=f"the connection broke: {text}", may_have_happened=call.may_have_happened, may_pass=passes)
        return ConnectFailed(summary=f"no connection: {text}", may_pass=passes)

    def _place(self, request: Request) -> str:
        """Return where a request goes, fit to be shown."""
        return "another host" if request.elsewhere else self._bases[request.kind]

    def _lane(self, request: Request) -> aiohttp.ClientSession:
        if self._closed:
            raise SessionClosed
        if self._lanes is None:
            self._lanes = Lanes(self._wiring)
        if request.kind in _CHANGES:
            return self._lanes.changing
        # Through a proxy it is the proxy that looks names up.
        return self._lanes.elsewhere if request.elsewhere and self._wiring.proxy is None else self._lanes.reading

    def check_home(self) -> None:
        """Refuse a closed session, another loop and another process."""
        if self._closed:
            raise SessionClosed
        home, process = self._home, os.getpid()
        # The process first: in a child that goes on where its parent was forked, Python knows of no loop that runs.
        if home is None:
            self._home = (asyncio.get_running_loop(), process)
        elif home[1] != process or home[0] is not asyncio.get_running_loop():
            raise ConfigError("session: belongs to the loop and process it was first used in; make one in each run")

    def _tell(self, call: Call, name: str, status: int | None, seconds: float) -> None:
        if self._wiring.on_event is None:
            return
        event = Event(name=name, kind=call.request.kind, route=str(call.request), status=status, attempt=call.attempts, seconds=seconds)
        try:
            self._wiring.on_event(event)
        except Exception as fault:
            # An observer that fails must not turn a send that worked into an error.
            _LOG.warning("on_event raised %s and was passed over", type(fault).__name__)

    async def _ask_for_token(self) -> Grant:
        """Ask the token endpoint. Source: Routee, "Get authenticated": Basic credentials, a form as body."""
        form = "application/x-www-form-urlencoded"
        request = Request(method="POST", route="/oauth/token", kind=Kind.TOKEN, body=b"grant_type=client_credentials", content_type=form)
        policy = Policy(self._wiring.policy.retry, self._wiring.policy.timeouts, _TOKEN_DEADLINE)
        try:
            return await self.send(Call(request, policy), _wire.load_grant)
        except WireError as error:
            raise Unauthorized(**_facts(error), status=error.status or 0) from None
        except BadRequest as error:
            raise Unauthorized(**_facts(error), status=error.status, developer_message=error.developer_message) from None


def _for_one_caller(error: RequestError, call: Call) -> RequestError:
    """Return the failure of a renewal, which all who waited for it share, as a fact of this one call."""
    own = type(error).__new__(type(error))
    own.__dict__.update(vars(error), may_have_happened=error.may_have_happened or call.lost)
    return own


def _facts(error: RequestError) -> dict[str, Any]:
    return {"summary": f"no token: {error.summary}", "request": error.request, "attempts": error.attempts}


class Lanes:
    """The connections of one session: a lane for reading, one for what changes something, one to other hosts' files."""

    def __init__(self, wiring: Wiring) -> None:
        """Make both lanes in the running loop."""
        borrowed = wiring.http.connector if wiring.http is not None else None
        if wiring.http is not None and borrowed is None:
            raise ConfigError("http: was closed before it was used")
        # Not more connections than slots, so a limit of the pool would only be waited for twice.
        connector = borrowed or aiohttp.TCPConnector(limit=0, ttl_dns_cache=300)
        self.reading = _session(connector, wiring.trace_configs, own=borrowed is None)
        # A kept-alive connection can close under a request, which then may or may not have arrived: here each request
        # has a fresh one, and the trace tells whether it went out.
        sent = aiohttp.TraceConfig()
        sent.on_request_headers_sent.append(_mark_sent)
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, force_close=True)
        self.changing = _session(connector, [sent, *wiring.trace_configs], own=True)
        self._wiring = wiring

    @cached_property
    def elsewhere(self) -> aiohttp.ClientSession:
        """To hosts that the service named: only to public addresses, and by connections that nothing else uses."""
        # No cache: the address that was looked at is the one that is connected to, each time.
        connector = aiohttp.TCPConnector(limit=0, use_dns_cache=False, force_close=True, resolver=PublicOnly())
        return _session(connector, self._wiring.trace_configs, own=True)

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


def _authorize(credential: Credential) -> aiohttp.ClientMiddlewareType:
    # Set this late, the header is in no frame of ours, where an error reporter would show it with the other locals.
    async def middleware(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        request.headers[hdrs.AUTHORIZATION] = credential.header
        return await handler(request)

    return middleware


def _reply(response: aiohttp.ClientResponse, body: bytes, call: Call, started: float) -> Reply:
    elapsed = time.perf_counter() - started
    return Reply(status=response.status, headers=response.headers, body=body, attempts=call.attempts, elapsed=elapsed)
