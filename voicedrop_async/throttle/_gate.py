"""When the next request may start: by the rate, and by the pause and the lower rate that follow a 429."""

from collections import deque
from math import ceil, inf
from typing import Final

CUT: Final = 0.5
"""What is left of the rate after a 429."""
LEAST: Final = 0.1
"""The lowest rate, as a part of the one that was set: however often it is cut, requests go on."""
RECOVERY: Final = 0.01
"""What each second gives back to the rate, as a part of the one that was set."""
LATENESS: Final = 0.5
"""How late a start may be and those behind it not later for that, as a part of the time between two; below 1, so that slow
starts stay apart."""
LATE: Final = 0.01
"""The same in seconds, where that is more. Timers count whole milliseconds, and a busy loop comes round in a few: of many
starts a second, those whose turns came meanwhile start together."""
_MOST_PLACES: Final = 10_000
"""Starts that are remembered, so that a rate beyond all measure takes no memory beyond it."""


class Gate:
    """When the next request may start, by pause and rate. Moments are handed in."""

    def __init__(self, limit: float | None) -> None:
        self.is_timed = limit is not None
        self.resume_at = -inf
        self.lowered = 0
        self._limit = limit
        self._low = limit or 0.0
        self._low_since = -inf
        self._latest = -inf  # The turn of the latest start, which may have been a little later.
        places = 1 if limit is None else min(ceil(limit), _MOST_PLACES)
        # The start so many places ago is at least so many seconds old: this is what holds in any one second, come what may.
        self._starts = deque([-inf] * places, maxlen=places)
        self._span = places / (limit or 1.0)

    def rate(self, now: float) -> float | None:
        """Return how many may start a second."""
        if self._limit is None or not self.lowered:
            return self._limit
        return min(self._limit, self._low + max(0.0, now - self._low_since) * self._limit * RECOVERY)

    def opens_at(self, now: float, ahead: int = 0) -> float:
        """Return the moment at which the next may start, if so many ``ahead`` of it are about to."""
        if (rate := self.rate(now)) is None:
            return self.resume_at
        before = self._starts[ahead] if ahead < len(self._starts) else now
        return max(self.resume_at, self._turn(now, rate) + ahead / rate, before + self._span)

    def passes(self, now: float) -> bool:
        """Note that one starts now, if neither pause nor rate holds it back."""
        if self.resume_at > now:
            return False
        if (rate := self.rate(now) if self.lowered else self._limit) is not None:
            if self._latest + 1.0 / rate > now or self._starts[0] + self._span > now:
                return False
            self._latest = now
            self._starts.append(now)
        return True

    def start(self, now: float) -> None:
        """Note that one starts that waited: it was woken a little late, and the next need not be later for that."""
        if (rate := self.rate(now)) is not None:
            self._latest = self._turn(now, rate)
            self._starts.append(now)

    def forget(self, now: float) -> None:
        """Let turns that have passed be nobody's: they are not made good."""
        if (rate := self.rate(now)) is not None:
            self._latest = max(self._latest, now - 1.0 / rate)

    def _turn(self, now: float, rate: float) -> float:
        """Return the moment of the next turn; one that has passed counts from when quiet was over, and only so long ago."""
        return max(self._latest + 1.0 / rate, min(now, self.resume_at), now - max(LATENESS / rate, LATE))

    def pause(self, now: float, seconds: float) -> None:
        """Let none start for so many seconds."""
        self.resume_at = max(self.resume_at, now + seconds)

    def lower(self, now: float, seen: int) -> None:
        """Cut the rate, unless that was done since its ``lowered`` was ``seen``; it recovers when the pause is over."""
        rate = self.rate(now)
        if self._limit is not None and rate is not None and seen == self.lowered:
            self.lowered += 1
            self._low = max(rate * CUT, self._limit * LEAST)
            self._low_since = max(now, self.resume_at)
