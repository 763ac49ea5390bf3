"""``voicedrop doctor``."""

import asyncio
import os
import socket
import ssl
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from voicedrop_async import ConfigError, RequestError, RouteeSession, SpacivoxSession
from voicedrop_async.cli._settings import NEEDED, Settings

_PATIENCE: Final = 20.0
"""Seconds that a call may take, with its repeats."""
_CONNECT: Final = 5.0
"""Seconds until a connection stands; as long as the other commands wait."""
_CLOCKS_APART: Final = 5.0
"""Seconds that nobody minds."""
_MINUTE: Final = timedelta(minutes=1)


class Chart:
    """What was looked at: a line each on stdout, as soon as it is known."""

    def __init__(self) -> None:
        """Nothing was found yet."""
        self.code = 0
        """How to end: 2 if settings are to be mended, 1 if anything else is."""

    def ok(self, what: str, words: str) -> None:
        """Nothing is to be done."""
        self._put("ok", what, words)

    def skip(self, what: str, words: str) -> None:
        """It was not looked at."""
        self._put("-", what, words)

    def mend(self, what: str, words: str, *, code: int = 1) -> None:
        """Something is to be done, as ``words`` say."""
        self.code = max(self.code, code)
        self._put("mend", what, words)

    def _put(self, mark: str, what: str, words: str) -> None:
        sys.stdout.write(f"{mark:<4}  {what}: {words}\n")
        sys.stdout.flush()


class ServiceClock:
    """Our clock beside a service's: reads the ``Date`` of every answer to a session that has ``traces``; the last one counts."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Count our own seconds by ``clock``."""
        self._clock = clock
        self.ahead: float | None = None
        """Seconds that our clock is ahead of the service's, at least; negative behind it, 0 if they may agree; None if nothing is known."""
        self.traces = aiohttp.TraceConfig()
        self.traces.on_request_start.append(self._begin)
        self.traces.on_request_end.append(self._end)

    async def _begin(self, _session: aiohttp.ClientSession, context: Any, _params: object) -> None:
        context.began = self._clock()

    async def _end(self, _session: aiohttp.ClientSession, context: Any, params: aiohttp.TraceRequestEndParams) -> None:
        date = _seconds(params.response.headers.get("Date", ""))
        if date is not None:
            self.ahead = seconds_ahead(date, context.began, self._clock())


def seconds_ahead(date: float, began: float, ended: float) -> float:
    """Return by how much we are ahead of a ``Date``, at least; negative behind it, 0 if both may be right.

    Args:
        date: Seconds, cut to a whole one by who sent it.
        began: When the question left, by our clock.
        ended: When the answer came, likewise; the date was written between the two.
    """
    return max(began - (date + 1.0), 0.0) or min(ended - date, 0.0)


def _seconds(date: str) -> float | None:
    try:
        read = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


async def doctor(*, profile: str | None = None) -> int:
    """Look at what the other commands need, and say what to mend.

    Looks at settings, host names, connections and certificates; asks for a
    token, reads a little from each service that is set up, and compares the
    clocks. Nothing is sent that costs money or rings a telephone.

    Writes a line for each, which begins with ok, with mend, or with - for what
    was not looked at. Ends with 0 if nothing is to be mended, with 2 if
    settings are, and else with 1.

    Args:
        profile: Of the settings file, in place of VOICEDROP_PROFILE.
    """
    chart = Chart()
    try:
        settings = Settings.load(profile)
    except ConfigError as error:
        chart.mend("settings", str(error), code=2)
        return chart.code
    if settings.why_empty:
        chart.skip("settings", f"the environment alone; {settings.place}: {settings.why_empty}")
    else:
        chart.ok("settings", f"{settings.place}, below the environment")
    unused = [service for service in NEEDED if settings.lacking(service) == [*NEEDED[service]]]
    for service in NEEDED:
        if service not in unused:
            await _examine(service, settings, chart)
        elif len(unused) < len(NEEDED):
            chart.skip(service, f"not set up; that needs {' and '.join(key.upper() for key in NEEDED[service])}")
        else:
            _name_missing(service, settings, chart)
    return chart.code


