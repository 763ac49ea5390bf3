"""Our clock beside a service's, as its answers tell it."""

import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp


class ServiceClock:
    """Reads the ``Date`` of every answer to a session that has ``traces``; the last one counts."""

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
