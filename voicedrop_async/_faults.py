"""What aiohttp raises between a request and the last byte of its answer, said as errors of ours that name what is to blame."""

import os
import traceback
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from attrs import frozen

from voicedrop_async._lanes import BrokenError
from voicedrop_async._masking import spoken
from voicedrop_async._resolver import NotPublic
from voicedrop_async._underway import Call
from voicedrop_async.calls import CHANGES, TRANSIENT
from voicedrop_async.errors import ConnectFailed, ConnectionLost, RequestError, TimedOut

_NEVER_LEFT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
_NETWORK_FAULTS: Final = (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError)
_FAULTS: Final = (*_NETWORK_FAULTS, ValueError, RuntimeError)
"""What aiohttp is known to raise; the last two cannot pass."""


@frozen(kw_only=True)
class Place:
    """Where a request goes, fit to be shown."""

    target: str
    proxy: str | None
    """On the way there; without its password."""

    def __str__(self) -> str:
        return self.target if self.proxy is None else f"{self.target}, by way of the proxy {self.proxy}"


def host_of(url: str) -> str:
    """Return a URL without user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def is_known(fault: Exception) -> bool:
    """Whether it is aiohttp's, or came out of a hook of the caller's tracing; any other is an error of ours already, or a mistake."""
    return isinstance(fault, _FAULTS) or _of_a_hook(fault) is not None


def judged(fault: Exception, call: Call, place: Place, *, lender_closed: bool) -> RequestError:
    """Return our error for what was raised by an attempt.

    Args:
        fault: A known one.
        call: What was under way, and what the world has seen of it.
        place: Where it went.
        lender_closed: Whether the connections of a borrowed session were closed, which is not ours to do.
    """
    fault = fault.fault if isinstance(fault, BrokenError) else fault
    reads = call.request.kind not in CHANGES
    left = not isinstance(fault, _NEVER_LEFT) if reads else call.sent
    if (hooked := _of_a_hook(fault)) is not None:
        kind = ConnectionLost if left else ConnectFailed
        why = f"a hook of trace_configs raised {type(hooked).__name__}"
        return kind(summary=why, may_have_happened=call.may_have_happened, may_pass=False)
    if reads and lender_closed:  # what changes something has connections of its own
        kind = ConnectFailed if isinstance(fault, RuntimeError) else ConnectionLost  # before it began, or while it ran
        return kind(summary="the session given as http was closed by its owner", may_have_happened=False, may_pass=False)
    if isinstance(fault, TimeoutError):
        return _timed_out(call, left=left)
    if not left and isinstance(fault, aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError):
        return _unconnected(fault, place)
    why, may_pass = f"{type(fault).__name__} at {place}", isinstance(fault, _NETWORK_FAULTS)
    if not left:
        return ConnectFailed(summary=f"no connection: {why}", may_pass=may_pass)
    broke = "what came is not HTTP as we know it" if isinstance(fault, aiohttp.ClientResponseError) else "the connection broke"
    return ConnectionLost(summary=f"{broke}: {why}{_after(call)}", may_have_happened=call.may_have_happened, may_pass=may_pass)


def refused_by_proxy(status: int, place: Place) -> ConnectFailed:
    """Return the error of a proxy that says no: it has passed nothing on."""
    wants = ": it wants a user name and a password, or others" if status == 407 else ""
    return ConnectFailed(summary=f"no connection: the proxy {place.proxy} says HTTP {status}{wants}", may_pass=status in TRANSIENT)


def _of_a_hook(fault: Exception) -> BaseException | None:
    """Return what a hook of the caller's tracing raised, if that is what it was."""
    # aiohttp calls them in that module, and nothing else; it passes on what they raise, or takes it for a cause.
    for raised in (fault, fault.__cause__):
        trace = None if raised is None else raised.__traceback__
        if any(frame.f_globals.get("__name__") == "aiohttp.tracing" for frame, _ in traceback.walk_tb(trace)):
            return raised
    return None


def _timed_out(call: Call, *, left: bool) -> TimedOut:
    limits = call.policy.timeouts
    text = f"no complete answer within {spoken(limits.read)} s{_after(call)}"
    if not left:
        text = f"no connection within {spoken(min(limits.connect, limits.read))} s"
    return TimedOut(summary=text, may_have_happened=call.may_have_happened)


def _unconnected(fault: aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError, place: Place) -> ConnectFailed:
    name = type(fault).__name__
    if isinstance(fault, aiohttp.ClientHttpProxyError):
        return refused_by_proxy(fault.status, place)
    if isinstance(fault.os_error, NotPublic):
        return ConnectFailed(summary=f"{place} leads to an address that is not public: refused", may_pass=False)
    if isinstance(fault, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return ConnectFailed(summary=f"{name} at {place}: not a trusted https server of that name", may_pass=False)
    if isinstance(fault, aiohttp.ClientProxyConnectionError):
        return ConnectFailed(summary=f"no connection: {name}: the proxy {place.proxy} cannot be reached")
    return ConnectFailed(summary=f"no connection: {name} at {place}{_reason(fault)}")


def _reason(fault: aiohttp.ClientConnectorError) -> str:
    if isinstance(fault, aiohttp.ClientConnectorDNSError):
        return " (the name could not be looked up)"
    number = fault.os_error.errno
    return f" ({os.strerror(number)})" if number is not None and number > 0 else ""


def _after(call: Call) -> str:
    return "" if call.status is None else f", after a head that said HTTP {call.status}"
