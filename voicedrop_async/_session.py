"""What both sessions are: options, life cycle, views, and the call of any endpoint."""

import os
import ssl
from collections.abc import Callable, Coroutine, Mapping, Sequence
from math import isfinite
from types import EllipsisType, TracebackType
from typing import Any, Final, NoReturn, Self, TypedDict, TypeVar
from urllib.parse import quote

import aiohttp
from attrs import evolve

from voicedrop_async import _wire
from voicedrop_async._checks import (
    check_amount,
    check_base_url,
    check_connector,
    check_kind,
    check_observer,
    check_proxy,
    check_ssl_context,
    check_text,
    check_trace_configs,
    check_writable,
)
from voicedrop_async._masking import type_of
from voicedrop_async._paid import Draft, PaidSends
from voicedrop_async._transport import Transport, Wiring
from voicedrop_async._underway import Call, Policy
from voicedrop_async.auth import ClientCredentials, StaticToken
from voicedrop_async.calls import Event, Kind, Reply, Request, Retry, Timeouts
from voicedrop_async.errors import ConfigError, JournalError
from voicedrop_async.journal import Journal, JournalEntry, MemoryJournal
from voicedrop_async.throttle import Limits, Throttle

T = TypeVar("T")

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


class SessionOptions(TypedDict, total=False):
    """Options that both sessions take.

    Keys:
        limits: Requests in flight and their rate; not together with ``throttle``.
        throttle: Limits shared with other sessions.
        retry: When a failed attempt is followed by another.
        timeouts: How long one attempt may take.
        deadline: Seconds each call may take in all, queue, attempts and pauses together; in a walk, each page. None for no end.
        http: A session of yours whose connector we use. It is never closed by us; its cookies and settings are not used,
            and paid sends have connections of their own. One whose connector does not verify servers is refused. If its
            connector has a limit below ``max_in_flight``, calls wait there for a connection with their slot in hand, and that
            wait counts against ``Timeouts.connect``.
        proxy: URL of a proxy. Proxies of the environment are not used.
        ssl_context: How TLS is verified, as with an authority of your own (``ssl.create_default_context(cafile=...)``), and
            client certificates. It must verify; there is no way to turn that off. None for the authorities of this machine.
        trace_configs: Tracing of aiohttp, as for ``aiohttp.ClientSession``.
        on_event: Called with an ``Event`` at each step of a call; what it raises is passed over. ``log_events`` and
            ``otel_events`` make such.
        allow_insecure: Accept plain http to other machines, which shows the token to everybody on the way.
    """

    limits: Limits | None
    throttle: Throttle | None
    retry: Retry | None
    timeouts: Timeouts | None
    deadline: float | None
    http: aiohttp.ClientSession | None
    proxy: str | None
    ssl_context: ssl.SSLContext | None
    trace_configs: Sequence[aiohttp.TraceConfig]
    on_event: Callable[[Event], object] | None
    allow_insecure: bool


