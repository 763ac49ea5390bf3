"""When the next request may start where several processes share a rate: turns that were given to this one. No Redis in here."""

from collections import deque
from collections.abc import Sequence
from math import inf
from typing import Final

from voicedrop_async.throttle._gate import LATE, LATENESS, Gate
from voicedrop_async.throttle._lua import FURTHEST

_AHEAD: Final = 0.05
"""Seconds ahead in which several turns are given at once; or as long as an answer takes."""
_SOON: Final = 0.01
"""Seconds until we come again at the earliest where all turns are taken."""


class Turns(Gate):
    """The turns of one process: asked for in words, and taken from an answer in words (``_lua.ASK``)."""

    def __init__(self, limit: float) -> None:
        super().__init__(limit)
        self._shared_limit = limit
        # From when, and until when: who is later than that would start together with somebody else.
        self._given: deque[tuple[float, float]] = deque()
        self._usual = inf  # Seconds that an answer takes.
        self._knows = False
        self._refused = self._told = -1  # What ``lowered`` was for the request that is to lower the rate of all.
        self.has_news = False
        """Whether there is a pause or a lower rate that the others were not told of."""

    @property
    def given(self) -> int:
        """Turns in hand."""
        return len(self._given)

    def opens_at(self, now: float, ahead: int = 0) -> float:
        """Return when the next may start, if so many ``ahead`` of it are about to; infinity without a turn."""
        if self.resume_at > now:
            return self.resume_at
        if not ahead:
            self._drop_late(now)
        return self._given[ahead][0] if ahead < len(self._given) else inf

    def passes(self, now: float) -> bool:
        """Take a turn, if there is one by now."""
        if self.resume_at > now:
            return False
        self._drop_late(now)
        if not self._given or self._given[0][0] > now:
            return False
        self._given.popleft()
        return True

    def start(self, now: float) -> None:
        """Take the turn of one that waited for it."""
        if self._given and self._given[0][0] <= now:
            self._given.popleft()

    def forget(self, now: float) -> None:
        """Turns that have passed are given up when the next is asked for."""

    def pause(self, now: float, seconds: float) -> None:
        """Let none start for so many seconds; the others are told with the next question."""
        super().pause(now, seconds)
        self.has_news = True

    def lower(self, now: float, seen: int) -> None:
        """Cut the rate, unless that was done since; the others are told likewise."""
        before = self.lowered
        super().lower(now, seen)
        if self.lowered > before:
            self._refused, self.has_news = seen, True

    def question(self, now: float, wanted: int) -> tuple[str | int, ...]:
        """Return the words of a question for so many turns, which tells of a pause and a lower rate as well."""
        self.has_news, self._told = False, self._refused
        ahead = max(_AHEAD, self._usual if self._usual < inf else 0.0)
        pause = max(0.0, self.resume_at - now)
        return repr(self._shared_limit), max(0, wanted), round(ahead * 1e6), round(pause * 1e6), self._refused, int(self._knows)

    def take(self, sent: float, received: float, answer: Sequence[bytes | str | int]) -> float:
        """Take what was answered; return the seconds until asking again makes sense.

        An answer that took much longer than usual may be of another moment than it seems: its turns are given up, and
        the next one may take as long.
        """
        given, first, apart, pause, lowered, rate = map(float, answer)
        took, late = received - sent, max(LATENESS / rate, LATE)
        is_fresh = took <= self._usual + late
        self._usual = min(self._usual, took) if is_fresh else took
        for place in range(int(given) if is_fresh else 0):
            after = (first + place * apart) / 1e6
            self._given.append((received + after, sent + self._usual + after + late))
        self._knows = True
        if self._refused == self._told:
            self._refused = -1
        self.lowered, self._low, self._low_since = int(lowered), rate, received
        self.resume_at = max(self.resume_at, sent + pause / 1e6)
        return max(_SOON, first / 1e6 - FURTHEST) if first / 1e6 > FURTHEST and not given else 0.0

    def _drop_late(self, now: float) -> None:
        while self._given and self._given[0][1] < now:
            self._given.popleft()
