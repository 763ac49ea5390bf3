"""The one way out: token, slot, attempt to the last byte, judgement, pause.

Nothing is held while waiting: the token is there before the slot, and slot and answer are given back before a pause.
Whether a call that changes something reached the service is told by the trace event of its headers, not by the kind
of exception: a timeout means both "never left" and "lost".
"""

import asyncio
import os
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from logging import getLogger
from typing import Any, Final, TypeVar

import aiohttp
from attrs import evolve, field, frozen

from voicedrop_async import _wire
from voicedrop_async._faults import Place, host_of, is_known, judged, refused_by_proxy
from voicedrop_async._lanes import Lanes
from voicedrop_async._masking import spoken, without
from voicedrop_async._underway import NOBODY, Call, Policy
from voicedrop_async.auth import ClientCredentials, Credential, FixedToken, RenewedToken, StaticToken, Tokens
from voicedrop_async.calls import Complaint, Event, Kind, Reply, Request, Spending, TokenResponse, refusal
from voicedrop_async.errors import (
    BadRequest,
    ConfigError,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    RateLimited,
    RequestError,
    SessionClosed,
    Unauthorized,
    WireError,
)
from voicedrop_async.throttle import Throttle

T = TypeVar("T")

_TOKEN_DEADLINE: Final = 15.0
_LOG: Final = getLogger("voicedrop_async")


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