class Session:
    """Connections, limits and a token for one account of one service."""

    def __init__(
        self,
        auth: ClientCredentials | StaticToken,
        *,
        base_url: str,
        auth_url: str | None,
        journal: Journal | None = None,
        limits: Limits | None = None,
        throttle: Throttle | None = None,
        retry: Retry | None = None,
        timeouts: Timeouts | None = None,
        deadline: float | None = None,
        http: aiohttp.ClientSession | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
        on_event: Callable[[Event], object] | None = None,
        allow_insecure: bool = False,
    ) -> None:
        """Check the options; no I/O, and no loop is needed yet."""
        check_base_url("base_url", base_url, allow_insecure=allow_insecure)
        if limits is not None and throttle is not None:
            raise ConfigError("limits: given together with throttle, which has limits of its own; give one of the two")
        _check_deadline(deadline)
        for argument, value, kind in (
            ("limits", limits, Limits),
            ("throttle", throttle, Throttle),
            ("retry", retry, Retry),
            ("timeouts", timeouts, Timeouts),
            ("http", http, aiohttp.ClientSession),
        ):
            check_kind(argument, value, kind)
        _check_journal(journal)
        if http is not None and http.closed:
            raise ConfigError("http: is closed already; give one that stays open as long as the session")
        check_connector(http and http.connector)
        if proxy is not None:
            check_proxy(proxy)
        check_ssl_context(ssl_context)
        check_trace_configs(trace_configs)
        check_observer(on_event)
        self._base_url = base_url
        self._policy = Policy(retry or Retry(), timeouts or Timeouts(), deadline)
        self._transport = Transport(
            Wiring(
                base_url=base_url,
                auth_url=auth_url,
                auth=auth,
                policy=self._policy,
                throttle=throttle or Throttle(limits),
                http=http,
                proxy=proxy,
                ssl_context=ssl_context,
                trace_configs=tuple(trace_configs),
                on_event=on_event,
            )
        )
        self._paid = PaidSends(self._transport, MemoryJournal() if journal is None else journal)
        self._is_view = False

    async def __aenter__(self) -> Self:
        """Return the session; connections are made when the first request is sent."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the session."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; calls under way end with ``SessionClosed``. Again, or on a view: does nothing."""
        if not self._is_view:
            await self._transport.aclose()

    def with_options(
        self, *, retry: Retry | None = None, timeouts: Timeouts | None = None, deadline: float | EllipsisType | None = ...
    ) -> Self:
        """Return a view of this session with another patience; what is left out stays as it is.

        The view shares connections, limits and token, and ends with the session: closing the view closes nothing.

        Args:
            retry: When a failed attempt is followed by another.
            timeouts: How long one attempt may take.
            deadline: Seconds each call may take in all; None for no end.
        """
        check_kind("retry", retry, Retry)
        check_kind("timeouts", timeouts, Timeouts)
        policy = self._policy
        if not isinstance(deadline, EllipsisType):
            _check_deadline(deadline)
            policy = evolve(policy, deadline=deadline)
        return self._view(evolve(policy, retry=retry or policy.retry, timeouts=timeouts or policy.timeouts))

    def _view(self, policy: Policy) -> Self:
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__, _policy=policy, _is_view=True)
        return view

    async def call(
        self,
        method: str,
        path: str,
        *,
        kind: Kind,
        params: Mapping[str, str | int | float | bool] | None = None,
        json: object = None,
    ) -> Reply:
        """Call an endpoint that has no method here, through the same token, limits, retries and errors.

        A call of the kind ``PAID`` is journalled like a campaign, under a ref of its own: ``OutcomeUnknown.intent.ref``.

        Args:
            method: Such as ``GET``.
            path: Below the base URL, from its first slash; plain text, percent-encoded on the way.
            kind: What the call does, and so how it may be repeated.
            params: Of the query.
            json: Of the body; None for no body.

        Returns:
            The answer, whose status is within 2xx; its body is not looked at.

        Raises:
            ConfigError: A method, path or JSON value that cannot be sent.
            OutcomeUnknown: A call of the kind ``PAID`` that may have happened.
            JournalError: The journal cannot be written; nothing was sent.
            RequestError: The call failed.
        """
        if not isinstance(method, str) or method not in _METHODS:
            raise ConfigError(f"method: must be one of {', '.join(sorted(_METHODS))}")
        if not isinstance(kind, Kind) or kind is Kind.TOKEN:
            raise ConfigError("kind: must be Kind.READ, Kind.PAID or Kind.CANCEL; tokens are asked for by the session itself")
        request = Request(
            method=method,
            route=_encoded(path),
            is_own_path=True,
            kind=kind,
            params=_texts(params),
            body=None if json is None else _json(json),
        )
        if kind is not Kind.PAID:
            return await self._send(request, lambda reply: reply)
        draft = Draft(ref=None, campaign_name=None, campaign=_json([method, path, json]), recipients=b"", count=0)
        reply = await self._paid.send(request, self._policy, lambda reply: (reply, None), draft)
        if isinstance(reply, JournalEntry):
            raise JournalError("journal: returned an entry for a ref that was never used, so nothing was sent; mend that Journal")
        return reply

    @property
    def journal(self) -> Journal:
        """Where paid sends are written down: the one given, or the ``MemoryJournal`` made without one.

        Settle an open send there, or prune; it outlives the session.
        """
        return self._paid.journal.own

    def _send(self, request: Request, load: Callable[[Reply], T]) -> Coroutine[Any, Any, T]:
        return self._transport.send(Call(request, self._policy), load)

    def _policy_until(self, deadline: float | None) -> Policy:
        _check_deadline(deadline)
        return self._policy if deadline is None else evolve(self._policy, deadline=deadline)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise ConfigError(f"{type(self).__name__}: a session holds connections and a token, and is not pickled; make one in each process")


def _check_deadline(deadline: float | None) -> None:
    if deadline is not None:
        check_amount("deadline", deadline)


def _check_journal(journal: object) -> None:
    methods = ("key", "find", "claim", "settle", "open_entries", "prune")
    if journal is not None and (isinstance(journal, type) or not all(callable(getattr(journal, name, None)) for name in methods)):
        raise ConfigError(f"journal: {type_of(journal)} is no Journal")


def _encoded(path: object) -> str:
    if (
        not isinstance(path, str)
        or not path.startswith("/")
        or path.startswith("//")
        or not path.isprintable()
        or {".", ".."} & set(path.split("/"))
    ):
        raise ConfigError("path: must begin with one slash and hold no dot segments or control characters")
    return quote(path, safe="/")


def _texts(params: object) -> dict[str, str]:
    """Return the parameters of a query as they stand in it."""
    check_kind("params", params, Mapping)
    given: Mapping[str, object] = params if isinstance(params, Mapping) else {}
    return {check_text("params: a name", name): _param(f"params[{name!r}]", value) for name, value in given.items()}


def _param(argument: str, value: object) -> str:
    if isinstance(value, str):
        return check_writable(argument, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, int | float):
        raise ConfigError(f"{argument}: {type_of(value)} is no text, number or truth value")
    if not isfinite(value):
        raise ConfigError(f"{argument}: must be a finite number")
    return str(value)


def _json(value: object) -> bytes:
    try:
        text, is_finite = _wire.encode(value), _wire.is_finite(value)
    except (TypeError, ValueError, RecursionError) as fault:
        raise ConfigError(f"json: not a JSON value ({type(fault).__name__})") from None
    if not is_finite:
        raise ConfigError("json: holds NaN or infinity, for which JSON has no notation")
    return text


def from_environment(name: str) -> str | None:
    """Return an environment variable; None if it is missing or empty."""
    return os.environ.get(name) or None


def needed_from_environment(name: str, what: str) -> str:
    """Return an environment variable, or say which one is missing."""
    value = from_environment(name)
    if value is None:
        raise ConfigError(f"{name}: not set in the environment; it holds {what}")
    return value
