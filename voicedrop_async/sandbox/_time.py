"""Sandbox time, and dates as the services write and read them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time, ``speed`` times as fast, beginning at ``now``."""

    def __init__(self, *, now: datetime, speed: float, ticks: Callable[[], float]) -> None:
        """``ticks`` counts real seconds, as ``time.monotonic`` does."""
        self.speed = speed
        self._began = now.astimezone(UTC)
        self._ticks = ticks
        self._first_tick = ticks()

    def real_seconds(self) -> float:
        """Real seconds since the clock was made. Tokens age by these."""
        return self._ticks() - self._first_tick

    def now(self) -> datetime:
        """The moment it is in the sandbox; aware, UTC. Campaigns live by it."""
        return self._began + timedelta(seconds=self.real_seconds() * self.speed)


def iso(moment: datetime) -> str:
    """A moment as both services write it: UTC, milliseconds, ``Z``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_moment(text: str) -> datetime:
    """A moment as a query says it: ISO 8601 with a zone, seconds may be left out.

    Raises:
        ValueError: No date, or no zone. A ``+`` that was not percent-encoded arrives as a blank and ends here too.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment.astimezone(UTC)