def _name_missing(service: str, settings: Settings, chart: Chart) -> None:
    for key in settings.lacking(service):
        chart.mend(f"{service} credentials", settings.missing(key), code=2)


async def _examine(service: str, settings: Settings, chart: Chart) -> None:
    """Look at one service that is set up, or half set up."""
    if settings.lacking(service):
        _name_missing(service, settings, chart)
        return
    clock = ServiceClock()
    traces = [clock.traces]
    try:
        session = settings.routee(trace_configs=traces) if service == "routee" else settings.spacivox(trace_configs=traces)
    except ConfigError as error:
        chart.mend(f"{service} settings", str(error), code=2)
        return
    chart.ok(f"{service} credentials", f"from {', '.join(settings.origin(key) or '' for key in NEEDED[service])}")
    async with session:
        urls = {url: settings.origin(key) or key.upper() for key, url in settings.urls(service).items()}  # one for both is looked at once
        if all([await _is_reached(service, url, origin, chart) for url, origin in urls.items()]):
            await _read(service, session.with_options(deadline=_PATIENCE), chart)
            _compare(service, clock, chart)


async def _is_reached(service: str, url: str, origin: str, chart: Chart) -> bool:
    """Look the host of a URL up, and connect to it as the session would; ``origin`` is who says so, or who could."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(_CONNECT):
            await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        chart.mend(f"{service} host", f"no address is known for {host}; check {origin}, and this machine's name servers")
        return False
    chart.ok(f"{service} host", f"{host}, of {origin}, has an address")
    try:
        async with asyncio.timeout(_CONNECT):
            # The authorities of the machine, as the session has them.
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context() if secure else None)
    except OSError as error:
        chart.mend(f"{service} connection", f"{host}, port {port}: {_why_not(error, origin)}")
        return False
    found = writer.get_extra_info("ssl_object")
    writer.transport.abort()
    how = "plain http" if found is None else f"{found.version()}, with a certificate that is trusted"
    chart.ok(f"{service} connection", f"{host}, port {port}: {how}")
    return True


def _why_not(error: OSError, origin: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"its certificate is not trusted ({error.verify_message})"
        return f"{words}; look at what stands between you and the service, at this machine's authorities, and at its date"
    if isinstance(error, ssl.SSLError):
        return f"no TLS ({error.reason}); check {origin}, and what stands between"
    if isinstance(error, TimeoutError):
        return f"no connection within {_CONNECT:g} s; look at the network and its firewalls"
    why = os.strerror(error.errno) if error.errno else type(error).__name__
    return f"no connection ({why}); check {origin}, the network and its firewalls"


async def _read(service: str, session: RouteeSession | SpacivoxSession, chart: Chart) -> None:
    """Make one call that only reads, with the token it needs."""
    has_endpoint = isinstance(session, RouteeSession)
    fault: RequestError | None = None
    try:
        if isinstance(session, RouteeSession):
            await session.track_messages().first()
        else:
            now = datetime.now(UTC)
            await session.list_drop_records(now - _MINUTE, now)
    except RequestError as error:
        fault = error
    if fault is not None and fault.request.endswith("/oauth/token"):
        chart.mend(f"{service} token", str(fault))
        return
    if has_endpoint:
        chart.ok(f"{service} token", "asked for, and given")
    if fault is None:
        chart.ok(f"{service} reading", "the token was accepted, and the answer can be read")
    else:
        chart.mend(f"{service} reading", str(fault))


def _compare(service: str, clock: ServiceClock, chart: Chart) -> None:
    what = f"{service} clock"
    if clock.ahead is None:
        chart.skip(what, "no answer told the time")
    elif abs(clock.ahead) <= _CLOCKS_APART:
        chart.ok(what, f"this machine's is right, to within {_CLOCKS_APART:g} s")
    else:
        direction = "ahead of" if clock.ahead > 0 else "behind"
        chart.mend(what, f"this machine's is {abs(clock.ahead):.0f} s {direction} the service's; let it be set from the network (NTP)")