class Transport:
    """Sends the requests of one session and its views, in the loop it is first used in."""

    def __init__(self, wiring: Wiring) -> None:
        """Remember the wiring; connections are made when the first request is sent."""
        self._wiring = wiring
        self._bases = {kind: wiring.base_url.rstrip("/") for kind in Kind} | {Kind.TOKEN: (wiring.auth_url or "").rstrip("/")}
        self._tokens: Tokens = FixedToken(wiring.auth) if isinstance(wiring.auth, StaticToken) else RenewedToken(self._ask_for_token)
        # The token endpoint is another host: its failures are none of the service.
        self._spending = dict.fromkeys(Kind, Spending()) | {Kind.TOKEN: Spending()}
        self._proxy: Final = None if wiring.proxy is None else host_of(wiring.proxy)
        self._lanes: Lanes | None = None
        self._home: tuple[asyncio.AbstractEventLoop, int] | None = None
        self._closed = False
        self._closing = asyncio.Event()
        self._in_line: Final = object()
        """As whom the throttle knows the calls of this session; it may outlive us, and holds nothing else of ours."""

    async def aclose(self) -> None:
        """Close the connections; calls under way end with ``SessionClosed``.

        Raises:
            ConfigError: The session is in use in another loop; it can only be closed there.
        """
        if self._home is not None and not self._home[0].is_closed() and not self._closed:
            self.check_home()
        self._closed = True
        self._closing.set()
        self._wiring.throttle.dismiss(self._in_line)
        await self._tokens.aclose()
        lanes, self._lanes = self._lanes, None
        if lanes is not None:
            await lanes.aclose()

    def send(self, call: Call, load: Callable[[Reply], T]) -> Coroutine[Any, Any, T]:
        """Send a request until it succeeded, surely failed, or may not be repeated; return what ``load`` reads.

        However it ends, by cancellation too, ``call.may_have_happened`` says afterwards whether it may have taken effect.

        Raises:
            RequestError: What the last attempt failed with; ``OutcomeUnknown`` for a paid send that may have happened.
            SessionClosed: The session is closed, at the call itself; or was while it ran.
            ConfigError: At the call itself: the session belongs to another loop or process; or a paid call that is in no journal.
        """
        self.check_home()
        if (call.request.kind is Kind.PAID) != (call.request.intent is not None):
            raise ConfigError("kind: a paid call has an intent, and no other has one")
        return self._insist(call, load) if call.policy.deadline is None else self._in_time(call, load)

    async def _in_time(self, call: Call, load: Callable[[Reply], T]) -> T:
        """Insist until the deadline of the call."""
        try:
            async with call.clock():
                return await self._insist(call, load)
        except DeadlineExceeded as late:
            if late.retry_after is None and call.request.kind is not Kind.TOKEN:
                late.retry_after = self._wiring.throttle.snapshot().paused_for or None
            raise

    async def _insist(self, call: Call, load: Callable[[Reply], T]) -> T:
        """Attempt until it is done or given up."""
        budget, spending = call.policy.retry.budget, self._spending[call.request.kind]
        failures = 0
        refused: Credential | None = None
        repeated_after: RequestError | None = None
        while True:
            call.credential = await self._credential(call, refused)
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
            if self._doubts(call, error, refused is not None) and not error.may_have_happened:
                refused = call.credential
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

    def _doubts(self, call: Call, error: RequestError, again: bool) -> bool:
        """Whether another token may be of help; the service says 401 or 403 for one that has ended (Routee, "Authentication")."""
        if not isinstance(error, Unauthorized | Forbidden) or not call.request.at_api:
            return False
        return self._tokens.distrust(call.credential, error.status, again)

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

    async def _credential(self, call: Call, refused: Credential | None) -> Credential:
        request = call.request
        if request.elsewhere:
            return NOBODY
        if request.kind is Kind.TOKEN and isinstance(self._wiring.auth, ClientCredentials):
            return self._wiring.auth.basic()
        try:
            return await self._tokens.current(refused)
        except RequestError as error:
            raise _for_one_caller(error, call) from None

    async def _attempt(self, call: Call) -> Reply:
        """Send once and return a successful answer; whatever else comes is an error of ours."""
        if self._closed:  # while a token was fetched, perhaps; who came into line now would not be dismissed
            raise SessionClosed
        kind = call.request.kind
        # The token endpoint is another host, asked by one task for all: it shares neither slots nor pauses.
        slot = nullcontext(0) if kind is Kind.TOKEN else self._wiring.throttle.slot(kind, self._in_line)
        if call.policy.deadline is not None and kind is not Kind.TOKEN:
            self._look_ahead(call.ends_at or 0.0)
        async with slot as call.lowered:
            if call.before_first_byte is not None:
                await call.before_first_byte()
                call.before_first_byte = None
            if (latest := self._tokens.latest) is not call.credential and latest is not None and call.request.at_api:
                # It was renewed while we stood in line: with the old one we would be refused, and stand in line again.
                call.credential = latest
            call.attempts += 1
            call.status = None
            started = time.perf_counter()
            try:
                try:
                    reply = await self._exchange(call, started)
                except Exception as fault:
                    if not is_known(fault):
                        raise
                    raise self._judged(call, fault) from None
            except BaseException as error:
                self._tell_end(call, error, time.perf_counter() - started)
                raise
        self._tell_end(call, None, reply.elapsed)
        if 200 <= reply.status < 300:
            return reply
        raise self._refused(call, reply)

    def _refused(self, call: Call, reply: Reply) -> RequestError:
        """Return the error that an answer outside 2xx means."""
        if reply.status < 200:  # 101, which nobody asked for: no service says no like this
            call.status = None
            return ConnectionLost(summary="another protocol is spoken here than HTTP", may_have_happened=call.may_have_happened)
        if reply.status == 407 and self._proxy is not None:  # who asks for that is on the way, and has not passed it on
            return refused_by_proxy(reply.status, self._place(call.request))
        complaint = _wire.load_complaint(reply.body)
        return refusal(reply, complaint and self._without_secrets(complaint, call.credential), call.request.kind, datetime.now(UTC))

    def _look_ahead(self, ends_at: float) -> None:
        """Refuse to stand in line where everybody waits for longer than until ``ends_at``: its call is told so at once, and how long."""
        pause = self._wiring.throttle.snapshot().paused_for
        if pause and time.monotonic() + pause >= ends_at:
            text = f"requests are paused for {spoken(pause)} s, longer than its deadline leaves"
            raise DeadlineExceeded(summary=text, retry_after=pause)

    def _without_secrets(self, complaint: Complaint, credential: Credential) -> Complaint:
        """Return what the service said, without what we had told it in confidence."""
        auth = self._wiring.auth
        secrets = [credential.header.partition(" ")[2], *([auth.secret] if isinstance(auth, ClientCredentials) else [])]

        def hidden(text: str | None) -> str | None:
            return None if text is None else without(text, secrets)

        return evolve(
            complaint,
            code=hidden(complaint.code),
            developer_message=hidden(complaint.developer_message),
            problems=tuple(
                evolve(row, code=hidden(row.code), developer_message=hidden(row.developer_message)) for row in complaint.problems
            ),
        )

    def _exchange(self, call: Call, started: float) -> Awaitable[Reply]:
        """Send once, whatever comes of it."""
        request = call.request
        file = request.download
        url = file.url if file is not None and file.url is not None else self._bases[request.kind] + request.path
        return self._open_lanes().exchange(call, url, started)

    def _judged(self, call: Call, fault: Exception) -> Exception:
        """Return our error for what an attempt raised."""
        if self._closed:
            return ConnectionLost(summary="the session was closed", may_pass=False) if call.may_have_happened else SessionClosed()
        return judged(fault, call, self._place(call.request), lender_closed=self._lanes is not None and self._lanes.reading.closed)

    def _place(self, request: Request) -> Place:
        """Return where a request goes, fit to be shown."""
        return Place(target="another host" if request.elsewhere else self._bases[request.kind], proxy=self._proxy)

    def _open_lanes(self) -> Lanes:
        if self._closed:
            raise SessionClosed
        if self._lanes is None:
            wiring = self._wiring
            self._lanes = Lanes(wiring.http, wiring.proxy, wiring.ssl_context, wiring.trace_configs)
        return self._lanes

    def check_home(self) -> None:
        """Refuse a closed session, another loop and another process."""
        if self._closed:
            raise SessionClosed
        home, process = self._home, os.getpid()
        # The process first: in a child that goes on where its parent was forked, Python knows of no loop that runs.
        try:
            if home is None:
                self._home = (asyncio.get_running_loop(), process)
            elif home[1] != process or home[0] is not asyncio.get_running_loop():
                raise ConfigError("session: belongs to the loop and process it was first used in; make one in each run")
        except RuntimeError:
            raise ConfigError("session: no loop of asyncio runs here; it needs one, as asyncio.run makes it; trio's will not do") from None

    def _tell_end(self, call: Call, error: BaseException | None, seconds: float) -> None:
        """Tell how an attempt ended; a body that cannot be read is an answer all the same."""
        name = "answered" if error is None or isinstance(error, WireError) else "failed" if isinstance(error, Exception) else "cancelled"
        self._tell(call, name, call.status, seconds, error)

    def _tell(self, call: Call, name: str, status: int | None, seconds: float, error: BaseException | None = None) -> None:
        if self._wiring.on_event is None:
            return
        event = Event(
            name=name,
            kind=call.request.kind,
            route=str(call.request),
            is_own_path=call.request.is_own_path,
            status=status,
            attempt=call.attempts,
            seconds=seconds,
            url=self._url_shown(call.request),
            error=None if error is None else type(error).__name__,
        )
        try:
            self._wiring.on_event(event)
        except Exception as fault:
            # An observer that fails must not turn a send that worked into an error.
            _LOG.warning("on_event raised %s and was passed over", type(fault).__name__)

    def _url_shown(self, request: Request) -> str:
        """Return where a request goes, with names in place of ids."""
        if request.download is not None and request.download.url is not None:
            return host_of(request.download.url)
        return self._bases[request.kind] + str(request).partition(" ")[2]

    async def _ask_for_token(self) -> TokenResponse:
        """Ask the token endpoint. Source: Routee, "Get authenticated": Basic credentials, a form as body."""
        form = "application/x-www-form-urlencoded"
        request = Request(method="POST", route="/oauth/token", kind=Kind.TOKEN, body=b"grant_type=client_credentials", content_type=form)
        policy = Policy(self._wiring.policy.retry, self._wiring.policy.timeouts, _TOKEN_DEADLINE)
        try:
            return await self.send(Call(request, policy), _wire.load_token)
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
